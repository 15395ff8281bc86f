package coin

import (
	"context"
	"math/big"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// How long a price is held: below, customers miss it; above, the price is a gift.
const (
	MinExpiry   = 2 * time.Minute
	UsualExpiry = 10 * time.Minute
	MaxExpiry   = 30 * time.Minute
)

// How long requests are looked at, by the chain's clock and by the till's.
const (
	// WatchFor is how long after its end a request is still watched: exchanges send
	// withdrawals hours later, and people pay yesterday's code. It is a little less than
	// unique.Hold.
	WatchFor = 24 * time.Hour
	// YoungFor is how long somebody may be standing there.
	YoungFor = MaxExpiry + 5*time.Minute
	// ForgetAfter is how long a request is kept that nobody asks about.
	ForgetAfter = 15 * time.Minute
)

// Bounds of the calls of the desk: Cancel has 8 s there. Check has 5: see Rail.Patience.
const cancelLimit = 7 * time.Second

// Open is what every request has, whatever its chain is. Rail.Lock guards it.
type Open struct {
	Made    time.Time
	Touched time.Time // when the till asked about it last
	Wants   int       // questions that wait for the next round

	wakes map[int]func() // of who watches it
	next  int            // numbers them
}

// OpenNow returns the Open of a request that is new to the till.
func OpenNow() Open { now := time.Now(); return Open{Made: now, Touched: now} }

// Idle reports that nobody has asked about it for ForgetAfter, or watches it.
func (o *Open) Idle(now time.Time) bool {
	return now.Sub(o.Touched) >= ForgetAfter && o.Wants == 0 && len(o.wakes) == 0
}

// Wake tells everybody who watches it.
func (o *Open) Wake() {
	for _, f := range o.wakes {
		f()
	}
}

// listen calls wake at news, until what it returns is called.
func (o *Open) listen(wake func()) (end func()) {
	if o.wakes == nil {
		o.wakes = map[int]func(){}
	}
	o.next++
	n := o.next
	o.wakes[n] = wake
	return func() { delete(o.wakes, n) }
}

// Request is a chain's own record of one attempt's request.
type Request interface {
	Watched() *Open
	// Asks returns what the till's record keeps of it, the units that the customer is to
	// send in all, and his last moment by the chain's clock. They never change.
	Asks() (reference string, units *big.Int, end uint64)
}

// Rail is what the desk asks of one token on one chain, as far as it is the same on all
// of them. Its fields are set once, before it is used. It is safe for concurrent use.
type Rail[R Request] struct {
	Asset    pos.Asset
	Name     string // for people: "USDC on Base"
	MaxBits  int    // of an amount: what the chain can count
	Expiry   time.Duration
	Patience time.Duration // how long Check waits for a round
	Rounds   *Rounds
	Lock     sync.Locker   // guards what is known of all requests of the chain
	Asking   chan struct{} // has room for one token: who makes a request holds it

	Word   func(key string, with ...string) string // {chain} is filled in
	Why    func() string                           // why the rail cannot be offered; empty: it can
	Reason func(err error) string                  // an endpoint's error in a cashier's words
	Now    func() uint64                           // the newest time of the chain

	// Known returns the request that was made for p before.
	Known func(p pos.Payment) (R, bool, error)
	// Fresh makes a new one; it is durable then. It blocks for the chain and the disk.
	Fresh func(ctx context.Context, p pos.Payment) (R, error)
	// Forms are the ways to ask for units with a request, the best one first.
	Forms func(e R, units *big.Int) []pos.Form
	// Keep watches a request again that was forgotten. Lock is held.
	Keep func(e R)

	// Gone says that the chain took back what the till has as settled. Once that is in
	// doubt, only its money, or the end of all watching, is news: then the finding is empty.
	Gone func(p pos.Payment, e R) (pos.Finding, bool)
	// Paid returns the finding of money that is proved: enough, or any when short is set.
	Paid func(p pos.Payment, e R, short bool) (pos.Finding, bool)
	// Enough reports that Paid has enough. Lock is held.
	Enough func(e R) bool
	// Standing says how a request stands that is not paid.
	Standing func(p pos.Payment, e R) Standing
	// Close, if it is set, writes down which money the till was told of, for good: f is the
	// last word of p, or was when it was made. It reports whether that may be said now; the
	// chain is asked then what it says of that money alone. It blocks for the disk.
	Close func(p pos.Payment, e R, f pos.Finding) bool
	// Withdraw, if it is set, hears of a request that is about to be withdrawn.
	Withdraw func()
}

// Standing is what is known of a request that is not paid.
type Standing struct {
	Coming, Enough bool         // something came, and as much as was asked for
	Got            *big.Int     // of what is coming, when all of that is proved, is not enough, and the rest can be asked for; else nil
	Torn           bool         // it is another sale's money, too
	Wrong          string       // other money came, in a cashier's words
	Stray          pos.Quantity // that money
	Why            string       // it cannot be proved, in a cashier's words
	Over           bool         // its end is past, by the chain's clock
	Ended          bool         // long past, and that is final
	Lost           bool         // the chain took it back, and it is not there again: nothing else is news
}

// Health returns the newest known health, with notices. It does not block.
func (r *Rail[R]) Health(notices []string) pos.Health {
	why := r.Why()
	return pos.Health{Ready: why == "", Reason: why, Asset: r.Asset, Notices: notices}
}

// Names of the calls, for the log.
const (
	AskOp    = "make stablecoin request"
	checkOp  = "check stablecoin payment"
	cancelOp = "cancel stablecoin payment"
)

// identify fails with Invalid when p is not this rail's, or its fields disagree.
func (r *Rail[R]) identify(op string, p pos.Payment) error {
	switch {
	case p.Sale == "" || p.Attempt < 1 || p.ID != pos.PaymentIDOf(p.Sale, p.Attempt):
		return pos.E(op, pos.Invalid, "payment %q has no sale or attempt", rpc.Clip(rpc.Plain(string(p.ID))))
	case p.Quantity.Asset.ID != r.Asset.ID || p.Quantity.IsZero() || p.Quantity.Int().BitLen() > r.MaxBits:
		return pos.E(op, pos.Invalid, "%s cannot be paid with %s", p.Quantity.String(), r.Name)
	}
	return nil
}

// Unknown wraps a call that gave no clear answer in a cashier's words.
func (r *Rail[R]) Unknown(op string, err error) *pos.Error {
	return pos.Wrap(op, pos.Unavailable, err, "%s", r.Reason(err))
}

var errGivenUp = rpc.Failed(rpc.Unreachable, "given up")

// Begin checks that p can be asked for, and waits until nobody else makes a request;
// the caller calls done when it made its own. It fails with Invalid for a payment that is
// not this rail's, with Conflict when the attempt has ended, with Unavailable for the
// reason that why gives, or when ctx ends.
func (r *Rail[R]) Begin(ctx context.Context, p pos.Payment, why func() string) (done func(), err error) {
	if err := r.identify(AskOp, p); err != nil {
		return nil, err
	}
	if !p.State.Open() && p.State != "" {
		return nil, pos.E(AskOp, pos.Conflict, "%s", r.Word("evm_over"))
	}
	if why := why(); why != "" {
		return nil, pos.E(AskOp, pos.Unavailable, "%s", why)
	}
	select {
	case r.Asking <- struct{}{}:
		return func() { <-r.Asking }, nil
	case <-ctx.Done():
		return nil, r.Unknown(AskOp, errGivenUp)
	}
}

// Ask makes a request for p, or finds the one that an earlier Ask made. It is durable
// before Ask returns, and the chain has just answered.
//
// It blocks for a few calls to an endpoint, and for the disk. It fails as Begin does, with
// Unavailable when the chain does not answer, and with Conflict when no request is free.
func (r *Rail[R]) Ask(ctx context.Context, p pos.Payment, _ string) (pos.Asked, error) {
	done, err := r.Begin(ctx, p, r.Why)
	if err != nil {
		return pos.Asked{}, err
	}
	defer done()
	e, known, err := r.Known(p)
	if err == nil && !known {
		e, err = r.Fresh(ctx, p)
	}
	if err != nil {
		return pos.Asked{}, err
	}
	return r.Asked(p, e, r.Now())
}

// Asked makes the answer of Ask. The countdown is by the till's clock, the end by the
// chain's; now is the chain's time, as far as it is known. It fails with Conflict when
// the end is past.
func (r *Rail[R]) Asked(p pos.Payment, e R, now uint64) (pos.Asked, error) {
	reference, units, end := e.Asks()
	left := min(time.Duration(int64(end)-int64(now))*time.Second, r.Expiry)
	if left <= 0 {
		return pos.Asked{}, pos.E(AskOp, pos.Conflict, "%s", r.Word("evm_over"))
	}
	forms := r.Forms(e, units)
	a := pos.Asked{
		Reference: reference, Payload: forms[0].Payload, Forms: forms, Network: r.Name,
		Expires: time.Now().Add(left).UTC().Truncate(time.Second),
	}
	if units.Cmp(p.Quantity.Int()) != 0 {
		a.Quantity = QuantityOf(r.Asset, units)
	}
	return a, nil
}

// QuantityOf counts units of a; more than 256 bits count as nothing, and cannot be.
func QuantityOf(a pos.Asset, units *big.Int) pos.Quantity {
	q, err := a.Units(units)
	if err != nil {
		return a.UnitsOf(0)
	}
	return q
}

// find returns p's request; ok is false when none was ever made.
func (r *Rail[R]) find(ctx context.Context, op string, p pos.Payment) (e R, ok bool, err error) {
	if err := r.identify(op, p); err != nil {
		return e, false, err
	}
	e, ok, err = r.Known(p)
	if err == nil && ok && ctx.Err() != nil {
		err = r.Unknown(op, errGivenUp)
	}
	return e, ok, err
}

// Check waits for the next look at the chain and says what became of p. Money that is
// proved already is told at once.
//
// It blocks for at most Patience. It fails with Unavailable when the chain gave no answer
// to rely on, or two operators differ.
func (r *Rail[R]) Check(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	e, ok, err := r.find(ctx, checkOp, p)
	if err != nil || !ok {
		return pos.Finding{}, err // never asked for: nothing new
	}
	if f, ok := r.known(p, e); ok {
		return r.last(p, e, f, r.now)
	}
	ctx, stop := context.WithTimeout(ctx, r.Patience)
	defer stop()
	if err := r.look(ctx, e); err != nil {
		return pos.Finding{}, r.Unknown(checkOp, err)
	}
	f, err := r.finding(p, e)
	if err != nil {
		return f, err
	}
	return r.last(p, e, f, r.now)
}

// now says what became of e as things stand.
func (r *Rail[R]) now(p pos.Payment, e R) (pos.Finding, error) {
	if f, ok := r.known(p, e); ok {
		return f, nil
	}
	return r.finding(p, e)
}

// known returns what can be said of e without a look.
func (r *Rail[R]) known(p pos.Payment, e R) (pos.Finding, bool) {
	if f, ok := r.Gone(p, e); ok {
		return f, true
	}
	return r.Paid(p, e, p.Lost || p.State == pos.Settled) // what was booked once needs no more to be booked again
}

// last returns f, which is about p. When it is the last word, p is closed first, and again
// says what it is then: of the money that p was closed with, and no other.
func (r *Rail[R]) last(p pos.Payment, e R, f pos.Finding, again func(pos.Payment, R) (pos.Finding, error)) (pos.Finding, error) {
	if !f.Final || r.Close == nil {
		return f, nil
	}
	if !r.Close(p, e, f) { // it is said another time
		f.Final = false
		return f, nil
	}
	return again(p, e)
}

// look waits for a round that looks for e, or until enough of e is proved: the round
// under way may find it, and nobody should wait for another.
func (r *Rail[R]) look(ctx context.Context, e R) error {
	woken := make(chan struct{}, 1)
	o := e.Watched()
	r.Lock.Lock()
	o.Wants, o.Touched = o.Wants+1, time.Now()
	r.Keep(e)
	end := o.listen(func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	r.Lock.Unlock()
	defer func() {
		r.Lock.Lock()
		defer r.Lock.Unlock()
		o.Wants--
		end()
	}()
	done := r.Rounds.Ask()
	for {
		select {
		case err := <-done:
			return err
		case <-woken:
			r.Lock.Lock()
			enough := r.Enough(e)
			r.Lock.Unlock()
			if enough {
				return nil
			}
		case <-ctx.Done():
			return rpc.Failed(rpc.Unreachable, "no answer in time")
		}
	}
}

// News returns ev if it can move p, else "".
func News(p pos.Payment, ev pos.Event) pos.Event {
	if q := p; q.Apply(ev, p.Moved) == nil {
		return ev
	}
	return ""
}

// finding says what became of e after a round that looked for it. Only events that can
// move p are told.
func (r *Rail[R]) finding(p pos.Payment, e R) (pos.Finding, error) {
	if f, ok := r.Paid(p, e, false); ok {
		return f, nil
	}
	s := r.Standing(p, e)
	switch {
	case s.Lost:
		f, _ := r.Gone(p, e)
		return f, nil
	case s.Why != "":
		return pos.Finding{}, pos.E(checkOp, pos.Unavailable, "%s", s.Why)
	case s.Enough:
		return pos.Finding{Event: News(p, pos.Accept)}, nil
	case p.State == pos.Accepted: // it was taken back before it counted
		return pos.Finding{Event: News(p, pos.Doubt), Why: r.Word("evm_vanished")}, nil
	case s.Torn && s.Ended: // nothing can come any more that would tell whose it is
		return pos.Finding{Event: News(p, pos.Fail), Why: r.Word("sol_torn"), Final: true}, nil
	case s.Torn:
		return pos.Finding{Event: News(p, pos.Doubt), Why: r.Word("sol_torn")}, nil
	case s.Over && s.Coming: // nobody waits for the rest: what came pays a part
		if f, ok := r.Paid(p, e, true); ok {
			return f, nil
		}
		return pos.Finding{Event: News(p, pos.See)}, nil
	case s.Coming:
		return r.parts(p, e, s), nil
	case s.Wrong != "" && s.Ended:
		return pos.Finding{Event: News(p, pos.Fail), Why: s.Wrong, Stray: s.Stray, Final: true}, nil
	case s.Wrong != "":
		return pos.Finding{Event: News(p, pos.Doubt), Why: s.Wrong, Stray: s.Stray}, nil
	case s.Over:
		return pos.Finding{Event: News(p, pos.Expire), Final: s.Ended}, nil
	}
	return pos.Finding{}, nil
}

// parts tells of money that is not enough: the customer is asked for the rest in the same
// way, once what came is certain.
func (r *Rail[R]) parts(p pos.Payment, e R, s Standing) pos.Finding {
	f := pos.Finding{Event: News(p, pos.See)}
	if s.Got == nil {
		return f
	}
	_, units, _ := e.Asks()
	if part := Part(units, s.Got, Step(r.Asset.Decimals)); part.Sign() > 0 {
		f.Part = QuantityOf(r.Asset, part)
		f.Rest = &pos.Asked{Forms: r.Forms(e, part.Sub(units, part))}
	}
	return f
}

// Cancel withdraws p's request as far as a chain allows: it looks once more. A request
// cannot be withdrawn, so no finding of it is the last word, and money that comes later
// is found.
//
// A Settle finding means that money is there, also when it is less than was asked for:
// then it pays a part. It blocks for at most 7 s. It fails with Unavailable when the
// chain gave no answer to rely on, or money is on its way, or other money came than was
// asked for: a manager decides.
func (r *Rail[R]) Cancel(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	e, ok, err := r.find(ctx, cancelOp, p)
	switch {
	case err != nil:
		return pos.Finding{}, err
	case !ok: // nobody ever saw a request
		return pos.Finding{Event: pos.Cancel, Final: true}, nil
	}
	ctx, stop := context.WithTimeout(ctx, cancelLimit)
	defer stop()
	if r.Withdraw != nil {
		r.Withdraw()
	}
	if err := r.look(ctx, e); err != nil {
		return pos.Finding{}, r.Unknown(cancelOp, err)
	}
	f, err := r.cancelled(p, e)
	if err != nil {
		return f, err
	}
	return r.last(p, e, f, r.cancelled)
}

// cancelled says what a cancellation found.
func (r *Rail[R]) cancelled(p pos.Payment, e R) (pos.Finding, error) {
	if f, ok := r.Paid(p, e, true); ok {
		f.Event = pos.Settle
		return f, nil
	}
	s := r.Standing(p, e)
	if s.Torn {
		s.Wrong, s.Stray = r.Word("sol_torn"), pos.Quantity{}
	}
	switch {
	case s.Why != "":
		return pos.Finding{}, pos.E(cancelOp, pos.Unavailable, "%s", s.Why)
	case s.Enough && News(p, pos.Accept) != "":
		return pos.Finding{Event: pos.Accept}, nil
	case s.Coming && !s.Enough && News(p, pos.See) != "":
		return pos.Finding{Event: pos.See}, nil
	case s.Coming:
		return pos.Finding{}, pos.E(cancelOp, pos.Unavailable, "%s", r.Word("evm_arriving"))
	case s.Wrong != "" && s.Ended:
		return pos.Finding{Event: News(p, pos.Fail), Why: s.Wrong, Stray: s.Stray, Final: true}, nil
	case s.Wrong != "" && News(p, pos.Doubt) != "":
		return pos.Finding{Event: pos.Doubt, Why: s.Wrong, Stray: s.Stray}, nil
	case s.Wrong != "":
		return pos.Finding{}, pos.E(cancelOp, pos.Unavailable, "%s", s.Wrong)
	}
	return pos.Finding{Event: pos.Cancel, Final: s.Ended}, nil
}

// Watch calls wake whenever Check may have news of p, until ctx ends. wake must not
// block.
func (r *Rail[R]) Watch(ctx context.Context, p pos.Payment, wake func()) {
	e, ok, err := r.Known(p)
	if err != nil || !ok {
		<-ctx.Done()
		return
	}
	r.Lock.Lock()
	r.Keep(e)
	end := e.Watched().listen(wake)
	r.Lock.Unlock()
	<-ctx.Done()
	r.Lock.Lock()
	defer r.Lock.Unlock()
	end()
}
