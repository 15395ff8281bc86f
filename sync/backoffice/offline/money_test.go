package offline

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// TestQuote moves the price under a customer. Goal: one price for 300 s from the
// first question, whoever asks; a rate is exposed for 600 s at most; a wallet with an
// old price is told so, and two invoices are never payable.
func TestQuote(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		tok, start := k.token(1), time.Now()
		at := func(d time.Duration) { time.Sleep(time.Until(start.Add(d))) }
		ask := func(want int64, when string) reply {
			t.Helper()
			r := k.offer(tok)
			if r.MinSendable != want {
				t.Errorf("%s: %d, want %d", when, r.MinSendable, want)
			}
			return r
		}
		callback := func(msat string) reply { return k.get("/o/" + tok.String() + "/cb?amount=" + msat).reply(t) }
		ask(25_000_000, "at first")
		k.price.set("25000")
		at(299 * time.Second)
		ask(25_000_000, "in the quote's last second")
		if r := callback("50000000"); r.Status != "ERROR" || k.fake.Invoices() != 0 {
			t.Errorf("another price makes an invoice: %+v", r)
		}
		inv := callback("25000000")
		if inv.PR == "" {
			t.Fatalf("no invoice: %+v", inv)
		}
		at(301 * time.Second)
		ask(25_000_000, "the quote is over, its invoice is not")
		for _, wrong := range []string{"50000000", "24999000", "25000001", "0", "-25000000", "25000000.0", "", "x", "025000000", "99999999999999999999"} {
			if r := callback(wrong); r.Status != "ERROR" || r.PR != "" {
				t.Errorf("amount %q: %+v", wrong, r)
			}
		}
		if r := callback("25000000"); r.PR != inv.PR {
			t.Errorf("another invoice: %+v", r)
		}
		at(540 * time.Second)
		ask(50_000_000, "less than a minute of the invoice is left")
		if r := callback("25000000"); r.PR != inv.PR {
			t.Errorf("the old invoice, still alive: %+v", r)
		}
		second := callback("50000000")
		if second.PR == "" || second.PR == inv.PR {
			t.Errorf("the new invoice: %+v", second)
		}
		if k.fake.Pay(inv.PR, 25_000_000) == nil {
			t.Error("two invoices can be paid")
		}
		k.pay(second.PR, 50_000_000)
		if out := k.outcome(tok, 1, false, false); out.State != offpay.Paid || out.Received.Int().Int64() != 50_000_000 || out.Asked.Cmp(out.Received) != 0 || out.Rate.Price() != "1 BTC = 25000.00 EUR" {
			t.Errorf("outcome %+v", out)
		}
	})
}

// TestNoPrice takes the rate away, then the node. Goal: no offer, in words a customer
// understands; and never an old price.
func TestNoPrice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		k.price.set("")
		if r := k.offer(k.token(1)); r.Status != "ERROR" || r.Tag != "" || !contains(r.Reason, "pay in cash") {
			t.Errorf("no rate: %+v", r)
		}
		if a := k.browse(k.token(1)); a.status != 503 || !contains(a.body, "refresh") {
			t.Errorf("no rate: page %d", a.status)
		}
		k.price.set("50000")
		k.office.o.Node = ill{k.node}
		if r := k.offer(k.token(1)); r.Status != "ERROR" || r.Tag != "" {
			t.Errorf("a node that is not well: %+v", r)
		}
		if g, err := k.office.Grant(t.Context(), k.Till, nil, time.Now()); err != nil || !g.Busy || !g.Enabled || g.Why == "" || g.Key.IsZero() {
			t.Errorf("its till is granted %v, %v: the key stays, and nothing is sold with it now", g, err)
		}
		k.office.o.Node = k.node
		k.fake.Cut()
		offer := k.offer(k.token(1))
		if r := k.get(path(offer.Callback) + "?amount=25000000").reply(t); r.Status != "ERROR" || r.PR != "" {
			t.Errorf("no line to the node: %+v", r)
		}
		k.fake.Start()
		first := k.invoice(k.token(1))
		if first.PR == "" || k.fake.Invoices() != 1 {
			t.Errorf("the line is back: %+v", first)
		}
		k.fake.Cut()
		if r := k.get(path(offer.Callback) + "?amount=25000000").reply(t); r.PR != first.PR {
			t.Errorf("while the node is silent the old invoice is the one: %+v", r)
		}
	})
}

