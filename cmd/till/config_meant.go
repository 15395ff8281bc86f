package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	// nearEnough is how many letters a slip changes, adds, drops or exchanges at most.
	nearEnough = 2
	// mostSiblings bounds the keys that are listed where a strange one stands.
	mostSiblings = 14
	// leastTelling is the length of a key that may belong anywhere: "url", "on".
	leastTelling = 3
)

// nearest says what was probably meant by a key that is no setting: one beside it that
// is written nearly so, one that names a file, or the same key at its right place.
func (r *reader) nearest(full string) string {
	dir := parentOf(full)
	name := strings.TrimPrefix(strings.TrimPrefix(full, dir), ".")
	var beside []string
	places := map[string]bool{}
	for key := range r.asked {
		at := parentOf(key)
		switch last := strings.TrimPrefix(strings.TrimPrefix(key, at), "."); {
		case at == dir && !r.own(key):
			beside = append(beside, last)
		case last == name:
			places[r.headerOf(at)] = true
		}
	}
	slices.Sort(beside)
	if slices.Contains(beside, name+"_file") {
		return fmt.Sprintf("; a secret belongs in a file: write %s_file = \"…\" with that file's name", name)
	}
	if best := closest(name, beside); best != "" {
		return fmt.Sprintf("; did you mean %s?", strings.TrimPrefix(dir+"."+best, "."))
	}
	if len(places) == 1 && len(name) > leastTelling {
		return "; it belongs " + slices.Collect(maps.Keys(places))[0]
	}
	if dir == "" || len(beside) == 0 || len(beside) > mostSiblings {
		return "; remove it"
	}
	return "; remove it, or write one of " + strings.Join(beside, ", ")
}

// own reports a key that is the shop's own word, such as a token with a price.
func (r *reader) own(key string) bool {
	dir := parentOf(key)
	return strings.HasSuffix(dir, ".fixed_tokens") || dir == "headless.keys"
}

// headerOf says where the keys of a part stand.
func (r *reader) headerOf(dir string) string {
	if dir == "" {
		return "at the top, above the first part"
	}
	return "under [" + strings.Join(slices.DeleteFunc(strings.Split(dir, "."), isIndex), ".") + "]"
}

// meant asks for the name that s was probably meant to be; "" when that is not clear.
func meant(s string, names []string) string {
	if best := closest(s, names); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return ""
}

// closest returns the one of names that s was probably meant to be, capitals aside; ""
// when none is near, or several are equally near. A name that was only begun is one step
// away.
func closest(s string, names []string) string {
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
