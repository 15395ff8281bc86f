package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

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
	closed map[string]bool // parts of another kind than they should be: what is in them nobody can ask for

	faults, warnings *[]fault
}

// readFile parses the file at path. An error is a fault of the whole file.
func readFile(path string) (*reader, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no configuration %s: write it, or name yours with -config FILE", path)
	}
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
	r := &reader{file: path, tree: map[string]any{}, lines: linesOf(text), asked: map[string]bool{}, closed: map[string]bool{}, faults: &[]fault{}, warnings: &[]fault{}}
	if err := toml.Unmarshal(text, &r.tree); err != nil {
		f := fault{Key: "file", Text: err.Error()}
		if d, ok := err.(*toml.DecodeError); ok {
			f.Line, _ = d.Position()
		}
		if strings.Contains(f.Text, "at start of value") { // as of currency = EUR
			f.Text += "; put text in quotes"
		}
		return nil, &faults{path, []fault{f}}
	}
	return r, nil
}

// bad notes a fault of key.
func (r *reader) bad(key, format string, args ...any) {
	*r.faults = append(*r.faults, r.fault(key, format, args...))
}

// warn notes what is odd about a key and keeps no till from selling.
func (r *reader) warn(key, format string, args ...any) {
	*r.warnings = append(*r.warnings, r.fault(key, format, args...))
}

func (r *reader) fault(key, format string, args ...any) fault {
	full := r.prefix + key
	at := full
	for at != "" && r.lines[at] == 0 { // the line of the part that lacks it
		at = parentOf(at)
	}
	return fault{r.lines[at], full, fmt.Sprintf(format, args...)}
}

// silent reports that nothing was found wrong since there were n faults: what is
// missing must not be said of a value that was refused.
func (r *reader) silent(n int) bool { return len(*r.faults) == n }

// value returns the key's value and marks it as known.
func value[T any](r *reader, key string, otherwise T, kind string) T {
	r.asked[r.prefix+key] = true
	v, ok := r.tree[key]
	if !ok {
		return otherwise
	}
	t, ok := v.(T)
	if !ok {
		r.bad(key, "must be %s, not %v", kind, shown(v))
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
	before := len(*r.faults)
	s := strings.TrimSpace(r.text(key, ""))
	if s == "" && r.silent(before) {
		r.bad(key, "is missing; write for example %s = %q", key, example)
	}
	return s
}

// oneOf is text from a list.
func (r *reader) oneOf(key, otherwise string, list ...string) string {
	s := r.text(key, otherwise)
	if !slices.Contains(list, s) {
		list = slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
		r.bad(key, "must be one of %s, not %q%s", strings.Join(list, ", "), s, meant(s, list))
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
			r.bad(key, "must be a list of texts, and holds %v", shown(v))
			continue
		}
		out = append(out, r.plain(key, s))
	}
	return out
}

// table returns the part under key; an empty one when it is not there.
func (r *reader) table(key string) *reader {
	t, ok := r.tree[key].(map[string]any)
	if r.asked[r.prefix+key] = true; !ok && r.has(key) {
		r.closed[r.prefix+key] = true
		r.bad(key, "must be a part that begins with [%s], not %v", r.header(key), shown(r.tree[key]))
	}
	sub := *r
	sub.prefix, sub.tree = r.prefix+key+".", t
	return &sub
}

// header is what stands in the brackets of a part.
func (r *reader) header(key string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(r.prefix+key, "."), isIndex), ".")
}

// isIndex reports a number among the words of a key.
func isIndex(s string) bool { _, err := strconv.Atoi(s); return err == nil }

// shown is a value as a message repeats it.
func shown(v any) any {
	switch v.(type) {
	case []any:
		return "a list"
	case map[string]any:
		return "a part"
	}
	return v
}

// has reports that the file has the key.
func (r *reader) has(key string) bool {
	_, ok := r.tree[key]
	return ok
}

// tables returns the parts that begin with [[key]].
func (r *reader) tables(key string) []*reader {
	r.asked[r.prefix+key] = true
	list, ok := r.tree[key].([]any)
	if !ok && r.has(key) {
		r.closed[r.prefix+key] = true
		r.bad(key, "must be parts that begin with [[%s]], in two brackets: there may be several", r.header(key))
	}
	var out []*reader
	for i, v := range list {
		t, ok := v.(map[string]any)
		if !ok {
			r.bad(key, "must be parts that begin with [[%s]]", r.header(key))
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
		for _, k := range slices.Sorted(maps.Keys(tree)) {
			full := prefix + k
			if !r.asked[full] {
				*r.faults = append(*r.faults, fault{r.lines[full], full, "is not a setting of this program" + r.nearest(full)})
				continue
			}
			if r.closed[full] {
				continue
			}
			switch v := tree[k].(type) {
			case map[string]any:
				walk(full+".", v)
			case []any:
				for i, e := range v {
					if t, ok := e.(map[string]any); ok && !r.closed[fmt.Sprintf("%s.%d", full, i)] {
						walk(fmt.Sprintf("%s.%d.", full, i), t)
					}
				}
			}
		}
	}
	walk("", r.tree)
}

// warned returns all warnings, in the order of their lines.
func (r *reader) warned() []fault {
	slices.SortStableFunc(*r.warnings, func(a, b fault) int { return a.Line - b.Line })
	return *r.warnings
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