type ill struct{ Node }

func (ill) Health() pos.Health { return pos.Health{} }

// TestRace lets 24 wallets and pages at two server processes ask for one sale's
// invoice at once, four times over. Goal: they all get the same one.
func TestRace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		_, _, second := k.another()
		for round := range 4 {
			tok := k.token(uint32(round + 1))
			k.fake.Next("AddInvoice", lndtest.Slow(time.Duration(round)*time.Second))
			var wg sync.WaitGroup
			var mu sync.Mutex
			got := map[string]int{}
			for i := range 24 {
				wg.Go(func() {
					app := []*fiber.App{k.app, second}[i%2]
					pr := ""
					if i%3 == 0 {
						a := k.getFrom(app, "/o/"+tok.String(), "Accept", "text/html")
						if _, rest, ok := strings.Cut(a.body, "lightning:"); ok {
							pr, _, _ = strings.Cut(rest, `"`)
						}
					} else {
						r := k.getFrom(app, "/o/"+tok.String()).reply(t)
						pr = k.getFrom(app, path(r.Callback)+"?amount="+itoa(r.MinSendable)).reply(t).PR
					}
					mu.Lock()
					defer mu.Unlock()
					got[pr]++
				})
			}
			wg.Wait()
			delete(got, "") // who was told to try again
			if len(got) != 1 || k.fake.Invoices() != round+1 {
				t.Errorf("round %d: %d invoices handed out, %d at the node", round, len(got), k.fake.Invoices())
			}
			time.Sleep(time.Minute)
		}
	})
}

// TestNodeDies loses the request, then the answer, of every call of a payment, and
// restarts the server after each. Goal: one invoice, paid once, and its code.
func TestNodeDies(t *testing.T) {
	for _, call := range []string{"AddInvoice", "LookupInvoice", "CancelInvoice"} {
		for name, fault := range map[string]lndtest.Fault{"no request": lndtest.LoseRequest, "no answer": lndtest.LoseAnswer, "a proxy": lndtest.HTML} {
			t.Run(call+", "+name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					k := newKit(t)
					k.run()
					tok := k.token(1)
					offer := k.offer(tok)
					k.fake.Always(call, fault)
					first := k.get(path(offer.Callback) + "?amount=25000000").reply(t)
					k.restart()
					k.fake.Always(call, nil)
					time.Sleep(40 * time.Second) // the loop that had backed off
					second := k.get(path(offer.Callback) + "?amount=25000000").reply(t)
					if second.PR == "" || first.PR != "" && first.PR != second.PR || k.fake.Invoices() != 1 {
						t.Fatalf("first %+v, then %+v; %d invoices", first, second, k.fake.Invoices())
					}
					k.fake.Always(call, fault)
					k.pay(second.PR, 25_000_000)
					k.restart()
					out := k.outcome(tok, 1, false, true)
					if out.State != offpay.Paid && out.State != offpay.Pending {
						t.Errorf("the node is dumb, and yet: %+v", out)
					}
					k.fake.Always(call, nil)
					k.restart()
					time.Sleep(time.Minute)
					if out := k.outcome(tok, 1, false, true); out.State != offpay.Paid {
						t.Errorf("outcome %+v", out)
					}
				})
			})
		}
	}
}

