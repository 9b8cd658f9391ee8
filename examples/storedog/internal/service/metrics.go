package service

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Values of the label flag.
const (
	FlagOn  = "on"
	FlagOff = "off"
)

// buckets are the bounds of the latency histogram in seconds. Between 5 and 500 ms
// no bound is more than 1.3 times the one before (they are Renard's series R10):
// an effect that stays between two bounds cannot be seen.
var buckets = []float64{
	.001, .0016, .0025, .004,
	.005, .0063, .008, .01, .0125, .016, .02, .025, .0315, .04,
	.05, .063, .08, .1, .125, .16, .2, .25, .315, .4, .5,
	1, 2.5, 5,
}

// Metrics are what a service exports.
type Metrics struct {
	registry *prometheus.Registry
	labelled prometheus.Registerer
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

// NewMetrics returns the metrics of a process, those of Go and the process included.
func NewMetrics(id Identity) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total",
			Help: "Requests of users, by outcome.",
		}, []string{"flag", "route", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "http_request_duration_seconds",
			Help:    "Time to answer the requests of users.",
			Buckets: buckets,
		}, []string{"flag", "route"}),
	}
	flavour := prometheus.WrapRegistererWith(prometheus.Labels{"service": id.Service, "flavour": id.Flavour}, m.registry)
	flavour.MustRegister(collectors.NewGoCollector()) // its label version is Go's
	m.labelled = prometheus.WrapRegistererWith(prometheus.Labels{"version": id.Version}, flavour)
	m.Register(m.requests, m.seconds, collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Register adds metrics, with the labels of the process. It panics if there are
// such metrics already.
func (m *Metrics) Register(c ...prometheus.Collector) { m.labelled.MustRegister(c...) }

// Handler exports the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Handle registers a handler whose requests are counted. The route is the path of
// the pattern.
func (m *Metrics) Handle(mux *http.ServeMux, pattern string, handler http.HandlerFunc) {
	_, path, _ := strings.Cut(pattern, " ")
	mux.Handle(pattern, m.count(strings.TrimSuffix(path, "{$}"), handler))
}

// count counts the requests of a handler.
func (m *Metrics) count(route string, handler http.Handler) http.Handler {
	m.mention(route)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		code := serve(handler, w, r)
		if synthetic(r) {
			return
		}
		m.requests.WithLabelValues(flag(r), route, strconv.Itoa(code)).Inc()
		m.seconds.WithLabelValues(flag(r), route).Observe(time.Since(began).Seconds())
	})
}

// mention mentions the usual outcomes before the first request: increase() cannot
// see the birth of a counter.
func (m *Metrics) mention(route string) {
	for _, flag := range []string{FlagOff, FlagOn} {
		m.seconds.WithLabelValues(flag, route)
		for _, code := range []int{http.StatusOK, http.StatusInternalServerError} {
			m.requests.WithLabelValues(flag, route, strconv.Itoa(code))
		}
	}
}
