package offline

import (
	"slices"
	"strconv"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

func FuzzLanguage(f *testing.F) {
	for _, s := range []string{"", "de", "de-AT,de;q=0.9,en;q=0.8", "*", ";q=", ",,,", "pt;q=1e9", "es;q=NaN", "fr;q=-1", "fr;q=+Inf"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := language(s); !slices.Contains(pos.Languages, got) {
			t.Errorf("%q: %q", s, got)
		}
	})
}

func FuzzAmount(f *testing.F) {
	for _, s := range []string{"", "1000", "0", "-1", "01", "9223372036854775807", "9223372036854775808", "1e3", " 1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, ok := amountOf(s); ok && (n <= 0 || strconv.FormatInt(n, 10) != s) {
			t.Errorf("%q: %d", s, n)
		}
	})
}
