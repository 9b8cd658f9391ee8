package analysis

import (
	"errors"
	"testing"
)

// watched judges errors beside guards, each of whose states a look is a letter: q
// quiet, u unread, a alerting.
func watched(t *testing.T, m Metric, pair func(look int) Pair, guards ...string) []Verdict {
	t.Helper()
	p := Plan{Steps: len(guards[0]), FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{m}}
	for range guards {
		p.Guards = append(p.Guards, string(rune('A'+len(p.Guards))))
	}
	j, err := NewJudge(p)
	if err != nil {
		t.Fatal(err)
	}
	var all []Verdict
	for look := range p.Steps {
		l := Look{Pairs: []Pair{pair(look)}}
		for _, g := range guards {
			l.Guards = append(l.Guards, map[byte]GuardState{'q': GuardQuiet, 'u': GuardUnread, 'a': GuardAlerting}[g[look]])
		}
		v, err := j.Step(l)
		if err != nil {
			t.Fatal(err)
		}
		if r := j.Result(); r.Verdict != v || r.Looks != look+1 || len(r.Guards) != len(guards) {
			t.Fatalf("look %d says %v, the result %v after %d looks with %d guards", look+1, v, r.Verdict, r.Looks, len(r.Guards))
		}
		if all = append(all, v); v != VerdictInconclusive {
			break
		}
	}
	return all
}

// The verdict of a look is made of the metrics and the guards at once, and there is no
// other one.
func TestGuardsInTheVerdict(t *testing.T) {
	t.Parallel()
	healthy := func(int) Pair { return rates(0, 1000, 0, 1000) }
	worse := func(from int) func(int) Pair {
		return func(look int) Pair {
			if look < from {
				return rates(0, 1000, 0, 1000)
			}
			return rates(500, 1000, 0, 1000)
		}
	}
	silent := func(from int) func(int) Pair {
		return func(look int) Pair {
			if look < from {
				return rates(0, 1000, 0, 1000)
			}
			return Pair{Baseline: CountSample(0, 1000)}
		}
	}
	alone := len(watched(t, ratio(0.25, DefaultFloor), healthy, "qqqqqqqqqqqqqqqqqqqqqqqq"))
	if alone < DefaultPassAfter || alone >= 12 {
		t.Fatalf("the healthy canary passes at look %d; the cases below are for one that does before look 12", alone)
	}
	for _, tt := range []struct {
		name   string
		pair   func(int) Pair
		guards []string
		looks  int
		want   Verdict
	}{
		{"unread until look 12", healthy, []string{"uuuuuuuuuuuqqqqqqqqqqqqq"}, 12, VerdictPass},
		{"one of two is unread", healthy, []string{"qqqqqqqqqqqqqqqqqqqqqqqq", "uuuuuuuuuuuuuuuuuuuuuuuu"}, 24, VerdictInconclusive},
		{"an alert at look 3", healthy, []string{"qqaqqqqqqqqqqqqqqqqqqqqq"}, 3, VerdictFail},
		{"an alert while another is unread", healthy, []string{"uuuuuuuuuuuuuuuuuuuuuuuu", "qqqqqqqqqqqqqqaqqqqqqqqq"}, 15, VerdictFail},
		{"the metric fails while a guard is unread", worse(12), []string{"uuuuuuuuuuuuuuuuuuuuuuuu"}, 13, VerdictFail},
		{"the canary falls silent while a guard is unread", silent(8), []string{"uuuuuuuuuuuuuuuuuuuuuuqq"}, 24, VerdictInconclusive},
	} {
		m := ratio(0.25, DefaultFloor)
		all := watched(t, m, tt.pair, tt.guards...)
		if got := all[len(all)-1]; got != tt.want || len(all) != tt.looks {
			t.Errorf("%s: %v at look %d, want %v at %d", tt.name, got, len(all), tt.want, tt.looks)
		}
	}
}

// A guard that nobody asked is not quiet: a look says something of each, or is none.
func TestGuardsAreNotForgotten(t *testing.T) {
	t.Parallel()
	p := Plan{Steps: 10, FalseAlarm: 0.05, WrongPass: 0.05, Metrics: []Metric{value(0.1)}, Guards: []string{"monitor"}}
	j, err := NewJudge(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Step(Look{Pairs: []Pair{values(1, 1)}}); !errors.Is(err, errGuards) {
		t.Errorf("error %v, want %v", err, errGuards)
	}
	if GuardState(0) != GuardUnread {
		t.Error("the zero state is not that of a guard nobody asked")
	}
	p.Guards = []string{"monitor", "monitor"}
	if _, err := NewJudge(p); err == nil {
		t.Error("two guards of one name are accepted")
	}
}
