package shape

import (
	"slices"
	"unicode"
)

// direction is what a letter says about the way the line runs.
type direction uint8

const (
	neutral direction = iota // spaces, punctuation
	ltr
	rtl
	number
)

func directionOf(r rune) direction {
	switch {
	case r >= '0' && r <= '9', r >= 0x660 && r <= 0x669, r >= 0x6F0 && r <= 0x6F9:
		return number
	case unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko) && unicode.In(r, unicode.L, unicode.M):
		return rtl
	case unicode.IsLetter(r), unicode.Is(unicode.Mc, r):
		return ltr
	}
	return neutral
}

// Run is a piece of a line that is written in one direction, in logical order.
type Run struct {
	Text []rune
	RTL  bool
}

// Visual returns the runs of a line from left to right. The line runs from right to
// left when its first letter does; then numbers and Latin words within it still run
// from left to right (Unicode annex 9, without embedding marks, which are not there).
func Visual(text []rune) []Run {
	levels := levelsOf(text)
	var runs []Run
	var at []uint8
	for i, r := range text {
		if n := len(runs); n > 0 && at[n-1] == levels[i] {
			runs[n-1].Text = append(runs[n-1].Text, r)
			continue
		}
		runs, at = append(runs, Run{[]rune{r}, levels[i]%2 == 1}), append(at, levels[i])
	}
	// Rule L2 on whole runs: from the highest level down to the lowest odd one, turn
	// round what is at it or above.
	for level := uint8(2); level > 0; level-- {
		for i := 0; i < len(runs); {
			j := i
			for j < len(runs) && at[j] >= level {
				j++
			}
			slices.Reverse(runs[i:j])
			slices.Reverse(at[i:j])
			i = max(j, i+1)
		}
	}
	return runs
}

// levelsOf returns the level of each letter; an odd one is from right to left.
func levelsOf(text []rune) []uint8 {
	dirs, base := resolve(text), uint8(0)
	first := slices.IndexFunc(text, func(r rune) bool { return directionOf(r) != neutral })
	if first >= 0 && directionOf(text[first]) == rtl {
		base = 1
	}
	levels := make([]uint8, len(text))
	for i, d := range dirs {
		switch {
		case d == rtl:
			levels[i] = 1
		case d == number:
			levels[i] = 2
		case d == ltr:
			levels[i] = 2 * base
		default:
			levels[i] = base
		}
	}
	return levels
}

// resolve gives numbers and what is neutral a direction from their neighbours: a
// number after Latin is Latin, a sign within or beside a number belongs to it,
// anything else between two of a kind is of that kind.
func resolve(text []rune) []direction {
	dirs := make([]direction, len(text))
	last := ltr
	for i, r := range text {
		dirs[i] = directionOf(r)
		switch {
		case unicode.Is(unicode.Mn, r) && i > 0:
			dirs[i] = dirs[i-1]
		case dirs[i] == number && last == ltr:
			dirs[i] = ltr
		}
		if dirs[i] == ltr || dirs[i] == rtl {
			last = dirs[i]
		}
	}
	for i, r := range text {
		if dirs[i] != neutral {
			continue
		}
		before, after := i > 0 && dirs[i-1] == number, i+1 < len(text) && dirs[i+1] == number
		switch r {
		case '.', ',', ':', '/', '-', '+':
			if before && after {
				dirs[i] = number
			}
		case '%', '€', '$', '£', '#', '°':
			if before || after {
				dirs[i] = number
			}
		}
	}
	pairs(text, dirs)
	between(dirs)
	return dirs
}

// pairs gives both brackets around letters from right to left, after such letters, their
// direction (rule N0): else the last one would stand at the wrong end.
func pairs(text []rune, dirs []direction) {
	var open []int
	for i, r := range text {
		switch r {
		case '(', '[', '{', '«':
			open = append(open, i)
		case ')', ']', '}', '»':
			if len(open) == 0 {
				continue
			}
			from := open[len(open)-1]
			open = open[:len(open)-1]
			if mirrored[text[from]] != r || slices.Contains(dirs[from:i], ltr) || !slices.Contains(dirs[from:i], rtl) {
				continue
			}
			if strongBefore(dirs[:from]) == rtl {
				dirs[from], dirs[i] = rtl, rtl
			}
		}
	}
}

// strongBefore is the direction of the last letter; none counts as from left to right.
func strongBefore(dirs []direction) direction {
	for i := len(dirs) - 1; i >= 0; i-- {
		if dirs[i] == ltr || dirs[i] == rtl {
			return dirs[i]
		}
	}
	return ltr
}

// between fills neutrals that stand between letters of one direction; a number counts
// as one from right to left there. What is left takes the line's own direction.
func between(dirs []direction) {
	side := func(d direction) direction {
		if d == number {
			return rtl
		}
		return d
	}
	for i := 0; i < len(dirs); i++ {
		if dirs[i] != neutral {
			continue
		}
		j := i
		for j < len(dirs) && dirs[j] == neutral {
			j++
		}
		if i > 0 && j < len(dirs) && side(dirs[i-1]) == side(dirs[j]) {
			for k := i; k < j; k++ {
				dirs[k] = side(dirs[j])
			}
		}
		i = j - 1
	}
}

// Mirror returns the sign that stands for r in a line from right to left: brackets
// turn round.
func Mirror(r rune) rune {
	if m, ok := mirrored[r]; ok {
		return m
	}
	return r
}

// mirrored are signs that turn round in a line from right to left.
var mirrored = map[rune]rune{'(': ')', ')': '(', '[': ']', ']': '[', '<': '>', '>': '<', '{': '}', '}': '{', '«': '»', '»': '«'}
