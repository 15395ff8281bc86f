package display

import (
	"fmt"
	"image"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

var t0 = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// landscape is a 7" panel with 133 pixels an inch, as the layout was made for.
var landscape = image.Pt(800, 480)

// panels are sizes that are sold: the large ones upright too.
var panels = []image.Point{
	landscape, {480, 800}, {1024, 600}, {1280, 400}, {480, 320}, {320, 480}, {320, 240}, {240, 320}, {240, 240},
}

// glasses are those and the other kinds: small ones, sheets, a disc, and what glows.
func glasses() []Glass {
	var out []Glass
	for _, size := range panels {
		out = append(out, Glass{Size: size})
	}
	for _, size := range []image.Point{{240, 135}, {135, 240}, {320, 170}, {170, 320}, {160, 128}, {128, 160}, {128, 128}, {160, 80}, {80, 160}} {
		out = append(out, Glass{Size: size})
	}
	for _, size := range []image.Point{{250, 122}, {122, 250}, {296, 128}, {128, 296}, {400, 300}, {300, 400}, {800, 480}, {480, 800}} {
		out = append(out, Glass{Size: size, Mono: true, Still: true})
	}
	return append(out, Glass{Size: image.Pt(240, 240), Round: true},
		Glass{Size: image.Pt(128, 64), Mono: true, Dark: true}, Glass{Size: image.Pt(128, 32), Mono: true, Dark: true})
}

var phases = []pos.Phase{
	pos.PhaseIdle, pos.PhaseBasket, pos.PhaseDue, pos.PhaseArriving, pos.PhaseChecking, pos.PhasePaid, pos.PhaseChange, pos.PhaseRefused,
}

// invoice returns n characters as a BOLT11 invoice in capitals has them.
func invoice(n int) string {
	const bech32 = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
	var b strings.Builder
	b.WriteString("LNBC203400N1P")
	for i := 0; b.Len() < n; i++ {
		b.WriteByte(bech32[(i*i*7+i*13+n)%32])
	}
	return b.String()[:n]
}

var goods = []string{
	"Espresso", "Flat white, oat milk", "Croissant with almonds, cream and a name that goes on for ever and ever", "Käsekuchen",
	"Jabón de Marsella ñandú", "Pão de queijo", "Crème brûlée", "Ζαχαροπλαστείο Ω", "Борщ", "Bananas",
}

// sale returns a View in phase whose n lines come to total minor units of code.
func sale(t testing.TB, lang, code string, phase pos.Phase, n int, total int64) pos.View {
	t.Helper()
	cur, err := pos.CurrencyOf(code)
	if err != nil {
		t.Fatal(err)
	}
	v := pos.View{Version: 1, Shop: pos.Shop{Name: "Café Süd", Language: lang, Currency: cur}}
	c := &v.Customer
	c.Phase = phase
	vat := pos.TaxRate{Code: "A", Name: "VAT", Milli: 20000, Included: true}
	rest := total
	for i := range n {
		price, qty := rest, int64(1000)
		if i < n-1 {
			price = total / int64(n)
		}
		rest -= price
		if i == 1 && price%2 == 0 {
			price, qty = price/2, 2000
		}
		l, err := pos.NewLine(goods[i%len(goods)], "", qty, cur.Of(price), vat)
		if err != nil {
			t.Fatal(err)
		}
		c.Lines = append(c.Lines, l)
	}
	sums, err := pos.Sale{Currency: code, Lines: c.Lines}.Totals()
	if err != nil {
		t.Fatal(err)
	}
	c.Tax, c.Total, c.Due = sums.Tax, sums.Total, sums.Total
	c.Tender, c.Network, c.Ref = "lightning", "Lightning", "#0417"
	c.Quantity, c.Rate = "20340 sat", "1 BTC = 58123.40 "+code
	c.QR, c.Expires = invoice(296), t0.Add(277*time.Second)
	c.Given, c.Change = cur.Of(total+total/7), cur.Of(total/7)
	c.Receipt, c.Reason = "01-000482", "expired"
	return v
}

// coffee is the sale of most tests: €16.95.
func coffee(t testing.TB, lang string, phase pos.Phase) pos.View {
	return sale(t, lang, "EUR", phase, 7, 1695)
}

// offline is coffee's sale while the till has no line: with a wallet's code, or with
// one for a phone's camera.
func offline(t testing.TB, lang string, camera bool) pos.View {
	v := coffee(t, lang, pos.PhaseDue)
	c := &v.Customer
	c.Offline, c.Counter, c.Other, c.Quantity, c.Rate = true, "#0417", camera, "", ""
	c.Ref, c.Expires = "#0031", t0.Add(20*time.Minute)
	c.QR = "LNURL1DP68GURN8GHJ7URP0YHX27RPD4CXCEFWVDHK6TM09AQKZ3MEWUU4GMZPTFJ8VMMVGAJ9SW22D3UYZ466WF2Y7SFKVE6RXV6EFETKX3M2VE8YC5T625M8SE24WDK9QLYU7Y0"
	if camera {
		c.QR = "https://pay.example.com/o/AaGyw9TlAZdvolGdX9JlxAWZrTOA6ft33YNWcGjfNLQzU6xeUslP"
	}
	return v
}

// look draws v and returns the frame, and every text that was set into it.
func look(v pos.View, size image.Point, now time.Time) (frame, []text) {
	return lookOn(v, Glass{Size: size}, now)
}

// lookOn is look for any glass.
func lookOn(v pos.View, g Glass, now time.Time) (frame, []text) {
	var texts []text
	f := sceneOf(v, now).draw(g, func(box image.Rectangle, s string, f fitted, t set, wt *weight) {
		texts = append(texts, text{box, s, f, t, wt})
	})
	return f, texts
}

// text is one text of a picture and how it was set.
type text struct {
	box image.Rectangle
	s   string
	f   fitted
	set set
	wt  *weight
}

// cut reports that not all of the text stands in the picture.
func (x text) cut() bool { return strings.Join(x.f.lines, " ") != x.s }

func (x text) String() string { return fmt.Sprintf("%q in %v", x.s, x.box) }

// find returns the text of a picture that contains s.
func find(texts []text, s string) (text, bool) {
	for _, x := range texts {
		if strings.Contains(x.s, s) {
			return x, true
		}
	}
	return text{}, false
}
