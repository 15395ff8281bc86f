package input

import (
	"context"
	"time"
)

// queued is how many events wait between kernel and decoder: two long scans. The
// kernel keeps what comes meanwhile, and says when it dropped some.
const queued = 4 * MaxScan

// reader reads one event device.
type reader struct {
	index  int
	path   string
	device Device
	o      Options
	ev     Events
	dec    *decoder // nil: not a scanner
	began  time.Time
	ended  time.Time
	err    error // that ended it
	synced bool  // of keys: the kernel dropped nothing since the last report
}

func newReader(i int, path string, d Device, o Options, ev Events) *reader {
	r := &reader{index: i, path: path, device: d, o: o, ev: ev, began: time.Now(), synced: true}
	if d.Kind == Scanner {
		r.dec = newDecoder(d, r.began)
	}
	return r
}

func (r *reader) lived() time.Duration { return r.ended.Sub(r.began) }

// run reads until the device or ctx ends.
func (r *reader) run(ctx context.Context) {
	events, done := make(chan Event, queued), make(chan struct{})
	go func() {
		defer close(events)
		r.err = r.pump(events, done)
	}()
	r.work(ctx, events)
	close(done)
	err := r.ev.Close() // ends ReadOne
	for range events {  // until pump is gone
	}
	if r.ended = time.Now(); r.err == nil {
		r.err = err
	}
}

// pump hands events on until the device ends or nobody wants them.
func (r *reader) pump(events chan<- Event, done <-chan struct{}) error {
	for {
		e, err := r.ev.ReadOne()
		if err != nil {
			return err
		}
		select {
		case events <- e:
		case <-done:
			return nil
		}
	}
}

// work turns events into presses and scans.
func (r *reader) work(ctx context.Context, events <-chan Event) {
	quiet := time.NewTimer(time.Hour)
	quiet.Stop()
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-events:
			if !ok {
				r.gone()
				return
			}
			r.take(e, time.Now())
			if r.dec != nil && r.dec.waits() {
				quiet.Reset(r.dec.gap)
			}
		case <-quiet.C:
			if len(events) == 0 { // else we were late, not the scanner
				r.say(r.dec.quiet(), time.Now())
			}
		}
	}
}

// take takes one event.
func (r *reader) take(e Event, now time.Time) {
	if r.dec != nil {
		for _, out := range r.dec.take(e, now) {
			r.say(out, now)
		}
		return
	}
	if key := r.pressed(e); key != "" {
		r.o.Press(Press{Device: r.device.Name, Key: key, At: now})
	}
}

// pressed returns the key that went down; "" for every other event. What comes between
// SYN_DROPPED and the next report is what is left of a flood: no press can be told from
// the release of another, so none counts (kernel: Documentation/input/event-codes.rst).
func (r *reader) pressed(e Event) string {
	if e.Type == evSyn {
		r.synced = e.Code == synReport || (r.synced && e.Code != synDropped)
		return ""
	}
	if e.Type != evKey || e.Value != down || !r.synced || e.Code == keyNumLock {
		return "" // some keypads wrap each digit in two presses of NumLock
	}
	return keyName(e.Code)
}

// gone forgets what was half read.
func (r *reader) gone() {
	if r.dec != nil && r.dec.waits() {
		r.say(outcome{why: Torn}, time.Now())
	}
}

func (r *reader) say(out outcome, now time.Time) {
	switch {
	case out.why != "":
		r.o.Lost(Lost{Device: r.device.Name, Why: out.why, At: now})
	case out.text != "":
		r.o.Scan(Scan{Device: r.device.Name, Text: out.text, At: now})
	}
}
