// Package report turns what a run came to into what people and tools read: one
// Report, saved as JSON, from which every other format is made.
//
// Where to look: build.go makes the Report of an outcome. Its sentences are in reasons.go (why
// a metric and the run are as they are), and beside what they are about: doubts.go, silence.go
// (no data), buckets.go, guards.go, limits.go (of the source), runs.go (checks that failed),
// kinds.go (what differs from kind to kind), ramp.go (stages), history.go (what was seen before the run). How numbers and changes are written is words.go.
// A format is a file that writes a Report and decides nothing: text.go, json.go, markdown.go
// with chart.go, html.go with plot.go, junit.go; terminal.go and progress.go are for a run
// under way. They are one package since they share the sentences, the cells of the table and
// the words, some thirty names, and hardly anything else.
//
// The page: html.go makes texts of a Report,
// the templates in page show them, plot.go draws with svgo. Its policy is default-src 'none'
// with the hashes of its own style and script, so that nothing is fetched and no text from
// outside can run. Its size is bounded: steps that share a column of a plot are one point,
// looks are thinned out in large runs, and a test holds 200 metrics of 240 steps under 5 MB.
// .ci/browser opens it in Chromium: requests, points, keyboard, dark mode, axe.
package report

import (
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/revert"
)

// Schema names the format of a saved report.
const Schema = "canary-judge/result/v1"

// Number is a number that may be missing: NaN and infinities are null in JSON.
type Number float64

// savedDigits is how many significant digits of a fraction are saved. The last few
// of a float64 depend on the processor that computed it.
const savedDigits = 10

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	v := float64(n)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return strconv.AppendFloat(nil, v, 'f', 0, 64), nil
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', savedDigits-1, 64), 64)
	if err != nil {
		return nil, err
	}
	return json.Marshal(rounded)
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(text []byte) error {
	v := math.NaN()
	if string(text) != "null" {
		if err := json.Unmarshal(text, &v); err != nil {
			return err
		}
	}
	*n = Number(v)
	return nil
}

// Report is a run's result. Its JSON is a public format: fields are added, never
// changed.
type Report struct {
	Schema     string         `json:"schema" doc:"canary-judge/result/v1"`
	Verdict    string         `json:"verdict" doc:"pass, fail or inconclusive"`
	Reason     string         `json:"reason" doc:"The verdict in one sentence"`
	Service    string         `json:"service,omitempty" doc:"What is deployed"`
	Error      string         `json:"error,omitempty" doc:"What kept the run from a verdict"`
	Window     Window         `json:"window" doc:"The time that was judged"`
	FalseAlarm float64        `json:"false_alarm" doc:"Chance that a canary within tolerance fails, over the whole run"`
	WrongPass  float64        `json:"wrong_pass" doc:"Chance that a canary beyond a tolerance passes"`
	Arms       Arms           `json:"arms" doc:"What was compared"`
	Overrides  []Override     `json:"overrides,omitempty" doc:"Who decided against the verdict, and why, the first who did so first; verdict and reason are those of the last decision"`
	Change     *revert.Change `json:"change,omitempty" doc:"What is under judgement in the repository, if it is to be reverted on a fail"`
	Metrics    []Metric       `json:"metrics" doc:"What is known of each metric"`
	Blast      *Blast         `json:"blast_radius" doc:"Requests that met the canary, and the harm it did to them"`
	Guards     []Guard        `json:"guards,omitempty" doc:"What the guards said last"`
	Exposure   *Exposure      `json:"exposure" doc:"The traffic the canary should get, and got; of a ramp, in the last stage that was judged"`
	Ramp       *Ramp          `json:"ramp,omitempty" doc:"How the run went through its stages"`
	Doubts     []string       `json:"doubts,omitempty" doc:"Signs that what was compared is not what was meant; the reason tells them"`
	Notes      []string       `json:"notes,omitempty" doc:"What a reader of the verdict must know of the comparison"`
	LookedAt   *LookedAt      `json:"history,omitempty" doc:"What was looked at before the run"`
	Pages      []Page         `json:"pages,omitempty" doc:"Pages to look at beside this, as the config links them"`
	Looks      []Look         `json:"looks" doc:"How the effects developed; evenly thinned out in large runs"`
	Config     Document       `json:"config,omitempty" doc:"The config it was judged with, without the providers' settings"`
	Generated  *Generated     `json:"generated,omitempty" doc:"Where and when this was rendered; a replay may differ in nothing else"`
	// Status is how the run stands that this was taken from before its end, in a sentence; "" of one that has ended.
	Status string `json:"-"`
}

