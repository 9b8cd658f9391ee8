package main

import (
	"strings"
	"testing"
	"time"
)

// testDeployments returns deployments of a mode, at addresses that tell them apart.
func testDeployments(m mode) []*deployment {
	var all []*deployment
	for _, f := range m.flavours {
		all = append(all, &deployment{
			flavour:   f,
			discounts: &instance{address: "discounts-" + f.Name, relay: &relay{address: "relay-discounts-" + f.Name}},
			frontend:  &instance{address: "frontend-" + f.Name, relay: &relay{address: "relay-frontend-" + f.Name}},
		})
	}
	return all
}

// squeeze makes all white space single spaces, so that a test need not know it.
func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }

func TestNginxConfig(t *testing.T) {
	t.Parallel()
	for name, wants := range map[string][]string{
		"chance": {
			"split_clients $request_id $drawn { 12.50% canary; * production; }",
			"map $flavour $frontend { default frontend-production; canary frontend-canary; }",
			"map $http_x_flavour $discounts { default discounts-production; canary discounts-canary; }",
			"server { listen store;", "server { listen discounts;", "pid /state/nginx/nginx.pid;",
		},
		"user":   {"split_clients $user $drawn { 12.50% canary; * production; }"},
		"single": {"{ 12.50% production; * production; }", "canary production; default $drawn;"},
		"flag":   {"{ 12.50% production; * production; }", "canary frontend-production; }"},
		"blue-green": {
			"blue blue; green green; default blue; }",
			"map $flavour $frontend { blue frontend-blue; green frontend-green; }",
			"map $flavour $discounts { blue discounts-blue; green discounts-green; }",
			"map blue $idle {",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := modeNamed(name)
			if err != nil {
				t.Fatal(err)
			}
			o := &options{dir: "/state", mode: m, share: 12.5}
			text, err := nginxConfig(o, addresses{store: "store", discounts: "discounts"}, testDeployments(m))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range wants {
				if !strings.Contains(squeeze(text), want) {
					t.Errorf("the config lacks %q:\n%s", want, text)
				}
			}
			if o.share = 0; m.splitKey != "" {
				text, err = nginxConfig(o, addresses{store: "store", discounts: "discounts"}, testDeployments(m))
				if want := "split_clients " + m.splitKey + " $drawn { * production; }"; err != nil || !strings.Contains(squeeze(text), want) {
					t.Errorf("without a share the config lacks %q: %v\n%s", want, err, text)
				}
			}
		})
	}
}

func TestPrometheusConfig(t *testing.T) {
	t.Parallel()
	m, err := modeNamed("chance")
	if err != nil {
		t.Fatal(err)
	}
	text, err := prometheusConfig(&options{mode: m, scrape: 500 * time.Millisecond}, addresses{checks: "checks"}, testDeployments(m))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"scrape_interval: 500ms", "scrape_timeout: 500ms", "targets: [checks]",
		"targets: [relay-frontend-production, relay-frontend-canary]",
		"targets: [relay-discounts-production, relay-discounts-canary]",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the config lacks %q:\n%s", want, text)
		}
	}
}
