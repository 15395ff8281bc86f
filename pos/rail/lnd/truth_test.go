package lnd

import (
	"context"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

// TestLostAddAnswer loses the answer to AddInvoice in every way. The invoice is
// there, nobody knows it, and the next Ask must find that one, not make another.
func TestLostAddAnswer(t *testing.T) {
	for name, spoil := range map[string]lndtest.Fault{
		"lost": lndtest.LoseAnswer, "cut short": lndtest.CutShort, "slow": lndtest.Slow(time.Minute),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				node := lndtest.New(t, lndtest.Options{})
				r := railBefore(t, node)
				node.Always("AddInvoice", spoil)
				p := intended(1)
				a, err := r.Ask(t.Context(), p, "Cafe #0001 2.50 EUR")
				if name != "lost" && (pos.KindOf(err) != pos.Unavailable || !reflect.DeepEqual(a, pos.Asked{})) {
					t.Fatalf("got %+v, %v", a, err)
				}
				node.Clear()
				p = requested(t, r, 1)
				if node.Invoices() != 1 {
					t.Fatalf("%d invoices for one attempt", node.Invoices())
				}
				if err := node.Pay(p.Payload, 4_300_000); err != nil {
					t.Fatal(err)
				}
				if f := found(t, r, intended(1)); f.Event != pos.Settle {
					t.Errorf("found %+v", f)
				}
			})
		})
	}
}

// TestLostCancelAnswer: the node has cancelled and could not say so. That is doubt,
// and the next answer ends it.
func TestLostCancelAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		node := lndtest.New(t, lndtest.Options{})
		r := railBefore(t, node)
		p := requested(t, r, 1)
		node.Always("CancelInvoice", lndtest.LoseAnswer)
		f, err := r.Cancel(t.Context(), p)
		doubtful(t, "cancel", f, err)
		node.Clear()
		p = moved(t, p, pos.Doubt)
		if f := found(t, r, p); f.Event != pos.Cancel || !f.Final {
			t.Errorf("found %+v", f)
		}
	})
}

// TestDeletionTrap: with gc-canceled-invoices-on-the-fly a cancelled invoice is
// gone, and the node takes its preimage again. The till must not ask again, and
// must not call gone what it did not itself see cancelled.
func TestDeletionTrap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		node := lndtest.New(t, lndtest.Options{})
		node.DeleteCanceled()
		r := railBefore(t, node)
		p, keep := requested(t, r, 1), requested(t, r, 2)
		if f, err := r.Cancel(t.Context(), p); err != nil || f.Event != pos.Cancel {
			t.Fatalf("cancel: %+v, %v", f, err)
		}
		if f := found(t, r, p); f.Event != pos.Cancel || !f.Final {
			t.Errorf("our own cancellation, and then: %+v", f)
		}
		if f, err := r.Cancel(t.Context(), p); err != nil || f.Event != pos.Cancel {
			t.Errorf("cancelled again: %+v, %v", f, err)
		}
		for _, state := range []pos.State{pos.Intended, pos.Requested, pos.Cancelled, pos.Expired, pos.Unknown} {
			q := p
			q.State = state
			if _, err := r.Ask(t.Context(), q, "Cafe"); pos.KindOf(err) != pos.Conflict {
				t.Errorf("asked again while %s: %v", state, err)
			}
		}
		if node.Invoices() != 1 {
			t.Errorf("%d invoices, want the other one alone", node.Invoices())
		}

		node.Advance(301 * time.Second) // ends keep, and deletes it: nobody told the till
		f, err := r.Check(t.Context(), keep)
		doubtful(t, "check of what the node forgot", f, err)
		f, err = r.Cancel(t.Context(), keep)
		doubtful(t, "cancel of what the node forgot", f, err)
		if _, err := r.Ask(t.Context(), keep, "Cafe #0001 2.50 EUR"); pos.KindOf(err) != pos.Unavailable || node.Invoices() != 0 {
			t.Errorf("asked for what the node forgot: %v, %d invoices", err, node.Invoices())
		}
		if h, _ := r.examine(t.Context(), r.node.Load()); !strings.Contains(strings.Join(h.Notices, " "), "gc-canceled-invoices-on-the-fly") {
			t.Errorf("the owner is not told: %v", h.Notices)
		}

		restarted := railBefore(t, node) // remembers nothing; the records do
		for _, state := range []pos.State{pos.Cancelled, pos.Expired} {
			q := p
			q.State = state
			if f := found(t, restarted, q); f.Event != "" || !f.Final {
				t.Errorf("%s before the restart: %+v", state, f)
			}
			if f, err := restarted.Cancel(t.Context(), q); err != nil || f.Event != pos.Cancel {
				t.Errorf("%s before the restart, cancelled: %+v, %v", state, f, err)
			}
			if _, err := restarted.Ask(t.Context(), q, "Cafe"); pos.KindOf(err) != pos.Conflict {
				t.Errorf("%s before the restart, asked: %v", state, err)
			}
		}
	})
}

