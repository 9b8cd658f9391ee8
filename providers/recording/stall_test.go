package recording

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/canary-judge/canary-judge/analysis"
)

// tape is a disk in memory, that fills, or stops.
type tape struct {
	strings.Builder
	room    int           // bytes that fit; less than 0 for any number
	stalled chan struct{} // unless nil, Sync waits for it
	closed  bool
}

func (d *tape) Write(p []byte) (int, error) {
	if d.room >= 0 && d.Len()+len(p) > d.room {
		n, _ := d.Builder.Write(p[:max(0, d.room-d.Len())])
		return n, syscall.ENOSPC
	}
	return d.Builder.Write(p)
}

func (d *tape) Sync() error {
	if d.stalled != nil {
		<-d.stalled
	}
	return nil
}

func (d *tape) Close() error { d.closed = true; return nil }
func (d *tape) Name() string { return "tape" }

// written is what a run of five looks leaves on a tape, and its first error.
func written(d *tape) (err error) {
	w := &Writer{file: d, to: d}
	err = w.write(Header{Format: Format})
	for look := 1; look <= 5; look++ {
		at := time.Date(2026, 11, 23, 10, look, 0, 0, time.UTC)
		err = errors.Join(err, w.Point(Point{Time: at, Metric: "p95", Arm: "canary", Sample: analysis.ValueSample(float64(look))}))
		if err = errors.Join(err, w.Look(look, at.Add(time.Minute))); err != nil {
			break
		}
	}
	_ = w.Close(End{Why: "error"})
	return err
}

// Wherever the disk fills, that is an error, and the recording can be read up to there.
func TestADiskThatFills(t *testing.T) {
	t.Parallel()
	whole := &tape{room: -1}
	if err := written(whole); err != nil {
		t.Fatal(err)
	}
	for room := range whole.Len() - len(`{"end":"error"}`) - 1 {
		d := &tape{room: room}
		err := written(d)
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "append to the recording tape") {
			t.Fatalf("%d bytes: error %v", room, err)
		}
		if !strings.HasPrefix(whole.String(), d.String()) {
			t.Fatalf("%d bytes: the tape holds %q", room, d.String())
		}
		r, err := Read(strings.NewReader(d.String()))
		if header := strings.Index(whole.String(), "\n"); room < header {
			continue // not even the first line
		}
		if err != nil {
			t.Fatalf("%d bytes: %v", room, err)
		}
		if want := strings.Count(d.String(), `{"look":`); !r.Judged.IsZero() && r.Judged.Minute() > want+1 {
			t.Errorf("%d bytes: judged to %s of %d looks", room, r.Judged, want)
		}
	}
}

// A disk that takes nothing any more holds up a run for a while, and is left alone then.
func TestADiskThatStalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &tape{room: -1}
		w := &Writer{file: d, to: d}
		at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
		if err := errors.Join(w.write(Header{Format: Format}), w.Look(1, at)); err != nil {
			t.Fatal(err)
		}
		d.stalled = make(chan struct{})
		began := time.Now()
		err := w.Look(2, at.Add(time.Minute))
		if want := fmt.Sprintf("append to the recording tape: the disk has not taken what was written for %s", patience); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		for _, err := range []error{w.Look(3, at), w.Close(End{Why: "error"}), w.Abandon()} {
			if err == nil || strings.Count(err.Error(), "has not taken") == 0 {
				t.Errorf("error %v", err)
			}
		}
		if took := time.Since(began); took != patience {
			t.Errorf("it took %s", took)
		}
		close(d.stalled)
		synctest.Wait()
		if r, err := Read(strings.NewReader(d.String())); err != nil || !r.Judged.Equal(at.Add(time.Minute)) {
			t.Errorf("%v, %v", r, err)
		}
	})
}
