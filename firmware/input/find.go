package input

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

const (
	sysInput = "class/input"
	maxName  = 64  // letters of a device's name: USB allows 126, people read fewer
	maxAttr  = 512 // bytes of a file in /sys; the keys of a board take 200
)

// Find returns the event devices of a tree like /sys, by their numbers. Nothing is
// opened: a device is not disturbed. A board without any is no error.
func Find(sys fs.FS) ([]Found, error) {
	list, err := fs.ReadDir(sys, sysInput)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []Found
	for _, e := range list {
		n, isEvent := strings.CutPrefix(e.Name(), "event")
		if _, err := strconv.ParseUint(n, 10, 16); isEvent && err == nil && len(out) < maxFound {
			out = append(out, foundAt(sys, e.Name()))
		}
	}
	slices.SortFunc(out, func(a, b Found) int {
		if len(a.Path) != len(b.Path) {
			return len(a.Path) - len(b.Path) // event2 before event10
		}
		return strings.Compare(a.Path, b.Path)
	})
	return out, nil
}

func foundAt(sys fs.FS, event string) Found {
	at := path.Join(sysInput, event, "device")
	keys := attr(sys, at, "capabilities/key")
	return Found{
		Path: "/dev/input/" + event, Name: plainText(attr(sys, at, "name")),
		ID:      ID{hex16(attr(sys, at, "id/vendor")), hex16(attr(sys, at, "id/product"))},
		Digits:  all(keys, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11) || all(keys, 71, 72, 73, 75, 76, 77, 79, 80, 81, 82),
		Letters: all(keys, 16, 30, 44, 50),
	}
}

// attr reads a small file; "" when there is none.
func attr(sys fs.FS, at, name string) string {
	file, err := sys.Open(path.Join(at, name))
	if err != nil {
		return ""
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxAttr))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func hex16(s string) uint16 {
	n, err := strconv.ParseUint(s, 16, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// plainText keeps of a device's word of itself what can be shown on one line.
func plainText(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s))
	if r := []rune(s); len(r) > maxName {
		return string(r[:maxName])
	}
	return s
}

// all reports that a set of keys, as the kernel prints it, holds codes: words of a long
// in hexadecimal, the highest first. A long is as wide as this program's: the kernel
// prints 32 bits a word for programs of 32 bits (input_bits_to_string).
func all(keys string, codes ...uint16) bool {
	words := strings.Fields(keys)
	slices.Reverse(words)
	for _, c := range codes {
		i := int(c) / strconv.IntSize
		if i >= len(words) {
			return false
		}
		w, err := strconv.ParseUint(words[i], 16, 64)
		if err != nil || w>>(c%strconv.IntSize)&1 == 0 {
			return false
		}
	}
	return true
}