// TestUnknownHash walks every state of a payment whose hash the node does not know.
func TestUnknownHash(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{})
	r := railBefore(t, node)
	shown := requested(t, r, 1)
	requested(t, r, 2)
	node.Forget() // a database that was put back
	for _, virgin := range []bool{true, false} {
		if !virgin {
			requested(t, r, 3) // now the node has an invoice, and other words
		}
		for _, tt := range []struct {
			state pos.State
			shown bool
			check string // event, "doubt", or "" for nothing new
			ends  bool   // Cancel says Cancel
		}{
			{pos.Intended, false, "", true},
			{pos.Unknown, false, "cancel", true},
			{pos.Requested, true, "doubt", false},
			{pos.Seen, true, "doubt", false},
			{pos.Unknown, true, "doubt", false},
			{pos.Cancelled, true, "", true},
			{pos.Expired, true, "", true},
			{pos.Failed, true, "doubt", false},
		} {
			p := intended(1)
			if tt.shown {
				p = shown
			}
			p.State = tt.state
			f, err := r.Check(t.Context(), p)
			switch {
			case tt.check == "doubt":
				doubtful(t, string(tt.state), f, err)
			case err != nil || string(f.Event) != tt.check || f.Event == pos.Settle:
				t.Errorf("%s: %+v, %v, want %q", tt.state, f, err, tt.check)
			}
			f, err = r.Cancel(t.Context(), p)
			switch {
			case !tt.ends:
				doubtful(t, "cancel "+string(tt.state), f, err)
			case err != nil || f.Event != pos.Cancel || !f.Final:
				t.Errorf("cancel %s: %+v, %v", tt.state, f, err)
			}
		}
	}
}

// TestFindingsMovePayments checks a settled, a cancelled, an expired and a held
// invoice from every state: money is always told of, and no event is told that the
// payment's life forbids.
func TestFindingsMovePayments(t *testing.T) {
	states := []pos.State{pos.Intended, pos.Requested, pos.Seen, pos.Accepted, pos.Unknown, pos.Cancelled, pos.Expired, pos.Failed, pos.Settled}
	ends := map[string]func(node *lndtest.Node, p pos.Payment){
		"settled":   func(n *lndtest.Node, p pos.Payment) { _ = n.Pay(p.Payload, 4_300_000) },
		"cancelled": func(n *lndtest.Node, p pos.Payment) {},
		"expired":   func(n *lndtest.Node, p pos.Payment) { n.Advance(300 * time.Second) },
		"held":      func(n *lndtest.Node, p pos.Payment) { _ = n.PayPart(p.Payload, 1000) },
	}
	for name, end := range ends {
		bubble(t, func(t *testing.T) {
			node := lndtest.New(t, lndtest.Options{})
			r := railBefore(t, node)
			p := requested(t, r, 1)
			end(node, p)
			if name == "cancelled" {
				if _, err := r.Cancel(t.Context(), p); err != nil {
					t.Fatal(err)
				}
			}
			for _, s := range states {
				q := p
				q.State = s
				f := found(t, r, q)
				if f.Event != "" && q.Apply(f.Event, time.Now()) != nil {
					t.Errorf("%s while %s: %s is forbidden", name, s, f.Event)
				}
				if name == "settled" && (s != pos.Settled && f.Event != pos.Settle || f.Received.Cmp(p.Quantity) != 0) {
					t.Errorf("settled while %s: %+v", s, f)
				}
				if f.Final != (name != "held") {
					t.Errorf("%s while %s: final is %v", name, s, f.Final)
				}
				if name == "held" && (s == pos.Requested || s == pos.Unknown) && f.Event != pos.See {
					t.Errorf("held while %s: %+v", s, f)
				}
			}
		})
	}
}

