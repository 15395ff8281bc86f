package sweep

import (
	"errors"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// TestReason: what is kept is read in any language; a sentence of before, and what is none,
// stay as they are; and nothing of a cause is told.
func TestReason(t *testing.T) {
	for _, tt := range []struct {
		err      error
		en, also string // in German
	}{
		{pos.Say("x", pos.Unavailable, errors.New("10.0.0.1"), "bo_sc_why_silent", "chain", "Base [1], \"two\""), "Base [1], \"two\" does not answer; what lies there was not counted anew.", "Base [1], \"two\" antwortet nicht; was dort liegt, wurde nicht neu gezählt."},
		{pos.E("x", pos.Unavailable, "as it was"), "as it was", "as it was"},
		{errors.New("10.0.0.1: refused"), "It could not be counted; the backoffice's log says why.", "Es konnte nicht gezählt werden; das Protokoll des Backoffice sagt, warum."},
	} {
		r := reasonOf(tt.err)
		if got := r.In("en"); got != tt.en {
			t.Errorf("got %q, want %q", got, tt.en)
		}
		if got := r.In("de"); got != tt.also {
			t.Errorf("got %q, want %q", got, tt.also)
		}
	}
	for _, r := range []Reason{"", "[", "[]", "[1]", `["a"`} {
		if got := r.In("de"); got != string(r) {
			t.Errorf("%q became %q", r, got)
		}
	}
}
