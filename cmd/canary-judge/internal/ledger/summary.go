package ledger

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/montanaflynn/stats"

	"github.com/canary-judge/canary-judge/analysis"
	ourstats "github.com/canary-judge/canary-judge/analysis/stats"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
)

// SummarySchema is the format of a summary.
const SummarySchema = "canary-judge/ledger-summary/v1"

// Summary sums up a ledger. Its JSON is a public format: fields are added, never changed.
type Summary struct {
	Schema   string          `json:"schema"`
	From     time.Time       `json:"from"` // start of the first run
	To       time.Time       `json:"to"`   // end of the last
	Runs     int             `json:"runs"`
	Services []string        `json:"services"`
	Weeks    []Week          `json:"weeks"`
	Outcomes []OutcomeTime   `json:"outcomes"`
	Metrics  []MetricSummary `json:"metrics"`
	Guards   []GuardSummary  `json:"guards,omitempty"`
	Good     Truth           `json:"good"` // what came of changes that are labelled good
	Bad      Truth           `json:"bad"`  // what came of those that are labelled bad
	// Unlabelled are the runs that failed and of which nobody has said whether that was right, the newest first.
	Unlabelled []string    `json:"unlabelled_fails"`
	Overrides  []Overruled `json:"overrides"`
	Spared     *Spared     `json:"spared,omitempty"`
	// Derived are the labels that git's history gives.
	Derived []Label  `json:"derived_labels,omitempty"`
	Skipped []string `json:"skipped,omitempty"`
}

// Week counts the runs that began in a week, from Monday, in UTC.
type Week struct {
	Monday       string `json:"monday"`
	Runs         int    `json:"runs"`
	Pass         int    `json:"pass"`
	Fail         int    `json:"fail"`
	Inconclusive int    `json:"inconclusive"`
	NotJudged    int    `json:"not_judged"`
	Observed     int    `json:"observed"` // of all
}

// OutcomeTime is how long runs of an outcome took, from the start of the warm-up to the end of the last step, in seconds.
type OutcomeTime struct {
	Outcome string        `json:"outcome"`
	Runs    int           `json:"runs"`
	Median  report.Number `json:"median_seconds"`
	P90     report.Number `json:"p90_seconds"` // the time that nine of ten had at most
}

// MetricSummary is what a metric did to the runs that had it.
type MetricSummary struct {
	Service  string `json:"service,omitempty"`
	Name     string `json:"name"`
	Runs     int    `json:"runs"`
	Failed   int    `json:"failed"`   // runs that it failed
	Kept     int    `json:"kept"`     // inconclusive runs in which it was undecided, or had no data
	NoData   int    `json:"no_data"`  // runs in which it had no data
	Last     int    `json:"last"`     // runs that passed when it did, and not before
	Alarms   int    `json:"alarms"`   // of the runs that it failed, those labelled good
	Alone    int    `json:"alone"`    // of those that it kept from passing, those in which no other did
	Advisory bool   `json:"advisory"` // it was advisory in the last of them
}

// GuardSummary is how often a guard failed a canary.
type GuardSummary struct {
	Service string `json:"service,omitempty"`
	Name    string `json:"name"`
	Failed  int    `json:"failed"`
}

// Truth is what came of runs whose change is known to be good, or bad.
type Truth struct {
	Runs         int `json:"runs"`
	Pass         int `json:"pass"`
	Fail         int `json:"fail"`
	Inconclusive int `json:"inconclusive"`
	NotJudged    int `json:"not_judged"`
	// Wrong is the share of fails among good ones, or of passes among bad ones, of those that were judged; NaN (null)
	// of none. Lower and Upper are its exact 95 % confidence interval.
	Wrong report.Number `json:"wrong"`
	Lower report.Number `json:"lower"`
	Upper report.Number `json:"upper"`
}

// Overruled is a run whose verdict somebody decided against.
type Overruled struct {
	Run      string `json:"run"`
	Outcome  string `json:"outcome"`
	Override `json:"override"`
}

