package dashboard

import (
	"html/template"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
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

// TestCountOfSales counts in each language's own form; French has none in the singular.
func TestCountOfSales(t *testing.T) {
	for _, tt := range []struct {
		language string
		n        int64
		want     string
	}{{"en", 1, "1 sale"}, {"en", 0, "0 sales"}, {"en", 1200, "1,200 sales"}, {"de", 1, "1 Verkauf"}, {"de", 2, "2 Verkäufe"}, {"es", 1, "1 venta"}, {"pt", 1, "1 venda"}, {"pt", 0, "0 vendas"}, {"fr", 0, "0 vente"}, {"fr", 1, "1 vente"}, {"fr", 2, "2 ventes"}} {
		s := &server{Options: Options{Language: tt.language}}
		if got := s.salesWord(tt.n); got != tt.want {
			t.Errorf("%s %d: got %q, want %q", tt.language, tt.n, got, tt.want)
		}
	}
}

// TestMissedCall does not call a till up to date that has missed a call: it may hold
// records that nobody here knows of.
func TestMissedCall(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		ago         time.Duration
		late, quiet bool
	}{{time.Minute, false, false}, {lateAfter, false, false}, {lateAfter + time.Second, true, false}, {quietAfter + time.Second, true, true}} {
		row := rowOf(store.Till{Seen: now.Add(-tt.ago)}, nil, now)
		if row.Late != tt.late || row.Quiet != tt.quiet {
			t.Errorf("%v: late %v, quiet %v", tt.ago, row.Late, row.Quiet)
		}
		s := &server{Options: Options{Language: "en"}}
		row.Seen = time.Now().Add(-tt.ago)
		pages, err := template.New("").Funcs(s.funcs()).ParseFS(files, "pages/frame.html")
		if err != nil {
			t.Fatal(err)
		}
		var page strings.Builder
		if err := pages.ExecuteTemplate(&page, "state", row); err == nil && strings.Contains(page.String(), "up to date") == tt.late {
			t.Errorf("%v: the page says %q", tt.ago, page.String())
		} else if err != nil && !tt.quiet { // since when needs the reports' zone
			t.Error(err)
		}
	}
}
