package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
)

// historyCase is a case of docs/statistics/history-values.json, which
// docs/statistics/history_reference.py wrote.
type historyCase struct {
	Name, Function string
	Args, Result   json.RawMessage
}

// wantLearned is what the reference says of a history.
type wantLearned struct {
	N                                int
	W, V, G, WB, GB                  []float64
	O, SO2, DF, LRV, Tau2, MAD, WBar float64
	Blocks                           int
}

// UnmarshalJSON reads the names that differ from ours by more than their case.
func (w *wantLearned) UnmarshalJSON(data []byte) error {
	type plain wantLearned
	if err := json.Unmarshal(data, (*plain)(w)); err != nil {
		return err
	}
	var other struct {
		WB []float64 `json:"w_b"`
		GB []float64 `json:"g_b"`
	}
	err := json.Unmarshal(data, &other)
	w.WB, w.GB = other.WB, other.GB
	return err
}

// learned returns what the reference says in our form.
func (w wantLearned) learned() *Learned {
	l := &Learned{
		N: w.N, Offset: w.O, OffsetVariance: w.SO2, OffsetDF: w.DF, LongRun: w.LRV, Drift: w.Tau2, Blocks: w.Blocks,
		Deviation: w.MAD, Unevenness: w.WBar,
	}
	fill := func(weights, variances []float64) (noise []LearnedNoise) {
		for i, weight := range weights {
			phi, _ := learnedPhi(i, 0)
			noise = append(noise, LearnedNoise{weight, phi, variances[i]})
		}
		return noise
	}
	l.Noise = fill(w.W, w.V)
	if w.G != nil {
		l.Noise, l.Between = fill(w.W, w.G), fill(w.WB, w.GB)
	}
	return l
}

func (w wantLearned) check(t *testing.T, got *Learned) {
	t.Helper()
	const tolerance = 1e-9
	want := w.learned()
	if got.N != want.N || got.Blocks != want.Blocks {
		t.Errorf("%d pairs in %d blocks, want %d in %d", got.N, got.Blocks, want.N, want.Blocks)
	}
	near(t, "offset", got.Offset+1, want.Offset+1, tolerance)
	near(t, "variance of the offset", got.OffsetVariance, want.OffsetVariance, tolerance)
	near(t, "degrees of freedom", got.OffsetDF, want.OffsetDF, tolerance)
	near(t, "long run", got.LongRun, want.LongRun, tolerance)
	near(t, "drift", got.Drift, want.Drift, 1e-8) // a small difference of two larger numbers
	near(t, "deviation", got.Deviation, want.Deviation, tolerance)
	near(t, "unevenness", got.Unevenness, want.Unevenness, tolerance)
	for name, noise := range map[string][2][]LearnedNoise{"noise": {got.Noise, want.Noise}, "between bursts": {got.Between, want.Between}} {
		if len(noise[0]) != len(noise[1]) {
			t.Fatalf("%s: %d values of phi, want %d", name, len(noise[0]), len(noise[1]))
		}
		for i, c := range noise[0] {
			near(t, fmt.Sprintf("%s: weight at %g", name, c.Phi), c.Weight, noise[1][i].Weight, tolerance)
			near(t, fmt.Sprintf("%s: variance at %g", name, c.Phi), c.Variance, noise[1][i].Variance, tolerance)
		}
	}
}

type wantLook struct {
	UseOffset             bool `json:"use_offset"`
	Trust, Estimate, L, U float64
	PFail                 float64 `json:"p_fail"`
	PPass                 float64 `json:"p_pass"`
	PhiFail               float64 `json:"phi_fail"`
	PhiPass               float64 `json:"phi_pass"`
}

