package main

import (
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// A sample is one sale of the shop's own goods, for pictures of panels and papers.
// Nobody can pay it: its code has no checksum that a wallet accepts.

const (
	sampleRef     = "#0417"
	sampleRecord  = 913
	sampleInvoice = 290 // characters of an invoice as lnd makes them for a shop
	sampleLeft    = 277 * time.Second
	samplePrice   = "58123.40" // of a bitcoin
	sampleLines   = 3
)

// sampleAt is when all samples happen.
var sampleAt = time.Date(2026, 11, 26, 14, 3, 11, 0, time.UTC)

// phases are the pictures that a customer sees.
var phases = []pos.Phase{
	pos.PhaseIdle, pos.PhaseBasket, pos.PhaseDue, pos.PhaseArriving, pos.PhasePaid, pos.PhaseChange, pos.PhaseRefused, pos.PhaseChecking,
}

// sale is a sample's sums and what it costs in bitcoin.
type sample struct {
	shop     pos.Shop
	lines    []pos.Line
	totals   pos.Totals
	rate     pos.Rate
	quantity pos.Quantity
}

// sampleOf sells the first items of c, or a coffee where there are none.
func sampleOf(c config) (sample, error) {
	s := sample{shop: c.shop}
	for i, it := range c.items[:min(len(c.items), sampleLines)] {
		qty := int64(1000)
		if i == 0 {
			qty = 2000
		}
		l, err := pos.NewLine(it.Name, it.SKU, qty, it.Price, it.Tax)
		if err != nil {
			return s, err
		}
		s.lines = append(s.lines, l)
	}
	if len(s.lines) == 0 {
		price, err := pos.ParseAmount("3", c.shop.Currency)
		if err != nil {
			return s, err
		}
		l, err := pos.NewLine("Espresso", "", 1000, price, c.shop.Taxes[0])
		if err != nil {
			return s, err
		}
		s.lines = append(s.lines, l)
	}
	return s, s.price(c)
}

// price sums up and converts.
func (s *sample) price(c config) (err error) {
	if s.totals, err = (pos.Sale{Currency: c.shop.Currency.Code, Lines: s.lines}).Totals(); err != nil {
		return err
	}
	price := c.rates.fixed
	if price == "" {
		price = samplePrice
	}
	if s.rate, err = pos.RateOf(c.shop.Currency, pos.Bitcoin, price, "sample", sampleAt); err != nil {
		return err
	}
	s.quantity, err = s.rate.Charge(s.totals.Total)
	return err
}

// view is what a display is given in a phase, at sampleAt.
func (s sample) view(p pos.Phase) (pos.View, error) {
	v := pos.View{Version: 1, Shop: s.shop, Customer: pos.Customer{
		Phase: p, Ref: sampleRef, Lines: s.lines, Tax: s.totals.Tax, Total: s.totals.Total, Due: s.totals.Total,
		Tender: "lightning", Network: "Lightning", Quantity: s.quantity.String(), Rate: s.rate.Price(),
		QR: invoice(sampleInvoice), Expires: sampleAt.Add(sampleLeft),
		Receipt: pos.ReceiptNumber(s.shop.Series, 482), Reason: "expired",
	}}
	if p != pos.PhaseChange {
		return v, nil
	}
	c := &v.Customer
	c.Tender, c.Network, c.Quantity, c.QR = pos.Cash, "", "", ""
	over, err := pos.ParseAmount("2", s.shop.Currency)
	if err != nil {
		return v, err
	}
	if c.Given, err = s.totals.Total.Add(over); err != nil {
		return v, err
	}
	c.Change = over
	return v, nil
}

// receipt is the sample paid over Lightning, marked as what it is.
func (s sample) receipt(zone *time.Location) pos.Receipt {
	number, zero := pos.ReceiptNumber(s.shop.Series, 482), s.shop.Currency.Zero()
	return pos.Receipt{
		Shop: s.shop, Kind: "TEST", Number: number, Ref: sampleRef, Cashier: "Anna", At: sampleAt.In(zone),
		Lines: s.lines, Tax: s.totals.Tax, Total: s.totals.Total, ToPay: s.totals.Total, Rounded: zero, Change: zero,
		Paid: []pos.ReceiptPayment{{
			Tender: "lightning", Amount: s.totals.Total, Quantity: s.quantity.String(), Network: "Lightning",
			Rate: s.rate.Price(), Source: "sample", RateAt: sampleAt, Reference: "7c1f09d3a2b4e586",
		}},
		Record: sampleRecord, Seal: "3fa9c1d2e4b5", QR: "TW1 " + number + " 913 3FA9C1D2E4B5F60718293A4B5C6D7E8F",
	}
}

// ticket is what a second printer is told of the sample.
func (s sample) ticket(r pos.Route, zone *time.Location) pos.Ticket {
	t := pos.Ticket{Station: r.Printer, Ref: sampleRef, Copies: r.Copies, Till: s.shop.Till, Cashier: "Anna", At: sampleAt.In(zone)}
	for _, l := range s.lines {
		t.Lines = append(t.Lines, pos.TicketLine{Qty: l.Qty, Name: l.Name})
	}
	return t
}

// invoice returns n characters as a BOLT 11 invoice in capitals has them.
func invoice(n int) string {
	const letters = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
	var b strings.Builder
	b.WriteString("LNBC203400N1P")
	for i := 0; b.Len() < n; i++ {
		b.WriteByte(letters[(i*i*7+i*13+n)%len(letters)])
	}
	return b.String()[:n]
}
