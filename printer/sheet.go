package printer

import (
	"strings"
	"unicode"

	"github.com/tillwright/tillwright/pos"
)

// sheet is a document being written. All outside text enters it through pair and
// centre, which clean it.
type sheet struct {
	doc  Document
	cols int
	hang int // cells to the right of the amounts, for tax letters
	lang string
}

func newSheet(shop pos.Shop, cols int) *sheet {
	cols = min(max(cols, minColumns), maxColumns)
	return &sheet{doc: Document{Columns: cols}, cols: cols, lang: shop.Language}
}

// word is a text of the catalogue in the shop's language.
func (s *sheet) word(key string, with ...string) string { return pos.Word(s.lang, key, with...) }

// line writes text that is clean and fits.
func (s *sheet) line(text string, st Style) {
	s.doc.Rows = append(s.doc.Rows, Line{Text: text, Style: st})
}

func (s *sheet) rule()      { s.doc.Rows = append(s.doc.Rows, Rule{}) }
func (s *sheet) feed(n int) { s.doc.Rows = append(s.doc.Rows, Feed{n}) }

// room is how many letters of a style fit side by side.
func (s *sheet) room(st Style) int {
	if st.Wide {
		return s.cols / 2
	}
	return s.cols
}

// centre writes text in the middle, in as many lines as it takes; no line for no
// text.
func (s *sheet) centre(text string, st Style) {
	width := s.room(st)
	for _, l := range wrap(Clean(text), width, 0) {
		switch free := s.cols - Cells(l); {
		case l == "":
		case st.Wide: // free counts narrow cells: one more for each letter is taken
			free = max(free-Cells(l), 0) / 2
			s.doc.Rows = append(s.doc.Rows, Line{Text: pad(free/2) + l, Style: st, Half: free%2 == 1})
		default:
			s.line(pad(free/2)+l, st)
		}
	}
}

// pair writes label at the left and value at the right of the last line that the
// label takes, or of one more if they do not fit together. Leading spaces of the
// label are kept. Nothing is ever cut off; nothing is written for nothing.
func (s *sheet) pair(label, value string, st Style) {
	label, value = Clean(label), Clean(value)
	margin := len(label) - len(trimLeft(label))
	width := s.room(st) - margin
	lines := wrap(label, width, 2)
	last := len(lines) - 1
	for i, l := range lines {
		l = pad(margin) + l
		switch {
		case i < last || value == "":
			s.put(l, st)
		case Cells(l)+gap(l+value)+Cells(value) <= s.room(st) || l == pad(margin):
			s.tail(pad(margin)+trimLeft(l), value, st)
		default:
			s.put(l, st)
			s.tail("", value, st)
		}
	}
}

// gap is how many spaces part label and value: two where something is written from
// right to left, so that it is seen as a column of its own.
func gap(text string) int {
	for _, r := range text {
		if unicode.In(r, unicode.Arabic, unicode.Hebrew) {
			return 2
		}
	}
	return 1
}

// tail writes a line that ends in value at the right edge.
func (s *sheet) tail(label, value string, st Style) {
	values := []string{value}
	if Cells(value) > s.room(st)-Cells(label) {
		values = wrap(value, s.room(st)-Cells(label), 0)
	}
	for _, v := range values {
		s.put(label+right(v, s.room(st)-Cells(label)), st)
		label = pad(Cells(label))
	}
}

// put writes a line unless it is blank.
func (s *sheet) put(text string, st Style) {
	if trimLeft(text) != "" {
		s.line(text, st)
	}
}

// number writes a figure, or a text with some, with the decimal mark of the shop's
// language; thousands stay together, for columns are narrow.
func (s *sheet) number(plain string) string {
	if s.lang == "en" || s.lang == "" {
		return plain
	}
	return strings.ReplaceAll(plain, ".", ",")
}

// amount writes a sum under the ones of the items.
func (s *sheet) amount(label string, a pos.Amount, st Style) {
	s.pair(label, s.number(a.Number())+pad(s.hang), st)
}

// end feeds the paper out and cuts it.
func (s *sheet) end() Document {
	s.doc.Rows = append(s.doc.Rows, Cut{})
	return s.doc
}
