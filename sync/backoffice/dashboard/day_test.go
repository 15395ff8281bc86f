package dashboard

import (
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/report"
)

// TestAverage: the average basket is rounded to the nearest cent, a half up.
func TestAverage(t *testing.T) {
	c, err := pos.CurrencyOf("EUR")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ total, sales, want int64 }{
		{1400, 3, 467}, {1300, 3, 433}, {5, 2, 3}, {1, 3, 0}, {900, 3, 300}, {700, 1, 700}, {0, 0, 0}, {0, 4, 0},
	} {
		if got := average(pos.Report{Total: c.Of(x.total), Sales: x.sales}); got != c.Of(x.want) {
			t.Errorf("%d / %d = %v", x.total, x.sales, got)
		}
	}
}

// TestAstrayToday: the day that goes on is not told as if it were over.
func TestAstrayToday(t *testing.T) {
	for lang, want := range map[string][2]string{
		"en": {"not decided yet", "not decided that day"}, "es": {"aún sin decidir", "sin decidir ese día"}, "de": {"noch nicht entschieden", "an dem Tag nicht entschieden"},
		"fr": {"pas encore décidé", "pas décidé ce jour-là"}, "pt": {"ainda por decidir", "por decidir nesse dia"},
	} {
		s := &server{Options: Options{Language: lang}}
		day := report.Day{Date: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), Astray: []report.Astray{{Here: true}}}
		for i, today := range []bool{true, false} {
			if rows := s.astray(t.Context(), day, today); len(rows) != 1 || !rows[0].Open || rows[0].End != want[i] {
				t.Errorf("%s: %+v, not %q", lang, rows, want[i])
			}
		}
	}
}
