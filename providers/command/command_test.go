package command_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/command"
	"github.com/canary-judge/canary-judge/providers/providertest"
	"github.com/canary-judge/canary-judge/web"
)

// begin is a whole multiple of the step.
var begin = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func ask(metric string, part providers.Part, steps int) providers.Query {
	return providers.Query{Metric: metric + "'s", Arm: providers.Canary, Part: part, Expr: metric, Start: begin, End: begin.Add(time.Duration(steps) * time.Minute), Step: time.Minute}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"CSV", "JSON lines"} {
		parts := providers.Parts
		if format == "CSV" {
			parts = []providers.Part{providers.Value, providers.Count, providers.Bad, providers.Total}
		}
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			providertest.Test(t, providertest.Suite{
				Open: func(t *testing.T, w *providertest.World) providers.Provider {
					p, err := command.New(command.Settings{Run: []string{"metrics", "$start", "$end"}, Timeout: providers.Duration(time.Minute)}, program{w, format}.run)
					if err != nil {
						t.Fatal(err)
					}
					return p
				},
				Parts: parts, OneSeries: true, Offline: true,
				Requests: func(int, int) int { return 1 },
			})
		})
	}
}

// program prints what a world has of a window, each part as a metric of its own.
type program struct {
	world  *providertest.World
	format string
}

func (p program) run(ctx context.Context, args []string) ([]byte, error) {
	if !p.world.Request(ctx) {
		return nil, errors.New("denied")
	}
	start, err := time.Parse(time.RFC3339, args[1])
	if err != nil {
		return nil, err
	}
	end, err := time.Parse(time.RFC3339, args[2])
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	if p.format == "CSV" {
		fmt.Fprintln(&b, "time,metric,arm,value,total")
	} else {
		fmt.Fprintln(&b, `{"format":"canary-judge/recording/v1"}`)
	}
	for _, r := range p.world.Replies {
		if r.Refused != "" { // what it prints is of another kind than what is asked for
			if p.format == "CSV" {
				fmt.Fprintf(&b, "%s,\"%s\",%s,1,2\n", args[1], r.Expr, r.Arm)
				continue
			}
			fmt.Fprintf(&b, `{"t":%q,"metric":%q,"arm":%q,"bounds":[1],"counts":[1,2]}`+"\n", args[1], r.Expr, r.Arm)
			continue
		}
		for _, s := range r.Series {
			for _, point := range providertest.Within(s.Points, start, end) {
				v := strconv.FormatFloat(point.Value(), 'g', -1, 64)
				at := point.Time.Format(time.RFC3339Nano)
				switch {
				case len(point.Buckets().Counts) > 0:
					bounds, _ := json.Marshal(point.Buckets().Bounds)
					counts, _ := json.Marshal(point.Buckets().Counts)
					fmt.Fprintf(&b, `{"t":%q,"metric":%q,"arm":%q,"bounds":%s,"counts":%s}`+"\n", at, r.Expr, r.Arm, bounds, counts)
				case p.format == "CSV":
					if math.IsNaN(point.Value()) {
						v = ""
					}
					fmt.Fprintf(&b, "%s,\"%s\",%s,%s,\n", at, strings.ReplaceAll(r.Expr, `"`, `""`), r.Arm, v)
				default:
					if math.IsNaN(point.Value()) {
						v = "null"
					}
					fmt.Fprintf(&b, `{"t":%q,"metric":%s,"arm":%q,"value":%s}`+"\n", at, quoted(r.Expr), r.Arm, v)
				}
			}
		}
	}
	return []byte(b.String()), nil
}

func quoted(text string) string {
	q, _ := json.Marshal(text)
	return string(q)
}

