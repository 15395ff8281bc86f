package pos

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("no object")
	}
	seen := 0
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		i := slices.Index(keys, fmt.Sprint(t))
		if i < 0 || seen&(1<<i) != 0 {
			return fmt.Errorf("key %q is unknown or there twice", clip(fmt.Sprint(t)))
		}
		seen |= 1 << i
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return err
		}
	}
	if seen != 1<<len(keys)-1 {
		return fmt.Errorf("%d of %d keys", seen, len(keys))
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more after the object")
	}
	return json.Unmarshal(b, v)
}
