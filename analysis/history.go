package analysis

// History is what was seen of a metric before the run, while no arm had the change that
// is judged (docs/statistics/history.md). It says how large the metric's noise is, and how much the
// arms differ whatever they run. It is fixed before the first step. One of Pairs,
// Instances and Days is given.
type History struct {
	// Pairs are both arms in steps of the run's length, in order of time; gaps stay in.
	// They end before the first instance of the canary that has the change starts.
	Pairs []Pair
	// Instances are the instances of the baseline before the deployment: the samples of
	// each in the same steps. CanaryInstances and BaselineInstances are how many
	// instances the arms have in the run.
	Instances                          [][]Sample
	CanaryInstances, BaselineInstances int
	// Days are earlier windows of the run's time of day, the nearest first: a
	// sample for each planned step. Their mean is the baseline of the run.
	Days [][]Sample
	// RemoveOffset has the difference that the arms had in Pairs taken out of the effect.
	// It is right only if the canary runs on the same machines as then; where it runs on
	// others, the removal turns a regression into a pass.
	RemoveOffset bool
	// Cautious: Pairs are believed only where they are plain: at least LeastCautious of them and two
	// windows, and, of counts, without bursts, which may be an earlier canary that was broken.
	// It is for a history that nobody asked for, which must not make a run worse.
	Cautious bool
}

// HistoryCause is why a metric is judged without the history it was given.
type HistoryCause string

// The causes.
const (
	HistoryTooShort        HistoryCause = "too few usable pairs"
	HistoryShifted         HistoryCause = "the difference between the arms changed in it"
	HistoryOfBursts        HistoryCause = "counts that came in bursts, or had an incident"
	HistoryNotPositive     HistoryCause = "values that are not positive"
	HistoryTooFewDays      HistoryCause = "too few earlier days"
	HistoryTooFewInstances HistoryCause = "too few instances"
	HistoryOfChecks        HistoryCause = "checks are judged without history"
	HistoryOfMean          HistoryCause = "a mean is judged without history"
	HistoryOfSpikes        HistoryCause = "spikes are judged without history"
	HistoryOfPoisson       HistoryCause = "counts are taken to be independent events"
)

// Fewest of what a history is made of.
const (
	LeastHistory          = 30 // usable pairs
	LeastCautious         = 60 // the same of a cautious one: fewer do not tell whether its level changed
	LeastHistoryDays      = 5
	LeastHistoryInstances = 5
)

// HistoryResult is what came of a metric's history.
type HistoryResult struct {
	Steps  int // pairs of samples it had, gaps too
	Usable int // those that could be compared and count
	// Cut is the number of pairs that could be compared and do not count: those before the last
	// change of the difference between the arms, as by another canary.
	Cut   int
	Cause HistoryCause // why it was not used; empty when it was
	// Trust is the probability, 0 to 1, that the noise of the run is of the kind that the
	// history shows, after the last look; NaN before the first. Below 0.5 the history
	// was discounted.
	Trust float64
	// Noise is the standard deviation of the difference of a pair, as a fraction of the
	// baseline or, of an absolute tolerance, in its units; NaN for counts.
	Noise float64
	// Excess is how many times the variance of independent events the counts of the history
	// had, at least 1; NaN for values.
	Excess float64
	// Offset is by how much the canary differed from the baseline in the history, in the
	// units of Effect, and OffsetError its standard error on the scale of the comparison; NaN
	// where it does not tell (Instances, Days).
	Offset, OffsetError float64
	OffsetRemoved       bool // it was taken out of the effect
	OffsetUncertain     bool // it was to be, and is not known well enough
	// Between is the standard deviation between instances, or days, that the limits of
	// the effect allow for, as a fraction; 0 = none.
	Between float64
	// Hides: at the level of the last look an unchanged canary is not shown to be within tolerance
	// however many steps there are, as far as instances, or days, differ.
	Hides bool
	// MuchNoisier: the history is so much noisier than the run that something must
	// have happened in it.
	MuchNoisier bool
}

// HistoryBaseline returns what the mean of the history's days shows in a step, from 0:
// the baseline of a run that is compared with earlier days. Values are averaged on the
// scale they are compared on, counts and observations added up. A gap in any of the days
// is a gap, and so is a step that a day does not have.
func (m Metric) HistoryBaseline(step int) Sample {
	var days []Sample
	for _, day := range m.days() {
		if step >= len(day) || !m.Shows(day[step]) {
			return Sample{}
		}
		days = append(days, day[step])
	}
	if len(days) == 0 {
		return Sample{}
	}
	return m.method().mean(m, days)
}