// Document is a JSON object of another format.
type Document json.RawMessage

// MarshalJSON implements json.Marshaler.
func (d Document) MarshalJSON() ([]byte, error) { return json.RawMessage(d).MarshalJSON() }

// UnmarshalJSON implements json.Unmarshaler.
func (d *Document) UnmarshalJSON(text []byte) error { return (*json.RawMessage)(d).UnmarshalJSON(text) }

// Window is the time that was judged.
type Window struct {
	Start   time.Time `json:"start" doc:"Beginning of the warm-up"`
	Judged  time.Time `json:"judged_from" doc:"Beginning of the judged time"`
	End     time.Time `json:"end" doc:"End of the last step that was fetched"`
	Planned time.Time `json:"planned_end" doc:"End of the planned window"`
	Step    Number    `json:"step_seconds" doc:"Distance between points, in seconds"`
	Warmup  int       `json:"warmup_steps" doc:"Steps skipped first"`
	Steps   int       `json:"steps" doc:"Steps planned after the warm-up, and so looks"`
	Looks   int       `json:"looks" doc:"Looks taken"`
	// Times are needed where the distance between points varies.
	Times []time.Time `json:"times,omitempty" doc:"Starts of the steps, of a file whose steps are not evenly spaced"`
	Ended string      `json:"ended" doc:"Why the run ended: verdict, window, interrupted, error, or file (the recording holds no more)"`
}

// Arms are the two sides.
type Arms struct {
	Baseline Arm `json:"baseline" doc:"The baseline"`
	Canary   Arm `json:"canary" doc:"The canary"`
}

// Arm is one side.
type Arm struct {
	Labels []Label `json:"labels,omitempty" doc:"What selects it"`
	Offset Number  `json:"offset_seconds,omitempty" doc:"How far back in time it lies, in seconds"`
}

// Label is a label of an arm.
type Label struct {
	Name  string `json:"name" doc:"Name of the label"`
	Value string `json:"value" doc:"Its value"`
}

// Is reports whether the verdict is the given one. A run without a verdict has none.
func (r *Report) Is(v analysis.Verdict) bool { return r.Verdict == v.String() }

// Metric is what is known of one metric.
type Metric struct {
	Name string `json:"name" doc:"Name from the config"`
	// Of and Segment are empty for a metric over all requests.
	Of        string            `json:"of,omitempty" doc:"Name of the metric that this one is, in one segment"`
	Segment   map[string]string `json:"segment,omitempty" doc:"Label that selects the segment, with its value"`
	Kind      string            `json:"kind" doc:"value, ratio, histogram or checks"`
	Decision  string            `json:"decision" doc:"pass, fail, undecided or no data"`
	Reason    string            `json:"reason" doc:"The decision in one sentence"`
	Advisory  bool              `json:"advisory,omitempty" doc:"Decides nothing"`
	FailOnly  bool              `json:"fail_only,omitempty" doc:"Can fail the run, which does not wait for it to pass"`
	Hold      bool              `json:"hold,omitempty" doc:"Never fails the run: holds_pass says whether it holds it"`
	Holds     bool              `json:"holds_pass,omitempty" doc:"Keeps the run from passing as things are: fail only, and not looked at, without usable data, or with an estimate beyond the tolerance; or hold, and shown to be beyond the tolerance, and not back"`
	Effect    Effect            `json:"effect" doc:"Size of the change from baseline to canary"`
	Tolerance Tolerance         `json:"tolerance" doc:"The change that is accepted"`
	Direction string            `json:"direction" doc:"The movement that is bad: increase, decrease or either"`
	Unit      string            `json:"unit,omitempty" doc:"Unit of the numbers"`
	Spikes    *Spikes           `json:"spikes,omitempty" doc:"The steps that stand out, of a value that is judged by how many do"`
	// Compared is nil before there is a step with data in both arms, and in results of
	// versions that did not save it.
	Compared  *Compared `json:"compared,omitempty" doc:"What the effect is of: the numbers that are shown beside it"`
	Baseline  Summary   `json:"baseline" doc:"What the baseline showed in all judged steps, whether or not the canary has data there"`
	Canary    Summary   `json:"canary" doc:"What the canary showed in all judged steps"`
	Steps     int       `json:"steps" doc:"Judged steps"`
	Usable    int       `json:"usable_steps" doc:"Steps with data in both arms"`
	Looks     int       `json:"looks" doc:"Looks at which there was something new"`
	DecidedAt *string   `json:"decided_at" doc:"End of the step whose look decided; null = undecided"`
	// DecidedLook is the number of that look.
	DecidedLook int    `json:"decided_look,omitempty" doc:"Number of the look that decided, from 1"`
	Share       Number `json:"false_alarm_share" doc:"Part of the false-alarm rate this metric may use; 0 if advisory"`
	// Queries by part and arm, as they were sent.
	Queries  map[string]map[string]string `json:"queries,omitempty" doc:"Queries as they were sent, by part and arm"`
	Provider string                       `json:"provider,omitempty" doc:"Where the metric comes from"`
	Forecast *Forecast                    `json:"forecast,omitempty" doc:"What it takes to show an unchanged canary to be within tolerance"`
	History  *History                     `json:"history,omitempty" doc:"What came of what was seen of the metric before the run"`
	Late     *Late                        `json:"late,omitempty" doc:"Data that came after they had been fetched; the metric is neither passed nor failed then"`
	Warnings []string                     `json:"warnings,omitempty" doc:"Doubts about the data"`
	Series   Series                       `json:"series" doc:"Both arms over time, warm-up included"`
}

