# Tails and quantiles of the beta and Student t distributions, by R's pbeta
# (TOMS 708), qbeta, pt and qt.
#
#   Rscript tails.R > tails.csv
#
# Columns: kind, first and second parameter, argument, lower tail, upper tail.
emit <- function(kind, a, b, x, lower, upper)
  cat(sprintf("%s,%.17g,%.17g,%.17g,%.17g,%.17g\n", kind, a, b, x, lower, upper))
cat("# ", R.version.string, "\n", sep = "")
parameters <- c(1e-3, 0.01, 0.3, 0.5, 1, 2.5, 7.06, 40, 250.5, 3000.25, 1e5, 1e6)
for (a in parameters) for (b in parameters) for (p in c(1e-12, 1e-9, 1e-6, 1e-3, 0.3)) {
  x <- signif(suppressWarnings(qbeta(p, a, b)), 12)
  if (is.finite(x) && x > 1e-290 && x < 1 - 1e-9)
    emit("beta", a, b, x, pbeta(x, a, b), pbeta(x, a, b, lower.tail = FALSE))
}
for (df in c(0.5, 1, 2, 3, 3.7, 5, 9, 20, 30.5, 59, 120, 239, 1000))
  for (p in c(1e-12, 1e-9, 1e-6, 1e-4, 1e-2, 0.1, 0.3, 0.49)) {
    t <- signif(qt(p, df, lower.tail = FALSE), 12)
    emit("t", df, 0, t, pt(t, df), pt(t, df, lower.tail = FALSE))
    # Below one degree of freedom R's qt is itself off by up to 1e-4.
    if (df >= 1) emit("tq", df, 0, p, 0, qt(p, df, lower.tail = FALSE))
  }
for (p in c(1e-12, 1e-10, 1e-6, 1e-3, 0.025, 0.3, 0.5, 0.9))
  emit("z", 0, 0, p, 0, qnorm(p, lower.tail = FALSE))
