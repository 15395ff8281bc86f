package ledger

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/tillwright/tillwright/pos"
)

// Fold applies rs, oldest first, all or none. They are seen at once, and durable
// here soon after: they are in the journal. The last number applied is kept in the
// same transaction, so a record counts once whenever the power goes: one that is
// already in is skipped, and a gap is Corrupt. After a failure the ledger must be
// opened anew.
func (l *Ledger) Fold(rs ...pos.Record) error {
	return l.lazily(func(tx *bolt.Tx, b *pos.Books) error { return fold(tx, b, rs, false) })
}

// fold applies rs. With over, a record whose body cannot be read is a gap; else it
// is a failure.
func fold(tx *bolt.Tx, b *pos.Books, rs []pos.Record, over bool) error {
	for _, r := range rs {
		if r.N <= b.Last {
			continue
		}
		if r.N != b.Last+1 {
			return pos.E("fold record", pos.Corrupt, "record %d follows record %d", r.N, b.Last)
		}
		before := *b
		err := apply(tx, b, r)
		if _, bad := errors.AsType[*unreadable](err); bad && over { // found before anything was changed
			*b = before
			err = gap(tx, b, pos.Gap{First: r.N, Last: r.N, Why: err.Error()}, r.Hash)
		}
		if err != nil {
			return fmt.Errorf("fold record %d: %w", r.N, err)
		}
		b.Last, b.Hash, b.Stopped = r.N, r.Hash, r.Kind == pos.KindStopped
	}
	return nil
}

// unreadable is the failure of a record whose body is not what its kind says.
type unreadable struct{ error }

// Unwrap returns the cause.
func (u *unreadable) Unwrap() error { return u.error }

// read decodes r's body. It is called before anything is changed.
func read(r pos.Record, v any) error {
	if err := r.Decode(v); err != nil {
		return &unreadable{err}
	}
	return nil
}

// apply takes one record in. A kind that is not here changes nothing but the
// books' end: it is kept in the journal for those who read it.
func apply(tx *bolt.Tx, b *pos.Books, r pos.Record) error {
	var a pos.Answer
	var err error
	switch r.Kind {
	case pos.KindGenesis:
		if err = read(r, &b.Genesis); b.Count > 0 {
			priced(b)
		}
	case pos.KindEnrolled:
		err = enrolled(tx, b, r)
	case pos.KindCheckpoint:
		err = checkpoint(tx, b, r)
	case pos.KindFork:
		b.Fork = new(pos.Fork)
		err = read(r, b.Fork)
	case pos.KindRecordsLost:
		err = told(tx, b, r)
	case pos.KindStaffChanged:
		b.Staffed = true
	case pos.KindSaleCharged:
		a, err = charged(tx, b, r)
	case pos.KindPayment:
		a, err = moved(tx, b, r)
	case pos.KindRefundDecided:
		a, err = decided(tx, r)
	case pos.KindUnasked:
		a, err = unasked(tx, r)
	case pos.KindDust:
		err = dust(tx, r)
	case pos.KindCodeTried:
		a, err = codeTried(tx, b, r)
	case pos.KindOfflineTerms:
		err = terms(b, r)
	case pos.KindTenderPolicy:
		err = policy(b, r)
	case pos.KindTrustOff, pos.KindTrustOn:
		err = trust(b, r)
	case pos.KindTokenAllowed:
		err = allowed(b, r)
	case pos.KindDestination, pos.KindConfirmed:
		err = destination(b, r)
	case pos.KindSaleCompleted:
		a, err = completed(tx, b, r)
	case pos.KindSaleCancelled:
		a, err = givenUp(tx, b, r)
	case pos.KindBasketCleared:
		a, err = over[pos.BasketCleared](tx, b, r, func(v pos.BasketCleared) pos.SaleID { return v.Sale })
	case pos.KindLineRemoved:
		a, err = lineRemoved(tx, r)
	case pos.KindDrawerOpened:
		err = job(tx, pos.PrintJob{ID: r.N, Kind: pos.PrintDrawer, Drawer: true, At: r.At})
	case pos.KindReprinted:
		a, err = reprinted(tx, r)
	case pos.KindTestReceipt:
		err = testPage(tx, r)
	case pos.KindPrintFailed:
		err = printFailed(tx, r)
	}
	if err != nil || r.Cmd.Key == "" {
		return err
	}
	a.Record = r.N
	return keepAnswer(tx, r.Cmd, a)
}

