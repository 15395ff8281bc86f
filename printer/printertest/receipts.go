package printertest

import (
	"fmt"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// EUR is the currency of most receipts here.
var EUR = pos.Currency{Code: "EUR", Decimals: 2}

var (
	vatA = pos.TaxRate{Code: "A", Name: "VAT", Milli: 10_000, Included: true}
	vatB = pos.TaxRate{Code: "B", Name: "VAT", Milli: 20_000, Included: true}
	nyc  = pos.TaxRate{Code: "T", Name: "Sales tax", Milli: 8_875}
	none = pos.TaxRate{Code: "N", Name: "Exempt"}
)

// At is when all receipts here were printed.
var At = time.Date(2026, 11, 22, 14, 3, 11, 0, time.FixedZone("CET", 3600))

// Shop returns a shop that speaks lang.
func Shop(lang string) pos.Shop {
	return pos.Shop{
		Name: "Bäckerei Süd", Address: []string{"Hauptstraße 1", "1010 Wien"}, TaxID: "UID ATU12345678",
		Footer: pos.Word(lang, "thank_you"), Till: "Till 1", Series: "01", Currency: EUR, Language: lang,
	}
}

// Receipts returns receipts of every kind that must look right, by name.
func Receipts() map[string]pos.Receipt {
	out := map[string]pos.Receipt{"cash": cash("en"), "lightning": lightning(), "exclusive": exclusive(), "long": long()}
	for _, lang := range pos.Languages {
		out["lang-"+lang] = cash(lang)
	}
	c := cash("en")
	c.Copy = 2
	out["copy"] = c
	c.Copy, c.Unsure, c.Unclear = 0, true, true
	out["unsure"] = c
	c = lightning()
	c.Kind = "TEST"
	out["test"] = c
	out["huge"] = huge()
	out["yen"] = yen()
	o := cash("en") // paid on a code while the till had no line
	o.Change, o.Rounded, o.ToPay = pos.Amount{}, pos.Amount{Currency: o.Total.Currency}, o.Total
	o.Paid = []pos.ReceiptPayment{{Tender: "lightning", Amount: o.Total, Network: "Lightning", Reference: "#0042", Offline: true}}
	out["offline"] = o
	out["scripts"] = scripts()
	return out
}

// item makes a line; it panics on what no till would sell.
func item(name string, qty, price int64, c pos.Currency, t pos.TaxRate) pos.Line {
	l, err := pos.NewLine(name, "", qty, c.Of(price), t)
	if err != nil {
		panic(err)
	}
	return l
}

// receipt computes the sums of lines.
func receipt(shop pos.Shop, c pos.Currency, lines ...pos.Line) pos.Receipt {
	t, err := pos.Sale{Currency: c.Code, Lines: lines}.Totals()
	if err != nil {
		panic(err)
	}
	return pos.Receipt{
		Shop: shop, Number: "01-000482", Ref: "#0417", Cashier: "Anna", At: At, Lines: lines, Tax: t.Tax,
		Total: t.Total, ToPay: t.Total, Rounded: c.Zero(), Change: c.Zero(), Record: 913, Seal: "3fa9c1d2e4b5",
		QR: "TW1 01-000482 913 3FA9C1D2E4B5F60718293A4B5C6D7E8F",
	}
}

// cash is paid with a note, in a country that rounds to five cents.
func cash(lang string) pos.Receipt {
	r := receipt(Shop(lang), EUR,
		item("Espresso", 2000, 290, EUR, vatB), item("Sauerteigbrot 1 kg", 1000, 641, EUR, vatA),
		item("Käse, am Stück", 342, 2490, EUR, vatA))
	r.ToPay = pos.Rounding{Step: 5}.Due(r.Total)
	r.Rounded = EUR.Of(r.ToPay.Minor - r.Total.Minor)
	r.Paid = []pos.ReceiptPayment{{Tender: pos.Cash, Amount: EUR.Of(5000)}}
	r.Change = EUR.Of(5000 - r.ToPay.Minor)
	return r
}

func lightning() pos.Receipt {
	r := receipt(Shop("en"), EUR, item("Espresso", 2000, 290, EUR, vatB), item("Croissant", 1000, 250, EUR, vatA))
	r.Paid = []pos.ReceiptPayment{{
		Tender: "lightning", Amount: r.Total, Quantity: "14280 sat", Network: "Lightning", Rate: "1 BTC = 58123.40 EUR",
		Source: "median of 3", RateAt: At.Add(-16 * time.Second).UTC(), Reference: "9f3ac0b1d2e4f567", Over: "12 sat",
	}}
	return r
}

// exclusive is a shop that adds tax to its prices, with two tenders.
func exclusive() pos.Receipt {
	usd := pos.Currency{Code: "USD", Decimals: 2}
	shop := pos.Shop{Name: "Corner Hardware", Address: []string{"12 Main St", "Brooklyn, NY 11201"}, Till: "Register 2",
		Footer: "No returns without receipt", Language: "en", Currency: usd}
	r := receipt(shop, usd, item("Claw hammer", 1000, 1999, usd, nyc), item("Wood screws #8 (100)", 3000, 849, usd, nyc),
		item("Seeds", 2000, 350, usd, none))
	r.Paid = []pos.ReceiptPayment{
		{Tender: "lightning", Amount: usd.Of(3000), Quantity: "29801 sat", Network: "Lightning", Rate: "1 BTC = 100667.12 USD",
			Source: "median of 3", RateAt: At.Add(-20 * time.Hour), Reference: "00aa11bb22cc33dd"},
		{Tender: pos.Cash, Amount: usd.Of(3000)},
	}
	r.Change = usd.Of(6000 - r.Total.Minor)
	return r
}

// long has names that need several lines, and a tax code of four letters.
func long() pos.Receipt {
	free := pos.TaxRate{Code: "FREE", Name: "VAT", Included: true}
	r := receipt(Shop("de"), EUR,
		item("Biologisch angebaute Ochsenherztomaten aus dem Marchfeld, sonnengereift", 1250, 549, EUR, vatA),
		item("Donaudampfschifffahrtsgesellschaftskapitänsmützenanstecknadel", 1000, 1299900, EUR, vatB),
		item("Briefmarken", 12000, 120, EUR, free))
	r.Shop.Name = "Gemischtwarenhandlung Überlacker & Söhne vormals Wwe. Bolte"
	r.Cashier = "Frau Magistra Anneliese Hinterhuber-Schweighofer"
	r.Paid = []pos.ReceiptPayment{{Tender: pos.Cash, Amount: r.Total}}
	return r
}

// huge is the longest sale that a till takes.
func huge() pos.Receipt {
	lines := make([]pos.Line, pos.MaxLines)
	for i := range lines {
		lines[i] = item(fmt.Sprintf("Item %03d %s", i+1, strings.Repeat("x", i%40)), int64(1+i%3)*1000, int64(100+i), EUR, vatA)
	}
	r := receipt(Shop("en"), EUR, lines...)
	r.Paid = []pos.ReceiptPayment{{Tender: pos.Cash, Amount: r.Total}}
	return r
}

// yen has no decimals and amounts as large as int64 takes.
func yen() pos.Receipt {
	jpy := pos.Currency{Code: "JPY"}
	r := receipt(Shop("en"), jpy, item("Castle", 1000, 1<<60, jpy, vatB))
	r.Paid = []pos.ReceiptPayment{{Tender: pos.Cash, Amount: r.Total}}
	return r
}

// scripts has letters of every kind: in a code page, in the face, and nowhere.
func scripts() pos.Receipt {
	r := receipt(Shop("en"), EUR, item("Crème brûlée à l'orange", 1000, 650, EUR, vatA), item("Preis in € £ ¥", 1000, 100, EUR, vatA),
		item("Łosoś wędzony", 1000, 1190, EUR, vatA), item("Ελληνικός καφές", 2000, 280, EUR, vatB),
		item("Борщ с пампушками", 1000, 720, EUR, vatA), item("抹茶アイス", 1000, 480, EUR, vatA), item("Cafe\u0301 🍰", 1000, 300, EUR, vatB))
	r.Paid = []pos.ReceiptPayment{{Tender: pos.Cash, Amount: r.Total}}
	return r
}