// TestOutcomes walks the table of reconciliation, by claims and by records, each word
// twice, with a restart in between. Goal: the four outcomes and the silent ones.
func TestOutcomes(t *testing.T) {
	const none, paid = false, true
	tests := []struct {
		name                 string
		begun, paid          bool
		accepted, void, owed bool
		want                 offpay.OutcomeState
		list                 store.OfflineList
		alarm                string
	}{
		{"1 settled", true, paid, true, false, false, offpay.Paid, "", ""},
		{"2 orphan, given up", true, paid, false, true, false, offpay.Paid, store.ListOrphans, ""},
		{"2 orphan, a second payment", true, paid, false, false, true, offpay.Paid, store.ListOrphans, ""},
		{"3 refuted, never brought here", false, none, true, false, false, offpay.Unpaid, store.ListRefuted, store.AlarmRefuted},
		{"3 refuted, invoice not paid", true, none, true, false, false, offpay.Unpaid, store.ListRefuted, store.AlarmRefuted},
		{"closed, given up", true, none, false, true, false, offpay.Unpaid, "", ""},
		{"closed, never brought here", false, none, false, true, false, offpay.Unpaid, "", ""},
		{"open", true, none, false, false, false, offpay.Open, store.ListOpen, ""},
		{"open, nobody has paid yet", false, none, false, false, false, offpay.Open, store.ListOpen, ""},
		{"paid, the till has not heard", true, paid, false, false, false, offpay.Paid, store.ListWaiting, ""},
	}
	for _, tt := range tests {
		for _, by := range []string{"claims", "records"} {
			t.Run(tt.name+", by "+by, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					k := newKit(t)
					k.run()
					tok := k.token(5)
					if tt.begun {
						inv := k.invoice(tok)
						if tt.paid {
							k.pay(inv.PR, 25_000_000)
						}
					}
					if by == "claims" {
						k.outcome(tok, 5, tt.accepted, tt.void)
					}
					if by == "records" || tt.owed {
						k.record(tok, 5, tt.accepted, tt.void, tt.owed)
					}
					time.Sleep(5 * time.Second)
					k.restart()
					time.Sleep(5 * time.Second)
					again := by == "claims" // the books alone must do
					if out := k.outcome(tok, 5, again && tt.accepted, again && tt.void); out.State != tt.want {
						t.Errorf("outcome %+v, want %s", out, tt.want)
					}
					for _, l := range []store.OfflineList{store.ListOrphans, store.ListRefuted, store.ListWaiting, store.ListOpen} {
						if n := len(k.list(l)); (n == 1) != (l == tt.list) {
							t.Errorf("%d in %s", n, l)
						}
					}
					alarms := k.alarms()
					if (len(alarms) == 0) != (tt.alarm == "") || len(alarms) > 0 && alarms[0] != tt.alarm {
						t.Errorf("alarms %v", alarms)
					}
					if g := k.newGrant(); g.Enabled != (tt.alarm == "") {
						t.Errorf("enabled %t", g.Enabled)
					}
					if !tt.paid && (tt.void || tt.accepted) {
						k.refused("given up, and brought here again", k.get("/o/"+tok.String()))
					}
				})
			})
		}
	}
}

// record has the till say the same in its books.
func (k *kit) record(t offpay.Token, counter uint32, taken, over, owed bool) {
	k.t.Helper()
	eur, _ := pos.CurrencyOf("EUR")
	p := pos.Payment{ID: "SALE-1", Sale: "SALE", Attempt: 1, Tender: "lightning", State: pos.Requested, Amount: eur.Of(1250),
		Offline: true, Counter: counter, Reference: t.String(), Taken: taken, Refundable: owed, Aside: over}
	switch {
	case taken:
		p.State = pos.Accepted
	case owed:
		p.State = pos.Settled
	case over:
		p.State = pos.Unknown
	}
	k.append(k.till.Add(pos.KindPayment, pos.PaymentMoved{Payment: p}))
}

// append stores the till's records as ingest does.
func (k *kit) append(pos.Record) {
	k.t.Helper()
	till, err := k.db.Till(k.t.Context(), k.Till.ID)
	if err != nil {
		k.t.Fatal(err)
	}
	var batch []store.Entry
	for _, r := range k.till.Records()[till.Head.N:] {
		batch = append(batch, store.Entry{Record: r})
	}
	last := batch[len(batch)-1].Record
	if err := k.db.Append(k.t.Context(), till.ID, till.Head, store.Head{N: last.N, Hash: last.Hash, At: last.At}, batch, time.Now()); err != nil {
		k.t.Fatal(err)
	}
}

