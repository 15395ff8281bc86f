package printer

import (
	"strings"
	"unicode"
)

// Unprintable stands for a letter that cannot be shown. It is visible on purpose:
// a name that lost a letter silently may be another name.
const Unprintable = '?'

// Clean makes outside text safe to print, one cell a letter. White space of any
// kind becomes a space, an accent that follows its letter joins it, what has no
// width (direction and joining marks, variation selectors, a byte order mark) goes
// away, and control characters and broken UTF-8 become Unprintable.
func Clean(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			out = append(out, ' ')
		case unicode.Is(unicode.Mn, r):
			if n := len(out); n > 0 {
				out[n-1] = compose(out[n-1], r)
			}
		case unicode.In(r, unicode.Cf, unicode.Me):
		case !unicode.IsPrint(r) || r == unicode.ReplacementChar:
			out = append(out, Unprintable)
		default:
			out = append(out, r)
		}
	}
	return string(out)
}

// accents lists, for each mark, letters without and with it, in pairs.
var accents = map[rune]string{
	0x300: "AÀEÈIÌOÒUÙaàeèiìoòuù",
	0x301: "AÁEÉIÍOÓUÚYÝaáeéiíoóuúyýCĆcćNŃnńSŚsśZŹzź",
	0x302: "AÂEÊIÎOÔUÛaâeêiîoôuû",
	0x303: "AÃNÑOÕaãnñoõ",
	0x308: "AÄEËIÏOÖUÜaäeëiïoöuüyÿ",
	0x30A: "AÅaåUŮuů",
	0x30C: "CČcčSŠsšZŽzžRŘrřEĚeěNŇnňDĎTŤ",
	0x327: "CÇcçSŞsşTŢtţ",
	0x328: "AĄaąEĘeę",
}

// compose joins a letter and the mark that follows it. A mark that it does not
// know is left off: the letter remains readable.
func compose(letter, mark rune) rune {
	pairs := []rune(accents[mark])
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] == letter {
			return pairs[i+1]
		}
	}
	return letter
}

// wrap breaks clean text into lines of at most width cells, at spaces where it
// can; every line but the first is indented. It always returns a line.
func wrap(s string, width, indent int) []string {
	indent = min(indent, width/2)
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && cells(line)+1+cells(word) > width {
			lines = append(lines, line)
			line = ""
		}
		switch {
		case strings.TrimSpace(line) != "":
			line += " " + word
		case len(lines) > 0:
			line = pad(indent) + word
		default:
			line = word
		}
		for cells(line) > width { // a word longer than the line
			runes := []rune(line)
			lines = append(lines, string(runes[:width]))
			line = pad(indent) + string(runes[width:])
		}
	}
	return append(lines, line)
}

// pad returns n spaces, none for a negative n.
func pad(n int) string { return strings.Repeat(" ", max(n, 0)) }

// left and right fill s up to n cells; what is longer stays whole.
func left(s string, n int) string  { return s + pad(n-cells(s)) }
func right(s string, n int) string { return pad(n-cells(s)) + s }

func trimLeft(s string) string { return strings.TrimLeft(s, " ") }