// TestHeldParts: parts are held 120 s without an event, then go back; the invoice
// stays open. A cancellation gives them back at once.
func TestHeldParts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		node := lndtest.New(t, lndtest.Options{})
		r := railBefore(t, node)
		p := requested(t, r, 1)
		if err := node.PayPart(p.Payload, 4_000_000); err != nil {
			t.Fatal(err)
		}
		if f := found(t, r, p); f.Event != pos.See || f.Final {
			t.Fatalf("held: %+v", f)
		}
		time.Sleep(121 * time.Second)
		if f := found(t, r, p); f.Event != "" || f.Final {
			t.Fatalf("given back: %+v", f)
		}
		for _, part := range []int64{2_000_000, 2_300_000} {
			if err := node.PayPart(p.Payload, part); err != nil {
				t.Fatal(err)
			}
		}
		if f := found(t, r, p); f.Event != pos.Settle || f.Received.Cmp(p.Quantity) != 0 {
			t.Fatalf("whole: %+v", f)
		}
		q := requested(t, r, 2)
		if err := node.PayPart(q.Payload, 1000); err != nil {
			t.Fatal(err)
		}
		if f, err := r.Cancel(t.Context(), q); err != nil || f.Event != pos.Cancel {
			t.Fatalf("cancelled while held: %+v, %v", f, err)
		}
	})
}

// TestUnderpaid: lnd refuses less than was asked, so nothing is found.
func TestUnderpaid(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{})
	r := railBefore(t, node)
	p := requested(t, r, 1)
	if err := node.Pay(p.Payload, 4_299_999); err == nil {
		t.Fatal("the node took less")
	}
	if f := found(t, r, p); f.Event != "" {
		t.Errorf("found %+v", f)
	}
}

// TestExpiryIsTheNodesClock: the till's clock stands years off. The node's decides
// what an end was, and the countdown is right all the same.
func TestExpiryIsTheNodesClock(t *testing.T) {
	for _, ahead := range []time.Duration{-40 * 365 * 24 * time.Hour, 3 * time.Hour} {
		bubble(t, func(t *testing.T) {
			node := lndtest.New(t, lndtest.Options{})
			node.Advance(-ahead)
			node.RenewCertificate(10_080 * time.Hour)
			r := railBefore(t, node)
			p := requested(t, r, 1)
			if left := time.Until(p.Expires); left < 297*time.Second || left > 303*time.Second {
				t.Errorf("the till is %v ahead: the customer is shown %v", ahead, left)
			}
			q := requested(t, r, 2)
			if f, err := r.Cancel(t.Context(), q); err != nil || f.Event != pos.Cancel {
				t.Fatalf("cancel: %+v, %v", f, err)
			}
			if f := found(t, r, q); f.Event != pos.Cancel {
				t.Errorf("cancelled before its end: %+v", f)
			}
			node.Advance(301 * time.Second)
			if f := found(t, r, p); f.Event != pos.Expire || !f.Final {
				t.Errorf("past its end: %+v", f)
			}
			if h, _ := r.examine(t.Context(), r.node.Load()); !strings.Contains(strings.Join(h.Notices, " "), "clocks") {
				t.Errorf("nobody is told of the clocks: %v", h.Notices)
			}
		})
	}
}

// TestWrongInvoice lets the node (or somebody before it) answer with an invoice
// that is not the one asked for. It is cancelled and never shown.
func TestWrongInvoice(t *testing.T) {
	change := map[string]func(a map[string]any, mine, other string){
		"another's":     func(a map[string]any, _, other string) { a["payment_request"] = other },
		"none":          func(a map[string]any, _, _ string) { a["payment_request"] = "" },
		"cut":           func(a map[string]any, mine, _ string) { a["payment_request"] = mine[:200] },
		"not a string":  nil,
		"with a scheme": func(a map[string]any, mine, _ string) { a["payment_request"] = "lightning:" + mine },
	}
	n := 0
	for name, how := range change {
		if how == nil {
			continue
		}
		n++
		node := lndtest.New(t, lndtest.Options{})
		r := railBefore(t, node)
		other := requested(t, r, 100)
		node.Next("AddInvoice", lndtest.Tamper(func(a map[string]any) { how(a, a["payment_request"].(string), other.Payload) }))
		p := intended(n)
		a, err := r.Ask(t.Context(), p, "Cafe #0001 2.50 EUR")
		if !reflect.DeepEqual(a, pos.Asked{}) || pos.KindOf(err) != pos.Conflict {
			t.Errorf("%s: got %+v, %v", name, a, err)
		}
		if f := found(t, r, moved(t, p, pos.Doubt)); f.Event != pos.Cancel {
			t.Errorf("%s: the wrong invoice is still there: %+v", name, f)
		}
		if _, err := r.Ask(t.Context(), p, "Cafe"); pos.KindOf(err) != pos.Conflict {
			t.Errorf("%s: asked again: %v", name, err)
		}
	}
}

