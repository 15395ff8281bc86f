package offline

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// askWithin is how long Outcomes asks the node: well within what a handler may take.
const askWithin = 15 * time.Second

// Outcomes says what became of a till's tokens, an answer each. What the till says
// in its claims is on disk before the node is asked. A node that does not answer
// makes the rest Pending; Outcomes fails only when the store does not answer, and
// then the till asks again: every part of it may be repeated.
func (o *Office) Outcomes(ctx context.Context, till store.Till, claims []offpay.Claim, now time.Time) ([]offpay.Outcome, error) {
	out := make([]offpay.Outcome, len(claims))
	down, end := false, time.Now().Add(askWithin)
	for i, c := range claims {
		s, err := o.claimed(ctx, till.ID, c, now)
		if err == errRefused {
			out[i] = offpay.Outcome{Counter: c.Counter, State: offpay.Conflict, At: now.UTC(), Why: o.word("op_conflict", "ref", offpay.Reference(c.Counter))}
			continue
		}
		if err != nil {
			return nil, err
		}
		doubt := down
		if !down {
			s, err = o.resolve(ctx, s, now)
			doubt, down = err != nil, pos.KindOf(err) == pos.Unavailable || time.Now().After(end)
		}
		if out[i], err = o.outcome(ctx, s, doubt); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// claimed keeps what a till says of a token of its own. A token that is none, another
// till's, or another one than is known by its counter, is an alarm: errRefused.
func (o *Office) claimed(ctx context.Context, till string, c offpay.Claim, now time.Time) (store.OfflineSale, error) {
	t, err := offpay.ParseToken(c.Token)
	if err != nil {
		return store.OfflineSale{}, o.conflict(ctx, till, c.Counter, now)
	}
	key, req, _, err := o.unseal(ctx, t)
	if err == errRefused || err == nil && (key.Till != till || req.Counter != c.Counter) {
		return store.OfflineSale{}, o.conflict(ctx, till, c.Counter, now)
	}
	if err != nil {
		return store.OfflineSale{}, err
	}
	s := saleOf(t, req, key)
	kept, err := o.o.Store.OfflineSale(ctx, s.OfflineID)
	if pos.KindOf(err) == pos.NotFound && err != nil { // a till asks again and again: the disk is written once
		kept, err = o.o.Store.OfflineSee(ctx, s, now)
	}
	if err != nil {
		return s, err
	}
	s = kept
	if s.Token != t {
		return s, o.conflict(ctx, till, c.Counter, now)
	}
	return s, o.say(ctx, &s, store.OfflineSaid{Accepted: c.Accepted, Void: c.Void}, now)
}

// say keeps a till's word about a sale, if it is a new one.
func (o *Office) say(ctx context.Context, s *store.OfflineSale, said store.OfflineSaid, now time.Time) error {
	if !(said.Accepted && s.Accepted.IsZero() || said.Void && s.Void.IsZero() || said.Owed && s.Owed.IsZero() || said.Done && s.Done.IsZero()) {
		return nil
	}
	if err := o.o.Store.OfflineSay(ctx, s.OfflineID, said, o.word("op_off_alarm"), o.refutation(*s), now); err != nil {
		return err
	}
	kept, err := o.o.Store.OfflineSale(ctx, s.OfflineID)
	if err == nil {
		*s = kept
	}
	return err
}

// outcome is a sale in the words of the protocol; doubt says that the node gave no
// answer.
func (o *Office) outcome(ctx context.Context, s store.OfflineSale, doubt bool) (offpay.Outcome, error) {
	out := offpay.Outcome{Counter: s.Counter, State: offpay.Open, At: s.Ended}
	invoices, err := o.o.Store.OfflineInvoices(ctx, s.OfflineID)
	if err != nil {
		return out, err
	}
	for _, inv := range invoices {
		if inv.Attempt == s.Paid || s.Paid == 0 {
			out.Asked, out.Rate = pos.Bitcoin.UnitsOf(inv.Msat), rateOf(inv.Rate)
			break
		}
	}
	switch {
	case s.State == store.OfflinePaid:
		out.State, out.Received = offpay.Paid, pos.Bitcoin.UnitsOf(s.Received)
	case s.State == store.OfflineUnpaid && !s.Refuted.IsZero():
		out.State, out.Why = offpay.Unpaid, o.word("op_refuted", "ref", offpay.Reference(s.Counter))
	case s.State == store.OfflineUnpaid:
		out.State, out.Why = offpay.Unpaid, o.word("op_unpaid")
	case doubt:
		out.State, out.Why = offpay.Pending, o.word("op_pending")
	}
	return out, nil
}

// rateOf reads a kept rate; nil for one of an invoice that was found again.
func rateOf(text string) *pos.Rate {
	var r pos.Rate
	if text == "" || json.Unmarshal([]byte(text), &r) != nil {
		return nil
	}
	return &r
}

// read looks at what the tills' records say about offline payments. It goes on where
// it stopped, also after a crash: each record may be looked at twice.
func (o *Office) read(ctx context.Context, now time.Time) error {
	tills, err := o.o.Store.Tills(ctx)
	if err != nil {
		return err
	}
	for _, t := range tills {
		for {
			records, upTo, err := o.o.Store.OfflineUnread(ctx, t.ID)
			if err != nil {
				return err
			}
			if upTo == 0 {
				break
			}
			for _, r := range records {
				if err := o.recorded(ctx, t, r.Record, now); err != nil {
					return err
				}
			}
			if err := o.o.Store.OfflineRead(ctx, t.ID, upTo); err != nil {
				return err
			}
		}
	}
	return nil
}

// recorded takes one record's word. A record that cannot be read is on the owner's
// red list already.
func (o *Office) recorded(ctx context.Context, till store.Till, r pos.Record, now time.Time) error {
	if r.Kind == pos.KindRefundDecided {
		return o.decided(ctx, till, r, now)
	}
	var m pos.PaymentMoved
	if r.Decode(&m) != nil || !m.Payment.Offline || m.Payment.Reference == "" {
		return nil
	}
	p := m.Payment
	s, err := o.claimed(ctx, till.ID, offpay.Claim{Token: p.Reference, Counter: p.Counter}, now)
	if err == errRefused {
		return nil // the alarm is raised
	}
	if err != nil {
		return err
	}
	if !asks(p, s) {
		if err := o.conflict(ctx, till.ID, p.Counter, now); err != errRefused {
			return err
		}
		return nil
	}
	return o.say(ctx, &s, saidBy(p), now)
}

// asks reports that p asks for what its token does. When its code was typed, or its
// money came, less may have been due: then it covers less.
func asks(p pos.Payment, s store.OfflineSale) bool {
	asked := cmp.Or(p.Asked, p.Amount)
	return asked.Currency.Code == s.Currency && (asked.Minor == s.Minor || p.State == pos.Settled && asked.Minor < s.Minor)
}

// decided takes a payment off the owner's refund list that a manager dealt with at
// the till: it was given back, or a sale took it after all.
func (o *Office) decided(ctx context.Context, till store.Till, r pos.Record, now time.Time) error {
	var d pos.RefundDecided
	if r.Decode(&d) != nil || d.Reference == "" {
		return nil
	}
	s, err := o.claimed(ctx, till.ID, offpay.Claim{Token: d.Reference, Counter: d.Counter}, now)
	if err == errRefused {
		return nil // the alarm is raised
	}
	if err != nil {
		return err
	}
	return o.say(ctx, &s, store.OfflineSaid{Done: true}, now)
}

// saidBy is what a payment's record says: the code was taken, the payment was given
// up, or it came and no sale needed it.
func saidBy(p pos.Payment) store.OfflineSaid {
	over := p.State == pos.Cancelled || p.State == pos.Expired || p.State == pos.Failed
	return store.OfflineSaid{
		Accepted: p.Taken || p.State == pos.Accepted || p.State == pos.Settled && !p.Refundable,
		Void:     !p.Taken && (over || p.State == pos.Unknown && p.Aside),
		Owed:     p.Refundable,
	}
}
