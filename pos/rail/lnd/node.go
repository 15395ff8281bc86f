package lnd

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"strconv"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Node makes invoices of a caller's own preimages, and follows them by their hash:
// what a backoffice needs that answers for tills which are offline. It makes the
// same five calls as a Rail, over the same pinned line, with a macaroon that was
// inspected the same way. It is safe for concurrent use.
type Node struct{ r *Rail }

// NewNode makes a Node before the node that o.Source leads to. o.Secret is not used,
// nor is o.Expiry. It fails as New does, and Run keeps its health known.
func NewNode(o Options) (*Node, error) {
	o.Secret = make([]byte, secretSize)
	_, _ = rand.Read(o.Secret) // never fails (crypto/rand); a Rail of nobody's payments
	r, err := New(o)
	if err != nil {
		return nil, err
	}
	return &Node{r}, nil
}

// Run keeps the health known until ctx ends; then it returns nil.
func (n *Node) Run(ctx context.Context) error { return n.r.Run(ctx) }

// Health returns the newest known health. It does not block, and asks nobody.
func (n *Node) Health() pos.Health { return n.r.Health() }

// Invoice makes the invoice of preimage over msat millisatoshis, a whole number of
// satoshis, whose description is the hash of a text that the wallet knows; or finds
// the one that an earlier call made. It checks the invoice and returns its text, in
// lower case, and its last moment by this computer's clock.
//
// It blocks for at most 15 s and another few for the checks. It fails with
// Unavailable when the node gave no clear answer (ask again with the same preimage,
// or Cancel), with Conflict when this preimage's invoice has ended, was paid or
// proved wrong, with Invalid for an amount or expiry that Lightning cannot have.
func (n *Node) Invoice(ctx context.Context, preimage [32]byte, msat int64, description [32]byte, expiry time.Duration) (text string, ends time.Time, err error) {
	r := n.r
	if msat <= 0 || msat > maxMsat || msat%msatPerSat != 0 || expiry < minExpiry || expiry > longestExpiry || expiry%time.Second != 0 {
		return "", time.Time{}, pos.E(askOp, pos.Invalid, "%d msat for %v cannot be paid over Lightning", msat, expiry)
	}
	h := hash(sha256.Sum256(preimage[:]))
	if err := r.mayAsk(pos.Payment{Quantity: pos.Bitcoin.UnitsOf(msat)}, h); err != nil {
		return "", time.Time{}, err
	}
	at, err := r.current(askOp)
	if err != nil {
		return "", time.Time{}, err
	}
	who, err := r.identity(ctx, at)
	if err != nil {
		return "", time.Time{}, err
	}
	want := order{network: who.network, payee: who.payee, hash: h, msat: msat, expiry: expiry, hint: r.o.Private, memoHash: description[:]}
	text, s, err := n.obtain(ctx, at, preimage, want)
	if err != nil {
		return "", time.Time{}, err
	}
	end, err := want.check(text)
	switch {
	case err != nil:
		return "", time.Time{}, r.reject(ctx, at, h, err)
	case !end.After(s.now()):
		return "", time.Time{}, pos.E(askOp, pos.Unavailable, "%s", r.word("ln_attempt_over"))
	}
	return strings.ToLower(text), end.Add(s.ahead).UTC(), nil
}

// obtain adds the invoice, or reads the one that is there.
func (n *Node) obtain(ctx context.Context, at *node, preimage [32]byte, want order) (string, stamp, error) {
	out, s, err := at.add(ctx, addInvoice{
		Value:    strconv.FormatInt(want.msat/msatPerSat, 10),
		MemoHash: want.memoHash,
		Expiry:   strconv.Itoa(int(want.expiry / time.Second)),
		Preimage: Secret(preimage[:]).base64(),
		Private:  want.hint,
	})
	switch {
	case err == nil:
		return out.Request, s, nil
	case faultOf(err) == faultExists:
		return n.present(ctx, at, want.hash)
	}
	return "", s, n.r.unknown(askOp, err)
}

// present reads the invoice that an earlier call made, if it is open.
func (n *Node) present(ctx context.Context, at *node, h hash) (string, stamp, error) {
	in, s, err := at.lookup(ctx, h)
	switch {
	case err != nil:
		return "", s, n.r.unknown(askOp, err)
	case in.State == stateSettled:
		return "", s, pos.E(askOp, pos.Conflict, "%s", n.r.word("ln_paid_already"))
	case in.State != stateOpen:
		return "", s, pos.E(askOp, pos.Conflict, "%s", n.r.word("ln_attempt_over"))
	}
	return in.Request, s, nil
}

// Look asks the node what became of the invoice of this hash: a Settle finding with
// what was received, a Cancel or Expire finding when nobody can pay it any more, See
// while parts are held, nothing while it is open. It blocks for at most 5 s. It
// fails with NotFound when the node knows no such invoice (it was never made, or the
// node deletes them), and with Unavailable when there was no clear answer.
func (n *Node) Look(ctx context.Context, h [32]byte) (pos.Finding, error) {
	const op = "look at invoice"
	at, err := n.r.current(op)
	if err != nil {
		return pos.Finding{}, err
	}
	in, s, err := at.lookup(ctx, h)
	switch {
	case err == nil:
		n.r.observe(in)
		return finding(asked, in, s), nil
	case faultOf(err) == faultNoInvoice:
		return pos.Finding{}, pos.Wrap(op, pos.NotFound, err, "%s", n.r.word("ln_no_invoice"))
	}
	return pos.Finding{}, n.r.unknown(op, err)
}

// asked is a payment that every finding moves.
var asked = pos.Payment{State: pos.Requested}

// Cancel withdraws the invoice of this hash. A Cancel finding means that nobody can
// pay it any more, a Settle finding that somebody had. It blocks for at most 10 s,
// and fails as Look does; then nothing is known.
func (n *Node) Cancel(ctx context.Context, h [32]byte) (pos.Finding, error) {
	const op = "cancel invoice"
	at, err := n.r.current(op)
	if err != nil {
		return pos.Finding{}, err
	}
	err = at.cancel(ctx, h)
	switch faultOf(err) {
	case faultSettled:
		return n.r.paid(ctx, op, at, asked, h)
	case faultNoInvoice:
		return pos.Finding{}, pos.Wrap(op, pos.NotFound, err, "%s", n.r.word("ln_no_invoice"))
	}
	if err != nil {
		return pos.Finding{}, n.r.unknown(op, err)
	}
	n.r.forget(h)
	return pos.Finding{Event: pos.Cancel, Final: true}, nil
}