// printing returns a provider whose program prints a text.
func printing(t *testing.T, text string) *command.Provider {
	t.Helper()
	p, err := command.New(command.Settings{Run: []string{"metrics"}, Timeout: providers.Duration(time.Minute)}, func(context.Context, []string) ([]byte, error) { return []byte(text), nil })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What is printed is taken as it stands, or is an error that says in which line; nothing is dropped, moved or made up.
func TestPrinted(t *testing.T) {
	t.Parallel()
	const header = "time,metric,arm,value,total,count\n"
	for _, tt := range []struct {
		name, text string
		query      providers.Query
		want       string // values of two steps, or the error
	}{
		{"a value", header + "2026-11-23T10:00:00Z,m,canary,1,,\n2026-11-23T10:01:00Z,m,canary,2,,\n", ask("m", providers.Value, 2), "[1 2]"},
		{"seconds since the epoch, braces without a segment", header + "1795428000,m,canary,1,,\n", ask("m{}", providers.Value, 2), "[1]"},
		{"counts", header + "1795428000,m,canary,1,10,\n", ask("m", providers.Bad, 2), "[1]"},
		{"their total", header + "1795428000,m,canary,1,10,\n", ask("m", providers.Total, 2), "[10]"},
		{"counts of columns of their own", header + "1795428000,m,canary,7,,\n", ask("m", providers.Total, 2), "[7]"},
		{"the count behind a percentile", header + "1795428000,m,canary,7,,40\n", ask("m", providers.Count, 2), "[40]"},
		{"as PowerShell writes it", "\ufeff" + strings.ReplaceAll(header, "\n", "\r\n") + "1795428000,m,canary,1,,\r\n", ask("m", providers.Value, 2), "[1]"},
		{"a gap", header + "1795428000,m,canary,,,\n", ask("m", providers.Value, 2), "[NaN]"},
		{"the header alone", header, ask("m", providers.Value, 2), "[]"},
		{"JSON lines without a header", `{"t":"2026-11-23T10:00:00Z","metric":"m","arm":"canary","value":3}` + "\n\n" + `{"t":"2026-11-23T10:01:00Z","metric":"m","arm":"canary","value":null}`, ask("m", providers.Value, 2), "[3 NaN]"},
		{"another metric", header + "1795428000,n,canary,1,,\n", ask("m", providers.Value, 2), "[]"},
		{"nothing", "", ask("m", providers.Value, 2), "nothing was printed; to say that there are no data print the header alone"},
		{"a message", "ERROR: no such table\n", ask("m", providers.Value, 2), `"error: no such table" is no column of a recording`},
		{"a torn line", header + "1795428000,m,canary,1,,\n17954", ask("m", providers.Value, 2), "wrong number of fields"},
		{"a torn JSON line", `{"t":"2026-11-23T10:00:00Z","metric":"m","arm":"canary","value":3}` + "\n" + `{"t":"2026`, ask("m", providers.Value, 2), "line 2: "},
		{"before the window", header + "1795427940,m,canary,1,,\n", ask("m", providers.Value, 2), "m of the canary has a point at 2026-11-23T09:59:00Z, which lies outside of the window from 2026-11-23T10:00:00Z to 2026-11-23T10:02:00Z"},
		{"at its end", header + "1795428120,m,canary,1,,\n", ask("m", providers.Value, 2), "2026-11-23T10:02:00Z, which lies outside"},
		{"between steps", header + "1795428030,m,canary,1,,\n", ask("m", providers.Value, 2), "the steps begin at 2026-11-23T10:00:00Z and every 1m0s after it"},
		{"twice", header + "1795428000,m,canary,1,,\n1795428000,m,canary,1,,\n", ask("m", providers.Value, 2), "line 3: metric"},
		{"backwards", header + "1795428060,m,canary,1,,\n1795428000,m,canary,1,,\n", ask("m", providers.Value, 2), "time goes backwards"},
		{"another arm", header + "1795428000,m,blue,1,,\n", ask("m", providers.Value, 2), "line 2: "},
		{"NaN", header + "1795428000,m,canary,NaN,,\n", ask("m", providers.Value, 2), `value is "NaN"; want a finite number, or nothing for a gap`},
		{"more bad than all", header + "1795428000,m,canary,2,1,\n", ask("m", providers.Bad, 2), ""},
		{"a negative count", header + "1795428000,m,canary,-1,,\n", ask("m", providers.Bad, 2), "-1 is no count"},
		{"a value where counts are", header + "1795428000,m,canary,1,10,\n", ask("m", providers.Value, 2), "the program prints counts for m, and the value is asked for"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			answers, err := printing(t, tt.text).Fetch(t.Context(), []providers.Query{tt.query})
			if err == nil {
				err = answers[0].Err
			}
			if err != nil {
				if tt.want == "" || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v; want %q", err, tt.want)
				}
				return
			}
			got := []float64{}
			for _, s := range answers[0].Series {
				for _, point := range s.Points {
					got = append(got, point.Value())
				}
			}
			if text := fmt.Sprint(got); tt.want != "" && text != tt.want {
				t.Errorf("%s, want %s", text, tt.want)
			}
		})
	}
}

