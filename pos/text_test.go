package pos

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"testing"
)

// keysByDecoder is keysOnce said with encoding/json's own reader, slowly.
func keysByDecoder(b []byte, keys []string) (n int, ok bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return 0, false
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		key, isKey := t.(string)
		var skip json.RawMessage
		if err != nil || !isKey || seen[key] || !slices.Contains(keys, key) || d.Decode(&skip) != nil {
			return 0, false
		}
		seen[key] = true
	}
	if _, err := d.Token(); err != nil {
		return 0, false
	}
	_, err := d.Token()
	return len(seen), err == io.EOF
}

// FuzzKeysOnce holds the quick walk against the slow one, on all valid JSON.
func FuzzKeysOnce(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":1}`, `{"a":1,"a":2}`, `{"A":1}`, `{"a":{"a":[{"a":"}"}]},"b":"\"a\":"}`, `{"\u0061":1}`, `{"\u0061":1,"a":1}`, `{"a\\":1}`,
		`[]`, `[{"a":1}]`, `null`, `"a"`, ` { "b" : [ "," , "a" ] , "a" : null } `, `{"":1}`, `{"c":1}`, `{"a":"\\"}`, `{"a":["x",{"b":1},"y"],"b":2}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !json.Valid(b) {
			return
		}
		keys := []string{"a", "b", "\\", ""}
		n, err := keysOnce(b, keys)
		want, ok := keysByDecoder(b, keys)
		if (err == nil) != ok || (ok && n != want) {
			t.Errorf("%s: %d, %v, want %d, %v", b, n, err, want, ok)
		}
	})
}