func unmarshal(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func TestReferenceHistory(t *testing.T) {
	t.Parallel()
	var ref struct{ Cases []historyCase }
	readJSON(t, "../../docs/statistics/history-values.json", &ref)
	checks := map[string]func(*testing.T, historyCase){
		"hist_value": checkValueHistory, "hist_ratio": checkCountHistory, "placebo_fit": checkDays, "instance_fit": checkInstances,
		"value_look": checkValueLook, "ratio_look": checkCountLook, "levels": checkHistoryLevels,
	}
	if len(ref.Cases) != 34 {
		t.Errorf("%d cases, want 34", len(ref.Cases))
	}
	for _, c := range ref.Cases {
		t.Run(c.Name, func(t *testing.T) { checks[c.Function](t, c) })
	}
}

func checkValueHistory(t *testing.T, c historyCase) {
	var args struct {
		H []float64
		K int
	}
	var want wantLearned
	unmarshal(t, c.Args, &args)
	unmarshal(t, c.Result, &want)
	want.check(t, LearnValues(args.H, args.K))
}

func pairUp(x, n, y, m []float64) (all []PairedCounts) {
	for i := range x {
		all = append(all, PairedCounts{x[i], n[i], y[i], m[i]})
	}
	return all
}

func checkCountHistory(t *testing.T, c historyCase) {
	var args struct {
		K          int
		X, N, Y, M []float64
	}
	var want wantLearned
	unmarshal(t, c.Args, &args)
	unmarshal(t, c.Result, &want)
	want.check(t, LearnCounts(pairUp(args.X, args.N, args.Y, args.M), args.K))
}

func checkDays(t *testing.T, c historyCase) {
	var args struct{ Days [][]float64 }
	var want struct{ H wantLearned }
	unmarshal(t, c.Args, &args)
	unmarshal(t, c.Result, &want)
	var against [][]float64
	q := float64(len(args.Days))
	for _, day := range args.Days {
		own := make([]float64, len(day))
		for i, v := range day {
			var all float64
			for _, other := range args.Days {
				all += other[i]
			}
			own[i] = v - (all-v)/(q-1)
		}
		against = append(against, own)
	}
	want.H.check(t, LearnDays(against))
}

func checkInstances(t *testing.T, c historyCase) {
	var args struct {
		Pods    [][]float64
		Offsets []float64
		NC, NB  int
	}
	var want wantLearned
	unmarshal(t, c.Args, &args)
	unmarshal(t, c.Result, &want)
	for j, pod := range args.Pods {
		for i := range pod {
			pod[i] += args.Offsets[j]
		}
	}
	want.check(t, LearnInstances(args.Pods, args.NC, args.NB))
}

func checkValueLook(t *testing.T, c historyCase) {
	var args struct {
		D             []float64
		H             wantLearned
		Delta, AL, AU float64
		Use           *bool
	}
	var want wantLook
	unmarshal(t, c.Args, &args)
	unmarshal(t, c.Result, &want)
	l := args.H.learned()
	if known := l.OffsetKnown(args.Delta); args.Use == nil && known != want.UseOffset {
		t.Errorf("offset known: %v, want %v", known, want.UseOffset)
	}
	var p Paired
	for _, d := range args.D {
		p.Add(d)
	}
	s := l.KeptShift()
	if want.UseOffset {
		s = l.Shift()
	}
	got := l.MeanPosterior(Posterior{}, p.WinsorisedBy(l.Deviation), resolutionOf(args.Delta), s)
	near(t, "trust", got.Trust, want.Trust, 1e-9)
	near(t, "estimate", got.Mean(), want.Estimate, 1e-9)
	near(t, "p of fail", got.CDF(args.Delta), want.PFail, 1e-9)
	near(t, "p of pass", got.Tail(args.Delta), want.PPass, 1e-9)
	near(t, "lower limit", got.Quantile(args.AL), want.L, 1e-6)
	near(t, "upper limit", got.TailQuantile(args.AU), want.U, 1e-6)
}

// resolutionOf is the least standard deviation at a tolerance.
func resolutionOf(delta float64) float64 { return 0.05 * math.Abs(delta) }

func checkCountLook(t *testing.T, c historyCase) {
	var args struct {
		H            wantLearned
		Rho0, AL, AU float64
		X, N, Y, M   []float64
	}
	var want struct {
		UseOffset                     bool `json:"use_offset"`
		Trust, Offset, L, U, Estimate number
		PFail                         number `json:"p_fail"`
		PPass                         number `json:"p_pass"`
		PhiFail                       number `json:"phi_fail"`
		PhiPass                       number `json:"phi_pass"`
	}
	unmarshal(t, c.Args, &args)
	unmarshal(t, c.Result, &want)
	l := args.H.learned()
	if known := l.OffsetKnown(math.Log(args.Rho0)); known != want.UseOffset {
		t.Errorf("offset known: %v, want %v", known, want.UseOffset)
	}
	var s Shift
	if want.UseOffset {
		s = l.Shift()
	}
	k := NewLearnedCounts(args.Rho0, l, s)
	for _, v := range pairUp(args.X, args.N, args.Y, args.M) {
		k.Add(v)
	}
	fail, pass := k.Dispersion(args.AL), math.Max(k.Dispersion(args.AU), k.SecondDispersion())
	near(t, "trust", k.Trust(), float64(want.Trust), 1e-9)
	near(t, "dispersion", fail, float64(want.PhiFail), 1e-6)
	near(t, "dispersion for a pass", pass, float64(want.PhiPass), 1e-6)
	near(t, "p of fail", k.aboveLimit(float64(want.PhiFail)), float64(want.PFail), 1e-9)
	near(t, "p of pass", k.belowLimit(float64(want.PhiPass)), float64(want.PPass), 1e-9)
	near(t, "lower limit", k.RatioLower(args.AL, fail), float64(want.L), 1e-6)
	near(t, "upper limit", k.RatioUpper(args.AU, pass), float64(want.U), 1e-6)
	if !math.IsNaN(k.Ratio()) {
		near(t, "estimate", k.Ratio(), float64(want.Estimate), 1e-6)
	}
}

func checkHistoryLevels(t *testing.T, c historyCase) {
	var args struct {
		K, First     int
		Alpha, Power float64
		H            wantLearned
		Use          bool
	}
	var want []float64
	unmarshal(t, c.Args, &args)
	unmarshal(t, c.Result, &want)
	l := args.H.learned()
	shared := l.Drift
	if args.Use {
		shared = l.OffsetVariance
	}
	var clock Clock
	for k := args.First; k <= args.K; k++ {
		spent := args.Alpha * math.Pow(float64(k)/float64(args.K), args.Power)
		level, ok := clock.Next(l.Information(float64(k), shared), spent)
		if !ok {
			level = 0
		}
		near(t, fmt.Sprintf("level of look %d", k), level, want[k-1], 1e-4)
	}
}

// Nine of ten steps of ones beside one of nine have half of the squares, as 9 against 9+9.
func TestCore(t *testing.T) {
	near(t, "one of ten", core([]float64{1, -1, 1, 3, 1, 1, -1, 1, 1, 1}), 0.5, 1e-12)
	near(t, "zeros", core(make([]float64, 30)), 1, 0)
	near(t, "a burst alone", core([]float64{0, 0, 0, 0, 0, 0, 0, 0, 0, 5}), 0, 0)
}
