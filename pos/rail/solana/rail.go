package solana

import (
	"context"
	"crypto/rand"
	"math/big"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// Rail takes one token on one cluster. It is safe for concurrent use.
type Rail struct {
	w     *Watcher
	token Token
}

// Tender names the rail: "usdc-solana".
func (r *Rail) Tender() pos.Tender { return tender(r.token, r.w.o.Cluster) }

// Token returns what the rail takes.
func (r *Rail) Token() Token { return r.token }

// Cluster returns where it takes it.
func (r *Rail) Cluster() Cluster { return r.w.o.Cluster }

// Asset returns what prices are made of.
func (r *Rail) Asset() pos.Asset { return r.token.asset(r.w.o.Cluster) }

// Name is for people: "USDC on Solana".
func (r *Rail) Name() string { return r.w.word("evm_on", "token", r.token.Symbol) }

// Health returns the newest known health. It does not block, and asks nobody.
func (r *Rail) Health() pos.Health {
	h := pos.Health{Asset: r.Asset(), Reason: r.why()}
	h.Ready = h.Reason == ""
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	for _, n := range r.w.notices {
		h.Notices = append(h.Notices, n.text)
	}
	return h
}

// why says why the rail cannot be offered; empty: it can.
func (r *Rail) why() string {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	if r.w.reason != "" {
		return r.w.reason
	}
	return r.w.dead[r.token.Mint]
}

// Bounds of the calls of the desk: Check has 5 s there, Cancel 8, Ask 15.
const (
	checkLimit  = 4500 * time.Millisecond
	cancelLimit = 7 * time.Second
)

// uniqueSlots bounds what is added to a price to make its amount unlike all others: k
// ten-thousandths of a token, less than one cent.
const uniqueSlots = 100

// identify fails with Invalid when p is not this rail's, or its fields disagree.
func (r *Rail) identify(op string, p pos.Payment) error {
	n := p.Quantity.Int()
	switch {
	case p.Sale == "" || p.Attempt < 1 || p.ID != pos.PaymentIDOf(p.Sale, p.Attempt):
		return pos.E(op, pos.Invalid, "payment %q has no sale or attempt", rpc.Clip(rpc.Plain(string(p.ID))))
	case p.Quantity.Asset.ID != r.Asset().ID || n.Sign() == 0 || n.BitLen() > 60:
		return pos.E(op, pos.Invalid, "%s cannot be paid with %s", p.Quantity.String(), r.Name())
	}
	return nil
}

const askOp = "make Solana request"

// Ask gives p a reference and an amount of its own, or finds those that an earlier Ask
// gave. They are in the till's book, durable, before Ask returns; and the cluster has
// just said that the owner's account is there. Asked.Quantity says the amount when it
// is not p's.
//
// It blocks for one call to an endpoint, and for the book's disk. It fails with
// Unavailable when the cluster does not answer, with Conflict when the attempt has
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
	select { // one new amount at a time
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
		if e, err = r.fresh(ctx, p); err != nil {
			return pos.Asked{}, err
		}
	}
	return r.asked(p, e)
}