// Is reports whether the decision is the given one.
func (m Metric) Is(d analysis.Decision) bool { return m.Decision == d.String() }

// aside reports whether the verdict takes no account of the metric: of one that is advisory, and of
// one that can only fail unless it does, or keeps the run from passing.
func (m Metric) aside() bool {
	return m.Advisory || m.FailOnly && !m.Is(analysis.Fail) && !m.Holds
}

// Late sums up data that came late.
type Late struct {
	Points int    `json:"points" doc:"Points of either arm that changed after they had been fetched"`
	Age    Number `json:"age_seconds" doc:"How long after the end of their step they still changed, at most"`
}

// Effect is the size of a change with its interval.
type Effect struct {
	Estimate Number `json:"estimate" doc:"canary/baseline - 1 (unit relative), or canary - baseline; null = cannot be told"`
	Lower    Number `json:"lower" doc:"Lower limit, valid over all looks; null = none"`
	Upper    Number `json:"upper" doc:"Upper limit, valid over all looks; null = none"`
	Unit     string `json:"unit" doc:"relative, points (difference of rates), or the metric's unit"`
	Since    int    `json:"since_step,omitempty" doc:"Judged steps before those that count, when the change began during the run"`
}

// Tolerance is the change that is accepted.
type Tolerance struct {
	Size  Number `json:"size" doc:"As configured, in the unit of the effect"`
	Lower Number `json:"lower" doc:"Smallest effect that is tolerated; null = any"`
	Upper Number `json:"upper" doc:"Largest effect that is tolerated; null = any"`
	Unit  string `json:"unit" doc:"relative, points, or the metric's unit"`
	Floor Number `json:"floor,omitempty" doc:"Rates below this are fine whatever the baseline"`
}

// Compared is what was held against each other.
type Compared struct {
	Steps    int         `json:"steps" doc:"Steps, or groups of merged ones, that count: those with data in both arms, since since_step"`
	Baseline ComparedArm `json:"baseline" doc:"The baseline in these steps"`
	Canary   ComparedArm `json:"canary" doc:"The canary in these steps"`
	Apart    bool        `json:"apart,omitempty" doc:"The buckets allow both more and less in the canary than in the baseline: the levels tell no change"`
}

// ComparedArm is one arm of what was compared.
type ComparedArm struct {
	Level Number `json:"level" doc:"Rate, or typical value: canary/baseline - 1, or canary - baseline, is the estimate of the effect, on top of what the history has removed"`
	Bad   Number `json:"bad" doc:"Bad events, failed runs, slow observations, or steps that stand out; null for values"`
	Total Number `json:"total" doc:"All events, or steps; null for values"`
}

// Summary sums up one arm.
type Summary struct {
	Steps  int    `json:"steps" doc:"Steps with data"`
	Bad    Number `json:"bad" doc:"Bad events, failed runs or slow observations; null for values"`
	Total  Number `json:"total" doc:"All events; null for values"`
	Rate   Number `json:"rate" doc:"bad / total"`
	Mean   Number `json:"mean" doc:"Mean of the values, or of the quantiles of a histogram"`
	Median Number `json:"median" doc:"Their median"`
	P95    Number `json:"p95" doc:"Their 95th percentile"`
	Min    Number `json:"min" doc:"Their minimum"`
	Max    Number `json:"max" doc:"Their maximum"`
}

