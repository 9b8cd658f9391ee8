package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [config|result]",
		Short: "Print the JSON Schema of the config, or of the result",
		Long: `schema prints the JSON Schema of canary.yaml, for editors and linters, or that of
the result that -o json writes. In an editor with the YAML language server, put
this on the first line of the config:

  # yaml-language-server: $schema=canary.schema.json`,
		Example: `  canary-judge schema > canary.schema.json
  canary-judge schema result > result.schema.json`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"config", "result"},
		RunE: func(_ *cobra.Command, args []string) error {
			text := config.Schema(types())
			if len(args) == 1 && args[0] == "result" {
				text = report.ResultSchema()
			}
			_, _ = a.stdout.Write(text) // what could not be written is told at the end
			return nil
		},
	}
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run: func(*cobra.Command, []string) {
			fmt.Fprintf(a.stdout, "canary-judge %s (%s, %s/%s)\n", a.version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		},
	}
}

// version returns the version of this build.
func (a *app) version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
