package job

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/recording"
)

// past is a history with its numbers.
type past struct {
	History
	config *config.Config
	pairs  [][]analysis.Pair     // by metric; nil for those that do not learn
	days   [][][]analysis.Sample // by metric and window, the steps of the warm-up first
	// instances are by metric; none where history is not of those.
	instances []instances
}

// read takes the numbers from a recording; so many steps of each earlier window.
func (p *past) read(ctx context.Context, from *recording.Recording, steps int) error {
	c, step := p.config, p.config.Window.Step
	p.pairs, p.days = make([][]analysis.Pair, len(c.Metrics)), make([][][]analysis.Sample, len(c.Metrics))
	if p.By != "" {
		p.readInstances()
		return nil
	}
	if c.History.Days == 0 {
		s, err := p.lay(ctx, from, bothArms, grid{start: p.Since, step: step, steps: int(p.To.Sub(p.Since) / step)})
		if err != nil {
			return err
		}
		for n := range s.grid.steps {
			for i, pair := range s.pairs(n) {
				if c.Learns(i) {
					p.pairs[i] = append(p.pairs[i], pair)
				}
			}
		}
		return nil
	}
	for _, back := range p.Back[:min(len(p.Back), c.History.Days)] {
		s, err := p.lay(ctx, from, baselineOnly, grid{start: p.Start.Add(-back), step: step, steps: steps})
		if err != nil {
			return err
		}
		for n := range s.grid.steps {
			s.pairs(n) // makes counts fit together
		}
		for i := range c.Metrics {
			if c.Learns(i) {
				p.days[i] = append(p.days[i], s.of[providers.Baseline][i])
			}
		}
	}
	return nil
}

