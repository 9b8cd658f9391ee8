package main

import (
	"fmt"
	"math"
	"net/http"
	"time"
)

var canaryChapters = []chapter{
	{"A fifth of the users meet the canary, always the same ones", (*stage).split},
	{"The canary is of the same commit as production", func(s *stage) error { _, err := s.healthy(); return err }},
	{"A breaking change reaches the canary", func(s *stage) error { return s.deploy("rename-code-to-coupon") }},
	{"canary-judge sees it, and takes it back", func(s *stage) error { return s.takeBack("canary", "errors", "browse journey", "checkout journey") }},
	{"The canary has healed", func(s *stage) error { _, err := s.healthy(); return err }},
	{"A good change reaches the canary, passes, and is promoted", (*stage).promote},
	{"A change that is slow, and breaks nothing", func(s *stage) error {
		return s.deployAndTakeBack("slow", "canary", "slow requests")
	}},
	{"A change that only one journey of the synthetic checks notices", func(s *stage) error {
		return s.deployAndTakeBack("wrong-total", "canary", "checkout journey")
	}},
	{"Production never saw any of it", func(s *stage) error { return s.pristine("production") }},
}

var rampChapters = []chapter{
	{"A good change reaches the canary, which nobody meets yet; it gets 1, 5 and 20%, passes, and is promoted", func(s *stage) error {
		if err := s.promote(); err != nil {
			return err
		}
		return s.shared(0)
	}},
	{"A change that holds as long as few meet it", func(s *stage) error { return s.deploy("ask-a-partner") }},
	{"canary-judge sees it when the canary has 5%, takes the traffic away, and then the change", func(s *stage) error {
		if err := s.takeBackAt(2, "canary", "errors", "discount errors", "browse journey", "checkout journey"); err != nil {
			return err
		}
		return s.shared(0)
	}},
	{"Production never saw any of it", func(s *stage) error { return s.pristine("production") }},
}

var blueGreenChapters = []chapter{
	{"All users are on blue; green gets what is mirrored, and synthetic checks", func(s *stage) error { _, err := s.healthy(); return err }},
	{"A breaking change reaches green; canary-judge sees it, and takes it back", func(s *stage) error {
		return s.deployAndTakeBack("rename-code-to-coupon", "green", "errors", "browse journey", "checkout journey")
	}},
	{"Green has healed", func(s *stage) error { _, err := s.healthy(); return err }},
	{"Blue never saw any of it", func(s *stage) error { return s.pristine("blue") }},
}

var flagChapters = []chapter{
	{"A fifth of the users have the flag new-banner", func(s *stage) error { _, err := s.healthy(); return err }},
	{"The flag's code breaks; canary-judge sees it, and takes it back", func(s *stage) error {
		return s.deployAndTakeBack("flag", "production", "errors")
	}},
	{"The cohort has healed", func(s *stage) error { _, err := s.healthy(); return err }},
	{"The other users never saw any of it", func(s *stage) error {
		return s.none(`sum(increase(http_requests_total{flag="off",code=~"5.."}[10m]))`, "failed requests of users without the flag")
	}},
}

var rollingChapters = []chapter{
	{"Before there was a deployment: a minute for the time to compare with", func(s *stage) error {
		select {
		case <-s.ctx.Done():
		case <-time.After(time.Minute):
		}
		return s.ctx.Err()
	}},
	{"Nothing was deployed, and nothing changed", func(s *stage) error {
		r, err := s.healthy()
		if err == nil && len(r.Notes) == 0 {
			err = fmt.Errorf("the report does not say that this is the weaker comparison")
		}
		return err
	}},
	{"A breaking change is deployed everywhere; canary-judge sees it, and takes it back", func(s *stage) error {
		return s.deployAndTakeBack("rename-code-to-coupon", "production", "errors", "browse journey", "checkout journey")
	}},
	{"The shop has healed", func(s *stage) error {
		return s.eventually(20*time.Second, func() error {
			return s.none(`sum(increase(http_requests_total{service="store-frontend",code=~"5.."}[4s]))`, "failed requests of the last 4 s")
		})
	}},
}

// split checks that each user meets one flavour, and which share meets the canary.
func (s *stage) split() error {
	st, err := s.state()
	if err != nil {
		return err
	}
	canary := 0
	for n := 1; n <= users; n++ {
		first := ""
		for range 2 {
			_, answer, err := s.get(st.Store, http.Header{"X-User-Id": {fmt.Sprintf("user-%d", n)}})
			if err != nil {
				return err
			}
			by := answer.Get("X-Served-By")
			if first == "" {
				first = by
			}
			if by != first {
				return fmt.Errorf("user %d met %s and then %s", n, first, by)
			}
		}
		if first == "canary" {
			canary++
		}
	}
	got := 100 * float64(canary) / users
	s.say("Of %d users, %d meet the canary, %.0f%%; each of them always.", users, canary, got)
	if math.Abs(got-fifth) > 8 {
		return fmt.Errorf("%.1f%% of the users meet the canary, and %d%% should", got, fifth)
	}
	return nil
}

// deployAndTakeBack deploys a change that canary-judge must fail and revert.
func (s *stage) deployAndTakeBack(change, flavour string, metrics ...string) error {
	if err := s.deploy(change); err != nil {
		return err
	}
	return s.takeBack(flavour, metrics...)
}

// shared checks which share of the requests the canary has.
func (s *stage) shared(percent float64) error {
	st, err := s.state()
	if err == nil && st.Share != percent {
		err = fmt.Errorf("the canary has %g%% of the requests, and %g%% are right", st.Share, percent)
	}
	if err == nil {
		s.say("The canary has %g%% of the requests.", percent)
	}
	return err
}

// takeBack has a broken canary judged, and checks that the flavour runs the revert.
func (s *stage) takeBack(flavour string, metrics ...string) error {
	return s.takeBackAt(0, flavour, metrics...)
}

// takeBackAt does so in a stage of a ramp.
func (s *stage) takeBackAt(stage int, flavour string, metrics ...string) error {
	head, err := s.broken(stage, metrics...)
	if err != nil {
		return err
	}
	runs, err := s.deployed(flavour)
	if err == nil && runs != head {
		err = fmt.Errorf("%s runs %s, and not the revert %s", flavour, runs, head)
	}
	return err
}

// promote deploys a good change, which must pass and go to production.
func (s *stage) promote() error {
	if err := s.deploy("good"); err != nil {
		return err
	}
	r, err := s.judge(true)
	switch {
	case err != nil:
		return err
	case r.code != pass:
		return fmt.Errorf("canary-judge exits %d, want %d: %s", r.code, pass, r.Reason)
	}
	head, err := s.git("rev-parse", "HEAD")
	if err != nil {
		return err
	}
	runs, err := s.deployed("production")
	if err == nil && runs != head {
		err = fmt.Errorf("production runs %s, and not the change %s", runs, head)
	}
	if err == nil {
		s.say("Production runs it, too.")
	}
	return err
}

// pristine checks that no request of a flavour has failed in the story.
func (s *stage) pristine(flavour string) error {
	return s.none(fmt.Sprintf(`sum(increase(http_requests_total{flavour=%q,code=~"5.."}[10m]))`, flavour), "failed requests of "+flavour)
}

// none checks that a query of Prometheus counts nothing.
func (s *stage) none(promql, what string) error {
	n, err := s.query(promql)
	if err != nil {
		return err
	}
	if n > 0 {
		return fmt.Errorf("%.0f %s", n, what)
	}
	s.say("There are no %s.", what)
	return nil
}
