package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/tillwright/tillwright/pos"
)

// fault is one thing wrong with a file, and what to do about it.
type fault struct {
	Line int // of the key, or of the part that lacks it; 0 when the file does
	Key  string
	Text string
}

func (f fault) String() string {
	if f.Line == 0 {
		return fmt.Sprintf("%s: %s", f.Key, f.Text)
	}
	return fmt.Sprintf("line %d: %s: %s", f.Line, f.Key, f.Text)
}

// faults is every fault of a file at once.
type faults struct {
	File string
	List []fault
}

// Error lists all faults, one a line.
func (f *faults) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s has %d fault(s):", f.File, len(f.List))
	for _, x := range f.List {
		b.WriteString("\n  " + x.String())
	}
	return b.String()
}

// maxConfig bounds a file: a catalogue of 5,000 items is about 600 KB.
const maxConfig = 4 << 20

// reader takes a TOML file apart key by key, and remembers what was wrong and
// which keys nobody asked for. All faults are told at once.
type reader struct {
	file   string
	prefix string // "shop."
	tree   map[string]any
	lines  map[string]int
	asked  map[string]bool
	faults *[]fault
}

// readFile parses the file at path. An error is a fault of the whole file.
func readFile(path string) (*reader, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxConfig+1)) // a device has no size to ask for
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if len(text) > maxConfig {
		return nil, fmt.Errorf("%s has more than %d bytes: that is no configuration", path, maxConfig)
	}
	r := &reader{file: path, tree: map[string]any{}, lines: linesOf(text), asked: map[string]bool{}, faults: &[]fault{}}
	if err := toml.Unmarshal(text, &r.tree); err != nil {
		f := fault{Key: "file", Text: err.Error()}
		if d, ok := err.(*toml.DecodeError); ok {
			f.Line, _ = d.Position()
		}
		return nil, &faults{path, []fault{f}}
	}
	return r, nil
}

// linesOf finds the line of every key, "shop.name" or "tax.0.code".
func linesOf(text []byte) map[string]int {
	lines, prefix, arrays := map[string]int{}, "", map[string]int{}
	var p unstable.Parser
	p.Reset(text)
	for p.NextExpression() {
		e := p.Expression()
		var parts []string
		line := 0
		for it := e.Key(); it.Next(); {
			parts = append(parts, string(it.Node().Data))
			line = p.Shape(it.Node().Raw).Start.Line
		}
		key := strings.Join(parts, ".")
		switch e.Kind {
		case unstable.Table:
			prefix = key + "."
			lines[key] = line
		case unstable.ArrayTable:
			n := arrays[key]
			if arrays[key]++; n == 0 {
				lines[key] = line
			}
			prefix = fmt.Sprintf("%s.%d.", key, n)
			lines[strings.TrimSuffix(prefix, ".")] = line
		case unstable.KeyValue:
			lines[prefix+key] = line
		}
	}
	return lines
}

// bad notes a fault of key.
func (r *reader) bad(key, format string, args ...any) {
	full := r.prefix + key
	line, ok := r.lines[full]
	if !ok {
		line = r.lines[strings.TrimSuffix(r.prefix, ".")] // of the part that lacks it
	}
	*r.faults = append(*r.faults, fault{line, full, fmt.Sprintf(format, args...)})
}

// value returns the key's value and marks it as known.
func value[T any](r *reader, key string, otherwise T, kind string) T {
	r.asked[r.prefix+key] = true
	v, ok := r.tree[key]
	if !ok {
		return otherwise
	}
	t, ok := v.(T)
	if !ok {
		r.bad(key, "must be %s, not %v", kind, v)
		return otherwise
	}
	return t
}

func (r *reader) text(key, otherwise string) string {
	return r.plain(key, value(r, key, otherwise, `a text in quotes`))
}

// plain refuses what a printer would obey and what shows something else than it
// says: most texts of a configuration end up on paper.
func (r *reader) plain(key, s string) string {
	if !pos.IsPlain(s) {
		r.bad(key, "must be one line of plain text, without control characters")
		return ""
	}
	return s
}

func (r *reader) yes(key string) bool { return value(r, key, false, "true or false") }

func (r *reader) number(key string, otherwise, least, most int64) int64 {
	n := value(r, key, otherwise, "a whole number")
	if n < least || n > most {
		r.bad(key, "must be from %d to %d, not %d", least, most, n)
		return otherwise
	}
	return n
}

