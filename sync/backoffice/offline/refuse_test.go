package offline

import (
	"fmt"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// TestRefused spoils a token in every way. Goal: one answer for all, byte for byte,
// as JSON and as a page, after the same number of tags computed, and nothing kept.
func TestRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		good := k.token(1)
		now := uint32(time.Now().Unix())
		flip := func(i int, bit byte) string { b := good; b[i] ^= bit; return b.String() }
		stranger := offpay.Derive(offpay.Key{1}, offpay.Device{9, 9, 9, 9, 9}, 0)
		forged := offpay.Derive(offpay.Key{1}, k.grant.Device, k.grant.Epoch)
		seal := func(keys *offpay.Keys) string {
			tok, err := keys.Seal(offpay.Request{Counter: 1, Amount: 1250, Currency: currency, Issued: now, TTL: 20})
			if err != nil {
				t.Fatal(err)
			}
			return tok.String()
		}
		with := func(change func(*offpay.Request)) string { return k.token(1, change).String() }
		tests := []struct {
			name, token string
			work        int64 // tags computed
		}{
			{"short", good.String()[:51], 0}, {"long", good.String() + "A", 0}, {"another alphabet", good.String()[:51] + "+", 0}, {"another version", flip(0, 2), 0},
			{"an unknown device", seal(stranger), 1}, {"a known device, another key", seal(forged), 1}, {"an unknown epoch", flip(6, 8), 1},
			{"a bit of the tag", flip(9, 1), 1}, {"a bit of the body", flip(38, 1), 1},
			{"above the cap", with(func(r *offpay.Request) { r.Amount = 15001 }), 1}, {"another currency", with(func(r *offpay.Request) { r.Currency = 840 }), 1},
			{"too old", with(func(r *offpay.Request) { r.Issued = now - 20*60 - 601 }), 1}, {"from the future", with(func(r *offpay.Request) { r.Issued = now + 7200 }), 1},
			{"no time, a far counter", k.token(202, func(r *offpay.Request) { r.Issued = 0 }).String(), 1},
		}
		var page string
		for _, tt := range tests {
			before := k.office.opened.Load()
			k.refused(tt.name, k.get("/o/"+tt.token))
			if n := k.office.opened.Load() - before; n != tt.work {
				t.Errorf("%s: %d tags computed, want %d", tt.name, n, tt.work)
			}
			k.refused(tt.name+", callback", k.get("/o/"+tt.token+"/cb?amount=25000000"))
			time.Sleep(10 * time.Second) // within an address's share
			a := k.get("/o/"+tt.token, "Accept", "text/html")
			if page == "" {
				page = a.body
			}
			if a.status != 404 || a.body != page {
				t.Errorf("%s: page %d differs", tt.name, a.status)
			}
		}
		k.refused("no such path", k.get("/o/"+good.String()+"/elsewhere"))
		k.refused("no token", k.get("/o/"))
		k.refused("a hash of nobody's", k.get(fmt.Sprintf("/o/%s/verify/%064x", good, 7)))
		if n := len(k.list(store.ListOpen)); n != 1 { // the last one opened a good token
			t.Errorf("%d sales are kept", n)
		}
	})
}

// TestAge walks a token through its time, with a clock and without.
func TestAge(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		start := time.Now()
		at := func(d time.Duration) { time.Sleep(time.Until(start.Add(d))) }
		timed := k.token(1)
		begun := k.token(2)
		blind := k.token(3, func(r *offpay.Request) { r.Issued = 0 })
		if r := k.offer(timed); r.Tag != "payRequest" {
			t.Errorf("at once: %+v", r)
		}
		if r := k.offer(blind); r.Tag != "payRequest" {
			t.Errorf("without a time, at once: %+v", r)
		}
		at(20 * time.Minute)
		if r := k.offer(blind); r.Tag != "payRequest" {
			t.Errorf("without a time, in its last second: %+v", r)
		}
		at(20*time.Minute + time.Second)
		k.refused("without a time, after its ttl", k.get("/o/"+blind.String()))
		at(30 * time.Minute)
		if r := k.offer(timed); r.Tag != "payRequest" {
			t.Errorf("in its last second: %+v", r)
		}
		inv := k.invoice(begun)
		at(30*time.Minute + time.Second)
		k.refused("after its ttl", k.get("/o/"+timed.String()))
		if r := k.get(path(inv.Verify)).reply(t); r.Status != "OK" || r.Settled {
			t.Errorf("begun, after its ttl: %+v", r)
		}
		k.pay(inv.PR, 25_000_000) // the invoice outlives the token
		if a := k.browse(begun); a.status != 200 || !contains(a.body, offpay.ShowCode(k.keys.Code(begun))) {
			t.Errorf("paid after the token's time: %d", a.status)
		}
		at(50 * time.Hour)
		if a := k.browse(begun); a.status != 200 {
			t.Errorf("two days later the paid page is gone: %d", a.status)
		}
	})
}

