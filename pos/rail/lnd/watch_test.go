package lnd

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

// watched counts the wake-ups of p.
func watched(t *testing.T, r *Rail, p pos.Payment) *atomic.Int64 {
	var woken atomic.Int64
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.Watch(ctx, p, func() { woken.Add(1) }) }()
	t.Cleanup(func() { stop(); <-done })
	synctest.Wait()
	return &woken
}

func streams(node *lndtest.Node) int { return node.Calls("SubscribeSingleInvoice") }

// TestWatchWakes: at once on opening (the present state), and at once on payment.
func TestWatchWakes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		node := lndtest.New(t, lndtest.Options{})
		r := railBefore(t, node)
		p := requested(t, r, 1)
		woken := watched(t, r, p)
		if woken.Load() != 1 {
			t.Fatalf("%d wake-ups on opening", woken.Load())
		}
		at := time.Now()
		if err := node.Pay(p.Payload, 4_300_000); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if woken.Load() != 2 || !time.Now().Equal(at) {
			t.Fatalf("%d wake-ups, %v after the payment", woken.Load(), time.Since(at))
		}
		time.Sleep(time.Hour) // the stream has told its last: it is not opened in a frenzy
		if n := streams(node); n > 150 {
			t.Errorf("%d streams in an hour for a settled invoice", n)
		}
	})
}

// TestWatchReopens lets the stream die in each way: in order with the node, with
// the line, half-open, silent.
func TestWatchReopens(t *testing.T) {
	for name, hurt := range map[string]func(*lndtest.Node){
		"restart":   (*lndtest.Node).Restart,
		"line":      func(n *lndtest.Node) { n.Cut(); time.Sleep(time.Minute); n.Start() },
		"half-open": func(n *lndtest.Node) { n.Freeze(); time.Sleep(2 * time.Minute); n.Thaw() },
		"silence":   func(*lndtest.Node) { time.Sleep(silence) },
		"refused": func(n *lndtest.Node) {
			n.Always("SubscribeSingleInvoice", lndtest.Refuse(500, 2, "permission denied"))
			n.Restart()
			time.Sleep(time.Minute)
			n.Clear()
		},
		"proxy": func(n *lndtest.Node) {
			n.Always("SubscribeSingleInvoice", lndtest.HTML)
			n.Restart()
			time.Sleep(time.Minute)
			n.Clear()
		},
		"endless line": func(n *lndtest.Node) { n.Next("SubscribeSingleInvoice", lndtest.Huge); n.Restart() },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				node := lndtest.New(t, lndtest.Options{})
				r := railBefore(t, node)
				p := requested(t, r, 1)
				woken := watched(t, r, p)
				opened := streams(node)
				hurt(node)
				time.Sleep(retryLast*6/5 + time.Second)
				synctest.Wait()
				if streams(node) == opened {
					t.Fatal("not opened again")
				}
				if n := streams(node) - opened; n > 20 {
					t.Errorf("opened %d times", n)
				}
				before := woken.Load()
				if before < 2 {
					t.Errorf("%d wake-ups: nobody would have looked at what was missed", before)
				}
				if err := node.Pay(p.Payload, 4_300_000); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if woken.Load() == before {
					t.Error("paid, and no wake-up")
				}
			})
		})
	}
}

// TestWatchUnknownHash: nothing ever comes, not even headers. That is no verdict,
// and no connection is held for ever.
func TestWatchUnknownHash(t *testing.T) {
	bubble(t, func(t *testing.T) {
		node := lndtest.New(t, lndtest.Options{})
		r := railBefore(t, node)
		woken := watched(t, r, intended(1))
		time.Sleep(10 * time.Minute)
		if woken.Load() < 5 {
			t.Errorf("%d wake-ups in ten minutes: a stream that is opened anew must be followed by a look", woken.Load())
		}
		if n := streams(node); n < 5 || n > 12 {
			t.Errorf("opened %d times in ten minutes", n)
		}
	})
}

// TestWatchHasBounds: more payments than streams; all are woken in their turn, and
// the calls that decide still get through.
func TestWatchHasBounds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		node := lndtest.New(t, lndtest.Options{})
		r := railBefore(t, node)
		var payments []pos.Payment
		for i := range maxStreams + 4 {
			p := requested(t, r, i+1)
			payments = append(payments, p)
			watched(t, r, p)
		}
		if n := streams(node); n != maxStreams {
			t.Errorf("%d streams, want %d", n, maxStreams)
		}
		for _, p := range payments {
			if f := found(t, r, p); f.Event != "" {
				t.Errorf("found %+v", f)
			}
		}
	})
}

// TestWatchEnds with its context, whatever it is at.
func TestWatchEnds(t *testing.T) {
	for name, prepare := range map[string]func(n *lndtest.Node, r *Rail, p *pos.Payment){
		"streaming":    func(*lndtest.Node, *Rail, *pos.Payment) {},
		"no node":      func(_ *lndtest.Node, r *Rail, _ *pos.Payment) { r.node.Store(nil) },
		"no line":      func(n *lndtest.Node, _ *Rail, _ *pos.Payment) { n.Cut() },
		"frozen":       func(n *lndtest.Node, _ *Rail, _ *pos.Payment) { n.Freeze() },
		"not our hash": func(_ *lndtest.Node, _ *Rail, p *pos.Payment) { p.Reference = "x" },
		"full": func(_ *lndtest.Node, r *Rail, _ *pos.Payment) {
			for range maxStreams {
				r.node.Load().streams <- struct{}{}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				node := lndtest.New(t, lndtest.Options{})
				r := railBefore(t, node)
				p := requested(t, r, 1)
				prepare(node, r, &p)
				ctx, stop := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { defer close(done); r.Watch(ctx, p, func() {}) }()
				time.Sleep(10 * time.Second)
				at := time.Now()
				stop()
				<-done
				if d := time.Since(at); d > time.Second {
					t.Errorf("ended %v after its context", d)
				}
				node.Thaw()
			})
		})
	}
}
