// Package pages chooses the code page in which a printer prints a line.
package pages

import (
	"strconv"
	"strings"

	"github.com/tillwright/tillwright/printer"
)

// Page is a code page and the number by which a printer selects it.
type Page struct {
	N       byte
	Letters *printer.CodePage
}

// Native returns text in the bytes of one of pages, in the present one if it will do,
// else in the first that has every letter. A line of ASCII needs none and stays in
// now. ok is false when no page has all of it.
func Native(pages []Page, text string, now byte) (page byte, out string, ok bool) {
	if b, ok := encode(text, nil); ok {
		return now, b, true
	}
	for _, stay := range []bool{true, false} {
		for _, pg := range pages {
			if stay && pg.N != now {
				continue
			}
			if b, ok := encode(text, pg.Letters); ok {
				return pg.N, b, true
			}
		}
	}
	return 0, "", false
}

// Known returns whether some page has r.
func Known(pages []Page) func(r rune) bool {
	return func(r rune) bool {
		if r >= 0x20 && r < 0x7F {
			return true
		}
		for _, pg := range pages {
			if _, ok := pg.Letters.Byte(r); ok {
				return true
			}
		}
		return false
	}
}

func encode(text string, letters *printer.CodePage) (string, bool) {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		switch {
		case r >= 0x20 && r < 0x7F:
			out = append(out, byte(r))
		case letters == nil:
			return "", false
		default:
			b, ok := letters.Byte(r)
			if !ok {
				return "", false
			}
			out = append(out, b)
		}
	}
	return string(out), true
}

var byName = func() map[string]*printer.CodePage {
	m := map[string]*printer.CodePage{}
	for _, p := range []*printer.CodePage{
		printer.CP437, printer.CP850, printer.CP852, printer.CP858, printer.CP860, printer.CP863, printer.CP865, printer.CP866,
		printer.CP1250, printer.CP1251, printer.CP1252, printer.CP1253, printer.CP1254, printer.CP1257,
	} {
		m[strings.TrimPrefix(p.Name, "CP")] = p
	}
	return m
}()

// Set reads a list such as "0=437 19=858": what a maker's table says. It panics on one
// that it cannot read: lists are written in code.
func Set(list string) []Page {
	var out []Page
	for _, entry := range strings.Fields(list) {
		n, name, _ := strings.Cut(entry, "=")
		v, err := strconv.ParseUint(n, 10, 8)
		if err != nil || byName[name] == nil {
			panic("pages: " + entry + " is no code page")
		}
		out = append(out, Page{byte(v), byName[name]})
	}
	return out
}

// Map returns pages by their numbers, as the printer made of code wants them.
func Map(list []Page) map[byte]*printer.CodePage {
	m := map[byte]*printer.CodePage{}
	for _, p := range list {
		m[p.N] = p.Letters
	}
	return m
}
