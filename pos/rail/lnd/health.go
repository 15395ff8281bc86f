package lnd

import (
	"context"
	"strconv"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Paces of the health loop.
const (
	healthEvery    = 10 * time.Second
	sourceEvery    = 2 * time.Second
	permanentRetry = 5 * time.Minute // a macaroon that is refused will be refused again
	oldHeader      = 2 * time.Hour   // no block for so long happens once in 160,000 blocks
	clockTolerance = 30 * time.Second
)

// certificateDays are the days before a certificate's end on which the owner hears
// of it anew.
var certificateDays = []int{1, 7, 30}

// Run keeps the health known until ctx ends; then it returns nil.
func (r *Rail) Run(ctx context.Context) error {
	var p pacer
	for ctx.Err() == nil {
		if !r.Health().Ready {
			_ = r.link() // the health says what is wrong
		}
		n := r.node.Load()
		if p.due(n) {
			h, f := r.examine(ctx, n)
			if ctx.Err() == nil && r.node.Load() == n {
				r.set(h)
			}
			p.examined(h.Ready, f)
		}
		if r.rest(ctx, p.rest(r.Health().Ready)) && r.Health().Ready {
			p.hurry()
		}
	}
	if n := r.node.Load(); n != nil {
		n.close()
	}
	return nil
}

// rest waits for d, for ctx, or for a call that had no answer; the last it reports.
func (r *Rail) rest(ctx context.Context, d time.Duration) (look bool) {
	t := time.NewTimer(max(d, 0))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-r.look:
		return true
	}
	return false
}

// pacer says when the node is to be examined next. It belongs to Run.
type pacer struct {
	node       *node
	wait       time.Duration // the next one, while the node is not well
	last, next time.Time
}

// due reports that n shall be examined now: it is new, or its time has come.
func (p *pacer) due(n *node) bool {
	if n != p.node {
		*p = pacer{node: n, wait: retryFirst}
	}
	return n != nil && !time.Now().Before(p.next)
}

// examined sets the next time.
func (p *pacer) examined(ready bool, f fault) {
	p.last = time.Now()
	switch {
	case ready:
		p.wait, p.next = retryFirst, p.last.Add(healthEvery)
	case f.permanent():
		p.next = p.last.Add(permanentRetry)
	default:
		p.next = p.last.Add(jitter(p.wait))
		p.wait = min(2*p.wait, retryLast)
	}
}

// hurry brings the next time forward, to no sooner than a second after the last.
func (p *pacer) hurry() { p.next = p.last.Add(time.Second) }

// rest is how long Run may sleep: until the next time, and no longer than Source
// may wait.
func (p *pacer) rest(ready bool) time.Duration {
	switch left := time.Until(p.next); {
	case p.node == nil:
		return sourceEvery
	case ready:
		return left
	default:
		return min(left, sourceEvery)
	}
}

// examine asks the node how it is. The fault is meaningful when it is not ready.
func (r *Rail) examine(ctx context.Context, n *node) (pos.Health, fault) {
	if len(n.rights.Missing) > 0 {
		return pos.Health{Reason: r.word("ln_key_lacks", "right", n.rights.Missing[0])}, faultDenied
	}
	state, err := n.state(ctx)
	if err != nil {
		return pos.Health{Reason: r.reason(faultOf(err))}, faultOf(err)
	}
	if f, up := stateFault(state); !up {
		return pos.Health{Reason: r.reason(f)}, f
	}
	in, s, err := n.info(ctx)
	if err != nil {
		return pos.Health{Reason: r.reason(faultOf(err))}, faultOf(err)
	}
	who := n.learn(in)
	if who == nil {
		return pos.Health{Reason: r.word("ln_odd")}, faultOdd
	}
	return r.judge(n, in, who.network, s), faultOdd
}

// stateFault reads lnd's WalletState (lnrpc/stateservice.proto).
func stateFault(state string) (f fault, up bool) {
	switch state {
	case "SERVER_ACTIVE":
		return 0, true
	case "LOCKED":
		return faultLocked, false
	case "NON_EXISTING":
		return faultNoWallet, false
	case "UNLOCKED", "RPC_ACTIVE", "WAITING_TO_START":
		return faultStarting, false
	}
	return faultOdd, false
}

// judge says whether a node that answers can be paid, and what its owner should
// know.
func (r *Rail) judge(n *node, in info, network string, s stamp) pos.Health {
	h := pos.Health{Notices: r.notices(n, s)}
	max, known := r.limit()
	switch {
	case r.o.Network != "" && r.o.Network != network:
		h.Reason = r.word("ln_network", "is", network, "want", r.o.Network)
	case !toys[network] && (!in.Synced || s.now().Sub(time.Unix(int64(in.BestHeader), 0)) > oldHeader):
		h.Reason = r.word("ln_not_synced")
	case in.ActiveChannels == 0:
		h.Reason = r.word("ln_no_channels")
	case known && max.Cmp(pos.Bitcoin.UnitsOf(msatPerSat)) < 0:
		h.Reason = r.word("ln_no_inbound")
	default:
		h.Ready = true
	}
	return h
}

// notices lists what works and still needs the owner.
func (r *Rail) notices(n *node, s stamp) []string {
	var out []string
	if days, soon := certificateDue(time.Unix(n.ends.Load(), 0), s.now()); n.ends.Load() != 0 && soon {
		out = append(out, r.word("ln_certificate_ends", "days", strconv.Itoa(days)))
	}
	if s.ahead.Abs() > clockTolerance {
		out = append(out, r.word("ln_clock", "seconds", strconv.Itoa(int(s.ahead.Abs()/time.Second))))
	}
	if n.rights.Verdict == TooWide {
		out = append(out, r.word("ln_key_wide"))
	}
	if days, soon := certificateDue(n.rights.Ends, s.now()); !n.rights.Ends.IsZero() && soon {
		out = append(out, r.word("ln_key_ends_soon", "days", strconv.Itoa(days)))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.deletes {
		out = append(out, r.word("ln_deletes"))
	}
	if r.strange {
		out = append(out, r.word("ln_strange"))
	}
	return out
}

// certificateDue returns the step of certificateDays that now has reached: 30, 7
// or 1 days, 0 past the end. The text changes only then, so it is read.
func certificateDue(end, now time.Time) (days int, soon bool) {
	left := end.Sub(now)
	if left <= 0 {
		return 0, true
	}
	for _, d := range certificateDays {
		if left <= time.Duration(d)*24*time.Hour {
			return d, true
		}
	}
	return 0, false
}

// reason puts a fault into a cashier's words, with what to do.
func (r *Rail) reason(f fault) string { return r.word(reasons[f]) }

// reasons are keys of words. A fault that is not here is odd.
var reasons = map[fault]string{
	faultOdd:         "ln_odd",
	faultUnreachable: "ln_unreachable",
	faultPin:         "ln_pin",
	faultEnded:       "ln_certificate_ended",
	faultAuthority:   "ln_authority",
	faultLocked:      "ln_locked",
	faultNoWallet:    "ln_no_wallet",
	faultStarting:    "ln_starting",
	faultDenied:      "ln_denied",
	faultRevoked:     "ln_revoked",
	faultKeyEnded:    "ln_key_ended",
	faultKeyBound:    "ln_key_bound",
	faultExists:      "ln_odd",
	faultSettled:     "ln_odd",
	faultCancelled:   "ln_odd",
	faultNoInvoice:   "ln_no_invoice",
	faultNotAllowed:  "ln_odd",
}
