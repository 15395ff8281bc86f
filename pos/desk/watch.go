package desk

import (
	"context"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// When a payment is asked about. Streams only wake the watcher; these polls
// decide. Fast while the customer stands there, then slowly until the rail's
// final word, however long that takes.
const (
	fastFor   = 15 * time.Second
	fastEvery = time.Second
	shownTick = 2500 * time.Millisecond
	lateFor   = 150 * time.Second // an invoice's parts are held up to 120 s beyond its end
	maxLife   = time.Hour         // no request is shown for longer, whatever its end says
	slowEvery = 30 * time.Second

	askWithin   = 15 * time.Second // hop hints have taken 12 s on a large node
	checkWithin = 5 * time.Second
	// askFor bounds how long a request is tried before the customer is told that it
	// does not work: staff offer another tender after about ten seconds.
	askFor = 20 * time.Second
	// sweepEvery finds payments whose watcher could not be started at once, and
	// tenders and links that changed by themselves.
	sweepEvery = time.Second
)

// Run watches every payment that can still change until ctx ends. It returns the
// fault when a durable record could not be folded.
func (d *Desk) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	running, found := map[pos.PaymentID]bool{}, unaskedBook{d: d}
	ended := make(chan pos.PaymentID)
	defer func() {
		stop()
		for range running {
			<-ended
		}
	}()
	left := true // from before this start
	start := func(id pos.PaymentID) {
		if !running[id] {
			running[id] = true
			go func(left bool) {
				defer func() { ended <- id }()
				d.watch(ctx, id, left)
			}(left)
		}
	}
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	if err := d.sweep(start); err != nil {
		return err
	}
	left = false
	for {
		select {
		case <-ctx.Done():
			found.book(true)
			return nil
		case err := <-d.fatal:
			return err
		case id := <-d.watches:
			start(id)
		case id := <-ended:
			delete(running, id)
		case <-sweep.C:
			if err := d.sweep(start); err != nil {
				return err
			}
			d.noteTerms()
			found.book(false)
			d.allowAgain()
			d.refresh()
		}
	}
}

func (d *Desk) sweep(start func(pos.PaymentID)) error {
	ps, err := d.o.Payments.Watched()
	if err != nil {
		return err
	}
	for _, p := range ps {
		if d.checker(p) != nil { // a tender taken out of the config waits until it is back
			start(p.ID)
		}
	}
	return nil
}

// watch follows one payment to the rail's final word. How old the payment is, it
// counts itself: the wall clock may jump by years under a customer's eyes. Only for
// one left from before the start the wall clock is all there is.
func (d *Desk) watch(ctx context.Context, id pos.PaymentID, left bool) {
	ctx, stop := context.WithCancel(ctx)
	var streams sync.WaitGroup
	defer func() { stop(); streams.Wait(); d.forget(id) }()
	wake, streaming := make(chan struct{}, 1), false
	begun, before := time.Now(), time.Duration(0)
	for {
		p, err := d.o.Payments.Payment(id)
		if err != nil || ctx.Err() != nil { // NotFound: nothing can change any more
			return
		}
		if left {
			left, before = false, d.age(p)
		}
		d.step(ctx, p, before+time.Since(begun))
		d.settled() // what the step recorded is folded
		if p, err = d.o.Payments.Payment(id); err != nil {
			return
		}
		if !streaming && !p.Offline && p.State != pos.Intended { // a rail has nothing to tell of what it never heard of
			streaming = true
			streams.Go(func() { d.tender[p.Tender].Rail.Watch(ctx, p, func() { poke(wake) }) })
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-time.After(pause(p, before+time.Since(begun))):
		}
	}
}

// age returns how long ago p was chosen by the wall clock. When that stands before
// p nobody knows; then it is too long ago to be asked for.
func (d *Desk) age(p pos.Payment) time.Duration {
	now, _ := d.o.Now()
	if age := now.Sub(p.At); age >= 0 {
		return age
	}
	return askFor + 1
}

// poke wakes whoever waits on c, once.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// pause returns how long to wait before p, which was chosen age ago, is asked
// about again.
func pause(p pos.Payment, age time.Duration) time.Duration {
	life := min(max(p.Expires.Sub(p.At), 0), maxLife)
	switch left := life - age; {
	case p.Covers():
		return slowEvery // nobody waits for it
	case p.State == pos.Intended || (age < fastFor && !p.Offline):
		return fastEvery
	case left > 0 && left < shownTick:
		return max(left, 100*time.Millisecond)
	case p.Expires.IsZero() || left > -lateFor:
		return shownTick
	default:
		return slowEvery
	}
}

