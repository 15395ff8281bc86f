package offline

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// tries is how often a step is begun anew when another request or process was
// faster, which leaves little for the third.
const tries = 4

// metadata is what the wallet shows, and what the invoice's description hash is of
// (LUD-06): the exact bytes of this text.
func (o *Office) metadata(s *sale) string {
	b, err := json.Marshal([][2]string{{"text/plain", o.o.Shop + " - " + s.amount.String() + " - " + offpay.Reference(s.Counter)}})
	if err != nil {
		panic(err) // texts only
	}
	return string(b)
}

// live returns the newest attempt if it may be paid, as far as is known here.
func (o *Office) live(ctx context.Context, id store.OfflineID) (inv store.OfflineInvoice, ok bool, err error) {
	all, err := o.o.Store.OfflineInvoices(ctx, id)
	if err != nil || len(all) == 0 || all[0].State != store.InvoiceLive {
		return store.OfflineInvoice{}, false, err
	}
	return all[0], true, nil
}

// reload reads what is kept of s now.
func (o *Office) reload(ctx context.Context, s *sale) error {
	kept, err := o.o.Store.OfflineSale(ctx, s.OfflineID)
	if err == nil {
		s.OfflineSale = kept
		s.may = s.may && kept.State == store.OfflineOpen && kept.Void.IsZero() && kept.Accepted.IsZero()
	}
	return err
}

// quoted reports that the sale's quote holds.
func quoted(s *sale, now time.Time) bool {
	return !s.Quoted.IsZero() && now.Sub(s.Quoted).Abs() < quoteFor
}

// quote returns the price of s in millisatoshis: that of the invoice that can be
// paid, else of the quote that holds, else a new one. It fails with errPaid,
// errRefused, errBusy, and Unavailable when the store does not answer.
func (o *Office) quote(ctx context.Context, s *sale, now time.Time) (msat int64, err error) {
	for range tries {
		inv, ok, err := o.live(ctx, s.OfflineID)
		switch {
		case err != nil:
			return 0, err
		case s.State == store.OfflinePaid:
			return 0, errPaid
		case ok && now.Before(inv.Ends.Add(-hurryBefore)), ok && !s.may && now.Before(inv.Ends):
			return inv.Msat, nil
		case !s.may:
			return 0, errRefused
		case quoted(s, now):
			return s.Msat, nil
		case !o.o.Node.Health().Ready:
			return 0, errBusy
		}
		err = o.newQuote(ctx, s, now)
		if err != nil && pos.KindOf(err) != pos.Conflict {
			return 0, err
		}
		if err := o.reload(ctx, s); err != nil {
			return 0, err
		}
	}
	return 0, errBusy
}

// newQuote prices s. It fails with errBusy when there is no rate to rely on, and
// with Conflict when another request was faster.
func (o *Office) newQuote(ctx context.Context, s *sale, now time.Time) error {
	rate, err := o.o.Rates.Rate(pos.Bitcoin)
	if err != nil {
		return errBusy
	}
	q, err := rate.Charge(s.amount)
	if err != nil || q.IsZero() || !q.Int().IsInt64() {
		o.o.Log.Error("offline sale cannot be priced", "amount", s.amount, "err", err)
		return errBusy
	}
	text, err := json.Marshal(rate)
	if err != nil {
		return err
	}
	return o.o.Store.OfflineQuote(ctx, s.OfflineID, s.Quoted, now, string(text), q.Int().Int64())
}

// invoice returns the one invoice of s that can be paid, and makes it if need be.
// msat is what the wallet was quoted; 0 stands for whatever the quote says, which is
// for our own page. arriving reports that parts of the payment are held.
//
// It fails as quote does, and with errPrice when msat is not the quote's any more.
// While the node gives no clear answer the old invoice stays the one.
func (o *Office) invoice(ctx context.Context, s *sale, msat int64, now time.Time) (inv store.OfflineInvoice, arriving bool, err error) {
	for range tries {
		inv, ok, err := o.live(ctx, s.OfflineID)
		switch {
		case err != nil:
			return inv, false, err
		case s.State == store.OfflinePaid:
			return inv, false, errPaid
		case !ok:
			err = o.begin(ctx, s, msat, now)
		case inv.Text == "" && now.Before(inv.Made.Add(expiry)) && s.may:
			err = o.make(ctx, s, inv)
		case inv.Text == "" || !now.Before(inv.Ends) || msat != 0 && s.may && quoted(s, now) && msat == s.Msat && !inv.Quoted.Equal(s.Quoted):
			_, err = o.withdraw(ctx, inv, now)
		default:
			arriving, ended, err := o.ask(ctx, inv, now)
			if err == nil && !ended || err != nil && pos.KindOf(err) == pos.Unavailable {
				if msat != 0 && msat != inv.Msat {
					return inv, false, errPrice
				}
				return inv, arriving, nil // the node is silent: the old invoice may be paid all the same
			}
		}
		if err != nil && pos.KindOf(err) != pos.Conflict || err == errPrice {
			return inv, false, err
		}
		if err := o.reload(ctx, s); err != nil {
			return inv, false, err
		}
	}
	return inv, false, errBusy
}