// A program is told the window and the arms; what it could be told and is misspelt is an error before it runs.
func TestArguments(t *testing.T) {
	t.Parallel()
	typ := command.Type()
	settings := &command.Settings{Run: []string{"sh", "-c", "$start|$end|$start.unix|$end.unix|$step|$baseline.service|$canary.service|$$5|a $ b"}}
	arms := map[providers.Arm][]providers.Label{providers.Baseline: {{Name: "service", Value: "shop"}}, providers.Canary: {{Name: "service", Value: "$(rm -rf /) $start"}}}
	if err := typ.Arms(settings, arms); err != nil {
		t.Fatal(err)
	}
	var got []string
	p, err := command.New(*settings, func(_ context.Context, args []string) ([]byte, error) {
		got = args
		return []byte("time,metric,arm,value"), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Fetch(t.Context(), []providers.Query{ask("m", providers.Value, 2)}); err != nil {
		t.Fatal(err)
	}
	want := []string{"sh", "-c", "2026-11-23T10:00:00Z|2026-11-23T10:02:00Z|1795428000|1795428120|60|shop|$(rm -rf /) $start|$5|a $ b"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	settings.Run = []string{"x", "$canary.version"}
	if err := typ.Arms(settings, arms); err == nil || !strings.Contains(err.Error(), "$canary.version is not known here; a program can be told $baseline.service, $canary.service, $end") {
		t.Errorf("%v", err)
	}
	for _, run := range [][]string{nil, {""}, {" "}, {"/no/such/program"}} {
		if _, err := command.New(command.Settings{Run: run}, nil); err == nil {
			t.Errorf("%q is taken", run)
		}
	}
}

// A program that fails is run again; one that has answered before may answer again, and one that never has is wrong.
func TestFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		runs, fails := 0, 2
		p, err := command.New(command.Settings{Run: []string{"metrics"}, Timeout: providers.Duration(time.Minute)}, func(context.Context, []string) ([]byte, error) {
			if runs++; fails > 0 {
				fails--
				return nil, errors.New("it exited with 1: could not connect")
			}
			return []byte("time,metric,arm,value"), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		fetch := func() error {
			_, err := p.Fetch(t.Context(), []providers.Query{ask("m", providers.Value, 2), ask("n", providers.Value, 2)})
			return err
		}
		fails = 3
		if err := fetch(); err == nil || web.Passing(err) || runs != 3 || !strings.Contains(err.Error(), "command: run metrics: it exited with 1: could not connect; run it by hand") {
			t.Errorf("%v after %d runs", err, runs)
		}
		if fails = 2; fetch() != nil {
			t.Error("the third run is as good as the first")
		}
		if fails = 3; !web.Passing(fetch()) {
			t.Error("what has answered before may again")
		}
	})
}

// Real programs: what one says when it fails is told, and what does not end is ended, with all that it started.
func TestPrograms(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell")
	}
	child := filepath.Join(t.TempDir(), "child")
	for _, tt := range []struct{ name, script, want string }{
		{"prints", "echo time,metric,arm,value; echo 1795428000,m,canary,1", ""},
		{"exits", "echo time,metric,arm,value; echo no table orders >&2; exit 3", "it exited with 3: no table orders"},
		{"hangs", "sleep 100 & echo $! >" + child + "; wait", "not done within 1s"},
		{"floods", "while :; do echo 0123456789012345678901234567890123456789012345678901234567890123456789; done", "not done within 1s|it printed more than 64 MiB"},
		{"killed", "kill -9 $$", "signal: killed"},
		{"leaves something behind", "sleep 5 & echo time,metric,arm,value", "left behind what holds its output open"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("not done within 1s"))
			defer cancel()
			if tt.name == "leaves something behind" {
				ctx = t.Context()
			}
			_, err := command.Execute(ctx, []string{"sh", "-c", tt.script})
			found := err == nil && tt.want == ""
			for _, want := range strings.Split(tt.want, "|") {
				found = found || err != nil && want != "" && strings.Contains(err.Error(), want)
			}
			if !found {
				t.Errorf("%v; want %q", err, tt.want)
			}
			if tt.name != "hangs" {
				return
			}
			text, err := os.ReadFile(child)
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(5 * time.Second); gone(pid) != nil; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("what it started goes on")
				}
			}
		})
	}
}

// gone returns nil once a process has ended, or waits to be taken note of.
func gone(pid int) error {
	if syscall.Kill(pid, 0) != nil {
		return nil
	}
	if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err != nil || strings.Contains(string(stat), ") Z ") {
		return nil
	}
	return errors.New("it runs")
}

func TestDiagnose(t *testing.T) {
	t.Parallel()
	p := printing(t, "time,metric,arm,value\n1795428000,m,canary,1\n1795428000,m,baseline,1\n1795428000,n,canary,1\n")
	q := ask("orders{region=eu}", providers.Value, 2)
	if _, err := p.Fetch(t.Context(), []providers.Query{q}); err != nil {
		t.Fatal(err)
	}
	if why, err := p.Diagnose(t.Context(), q); err != nil || why != "the program printed nothing for orders{region=eu} of the canary, but m of the baseline, m of the canary, n of the canary" {
		t.Errorf("%q, %v", why, err)
	}
	p = printing(t, "time,metric,arm,value\n")
	if _, err := p.Fetch(t.Context(), []providers.Query{q}); err != nil {
		t.Fatal(err)
	}
	if why, err := p.Diagnose(t.Context(), q); err != nil || why != "the program printed no point at all" {
		t.Errorf("%q, %v", why, err)
	}
}

// Whatever a program prints, what is taken from it keeps the contract.
func FuzzPrinted(f *testing.F) {
	for _, seed := range []string{
		"time,metric,arm,value,total,count\n1795428000,m,canary,1,,\n", "time,metric,arm,value\n", "", "{",
		`{"t":"2026-11-23T10:00:00Z","metric":"m","arm":"canary","bad":3,"total":5}`,
		`{"format":"canary-judge/recording/v1"}` + "\n" + `{"t":"2026-11-23T10:00:00Z","metric":"m","arm":"canary","bounds":[1],"counts":[1,2]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := printing(t, text)
		for _, part := range providers.Parts {
			q := ask("m", part, 3)
			answers, err := p.Fetch(t.Context(), []providers.Query{q})
			if err != nil || answers[0].Err != nil {
				continue
			}
			if err := providertest.Check(q, answers[0]); err != nil {
				t.Error(err)
			}
		}
	})
}
