package ledger

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// BenchmarkYear recovers the index of 50,000 sales: as it is at every start, and from
// nothing. x-bare is the ratio to reading the file and nothing else.
func BenchmarkYear(b *testing.B) {
	j := &journal{}
	j.add(pos.KindGenesis, pos.Genesis{Till: "t"})
	for n := range uint64(50_000) {
		j.sell(n + 1)
	}
	path := filepath.Join(b.TempDir(), "l")
	recover := func(b *testing.B) {
		l, err := Recover(path, j, time.Unix(1<<31, 0), slog.New(slog.DiscardHandler))
		must(b, err)
		if l.Books().Count != 50_000 {
			b.Fatal(l.Books().Count)
		}
		must(b, l.Close())
	}
	b.Run("Rebuild", func(b *testing.B) {
		for b.Loop() {
			must(b, remove(path))
			recover(b)
		}
	})
	b.Run("Open", func(b *testing.B) {
		var bare, spent time.Duration
		for b.Loop() {
			from := time.Now()
			text, err := os.ReadFile(path)
			must(b, err)
			bare += time.Since(from)
			b.ReportMetric(float64(len(text))/1e6, "MB")
			from = time.Now()
			recover(b)
			spent += time.Since(from)
		}
		b.ReportMetric(float64(spent)/float64(bare), "x-bare")
	})
}
