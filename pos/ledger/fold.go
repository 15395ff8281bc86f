package ledger

import (
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
	return l.lazily(func(tx *bolt.Tx, b *pos.Books) error {
		for _, r := range rs {
			if r.N <= b.Last {
				continue
			}
			if r.N != b.Last+1 {
				return pos.E("fold record", pos.Corrupt, "record %d follows record %d", r.N, b.Last)
			}
			if err := apply(tx, b, r); err != nil {
				return fmt.Errorf("fold record %d: %w", r.N, err)
			}
			b.Last, b.Hash, b.Stopped = r.N, r.Hash, r.Kind == pos.KindStopped
		}
		return nil
	})
}

// apply takes one record in. A kind that is not here changes nothing but the
// books' end: it is kept in the journal for those who read it.
func apply(tx *bolt.Tx, b *pos.Books, r pos.Record) error {
	var a pos.Answer
	var err error
	switch r.Kind {
	case pos.KindGenesis:
		err = r.Decode(&b.Genesis)
	case pos.KindEnrolled:
		err = enrolled(tx, b, r)
	case pos.KindCheckpoint:
		err = checkpoint(tx, b, r)
	case pos.KindFork:
		b.Fork = new(pos.Fork)
		err = r.Decode(b.Fork)
	case pos.KindStaffChanged:
		b.Staffed = true
	case pos.KindSaleCharged:
		a, err = charged(tx, b, r)
	case pos.KindPayment:
		a, err = moved(tx, b, r)
	case pos.KindCodeTried:
		a, err = codeTried(tx, b, r)
	case pos.KindOfflineTerms:
		err = terms(b, r)
	case pos.KindTenderPolicy:
		err = policy(b, r)
	case pos.KindSaleCompleted:
		a, err = completed(tx, b, r)
	case pos.KindSaleCancelled:
		a, err = over[pos.SaleCancelled](tx, b, r, func(v pos.SaleCancelled) pos.SaleID { return v.Sale })
	case pos.KindBasketCleared:
		a, err = over[pos.BasketCleared](tx, b, r, func(v pos.BasketCleared) pos.SaleID { return v.Sale })
	case pos.KindLineRemoved:
		a, err = lineRemoved(tx, r)
	case pos.KindDrawerOpened:
		err = job(tx, pos.PrintJob{ID: r.N, Kind: pos.PrintDrawer, Drawer: true, At: r.At})
	case pos.KindReprinted:
		a, err = reprinted(tx, r)
	case pos.KindTestReceipt:
		err = job(tx, pos.PrintJob{ID: r.N, Kind: pos.PrintTest, At: r.At})
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
	if err := r.Decode(&v); err != nil {
		return pos.Answer{}, err
	}
	if n, err := strconv.ParseUint(strings.TrimPrefix(v.Sale.Ref, "#"), 10, 64); err == nil {
		b.Refs = max(b.Refs, n) // after a rebuild, references go on from there
	}
	return pos.Answer{Sale: v.Sale.ID}, put(tx.Bucket(open), []byte(v.Sale.ID), v.Sale)
}

// moved puts the payment into its sale, if that is still open, and onto the list
// of those to watch until nothing about it can change.
func moved(tx *bolt.Tx, b *pos.Books, r pos.Record) (pos.Answer, error) {
	var v pos.PaymentMoved
	if err := r.Decode(&v); err != nil {
		return pos.Answer{}, err
	}
	p := v.Payment
	a := pos.Answer{Sale: p.Sale, Payment: p.ID}
	b.Counter = max(b.Counter, p.Counter)
	if p.Final {
		if err := tx.Bucket(watched).Delete([]byte(p.ID)); err != nil {
			return a, err
		}
	} else if err := put(tx.Bucket(watched), []byte(p.ID), p); err != nil {
		return a, err
	}
	if p.Refundable {
		if err := put(tx.Bucket(refunds), []byte(p.ID), p); err != nil {
			return a, err
		}
	}
	var s pos.Sale
	if err := get(tx.Bucket(open), []byte(p.Sale), &s); err != nil || s.ID == "" {
		return a, err
	}
	if known := s.Payment(p.ID); known != nil {
		*known = p
	} else {
		s.Payments = append(s.Payments, p)
	}
	if p.Covers() && s.State == pos.Awaiting {
		s.State = pos.PartPaid
	}
	return a, put(tx.Bucket(open), []byte(s.ID), s)
}

// completed files the sale, owes the customer a receipt, and counts it among
// what the backoffice does not hold yet.
func completed(tx *bolt.Tx, b *pos.Books, r pos.Record) (pos.Answer, error) {
	var v pos.SaleCompleted
	if err := r.Decode(&v); err != nil {
		return pos.Answer{}, err
	}
	id, a := v.Sale.ID, pos.Answer{Sale: v.Sale.ID}
	if v.Count != b.Count+1 {
		return a, pos.E("file sale", pos.Corrupt, "sale number %d follows number %d", v.Count, b.Count)
	}
	b.Count, b.Turnover, b.LastDone, b.Shown = v.Count, v.Turnover, id, false
	if b.Current == id {
		b.Current = ""
	}
	if err := tx.Bucket(open).Delete([]byte(id)); err != nil {
		return a, err
	}
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
	return a, job(tx, pos.PrintJob{ID: r.N, Kind: pos.PrintReceipt, Sale: id, Record: r.N, Drawer: cash, At: r.At})
}

// over takes a sale that will not be completed off the open ones.
func over[B any](tx *bolt.Tx, b *pos.Books, r pos.Record, sale func(B) pos.SaleID) (pos.Answer, error) {
	var v B
	if err := r.Decode(&v); err != nil {
		return pos.Answer{}, err
	}
	id := sale(v)
	if b.Current == id {
		b.Current = ""
	}
	return pos.Answer{Sale: id}, tx.Bucket(open).Delete([]byte(id))
}

// lineRemoved takes a line, or a part of it, out of a basket.
func lineRemoved(tx *bolt.Tx, r pos.Record) (pos.Answer, error) {
	var v pos.LineRemoved
	if err := r.Decode(&v); err != nil {
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

func reprinted(tx *bolt.Tx, r pos.Record) (pos.Answer, error) {
	var v pos.Reprinted
	if err := r.Decode(&v); err != nil {
		return pos.Answer{}, err
	}
	a := pos.Answer{Sale: v.Sale}
	var f pos.Filed
	if err := get(tx.Bucket(done), []byte(v.Sale), &f); err != nil {
		return a, err
	}
	f.Copies = v.Copy
	if err := put(tx.Bucket(done), []byte(v.Sale), f); err != nil {
		return a, err
	}
	return a, job(tx, pos.PrintJob{ID: r.N, Kind: pos.PrintReceipt, Sale: v.Sale, Record: f.Record, Copy: v.Copy, At: r.At})
}

func printFailed(tx *bolt.Tx, r pos.Record) error {
	var v pos.PrintFailed
	if err := r.Decode(&v); err != nil {
		return err
	}
	return tx.Bucket(prints).Delete(number(v.Job.ID))
}

func job(tx *bolt.Tx, j pos.PrintJob) error { return put(tx.Bucket(prints), number(j.ID), j) }
