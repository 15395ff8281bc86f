package pos

import (
	"errors"
	"testing"
)

// TestSay: a sentence is English in the log and the shop's own on its screens; one
// without a word stays what it is.
func TestSay(t *testing.T) {
	cause := errors.New("EIO")
	e := Say("open display", Unavailable, cause, "display_missing", "name", "/dev/fb0")
	if want := "open display: there is no display at /dev/fb0: check its plug: EIO"; e.Error() != want || !errors.Is(e, cause) || KindOf(e) != Unavailable {
		t.Errorf("got %q, want %q", e, want)
	}
	for lang, want := range map[string]string{"en": e.Msg, "de": "an /dev/fb0 ist keine Anzeige: Stecker prüfen", "xx": e.Msg} {
		if got := e.In(lang); got != want {
			t.Errorf("%s: got %q, want %q", lang, got, want)
		}
	}
	if got := E("draw", Invalid, "100%% of it").In("de"); got != "100% of it" {
		t.Errorf("without a word: %q", got)
	}
}
