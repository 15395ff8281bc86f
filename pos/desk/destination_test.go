package desk_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
)

const (
	oursAddress  = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
	theirAddress = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
	tronAddress  = "TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf"
)

func evmTo(address string) pos.Destination {
	return pos.Destination{Name: "evm", Network: "EVM", Address: address}
}

// goes starts the till anew with money that goes to these places, a tender each.
func (s *shop) goes(to ...pos.Destination) {
	s.t.Helper()
	s.halt()
	s.tenders = nil
	for _, d := range to {
		s.tenders = append(s.tenders, desk.Tender{Name: pos.Tender("usdc-" + d.Name), Rail: s.rail, Token: "USDC", Chain: d.Network, To: d})
	}
	s.start()
}

// asked is how many requests the rail was asked for.
func (s *shop) asked() (n int) { s.rail.set(func(r *rail) { n = r.asks }); return n }

// places returns the records of where money goes.
func (s *shop) places(kind pos.RecordKind) (out []pos.DestinationChanged) {
	s.t.Helper()
	for r, err := range s.journal.Since(0) {
		must(s.t, err)
		if r.Kind == kind {
			var b pos.DestinationChanged
			must(s.t, r.Decode(&b))
			out = append(out, b)
		}
	}
	return out
}

// TestDestinationChanged: the first address is recorded; another one is recorded, told of
// and not used, until a manager who saw it confirms; a notice cannot be put away before.
func TestDestinationChanged(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.goes(evmTo(oursAddress))
		s.restart()
		if got := s.places(pos.KindDestination); len(got) != 1 || got[0].Address != oursAddress || got[0].Open || got[0].Old != "" {
			t.Fatalf("the first: %+v", got)
		}
		if v := s.view(); !v.Counter.Tenders[1].Ready || len(v.Counter.Destinations)+len(v.Counter.Notices) != 0 {
			t.Errorf("nothing has changed: %+v", v.Counter)
		}
		s.do(pos.AddItem{SKU: "ESP", Qty: 1000})
		s.do(pos.Pay{Tender: "usdc-evm"})
		wait(2 * time.Second)
		waits := s.view().Counter.Current.Payments[0]
		if waits.To != "EVM …1BeAed" {
			t.Errorf("the payment goes to %q", waits.To)
		}

		s.goes(evmTo(theirAddress))
		got := s.places(pos.KindDestination)
		if len(got) != 2 || got[1].Address != theirAddress || got[1].Old != oursAddress || !got[1].Open {
			t.Fatalf("the change: %+v", got)
		}
		for _, part := range []string{"0x71C765…d8976F", "0x5aAeb6…1BeAed"} {
			if !strings.Contains(got[1].Why, part) {
				t.Errorf("%q does not say %s", got[1].Why, part)
			}
		}
		v := s.view()
		if tv := v.Counter.Tenders[1]; tv.Ready || !strings.Contains(tv.Reason, "A manager must confirm it") {
			t.Errorf("the tender: %+v", tv)
		}
		n := v.Counter.Notices
		if len(n) != 1 || n[0].Text != got[1].Why || n[0].Kind != pos.NoticeTrouble {
			t.Fatalf("notices: %+v", n)
		}
		s.refused(pos.Dismiss{Notice: n[0].ID}, pos.Conflict)
		if d := v.Counter.Destinations; len(d) != 1 || d[0].Address != theirAddress || d[0].Old != oursAddress {
			t.Errorf("what waits: %+v", d)
		}
		// What waited at the old address is still asked about, and settles.
		s.rail.do(waits.ID, func(q *request) { q.state, q.got = "paid", 1e7 })
		wait(3 * time.Second)
		if v := s.view(); v.Customer.Phase != pos.PhasePaid {
			t.Errorf("the payment of before: %+v", v.Customer)
		}
		asks := s.asked()
		s.do(pos.AddItem{SKU: "ESP", Qty: 1000})
		s.refused(pos.Pay{Tender: "usdc-evm"}, pos.Unavailable)
		s.refused(pos.ConfirmDestination{Name: "evm", Address: theirAddress}, pos.Forbidden)
		s.refusedBy(boss, pos.ConfirmDestination{Name: "evm", Address: oursAddress}, pos.Conflict)
		s.refusedBy(boss, pos.ConfirmDestination{Name: "tron", Address: theirAddress}, pos.Conflict)
		s.restart() // nor does a start
		if v := s.view(); v.Counter.Tenders[1].Ready || len(v.Counter.Notices) != 1 || len(s.places(pos.KindDestination)) != 2 {
			t.Errorf("after a start: %+v", v.Counter)
		}
		s.doBy(boss, pos.ConfirmDestination{Name: "evm", Address: theirAddress})
		if c := s.places(pos.KindConfirmed); len(c) != 1 || c[0].By != boss || c[0].Address != theirAddress || c[0].Old != oursAddress || s.asked() != asks {
			t.Errorf("confirmed: %+v, asked %d times", c, s.asked()-asks)
		}
		s.refusedBy(boss, pos.ConfirmDestination{Name: "evm", Address: theirAddress}, pos.Conflict)
		if v := s.view(); !v.Counter.Tenders[1].Ready || len(v.Counter.Destinations)+len(v.Counter.Notices) != 0 {
			t.Errorf("afterwards: %+v", v.Counter)
		}
		s.do(pos.Pay{Tender: "usdc-evm"})
		wait(2 * time.Second)
		if p := s.view().Counter.Current.Payments[0]; p.To != "EVM …d8976F" || p.State != pos.Requested {
			t.Errorf("asked for %+v", p)
		}
	})
}