func charged(tx *bolt.Tx, b *pos.Books, r pos.Record) (pos.Answer, error) {
	var v pos.SaleCharged
	if err := read(r, &v); err != nil {
		return pos.Answer{}, err
	}
	if n, err := strconv.ParseUint(strings.TrimPrefix(v.Sale.Ref, "#"), 10, 64); err == nil {
		b.Refs = onward(b.Refs, n) // after a rebuild, references go on from there
	}
	v.Sale.Charged = r.N
	if err := tx.Bucket(doubted).Delete([]byte(v.Sale.ID)); err != nil { // a basket that is known of again
		return pos.Answer{}, err
	}
	if err := put(tx.Bucket(open), []byte(v.Sale.ID), v.Sale); err != nil {
		return pos.Answer{}, err
	}
	return pos.Answer{Sale: v.Sale.ID}, order(tx, r, v.Sale, pos.WhenCharged)
}

// refsWrap is where the desk begins references anew: they have four digits.
const refsWrap = 10_000

// onward returns the number of references given out when the one that shows shown is
// among them: the next such number, unless that is so far off that it must be an
// older sale's.
func onward(refs, shown uint64) uint64 {
	ahead := (shown + refsWrap - refs%refsWrap) % refsWrap
	if shown >= refsWrap || ahead > refsWrap/2 {
		return max(refs, shown)
	}
	return refs + ahead
}

// moved puts the payment into its sale, if that is still open, and onto the list
// of those to watch until nothing about it can change.
func moved(tx *bolt.Tx, b *pos.Books, r pos.Record) (pos.Answer, error) {
	var v pos.PaymentMoved
	if err := read(r, &v); err != nil {
		return pos.Answer{}, err
	}
	p := v.Payment
	a := pos.Answer{Sale: p.Sale, Payment: p.ID}
	b.Counter = max(b.Counter, p.Counter)
	s, in, err := charges(tx, p.Sale)
	if err != nil {
		return a, err
	}
	if p.Charged == 0 {
		p.Charged = s.Charged
	}
	if p.Final {
		if err := tx.Bucket(watched).Delete([]byte(p.ID)); err != nil {
			return a, err
		}
	} else if err := put(tx.Bucket(watched), []byte(p.ID), p); err != nil {
		return a, err
	}
	if p.Owed || (p.Refundable && p.OverBack.IsZero()) { // it was not given back yet
		if err := put(tx.Bucket(refunds), []byte(p.ID), p); err != nil {
			return a, err
		}
	}
	if s.ID == "" {
		return a, nil
	}
	if known := s.Payment(p.ID); known != nil {
		*known = p
	} else {
		s.Payments = append(s.Payments, p)
	}
	if p.Covers() && s.State == pos.Awaiting {
		s.State = pos.PartPaid
	}
	return a, put(in, []byte(s.ID), s)
}

// charges finds a sale that is not over, also one that is in doubt, and the bucket
// that it is in. Its ID is empty when there is none.
func charges(tx *bolt.Tx, id pos.SaleID) (s pos.Sale, in *bolt.Bucket, err error) {
	for _, name := range [][]byte{open, doubted} {
		in = tx.Bucket(name)
		if err = get(in, []byte(id), &s); err != nil || s.ID != "" {
			break
		}
	}
	return s, in, err
}

// end takes a sale off the counter.
func end(tx *bolt.Tx, b *pos.Books, id pos.SaleID) error {
	if b.Current == id {
		b.Current = ""
	}
	return errors.Join(tx.Bucket(open).Delete([]byte(id)), tx.Bucket(doubted).Delete([]byte(id)))
}

