package offline

import (
	"context"
	"errors"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// Paces of the standing work.
const (
	roundEvery = 2 * time.Second  // while everything answers
	roundLast  = 30 * time.Second // while the node or the store does not: 2, 4, 8 … 30 s
	youngFor   = 15 * time.Second // an invoice this young is asked about in each round,
	shownEvery = 4 * time.Second  // then this often while it can be paid,
	oldEvery   = 30 * time.Second // and this often when it should have ended
	// earlyEnd is how long before its end an invoice is withdrawn: in time for a node
	// that deletes what has expired to confirm it. Whoever pays in these seconds gets
	// the money back.
	earlyEnd = 3 * time.Second
	// heldFor is how long past its end an invoice is asked about often: parts of a
	// payment are held for 120 s, and clocks are apart.
	heldFor = 150 * time.Second
	// doubtEvery is the pace of what the node has forgotten: an owner may bring the
	// right node back.
	doubtEvery = 5 * time.Minute
	// roundMax bounds what one round looks at; more wait for the next.
	roundMax = 200
	// lostAttempts is how far beyond the last known attempt the node is searched for
	// invoices that a restored database has forgotten.
	lostAttempts = 5
)

// Run follows invoices to their end, closes sales, and reads what tills' records say
// about offline payments, until ctx ends; then it returns nil.
func (o *Office) Run(ctx context.Context) error {
	for wait := roundEvery; ; {
		err := o.round(ctx)
		switch {
		case err == nil:
			wait = roundEvery
		case ctx.Err() == nil:
			o.o.Log.Debug("offline payments wait", "err", err)
			wait = min(2*wait, roundLast)
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil
		}
	}
}

// round does what is due. One part that fails does not keep the others from theirs.
func (o *Office) round(ctx context.Context) error {
	now := time.Now()
	return errors.Join(o.read(ctx, now), o.follow(ctx, now), o.closeDue(ctx, now))
}

// follow asks about the invoices that may be paid. A node that does not answer ends
// the round.
func (o *Office) follow(ctx context.Context, now time.Time) error {
	all, err := o.o.Store.OfflineLive(ctx, roundMax)
	if err != nil {
		return err
	}
	o.forget(all)
	for _, inv := range all {
		if !o.due(inv, now) {
			continue
		}
		if err := o.step(ctx, inv, now); pos.KindOf(err) == pos.Unavailable {
			return err
		} else if err != nil && pos.KindOf(err) != pos.NotFound {
			o.o.Log.Error("offline invoice cannot be followed", "device", inv.Device, "counter", inv.Counter, "err", err)
		}
	}
	return nil
}

// step asks about one invoice, or withdraws it when its time is over.
func (o *Office) step(ctx context.Context, inv store.OfflineInvoice, now time.Time) error {
	if !now.Before(inv.Ends.Add(-earlyEnd)) {
		_, err := o.withdraw(ctx, inv, now)
		return err
	}
	_, _, err := o.ask(ctx, inv, now)
	return err
}

// due reports that inv is to be asked about now, and sets the next time.
func (o *Office) due(inv store.OfflineInvoice, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now.Before(o.paces[inv.Hash]) {
		return false
	}
	next, end := now.Add(shownEvery), inv.Ends.Add(-earlyEnd)
	switch {
	case now.Sub(inv.Made) < youngFor:
		next = now
	case now.After(inv.Ends.Add(heldFor)):
		next = now.Add(oldEvery)
	case now.Before(end) && next.After(end):
		next = end
	}
	o.paces[inv.Hash] = next
	return true
}

// forget drops the paces of what is not followed any more.
func (o *Office) forget(all []store.OfflineInvoice) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.paces) <= len(all) {
		return
	}
	kept := make(map[[32]byte]time.Time, len(all))
	for _, inv := range all {
		if at, ok := o.paces[inv.Hash]; ok {
			kept[inv.Hash] = at
		}
	}
	o.paces = kept
}