// TestLies has a till claim what cannot be. Goal: conflict, alarm, off.
func TestLies(t *testing.T) {
	tests := map[string]func(k *kit) offpay.Claim{
		"no token":        func(*kit) offpay.Claim { return offpay.Claim{Token: "x", Counter: 5} },
		"nobody's":        func(*kit) offpay.Claim { return offpay.Claim{Token: offpay.Token{1, 9}.String(), Counter: 5} },
		"another counter": func(k *kit) offpay.Claim { return offpay.Claim{Token: k.token(6).String(), Counter: 5} },
		"another body": func(k *kit) offpay.Claim {
			k.offer(k.token(5))
			return offpay.Claim{Token: k.token(5, func(r *offpay.Request) { r.Amount = 1 }).String(), Counter: 5, Accepted: true}
		},
	}
	for name, claim := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				k := newKit(t)
				out, err := k.office.Outcomes(t.Context(), k.Till, []offpay.Claim{claim(k)}, time.Now())
				if err != nil || out[0].State != offpay.Conflict || out[0].Counter != 5 || out[0].Why == "" {
					t.Errorf("got %+v, %v", out, err)
				}
				if a := k.alarms(); len(a) != 1 || a[0] != store.AlarmConflict || k.newGrant().Enabled {
					t.Errorf("alarms %v", a)
				}
			})
		})
	}
	t.Run("another till's", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			k := newKit(t)
			inv := k.invoice(k.token(5))
			other := k.Till
			other.ID = "0000000000000000"
			if _, err := k.office.Outcomes(t.Context(), other, []offpay.Claim{{Token: k.token(5).String(), Counter: 5, Void: true}}, time.Now()); err == nil {
				t.Error("a till that is not enrolled was answered")
			}
			k.pay(inv.PR, 25_000_000) // and its void reached nothing
		})
	})
	t.Run("another amount in the books", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			k := newKit(t)
			k.run()
			tok := k.token(5, func(r *offpay.Request) { r.Amount = 1251 })
			k.record(tok, 5, true, false, false) // which says 12.50
			time.Sleep(5 * time.Second)
			if a := k.alarms(); len(a) != 1 || a[0] != store.AlarmConflict {
				t.Errorf("alarms %v", a)
			}
		})
	})
}

// TestVoidAgainstSettle pays in the very moment in which the till gives up. Goal:
// whoever is first wins, and both sides learn the same.
func TestVoidAgainstSettle(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		paid := 0
		for i := range uint32(20) {
			tok := k.token(i + 1)
			inv := k.invoice(tok)
			var wg sync.WaitGroup
			var refused error
			var out offpay.Outcome
			wg.Go(func() { refused = k.fake.Pay(inv.PR, 25_000_000) })
			wg.Go(func() { out = k.outcome(tok, i+1, false, true) })
			wg.Wait()
			if (refused == nil) != (out.State == offpay.Paid) || out.State != offpay.Paid && out.State != offpay.Unpaid {
				t.Errorf("%d: the customer %v, the till %+v", i, refused, out)
			}
			if refused == nil {
				paid++
			}
			time.Sleep(3 * time.Second)
		}
		if len(k.list(store.ListOrphans)) != paid {
			t.Errorf("%d paid, %d to refund", paid, len(k.list(store.ListOrphans)))
		}
		t.Logf("%d of 20 were paid first", paid)
	})
}

// TestVoidWhileMaking gives up while the node is still making the invoice, and does
// not know it yet. Goal: closed means that nobody can pay it, also a moment later.
func TestVoidWhileMaking(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		tok := k.token(1)
		offer := k.offer(tok)
		k.fake.Next("AddInvoice", lndtest.Slow(5*time.Second))
		var wg sync.WaitGroup
		wg.Go(func() { k.refused("the wallet", k.get(path(offer.Callback)+"?amount=25000000")) })
		time.Sleep(time.Second)
		if out := k.outcome(tok, 1, false, true); out.State != offpay.Unpaid {
			t.Errorf("outcome %+v", out)
		}
		wg.Wait()
		_, hash := k.office.preimage(tok, 1)
		if f, err := k.node.Look(t.Context(), hash); err != nil || !f.Final || f.Event == pos.Settle {
			t.Errorf("the node holds %+v, %v", f, err)
		}
	})
}

