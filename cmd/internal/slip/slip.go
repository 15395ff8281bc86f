// Package slip finds what somebody meant who wrote a name nearly right: a setting, a model,
// a network. It guesses only where one name is clearly nearest; a wrong guess costs more
// than none.
package slip

import "strings"

// nearEnough is how many letters a slip changes, adds, drops or exchanges at most.
const nearEnough = 2

// Closest returns the one of names that s was probably meant to be, capitals aside; ""
// when none is near, or several are equally near. A name that was only begun is one step
// away.
func Closest(s string, names []string) string {
	best, least := "", nearEnough+1
	if len(s) <= 3 {
		least = nearEnough // two of three letters are another word
	}
	s = strings.ToLower(s)
	for _, name := range names {
		d, low := distance(strings.ToLower(name), s), strings.ToLower(name)
		if s == "" || name == "" {
			continue
		}
		switch {
		case len(s) > 2 && strings.HasPrefix(low, s):
			d = min(d, 1)
		case len(s) > 5 && strings.HasPrefix(low, s[:len(s)-1]): // "category" for "categories"
			d = min(d, 2)
		}
		switch {
		case d < least:
			best, least = name, d
		case d == least && name != best:
			best = ""
		}
	}
	return best
}

// distance counts the letters to change, add, drop, or exchange with their neighbour
// between a and b (Damerau and Levenshtein; what was exchanged stays as it is).
func distance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := row[j]
			if a[i] != b[j] {
				cost++
			}
			next[j+1] = min(cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
