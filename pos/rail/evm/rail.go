package evm

import (
	"context"
	"math/big"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Rail takes one token on one chain. It is safe for concurrent use.
type Rail struct {
	w     *Watcher
	c     *chain
	token Token
}

// Tender names the rail: "usdc-base".
func (r *Rail) Tender() pos.Tender { return tenderName(r.token, r.c.Chain) }

// Token returns what the rail takes.
func (r *Rail) Token() Token { return r.token }

// Chain returns where it takes it.
func (r *Rail) Chain() Chain { return r.c.Chain }

// Name is for people: "USDC on Base".
func (r *Rail) Name() string {
	return r.w.word("evm_on", "token", r.token.Symbol, "chain", r.c.Name)
}

// Health returns the newest known health. It does not block, and asks nobody.
func (r *Rail) Health() pos.Health {
	h := pos.Health{Asset: r.token.Asset(), Notices: r.w.told(r.c.ID)}
	if h.Reason = r.why(); h.Reason == "" {
		h.Ready = true
	}
	return h
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

// Bounds of the calls of the desk: Check has 5 s there, Cancel 8, Ask 15.
const (
	checkLimit  = 4500 * time.Millisecond
	cancelLimit = 7 * time.Second
	askTries    = 4 // addresses that have something on them already
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

// Ask gives p an address of its own, or finds the one that an earlier Ask gave. The
// address is in the till's book, durable, before Ask returns; and the chain has
// just said that nothing is there.
//
// It blocks for one or two calls to an endpoint, and for the book's disk. It fails
// with Unavailable when the chain does not answer, with Conflict when the attempt
// has ended, with Invalid for a payment that is not this rail's.
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
	select { // one new address at a time
	case r.w.asking <- struct{}{}:
		defer func() { <-r.w.asking }()
	case <-ctx.Done():
		return pos.Asked{}, r.unknown(askOp, rpc.Failed(rpc.Unreachable, "given up"))
	}
	e, known, err := r.known(p)
	if err != nil {
		return pos.Asked{}, err
	}
	if !known {
		make := r.fresh
		if r.w.o.Shared {
			make = r.unique
		}
		if e, err = make(ctx, p); err != nil {
			return pos.Asked{}, err
		}
	}
	return r.asked(p, e, r.c.headNow().time)
}

// known returns the request that was made before.
func (r *Rail) known(p pos.Payment) (*payment, bool, error) {
	if p.Reference != "" {
		ref, err := readReference(p.Reference)
		if err != nil {
			return nil, false, err
		}
		r.w.mu.Lock()
		defer r.w.mu.Unlock()
		return r.w.add(p.ID, ref, r.token, ""), true, nil
	}
	e, ok := r.w.book.find(p.ID)
	if !ok {
		return nil, false, nil
	}
	if e.Chain != r.c.ID || e.Token != r.token.Contract {
		return nil, false, pos.E(askOp, pos.Invalid, "this attempt was made with another token")
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	return r.w.add(p.ID, r.w.book.reference(e), r.token, e.Paid), true, nil
}

// fresh makes a new request.
func (r *Rail) fresh(ctx context.Context, p pos.Payment) (*payment, error) {
	for range askTries {
		n, salt := r.w.book.peek()
		at := AddressOf(r.w.o.Treasury, salt)
		head, clean, err := r.c.look(ctx, at)
		if err != nil {
			return nil, r.unknown(askOp, err)
		}
		if !clean {
			r.w.mu.Lock()
			r.w.tell(r.c, "used", r.w.word("evm_used", "tail", at.Tail()))
			r.w.mu.Unlock()
			if err := r.w.book.burn(n); err != nil {
				return nil, err
			}
			continue
		}
		e := entry{
			ID: p.ID, N: n, Chain: r.c.ID, Token: r.token.Contract, Units: p.Quantity.Int().String(),
			End: head.time + uint64(r.w.o.Expiry/time.Second), From: head.number, Treasury: r.w.o.Treasury,
		}
		if ok, err := r.w.book.add(e); err != nil || !ok {
			return nil, pos.Wrap(askOp, pos.Internal, err, "%s", r.w.word("evm_book"))
		}
		r.w.mu.Lock()
		made := r.w.add(p.ID, r.w.book.reference(e), r.token, "")
		r.w.mu.Unlock()
		for _, c := range r.w.chains { // those that rest look more often now
			c.poke()
		}
		return made, nil
	}
	return nil, pos.E(askOp, pos.Conflict, "%s", r.w.word("evm_book"))
}

// asked makes the answer of Ask. The countdown is by the till's clock, the end by
// the chain's; now is the chain's time, as far as it is known.
func (r *Rail) asked(q pos.Payment, p *payment, now uint64) (pos.Asked, error) {
	left := min(time.Duration(int64(p.ref.end)-int64(now))*time.Second, r.w.o.Expiry)
	if left <= 0 {
		return pos.Asked{}, pos.E(askOp, pos.Conflict, "%s", r.w.word("evm_over"))
	}
	forms := r.forms(p, p.units)
	a := pos.Asked{
		Reference: p.ref.String(),
		Payload:   forms[0].Payload,
		Forms:     forms,
		Network:   r.Name(),
		Expires:   time.Now().Add(left).UTC().Truncate(time.Second),
	}
	if p.units.Cmp(q.Quantity.Int()) != 0 {
		a.Quantity = quantityOf(r.token, p.units)
	}
	return a, nil
}

// forms returns the ways to ask for units of p's request: the standard one, the bare
// address, and the links that Options allow.
func (r *Rail) forms(p *payment, units *big.Int) (out []Form) {
	for _, f := range Forms(r.c.Chain, r.token, p.ref.address, units) {
		f.Caption = r.w.word("evm_form_standard")
		if f.Typed {
			f.Caption = r.w.word("evm_form_typed", "amount", quantityOf(r.token, units).String(), "chain", r.c.Name)
		}
		if always(f) || slices.Contains(r.w.o.Links, f.Name) {
			out = append(out, f)
		}
	}
	return out
}

// Check waits for the next look at the chain and says what became of p. Money that
// is proved already is told at once.
//
// It blocks for at most 4.5 s. It fails with Unavailable when the chain gave no
// answer to rely on, or two operators differ.
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
	if f, ok := r.paid(p, e, p.Lost || p.State == pos.Settled); ok { // what was booked once needs no more to be booked again
		return f, nil
	}
	ctx, stop := context.WithTimeout(ctx, checkLimit)
	defer stop()
	if err := r.look(ctx, e); err != nil {
		return pos.Finding{}, r.unknown(op, err)
	}
	return r.finding(op, p, e)
}

// look waits for a round of the rail's chain that reads e, or until enough of e is
// proved: the round under way may find it, and nobody should wait for another.
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
	return w.pays(e, e.received())
}

// unknown wraps a call that gave no clear answer in a cashier's words.
func (r *Rail) unknown(op string, err error) *pos.Error {
	return pos.Wrap(op, pos.Unavailable, err, "%s", r.c.reasonOf(err))
}

// Cancel withdraws p's request as far as a chain allows: it reads all chains once
// more. An address cannot be withdrawn, so no finding of it is the last word, and
// money that comes later is found.
//
// A Settle finding means that money is there, also when it is less than was asked
// for: then it pays a part. It blocks for at most 7 s. It fails with Unavailable when
// the chain gave no answer to rely on, or money is on its way, or other money came
// than was asked for: a manager decides.
func (r *Rail) Cancel(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	const op = "cancel stablecoin payment"
	if err := r.identify(op, p); err != nil {
		return pos.Finding{}, err
	}
	e, ok, err := r.known(p)
	if err != nil {
		return pos.Finding{}, err
	}
	if !ok { // nobody ever saw an address
		return pos.Finding{Event: pos.Cancel, Final: true}, nil
	}
	if ctx.Err() != nil {
		return pos.Finding{}, r.unknown(op, rpc.Failed(rpc.Unreachable, "given up"))
	}
	ctx, stop := context.WithTimeout(ctx, cancelLimit)
	defer stop()
	for _, c := range r.w.chains {
		if c != r.c { // their word is welcome; nobody waits for it
			c.ask()
		}
	}
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
