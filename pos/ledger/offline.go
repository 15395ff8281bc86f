package ledger

import (
	"maps"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tillwright/tillwright/pos"
)

// codeTried counts wrong codes: of the sale, and of the till for an hour.
func codeTried(tx *bolt.Tx, b *pos.Books, r pos.Record) (pos.Answer, error) {
	var v pos.CodeTried
	if err := read(r, &v); err != nil {
		return pos.Answer{}, err
	}
	a := pos.Answer{Sale: v.Sale, Payment: v.Payment}
	if a.Other = v.Other; v.Right || v.Other {
		return a, nil
	}
	a.Wrong = v.Wrong
	wrong := append([]time.Time{}, b.Wrong...) // the old slice was handed out
	wrong = append(wrong, r.At)
	b.Wrong = wrong[max(len(wrong)-pos.MaxWrongCodesHour, 0):]
	var s pos.Sale
	if err := get(tx.Bucket(open), []byte(v.Sale), &s); err != nil || s.ID == "" {
		return a, err
	}
	s.WrongCodes = v.Wrong
	return a, put(tx.Bucket(open), []byte(s.ID), s)
}

// terms notes what the backoffice granted. Counters only rise.
func terms(b *pos.Books, r pos.Record) error {
	b.Terms = new(pos.OfflineTerms)
	err := read(r, b.Terms)
	b.Counter = max(b.Counter, b.Terms.Highest)
	return err
}

func policy(b *pos.Books, r pos.Record) error {
	var v pos.TenderPolicy
	err := read(r, &v)
	ps := maps.Clone(b.Policies)
	if ps == nil {
		ps = map[pos.Tender]pos.TenderPolicy{}
	}
	ps[v.Tender] = v
	b.Policies = ps
	return err
}

// trust notes whether a tender is taken by customers' word.
func trust(b *pos.Books, r pos.Record) error {
	var v pos.TrustChanged
	err := read(r, &v)
	out := maps.Clone(b.Distrust)
	if out == nil {
		out = map[pos.Tender]pos.TrustChanged{}
	}
	if out[v.Tender] = v; r.Kind == pos.KindTrustOn {
		delete(out, v.Tender)
	}
	b.Distrust = out
	return err
}

// decided takes a payment off the list of debts.
func decided(tx *bolt.Tx, r pos.Record) (pos.Answer, error) {
	var v pos.RefundDecided
	if err := read(r, &v); err != nil {
		return pos.Answer{}, err
	}
	return pos.Answer{Sale: v.Sale, Payment: v.Payment}, tx.Bucket(refunds).Delete([]byte(v.Payment))
}
