package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tillwright/tillwright/cmd/internal/slip"
)

const (
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
	if best := slip.Closest(name, beside); best != "" {
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
	if best := slip.Closest(s, names); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return ""
}
