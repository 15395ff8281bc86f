package postest

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// runID begins the sale IDs of one run: a real node remembers earlier ones.
var runID = func() string {
	b := make([]byte, 5)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base32.StdEncoding.EncodeToString(b)
}()

var sales atomic.Int64

// cases are the contract. Each begins with a fresh Harness that is ready.
var cases = []struct {
	name string
	body func(k *kit)
}{
	{"paid", func(k *kit) {
		p := k.ask(k.next())
		k.nothing(p)
		k.pay(p)
		k.settles(k.Rail, p, p.Quantity)
	}},

	{"asked twice, made once", func(k *kit) {
		p := k.next()
		one, two := k.ask(p), k.ask(p)
		if one.Reference != two.Reference || one.Payload != two.Payload {
			k.Fatalf("two requests for one attempt: %s and %s", one.Reference, two.Reference)
		}
		again, err := k.Rail.Ask(k.Context(), one, "Cafe #0001 2.50 EUR") // requested already, after a power cut
		if err != nil || again.Payload != one.Payload {
			k.Fatalf("asked for a payment already shown: %v", err)
		}
	}},

	{"asked by many at once, made once", func(k *kit) {
		p := k.next()
		var wg sync.WaitGroup
		seen := make(chan string, 6)
		for range cap(seen) {
			wg.Go(func() {
				if a, err := k.Rail.Ask(k.Context(), p, "Cafe"); err == nil {
					seen <- a.Payload
				}
			})
		}
		wg.Wait()
		close(seen)
		first := <-seen
		for s := range seen {
			if s != first || s == "" {
				k.Fatal("two requests for one attempt")
			}
		}
	}},

	{"two payments do not mix", func(k *kit) {
		a, b := k.ask(k.next()), k.ask(k.next())
		second := a
		second.Attempt, second.State = 2, pos.Intended
		second.ID, second.Reference, second.Payload = pos.PaymentIDOf(a.Sale, 2), "", ""
		c := k.ask(second)
		same := a.Payload == c.Payload && a.Quantity.Cmp(c.Quantity) == 0 // one address is fine, with two amounts
		if a.Reference == b.Reference || a.Reference == c.Reference || same {
			k.Fatal("two payments with one reference")
		}
		k.pay(b)
		k.settles(k.Rail, b, b.Quantity)
		k.nothing(a)
		k.nothing(c)
	}},

	{"an answer lost by a power cut", func(k *kit) { // shown to nobody, but made
		intended := k.next()
		p := k.ask(intended)
		r := k.Restart()
		k.Rail = r
		k.until("the new rail is ready", func() bool { return r.Health().Ready })
		if f := k.check(r, intended); f.Event != "" {
			k.Fatalf("found %+v", f)
		}
		if again := k.ask(intended); again.Reference != p.Reference || again.Payload != p.Payload {
			k.Fatal("the restarted till made another request for the same attempt")
		}
		k.pay(p)
		k.settles(r, intended, p.Quantity) // from the intention alone
		k.settles(r, p, p.Quantity)
	}},

	{"paid while the till was off", func(k *kit) {
		p := k.ask(k.next())
		k.Break()
		k.pay(p)
		k.Mend()
		k.settles(k.Restart(), p, p.Quantity)
	}},

	{"never asked", func(k *kit) {
		p := k.next()
		if f, err := k.Rail.Check(k.Context(), p); err == nil && f.Event == pos.Settle {
			k.Fatalf("a payment that was never asked for is %+v", f)
		}
		f, err := k.Rail.Cancel(k.Context(), p)
		if err != nil || f.Event != pos.Cancel {
			k.Fatalf("cancel of what was never made: %+v, %v", f, err)
		}
	}},

	{"cancelled", func(k *kit) {
		p := k.ask(k.next())
		for range 2 {
			f, err := k.Rail.Cancel(k.Context(), p)
			if err != nil || f.Event != pos.Cancel || f.Final != k.Withdraws {
				k.Fatalf("cancel: %+v, %v", f, err)
			}
		}
		if f := k.check(k.Rail, p); k.Withdraws && (f.Event != pos.Cancel && f.Event != pos.Expire || !f.Final) {
			k.Fatalf("after its cancellation the payment is %+v", f)
		}
		p = k.move(p, pos.Cancel)
		if f := k.check(k.Rail, p); f.Event != "" {
			k.Fatalf("told twice: %+v", f)
		}
		if _, err := k.Rail.Ask(k.Context(), p, "Cafe"); err == nil {
			k.Fatal("a cancelled attempt was asked for again")
		}
		switch err := k.Pay(p, p.Quantity); {
		case k.Withdraws && err == nil:
			k.Fatal("a withdrawn payment could be paid")
		case !k.Withdraws && err == nil:
			k.settles(k.Rail, p, p.Quantity) // late money is found
		}
	}},

	{"cancelled after it was paid", func(k *kit) {
		p := k.ask(k.next())
		k.pay(p)
		k.until("the cancellation finds the money", func() bool {
			f, err := k.Rail.Cancel(k.Context(), p)
			if err == nil && f.Event == pos.Cancel && k.Withdraws {
				k.Fatal("a paid payment was called cancelled")
			}
			if err != nil || f.Event != pos.Settle {
				return false
			}
			k.settled(f, p.Quantity)
			return true
		})
	}},

	{"expired", func(k *kit) {
		if k.Expire == nil {
			return
		}
		p := k.ask(k.next())
		k.Expire(p)
		var f pos.Finding
		k.until("the end is found", func() bool { f = k.check(k.Rail, p); return f.Event != "" })
		if f.Event != pos.Expire || f.Final != k.Withdraws {
			k.Fatalf("past its end the payment is %+v", f)
		}
		switch err := k.Pay(p, p.Quantity); {
		case k.Withdraws && err == nil:
			k.Fatal("an expired payment could be paid")
		case !k.Withdraws && err == nil:
			k.settles(k.Rail, k.move(p, pos.Expire), p.Quantity)
		}
	}},

	{"paid and then past its end", func(k *kit) {
		if k.Expire == nil {
			return
		}
		p := k.ask(k.next())
		k.pay(p)
		k.Expire(p)
		k.settles(k.Rail, p, p.Quantity)
		k.settles(k.Rail, k.move(p, pos.Expire), p.Quantity) // the till gave up too early
		k.settles(k.Rail, k.move(p, pos.Doubt), p.Quantity)
	}},

	{"overpaid", func(k *kit) {
		if !k.Overpays {
			return
		}
		p := k.ask(k.next())
		n := p.Quantity.Int()
		more, err := p.Quantity.Asset.Units(n.Add(n, p.Quantity.Int())) // twice
		if err != nil {
			k.Fatal(err)
		}
		if err := k.Pay(p, more); err != nil {
			k.Fatalf("the customer could not overpay: %v", err)
		}
		k.settles(k.Rail, p, more)
	}},

	{"some of it on its way", func(k *kit) {
		if k.Part == nil {
			return
		}
		p := k.ask(k.next())
		k.Part(p)
		var f pos.Finding
		k.until("it is seen", func() bool { f = k.check(k.Rail, p); return f.Event != "" })
		if f.Event != pos.See || f.Final {
			k.Fatalf("found %+v, want it seen", f)
		}
		if f := k.check(k.Rail, k.move(p, pos.See)); f.Event != "" || f.Final {
			k.Fatalf("told twice: %+v", f)
		}
	}},

	{"no line, no verdict", func(k *kit) {
		p, q := k.ask(k.next()), k.next()
		k.Break()
		f, err := k.Rail.Check(k.Context(), p)
		k.doubt("check", f, err)
		f, err = k.Rail.Cancel(k.Context(), p)
		k.doubt("cancel", f, err)
		a, err := k.Rail.Ask(k.Context(), q, "Cafe")
		if !reflect.DeepEqual(a, pos.Asked{}) || pos.KindOf(err) != pos.Unavailable {
			k.Fatalf("ask without a line: %+v, %v", a, err)
		}
		k.Mend()
		k.until("the line is back", func() bool { _, err := k.Rail.Check(k.Context(), p); return err == nil })
		k.nothing(p)
		k.pay(p)
		k.settles(k.Rail, p, p.Quantity)
	}},

	{"given up by its caller", func(k *kit) {
		p := k.ask(k.next())
		ctx, stop := context.WithCancel(k.Context())
		stop()
		f, err := k.Rail.Check(ctx, p)
		k.doubt("check", f, err)
		f, err = k.Rail.Cancel(ctx, p)
		k.doubt("cancel", f, err)
	}},

	{"health follows the line", func(k *kit) {
		p := k.ask(k.next())
		k.Break()
		_, _ = k.Rail.Check(k.Context(), p) // as the till does all the time: health may learn from it
		k.until("the broken line is noticed", func() bool { return !k.Rail.Health().Ready })
		if h := k.Rail.Health(); h.Reason == "" {
			k.Fatal("not ready, and no reason")
		}
		k.Mend()
		k.until("the mended line is noticed", func() bool { return k.Rail.Health().Ready })
		if h := k.Rail.Health(); h.Reason != "" || h.Asset.ID != k.Quantity.Asset.ID {
			k.Fatalf("ready, with %+v", h)
		}
	}},

	{"watched", func(k *kit) {
		p := k.ask(k.next())
		woken, end := k.watch(p)
		drain(woken, tick) // what it says on opening
		k.pay(p)
		k.wakes(woken)
		k.settles(k.Rail, p, p.Quantity)
		end()
	}},

	{"watched through a restart of the node", func(k *kit) {
		if k.RestartNode == nil {
			return
		}
		p := k.ask(k.next())
		woken, end := k.watch(p)
		k.RestartNode()
		k.until("the node is back", func() bool { _, err := k.Rail.Check(k.Context(), p); return err == nil })
		drain(woken, tick)
		k.pay(p)
		k.wakes(woken)
		k.settles(k.Rail, p, p.Quantity)
		end()
	}},

	{"not this rail's", func(k *kit) {
		p := k.next()
		p.Quantity = pos.Asset{ID: "shells", Symbol: "shell", Decimals: 2, Shown: 2}.UnitsOf(100)
		if _, err := k.Rail.Ask(k.Context(), p, "Cafe"); pos.KindOf(err) != pos.Invalid || err == nil {
			k.Fatalf("asked for shells: %v, want Invalid", err)
		}
		p = k.next()
		p.Quantity = p.Quantity.Minus(p.Quantity)
		if _, err := k.Rail.Ask(k.Context(), p, "Cafe"); pos.KindOf(err) != pos.Invalid || err == nil {
			k.Fatalf("asked for nothing: %v, want Invalid", err)
		}
	}},
}

// watch starts Watch. end stops it and waits for it.
func (k *kit) watch(p pos.Payment) (woken chan struct{}, end func()) {
	ctx, stop := context.WithCancel(k.Context())
	woken = make(chan struct{}, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.Rail.Watch(ctx, p, func() {
			select {
			case woken <- struct{}{}:
			default:
			}
		})
	}()
	k.Cleanup(stop)
	return woken, func() {
		k.Helper()
		stop()
		select {
		case <-done:
		case <-time.After(patience):
			k.Fatal("Watch outlives its context")
		}
	}
}

// wakes waits for a wake-up.
func (k *kit) wakes(woken chan struct{}) {
	k.Helper()
	select {
	case <-woken:
	case <-time.After(patience):
		k.Fatal("no wake-up")
	}
}

// drain empties woken until it has been quiet for d.
func drain(woken chan struct{}, d time.Duration) {
	for {
		select {
		case <-woken:
		case <-time.After(d):
			return
		}
	}
}
