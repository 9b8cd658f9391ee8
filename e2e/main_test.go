//go:build e2e

// Package e2e tests canary-judge against the real thing, with nothing faked:
// services that fail and take their time, nginx that splits the traffic between
// baseline and canary, a steady load, Prometheus that scrapes, and the binary
// that judges. TestPast judges data of the last hours that Prometheus and VictoriaMetrics
// are given, and TestSlowMachine what a history makes of a machine that is slower. TestRamp has nginx give
// canaries their traffic in stages. It takes some four minutes:
//
//	go test -tags e2e ./e2e -count=1 -v
//
// Linux only, with Debian's packages nginx-light, prometheus and
// victoria-metrics. With
// CANARY_JUDGE_UPDATE=1 it renews the recordings in ../testdata.
package e2e

import (
	"log"
	"os"
	"testing"
)

// TestMain runs the tests, or the service that the tests start this binary as.
func TestMain(m *testing.M) {
	if config, ok := os.LookupEnv(serviceVariable); ok {
		log.Fatal(serve(config))
	}
	m.Run()
}