// Spared is what the runs that failed a bad canary were worth: what it did to the requests that met it, and what it
// would have done had all requests met it over the same time. Numbers are sums over the runs that know them.
type Spared struct {
	Runs     int           `json:"runs"`
	Requests report.Number `json:"requests"`
	Excess   report.Number `json:"excess"`
	AtFull   report.Number `json:"at_full_excess"`
}

// confidence of the intervals of rates.
const confidence = .95

// Summarise sums a ledger up. Labels that git's history gives count where nobody has said otherwise.
func (l *Ledger) Summarise(derived []Label) *Summary {
	s := &Summary{
		Schema: SummarySchema, Runs: len(l.Runs), Skipped: l.Skipped, Services: []string{}, Weeks: []Week{},
		Outcomes: []OutcomeTime{}, Metrics: []MetricSummary{}, Unlabelled: []string{}, Overrides: []Overruled{},
	}
	truths := map[string]string{}
	for _, d := range derived {
		if _, said := l.Labels[d.Run]; !said {
			s.Derived = append(s.Derived, d)
			truths[d.Run] = d.Truth
		}
	}
	for id, label := range l.Labels {
		truths[id] = label.Truth
	}
	seconds := map[string][]float64{}
	for _, r := range l.Runs {
		s.count(r, truths[r.ID])
		seconds[r.Outcome] = append(seconds[r.Outcome], r.End.Sub(r.Start).Seconds())
	}
	for _, outcome := range []string{analysis.VerdictPass.String(), analysis.VerdictFail.String(), analysis.VerdictInconclusive.String()} {
		if all := seconds[outcome]; len(all) > 0 {
			s.Outcomes = append(s.Outcomes, timeOf(outcome, all))
		}
	}
	s.Good.rate(s.Good.Fail)
	s.Bad.rate(s.Bad.Pass)
	slices.Reverse(s.Unlabelled)
	slices.Sort(s.Services)
	slices.SortStableFunc(s.Metrics, func(a, b MetricSummary) int {
		return cmp.Or(cmp.Compare(b.Failed+b.Kept, a.Failed+a.Kept), cmp.Compare(b.Last, a.Last), cmp.Compare(a.Service, b.Service))
	})
	slices.SortStableFunc(s.Guards, func(a, b GuardSummary) int { return cmp.Compare(b.Failed, a.Failed) })
	return s
}

// count takes a run into account.
func (s *Summary) count(r *Run, truth string) {
	if s.From.IsZero() {
		s.From = r.Start
	}
	if r.End.After(s.To) {
		s.To = r.End
	}
	if !slices.Contains(s.Services, r.Service) && r.Service != "" {
		s.Services = append(s.Services, r.Service)
	}
	week := s.week(r.Start)
	week.Runs++
	if r.Observed {
		week.Observed++
	}
	truthOf := map[string]*Truth{Good: &s.Good, Bad: &s.Bad}[truth]
	if truthOf == nil {
		truthOf = &Truth{}
	}
	truthOf.Runs++
	switch {
	case r.Passed():
		week.Pass++
		truthOf.Pass++
	case r.Failed():
		week.Fail++
		truthOf.Fail++
	case r.Outcome == NotJudged:
		week.NotJudged++
		truthOf.NotJudged++
	default:
		week.Inconclusive++
		truthOf.Inconclusive++
	}
	s.countMetrics(r, truth)
	for _, name := range r.Guards {
		at := slices.IndexFunc(s.Guards, func(g GuardSummary) bool { return g.Service == r.Service && g.Name == name })
		if at < 0 {
			at = len(s.Guards)
			s.Guards = append(s.Guards, GuardSummary{Service: r.Service, Name: name})
		}
		s.Guards[at].Failed++
	}
	if r.Override != nil {
		s.Overrides = append(s.Overrides, Overruled{r.title(), r.Outcome, *r.Override})
	}
	if r.Failed() && truth == "" {
		s.Unlabelled = append(s.Unlabelled, r.title())
	}
	if r.Failed() && truth == Bad && r.Met != nil {
		s.spare(r.Met)
	}
}