// closeDue closes the sales that have had their time, or their till's last word.
func (o *Office) closeDue(ctx context.Context, now time.Time) error {
	due, err := o.o.Store.OfflineDue(ctx, now.Add(-slack), roundMax)
	if err != nil {
		return err
	}
	doubts := map[store.OfflineID]time.Time{} // of those that are still due
	defer func() { o.doubts = doubts }()
	for _, s := range due {
		if again := o.doubts[s.OfflineID]; now.Before(again) {
			doubts[s.OfflineID] = again
			continue
		}
		_, err := o.resolve(ctx, s, now)
		switch {
		case err == nil:
		case pos.KindOf(err) == pos.Unavailable:
			return err
		default:
			doubts[s.OfflineID] = now.Add(doubtEvery)
		}
	}
	return nil
}

// over reports that a sale's time has passed for good: no phone can begin it.
func over(s store.OfflineSale, now time.Time) bool {
	begin := s.First
	if s.Issued.After(begin) {
		begin = s.Issued
	}
	return now.After(begin.Add(s.TTL + slack))
}

// resolve brings a sale as far as the node's word goes. One that the till has spoken
// its last word about, or whose time is over, is closed: its invoice is withdrawn
// and, once it is certain that nothing was paid, nothing more is made for it. It
// fails with Unavailable when the node or the store gives no clear answer, and with
// NotFound when the node has forgotten this one's invoice: that stays in doubt.
func (o *Office) resolve(ctx context.Context, s store.OfflineSale, now time.Time) (store.OfflineSale, error) {
	if s.State != store.OfflineOpen {
		return s, nil
	}
	said := !s.Accepted.IsZero() || !s.Void.IsZero()
	inv, ok, err := o.live(ctx, s.OfflineID)
	if err != nil {
		return s, err
	}
	if ok {
		if said {
			_, err = o.withdraw(ctx, inv, now)
		} else if err = o.step(ctx, inv, now); pos.KindOf(err) == pos.NotFound && inv.Text == "" {
			err = nil // nobody has asked the node for it yet, or it is on its way
		}
		if err != nil {
			return s, err
		}
		if s, err = o.o.Store.OfflineSale(ctx, s.OfflineID); err != nil || s.State != store.OfflineOpen {
			return s, err
		}
		if _, ok, err = o.live(ctx, s.OfflineID); err != nil || ok {
			return s, err
		}
	}
	if !said && !over(s, now) {
		return s, nil
	}
	if found, err := o.search(ctx, s, now); err != nil || found {
		return o.again(ctx, s, err)
	}
	err = o.o.Store.OfflineClose(ctx, s.OfflineID, o.word("op_off_alarm"), o.refutation(s), now)
	if pos.KindOf(err) == pos.Conflict {
		err = nil // somebody began an invoice in this moment; the next round sees it
	}
	return o.again(ctx, s, err)
}

func (o *Office) again(ctx context.Context, s store.OfflineSale, err error) (store.OfflineSale, error) {
	if err != nil {
		return s, err
	}
	return o.o.Store.OfflineSale(ctx, s.OfflineID)
}

// search asks the node for attempts that a restored database does not know of, and
// ends them. found reports that one was paid.
func (o *Office) search(ctx context.Context, s store.OfflineSale, now time.Time) (found bool, err error) {
	for n := s.Attempt + 1; n <= s.Attempt+lostAttempts; n++ {
		_, hash := o.preimage(s.Token, n)
		f, err := o.o.Node.Look(ctx, hash)
		if err == nil && !f.Final {
			f, err = o.o.Node.Cancel(ctx, hash)
		}
		switch {
		case err != nil && pos.KindOf(err) == pos.NotFound:
		case err != nil:
			return false, err
		case f.Event == pos.Settle:
			o.o.Log.Warn("offline payment found that the database had lost", "device", s.Device, "counter", s.Counter)
			inv := store.OfflineInvoice{OfflineID: s.OfflineID, Attempt: n, Hash: hash, Msat: f.Received.Int().Int64(), Made: now, Ends: now}
			_, err := o.keep(ctx, inv, f, now)
			return true, err
		}
	}
	return false, nil
}

// refutation is the alarm of a code that was taken for a payment that never was.
func (o *Office) refutation(s store.OfflineSale) store.Alarm {
	return store.Alarm{Till: s.Till, Kind: store.AlarmRefuted, N: uint64(s.Counter), Why: store.Say("op_refuted", "ref", offpay.Reference(s.Counter))}
}