// TestWrongInvoiceStays: when the wrong invoice cannot be cancelled, that is said.
func TestWrongInvoiceStays(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{})
	r := railBefore(t, node)
	node.Next("AddInvoice", lndtest.Tamper(func(a map[string]any) { a["payment_request"] = "lnsb1" }))
	node.Next("CancelInvoice", lndtest.HTML)
	if _, err := r.Ask(t.Context(), intended(1), "Cafe"); pos.KindOf(err) != pos.Internal {
		t.Errorf("got %v, want Internal", err)
	}
}

// TestShownInvoiceStays: an invoice that the customer sees is not cancelled because
// a later Ask has another memo, or options have changed.
func TestShownInvoiceStays(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{})
	r := railBefore(t, node)
	p := requested(t, r, 1)
	if _, err := r.Ask(t.Context(), p, "another memo"); pos.KindOf(err) != pos.Internal {
		t.Errorf("got %v", err)
	}
	if err := node.Pay(p.Payload, 4_300_000); err != nil {
		t.Errorf("the invoice was withdrawn from under the customer: %v", err)
	}
}

// TestAskAfterPaid: the payment is only intended by its record, and paid by the
// node's. That must not fail for good, or nobody would look again.
func TestAskAfterPaid(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{})
	r := railBefore(t, node)
	p := requested(t, r, 1)
	if err := node.Pay(p.Payload, 4_300_000); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Ask(t.Context(), intended(1), "Cafe #0001 2.50 EUR"); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("got %v, want Unavailable", err)
	}
	if f, err := r.Cancel(t.Context(), intended(1)); err != nil || f.Event != pos.Settle || f.Received.Cmp(p.Quantity) != 0 {
		t.Errorf("cancel: %+v, %v", f, err)
	}
}

// TestAskAfterItsEnd: the attempt was made, never shown, and has ended meanwhile.
// Its code is of no use; the cashier begins anew.
func TestAskAfterItsEnd(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{})
	r := railBefore(t, node)
	requested(t, r, 1)
	node.Advance(301 * time.Second)
	if a, err := r.Ask(t.Context(), intended(1), "Cafe #0001 2.50 EUR"); pos.KindOf(err) != pos.Conflict || !reflect.DeepEqual(a, pos.Asked{}) {
		t.Errorf("got %+v, %v, want Conflict", a, err)
	}
}

// TestAskOnTheWrongChain: test money is no money.
func TestAskOnTheWrongChain(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{Network: "testnet"})
	r := railBefore(t, node)
	if a, err := r.Ask(t.Context(), intended(1), "Cafe"); pos.KindOf(err) != pos.Unavailable || !reflect.DeepEqual(a, pos.Asked{}) {
		t.Errorf("got %+v, %v", a, err)
	}
	if node.Invoices() != 0 {
		t.Error("an invoice was made")
	}
	node.SetInfo("identity_pubkey", "02")
	if _, err := railBefore(t, node, func(o *Options) { o.Network = "" }).Ask(t.Context(), intended(1), "Cafe"); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("a node without a name: %v", err)
	}
}

// TestSettledWhileItCannotBeRead: "already settled", and then no amount. That is
// not booked with a guess.
func TestSettledWhileItCannotBeRead(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{})
	r := railBefore(t, node)
	p := requested(t, r, 1)
	if err := node.Pay(p.Payload, 4_300_000); err != nil {
		t.Fatal(err)
	}
	node.Next("LookupInvoice", lndtest.HTML)
	f, err := r.Cancel(t.Context(), p)
	doubtful(t, "cancel", f, err)
}

// TestPrivateChannels: with only private channels an invoice without a hint cannot
// be paid, and lnd says nothing.
func TestPrivateChannels(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{})
	r := railBefore(t, node, func(o *Options) { o.Private = true })
	requested(t, r, 1)
	node.NoHints()
	if _, err := r.Ask(t.Context(), intended(2), "Cafe"); pos.KindOf(err) != pos.Conflict {
		t.Errorf("got %v", err)
	}
}

// TestReceivable: more than the node can receive is refused before anything is made.
func TestReceivable(t *testing.T) {
	bubble(t, func(t *testing.T) {
		node := lndtest.New(t, lndtest.Options{})
		r := railBefore(t, node)
		r.SetReceivable(pos.Bitcoin.UnitsOf(4_299_000), time.Now())
		if _, err := r.Ask(t.Context(), intended(1), "Cafe"); pos.KindOf(err) != pos.Conflict || !strings.Contains(err.Error(), "4299 sat") {
			t.Errorf("got %v", err)
		}
		if node.Invoices() != 0 {
			t.Error("an invoice was made all the same")
		}
		r.SetReceivable(pos.Bitcoin.UnitsOf(4_300_000), time.Now())
		requested(t, r, 2)
		r.SetReceivable(pos.Bitcoin.UnitsOf(1), time.Now())
		if h, _ := r.examine(t.Context(), r.node.Load()); h.Ready {
			t.Error("ready, and cannot receive a satoshi")
		}
		time.Sleep(receivableFor + time.Second) // too old to rely on
		requested(t, r, 3)
		if h, _ := r.examine(t.Context(), r.node.Load()); !h.Ready {
			t.Errorf("an old word keeps the till closed: %+v", h)
		}
	})
}

