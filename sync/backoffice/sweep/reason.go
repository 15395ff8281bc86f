package sweep

import (
	"encoding/json"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// Reason is why something is not known, as it is kept: the key of a word and what stands in
// it, so that every owner reads it in his own language. What was kept before is a sentence,
// and stays one.
type Reason string

// reasonOf is err's, or that of a fault which only the log explains.
func reasonOf(err error) Reason {
	e, ok := err.(*pos.Error)
	if !ok || e.Msg == "" {
		e = pos.Say("", pos.Internal, nil, "bo_sc_why_fault")
	}
	key, with := e.Word()
	if key == "" {
		return Reason(e.Msg)
	}
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
