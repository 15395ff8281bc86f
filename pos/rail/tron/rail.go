package tron

import (
	"context"
	"math/big"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/rpc"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// Rail takes one token. It is safe for concurrent use.
type Rail struct {
	w     *Watcher
	c     *chain
	token Token
}

// Tender names the rail: "usdt-tron".
func (r *Rail) Tender() pos.Tender { return tenderName(r.token, r.c.chain) }

// Token returns what the rail takes.
func (r *Rail) Token() Token { return r.token }

// Chain returns where it takes it.
func (r *Rail) Chain() Chain { return r.c.chain }

// Name is for people: "USDT on Tron".
func (r *Rail) Name() string {
	return r.w.word("evm_on", "token", r.token.Symbol, "chain", r.c.chain.Name)
}

// Health returns the newest known health. It does not block, and asks nobody.
func (r *Rail) Health() pos.Health {
	why := r.why()
	return pos.Health{Ready: why == "", Reason: why, Asset: r.token.Asset(), Notices: r.w.told()}
}

// why says why the rail cannot be offered; empty: it can.
func (r *Rail) why() string {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if r.c.reason != "" {
		return r.c.reason
	}
	return r.c.dead[r.token.Contract]
}

// Bounds of the calls of the desk: Check has 5 s there, Cancel 8.
const (
	checkLimit  = 4800 * time.Millisecond
	cancelLimit = 7 * time.Second
)

// identify fails with Invalid when p is not this rail's, or its fields disagree.
func (r *Rail) identify(op string, p pos.Payment) error {
	switch {
	case p.Sale == "" || p.Attempt < 1 || p.ID != pos.PaymentIDOf(p.Sale, p.Attempt):
		return pos.E(op, pos.Invalid, "payment %q has no sale or attempt", rpc.Clip(string(p.ID)))
	case p.Quantity.Asset.ID != r.token.Asset().ID || p.Quantity.IsZero():
		return pos.E(op, pos.Invalid, "%s cannot be paid with %s", p.Quantity.String(), r.Name())
	}
	return nil
}

const askOp = "make stablecoin request"

// Ask gives p an amount of its own, or finds the one that an earlier Ask gave: the price
// and at most a cent more (Asked.Quantity). It is in the till's book, durable, before
// Ask returns.
//
// It blocks for a few calls to an endpoint, and for the book's disk. It fails with
// Unavailable when the network does not answer, with Conflict when the attempt has
// ended or no amount is free, with Invalid for a payment that is not this rail's.
func (r *Rail) Ask(ctx context.Context, p pos.Payment, _ string) (pos.Asked, error) {
	if err := r.identify(askOp, p); err != nil {
		return pos.Asked{}, err
	}
	if !p.State.Open() && p.State != "" {
		return pos.Asked{}, pos.E(askOp, pos.Conflict, "%s", r.w.word("evm_over"))
	}
	if why := r.why(); why != "" {
		return pos.Asked{}, pos.E(askOp, pos.Unavailable, "%s", why)
	}
	select { // one new request at a time
	case r.w.asking <- struct{}{}:
		defer func() { <-r.w.asking }()
	case <-ctx.Done():
		return pos.Asked{}, r.unknown(askOp, rpc.Failed(rpc.Unreachable, "given up"))
	}
	e, known, err := r.known(p)
	if err == nil && !known {
		e, err = r.fresh(ctx, p)
	}
	if err != nil {
		return pos.Asked{}, err
	}
	return r.asked(p, e)
}

// known returns the request that was made before.
func (r *Rail) known(p pos.Payment) (*payment, bool, error) {
	e, kept := r.w.book.Find(p.ID)
	note := e.Note
	if p.Reference != "" {
		note = p.Reference
	}
	if note == "" {
		return nil, false, nil
	}
	ref, err := readReference(note)
	switch {
	case err != nil:
		return nil, false, err
	case kept && e.Place != r.c.place(r.token):
		return nil, false, pos.E(askOp, pos.Invalid, "this attempt was made with another token or address")
	case ref.address != r.w.o.Address:
		return nil, false, pos.E("look for payment", pos.Unavailable, "%s", r.w.word("tron_moved", "tail", ref.address.Tail()))
	}
	if !kept {
		r.w.book.Keep(unique.Entry{ID: p.ID, Place: r.c.place(r.token), Units: ref.units.String(), End: ref.end, Note: note})
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	return r.w.add(p.ID, ref, r.token, e.Told()), true, nil
}

// fresh makes a new request.
func (r *Rail) fresh(ctx context.Context, p pos.Payment) (*payment, error) {
	from, balance, err := r.c.look(ctx, r.token)
	if err != nil {
		return nil, r.unknown(askOp, err)
	}
	ref := reference{from: from, end: from.time + uint64(r.w.o.Expiry/time.Second), address: r.w.o.Address, balance: balance}
	e := unique.Entry{ID: p.ID, Place: r.c.place(r.token), End: ref.end}
	_, err = r.w.book.Take(e, p.Quantity.Int(), r.token.step(), from.time, func(units *big.Int) string {
		ref.units = units
		return ref.String()
	})
	if err != nil {
		key := "evm_book"
		if pos.KindOf(err) == pos.Conflict {
			key = "evm_no_slot"
		}
		return nil, pos.Wrap(askOp, pos.KindOf(err), err, "%s", r.w.word(key, "amount", p.Quantity.String()))
	}
	r.w.mu.Lock()
	made := r.w.add(p.ID, ref, r.token, nil)
	r.w.mu.Unlock()
	r.c.poke() // it may rest
	return made, nil
}

// asked makes the answer of Ask. The countdown is by the till's clock, the end by the
// chain's.
func (r *Rail) asked(q pos.Payment, p *payment) (pos.Asked, error) {
	left := min(time.Duration(int64(p.ref.end)-int64(r.c.headNow().time))*time.Second, r.w.o.Expiry)
	if left <= 0 {
		return pos.Asked{}, pos.E(askOp, pos.Conflict, "%s", r.w.word("evm_over"))
	}
	a := pos.Asked{
		Reference: p.ref.String(), Payload: p.ref.address.String(), Network: r.Name(), Forms: r.forms(p),
		Expires: time.Now().Add(left).UTC().Truncate(time.Second),
	}
	if p.units.Cmp(q.Quantity.Int()) != 0 {
		a.Quantity = quantityOf(r.token, p.units)
	}
	return a, nil
}

// forms are the ways to show a request: the bare address, which every wallet reads, and,
// if the owner wants it, the link that names no token.
func (r *Rail) forms(p *payment) []pos.Form {
	q := quantityOf(r.token, p.units)
	out := []pos.Form{{
		Name: "address", Payload: p.ref.address.String(), Typed: true,
		Caption: r.w.word("tron_form_address", "amount", q.String(), "chain", r.c.chain.Name),
	}}
	if r.w.o.Link {
		out = append(out, pos.Form{
			Name: "tron", Payload: URI(p.ref.address, q),
			Caption: r.w.word("tron_form_link", "amount", q.String(), "coin", r.c.chain.Coin),
		})
	}
	return out
}

// Check waits for the next look at the network and says what became of p. Money that is
// proved already is told at once.
//
// It blocks for at most 4.8 s. It fails with Unavailable when the network gave no answer
// to rely on, or two of them differ.
func (r *Rail) Check(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	const op = "check stablecoin payment"
	if err := r.identify(op, p); err != nil {
		return pos.Finding{}, err
	}
	e, ok, err := r.known(p)
	if err != nil || !ok {
		return pos.Finding{}, err // never asked for: nothing new
	}
	if ctx.Err() != nil {
		return pos.Finding{}, r.unknown(op, rpc.Failed(rpc.Unreachable, "given up"))
	}
	r.w.remind(p, e)
	if f, ok := r.gone(p, e); ok {
		return f, nil
	}
	if f, ok := r.paid(p, e); ok {
		return f, nil
	}
	ctx, stop := context.WithTimeout(ctx, checkLimit)
	defer stop()
	if err := r.look(ctx, e); err != nil {
		return pos.Finding{}, r.unknown(op, err)
	}
	return r.finding(op, p, e)
}

// look waits for a round of the network that looks for e, or until e is proved: the
// round under way may find it, and nobody should wait for another.
func (r *Rail) look(ctx context.Context, e *payment) error {
	woken := make(chan struct{}, 1)
	r.w.mu.Lock()
	e.wants, e.touched = e.wants+1, time.Now()
	r.w.payments[e.id] = e
	id := r.w.listen(e, func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	r.w.mu.Unlock()
	defer func() {
		r.w.mu.Lock()
		defer r.w.mu.Unlock()
		e.wants--
		delete(e.wakes, id)
	}()
	done := r.c.ask()
	for {
		select {
		case err := <-done:
			return err
		case <-woken:
			if r.w.enough(e) {
				return nil
			}
		case <-ctx.Done():
			return rpc.Failed(rpc.Unreachable, "no answer in time")
		}
	}
}

// listen calls wake at news of e, until the number returned is deleted from e.wakes.
// w.mu is held.
func (w *Watcher) listen(e *payment, wake func()) int {
	w.watches++
	if e.wakes == nil {
		e.wakes = map[int]func(){}
	}
	e.wakes[w.watches] = wake
	return w.watches
}

// enough reports that all that was asked for is proved.
func (w *Watcher) enough(e *payment) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return e.received().Cmp(e.units) >= 0
}

// unknown wraps a call that gave no clear answer in a cashier's words.
func (r *Rail) unknown(op string, err error) *pos.Error {
	return pos.Wrap(op, pos.Unavailable, err, "%s", r.c.reasonOf(err))
}

// Cancel withdraws p's request as far as a network of payments allows: it looks once
// more. An address cannot be withdrawn, so no finding of it is the last word, and money
// that comes later is found.
//
// A Settle finding means that the money is there. It blocks for at most 7 s. It fails
// with Unavailable when the network gave no answer to rely on, or money is on its way,
// or another token came: a manager decides.
func (r *Rail) Cancel(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	const op = "cancel stablecoin payment"
	if err := r.identify(op, p); err != nil {
		return pos.Finding{}, err
	}
	e, ok, err := r.known(p)
	if err != nil {
		return pos.Finding{}, err
	}
	if !ok { // nobody ever saw an amount
		return pos.Finding{Event: pos.Cancel, Final: true}, nil
	}
	if ctx.Err() != nil {
		return pos.Finding{}, r.unknown(op, rpc.Failed(rpc.Unreachable, "given up"))
	}
	ctx, stop := context.WithTimeout(ctx, cancelLimit)
	defer stop()
	if err := r.look(ctx, e); err != nil {
		return pos.Finding{}, r.unknown(op, err)
	}
	return r.cancelled(op, p, e)
}

// Watch calls wake whenever Check may have news of p, until ctx ends. wake must not
// block.
func (r *Rail) Watch(ctx context.Context, p pos.Payment, wake func()) {
	e, ok, err := r.known(p)
	if err != nil || !ok {
		<-ctx.Done()
		return
	}
	r.w.mu.Lock()
	r.w.payments[e.id] = e
	id := r.w.listen(e, wake)
	r.w.mu.Unlock()
	<-ctx.Done()
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	delete(e.wakes, id)
}
