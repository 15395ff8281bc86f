package printer

import (
	"strings"
	"unicode"
)

// Unprintable stands for a letter that cannot be shown. It is visible on purpose:
// a name that lost a letter silently may be another name.
const Unprintable = '?'

// marksMax bounds the marks above and below one letter: Thai has two, pointed
// Hebrew and Arabic three. More is somebody's joke, and climbs over other lines.
const marksMax = 3

// Clean makes outside text safe to print. White space of any kind becomes a space,
// an accent that follows its letter joins it, what has no width (direction and
// joining marks, variation selectors, a byte order mark) goes away, and control
// characters and broken UTF-8 become Unprintable. Marks that belong to a script,
// as Thai and Arabic have, stay after their letter. The result has the cells that
// Cells counts.
func Clean(s string) string {
	out, marks := make([]rune, 0, len(s)), 0
	for _, r := range s {
		isMark := unicode.Is(unicode.Mn, r)
		switch n := len(out); {
		case unicode.IsSpace(r):
			out = append(out, ' ')
		case isMark && (n == 0 || out[n-1] == ' ' || out[n-1] == Unprintable):
		case isMark && unicode.Is(accentMarks, r):
			if marks == 0 {
				out[n-1] = compose(out[n-1], r)
			}
		case isMark && marks < marksMax:
			out = append(out, r)
			marks++
			continue
		case isMark, unicode.In(r, unicode.Cf, unicode.Me):
		case !unicode.IsPrint(r) || r == unicode.ReplacementChar:
			out = append(out, Unprintable)
		default:
			out = append(out, r)
		}
		if !isMark {
			marks = 0
		}
	}
	return string(out)
}

// accentMarks are those that Latin, Greek and Cyrillic share, and variation
// selectors: they either join their letter or go away.
var accentMarks = &unicode.RangeTable{R16: []unicode.Range16{
	{0x0300, 0x036F, 1}, {0x0483, 0x0487, 1}, {0x1AB0, 0x1AFF, 1}, {0x1DC0, 0x1DFF, 1}, {0x20D0, 0x20FF, 1}, {0xFE00, 0xFE0F, 1}, {0xFE20, 0xFE2F, 1},
}, R32: []unicode.Range32{{0xE0100, 0xE01EF, 1}}}

// Cells is how many cells of a line s takes: one a letter, two for those of East
// Asia and pictures, none for the marks on a letter.
func Cells(s string) int {
	n := 0
	for _, r := range s {
		n += RuneCells(r)
	}
	return n
}

// RuneCells is Cells of one letter: 0, 1 or 2.
func RuneCells(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.Is(unicode.Mn, r):
		return 0
	case unicode.Is(double, r):
		return 2
	}
	return 1
}

// double is what fills two cells: East Asian Wide and Fullwidth of Unicode's annex
// 11, in whole blocks.
var double = &unicode.RangeTable{R16: []unicode.Range16{
	{0x1100, 0x115F, 1}, {0x2E80, 0x303E, 1}, {0x3041, 0x33FF, 1}, {0x3400, 0x4DBF, 1}, {0x4E00, 0x9FFF, 1},
	{0xA000, 0xA4CF, 1}, {0xA960, 0xA97F, 1}, {0xAC00, 0xD7A3, 1}, {0xF900, 0xFAFF, 1}, {0xFE30, 0xFE4F, 1}, {0xFF01, 0xFF60, 1}, {0xFFE0, 0xFFE6, 1},
}, R32: []unicode.Range32{{0x16FE0, 0x1B2FF, 1}, {0x1F1E6, 0x1F1FF, 1}, {0x1F300, 0x1F64F, 1}, {0x1F680, 0x1F6FF, 1}, {0x1F900, 0x1FAFF, 1}, {0x20000, 0x3FFFD, 1}}}

// cut parts s after at most n cells, never between a letter and its marks, and
// always after one letter at least.
func cut(s string, n int) (head, tail string) {
	used := 0
	for i, r := range s {
		c := RuneCells(r)
		if used+c > n && used > 0 {
			return s[:i], s[i:]
		}
		used += c
	}
	return s, ""
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
		if line != "" && Cells(line)+1+Cells(word) > width {
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
		for Cells(line) > width { // a word longer than the line
			head, tail := cut(line, width)
			if tail == "" || strings.TrimSpace(head) == "" {
				break // one letter wider than the line
			}
			lines = append(lines, head)
			line = pad(indent) + tail
		}
	}
	return append(lines, line)
}

// pad returns n spaces, none for a negative n.
func pad(n int) string { return strings.Repeat(" ", max(n, 0)) }

// left and right fill s up to n cells; what is longer stays whole.
func left(s string, n int) string  { return s + pad(n-Cells(s)) }
func right(s string, n int) string { return pad(n-Cells(s)) + s }

func trimLeft(s string) string { return strings.TrimLeft(s, " ") }