// begin keeps a new attempt, before the node hears of it. It fails with Conflict when
// another request or process was faster.
func (o *Office) begin(ctx context.Context, s *sale, msat int64, now time.Time) error {
	if msat != 0 && (!quoted(s, now) || msat != s.Msat) {
		return errPrice
	}
	if !s.may {
		return errRefused
	}
	if _, err := o.quote(ctx, s, now); err != nil {
		return err
	}
	n := s.Attempt + 1
	_, hash := o.preimage(s.Token, n)
	return o.o.Store.OfflineBegin(ctx, store.OfflineInvoice{
		OfflineID: s.OfflineID, Attempt: n, Hash: hash, Msat: s.Msat, Rate: s.Rate, Quoted: s.Quoted, Made: now, Ends: now.Add(expiry), State: store.InvoiceLive,
	})
}

// make has the node make the attempt's invoice, or finds it there. Another process
// may be doing the same: there is one invoice under the hash whoever is first.
func (o *Office) make(ctx context.Context, s *sale, inv store.OfflineInvoice) error {
	pre, hash := o.preimage(s.Token, inv.Attempt)
	if hash != inv.Hash {
		return pos.E("make invoice", pos.Internal, "this invoice was made with another secret")
	}
	text, ends, err := o.o.Node.Invoice(ctx, pre, inv.Msat, sha256.Sum256([]byte(o.metadata(s))), expiry)
	switch pos.KindOf(err) {
	case pos.Conflict:
		return o.after(ctx, inv)
	case pos.Unavailable:
		return errBusy
	}
	if err != nil {
		o.o.Log.Error("offline invoice not made", "err", err)
		return errBusy
	}
	err = o.o.Store.OfflineMade(ctx, inv.Hash, text, ends)
	if pos.KindOf(err) == pos.Conflict { // withdrawn while the node was making it: nobody has seen it
		_, err = o.o.Node.Cancel(ctx, inv.Hash)
	}
	return err
}

// after finds out why the node will not make an attempt's invoice: it has ended, or
// it was paid. A hash that it does not know then is one whose end it has confirmed.
func (o *Office) after(ctx context.Context, inv store.OfflineInvoice) error {
	_, _, err := o.ask(ctx, inv, time.Now())
	if pos.KindOf(err) == pos.NotFound {
		return o.o.Store.OfflineGone(ctx, inv.Hash)
	}
	if err != nil {
		return errBusy
	}
	return nil
}

// ask reads an attempt's state off the node and keeps a final one, on disk, before
// it returns. It fails as Node.Look does, and as the store does.
func (o *Office) ask(ctx context.Context, inv store.OfflineInvoice, now time.Time) (arriving, ended bool, err error) {
	f, err := o.o.Node.Look(ctx, inv.Hash)
	if err != nil {
		return false, false, err
	}
	ended, err = o.keep(ctx, inv, f, now)
	return f.Event == pos.See, ended, err
}

// withdraw cancels an attempt at the node. Paid is kept as paid; what the node never
// heard of cannot be paid. It fails as Node.Cancel does: NotFound is for an invoice
// that the node had and has forgotten, which stays in doubt.
func (o *Office) withdraw(ctx context.Context, inv store.OfflineInvoice, now time.Time) (ended bool, err error) {
	f, err := o.o.Node.Cancel(ctx, inv.Hash)
	if pos.KindOf(err) == pos.NotFound && inv.Text == "" && err != nil {
		return true, o.o.Store.OfflineGone(ctx, inv.Hash)
	}
	if err != nil {
		return false, err
	}
	return o.keep(ctx, inv, f, now)
}

// keep writes a final finding down.
func (o *Office) keep(ctx context.Context, inv store.OfflineInvoice, f pos.Finding, now time.Time) (ended bool, err error) {
	switch f.Event {
	case pos.Settle:
		at := f.At
		if at.IsZero() {
			at = now
		}
		o.o.Log.Info("offline payment settled", "device", inv.Device, "counter", inv.Counter, "msat", f.Received)
		return true, o.o.Store.OfflineSettled(ctx, inv, f.Received.Int().Int64(), at)
	case pos.Cancel, pos.Expire:
		return true, o.o.Store.OfflineGone(ctx, inv.Hash)
	}
	return false, nil
}
