package dashboard

import (
	"math"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// TestNumbers writes sums as each language does.
func TestNumbers(t *testing.T) {
	eur, jpy := pos.Currency{Code: "EUR", Decimals: 2}, pos.Currency{Code: "JPY"}
	tests := []struct {
		language string
		amount   pos.Amount
		want     string
	}{
		{"en", eur.Of(123456789), "1,234,567.89"}, {"de", eur.Of(123456789), "1.234.567,89"}, {"fr", eur.Of(123456789), "1\u202f234\u202f567,89"},
		{"en", eur.Of(5), "0.05"}, {"en", eur.Of(-123456), "\u22121,234.56"}, {"en", jpy.Of(1234), "1,234"}, {"en", jpy.Of(123), "123"},
		{"es", eur.Of(math.MaxInt64), "92.233.720.368.547.758,07"}, {"pt", eur.Of(math.MinInt64), "\u221292.233.720.368.547.758,08"},
	}
	for _, tt := range tests {
		s := &server{Options: Options{Language: tt.language}}
		if got := s.plain(tt.amount); got != tt.want {
			t.Errorf("%s %v: got %q, want %q", tt.language, tt.amount, got, tt.want)
		}
	}
}

func TestThousandths(t *testing.T) {
	for _, tt := range []struct {
		part, whole int64
		want        int
	}{{0, 0, 0}, {5, 0, 0}, {-5, 10, 0}, {1, 2, 500}, {1, 3, 333}, {2, 3, 667}, {7, 7, 1000}, {math.MaxInt64, math.MaxInt64, 1000}, {math.MaxInt64, 1, 1_000_000}} {
		if got := thousandths(tt.part, tt.whole); got != tt.want {
			t.Errorf("%d of %d: got %d, want %d", tt.part, tt.whole, got, tt.want)
		}
	}
}

func TestChange(t *testing.T) {
	s := &server{Options: Options{Language: "en"}}
	eur := pos.Currency{Code: "EUR", Decimals: 2}
	for _, tt := range []struct {
		now, before int64
		want        string
	}{{100, 0, ""}, {150, 100, "▲ 50\u202f%"}, {75, 100, "▼ 25\u202f%"}, {100, 100, "= 0\u202f%"}, {0, 100, "▼ 100\u202f%"}} {
		if got := s.change(eur.Of(tt.now), eur.Of(tt.before)); got != tt.want {
			t.Errorf("%d after %d: got %q, want %q", tt.now, tt.before, got, tt.want)
		}
	}
}

func TestAgo(t *testing.T) {
	s := &server{Options: Options{Language: "en"}}
	for d, want := range map[time.Duration]string{0: "just now", 30 * time.Minute: "30 min ago", 5 * time.Hour: "5 h ago", 72 * time.Hour: "3 days ago"} {
		if got := s.ago(time.Now().Add(-d - time.Second)); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
	if got := s.ago(time.Time{}); got != "never" {
		t.Errorf("zero: %q", got)
	}
}