// completed files the sale, owes the customer a receipt and the kitchen its ticket, and
// counts the sale among what the backoffice does not hold yet.
func completed(tx *bolt.Tx, b *pos.Books, r pos.Record) (pos.Answer, error) {
	var v pos.SaleCompleted
	if err := read(r, &v); err != nil {
		return pos.Answer{}, err
	}
	id, a := v.Sale.ID, pos.Answer{Sale: v.Sale.ID}
	if err := end(tx, b, id); err != nil {
		return a, err
	}
	if err := counted(tx, b, v.Count); err != nil {
		return a, err
	}
	b.Turnover, b.LastDone, b.Shown = v.Turnover, id, false
	if err := put(tx.Bucket(done), []byte(id), pos.Filed{Sale: id, N: v.Count, Receipt: v.Sale.Receipt, Record: r.N}); err != nil {
		return a, err
	}
	if err := sell(tx, b, sold{id, r.N, v.Totals.Total.Minor, r.At}); err != nil {
		return a, err
	}
	cash := false
	for _, p := range v.Sale.Payments {
		cash = cash || p.Tender == pos.Cash
	}
	if err := order(tx, r, v.Sale, pos.WhenCompleted); err != nil {
		return a, err
	}
	return a, job(tx, pos.PrintJob{ID: r.N, Kind: pos.PrintReceipt, Sale: id, Record: r.N, Drawer: cash, At: r.At})
}

// givenUp takes a charged sale off the open ones, and tells who was told of it. When its
// lines went on in another basket, late money for it must not be sold as those lines again.
func givenUp(tx *bolt.Tx, b *pos.Books, r pos.Record) (pos.Answer, error) {
	var v pos.SaleCancelled
	if err := read(r, &v); err != nil {
		return pos.Answer{}, err
	}
	a := pos.Answer{Sale: v.Sale}
	s, _, err := charges(tx, v.Sale)
	if err != nil {
		return a, err
	}
	for i := 0; v.Into != "" && i < len(s.Payments); i++ {
		for _, name := range [][]byte{watched, refunds} { // money may be there already, astray
			if err := moveOn(tx.Bucket(name), s.Payments[i].ID); err != nil {
				return a, err
			}
		}
	}
	if err := takeBack(tx, r, s); err != nil {
		return a, err
	}
	return a, end(tx, b, v.Sale)
}

// moveOn notes at a payment, if it is there, that the lines it was asked for are elsewhere.
func moveOn(in *bolt.Bucket, id pos.PaymentID) error {
	var p pos.Payment
	if err := get(in, []byte(id), &p); err != nil || p.ID == "" {
		return err
	}
	p.Charged = 0
	return put(in, []byte(id), p)
}

// over takes a sale that will not be completed off the open ones.
func over[B any](tx *bolt.Tx, b *pos.Books, r pos.Record, sale func(B) pos.SaleID) (pos.Answer, error) {
	var v B
	if err := read(r, &v); err != nil {
		return pos.Answer{}, err
	}
	id := sale(v)
	return pos.Answer{Sale: id}, end(tx, b, id)
}

// lineRemoved takes a line, or a part of it, out of a basket.
func lineRemoved(tx *bolt.Tx, r pos.Record) (pos.Answer, error) {
	var v pos.LineRemoved
	if err := read(r, &v); err != nil {
		return pos.Answer{}, err
	}
	a := pos.Answer{Sale: v.Sale}
	var s pos.Sale
	if err := get(tx.Bucket(open), []byte(v.Sale), &s); err != nil || s.ID == "" {
		return a, err // a basket that died in a rebuild
	}
	for i, l := range s.Lines {
		if l.ID != v.Line.ID {
			continue
		}
		if l.Qty <= v.Line.Qty {
			s.Lines = append(s.Lines[:i], s.Lines[i+1:]...)
			break
		}
		left, err := pos.NewLine(l.Name, l.SKU, l.Qty-v.Line.Qty, l.Price, l.Tax)
		if err != nil {
			return a, err
		}
		left.ID = l.ID
		s.Lines[i] = left
		break
	}
	return a, put(tx.Bucket(open), []byte(s.ID), s)
}
