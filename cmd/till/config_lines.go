package main

import (
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// linesOf finds the line of every key, "shop.name" or "tax.0.code", in inline tables too.
func linesOf(text []byte) map[string]int {
	l := liner{lines: map[string]int{}, arrays: map[string]int{}}
	l.parser.Reset(text)
	prefix := ""
	for l.parser.NextExpression() {
		switch e := l.parser.Expression(); e.Kind {
		case unstable.Table:
			parts, line := l.key(e)
			prefix = l.path(parts)
			l.note(prefix, line)
			prefix += "."
		case unstable.ArrayTable:
			parts, line := l.key(e)
			key := strings.TrimPrefix(l.path(parts[:len(parts)-1])+"."+parts[len(parts)-1], ".")
			l.note(key, line)
			prefix = fmt.Sprintf("%s.%d.", key, l.arrays[key])
			l.lines[strings.TrimSuffix(prefix, ".")] = line
			l.arrays[key]++
		case unstable.KeyValue:
			l.keyValue(prefix, e)
		}
	}
	return l.lines
}

// liner collects the lines of keys.
type liner struct {
	parser unstable.Parser
	lines  map[string]int
	arrays map[string]int // parts so far that begin with [[key]]
}

// key returns the words of an expression's key, and its line.
func (l *liner) key(e *unstable.Node) (parts []string, line int) {
	for it := e.Key(); it.Next(); {
		parts = append(parts, string(it.Node().Data))
		line = l.parser.Shape(it.Node().Raw).Start.Line
	}
	return parts, line
}

// path joins words; of parts that begin with [[…]] the newest is meant.
func (l *liner) path(parts []string) string {
	path := ""
	for _, p := range parts {
		path = strings.TrimPrefix(path+"."+p, ".")
		if n := l.arrays[path]; n > 0 {
			path = fmt.Sprintf("%s.%d", path, n-1)
		}
	}
	return path
}

// note keeps the first line of a key, and of the parts that it lies in.
func (l *liner) note(key string, line int) {
	for ; key != "" && l.lines[key] == 0; key = parentOf(key) {
		l.lines[key] = line
	}
}

func (l *liner) keyValue(prefix string, e *unstable.Node) {
	parts, line := l.key(e)
	key := prefix + strings.Join(parts, ".")
	l.note(key, line)
	l.value(key, e.Value())
}

// value goes into what stands in braces.
func (l *liner) value(key string, v *unstable.Node) {
	i := 0
	for it := v.Children(); it.Next(); i++ {
		switch c := it.Node(); {
		case v.Kind == unstable.InlineTable && c.Kind == unstable.KeyValue:
			l.keyValue(key+".", c)
		case v.Kind == unstable.Array && c.Kind == unstable.InlineTable:
			l.value(fmt.Sprintf("%s.%d", key, i), c)
		}
	}
}

// parentOf returns the part that a key lies in, "" for one of the whole file.
func parentOf(key string) string { return key[:max(strings.LastIndexByte(key, '.'), 0)] }
