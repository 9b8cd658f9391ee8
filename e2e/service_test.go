//go:build e2e

package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// serviceVariable is the environment variable that makes the test binary a
// service; it holds the service's behaviour as JSON.
const serviceVariable = "CANARY_JUDGE_E2E_SERVICE"

// listenerFile is the file descriptor at which a service finds its listener: the
// test opened it, so that no other process can take the port in between.
const listenerFile = 3

// behaviour is how a service treats its requests.
type behaviour struct {
	Errors float64       // share of requests that fail, 0 to 1
	Median time.Duration // of the latency
	Spread float64       // of its logarithm, a standard deviation; 0 = spread
	// Where is the region whose requests fail at that share; elsewhere, as usual. "" = in all.
	Where string
	// Released is the median from a POST to /release on; 0 = as before.
	Released time.Duration
}

// spread is the standard deviation of the logarithm of the latency: it makes the
// mean 1.08 and the 95th percentile 1.9 times the median.
const spread = 0.4

// latency draws a latency, which is lognormal.
func (b behaviour) latency(released bool) time.Duration {
	median := b.Median
	if released {
		median = cmp.Or(b.Released, median)
	}
	return time.Duration(float64(median) * math.Exp(cmp.Or(b.Spread, spread)*rand.NormFloat64()))
}

// serve is the service. It returns only if it cannot serve.
func serve(config string) error {
	var b behaviour
	if err := json.Unmarshal([]byte(config), &b); err != nil {
		return fmt.Errorf("read the behaviour: %w", err)
	}
	listener, err := net.FileListener(os.NewFile(listenerFile, "listener"))
	if err != nil {
		return fmt.Errorf("take over the listener: %w", err)
	}
	m := newMeters()
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		m.write(w)
	})
	var released atomic.Bool
	mux.HandleFunc("POST /release", func(http.ResponseWriter, *http.Request) { released.Store(true) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		region := regions[rand.IntN(len(regions))]
		began := time.Now()
		time.Sleep(b.latency(released.Load())) // the work of a request
		code := http.StatusOK
		errors := b.Errors
		if b.Where != "" && b.Where != region {
			errors = usual.Errors
		}
		if rand.Float64() < errors {
			code = http.StatusInternalServerError
		}
		m.observe(request{code, region}, time.Since(began))
		w.WriteHeader(code)
		fmt.Fprintln(w, http.StatusText(code))
	})
	server := http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	return server.Serve(listener)
}

// regions are where requests come from, each as often.
var regions = []string{"af", "ap", "cn", "eu", "in", "me", "sa", "us"}

// request is what requests are counted by.
type request struct {
	code   int
	region string
}

// bounds are those of the latency histogram, in seconds: a quarter apart around
// the 40 ms at which the config calls a request slow, since an effect between two
// bounds cannot be seen.
var bounds = []float64{0.005, 0.01, 0.015, 0.02, 0.025, 0.032, 0.04, 0.05, 0.0625, 0.08, 0.1, 0.15, 0.25, 0.5, 1}

// meters are what a service exports.
type meters struct {
	mu       sync.Mutex
	requests map[request]int
	buckets  []int // by bound, and one more above them all
	seconds  float64
}

// newMeters returns meters that mention failed requests before the first one:
// increase cannot see the birth of a counter.
func newMeters() *meters {
	return &meters{requests: map[request]int{}, buckets: make([]int, len(bounds)+1)}
}

func (m *meters) observe(r request, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[r]++
	// The bucket of a bound holds what is equal to it, too.
	at, _ := slices.BinarySearchFunc(bounds, took.Seconds(), cmp.Compare[float64])
	m.buckets[at]++
	m.seconds += took.Seconds()
}

// write writes the meters in Prometheus's text format:
// https://prometheus.io/docs/instrumenting/exposition_formats/
func (m *meters) write(w io.Writer) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	m.mu.Lock()
	defer m.mu.Unlock()
	fmt.Fprintln(w, "# TYPE http_requests_total counter")
	for _, code := range []int{http.StatusOK, http.StatusInternalServerError} {
		for _, region := range regions {
			fmt.Fprintf(w, "http_requests_total{code=\"%d\",region=%q} %d\n", code, region, m.requests[request{code, region}])
		}
	}
	fmt.Fprintln(w, "# TYPE http_request_duration_seconds histogram")
	count := 0
	for i, n := range m.buckets {
		count += n
		le := "+Inf"
		if i < len(bounds) {
			le = strconv.FormatFloat(bounds[i], 'g', -1, 64)
		}
		fmt.Fprintf(w, "http_request_duration_seconds_bucket{le=%q} %d\n", le, count)
	}
	fmt.Fprintf(w, "http_request_duration_seconds_sum %g\n", m.seconds)
	fmt.Fprintf(w, "http_request_duration_seconds_count %d\n", count)
	fmt.Fprintln(w, "# TYPE go_memstats_sys_bytes gauge")
	fmt.Fprintf(w, "go_memstats_sys_bytes %d\n", memory.Sys)
}
