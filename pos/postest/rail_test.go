package postest

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// toy is the simplest rail there can be, together with its node. Each lie is one
// way to be wrong about money.
type toy struct {
	lie string

	mu       sync.Mutex
	down     bool
	requests map[string]*request
	made     int
	wakers   map[int]func()
}

type request struct {
	payload  string
	asked    pos.Quantity
	received pos.Quantity
	state    string // "open", "settled", "cancelled", "expired", "part"
}

var errDown = pos.E("toy", pos.Unavailable, "nobody answers")

func (y *toy) Health() pos.Health {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.down && y.lie != "always healthy" {
		h := pos.Health{Reason: "nobody answers", Asset: pos.Bitcoin}
		if y.lie == "no reason" {
			h.Reason = ""
		}
		return h
	}
	return pos.Health{Ready: true, Asset: pos.Bitcoin}
}

func (y *toy) key(p pos.Payment) string {
	switch y.lie {
	case "one reference a sale":
		return string(p.Sale)
	case "needs the reference":
		if p.Reference == "" && p.State == pos.Intended {
			return "lost"
		}
	}
	return string(p.ID)
}

func (y *toy) Ask(_ context.Context, p pos.Payment, _ string) (pos.Asked, error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.lie != "takes anything" && (p.Quantity.Asset.ID != "BTC" || p.Quantity.IsZero()) {
		return pos.Asked{}, pos.E("toy", pos.Invalid, "cannot be paid")
	}
	if y.down && y.lie != "asks nobody" {
		return pos.Asked{}, errDown
	}
	if y.lie != "asks again" && !p.State.Open() {
		return pos.Asked{}, pos.E("toy", pos.Conflict, "over")
	}
	key := string(p.ID)
	if y.lie == "one reference a sale" {
		key = string(p.Sale)
	}
	if y.requests[key] == nil || y.lie == "asks twice" {
		y.made++
		y.requests[key] = &request{payload: fmt.Sprint("request ", y.made), asked: p.Quantity, state: "open"}
	}
	return pos.Asked{Reference: key, Payload: y.requests[key].payload, Network: "Toy", Expires: time.Now().Add(time.Minute)}, nil
}

func (y *toy) Check(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.down || ctx.Err() != nil {
		switch y.lie {
		case "doubt is unpaid":
			return pos.Finding{Event: pos.Expire, Final: true}, nil
		case "doubt is nothing":
			return pos.Finding{}, nil
		case "doubt is internal":
			return pos.Finding{}, pos.E("toy", pos.Internal, "no")
		}
		return pos.Finding{}, errDown
	}
	r := y.requests[y.key(p)]
	if r == nil {
		return pos.Finding{}, nil
	}
	f := y.finding(r)
	if q := p; f.Event != "" && y.lie != "tells twice" && q.Apply(f.Event, p.Moved) != nil {
		f.Event = ""
	}
	return f, nil
}

func (y *toy) finding(r *request) pos.Finding {
	switch r.state {
	case "settled":
		f := pos.Finding{Event: pos.Settle, Received: r.received, Final: y.lie != "never final"}
		if y.lie == "books what it asked for" {
			f.Received = r.asked
		}
		return f
	case "cancelled":
		return pos.Finding{Event: pos.Cancel, Final: y.lie != "never final"}
	case "expired":
		if y.lie == "expiry is failure" {
			return pos.Finding{Event: pos.Fail, Final: true}
		}
		return pos.Finding{Event: pos.Expire, Final: true}
	case "part":
		if y.lie == "a part is all" {
			return pos.Finding{Event: pos.Settle, Received: r.asked, Final: true}
		}
		return pos.Finding{Event: pos.See}
	}
	if y.lie == "paid at once" {
		return pos.Finding{Event: pos.Settle, Received: r.asked, Final: true}
	}
	return pos.Finding{}
}

func (y *toy) Cancel(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if (y.down || ctx.Err() != nil) && y.lie != "cancels blindly" {
		return pos.Finding{}, errDown
	}
	r := y.requests[y.key(p)]
	switch {
	case r == nil && y.lie == "cannot cancel nothing":
		return pos.Finding{}, errDown
	case r != nil && r.state == "settled" && y.lie != "cancels the paid":
		return y.finding(r), nil
	case r != nil && y.lie != "cancels in words":
		r.state = "cancelled"
	}
	return pos.Finding{Event: pos.Cancel, Final: true}, nil
}

