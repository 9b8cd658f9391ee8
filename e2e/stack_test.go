//go:build e2e

package e2e

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/template"
	"time"
)

//go:embed nginx.conf.tmpl
var nginxConfig string

//go:embed prometheus.yml.tmpl
var prometheusConfig string

// instances is how many services an arm has. The baseline has more than one, so
// that queries must aggregate.
var instances = map[string]int{"baseline": 2, "canary": 1}

// deployment is a canary deployment behind nginx.
type deployment struct {
	Name     string
	Address  string              // of nginx
	Services map[string][]string // addresses by flavour
}

// stack is what the tool judges: canary deployments, and the Prometheus that
// watches them.
type stack struct {
	Dir         string
	Root        bool
	Weight      string // the file that says how nginx splits the traffic; "" = nine to one
	Deployments []deployment
	prometheus  string // its URL
}

// startStack starts a deployment of each scenario, and waits until it answers.
func startStack(t *testing.T, scenarios []scenario) *stack {
	t.Helper()
	s := &stack{Dir: t.TempDir(), Root: os.Geteuid() == 0}
	s.start(t, scenarios)
	return s
}

func (s *stack) start(t *testing.T, scenarios []scenario) {
	t.Helper()
	nginx, prometheus := lookUp(t, "nginx"), lookUp(t, "prometheus")
	free := freeAddresses(t, len(scenarios)+1)
	for i, sc := range scenarios {
		d := deployment{Name: sc.name, Address: free[i], Services: map[string][]string{}}
		for flavour, b := range map[string]behaviour{"baseline": sc.baseline, "canary": sc.canary} {
			for range instances[flavour] {
				d.Services[flavour] = append(d.Services[flavour], startService(t, sc.name+" "+flavour, b))
			}
		}
		s.Deployments = append(s.Deployments, d)
	}
	startDaemon(t, "nginx", command(t, nginx, "-e", "stderr", "-p", s.Dir, "-c", s.write(t, "nginx.conf", nginxConfig)))
	startDaemon(t, "prometheus", command(t, prometheus, "--log.level=warn",
		"--config.file="+s.write(t, "prometheus.yml", prometheusConfig),
		"--storage.tsdb.path="+filepath.Join(s.Dir, "tsdb"),
		"--web.listen-address="+free[len(scenarios)]))
	s.prometheus = "http://" + free[len(scenarios)]
	for _, d := range s.Deployments {
		eventually(t, 20*time.Second, "nginx", func(ctx context.Context) error {
			return answers(ctx, "http://"+d.Address+"/metrics", http.StatusOK)
		})
	}
	eventually(t, 60*time.Second, "prometheus", func(ctx context.Context) error {
		return answers(ctx, s.prometheus+"/-/ready", http.StatusOK)
	})
}

// startService starts this very binary as a service, and returns its address.
func startService(t *testing.T, name string, b behaviour) string {
	t.Helper()
	config, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	listener := listen(t)
	defer listener.Close() // the service has its own copy
	file, err := listener.File()
	if err != nil {
		t.Fatalf("hand over the listener of %s: %v", name, err)
	}
	defer file.Close() // the service has its own copy
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t, self)
	cmd.Env = append(os.Environ(), serviceVariable+"="+string(config))
	cmd.ExtraFiles = []*os.File{file} // the first one is listenerFile
	startDaemon(t, name, cmd)
	return listener.Addr().String()
}

// listen opens a listener at a port that is free.
func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	return listener
}

// freeAddresses finds ports for programs that cannot take over a listener. They
// are held until all are found, so that they differ.
func freeAddresses(t *testing.T, n int) []string {
	t.Helper()
	addresses := make([]string, n)
	for i := range addresses {
		listener := listen(t)
		defer listener.Close()
		addresses[i] = listener.Addr().String()
	}
	return addresses
}

// write writes a config file from its template.
func (s *stack) write(t *testing.T, name, text string) string {
	t.Helper()
	var b strings.Builder
	if err := template.Must(template.New(name).Parse(text)).Execute(&b, s); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.Dir, name)
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// waitForData waits until Prometheus has seen every service's requests for that
// long.
func (s *stack) waitForData(t *testing.T, length time.Duration) {
	t.Helper()
	services := 0
	for _, d := range s.Deployments {
		for _, addresses := range d.Services {
			services += len(addresses)
		}
	}
	// A scrape a second; one may be late.
	query := fmt.Sprintf(`count(count_over_time(http_requests_total{code="200",region="eu"}[%ds]) >= %d)`,
		int(length.Seconds()), int(length.Seconds())-1)
	eventually(t, length+20*time.Second, fmt.Sprintf("%s of data", length), func(ctx context.Context) error {
		n, err := s.query(ctx, query)
		if err == nil && n < services {
			err = fmt.Errorf("prometheus has that of %d services out of %d", n, services)
		}
		return err
	})
}

// query returns the number an instant query of Prometheus gives, 0 for none.
func (s *stack) query(ctx context.Context, query string) (int, error) {
	address := s.prometheus + "/api/v1/query?query=" + url.QueryEscape(query)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var answer struct {
		Error string
		Data  struct {
			Result []struct{ Value [2]any } // time and value
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return 0, fmt.Errorf("read the answer of prometheus: %w", err)
	}
	switch {
	case answer.Error != "":
		return 0, errors.New(answer.Error)
	case len(answer.Data.Result) == 0:
		return 0, nil
	}
	return strconv.Atoi(fmt.Sprint(answer.Data.Result[0].Value[1]))
}
