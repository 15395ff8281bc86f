package pos

import (
	"fmt"
	"strings"
	"time"
)

// Receipt is what a customer takes home, before anybody thinks of paper: a
// printer package turns it into columns, another one into a picture.
type Receipt struct {
	Shop    Shop
	Kind    string // "", or a word printed large on top and bottom: "TEST"
	Copy    int    // 0 for the original; above it COPY n is printed on top and bottom
	Unsure  bool   // printing was interrupted: this may be a second one; also marked as a copy
	Number  string // "01-000482"
	Ref     string // "#0417"
	Cashier string
	At      time.Time // in the shop's zone
	Unclear bool      // the clock was not trusted: "time unverified" is printed
	Lines   []Line
	Tax     []TaxRow
	Total   Amount
	ToPay   Amount // Total after cash rounding
	Rounded Amount // ToPay - Total; zero when nothing was rounded
	Paid    []ReceiptPayment
	Change  Amount
	Record  uint64
	Seal    string // first 12 hex digits of the record's hash, for people to compare
	QR      string // text of the code at the foot: number, record, hash; in capitals, so that all codes are small and alike
}

// ReceiptPayment is one tender on a receipt, with the rate as sold.
type ReceiptPayment struct {
	Tender     Tender
	Amount     Amount // what the customer handed over, or the part of the sale
	Quantity   string // "20340 sat"; empty for cash
	Network    string // "Lightning"
	Rate       string // "1 BTC = 58123.40 EUR"
	Source     string // "median of 3"
	RateAt     time.Time
	Reference  string // short: first 16 digits of the payment hash
	Over       string // "12 sat" beyond the price; empty when exact
	Offline    bool   // proven by the customer's code; the network's word comes later
	Unverified bool   // taken by the customer's word; the network has not confirmed it
}

// refDigits is how much of a payment's reference is printed: enough to find it.
const refDigits = 16

// NewReceipt makes the receipt of a completed sale from the record that
// completed it. zone is the shop's; the caller loads it. It fails with Conflict
// for any other record.
func NewReceipt(shop Shop, r Record, zone *time.Location, copies int) (Receipt, error) {
	var b SaleCompleted
	if r.Kind != KindSaleCompleted {
		return Receipt{}, E("make receipt", Conflict, "record %d completes no sale", r.N)
	}
	if err := r.Decode(&b); err != nil {
		return Receipt{}, err
	}
	out := Receipt{
		Shop: shop, Copy: copies, Number: b.Sale.Receipt, Ref: b.Sale.Ref, Cashier: b.Cashier().Name,
		At: r.At.In(zone), Unclear: r.Clock != ClockTrusted, Lines: b.Sale.Lines, Tax: b.Totals.Tax,
		Total: b.Totals.Total, ToPay: b.Totals.Total, Rounded: b.Rounding, Change: b.Change,
		Record: r.N, Seal: r.Hash.String()[:12],
		QR: fmt.Sprintf("TW1 %s %d %s", b.Sale.Receipt, r.N, strings.ToUpper(r.Hash.String()[:32])),
	}
	if toPay, err := b.Totals.Total.Add(b.Rounding); err == nil && b.Rounding.Minor != 0 {
		out.ToPay = toPay
	}
	for _, p := range b.Sale.Payments {
		if p.Covers() {
			out.Paid = append(out.Paid, receiptPayment(p))
		}
	}
	return out, nil
}

func receiptPayment(p Payment) ReceiptPayment {
	out := ReceiptPayment{Tender: p.Tender, Amount: p.Amount, Network: p.Network}
	if p.Tender == Cash {
		out.Amount = p.Given
		return out
	}
	if out.Offline = p.State == Accepted; out.Offline {
		out.Reference = CounterRef(p.Counter)
		return out
	}
	out.Quantity = p.Received.String()
	if out.Unverified = p.OnTrust(); out.Unverified {
		out.Quantity = p.Quantity.String()
	}
	out.Reference = p.Reference[:min(len(p.Reference), refDigits)]
	if p.Rate != nil {
		out.Rate, out.Source, out.RateAt = p.Rate.Price(), p.Rate.Source, p.Rate.At
	}
	if !p.Over.IsZero() {
		out.Over = p.Over.String()
	}
	return out
}

// ReceiptNumber writes number n of a series: "01-000482".
func ReceiptNumber(series string, n uint64) string {
	s := fmt.Sprintf("%06d", n)
	return strings.TrimPrefix(series+"-"+s, "-")
}