func (y *toy) Watch(ctx context.Context, _ pos.Payment, wake func()) {
	y.mu.Lock()
	y.made++
	id := y.made
	y.wakers[id] = wake
	y.mu.Unlock()
	<-ctx.Done()
	if y.lie == "watches for ever" {
		<-time.After(time.Hour)
	}
	y.mu.Lock()
	delete(y.wakers, id)
	y.mu.Unlock()
}

// move sets the state of p's request, as the customer or time would.
func (y *toy) move(p pos.Payment, state string, q pos.Quantity) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, r := range y.requests {
		if r.payload != p.Payload {
			continue
		}
		if r.state == "cancelled" || r.state == "expired" {
			return errDown
		}
		if r.state != "settled" {
			r.state, r.received = state, q
		}
		if y.lie != "sleeps" {
			for _, wake := range y.wakers {
				wake()
			}
		}
		return nil
	}
	return errDown
}

func (y *toy) harness(testing.TB) Harness {
	return Harness{
		Rail: y, Tender: "toy", Quantity: pos.Bitcoin.UnitsOf(2000), Overpays: true, Withdraws: true,
		Pay:         func(p pos.Payment, q pos.Quantity) error { return y.move(p, "settled", q) },
		Expire:      func(p pos.Payment) { _ = y.move(p, "expired", pos.Quantity{}) },
		Part:        func(p pos.Payment) { _ = y.move(p, "part", pos.Quantity{}) },
		Break:       func() { y.mu.Lock(); y.down = true; y.mu.Unlock() },
		Mend:        func() { y.mu.Lock(); y.down = false; y.mu.Unlock() },
		RestartNode: func() {},
		Restart: func() Rail {
			y.mu.Lock()
			defer y.mu.Unlock()
			y.down = false
			if y.lie == "forgets" {
				y.requests = map[string]*request{}
			}
			return y
		},
	}
}

// verdict is a testing.TB that keeps the first failure instead of failing.
type verdict struct {
	testing.TB
	mu   sync.Mutex
	why  string
	last []func()
}

func (v *verdict) Helper()          {}
func (v *verdict) Cleanup(f func()) { v.last = append(v.last, f) }
func (v *verdict) Fatalf(format string, args ...any) {
	v.mu.Lock()
	v.why = fmt.Sprintf(format, args...)
	v.mu.Unlock()
	runtime.Goexit()
}
func (v *verdict) Fatal(args ...any) { v.Fatalf("%s", fmt.Sprint(args...)) }

// TestTheContractBites runs it over an honest rail, which must pass, and over one
// liar after another, each of which must be caught.
func TestTheContractBites(t *testing.T) {
	lies := []string{"", "always healthy", "no reason", "one reference a sale", "needs the reference", "takes anything", "asks nobody",
		"asks again", "asks twice", "doubt is unpaid", "doubt is nothing", "doubt is internal", "tells twice", "never final",
		"books what it asked for", "expiry is failure", "a part is all", "paid at once", "cancels blindly", "cannot cancel nothing",
		"cancels the paid", "cancels in words", "watches for ever", "sleeps", "forgets"}
	for _, lie := range lies {
		t.Run(strings.ReplaceAll("lie "+lie, " ", "-"), func(t *testing.T) {
			var caught []string
			for _, c := range cases {
				if why := judge(t, lie, c.body); why != "" {
					caught = append(caught, c.name+": "+why)
				}
			}
			if honest := lie == ""; honest != (len(caught) == 0) {
				t.Errorf("caught by %q", caught)
			}
		})
	}
}

// judge runs one case over one toy and returns why it failed, "" if it passed.
func judge(t *testing.T, lie string, body func(*kit)) (why string) {
	synctest.Test(t, func(t *testing.T) {
		v := &verdict{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			y := &toy{lie: lie, requests: map[string]*request{}, wakers: map[int]func(){}}
			run(v, y.harness, body)
		}()
		<-done
		for _, f := range v.last {
			f()
		}
		time.Sleep(2 * time.Hour) // whoever lingers has gone home
		v.mu.Lock()
		why = v.why
		v.mu.Unlock()
	})
	return why
}
