package pos

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"strings"
	"testing"
)

// TestWordsAreComplete holds the catalogue to its promise: every key has a text
// in every language, and the same {names} in each.
func TestWordsAreComplete(t *testing.T) {
	for key, texts := range words {
		for _, lang := range Languages {
			if texts[lang] == "" {
				t.Errorf("%s has no text in %s", key, lang)
			}
			if got, want := strings.Count(texts[lang], "{"), strings.Count(texts["en"], "{"); got != want {
				t.Errorf("%s in %s has %d names, English has %d", key, lang, got, want)
			}
		}
		if len(texts) != len(Languages) {
			t.Errorf("%s has %d languages, want %d", key, len(texts), len(Languages))
		}
	}
}

func TestWord(t *testing.T) {
	if got := Word("de", "copy", "n", "2"); got != "KOPIE 2" {
		t.Errorf("got %q", got)
	}
	if got := Word("xx", "paid"); got != "PAID" {
		t.Errorf("unknown language: got %q", got)
	}
	if got := Word("en", "no such key"); got != "no such key" {
		t.Errorf("unknown key: got %q", got)
	}
}

// TestPacked holds what is built in to words.json.
func TestPacked(t *testing.T) {
	want, err := os.ReadFile("words.json")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		var b bytes.Buffer
		w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Write(want)
		if err := errors.Join(err, w.Close(), os.WriteFile("words.json.gz", b.Bytes(), 0o644)); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(wordsJSON, want) {
		t.Error("words.json was changed; run: go test ./pos -run TestPacked -update")
	}
}
