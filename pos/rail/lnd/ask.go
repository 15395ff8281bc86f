package lnd

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

const askOp = "make invoice"

// identify returns p's preimage and hash. It fails with Invalid when p's own
// fields disagree, and with Internal when the payment was made with another
// secret: then this till cannot speak for it.
func (r *Rail) identify(op string, p pos.Payment) (Secret, hash, error) {
	if p.Sale == "" || p.Attempt < 1 || p.ID != pos.PaymentIDOf(p.Sale, p.Attempt) {
		return nil, hash{}, pos.E(op, pos.Invalid, "payment %q has no sale or attempt", clip(string(p.ID)))
	}
	pre, h := preimage(r.o.Secret, p)
	if p.Reference != "" && p.Reference != h.String() {
		return nil, hash{}, pos.E(op, pos.Internal, "%s", r.word("ln_other_secret"))
	}
	return pre, h, nil
}

// Ask makes the invoice of p, or finds the one that an earlier Ask made, and
// checks it. memo is what the customer's wallet shows; other than printable ASCII,
// and beyond 40 bytes, it is cut.
//
// It blocks for at most 15 s and another few for the checks. It fails with
// Unavailable when the node gave no clear answer (ask again, or Cancel), with
// Conflict when this attempt's invoice has ended or proved wrong (make a new
// attempt), with Invalid for an amount that Lightning cannot move.
func (r *Rail) Ask(ctx context.Context, p pos.Payment, memo string) (pos.Asked, error) {
	pre, h, err := r.identify(askOp, p)
	if err != nil {
		return pos.Asked{}, err
	}
	msat, err := msatOf(askOp, p)
	if err != nil {
		return pos.Asked{}, err
	}
	if err := r.mayAsk(p, h); err != nil {
		return pos.Asked{}, err
	}
	n, err := r.current(askOp)
	if err != nil {
		return pos.Asked{}, err
	}
	who, err := r.identity(ctx, n)
	if err != nil {
		return pos.Asked{}, err
	}
	want := order{who.network, who.payee, h, msat, memoOf(memo), r.o.Expiry, r.o.Private, nil}
	text, s, err := r.obtain(ctx, n, p, pre, want)
	if err != nil {
		return pos.Asked{}, err
	}
	return r.accept(ctx, n, p, want, text, s)
}

// mayAsk refuses what no call to the node could make good. Once an attempt has
// ended, the node may have deleted its invoice and would make it anew under the
// same hash, payable with the code that the customer has seen withdrawn.
func (r *Rail) mayAsk(p pos.Payment, h hash) error {
	if r.isGone(h) || !p.State.Open() && p.State != "" {
		return pos.E(askOp, pos.Conflict, "%s", r.word("ln_attempt_over"))
	}
	if max, known := r.limit(); known && p.Quantity.Cmp(max) > 0 {
		return pos.E(askOp, pos.Conflict, "%s", r.word("ln_too_much", "max", max.String()))
	}
	return nil
}

// identity returns who answers at n, asking once if nobody has yet. It fails with
// Unavailable when that is not the chain this till is set to.
func (r *Rail) identity(ctx context.Context, n *node) (identity, error) {
	who := n.known.Load()
	if who == nil {
		in, _, err := n.info(ctx)
		if err != nil {
			return identity{}, r.unknown(askOp, err)
		}
		if who = n.learn(in); who == nil {
			return identity{}, pos.E(askOp, pos.Unavailable, "%s", r.word("ln_odd"))
		}
	}
	if r.o.Network != "" && r.o.Network != who.network {
		return identity{}, pos.E(askOp, pos.Unavailable, "%s", r.word("ln_network", "is", who.network, "want", r.o.Network))
	}
	return *who, nil
}

// learn keeps the identity in an answer to GetInfo; nil if it has none to rely on.
func (n *node) learn(in info) *identity {
	who := &identity{in.Identity, in.network()}
	if len(who.payee) != 66 || nets[who.network] == nil {
		return nil
	}
	n.known.Store(who)
	return who
}

// obtain returns the text of p's invoice: a new one while p is Intended, and
// otherwise the one that the customer has already seen.
func (r *Rail) obtain(ctx context.Context, n *node, p pos.Payment, pre Secret, want order) (string, stamp, error) {
	if p.State != pos.Intended && p.State != "" {
		return r.again(ctx, n, want.hash)
	}
	out, s, err := n.add(ctx, addInvoice{
		Value:    strconv.FormatInt(want.msat/msatPerSat, 10),
		Memo:     want.memo,
		Expiry:   strconv.Itoa(int(want.expiry / time.Second)),
		Preimage: pre.base64(),
		Private:  want.hint,
	})
	switch {
	case err == nil:
		return out.Request, s, nil
	case faultOf(err) == faultExists:
		return r.again(ctx, n, want.hash)
	}
	return "", s, r.unknown(askOp, err)
}

// again reads the invoice that an earlier Ask made.
func (r *Rail) again(ctx context.Context, n *node, h hash) (string, stamp, error) {
	in, s, err := n.lookup(ctx, h)
	if err != nil {
		return "", s, r.unknown(askOp, err)
	}
	switch in.State {
	case stateOpen:
		return in.Request, s, nil
	case stateCanceled:
		return "", s, pos.E(askOp, pos.Conflict, "%s", r.word("ln_attempt_over"))
	}
	// Paid already. That is no refusal: whoever asks next must find the money.
	return "", s, pos.E(askOp, pos.Unavailable, "%s", r.word("ln_paid_already"))
}

// accept checks the invoice and makes it a payload. One that differs from the
// order is cancelled at once and shown to nobody; but one that was shown already
// stays, for the customer may be paying it.
func (r *Rail) accept(ctx context.Context, n *node, p pos.Payment, want order, text string, s stamp) (pos.Asked, error) {
	end, err := want.check(strings.ToUpper(text))
	switch {
	case err != nil && neverShown(p):
		return pos.Asked{}, r.reject(ctx, n, want.hash, err)
	case err != nil:
		return pos.Asked{}, pos.Wrap(askOp, pos.Internal, err, "%s", r.word("ln_odd"))
	}
	if !end.After(s.now()) {
		return pos.Asked{}, pos.E(askOp, pos.Unavailable, "%s", r.word("ln_attempt_over"))
	}
	return pos.Asked{
		Reference: want.hash.String(),
		Payload:   strings.ToUpper(text),
		Network:   r.word("lightning"),
		Expires:   end.Add(s.ahead).UTC(), // by the till's clock, which counts it down
	}, nil
}

// reject withdraws a wrong invoice. The result is Conflict once nobody can pay it
// any more, and Internal while that is not certain.
func (r *Rail) reject(ctx context.Context, n *node, h hash, why error) error {
	r.o.Log.Error("node made a wrong invoice", "err", scrub(why.Error()))
	kind := pos.Conflict
	if err := n.cancel(context.WithoutCancel(ctx), h); err != nil {
		kind = pos.Internal
	} else {
		r.forget(h)
	}
	return pos.Wrap(askOp, kind, why, "%s", r.word("ln_wrong_invoice"))
}

// unknown wraps a call that gave no clear answer, in a cashier's words, and lets
// the health loop look for the cause now.
func (r *Rail) unknown(op string, err error) *pos.Error {
	if !answered(err) {
		select {
		case r.look <- struct{}{}:
		default:
		}
	}
	return pos.Wrap(op, pos.Unavailable, err, "%s", r.reason(faultOf(err)))
}
