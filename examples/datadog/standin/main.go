// Command standin serves a stand-in for Datadog's API, to try canary-judge without an
// account:
//
//	go run ./examples/datadog/standin &          # or: -canary broken
//	export DD_URL=http://127.0.0.1:8126 DD_API_KEY=demo DD_APP_KEY=demo
//	canary-judge run -c examples/datadog/apm.yaml --set version=v2 --start -70m --end -10m
//
// The keys are not secret: they open nothing but the stand-in.
package main

import (
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/canary-judge/canary-judge/providers/datadog/datadogtest"
)

// canaries are the canaries there are to judge.
var canaries = map[string]datadogtest.Canary{
	"healthy": {},
	"broken":  {Errors: 4, Latency: 0.5},
	"silent":  {Silent: true},
}

func main() {
	address := flag.String("address", "127.0.0.1:8126", "address to listen at")
	name := flag.String("canary", "healthy", "the canary, version v2: healthy, broken or silent")
	flag.Parse()
	canary, ok := canaries[*name]
	if !ok {
		log.Fatalf("there is no canary %q; valid: healthy, broken, silent", *name)
	}
	server := &http.Server{
		Addr:              *address,
		Handler:           &datadogtest.Server{World: datadogtest.Shop(canary), APIKey: "demo", AppKey: "demo", Limit: 1600, Period: time.Hour},
		ReadHeaderTimeout: 10 * time.Second,
	}
	log.Printf("a %s canary at http://%s, the keys are demo and demo", *name, *address)
	log.Fatal(server.ListenAndServe())
}