// TestSilent pays a till that never calls again. Goal: after a day the owner is told.
func TestSilent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		tok := k.token(1)
		k.pay(k.invoice(tok).PR, 25_000_000)
		k.browse(tok)
		if len(k.list(store.ListWaiting)) != 1 || len(k.list(store.ListOrphans)) != 0 {
			t.Error("at once it is an orphan")
		}
		time.Sleep(24*time.Hour + time.Second)
		orphans := k.list(store.ListOrphans)
		if len(orphans) != 1 || len(k.list(store.ListWaiting)) != 0 {
			t.Fatalf("a day later: %+v", orphans)
		}
		if err := k.db.OfflineDone(t.Context(), orphans[0].OfflineID, time.Now()); err != nil || len(k.list(store.ListOrphans)) != 0 {
			t.Errorf("dealt with: %v", err)
		}
	})
}

// TestExpires lets invoices run out. Goal: each is followed to the node's last word,
// a dumb node leaves it pending, and the sale closes when its time is over.
func TestExpires(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		k.run()
		tok := k.token(1)
		k.invoice(tok)
		k.fake.Cut()
		time.Sleep(40 * time.Minute)
		if out := k.outcome(tok, 1, false, false); out.State != offpay.Pending {
			t.Errorf("while the node is away: %+v", out)
		}
		k.fake.Start()
		time.Sleep(2 * time.Minute)
		if out := k.outcome(tok, 1, false, false); out.State != offpay.Unpaid || out.At.IsZero() {
			t.Errorf("after its time: %+v", out)
		}
		if live, err := k.db.OfflineLive(t.Context(), 10); err != nil || len(live) != 0 {
			t.Errorf("still followed: %+v, %v", live, err)
		}
		late := k.token(2)
		inv := k.invoice(late)
		k.pay(inv.PR, 30_000_000) // and nobody ever looks at the page
		time.Sleep(10 * time.Second)
		if out := k.outcome(late, 2, true, false); out.State != offpay.Paid || out.Received.Int().Int64() != 30_000_000 || out.Asked.Int().Int64() != 25_000_000 {
			t.Errorf("overpaid: %+v", out)
		}
		if len(k.office.paces) != 0 {
			t.Errorf("%d paces kept", len(k.office.paces))
		}
	})
}

// TestForgets has the node delete what it cancelled. Goal: an invoice that a customer
// had in hand stays in doubt, and holds nothing else up.
func TestForgets(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		k.fake.DeleteCanceled()
		tok := k.token(1)
		k.invoice(tok)
		time.Sleep(40 * time.Minute) // and nobody was there to withdraw it
		k.run()
		time.Sleep(time.Minute)
		if out := k.outcome(tok, 1, false, false); out.State != offpay.Pending {
			t.Errorf("forgotten: %+v", out)
		}
		calls := k.fake.Calls("CancelInvoice")
		time.Sleep(10 * time.Minute)
		if n := k.fake.Calls("CancelInvoice") - calls; n < 5 || n > 30 {
			t.Errorf("asked about a forgotten invoice %d times in ten minutes", n)
		}
		other := k.token(2)
		k.invoice(other)
		if out := k.outcome(other, 2, false, true); out.State != offpay.Unpaid {
			t.Errorf("withdrawn by us: %+v", out)
		}
		k.token(3)
		third := k.token(3)
		out, err := k.office.Outcomes(t.Context(), k.Till, []offpay.Claim{{Token: tok.String(), Counter: 1}, {Token: third.String(), Counter: 3, Void: true}}, time.Now())
		if err != nil || out[0].State != offpay.Pending || out[1].State != offpay.Unpaid {
			t.Errorf("behind a forgotten one: %+v, %v", out, err)
		}
		fourth := k.token(4)
		pr := k.invoice(fourth).PR
		time.Sleep(296 * time.Second)
		if err := k.fake.PayPart(pr, 1000); err != nil {
			t.Errorf("in its last seconds: %v", err)
		}
		time.Sleep(36 * time.Minute)
		if out := k.outcome(fourth, 4, false, false); out.State != offpay.Unpaid {
			t.Errorf("run out at a node that deletes, with us there: %+v", out)
		}
	})
}

