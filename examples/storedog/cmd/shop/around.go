package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"storedog/cmd/shop/internal/process"
	"storedog/internal/service"
)

// startNginx starts nginx and waits until every flavour serves.
func (sh *shop) startNginx(ctx context.Context) error {
	path := sh.options.path("nginx", "nginx.conf")
	text, err := nginxConfig(sh.options, sh.addresses, sh.fleet.deployments)
	if err := writeConfig(path, text, err); err != nil {
		return err
	}
	nginx, err := sh.start(process.Program{
		Name: "nginx", Path: sh.programs.nginx, Log: sh.log("nginx"),
		Args: []string{"-e", "stderr", "-p", sh.options.path("nginx"), "-c", path},
	})
	if err != nil {
		return err
	}
	sh.nginx = nginx
	for _, f := range sh.options.mode.flavours {
		if err := waitFor(ctx, nginx, patienceToStart, func(ctx context.Context) error { return sh.serves(ctx, f.Name) }); err != nil {
			return err
		}
	}
	return nil
}

// serves reports whether the store serves in a flavour.
func (sh *shop) serves(ctx context.Context, flavour string) error {
	header := http.Header{}
	header.Set(service.FlavourHeader, flavour)
	header.Set(service.SyntheticHeader, "true")
	answer, _, err := ask(ctx, http.MethodGet, "http://"+sh.addresses.store+"/", header)
	if err != nil {
		return err
	}
	if by := answer.Get(service.ServedByHeader); by != flavour {
		return fmt.Errorf("%q serves instead of %q", by, flavour)
	}
	return nil
}

// startChecks starts the synthetic checks of all flavours.
func (sh *shop) startChecks(ctx context.Context) error {
	var flavours []string
	for _, f := range sh.options.mode.flavours {
		flavours = append(flavours, f.Name)
	}
	checks, err := sh.start(process.Program{
		Name: "synthetic-checks", Path: filepath.Join(sh.first.Bin, "synthetic-checks"), Log: sh.log("synthetic-checks"),
		Args: []string{"-store", "http://" + sh.addresses.store, "-flavours", strings.Join(flavours, ","), "-listen", sh.addresses.checks},
	})
	if err != nil {
		return err
	}
	return waitFor(ctx, checks, patienceToStart, func(ctx context.Context) error {
		_, _, err := ask(ctx, http.MethodGet, "http://"+sh.addresses.checks+"/metrics", nil)
		return err
	})
}

// startPrometheus starts Prometheus and waits until it has scraped all there is.
func (sh *shop) startPrometheus(ctx context.Context) error {
	o := sh.options
	path := o.path("prometheus", "prometheus.yml")
	text, err := prometheusConfig(o, sh.addresses, sh.fleet.deployments)
	if err := writeConfig(path, text, err); err != nil {
		return err
	}
	prometheus, err := sh.start(process.Program{
		Name: "prometheus", Path: sh.programs.prometheus, Log: sh.log("prometheus"),
		Args: []string{
			"--log.level=warn", "--config.file=" + path, "--storage.tsdb.path=" + o.path("prometheus", "data"),
			"--web.listen-address=" + sh.addresses.prometheus,
		},
	})
	if err != nil {
		return err
	}
	want := fmt.Sprint(2*len(o.mode.flavours) + 1)
	return waitFor(ctx, prometheus, patienceToStart+2*o.scrape, func(ctx context.Context) error {
		query := url.Values{"query": {"count(up == 1)"}}.Encode()
		_, text, err := ask(ctx, http.MethodGet, "http://"+sh.addresses.prometheus+"/api/v1/query?"+query, nil)
		if err != nil {
			return err
		}
		var answer struct {
			Data struct {
				Result []struct{ Value [2]any } // time and value
			}
		}
		if err := json.Unmarshal(text, &answer); err != nil {
			return fmt.Errorf("read the answer of Prometheus: %w", err)
		}
		if r := answer.Data.Result; len(r) != 1 || r[0].Value[1] != want {
			return fmt.Errorf("it has not scraped all %s targets; it says %.200s", want, text)
		}
		return nil
	})
}

// startUsers lets the users in.
func (sh *shop) startUsers(context.Context) error {
	o := sh.options
	if o.rate == 0 {
		return nil
	}
	p, err := process.Start(process.Program{
		Name: "users", Path: filepath.Join(sh.first.Bin, "users"), Env: os.Environ(), Log: sh.log("users"),
		Args: []string{
			"-store", "http://" + sh.addresses.store, fmt.Sprintf("-users=%d", o.users),
			fmt.Sprintf("-rate=%v", o.rate), fmt.Sprintf("-for=%s", o.longest),
		},
	})
	if err != nil {
		return err
	}
	sh.users = p
	// They end by themselves when their time is over; the shop stays open.
	sh.onClose(func() { p.Stop(usersLeave) })
	return nil
}

// usersLeave is how long the users get to wait for their last answers.
const usersLeave = 12 * time.Second