// TestCounters gives tokens without a time whose counters jump. Goal: 200 apart from
// the highest seen before, either way.
func TestCounters(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		ask := func(counter uint32) string {
			time.Sleep(3 * time.Second)
			return k.offer(k.token(counter, func(r *offpay.Request) { r.Issued = 0 })).Tag
		}
		for _, step := range []struct {
			counter uint32
			ok      bool
		}{{201, false}, {200, true}, {401, false}, {400, true}, {199, false}, {200, true}, {201, true}, {600, true}, {399, false}, {1 << 30, false}} {
			if got := ask(step.counter) == "payRequest"; got != step.ok {
				t.Errorf("%d: %t", step.counter, got)
			}
		}
		if r := k.offer(k.token(5000)); r.Tag != "payRequest" { // a time is better than a counter
			t.Errorf("with a time: %+v", r)
		}
		if ask(4900) != "payRequest" {
			t.Error("the highest counter did not move")
		}
	})
}

// TestCountsOn gives a till another key: it counts on, and a customer whose till has
// no clock to trust is not turned away.
func TestCountsOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		k.offer(k.token(5000))
		if err := k.db.OfflineOff(t.Context(), k.Till.ID, "off", store.Alarm{}, time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := k.db.OfflineOn(t.Context(), k.Till.ID); err != nil {
			t.Fatal(err)
		}
		k.grant = offpay.Grant{}
		if g := k.newGrant(); g.Highest != 5000 {
			t.Errorf("granted %v", g)
		}
		if r := k.offer(k.token(5001, func(r *offpay.Request) { r.Issued = 0 })); r.Tag != "payRequest" {
			t.Errorf("its first token without a time: %+v", r)
		}
	})
}

// stranger is an address that shares its count with nobody who asked before: two of 1,024
// do, and which ones chance decides.
func (k *kit) stranger() string {
	k.t.Helper()
	for n := 1; n < 255; n++ {
		who := fmt.Sprint("192.0.2.", n)
		if k.office.bad.table[k.office.bad.place(who)] == nil {
			return who
		}
	}
	k.t.Fatal("everybody shares a count")
	return ""
}

// TestRates asks too often. Goal: bad tokens by address, good ones by device, and a
// Wi-Fi full of bad ones keeps no customer from paying.
func TestRates(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		bad := offpay.Token{1, 2}
		for i := range badRate {
			if a := k.get("/o/" + bad.String()); a.status != 200 {
				t.Fatalf("bad token %d: %d", i, a.status)
			}
		}
		if a := k.get("/o/" + bad.String()); a.status != 429 || a.head.Get("Retry-After") == "" {
			t.Errorf("one bad token more: %d", a.status)
		}
		elsewhere := k.stranger()
		if a := k.get("/o/"+bad.String(), "X-Forwarded-For", elsewhere); a.status != 200 {
			t.Errorf("another address: %d", a.status)
		}
		good := k.token(1)
		for i := range goodRate {
			if r := k.offer(good); r.Tag != "payRequest" {
				t.Fatalf("good token %d: %+v", i, r)
			}
			time.Sleep(time.Millisecond) // the address's own limit is another one
		}
		if a := k.get("/o/"+good.String(), "X-Forwarded-For", elsewhere); a.status != 429 || a.reply(t).Status != "ERROR" {
			t.Errorf("one good token more, elsewhere: %d", a.status)
		}
		time.Sleep(time.Minute)
		if r := k.offer(good); r.Tag != "payRequest" {
			t.Errorf("a minute later: %+v", r)
		}
	})
}

// TestConflict gives two good tokens with one counter, as a restored card does. Goal:
// the second is refused like any bad one, the owner is told, the till is off.
func TestConflict(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		first, second := k.token(9), k.token(9, func(r *offpay.Request) { r.Amount = 1 })
		inv := k.invoice(first)
		k.refused("the second", k.get("/o/"+second.String()))
		if got := k.alarms(); len(got) != 1 || got[0] != store.AlarmConflict {
			t.Errorf("alarms %v", got)
		}
		if g := k.newGrant(); g.Enabled || g.Why == "" || !g.Key.IsZero() {
			t.Errorf("the till is granted %v", g)
		}
		k.refused("a new token of the till's", k.get("/o/"+k.token(10).String()))
		k.pay(inv.PR, 25_000_000) // whoever was paying already is not left alone
		if a := k.browse(first); !contains(a.body, offpay.ShowCode(k.keys.Code(first))) {
			t.Error("who has paid gets no code")
		}
		if err := k.db.OfflineOn(t.Context(), k.Till.ID); err != nil {
			t.Fatal(err)
		}
		old := k.grant
		if k.grant = (offpay.Grant{}); !k.newGrant().Enabled || k.grant.Device == old.Device || k.grant.Epoch != 0 {
			t.Errorf("on again with the same device: %v", k.grant)
		}
		if r := k.offer(k.token(1)); r.Tag != "payRequest" {
			t.Errorf("on again: %+v", r)
		}
	})
}

