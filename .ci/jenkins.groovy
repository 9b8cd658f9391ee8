// Runs the stages of a Jenkinsfile in the working directory, as Jenkins does: one after
// the other until one fails. It knows what ours uses; Jenkins itself is not needed.
import org.codehaus.groovy.control.CompilerConfiguration

abstract class Pipeline extends Script {
    Closure work, afterwards

    def getAny() {}
    def agent(where) {}
    def options(Closure body) {}
    def pipeline(Closure body) { body() }
    def stages(Closure body) { body() }
    def stage(String name, Closure body) {
        work = afterwards = {}
        body()
        println "stage $name"
        try { work() } finally { afterwards() }
    }
    def steps(Closure body) { work = body }
    def post(Closure body) { body() }
    def always(Closure body) { afterwards = body }

    def sh(String script) {
        int code = new ProcessBuilder('sh', '-xe', '-c', script).inheritIO().start().waitFor()
        if (code != 0) throw new IllegalStateException("script returned exit code $code")
    }
    def archiveArtifacts(Map what) {
        what.artifacts.split(',').each { assert new File(it).exists() : "there is no artifact $it" }
    }
}

def config = new CompilerConfiguration(scriptBaseClass: Pipeline.name)
try {
    new GroovyShell(getClass().classLoader, new Binding(), config).evaluate(new File(args[0]))
} catch (IllegalStateException e) {
    println "the pipeline failed: ${e.message}"
    System.exit(1)
}
