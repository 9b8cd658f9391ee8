package analysis

import (
	"math"

	"github.com/canary-judge/canary-judge/analysis/stats"
)

// judged returns the moments of what is judged: the series with its outliers pulled in, so
// that it is about a typical step, or as it is, where the mean is meant.
func (e *valueEvidence) judged() stats.Moments {
	switch {
	case e.metric.Mean:
		return e.series.Raw()
	case e.learned != nil:
		return e.series.WinsorisedBy(e.learned.fit.Deviation)
	}
	return e.series.Winsorised()
}

// meanBeyond and meanWithin are what the mean of skewed values has to be shown by beside
// the noise mixture, which takes them for normal: where the long tail has not shown up yet,
// their scatter promises too much (docs/statistics/method.md, section 13.15).
func (e *valueEvidence) meanBeyond(level float64) bool {
	return !e.metric.Mean || e.series.MeanBelow(e.limit()) < level
}

func (e *valueEvidence) meanWithin(level float64) bool {
	return !e.metric.Mean || e.series.MeanAbove(e.limit()) < level
}

// meanLimits widens limits to those that meanBeyond and meanWithin go by.
func (e *valueEvidence) meanLimits(lower, upper, failLevel, passLevel float64) (float64, float64) {
	if !e.metric.Mean {
		return lower, upper
	}
	return math.Min(lower, e.series.MeanLower(failLevel)), math.Max(upper, e.series.MeanUpper(passLevel))
}

// farOff is how far apart, as a share of what is tolerated, the mean and the typical step
// must lie to be worth a word.
const farOff = 0.25

// pulledIn returns how many steps stand out so far that they were pulled in, 0 where it
// makes no difference that matters.
func (e *valueEvidence) pulledIn() int {
	if e.metric.Mean || !e.ready() || math.Abs(e.rawMean()-e.winsorised().Mean()) < farOff*e.distance() {
		return 0
	}
	if e.learned != nil {
		return e.series.Outlying(e.learned.fit.Deviation)
	}
	return e.series.Outlying(0)
}