// TestRestored loses the database's last hour. Goal: a payment that only the node
// remembers is found before anything is called unpaid.
func TestRestored(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		backup := filepath.Join(t.TempDir(), "backup.db")
		k.copyTo(backup)
		tok := k.token(1)
		k.invoice(tok)
		time.Sleep(301 * time.Second)
		second := k.invoice(tok) // attempt 2
		k.pay(second.PR, 25_000_000)
		live := k.token(2)
		open := k.invoice(live)
		if err := k.db.Close(); err != nil {
			t.Error(err)
		}
		k.path = backup
		k.db, k.office, k.app = k.another()
		out := k.outcome(tok, 1, true, false)
		if out.State != offpay.Paid || out.Received.Int().Int64() != 25_000_000 || len(k.alarms()) != 0 {
			t.Errorf("outcome %+v, alarms %v", out, k.alarms())
		}
		if out := k.outcome(live, 2, false, true); out.State != offpay.Unpaid || k.fake.Pay(open.PR, 25_000_000) == nil {
			t.Errorf("an invoice that only the node remembers can still be paid: %+v", out)
		}
	})
}

// copyTo makes a copy of the database, as a backup does.
func (k *kit) copyTo(path string) {
	k.t.Helper()
	db, err := sql.Open("sqlite", k.path)
	if err != nil {
		k.t.Fatal(err)
	}
	_, err = db.ExecContext(context.Background(), "VACUUM INTO ?", path)
	if err := errors.Join(err, db.Close()); err != nil {
		k.t.Fatal(err)
	}
}

// TestLessDue: a part was paid otherwise before the code came, or the money. The
// payment covers less than its token asks for, and that is no clone.
func TestLessDue(t *testing.T) {
	eur, _ := pos.CurrencyOf("EUR")
	for name, p := range map[string]pos.Payment{
		"code":  {State: pos.Accepted, Taken: true, Amount: eur.Of(250), Asked: eur.Of(1250)},
		"money": {State: pos.Settled, Amount: eur.Of(250)},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				k := newKit(t)
				k.run()
				tok := k.token(5)
				k.pay(k.invoice(tok).PR, 25_000_000)
				p.ID, p.Sale, p.Offline, p.Counter, p.Reference = "SALE-1", "SALE", true, 5, tok.String()
				k.append(k.till.Add(pos.KindPayment, pos.PaymentMoved{Payment: p}))
				time.Sleep(5 * time.Second)
				if a := k.alarms(); len(a) != 0 || !k.newGrant().Enabled || len(k.list(store.ListPaid)) != 1 {
					t.Errorf("alarms %v", a)
				}
			})
		})
	}
}

// TestDecided: what a manager dealt with at the till is not to be refunded once more.
func TestDecided(t *testing.T) {
	for _, as := range []pos.Decision{pos.GivenBack, pos.AsSale} {
		t.Run(string(as), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				k := newKit(t)
				k.run()
				tok := k.token(5)
				k.pay(k.invoice(tok).PR, 25_000_000)
				k.record(tok, 5, false, false, true)
				time.Sleep(5 * time.Second)
				if n := len(k.list(store.ListOrphans)); n != 1 {
					t.Fatalf("%d to refund", n)
				}
				eur, _ := pos.CurrencyOf("EUR")
				k.append(k.till.Add(pos.KindRefundDecided, pos.RefundDecided{Payment: "SALE-1", As: as, Amount: eur.Of(1250), Reference: tok.String(), Counter: 5}))
				time.Sleep(5 * time.Second)
				if n := len(k.list(store.ListOrphans)); n != 0 || len(k.alarms()) != 0 {
					t.Errorf("%d to refund, alarms %v", n, k.alarms())
				}
			})
		})
	}
}
