package printertest

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Outside returns what independent encoders say, by name (testdata/outside.json, made by
// outside/outside.mjs from receipt-printer-encoder 4.0.1 and receiptline 4.0.4). skip are byte
// sequences that they add and we do not need: they are taken out.
func Outside(t testing.TB, skip ...string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "testdata", "outside.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Bytes map[string]string }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for name, digits := range file.Bytes {
		raw, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text := string(raw)
		for _, s := range skip {
			text = strings.ReplaceAll(text, s, "")
		}
		out[name] = text
	}
	return out
}

// OutsidePicture reports whether a dot of the 40 × 40 picture in outside.mjs is black.
func OutsidePicture(x, y int) bool { return x == y || x == 0 || y == 39 || x > 20 && y < 9 }