// TestDestinationIntended: what was charged and not yet asked for when the till stopped is
// not asked for at an address that nobody confirmed.
func TestDestinationIntended(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		s.goes(evmTo(oursAddress))
		s.rail.set(func(r *rail) { r.down = true })
		s.do(pos.AddItem{SKU: "ESP", Qty: 1000})
		s.do(pos.Pay{Tender: "usdc-evm"})
		wait(time.Second)
		s.rail.set(func(r *rail) { r.down = false })
		s.goes(evmTo(theirAddress))
		s.rail.set(func(r *rail) { r.asks = 0 })
		wait(10 * time.Second)
		if p := s.view().Counter.Current.Payments[0]; p.State != pos.Cancelled || s.asked() != 0 {
			t.Errorf("asked %d times: %+v", s.asked(), p)
		}
	})
}

// TestDestinationOthers: a place beside the known ones needs a manager, too; going back to
// the confirmed address needs none; a lost ledger changes nothing.
func TestDestinationOthers(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		tron := pos.Destination{Name: "tron", Network: "Tron", Address: tronAddress}
		s.goes(evmTo(oursAddress))
		before := s.copyLedger()
		s.goes(evmTo(oursAddress), tron)
		if v := s.view().Counter; !v.Tenders[1].Ready || v.Tenders[2].Ready || !strings.Contains(v.Notices[0].Text, "a new address") {
			t.Errorf("a new place: %+v", v)
		}
		s.goes(tron) // without the old ones
		if v := s.view().Counter; v.Tenders[1].Ready {
			t.Errorf("alone: %+v", v.Tenders)
		}
		s.goes(evmTo(theirAddress))
		s.goes(evmTo(tronAddress))
		if p := s.places(pos.KindDestination); p[len(p)-1].Old != oursAddress || !p[len(p)-1].Open {
			t.Errorf("changed twice: %+v", p)
		}
		s.cut(before)
		if v := s.view().Counter; v.Tenders[1].Ready || len(v.Destinations) != 1 || v.Destinations[0].Old != oursAddress {
			t.Errorf("with the ledger of before: %+v", v.Destinations)
		}
		s.goes(evmTo(oursAddress))
		p := s.places(pos.KindDestination)
		if v := s.view().Counter; !v.Tenders[1].Ready || len(v.Destinations) != 0 || p[len(p)-1].Open || p[len(p)-1].Old != tronAddress {
			t.Errorf("back: %+v %+v", v.Tenders, p[len(p)-1])
		}
	})
}

// peg is the price of a token, and the words that managers gave.
type peg struct {
	mu    sync.Mutex
	price string // empty: it is taken
	none  bool   // nobody says what it costs
	until time.Time
	words []string
}

func (p *peg) Off() (string, string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.none:
		return "", "", pos.E("price", pos.Unavailable, "nobody says what it costs")
	case p.price == "":
		return "", "", pos.E("price", pos.Conflict, "it is taken")
	}
	return p.price, "USD", nil
}

func (p *peg) Allow(by pos.Actor, price string, d time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = time.Now().Add(d)
	p.words = append(p.words, by.Name+" "+price+" "+d.String())
	return nil
}

// Rate is what the desk asks before it charges.
func (p *peg) Rate(a pos.Asset) (pos.Rate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.none || (p.price != "" && !time.Now().Before(p.until)) {
		return pos.Rate{}, pos.E("price", pos.Unavailable, "off its value")
	}
	return pos.RateOf(eur, a, "50000", "market", time.Now())
}

func (p *peg) set(price string) { p.mu.Lock(); defer p.mu.Unlock(); p.price = price }

func (p *peg) hides(none bool) { p.mu.Lock(); defer p.mu.Unlock(); p.none = none }

func (p *peg) told() []string { p.mu.Lock(); defer p.mu.Unlock(); return slices.Clone(p.words) }