// lay puts what a recording holds on a grid.
func (p *past) lay(ctx context.Context, from *recording.Recording, arms func(providers.Arm) bool, g grid) (*samples, error) {
	there := *p.config
	there.Arms = nil // whatever their offsets
	s := newSamples(&there, g)
	all := pastPlaces(p.config, arms, g.start, g.end(g.steps-1))
	queries := make([]providers.Query, len(all))
	for i := range all {
		queries[i] = all[i].query
	}
	answers, err := from.Fetch(ctx, queries)
	if err != nil {
		return nil, err
	}
	for i, a := range answers {
		if a.Err != nil {
			return nil, a.Err
		}
		for _, series := range a.Series {
			if err := s.take(all[i], series, 0, g.steps); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// give gives the metrics of the plan what they learn from.
func (p *past) give() {
	c := p.config
	for i := range c.Plan.Metrics {
		m := &c.Plan.Metrics[i]
		m.History = nil
		switch {
		case !c.Learns(i):
		case p.By != "":
			m.History = p.instances[i].history()
		case c.History.Days > 0:
			h := &analysis.History{Days: [][]analysis.Sample{}}
			for _, day := range p.days[i] {
				h.Days = append(h.Days, day[c.Window.Warmup:c.Window.Warmup+c.Window.Steps])
			}
			m.History = h
		case c.History.Asked:
			m.History = &analysis.History{Pairs: p.pairs[i], RemoveOffset: c.History.RemoveOffset}
		case p.usable(i) >= p.least():
			m.History = &analysis.History{Pairs: p.pairs[i], Cautious: true}
		}
	}
}

// least returns how many steps with data in both arms it takes to learn from them.
func (p *past) least() int {
	if p.config.History.Asked {
		return analysis.LeastHistory
	}
	return max(analysis.LeastCautious, 2*p.config.Window.Steps)
}

// usable returns the number of steps in which both arms have something of a metric.
func (p *past) usable(metric int) (n int) {
	m := p.config.Plan.Metrics[metric]
	for _, pair := range p.pairs[metric] {
		if m.Shows(pair.Baseline) && m.Shows(pair.Canary) {
			n++
		}
	}
	return n
}

// baseline returns the mean of a metric's earlier windows, a step each, the warm-up first;
// nil for a metric whose baseline is another.
func (p *past) baseline(metric int) []analysis.Sample {
	c := p.config
	if c.History.Days == 0 || !c.Learns(metric) {
		return nil
	}
	m := c.Plan.Metrics[metric]
	m.History = &analysis.History{Days: p.days[metric]}
	means := make([]analysis.Sample, c.Window.Warmup+c.Window.Steps)
	for i := range means {
		means[i] = m.HistoryBaseline(i)
	}
	return means
}

// hash returns the SHA-256 of the points of a recording that count.
func (p *past) hash(from *recording.Recording) (string, error) {
	sum := sha256.New()
	for point := range from.Points() {
		at := slices.IndexFunc(p.config.Metrics, func(m config.Metric) bool { return m.Name == point.Metric })
		if at < 0 || !p.config.Learns(at) || !p.counts(point.Time) {
			continue
		}
		line, err := json.Marshal(point)
		if err != nil {
			return "", err
		}
		sum.Write(line) // takes all
	}
	for _, one := range p.Instances {
		line, err := json.Marshal(one)
		if err != nil {
			return "", err
		}
		sum.Write(line)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// counts reports whether the points of a time count.
func (p *past) counts(at time.Time) bool {
	if p.config.History.Days == 0 {
		return !at.Before(p.Since) && at.Before(p.To)
	}
	w := p.config.Window
	length := time.Duration(w.Warmup+w.Steps) * w.Step
	return slices.ContainsFunc(p.Back, func(back time.Duration) bool {
		from := p.Start.Add(-back)
		return !at.Before(from) && at.Before(from.Add(length))
	})
}

// Seen is how much of a metric there is before a run.
type Seen struct {
	Metric string
	// Steps of the history, and those of them with data in both arms. Of earlier windows they are
	// the steps that all of them have.
	Steps, Usable int
	Least         int // usable ones that it takes
	Windows       int // earlier ones; 0 where both arms are looked at
	// Baseline and Canary are how many instances the arms have; 0 where they are not looked at one by
	// one. Of instances, Steps and Usable are those of all together.
	Baseline, Canary int
}

// Lookback is what a run would look at before its first step, and what follows from it.
type Lookback struct {
	History
	Seen    []Seen
	Chances Chances
}

// LookBack asks for what a run that starts then would look at before its first step, and
// keeps nothing of it. It returns nil for a config without history.
func LookBack(ctx context.Context, c *config.Config, sources map[string]providers.Provider, start time.Time) (*Lookback, error) {
	alone := *c
	alone.Plan.Metrics = slices.Clone(c.Plan.Metrics)
	j := &Job{Config: &alone, Providers: sources, Start: start, Recording: &recording.Recording{}}
	p, err := j.learn(ctx)
	if p == nil || err != nil {
		return nil, err
	}
	judge, err := analysis.NewJudge(alone.Plan)
	if err != nil {
		return nil, err
	}
	l := &Lookback{History: p.History, Chances: chancesOf(alone.Plan, judge.Outlooks())}
	learned := judge.Result().Metrics
	for i, m := range alone.Metrics {
		if !alone.Learns(i) {
			continue
		}
		if p.By != "" {
			of := p.instances[i]
			s := Seen{Metric: m.Name, Least: p.least(), Baseline: len(of.baseline), Canary: of.canary}
			if l := learned[i].Learned; l != nil {
				s.Steps, s.Usable = l.Steps, l.Usable
			}
			l.Seen = append(l.Seen, s)
			continue
		}
		s := Seen{Metric: m.Name, Steps: len(p.pairs[i]), Windows: len(p.days[i]), Usable: p.usable(i), Least: p.least()}
		if alone.FromDays(i) {
			judged := alone.Plan.Metrics[i]
			mean := p.baseline(i)[alone.Window.Warmup:]
			s.Steps = len(mean)
			for _, sample := range mean {
				if judged.Shows(sample) {
					s.Usable++
				}
			}
		}
		l.Seen = append(l.Seen, s)
	}
	return l, nil
}