// TestIdentities: a payment whose fields disagree, or that another secret made, is
// not asked about under a wrong hash.
func TestIdentities(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{})
	r := railBefore(t, node)
	shown := requested(t, r, 1)
	stranger := shown
	stranger.Reference = strings.Repeat("ab", 32)
	for name, tt := range map[string]struct {
		p    pos.Payment
		kind pos.Kind
	}{
		"no attempt":     {pos.Payment{ID: "SALE000000001-0", Sale: "SALE000000001"}, pos.Invalid},
		"no sale":        {pos.Payment{ID: "-1", Attempt: 1}, pos.Invalid},
		"another ID":     {pos.Payment{ID: "SALE000000001-2", Sale: "SALE000000001", Attempt: 1}, pos.Invalid},
		"another secret": {stranger, pos.Internal},
	} {
		_, err1 := r.Check(t.Context(), tt.p)
		_, err2 := r.Cancel(t.Context(), tt.p)
		_, err3 := r.Ask(t.Context(), tt.p, "Cafe")
		for _, err := range []error{err1, err2, err3} {
			if err == nil || pos.KindOf(err) != tt.kind {
				t.Errorf("%s: %v, want %v", name, err, tt.kind)
			}
		}
	}
	if calls := node.Calls("CancelInvoice") + node.Calls("LookupInvoice"); calls != 0 {
		t.Errorf("%d calls about payments that are not ours", calls)
	}
}

// TestStrangePayments: a keysend under our hash is money, and the owner hears of it.
func TestStrangePayments(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{})
	r := railBefore(t, node)
	p := requested(t, r, 1)
	_, h, _ := r.identify("test", p)
	if err := node.Pay(p.Payload, 4_300_000); err != nil {
		t.Fatal(err)
	}
	node.Keysend(h)
	if f := found(t, r, p); f.Event != pos.Settle {
		t.Errorf("found %+v", f)
	}
	if hl, _ := r.examine(t.Context(), r.node.Load()); len(hl.Notices) == 0 {
		t.Error("nobody is told")
	}
}

// TestDeadlines: a node that never answers costs no longer than stated.
func TestDeadlines(t *testing.T) {
	bubble(t, func(t *testing.T) {
		node := lndtest.New(t, lndtest.Options{})
		r := railBefore(t, node)
		p, other := requested(t, r, 1), requested(t, r, 4)
		node.Freeze()
		took := func(want time.Duration, f func() error) {
			t.Helper()
			at := time.Now()
			if err := f(); pos.KindOf(err) != pos.Unavailable {
				t.Errorf("got %v", err)
			}
			if d := time.Since(at); d > want || d < want-time.Second {
				t.Errorf("took %v, want %v", d, want)
			}
		}
		took(callLimit, func() error { _, err := r.Check(t.Context(), p); return err })
		took(callLimit, func() error { _, err := r.Cancel(t.Context(), other); return err })
		took(addLimit, func() error { _, err := r.Ask(t.Context(), intended(2), "Cafe"); return err })
		took(time.Second, func() error {
			ctx, stop := context.WithTimeout(t.Context(), time.Second)
			defer stop()
			_, err := r.Ask(ctx, intended(3), "Cafe")
			return err
		})
		node.Thaw()
		if f := found(t, r, p); f.Event != "" {
			t.Errorf("found %+v", f)
		}
	})
}

// TestRemembered: the newest cancellations are kept, and no more than the bound.
func TestRemembered(t *testing.T) {
	var m remembered
	name := func(i int) (h hash) { copy(h[:], strconv.Itoa(i)); return h }
	for i := range 3 * maxRemembered {
		m.add(name(i))
		m.add(name(i))
	}
	if len(m.set) != maxRemembered || len(m.ring) != maxRemembered {
		t.Fatalf("%d kept in %d places", len(m.set), len(m.ring))
	}
	for i := range 3 * maxRemembered {
		if m.set[name(i)] != (i >= 2*maxRemembered) {
			t.Fatalf("%d: kept is %v", i, m.set[name(i)])
		}
	}
}
