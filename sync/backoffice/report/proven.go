package report

import (
	"cmp"
	"context"
	"slices"

	"github.com/tillwright/tillwright/pos"
)

// mostAhead bounds, in records of one till, how far behind a sale its payment's proof is
// looked for: some days of a busy till, read in 0.2 s. Most come within minutes.
const mostAhead = 5000

// proven fills in what arrived for payments that covered a sale before their money was
// seen: on a code without a line, or on trust. The sale's record cannot know it, and the
// proof may come on another day, so kept days are left as they are.
func (r *Reports) proven(ctx context.Context, days []Day) ([]Day, error) {
	out := slices.Clone(days)
	for i := range out {
		first := unproven(out[i])
		if len(first) == 0 {
			continue
		}
		d := &out[i]
		d.Sales, d.Tills = slices.Clone(d.Sales), slices.Clone(d.Tills)
		for j := range d.Tills {
			t := &d.Tills[j]
			n, waits := first[t.Till.ID]
			if !waits {
				continue
			}
			proofs, err := r.proofs(ctx, t.Till.ID, n)
			if err == nil {
				err = d.prove(t, proofs)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// unproven returns the first sale of each till with a payment whose money nobody had seen.
func unproven(d Day) map[string]uint64 {
	first := map[string]uint64{}
	for _, s := range d.Sales {
		if n, there := first[s.Till.ID]; slices.ContainsFunc(s.Sale.Payments, waits) && (!there || s.N < n) {
			first[s.Till.ID] = s.N
		}
	}
	return first
}

// waits reports that p covers its sale and its money has not been seen.
func waits(p pos.Payment) bool { return p.Covers() && p.State != pos.Settled }

// proofs returns the payments of a till that settled above record n after they had been
// taken without their money.
func (r *Reports) proofs(ctx context.Context, till string, n uint64) (map[pos.PaymentID]pos.Payment, error) {
	out := map[pos.PaymentID]pos.Payment{}
	for k, err := range r.store.Since(ctx, till, n) {
		if err != nil {
			return nil, err
		}
		if k.N > n+mostAhead {
			break
		}
		var b pos.PaymentMoved
		if k.Kind != pos.KindPayment || k.Decode(&b) != nil { // what is unreadable is on the red list
			continue
		}
		if p := b.Payment; b.Event == pos.Settle && !p.Refundable && (p.Taken || p.Unverified) {
			out[cmp.Or(p.Proves, p.ID)] = p
		}
	}
	return out, nil
}

// prove puts proofs into a till's sales, and what arrived into the tenders' rows.
func (d *Day) prove(t *TillDay, proofs map[pos.PaymentID]pos.Payment) error {
	for i := range d.Sales {
		s := &d.Sales[i]
		if s.Till.ID != t.Till.ID || !slices.ContainsFunc(s.Sale.Payments, waits) {
			continue
		}
		s.Sale.Payments = slices.Clone(s.Sale.Payments)
		for j, p := range s.Sale.Payments {
			proof, there := proofs[p.ID]
			if !there || !waits(p) {
				continue
			}
			if err := d.arrived(t, p.Tender, proof.Received); err != nil {
				return err
			}
			s.Sale.Payments[j] = with(p, proof)
		}
	}
	return nil
}

// with returns p as its proof knows it; its part of the sale stays what was booked.
func with(p, proof pos.Payment) pos.Payment {
	p.State, p.Moved, p.Received, p.Over, p.Quantity = proof.State, proof.Moved, proof.Received, proof.Over, proof.Quantity
	p.Rate, p.Reference = proof.Rate, proof.Reference
	return p
}

// arrived adds q to a tender's row of the till and of the day.
func (d *Day) arrived(t *TillDay, tender pos.Tender, q pos.Quantity) error {
	if q.IsZero() {
		return nil
	}
	one, z := pos.NewReport(t.Report.Till, d.Currency), d.Currency.Zero()
	one.Tenders = []pos.TenderTotal{{Tender: tender, Amount: z, Given: z, Change: z, Rounding: z, Assets: []pos.Quantity{q}}}
	if err := t.Report.Merge(one); err != nil {
		return err
	}
	one.Till = d.Total.Till
	return d.Total.Merge(one)
}