// known returns the request that was made before.
func (r *Rail) known(p pos.Payment) (*payment, bool, error) {
	const op = "find Solana request"
	var ref reference
	paid := ""
	if p.Reference != "" {
		var err error
		if ref, err = readReference(p.Reference); err != nil {
			return nil, false, err
		}
	} else {
		e, ok := r.w.book.find(p.ID)
		if !ok {
			return nil, false, nil
		}
		ref, paid = e.reference(), e.Paid
	}
	if ref.mint != r.token.Mint {
		return nil, false, pos.E(op, pos.Invalid, "this attempt was made with another token")
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	if r.w.payments[p.ID] == nil {
		r.w.rescan = true // what came for it may have been read for nobody
	}
	return r.w.add(p.ID, ref, r.token, paid), true, nil
}

// fresh makes a new request.
func (r *Rail) fresh(ctx context.Context, p pos.Payment) (*payment, error) {
	head, err := r.w.glance(ctx, r.token)
	if err != nil {
		return nil, r.unknown(askOp, err)
	}
	units, ok := r.unique(p.Quantity.Int(), head.time)
	if !ok {
		return nil, pos.E(askOp, pos.Conflict, "%s", r.w.word("evm_no_slot", "amount", p.Quantity.String()))
	}
	e := entry{
		ID: p.ID, Owner: r.w.o.Owner, Mint: r.token.Mint, Units: units.String(),
		From: head.slot, End: head.time + uint64(r.w.o.Expiry/time.Second),
	}
	if _, err := rand.Read(e.Key[:]); err != nil {
		return nil, pos.Wrap(askOp, pos.Internal, err, "this computer gives no random numbers")
	}
	switch ok, err := r.w.book.add(e); {
	case err != nil:
		return nil, pos.Wrap(askOp, pos.Internal, err, "%s", r.w.word("sol_book"))
	case !ok:
		return nil, pos.E(askOp, pos.Conflict, "%s", r.w.word("evm_no_slot", "amount", p.Quantity.String()))
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	made := r.w.add(p.ID, e.reference(), r.token, "")
	r.w.poke() // who rests looks more often now
	return made, nil
}

// unique adds to an amount until no other request has it: this till's steps of the
// ten-thousandths that people can type.
func (r *Rail) unique(units *big.Int, now uint64) (*big.Int, bool) {
	taken := r.w.book.taken(r.token.Mint, now)
	r.w.mu.Lock()
	for _, p := range r.w.payments { // those that the book lost
		if p.token.Mint == r.token.Mint && p.ref.end+uint64(uniqueHold/time.Second) > now {
			taken[p.units.String()] = true
		}
	}
	r.w.mu.Unlock()
	step, n := r.token.step(), new(big.Int).Set(units)
	for range uniqueSlots {
		if r.w.lane().Has(n, step) && !taken[n.String()] {
			return n, true
		}
		n.Add(n, step)
	}
	return nil, false
}

// lane is the amounts that are this till's, whatever the price: two tills ask for
// different ones also when the rate moved in between.
func (w *Watcher) lane() unique.Lane { return unique.Lane{N: w.o.Till - 1, Of: w.o.Tills} }

// asked makes the answer of Ask. The countdown is by the till's clock, the end by the
// cluster's.
func (r *Rail) asked(q pos.Payment, p *payment) (pos.Asked, error) {
	left := min(time.Duration(int64(p.ref.end)-int64(r.w.headNow().time))*time.Second, r.w.o.Expiry)
	if left <= 0 {
		return pos.Asked{}, pos.E(askOp, pos.Conflict, "%s", r.w.word("evm_over"))
	}
	forms := r.forms(p, p.units)
	a := pos.Asked{
		Reference: p.ref.String(), Payload: forms[0].Payload, Forms: forms, Network: r.Name(),
		Expires: time.Now().Add(left).UTC().Truncate(time.Second),
	}
	if p.units.Cmp(q.Quantity.Int()) != 0 {
		a.Quantity = quantityOf(r.w.o.Cluster, r.token, p.units)
	}
	return a, nil
}

// Check waits for the next look at the cluster and says what became of p. Money that
// is proved already is told at once.
//
// It blocks for at most 4.5 s. It fails with Unavailable when the cluster gave no
// answer to rely on, or two operators differ.
func (r *Rail) Check(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	const op = "check Solana payment"
	e, f, done, err := r.begin(ctx, op, p)
	if done || err != nil {
		return f, err
	}
	r.w.remind(p, e)
	if f, ok := r.gone(p, e); ok && (f.Lost || f.Final) {
		return f, nil
	}
	if f, ok := r.paid(p, e, false); ok {
		return f, nil
	}
	ctx, stop := context.WithTimeout(ctx, checkLimit)
	defer stop()
	if err := r.look(ctx, e); err != nil {
		return pos.Finding{}, r.unknown(op, err)
	}
	return r.finding(op, p, e)
}

// begin finds p. done: there is nothing to look at.
func (r *Rail) begin(ctx context.Context, op string, p pos.Payment) (e *payment, f pos.Finding, done bool, err error) {
	if err := r.identify(op, p); err != nil {
		return nil, f, true, err
	}
	e, ok, err := r.known(p)
	if err != nil || !ok {
		return nil, f, true, err // never asked for: nothing new
	}
	if ctx.Err() != nil {
		return nil, f, true, r.unknown(op, rpc.Failed(rpc.Unreachable, "given up"))
	}
	return e, f, false, nil
}

// look waits for a round that read all there is, or until enough of e is proved: the
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
	done := r.w.ask()
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

// enough reports that what was asked for is proved.
func (w *Watcher) enough(e *payment) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return coin.Pays(e.units, w.received(e), e.token.step())
}

// unknown wraps a call that gave no clear answer in a cashier's words.
func (r *Rail) unknown(op string, err error) *pos.Error {
	return pos.Wrap(op, pos.Unavailable, err, "%s", r.w.reasonOf(err))
}

// Cancel withdraws p's request as far as a chain allows: it looks once more. A request
// cannot be withdrawn, so no finding of it is the last word, and money that comes
// later is found.
//
// A Settle finding means that money is there, also when it is less than was asked
// for: then it pays a part. It blocks for at most 7 s. It fails with Unavailable when
// the cluster gave no answer to rely on, or money is on its way.
func (r *Rail) Cancel(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	const op = "cancel Solana payment"
	e, f, done, err := r.begin(ctx, op, p)
	switch {
	case err != nil:
		return f, err
	case done: // nobody ever saw a request
		return pos.Finding{Event: pos.Cancel, Final: true}, nil
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