// need is text that must be there.
func (r *reader) need(key, example string) string {
	s := strings.TrimSpace(r.text(key, ""))
	if s == "" {
		r.bad(key, "is missing; write for example %s = %q", key, example)
	}
	return s
}

// oneOf is text from a list.
func (r *reader) oneOf(key, otherwise string, list ...string) string {
	s := r.text(key, otherwise)
	if !slices.Contains(list, s) {
		r.bad(key, "must be one of %s, not %q", strings.Join(slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" }), ", "), s)
		return otherwise
	}
	return s
}

func (r *reader) duration(key string, otherwise, least, most time.Duration) time.Duration {
	s := r.text(key, otherwise.String())
	d, err := time.ParseDuration(s)
	if err != nil || d < least || d > most {
		r.bad(key, `must be a time from %s to %s such as "5m", not %q`, least, most, s)
		return otherwise
	}
	return d
}

// path is a file's name; a relative one counts from the configuration's folder.
func (r *reader) path(key, otherwise string) string {
	return r.place(r.text(key, otherwise))
}

func (r *reader) place(s string) string {
	if s == "" || filepath.IsAbs(s) {
		return s
	}
	return filepath.Join(filepath.Dir(r.file), s)
}

// paths is a list of files' names; see path.
func (r *reader) paths(key string) []string {
	list := r.texts(key)
	for i, s := range list {
		list[i] = r.place(s)
	}
	return list
}

func (r *reader) texts(key string) []string {
	var out []string
	for _, v := range value(r, key, []any(nil), "a list of texts") {
		s, ok := v.(string)
		if !ok {
			r.bad(key, "must be a list of texts, and holds %v", v)
			continue
		}
		out = append(out, r.plain(key, s))
	}
	return out
}

// table returns the part under key; an empty one when it is not there.
func (r *reader) table(key string) *reader {
	t := value(r, key, map[string]any{}, "a part that begins with ["+key+"]")
	sub := *r
	sub.prefix, sub.tree = r.prefix+key+".", t
	return &sub
}

// has reports that the file has the key.
func (r *reader) has(key string) bool {
	_, ok := r.tree[key]
	return ok
}

// tables returns the parts that begin with [[key]].
func (r *reader) tables(key string) []*reader {
	var out []*reader
	for i, v := range value(r, key, []any(nil), "parts that begin with [["+key+"]]") {
		t, ok := v.(map[string]any)
		if !ok {
			r.bad(key, "must be parts that begin with [[%s]]", key)
			continue
		}
		sub := *r
		sub.prefix, sub.tree = fmt.Sprintf("%s%s.%d.", r.prefix, key, i), t
		out = append(out, &sub)
	}
	return out
}

// unknown notes every key that nobody asked for. A slip in a key must not pass as
// a default.
func (r *reader) unknown() {
	var walk func(prefix string, tree map[string]any)
	walk = func(prefix string, tree map[string]any) {
		for k, v := range tree {
			full := prefix + k
			if !r.asked[full] {
				*r.faults = append(*r.faults, fault{r.lines[full], full, "is not a setting of this program" + r.nearest(full)})
				continue
			}
			switch v := v.(type) {
			case map[string]any:
				walk(full+".", v)
			case []any:
				for i, e := range v {
					if t, ok := e.(map[string]any); ok {
						walk(fmt.Sprintf("%s.%d.", full, i), t)
					}
				}
			}
		}
	}
	walk("", r.tree)
}

// nearest suggests the known key that was probably meant.
func (r *reader) nearest(key string) string {
	best := closest(key, slices.Sorted(maps.Keys(r.asked)))
	if best == "" {
		return "; remove it"
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// closest returns the one of names that s was probably meant to be, the first of
// those that are equally near; "" when none is near. A name that was only begun is
// one step away.
func closest(s string, names []string) string {
	best, least := "", 4
	for _, name := range names {
		d := distance(name, s)
		if len(s) > 2 && strings.HasPrefix(name, s) {
			d = min(d, 1)
		}
		if d < least {
			best, least = name, d
		}
	}
	return best
}

// distance counts the letters to change, add or drop between a and b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// err returns all faults, in the order of their lines, or nil.
func (r *reader) err() error {
	r.unknown()
	if len(*r.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(*r.faults, func(a, b fault) int { return a.Line - b.Line })
	return &faults{r.file, *r.faults}
}
