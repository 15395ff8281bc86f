package lnd

import (
	"context"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Check asks the node what became of p. It needs nothing but p's sale and attempt.
//
// It blocks for at most 5 s. Every answer that is not clear is an error with
// Unavailable: no line, an odd answer, and a hash that the node does not know
// although the customer has seen it.
func (r *Rail) Check(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	const op = "check invoice"
	_, h, err := r.identify(op, p)
	if err != nil {
		return pos.Finding{}, err
	}
	n, err := r.current(op)
	if err != nil {
		return pos.Finding{}, err
	}
	in, s, err := n.lookup(ctx, h)
	switch {
	case err == nil:
		r.observe(in)
		return finding(p, in, s), nil
	case faultOf(err) == faultNoInvoice:
		return r.missing(op, p, h, err)
	}
	return pos.Finding{}, r.unknown(op, err)
}

// finding reads an invoice. Only events that can move p are told.
func finding(p pos.Payment, in invoice, s stamp) pos.Finding {
	switch in.State {
	case stateSettled:
		return pos.Finding{
			Event:    news(p, pos.Settle),
			Received: pos.Bitcoin.UnitsOf(int64(*in.PaidMsat)),
			Final:    true, // one hash cannot be paid twice
			At:       time.Unix(int64(in.SettledAt), 0).UTC(),
		}
	case stateCanceled:
		// lnd ends an invoice at its expiry by its own clock, so that clock decides
		// what it was: the till's may stand at 1970.
		event := pos.Cancel
		if end := time.Unix(int64(in.CreatedAt+in.Expiry), 0); !s.now().Before(end) {
			event = pos.Expire
		}
		return pos.Finding{Event: news(p, event, pos.Cancel), Final: true}
	}
	if in.arriving() {
		return pos.Finding{Event: news(p, pos.See)}
	}
	return pos.Finding{}
}

// news returns the first of events that can move p, "" if none can.
func news(p pos.Payment, events ...pos.Event) pos.Event {
	for _, ev := range events {
		if q := p; q.Apply(ev, p.Moved) == nil {
			return ev
		}
	}
	return ""
}

// observe notices invoices that were paid in a way that the till does not offer.
func (r *Rail) observe(in invoice) {
	if !in.Keysend && !in.AMP {
		return
	}
	r.mu.Lock()
	first := !r.strange
	r.strange = true
	r.mu.Unlock()
	if first {
		r.o.Log.Error("invoice of a kind that the till does not make", "keysend", in.Keysend, "amp", in.AMP)
	}
}

// missing judges a hash that the node does not know. It was never made, or it was
// deleted, or this is not the node that made it. Only two of these are certain:
// nobody has ever seen it, or the node itself had confirmed its end before.
func (r *Rail) missing(op string, p pos.Payment, h hash, err error) (pos.Finding, error) {
	switch {
	case p.State == pos.Intended || p.State == "":
		return pos.Finding{}, nil
	case ended(p) || r.isGone(h) || neverShown(p):
		return pos.Finding{Event: news(p, pos.Cancel), Final: true}, nil
	}
	r.mu.Lock()
	r.deletes = true
	r.mu.Unlock()
	return pos.Finding{}, pos.Wrap(op, pos.Unavailable, err, "%s", r.word("ln_no_invoice"))
}

// ended reports that the node had once confirmed that p cannot be paid.
func ended(p pos.Payment) bool { return p.State == pos.Cancelled || p.State == pos.Expired }

// neverShown reports that no customer can have seen p's invoice: what is shown is
// recorded before, with its payload.
func neverShown(p pos.Payment) bool {
	return p.State == pos.Intended || p.State == "" || p.State == pos.Unknown && p.Payload == "" && p.Reference == ""
}

// Cancel withdraws the invoice of p, so that another tender can be taken without
// fear of a second payment. Parts that are on their way go back to the customer.
//
// A Cancel finding means that the node will not take the money any more; a Settle
// finding that it already has. An error means that nothing is known: ask again.
// It blocks for at most 10 s.
func (r *Rail) Cancel(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	const op = "cancel invoice"
	_, h, err := r.identify(op, p)
	if err != nil {
		return pos.Finding{}, err
	}
	n, err := r.current(op)
	if err != nil {
		return pos.Finding{}, err
	}
	err = n.cancel(ctx, h)
	switch {
	case err == nil:
		r.forget(h)
		return pos.Finding{Event: pos.Cancel, Final: true}, nil
	case faultOf(err) == faultSettled:
		return r.paid(ctx, op, n, p, h)
	case faultOf(err) == faultNoInvoice && (neverShown(p) || ended(p) || r.isGone(h)):
		return pos.Finding{Event: pos.Cancel, Final: true}, nil
	case faultOf(err) == faultNoInvoice:
		return r.missing(op, p, h, err)
	}
	return pos.Finding{}, r.unknown(op, err)
}

// paid reads how much an invoice brought that could not be cancelled any more.
func (r *Rail) paid(ctx context.Context, op string, n *node, p pos.Payment, h hash) (pos.Finding, error) {
	in, s, err := n.lookup(ctx, h)
	if err != nil {
		return pos.Finding{}, r.unknown(op, err)
	}
	if in.State != stateSettled {
		return pos.Finding{}, pos.E(op, pos.Unavailable, "%s", r.word("ln_odd"))
	}
	r.observe(in)
	f := finding(p, in, s)
	f.Event = pos.Settle
	return f, nil
}
