package models

import (
	"strings"
	"testing"

	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/escpos"
	"github.com/tillwright/tillwright/printer/printertest"
	"github.com/tillwright/tillwright/printer/star"
)

// usb is what USB at full speed carries in bytes a second; a serial line takes ten bits
// a byte.
const usb = 1_000_000

// papersOf are what a shop prints, for a paper of so many columns.
func papersOf(cols int) map[string]printer.Document {
	receipt := printer.Layout(printertest.Receipts()["lightning"], cols)
	scripts := printer.Document{Columns: cols}
	for _, r := range receipt.Rows { // with a line that no code page has
		if l, ok := r.(printer.Line); ok && strings.Contains(l.Text, "Croissant          ") {
			l.Text = strings.Replace(l.Text, "Croissant          ", "Κρουασάν и кофе    ", 1)
			r = l
		}
		scripts.Rows = append(scripts.Rows, r)
	}
	return map[string]printer.Document{
		"receipt": receipt, "receipt with a logo": receipt.WithLogo(printertest.Logo()), "receipt in two scripts": scripts,
		"ticket": printer.LayoutTicket(printertest.Tickets()["ticket"], printertest.Shop("en"), cols),
	}
}

// BenchmarkPaper is what a paper costs on the wire: its bytes, and the seconds that they
// take at 9,600 and 115,200 baud and over USB, for a model of each class, with the code
// drawn by the printer where it can, and as dots.
func BenchmarkPaper(b *testing.B) {
	for _, class := range []struct{ name, model string }{{"80mm", "tm-t20iii"}, {"58mm", "pos-5890"}, {"58mm draws codes", "sunmi-v2"}, {"Star 80mm", "mc-print3"}, {"Star dots", "tsp100"}} {
		m, err := ByName(class.model, Options{})
		if err != nil {
			b.Fatal(err)
		}
		for _, paper := range []string{"receipt", "receipt with a logo", "receipt in two scripts", "ticket"} {
			d := papersOf(m.Columns)[paper]
			last := -1
			for _, code := range []string{"code as dots", "code by the printer"} {
				encode := encoderOf(m, code != "code as dots")
				out, err := encode(d)
				if err != nil {
					b.Fatal(err)
				}
				n := len(out)
				if n == last {
					continue // it draws none, or there is none
				}
				last = n
				b.Run(strings.Join([]string{class.name, paper, code}, "/"), func(b *testing.B) {
					for b.Loop() {
						if _, err := encode(d); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(n), "bytes")
					b.ReportMetric(float64(n)/960, "s-at-9600")
					b.ReportMetric(float64(n)/11520, "s-at-115200")
					b.ReportMetric(float64(n)/usb, "s-by-USB")
				})
			}
		}
	}
}

// encoderOf returns what makes the bytes of m; slow is a line on which the printer draws
// codes where it can.
func encoderOf(m Model, slow bool) func(printer.Document) ([]byte, error) {
	switch p := m.Encoder.(type) {
	case escpos.Profile:
		if slow {
			p = p.Slow()
		}
		return func(d printer.Document) ([]byte, error) { return escpos.Encode(d, p) }
	case star.Profile:
		if slow {
			p = p.Slow()
		}
		return func(d printer.Document) ([]byte, error) { return star.Encode(d, p) }
	}
	return nil
}
