package store

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// Reason is a sentence as it is kept: the key of a word and what stands in it, so that every
// owner reads it in his own language. What a till said, and what was kept before, is a
// sentence, and stays one.
type Reason string

// ReasonOf is what err says to people: in any language where it has a word, else its one
// sentence; empty for no error.
func ReasonOf(err error) Reason {
	if err == nil {
		return ""
	}
	e, ok := errors.AsType[*pos.Error](err)
	if !ok {
		return Sentence(err.Error())
	}
	key, with := e.Word()
	if key == "" {
		return Sentence(e.Msg)
	}
	return Say(key, with...)
}

// Sentence is a text that is the same in any language. A till's looks like no word of ours,
// whatever it says.
func Sentence(text string) Reason {
	if strings.HasPrefix(text, "[") {
		return Reason(" " + text)
	}
	return Reason(text)
}

// Say is the word key with the pairs of pos.Word in with.
func Say(key string, with ...string) Reason {
	b, err := json.Marshal(append([]string{key}, with...))
	if err != nil {
		panic(err) // of strings
	}
	return Reason(b)
}

// In is the sentence in a language.
func (r Reason) In(lang string) string {
	var said []string
	if !strings.HasPrefix(string(r), "[") || json.Unmarshal([]byte(r), &said) != nil || len(said) == 0 {
		return string(r)
	}
	return pos.Word(lang, said[0], said[1:]...)
}
