package display

import (
	"strings"
	"time"
	"unicode/utf8"

	textdisplay "periph.io/x/conn/v3/display"

	"github.com/tillwright/tillwright/pos"
)

// CounterLines tells what a display of text shows of v and the cashier's prompt p; see
// Lines and Glass.Counter.
func CounterLines(v pos.View, p pos.Prompt, shows Shows, cols, rows int, now time.Time) []string {
	return stage{sceneOf(v, now), p, shows}.lines(sheet{cols: cols, rows: rows, like: func(s string) string { return s }})
}

// CounterLinesOn tells the same of t, which is asked for its size and what it shows instead
// of letters that it lacks, as a running Display lays its lines out. Nothing is written.
func CounterLinesOn(t textdisplay.TextDisplay, v pos.View, p pos.Prompt, shows Shows, now time.Time) []string {
	return stage{sceneOf(v, now), p, shows}.lines(sheetOf(t))
}

// lines lays the stage out as text.
func (s stage) lines(sh sheet) []string {
	if s.yields() {
		return s.scene.lines(sh)
	}
	p := s.prompt
	if p.Trouble != "" {
		rows := sh.wrap(p.Trouble)
		if keys := briefKeys(p.Keys, sh.cols); len(p.Keys) == 1 && len(rows) < sh.rows {
			rows = append(rows, sh.centre(keys)) // what the question is answered with
		}
		return sh.page(rows...)
	}
	list := facts(s.shop.Language, p)
	if p.Kind == pos.PromptPay && p.Typed.IsZero() {
		if keys := briefKeys(p.Keys, sh.cols); keys != "" {
			list = append(list, fact{word: keys})
		}
	}
	if p.Kind == pos.PromptSetUp && len(p.Rows) > 0 {
		return sh.page(sh.setUp(p.Rows[0].Label, p.Typed.Text)...)
	}
	var rows []string
	for _, f := range list {
		rows = append(rows, sh.pair(f.word, f.value))
	}
	return sh.page(rows...)
}

// setUp is an address and a code. An address that is longer than a line goes on in
// the next one, before the code.
func (sh sheet) setUp(address, code string) []string {
	host, page, ok := strings.Cut(address, "/")
	if utf8.RuneCountInString(address) <= sh.cols || !ok {
		return []string{sh.centre(address), sh.centre(code)}
	}
	return []string{sh.centre(host), sh.centre("/" + page + " " + code)}
}
