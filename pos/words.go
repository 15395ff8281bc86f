package pos

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"io"
	"strings"
)

// packed is words.json: a small board's binary has no room for five languages at
// length. A test packs it (-update) and holds it to the file.
//
//go:embed words.json.gz
var packed []byte

var wordsJSON = func() []byte {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic("pos: words.json.gz: " + err.Error())
	}
	b, err := io.ReadAll(r)
	if err != nil {
		panic("pos: words.json.gz: " + err.Error())
	}
	return b
}()

// words maps a key to its text in each language.
var words = func() map[string]map[string]string {
	out := map[string]map[string]string{}
	if err := json.Unmarshal(wordsJSON, &out); err != nil {
		panic("pos: words.json: " + err.Error())
	}
	return out
}()

// Languages are those the catalogue of words is complete in.
var Languages = []string{"en", "es", "de", "fr", "pt"}

// WordsJSON returns the whole catalogue, {"key":{"en":"text",…},…}, for the
// screens. The caller must not change it.
func WordsJSON() []byte { return wordsJSON }

// Word returns the text of key in lang, with {name} replaced from the pairs
// name, value, … in with. A language or key that is missing falls back to English
// and then to the key itself: a screen never shows nothing.
func Word(lang, key string, with ...string) string {
	text, ok := words[key][lang]
	if !ok {
		text, ok = words[key]["en"]
	}
	if !ok {
		text = key
	}
	for i := 0; i+1 < len(with); i += 2 {
		text = strings.ReplaceAll(text, "{"+with[i]+"}", with[i+1])
	}
	return text
}

// TenderName names a tender for people: by its own word, else by network, which its
// payments carry in words ("EURC on Base"), else as the configuration has it.
func TenderName(lang string, t Tender, network string) string {
	if name := Word(lang, string(t)); name != string(t) || network == "" {
		return name
	}
	return network
}
