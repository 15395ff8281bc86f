package desk_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// phones are the customers' phones and the backoffice behind them: what OFFPAY-1
// does, without its cryptography. They know nothing of the desk.
type phones struct {
	mu       sync.Mutex
	terms    pos.OfflineTerms
	down     bool              // the till cannot reach the backoffice
	state    map[uint32]string // paid, unpaid, conflict; empty: open
	voided   map[uint32]bool
	requests map[uint32]pos.PaymentID
	asked    map[uint32]pos.Amount
	slow     time.Duration // how long a cancellation takes, and how late it is heard of
}

func (f *phones) set(do func(f *phones)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do(f)
}

func (f *phones) Terms() pos.OfflineTerms {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.terms
}

const offlineLife = 20 * time.Minute

func (f *phones) Ask(p pos.Payment, _ bool) (pos.Asked, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.requests[p.Counter] != "" {
		return pos.Asked{}, pos.E("ask", pos.Internal, "number %d is used twice", p.Counter)
	}
	f.requests[p.Counter], f.asked[p.Counter] = p.ID, p.Amount
	token := fmt.Sprintf("token-%d", p.Counter)
	return pos.Asked{Reference: token, Payload: "LNURL1" + token, Other: "https://pay/o/" + token, Network: "Lightning", Expires: p.At.Add(offlineLife)}, nil
}

// codeOf is what the payer's page shows.
func codeOf(counter uint32) string { return fmt.Sprintf("%06d", 100_000+counter) }

func (f *phones) Proves(p pos.Payment, typed string) pos.Proof {
	switch {
	case strings.HasPrefix(typed, "OP1:") && !strings.HasPrefix(typed, fmt.Sprintf("OP1:%d:", p.Counter)):
		return pos.ProofOther
	case strings.HasSuffix(typed, codeOf(p.Counter)):
		return pos.ProofRight
	case len(typed) != 6:
		return pos.ProofForm
	}
	return pos.ProofWrong
}

func (f *phones) Check(_ context.Context, p pos.Payment) (pos.Finding, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return pos.Finding{}, errDown
	}
	rate, _ := pos.RateOf(eur, pos.Bitcoin, "50000", "backoffice", time.Now())
	switch state := f.state[p.Counter]; {
	case state == "paid":
		q, _ := rate.Charge(f.asked[p.Counter])
		return pos.Finding{Event: pos.Settle, Received: q, Asked: q, Rate: &rate, Final: true}, nil
	case state == "unpaid" && p.Taken:
		return pos.Finding{Event: pos.Fail, Why: "no money", Final: true}, nil
	case state == "unpaid":
		return pos.Finding{Event: pos.Expire, Final: true}, nil
	}
	return pos.Finding{}, nil
}

func (f *phones) Cancel(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	time.Sleep(f.slow)
	found, err := f.Check(ctx, p)
	if err != nil || found.Event == pos.Settle {
		return found, err
	}
	f.set(func(f *phones) { f.voided[p.Counter] = true })
	return pos.Finding{Event: pos.Cancel, Final: true}, nil
}

// offline cuts the till off: its node and its backoffice.
func (s *shop) offline(rule pos.OfflineRule) *phones {
	f := &phones{down: true, state: map[uint32]string{}, voided: map[uint32]bool{}, requests: map[uint32]pos.PaymentID{}, asked: map[uint32]pos.Amount{}}
	f.terms = pos.OfflineTerms{Tender: bolt, Device: "d1", Enabled: true, Host: "pay", Highest: 40,
		Limits: pos.OfflineLimits{PerSale: 1000, Total: 1500, Sales: 4, Age: time.Hour}}
	s.rail.set(func(r *rail) { r.down, r.grey = true, "the node does not answer" })
	s.tenders[0].Offline, s.tenders[0].Rule = f, rule
	s.tenders[0].Limits = pos.OfflineLimits{PerSale: 100_000, Total: 100_000, Sales: 50, Age: 24 * time.Hour}
	s.restart()
	wait(2 * time.Second)
	return f
}

// by carries a command out as somebody else.
func (s *shop) by(who pos.Actor, a pos.Action) (pos.Answer, error) {
	s.keys++
	return s.Do(context.Background(), pos.Command{Key: fmt.Sprintf("key-%d", s.keys), By: who, Do: a})
}

func (s *shop) tender() pos.TenderView {
	s.t.Helper()
	return s.view().Counter.Tenders[1]
}

// report folds the whole journal.
func (s *shop) report() (pos.Report, error) {
	r := pos.NewReport("t", eur)
	for rec := range s.journal.Since(0) {
		if err := r.Add(rec); err != nil {
			s.t.Error(err)
			return r, err
		}
	}
	return r, nil
}
