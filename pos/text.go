package pos

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"
)

// IsPlain reports that s can be shown and printed as it is: valid UTF-8 without
// control characters, line or paragraph separators, and the marks that turn the
// direction of text around. A printer takes control characters for commands, and
// turned text shows another price than it holds.
func IsPlain(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) || unicode.Is(unicode.Bidi_Control, r) {
			return false
		}
	}
	return true
}

// decodeStrict decodes one flat JSON object into v: every one of keys once, as it
// is spelled, and no other. encoding/json alone takes odd-case keys for the
// right ones, and the last of two: a second price could hide behind the first.
func decodeStrict(b []byte, v any, keys []string) error {
	if err := json.Unmarshal(b, v); err != nil {
		return err
	}
	n, err := keysOnce(b, keys)
	if err == nil && n != len(keys) {
		err = fmt.Errorf("%d of %d keys", n, len(keys))
	}
	return err
}

// keysOnce checks that b, which must be valid JSON, is an object with some of
// keys, each at most once. It returns how many there are. It looks at brackets and
// strings alone: a record's body need not be decoded for it.
func keysOnce(b []byte, keys []string) (n int, err error) {
	if b = bytes.TrimLeft(b, " \t\r\n"); len(b) == 0 || b[0] != '{' {
		return 0, errors.New("no object")
	}
	seen := make([]bool, len(keys))
	depth, keyNext := 0, false
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			depth++
			keyNext = depth == 1
		case '}', ']':
			depth--
		case ',':
			keyNext = depth == 1
		case '"':
			end := stringEnd(b, i)
			if keyNext {
				k := keyIndex(b[i:end], keys)
				if k < 0 || seen[k] {
					return 0, fmt.Errorf("key %.40s is unknown or there twice", b[i:end])
				}
				seen[k], keyNext, n = true, false, n+1
			}
			i = end - 1
		}
	}
	return n, nil
}

// stringEnd returns the index after the string that begins at b[i].
func stringEnd(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// keyIndex returns which of keys a quoted string spells, or -1.
func keyIndex(quoted []byte, keys []string) int {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return slices.Index(keys, string(quoted[1:len(quoted)-1]))
	}
	var key string
	if json.Unmarshal(quoted, &key) != nil {
		return -1
	}
	return slices.Index(keys, key)
}