// TestConflictRace brings two tokens with one counter at the same moment: neither was
// there when the other was looked for.
func TestConflictRace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		first, second := k.token(9), k.token(9, func(r *offpay.Request) { r.Amount = 1 })
		k.offer(first)
		k.office.o.Store = &late{k.db, true}
		k.refused("the second", k.get("/o/"+second.String()))
		if got := k.alarms(); len(got) != 1 || got[0] != store.AlarmConflict {
			t.Errorf("alarms %v", got)
		}
	})
}

// TestEpochs renews a key. Goal: the next key is the same until the till holds it,
// both are taken while it takes over, the old one for 72 hours, then never.
func TestEpochs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		first := *k
		time.Sleep(30*24*time.Hour - time.Minute)
		if g := k.newGrant(); g.Epoch != 0 {
			t.Fatalf("a minute early: epoch %d", g.Epoch)
		}
		time.Sleep(time.Minute)
		var got [3]offpay.Grant
		for i := range got { // the answers are lost
			got[i], _ = k.office.Grant(t.Context(), k.Till, &heldKey{Device: k.grant.Device, Epoch: 0}, time.Now())
			time.Sleep(time.Hour)
		}
		if got[0].Epoch != 1 || got[1] != got[0] || got[2] != got[0] || got[0].Key == first.grant.Key {
			t.Fatalf("three answers: %v %v %v", got[0], got[1], got[2])
		}
		time.Sleep(31 * 24 * time.Hour)
		if g, err := k.office.Grant(t.Context(), k.Till, &heldKey{Device: k.grant.Device, Epoch: 0}, time.Now()); err != nil || g != got[0] {
			t.Errorf("a month later the till still has the old key, and is given %v, %v", g, err)
		}
		if r := first.offer(first.token(1)); r.Tag != "payRequest" {
			t.Errorf("the old key, while the till has no other: %+v", r)
		}
		next := *k
		next.grant, next.keys = got[0], offpay.Derive(got[0].Key, got[0].Device, got[0].Epoch)
		if r := next.offer(next.token(2)); r.Tag != "payRequest" {
			t.Errorf("the next key, before the till has said that it holds it: %+v", r)
		}
		since := time.Now() // a good token proves that the till holds it
		for range 7 {       // the till says again and again that it holds the new one
			time.Sleep(10 * time.Hour)
			if g, err := k.office.Grant(t.Context(), k.Till, &heldKey{Device: got[0].Device, Epoch: 1}, time.Now()); err != nil || g.Epoch < 1 {
				t.Fatalf("grant %v, %v", g, err)
			}
		}
		time.Sleep(time.Until(since.Add(72*time.Hour - time.Second)))
		if r := first.offer(first.token(3)); r.Tag != "payRequest" {
			t.Errorf("the old key after 72 hours less a second: %+v", r)
		}
		time.Sleep(time.Second)
		first.refused("the old key after 72 hours", first.get("/o/"+first.token(4).String()))
		if r := next.offer(next.token(5)); r.Tag != "payRequest" {
			t.Errorf("the new key: %+v", r)
		}
		if err := k.db.OfflineRenew(t.Context(), k.Till.ID, time.Now()); err != nil { // by hand
			t.Fatal(err)
		}
		k.grant = got[0]
		if g := k.newGrant(); g.Epoch != 2 {
			t.Errorf("by hand: epoch %d", g.Epoch)
		}
		if err := k.db.OfflineDropOld(t.Context(), k.Till.ID, time.Now()); err != nil {
			t.Fatal(err)
		}
		next.refused("a key that was dropped", next.get("/o/"+next.token(6).String()))
		if r := k.offer(k.token(7)); r.Tag != "payRequest" {
			t.Errorf("the newest key: %+v", r)
		}
	})
}

// TestEpochsEnd uses all epochs up. Goal: a new device, never epoch 0 again.
func TestEpochsEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		device := k.grant.Device
		seen := map[offpay.Key]bool{}
		for i := range 256 {
			if int(k.grant.Epoch) != i || k.grant.Device != device || seen[k.grant.Key] {
				t.Fatalf("step %d: %v", i, k.grant)
			}
			seen[k.grant.Key] = true
			time.Sleep(30 * 24 * time.Hour)
			k.newGrant()
		}
		if k.grant.Epoch != 0 || k.grant.Device == device || seen[k.grant.Key] {
			t.Errorf("after the last epoch: %v", k.grant)
		}
	})
}

// TestCurrency grants nothing to a till whose money has no price here.
func TestCurrency(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		other := k.Till
		other.Currency = "CHF"
		if g, err := k.office.Grant(t.Context(), other, nil, time.Now()); err != nil || g.Enabled || !contains(g.Why, "CHF") {
			t.Errorf("got %v, %v", g, err)
		}
	})
}
