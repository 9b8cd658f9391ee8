package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// options are how a shop is to be.
type options struct {
	dir       string // of its state, absolute
	temporary bool   // dir is removed when the shop has ended well
	source    string // directory of the shop's source, absolute
	mode      mode
	share     float64       // of the canary or the flag, in percent
	rate      float64       // requests a second; 0: no users
	users     int           // how many there are
	longest   time.Duration // when the users leave
	scrape    time.Duration // from one scrape to the next
}

// parseOptions reads the flags of shop up.
func parseOptions(args []string, s streams) (options, error) {
	var o options
	var name string
	flags := flag.NewFlagSet("shop up", flag.ContinueOnError)
	flags.StringVar(&o.dir, "dir", "", "state directory, empty or not there yet (default a temporary one)")
	flags.StringVar(&o.source, "source", ".", "directory of the shop's source, which is deployed first")
	flags.StringVar(&name, "mode", "chance", "how users meet the canary: chance, user, blue-green, flag or single")
	flags.Float64Var(&o.share, "share", 20, "percentage of the users that meet the canary or the flag")
	flags.Float64Var(&o.rate, "rate", 150, "requests a second, of all users together; 0: no users")
	flags.IntVar(&o.users, "users", 300, "how many different users there are")
	flags.DurationVar(&o.longest, "for", 30*time.Minute, "when the users leave, at the latest")
	flags.DurationVar(&o.scrape, "scrape", time.Second, "time from one scrape of Prometheus to the next")
	if err := parse(flags, args, s); err != nil {
		return options{}, err
	}
	mode, err := modeNamed(name)
	o.mode = mode
	if err := errors.Join(err, o.check(flags.Args())); err != nil {
		fmt.Fprintf(s.err, "shop up: %v\n", err)
		return options{}, errUsage
	}
	return o, nil
}

// shareFits reports whether nginx takes the share: no more than two digits after the point, nor 0,
// for which it gets none.
func (o options) shareFits() bool { return o.share == 0 || o.share >= 0.01 && o.share <= 100 }

// check says all that is wrong with the options.
func (o options) check(rest []string) error {
	var errs []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	wrong(len(rest) > 0, "unexpected arguments: %q", rest)
	wrong(!o.shareFits(), "-share is %v; it must be 0, or from 0.01 to 100 percent", o.share)
	wrong(!(o.rate >= 0 && o.rate <= 10_000), "-rate is %v; it must be from 0 to 10000", o.rate)
	wrong(o.users < 1, "-users is %d; it must be at least 1", o.users)
	wrong(o.longest <= 0, "-for is %s; it must be above 0", o.longest)
	wrong(o.scrape < 100*time.Millisecond, "-scrape is %s; it must be at least 100ms", o.scrape)
	text, err := os.ReadFile(filepath.Join(o.source, "go.mod"))
	wrong(err != nil || !strings.HasPrefix(string(text), "module storedog\n"),
		"-source is %s, which is not the directory of the shop (examples/storedog)", o.source)
	return errors.Join(errs...)
}