// step does the next thing for p, which was chosen age ago: make the request,
// withdraw it, or ask.
func (d *Desk) step(ctx context.Context, p pos.Payment, age time.Duration) {
	rail := d.checker(p)
	switch {
	case p.State == pos.Intended && age <= askFor && !d.over(p.Sale) && d.unconfirmed(d.tender[p.Tender], d.o.Ledger.Books()) == "":
		d.ask(ctx, d.tender[p.Tender], p)
	case p.State == pos.Intended, p.State == pos.Unknown && !p.Again && !p.Lost && !p.OnTrust(), !p.Lost && p.State.Open() && !p.Covers() && d.over(p.Sale):
		// Nobody waits for it, or the cashier wanted it gone: the customer must not pay
		// it by mistake. The rail may still say that it was paid.
		d.answer(p, func() (pos.Finding, error) {
			ctx, stop := context.WithTimeout(ctx, cancelWithin)
			defer stop()
			return rail.Cancel(ctx, p)
		})
	default:
		d.answer(p, func() (pos.Finding, error) {
			ctx, stop := context.WithTimeout(ctx, checkWithin)
			defer stop()
			return rail.Check(ctx, p)
		})
	}
}

// over reports that a sale is not open any more.
func (d *Desk) over(id pos.SaleID) bool {
	_, err := d.o.Sales.Sale(id)
	return pos.KindOf(err) == pos.NotFound && err != nil
}

// answer puts a question to the rail and books what it says. No answer is no news.
func (d *Desk) answer(p pos.Payment, question func() (pos.Finding, error)) {
	f, err := question()
	d.noteUnsure(p, err)
	if err != nil {
		d.o.Log.Debug("payment not known", "sale", p.Sale, "rail", p.Tender, "err", err)
		return
	}
	d.noteNamed(p, f)
	if _, err := d.found(pos.Command{By: pos.Till}, p, f); err != nil {
		d.o.Log.Error("finding not booked", "sale", p.Sale, "rail", p.Tender, "err", err)
	}
}

// ask makes the request. What the customer will see is durable before the view
// shows it.
func (d *Desk) ask(ctx context.Context, tender Tender, p pos.Payment) {
	s, err := d.o.Sales.Sale(p.Sale)
	if err != nil {
		return
	}
	within, stop := context.WithTimeout(ctx, askWithin)
	defer stop()
	var asked pos.Asked
	if p.Blind && tender.Unseen != nil {
		asked, err = tender.Unseen.AskOffline(within, p)
	} else {
		asked, err = tender.Rail.Ask(within, p, d.memo(p, s.Ref))
	}
	if err == nil {
		err = checkAsked(p, asked)
	}
	if err != nil {
		d.o.Log.Warn("payment request not made", "sale", p.Sale, "rail", p.Tender, "err", err)
		if k := pos.KindOf(err); k != pos.Unavailable && k != pos.Internal {
			d.refused(p, err)
		}
		return // the next step tries again, or withdraws it
	}
	_, err = d.turn(pos.Command{By: pos.Till}, func(t *turn) error {
		now, err := d.o.Payments.Payment(p.ID)
		if err != nil {
			return err
		}
		if now.State != pos.Intended {
			return nil // cancelled while the rail was at work; the watcher goes on from there
		}
		if err := now.Apply(pos.Request, t.at); err != nil {
			return err
		}
		d.request(&now, asked, t.now)
		t.record(pos.KindPayment, pos.PaymentMoved{Payment: now, Event: pos.Request, By: t.by})
		return nil
	})
	if err != nil {
		d.o.Log.Error("payment request not booked", "sale", p.Sale, "err", err)
	}
}

// refused books that the rail will not make this request.
func (d *Desk) refused(p pos.Payment, why error) {
	_, err := d.turn(pos.Command{By: pos.Till}, func(t *turn) error {
		now, err := d.o.Payments.Payment(p.ID)
		if err != nil {
			return err
		}
		if err := now.Apply(pos.Fail, t.at); err != nil {
			return nil
		}
		now.Why, now.Final = message(why), true
		t.record(pos.KindPayment, pos.PaymentMoved{Payment: now, Event: pos.Fail, By: t.by})
		return nil
	})
	if err != nil {
		d.o.Log.Error("refusal not booked", "sale", p.Sale, "err", err)
	}
}