// week returns the week of a moment. Runs come in the order of their starts.
func (s *Summary) week(at time.Time) *Week {
	at = at.UTC()
	monday := at.AddDate(0, 0, -(int(at.Weekday())+6)%7).Format(time.DateOnly)
	if n := len(s.Weeks); n == 0 || s.Weeks[n-1].Monday != monday {
		s.Weeks = append(s.Weeks, Week{Monday: monday})
	}
	return &s.Weeks[len(s.Weeks)-1]
}

// countMetrics says what each metric did to a run that was judged.
func (s *Summary) countMetrics(r *Run, truth string) {
	if r.Outcome == NotJudged {
		return
	}
	open := func(m RunMetric) bool {
		return !m.Advisory && (m.Decision == analysis.Undecided.String() || m.Decision == analysis.NoData.String())
	}
	last, openOnes := 0, 0
	for _, m := range r.Metrics {
		if open(m) {
			openOnes++
		}
		if !m.Advisory {
			last = max(last, m.DecidedLook)
		}
	}
	inconclusive := r.Outcome == analysis.VerdictInconclusive.String()
	for _, m := range r.Metrics {
		sum := s.metric(r.Service, m.Name)
		sum.Runs++
		sum.Advisory = m.Advisory
		if m.Decision == analysis.NoData.String() {
			sum.NoData++
		}
		switch {
		case m.Advisory:
		case r.Failed() && m.Decision == analysis.Fail.String():
			sum.Failed++
			if truth == Good {
				sum.Alarms++
			}
		case inconclusive && open(m):
			sum.Kept++
			if openOnes == 1 {
				sum.Alone++
			}
		case r.Passed() && last > 0 && m.DecidedLook == last:
			sum.Last++
		}
	}
}

// metric returns what is counted of a metric.
func (s *Summary) metric(service, name string) *MetricSummary {
	at := slices.IndexFunc(s.Metrics, func(m MetricSummary) bool { return m.Service == service && m.Name == name })
	if at < 0 {
		at = len(s.Metrics)
		s.Metrics = append(s.Metrics, MetricSummary{Service: service, Name: name})
	}
	return &s.Metrics[at]
}

// spare adds what a bad canary did.
func (s *Summary) spare(met *Met) {
	if math.IsNaN(float64(met.Requests + met.Excess + met.AtFull)) {
		return
	}
	if s.Spared == nil {
		s.Spared = &Spared{}
	}
	s.Spared.Runs++
	s.Spared.Requests += met.Requests
	s.Spared.Excess += met.Excess
	s.Spared.AtFull += met.AtFull
}

// rate works out the share of wrong verdicts.
func (t *Truth) rate(wrong int) {
	judged := t.Pass + t.Fail + t.Inconclusive
	t.Wrong = report.Number(math.NaN())
	if judged > 0 {
		t.Wrong = report.Number(float64(wrong) / float64(judged))
	}
	lower, upper := ourstats.Proportion(float64(wrong), float64(judged), (1-confidence)/2)
	t.Lower, t.Upper = report.Number(lower), report.Number(upper)
}

// timeOf sums up how long runs took.
func timeOf(outcome string, seconds []float64) OutcomeTime {
	median, _ := stats.Median(seconds)                 // there are some
	p90, _ := stats.PercentileNearestRank(seconds, 90) // likewise
	return OutcomeTime{outcome, len(seconds), report.Number(median), report.Number(p90)}
}

// Derive returns the labels that git's history gives: a canary that failed and was reverted was good where that revert
// was reverted in turn. takenBack says which commits the history takes back, by the beginning of their names.
func (l *Ledger) Derive(takenBack []string) []Label {
	var all []Label
	for _, r := range l.Runs {
		for _, revert := range r.Reverts {
			if r.Failed() && slices.ContainsFunc(takenBack, func(name string) bool {
				return len(name) >= shortestSHA && len(name) <= len(revert) && revert[:len(name)] == name
			}) {
				all = append(all, Label{Run: r.ID, Truth: Good, Because: fmt.Sprintf("its revert %.12s was reverted", revert), At: r.At})
				break
			}
		}
	}
	return all
}

// shortestSHA is the fewest digits that git names a commit with.
const shortestSHA = 7
