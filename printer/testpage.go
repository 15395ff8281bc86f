package printer

import (
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// TestPage shows whether a printer is set up right: the ruler ends at the edge of
// the paper and no line of it breaks, the letters are the ones of the shop's
// language and not others, a phone reads the code
// and the counter's scanner the bars.
func TestPage(shop pos.Shop, cols int) Document {
	s := newSheet(shop, cols)
	s.centre("TEST", loud)
	s.feed(1)
	s.head(shop)
	s.rule()
	s.line(ruler(s.cols, true), Style{})
	s.line(ruler(s.cols, false), Style{})
	s.pair(s.word("test_ruler"), "", Style{})
	s.rule()
	for _, sample := range samples {
		s.pair(sample, "", Style{})
	}
	s.pair("Abc 123", "", strong)
	s.pair("Abc 123", "", high)
	s.pair("Abc 123", "", loud)
	s.rule()
	s.doc.Rows = append(s.doc.Rows, Code{"Tillwright test page"})
	s.centre(s.word("test_code"), Style{})
	s.feed(1)
	s.doc.Rows = append(s.doc.Rows, Barcode{"TEST-123"})
	s.feed(1)
	s.centre("TEST", loud)
	return s.end()
}

// samples need, in this order: no code page, 437, 858, a picture of the line.
var samples = []string{
	"ABC abc 0123456789 #$@[\\]^{|}~",
	"ÄÖÜäöüß éèêç ñ¿¡ £",
	"áàâãåøæõ ÁÀÂÃÅØÆÕ €",
	"Łódź Ελλάδα Кофе",
}

// ruler counts columns: tens above, units below.
func ruler(cols int, tens bool) string {
	var b strings.Builder
	for i := 1; i <= cols; i++ {
		switch {
		case !tens:
			b.WriteByte('0' + byte(i%10))
		case i%10 == 0:
			b.WriteByte('0' + byte(i/10%10))
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}
