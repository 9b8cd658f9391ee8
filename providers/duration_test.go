package providers

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, tt := range []struct {
		text string
		want time.Duration
		bad  string // of the error
	}{
		{"0", 0, ""},
		{"0s", 0, ""},
		{"90s", 90 * time.Second, ""},
		{" 30m ", 30 * time.Minute, ""},
		{"1h30m", 90 * time.Minute, ""},
		{"1d", day, ""},
		{"2w1d", 15 * day, ""},
		{"250ms", 250 * time.Millisecond, ""},
		{"1.5h", 90 * time.Minute, ""},
		{"1.001s", 1001 * time.Millisecond, ""}, // in floating point this is a nanosecond less
		{"0.29s", 290 * time.Millisecond, ""},
		{"1m0.5s", 60500 * time.Millisecond, ""},
		{"7us", 7 * time.Microsecond, ""},
		{"7µs", 7 * time.Microsecond, ""},
		{"0.007us", 7, ""},
		{"0.0004us", 0, ""},
		{"1w2d3h4m5s6ms7.008us", 9*day + 3*time.Hour + 4*time.Minute + 5*time.Second + 6*time.Millisecond + 7*time.Microsecond + 8, ""},
		{"36500d", 36500 * day, ""},
		{"", 0, "want a length of time with its unit, such as 90s, 30m or 1d"},
		{"90", 0, `"90": want a length of time with its unit`},
		{"s", 0, "want a length"},
		{"-5s", 0, "want a length"},
		{"5 s", 0, "want a length"},
		{"5y", 0, "want a length"},
		{"5ns", 0, "want a length"},
		{"5S", 0, "want a length"},
		{".5s", 0, "want a length"},
		{"5.s", 0, "want a length"},
		{"1e3s", 0, "want a length"},
		{"∞", 0, "want a length"},
		{"5m1h", 0, "each unit once, the largest first"},
		{"5m5m", 0, "each unit once"},
		{"5us5µs", 0, "each unit once"},
		{"36501d", 0, "longer than a hundred years"},
		{"36500d0.001us", 0, "longer than a hundred years"},
		{"99999999999999999999s", 0, "longer than a hundred years"},
	} {
		got, err := ParseDuration(tt.text)
		if got != tt.want || (err == nil) != (tt.bad == "") || err != nil && !strings.Contains(err.Error(), tt.bad) {
			t.Errorf("%q: %s, %v; want %s, %q", tt.text, got, err, tt.want, tt.bad)
		}
	}
}

// All lengths of whole milliseconds below 100 s, as a config may write them.
func TestDecimalsAreExact(t *testing.T) {
	t.Parallel()
	for ms := range 100_000 {
		text := fmt.Sprintf("%d.%03ds", ms/1000, ms%1000)
		if got, err := ParseDuration(text); err != nil || got != time.Duration(ms)*time.Millisecond {
			t.Fatalf("%s: %s, %v", text, got, err)
		}
	}
}

func TestDurationText(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{
		"0s": 0, "1m30s": 90 * time.Second, "1d": 24 * time.Hour, "2w": 14 * 24 * time.Hour, "250ms": 250 * time.Millisecond,
		"1s0.001us": time.Second + 1, "1.500us": 1500, "7us": 7 * time.Microsecond, "-1m0s": -time.Minute,
	} {
		if got := Duration(d).String(); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
	var d Duration
	if err := d.UnmarshalText([]byte("1h")); err != nil || d != Duration(time.Hour) {
		t.Errorf("%s, %v", d, err)
	}
	if err := d.UnmarshalText([]byte("soon")); err == nil {
		t.Errorf("soon is %s", d)
	}
	if text, err := Duration(time.Hour).MarshalText(); string(text) != "1h" || err != nil {
		t.Errorf("%s, %v", text, err)
	}
}

// What is accepted is written in a form that gives it again, and fits the pattern
// of the JSON Schema.
func FuzzParseDuration(f *testing.F) {
	for _, text := range []string{"0", "90s", "1h30m", "1d", "1.5h", "250ms", "7µs", "1w2d3h4m5s6ms7.008us", "36500d", "0.0000001s", "9223372036.854775807s", "-1s", "1e9s"} {
		f.Add(text)
	}
	pattern := regexp.MustCompile("^(" + Duration(0).Pattern() + ")$")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDuration(text)
		if err != nil {
			return
		}
		if d < 0 || d > longestDuration {
			t.Errorf("%q: %s", text, d)
		}
		if !pattern.MatchString(strings.TrimSpace(text)) {
			t.Errorf("%q is accepted and does not fit the pattern", text)
		}
		if again, err := ParseDuration(Duration(d).String()); err != nil || again != d {
			t.Errorf("%q is %d ns, written as %q, which is %d ns, %v", text, d, Duration(d), again, err)
		}
	})
}

func FuzzDurationText(f *testing.F) {
	for _, n := range []int64{0, 1, 999, 1e9, 90e9, 86400e9, 1<<61 - 1} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n int64) {
		if n &= 1<<61 - 1; n > int64(longestDuration) {
			return
		}
		if got, err := ParseDuration(Duration(n).String()); err != nil || got != time.Duration(n) {
			t.Errorf("%d ns was written as %q, which is %d ns, %v", n, Duration(n), got, err)
		}
	})
}
