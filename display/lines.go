package display

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	textdisplay "periph.io/x/conn/v3/display"

	"github.com/tillwright/tillwright/pos"
)

// Lines tells the customer's picture of v at time now in rows lines of cols
// letters, for a display that shows text alone. Each line is exactly cols letters
// long. A sum is never cut: where a word and a sum do not both fit, the sum stands
// alone, and one that is longer than a line is not told at all.
func Lines(v pos.View, cols, rows int, now time.Time) []string {
	return sceneOf(v, now).lines(sheet{cols: cols, rows: rows, like: func(s string) string { return s }})
}

// sheet is a display of text.
type sheet struct {
	cols, rows int
	like       func(string) string // what text looks like on it: a code page lacks letters
}

// sheetOf asks a display what it is. One that cannot show each letter may have a
// method Likeness(string) string that returns what it shows instead: the layout
// counts those.
func sheetOf(t textdisplay.TextDisplay) sheet {
	sh := sheet{cols: max(t.Cols(), 1), rows: max(t.Rows(), 1), like: func(s string) string { return s }}
	if l, ok := t.(interface{ Likeness(string) string }); ok {
		sh.like = l.Likeness
	}
	return sh
}

// lines lays the scene out as text.
func (s scene) lines(sh sheet) []string {
	lang, c := s.shop.Language, s.customer
	word := func(key string) string { return pos.Word(lang, key) }
	sum := func(a pos.Amount) string { return money(lang, a) }
	switch c.Phase {
	case pos.PhaseBasket:
		if n := len(c.Lines); n > 0 && sh.rows > 1 {
			return sh.page(sh.pair(sh.readable(c.Lines[n-1].Name), sum(c.Lines[n-1].Total)), sh.pair(word("total"), sum(c.Total)))
		}
		return sh.page(sh.pair(word("total"), sum(c.Total)))
	case pos.PhaseDue:
		if s.runs() && s.left <= 0 {
			return sh.page(sh.wrap(word("checking"))...)
		}
		if s.asksToken() {
			return s.tokenLines(sh, word)
		}
		how := c.Network
		if c.Tender == pos.Cash {
			how = word("cash")
		}
		return sh.page(sh.pair(word("to_pay"), sum(s.owed())), sh.pair(how, s.clock()))
	case pos.PhaseArriving:
		return sh.page(sh.wrap(word("arriving"))...)
	case pos.PhaseChecking:
		return sh.page(sh.wrap(word(s.checking()))...)
	case pos.PhasePaid:
		return sh.page(sh.pair(word("paid"), sum(c.Total)), sh.centre(word("thank_you")))
	case pos.PhaseChange:
		if sh.rows > 1 {
			return sh.page(sh.pair(word("given"), sum(c.Given)), sh.pair(word("change"), sum(c.Change)))
		}
		return sh.page(sh.pair(word("change"), sum(c.Change)))
	case pos.PhaseRefused:
		why := word("refused")
		if text := word(c.Reason); c.Reason != "" && text != c.Reason {
			why = text
		}
		return sh.page(sh.wrap(why)...)
	default:
		if name := sh.readable(s.shop.Name); name != "" {
			return sh.page(sh.centre(name), sh.centre(word("welcome")))
		}
		return sh.page(sh.centre(word("welcome")))
	}
}

// clock is what is left of the time to pay, empty without an end.
func (s scene) clock() string {
	if s.whole == 0 {
		return ""
	}
	return clock(s.left)
}

// page fills up or cuts to the display's rows, each exactly as long as it is.
func (sh sheet) page(rows ...string) []string {
	out := make([]string, sh.rows)
	for i := range out {
		if i < len(rows) {
			out[i] = rows[i]
		}
		out[i] = fmt.Sprintf("%-*s", sh.cols, sh.cut(out[i], sh.cols))
	}
	return out
}

// plain makes text one line of what the display has, and letters that count as one.
func (sh sheet) plain(s string) string {
	return sh.like(strings.Join(strings.Fields(strings.ReplaceAll(s, space, " ")), " "))
}

// readable returns what the display has of a name; nothing if it has no letter of it: a row
// of question marks tells nobody anything.
func (sh sheet) readable(name string) string {
	if name = sh.plain(name); strings.Trim(name, "? ") == "" {
		return ""
	}
	return name
}

// cut shortens to n letters.
func (sh sheet) cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(n, 0)])
}

// pair sets a word at the left and a sum at the right of a line.
func (sh sheet) pair(word, sum string) string {
	word, sum = sh.plain(word), sh.plain(sum)
	free := sh.cols - utf8.RuneCountInString(sum)
	if free < 0 { // the last digits tell a cent from a million: none may go unseen
		sum, free = "--", sh.cols-2
	}
	if sum != "" {
		free--
	}
	if n := utf8.RuneCountInString(word); n > free && free < minWord {
		word = ""
	}
	word = sh.cut(word, max(free, 0))
	return word + strings.Repeat(" ", max(sh.cols-utf8.RuneCountInString(word)-utf8.RuneCountInString(sum), 0)) + sum
}

// minWord is how many letters of a word tell something.
const minWord = 3

// centre sets a line in the middle.
func (sh sheet) centre(s string) string {
	s = sh.cut(sh.plain(s), sh.cols)
	return strings.Repeat(" ", (sh.cols-utf8.RuneCountInString(s))/2) + s
}

// wrap breaks what has happened into lines, and leaves out what to do about it.
func (sh sheet) wrap(s string) []string {
	words := strings.Fields(sh.plain(strings.TrimSuffix(firstSentence(s), ".")))
	var rows []string
	row := ""
	for _, w := range words {
		longer := strings.TrimSpace(row + " " + w)
		if row != "" && utf8.RuneCountInString(longer) > sh.cols {
			rows, row = append(rows, sh.centre(row)), w
			continue
		}
		row = longer
	}
	return append(rows, sh.centre(row))
}

// tell brings what is to be shown to a text display: within a scene the lines that
// changed, and all of them with a new one. No display of text answers, so one that lost
// its power for a moment shows nothing, or half: until the next scene at most. One
// that may have a method Restart() error is started anew, too, while nobody pays:
// what it forgot beside its text is its code page.
func (s *screen) tell(st stage, now moment) error {
	if s.moment != now {
		s.lines = nil
		if r, ok := s.text.(interface{ Restart() error }); ok && st.customer.Phase == pos.PhaseIdle {
			if err := guarded(r.Restart); err != nil {
				return fmt.Errorf("start: %w", err)
			}
		}
	}
	s.moment = now
	return s.write(st.lines(sheetOf(s.text)))
}

// write brings the lines that changed to a text display.
func (s *screen) write(lines []string) error {
	old := s.lines
	s.lines = nil // what it shows after a failure is not known
	for i, line := range lines {
		if i < len(old) && old[i] == line {
			continue
		}
		err := guarded(func() error {
			if err := s.text.MoveTo(s.text.MinRow()+i, s.text.MinCol()); err != nil {
				return err
			}
			_, err := s.text.WriteString(line)
			return err
		})
		if err != nil {
			return fmt.Errorf("write line %d: %w", i+1, err)
		}
	}
	s.lines = lines
	return nil
}

// empty clears a text display, and gives it back if it can be.
func (s *screen) empty() error {
	err := s.text.Clear()
	if h, ok := s.text.(interface{ Halt() error }); ok {
		if herr := h.Halt(); err == nil {
			err = herr
		}
	}
	return err
}