// Forecast is what it takes to decide.
type Forecast struct {
	Unit   string `json:"unit" doc:"What is counted"`
	Needed Number `json:"needed" doc:"In all"`
	Have   Number `json:"have" doc:"So far"`
	Steps  Number `json:"more_steps" doc:"Steps still needed at this traffic; null = cannot be told"`
}

// Series is a metric over time: one number a step, null for a gap.
type Series struct {
	Baseline []Number `json:"baseline" doc:"Value, rate or quantile of the baseline, a step each"`
	Canary   []Number `json:"canary" doc:"The same of the canary"`
}

// Blast is the blast radius.
type Blast struct {
	Metric   string      `json:"metric" doc:"The metric it is counted by"`
	Requests Number      `json:"requests" doc:"Requests that met the canary, warm-up included"`
	Failed   Number      `json:"failed" doc:"Bad (failed, or slow) ones among them"`
	AtLeast  bool        `json:"at_least,omitempty" doc:"No bucket ends where slow begins: more may have been slow"`
	Excess   Number      `json:"excess" doc:"How many more than the baseline's rate would have given"`
	Lower    Number      `json:"excess_lower" doc:"Lower end of its 95% confidence interval; null = too few steps to tell"`
	Upper    Number      `json:"excess_upper" doc:"Upper end of the interval"`
	Share    Number      `json:"share" doc:"The canary's share of all requests"`
	Users    *Number     `json:"users,omitempty" doc:"Users that met the canary, at least"`
	Full     FullTraffic `json:"at_full_traffic" doc:"What it would have been had all requests met the canary"`
}

// FullTraffic is the blast radius that a canary without a baseline would have
// had.
type FullTraffic struct {
	Requests Number `json:"requests" doc:"Requests of both arms"`
	Failed   Number `json:"failed" doc:"Bad ones among them, at the canary's rate"`
	Excess   Number `json:"excess" doc:"How many more than at the baseline's rate"`
	Lower    Number `json:"excess_lower" doc:"Lower end of its 95% confidence interval"`
	Upper    Number `json:"excess_upper" doc:"Upper end of the interval"`
}

// Exposure is the traffic the canary should get, and got.
type Exposure struct {
	Expected Number `json:"expected" doc:"Share it should get"`
	Observed Number `json:"observed" doc:"Share it got"`
	Lower    Number `json:"lower" doc:"Lower confidence limit"`
	Upper    Number `json:"upper" doc:"Upper confidence limit"`
	Off      bool   `json:"off" doc:"Shown to be beyond the tolerance; the canary cannot pass then"`
}

// pages are the pages to look at beside the report.
func (r *Report) pages() []Page {
	all := slices.Clone(r.Pages)
	if r.Generated != nil {
		all = append(all, r.Generated.Notebooks...)
	}
	return all
}

// Page is a page to look at beside the report.
type Page struct {
	Name string `json:"name" doc:"What it is called"`
	URL  string `json:"url" doc:"Its address, for the time of the run"`
}

// Look is what was known at one look.
type Look struct {
	Look    int            `json:"look" doc:"Number, from 1"`
	Time    time.Time      `json:"time" doc:"End of its last step"`
	Verdict string         `json:"verdict" doc:"The verdict of this look"`
	Metrics []MetricAtLook `json:"metrics" doc:"In the order of the report's metrics"`
}

// MetricAtLook is what was known of a metric at a look.
type MetricAtLook struct {
	Estimate Number `json:"estimate" doc:"As in effect"`
	Lower    Number `json:"lower" doc:"As in effect"`
	Upper    Number `json:"upper" doc:"As in effect"`
	Decision string `json:"decision" doc:"pass, fail or undecided"`
}

