package main

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"storedog/internal/service"
)

// share returns the percentage of 10,000 users who have a flag.
func share(f featureFlag) float64 {
	n := 0
	for i := range 10_000 {
		if f.on(fmt.Sprintf("user-%d", i)) {
			n++
		}
	}
	return float64(n) / 100
}

func TestFlagShare(t *testing.T) {
	t.Parallel()
	for _, want := range []float64{0, 1, 20, 50, 99, 100} {
		// The standard deviation is at most 0.5 points.
		if got := share(featureFlag{newBannerFlag, want}); math.Abs(got-want) > 2 {
			t.Errorf("%v %% of the users have a flag that %v %% should have", got, want)
		}
	}
}

func TestFlagIsStable(t *testing.T) {
	t.Parallel()
	small, large := featureFlag{newBannerFlag, 20}, featureFlag{newBannerFlag, 40}
	other := featureFlag{"old-banner", 20}
	both := 0
	for i := range 10_000 {
		user := fmt.Sprintf("user-%d", i)
		if small.on(user) != small.on(user) {
			t.Fatalf("%s has the flag at one time and not at another", user)
		}
		if small.on(user) && !large.on(user) {
			t.Fatalf("%s loses the flag when more users get it", user)
		}
		if small.on(user) && other.on(user) {
			both++
		}
	}
	// Independent flags of 20 % have 4 % of the users in common.
	if both < 300 || both > 500 {
		t.Errorf("%d of 10000 users have both flags, want about 400", both)
	}
	// The same users after each start, on every machine. In Python, from the definition
	// of FNV-1a: h = 0xcbf29ce484222325; for each byte b of b"new-banner\0user-1":
	// h = ((h ^ b) * 0x100000001b3) % 2**64; the user has the flag if h % 10000 < 2000.
	if got, want := cohort(small, 20), "user-12 user-18 user-20"; got != want {
		t.Errorf("of the first 20 users, %s have the flag, want %s", got, want)
	}
}

// cohort names those of the first users who have a flag.
func cohort(f featureFlag, users int) string {
	var names []string
	for i := 1; i <= users; i++ {
		if user := fmt.Sprintf("user-%d", i); f.on(user) {
			names = append(names, user)
		}
	}
	return strings.Join(names, " ")
}

func TestFlagIsForUsersOnly(t *testing.T) {
	t.Parallel()
	if (featureFlag{newBannerFlag, 100}).on("") {
		t.Error("nobody has the flag")
	}
}

// TestFlagHeader checks that the store believes nobody else about the flag.
func TestFlagHeader(t *testing.T) {
	t.Parallel()
	for _, share := range []float64{0, 100} {
		handler := featureFlag{newBannerFlag, share}.mark(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			want := ""
			if share == 100 {
				want = newBannerFlag
			}
			if got := r.Header.Get(service.FlagHeader); got != want {
				t.Errorf("the flag is %q for a share of %v, want %q", got, share, want)
			}
		}))
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Header.Set(service.UserHeader, "user-1")
		r.Header.Set(service.FlagHeader, "another")
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
}

func TestParseShare(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"": 0, "0": 0, "20": 20, "0.5": 0.5, "100": 100} {
		if got, err := parseShare(text); err != nil || got != want {
			t.Errorf("%q is %v (%v), want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"-1", "101", "20%", "NaN", "some"} {
		if got, err := parseShare(text); err == nil {
			t.Errorf("%q is %v, want an error", text, got)
		}
	}
}
