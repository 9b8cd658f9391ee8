package main

import (
	"fmt"
	"os"
	"strings"

	"storedog"
)

// addresses are where the shop's programs listen, but for the services.
type addresses struct {
	store, discounts, prometheus, checks string
}

// nginxConfig returns the config of nginx.
func nginxConfig(o *options, a addresses, deployments []*deployment) (string, error) {
	values := map[string]string{
		"DIR":               o.path("nginx"),
		"STORE_ADDRESS":     a.store,
		"DISCOUNTS_ADDRESS": a.discounts,
		"RESOLVER":          "127.0.0.1", // is never asked: all addresses are numbers
	}
	// Where there is no canary, the address of one has no meaning.
	first, last := deployments[0], deployments[len(deployments)-1]
	if first.flavour == blue {
		values["LIVE"] = blue.Name
		values["DISCOUNTS_BLUE"], values["FRONTEND_BLUE"] = first.discounts.address, first.frontend.address
		values["DISCOUNTS_GREEN"], values["FRONTEND_GREEN"] = last.discounts.address, last.frontend.address
		return storedog.Fill(storedog.NginxBlueGreen, values)
	}
	values["SPLIT_KEY"] = o.mode.splitKey
	values["SHARE"] = fmt.Sprintf("%.2f", o.share)
	values["CANARY"] = last.flavour.Name
	values["DISCOUNTS"], values["FRONTEND"] = first.discounts.address, first.frontend.address
	values["DISCOUNTS_CANARY"], values["FRONTEND_CANARY"] = last.discounts.address, last.frontend.address
	text, err := storedog.Fill(storedog.Nginx, values)
	if o.share == 0 {
		text = strings.Replace(text, "0.00% "+values["CANARY"]+";", "", 1) // nginx takes no share of 0
	}
	return text, err
}

// prometheusConfig returns the config of Prometheus.
func prometheusConfig(o *options, a addresses, deployments []*deployment) (string, error) {
	var discounts, frontends []string
	for _, d := range deployments {
		discounts = append(discounts, d.discounts.relay.address)
		frontends = append(frontends, d.frontend.relay.address)
	}
	return storedog.Fill(storedog.Prometheus, map[string]string{
		"SCRAPE_INTERVAL":   fmt.Sprintf("%dms", o.scrape.Milliseconds()),
		"DISCOUNTS_TARGETS": strings.Join(discounts, ", "),
		"FRONTEND_TARGETS":  strings.Join(frontends, ", "),
		"CHECKS_TARGETS":    a.checks,
	})
}

// writeConfig writes a config that was filled in.
func writeConfig(path, text string, err error) error {
	if err != nil {
		return fmt.Errorf("fill in %s: %w", path, err)
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