// TestAllowToken: a manager takes a token that is off its value at the price that he sees.
// That is recorded before it holds, ends by itself, and a start says it again.
func TestAllowToken(t *testing.T) {
	bubble(t, func(t *testing.T, s *shop) {
		p := &peg{}
		s.halt()
		s.priced = p
		s.tenders = []desk.Tender{{Name: "usdc-lab", Rail: s.rail, Token: "USDC", Chain: "Lab", Peg: p, Notice: func() string { return "It trades lower." }}}
		s.start()
		usdc := func() pos.TenderView { wait(2 * time.Second); return s.view().Counter.Tenders[1] }
		if tv := usdc(); !tv.Ready || tv.Peg != (pos.PegView{}) {
			t.Errorf("at its value: %+v", tv)
		}
		s.refusedBy(boss, pos.AllowToken{Token: "USDC", Price: "0.9750"}, pos.Conflict)
		p.set("0.9750")
		if tv := usdc(); tv.Ready || tv.Peg != (pos.PegView{Price: "0.9750", In: "USD"}) {
			t.Errorf("off: %+v", tv)
		}
		s.refused(pos.AllowToken{Token: "USDC", Price: "0.9750"}, pos.Forbidden)
		s.refusedBy(boss, pos.AllowToken{Token: "DAI", Price: "0.9750"}, pos.NotFound)
		s.refusedBy(boss, pos.AllowToken{Token: "USDC", Price: "0.9900"}, pos.Conflict)
		s.refusedBy(boss, pos.AllowToken{Token: "USDC", Off: true}, pos.Conflict)
		p.hides(true)
		s.refusedBy(boss, pos.AllowToken{Token: "USDC", Price: "0.9750"}, pos.Unavailable)
		p.hides(false)

		key := pos.Command{Key: "allow", By: boss, Do: pos.AllowToken{Token: "USDC", Price: "0.9750"}}
		for range 2 { // a line that swallowed the answer does not make it longer
			_, err := s.Do(context.Background(), key)
			must(t, err)
		}
		tv := usdc()
		if !tv.Ready || tv.Peg.By != "Bea" || tv.Peg.Until.IsZero() || !strings.HasPrefix(tv.Notice, "It trades lower. Allowed by Bea until 0") {
			t.Errorf("allowed: %+v", tv)
		}
		var rec pos.TokenAllowed
		for r := range s.journal.Since(0) {
			if r.Kind == pos.KindTokenAllowed {
				must(t, r.Decode(&rec))
			}
		}
		if rec.By != boss || rec.Price != "0.9750" || rec.In != "USD" || rec.Token != "USDC" || rec.For != pos.TokenAllowedFor || !rec.Until.Equal(tv.Peg.Until) {
			t.Errorf("the record: %+v", rec)
		}
		wait(time.Hour)
		p.mu.Lock()
		p.until = time.Time{} // as a start forgets it
		p.mu.Unlock()
		s.restart()
		if got := p.told(); len(got) != 2 || got[0] != "Bea 0.9750 8h0m0s" || !strings.HasPrefix(got[1], "Bea 0.9750 6h59m") {
			t.Errorf("the words: %q", got)
		}
		s.halt() // nor does a clock that nobody believes, until somebody does
		s.unsure.Store(true)
		s.start()
		wait(time.Minute)
		if got := p.told(); len(got) != 2 {
			t.Errorf("without a clock: %q", got)
		}
		s.unsure.Store(false)
		wait(time.Minute)
		if got := p.told(); len(got) != 3 || !strings.HasPrefix(got[2], "Bea 0.9750 6h5") {
			t.Errorf("with the clock again: %q", got)
		}
		s.skew.Store(int64(-2 * time.Hour)) // somebody sets the clock back: nobody knows how long it has been
		s.restart()
		if got := p.told(); len(got) != 3 {
			t.Errorf("with the clock set back: %q", got)
		}
		s.skew.Store(0)
		wait(7 * time.Hour)
		if tv := usdc(); tv.Ready || !tv.Peg.Until.IsZero() {
			t.Errorf("after its time: %+v", tv)
		}
		s.restart()
		if got := p.told(); len(got) != 3 {
			t.Errorf("after its time: %q", got)
		}
		s.doBy(boss, pos.AllowToken{Token: "USDC", Price: "0.9750"})
		if tv := usdc(); !tv.Ready {
			t.Errorf("once more: %+v", tv)
		}
		s.doBy(boss, pos.AllowToken{Token: "USDC", Off: true})
		if tv := usdc(); tv.Ready || !tv.Peg.Until.IsZero() {
			t.Errorf("taken back: %+v", tv)
		}
		s.refusedBy(boss, pos.AllowToken{Token: "USDC", Off: true}, pos.Conflict)
	})
}