// Generated says where and when a report was rendered, and what was done then.
type Generated struct {
	At         time.Time   `json:"at" doc:"When"`
	Tool       string      `json:"tool" doc:"Version of canary-judge"`
	Command    string      `json:"command" doc:"run or replay"`
	Actions    []Action    `json:"actions,omitempty" doc:"What was done at the verdict"`
	Links      []Link      `json:"links,omitempty" doc:"Where the queries of a live run are to be seen"`
	Notebooks  []Page      `json:"notebooks,omitempty" doc:"Notebooks that were written of a live run"`
	FailedRuns []FailedRun `json:"failed_runs,omitempty" doc:"Runs of checks that failed or came to no result, in the judged time of a live run; of very many the latest"`
	RateLimits []RateLimit `json:"rate_limits,omitempty" doc:"What the sources of a live run told of their limits on requests, up to its last look"`
	Observe    bool        `json:"observe,omitempty" doc:"The run only observes: nothing was done, and it exits with 0 whatever the verdict"`
	Untold     []string    `json:"untold,omitempty" doc:"What could not be told to those whom notify names"`
}

// RateLimit is what a source told of its limit on requests.
type RateLimit struct {
	Provider string `json:"provider" doc:"Name of the provider"`
	Said     string `json:"said,omitempty" doc:"What its last answer told"`
	Near     bool   `json:"near,omitempty" doc:"A tenth of the requests or less was left"`
	Refused  int    `json:"refused,omitempty" doc:"Requests refused as too many during the run, those among them that were tried again"`
}

// Link is where a query is to be seen.
type Link struct {
	Metric string `json:"metric" doc:"Name of the metric"`
	Part   string `json:"part" doc:"value, bad, good, total or buckets"`
	Arm    string `json:"arm" doc:"baseline or canary"`
	URL    string `json:"url" doc:"Page of the source that shows the query over the run"`
}

// FailedRun is a run of a check that failed, or came to no result.
type FailedRun struct {
	Metric string    `json:"metric" doc:"Name of the metric"`
	Arm    string    `json:"arm" doc:"baseline or canary"`
	Time   time.Time `json:"time" doc:"When it ended, or the start of the step it was started for"`
	What   string    `json:"what" doc:"Which run, and what is known of it"`
	URL    string    `json:"url,omitempty" doc:"Its page at the source"`
}

// link returns the address of the web where a query is to be seen, "" for none.
func (g *Generated) link(metric, part, arm string) string {
	if g == nil {
		return ""
	}
	for _, l := range g.Links {
		if l.Metric != metric || l.Part != part || l.Arm != arm {
			continue
		}
		if page := webPage(l.URL); page != "" {
			return page
		}
	}
	return ""
}

// webPage returns an address if it is of the web, else "": a saved result may say anything.
func webPage(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") {
		return address
	}
	return ""
}

// Action is what was done at the verdict.
type Action struct {
	Kind        string   `json:"kind" doc:"revert, mark or run"`
	DryRun      bool     `json:"dry_run,omitempty" doc:"It was not done; commands are what would have been"`
	Commands    []string `json:"commands,omitempty" doc:"Commands that changed something"`
	Error       string   `json:"error,omitempty" doc:"Why it was not done, or how far it came"`
	ExitCode    *int     `json:"exit_code,omitempty" doc:"Exit code of a command that was run; -1 = it did not end by itself"`
	Reverts     []string `json:"reverts,omitempty" doc:"Commits that revert, the newest first, also when they were made before"`
	Pushed      string   `json:"pushed,omitempty" doc:"REMOTE/BRANCH that was pushed to"`
	PullRequest string   `json:"pull_request,omitempty" doc:"Address of the pull request or merge request"`
	Notes       []string `json:"notes,omitempty" doc:"What else is to be known of it, a sentence each"`
	Deployment  string   `json:"deployment,omitempty" doc:"Deployment that is marked as failed, after the name of its provider"`
}

// Kinds of actions.
const (
	RevertAction = "revert"
	MarkAction   = "mark"
	RunAction    = "run"
)

// Reverted reports whether the change is reverted, or a pull request proposes it.
func (g *Generated) Reverted() bool {
	return g != nil && slices.ContainsFunc(g.Actions, func(a Action) bool {
		return a.Kind == RevertAction && !a.DryRun && a.Error == ""
	})
}

// List writes names as a JSON list, for what can hold only text.
func List(names []string) string {
	list, err := json.Marshal(append([]string{}, names...))
	if err != nil {
		return "[]"
	}
	return string(list)
}

// Failed lists the metrics that failed the canary.
func (r *Report) Failed() []string {
	var names []string
	for _, m := range r.deciding(analysis.Fail) {
		names = append(names, m.Name)
	}
	return names
}
