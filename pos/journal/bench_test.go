package journal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal"
)

// A busy year: 50,000 sales of three records of 1.3 KB each, 200 MB.
const (
	yearRecords = 150_000
	recordBytes = 900 // of the body's note
)

// year writes such a journal without the fsyncs and returns its directory.

func year(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	body := entry(recordBytes).Body
	var file []byte
	name := ""
	flush := func() {
		if err := os.WriteFile(filepath.Join(dir, name), file, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	prev := pos.Hash{}
	for n := range uint64(yearRecords) {
		if len(file) == 0 {
			name = fmt.Sprintf("journal-%08d.jsonl", n+1)
		}
		r, err := pos.Seal(pos.Record{N: n + 1, Kind: "sale_completed", Body: body, At: opening, Prev: prev}, key)
		if err != nil {
			b.Fatal(err)
		}
		prev = r.Hash
		if file = append(file, r.Line...); len(file) > journal.DefaultSegmentBytes {
			flush()
			file = file[:0]
		}
	}
	flush()
	return dir
}

// BenchmarkYear opens, folds and verifies a year. x-bare is the ratio to reading the
// same files and nothing else.
func BenchmarkYear(b *testing.B) {
	dir := year(b)
	o := journal.Options{Key: key}
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	bare := best(func() {
		for _, f := range files {
			if _, err := os.ReadFile(f); err != nil {
				b.Fatal(err)
			}
		}
	})
	measure := func(b *testing.B, f func()) {
		spent := time.Duration(0)
		runs := 0
		for b.Loop() {
			from := time.Now()
			f()
			spent += time.Since(from)
			runs++
		}
		b.ReportMetric(float64(spent)/float64(runs)/float64(bare), "x-bare")
	}
	b.Run("Open", func(b *testing.B) {
		before := heap()
		measure(b, func() {
			j, err := journal.Open(dir, o)
			if err != nil {
				b.Fatal(err)
			}
			if n, _ := j.Last(); n != yearRecords {
				b.Fatal(n)
			}
			b.StopTimer()
			b.ReportMetric(float64(heap()-before)/1024, "heap-KB")
			b.StartTimer()
			shut(b, j)
		})
	})
	b.Run("Since", func(b *testing.B) {
		j, err := journal.Open(dir, o)
		if err != nil {
			b.Fatal(err)
		}
		defer shut(b, j)
		measure(b, func() {
			for _, err := range j.Since(0) {
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	b.Run("Verify", func(b *testing.B) {
		measure(b, func() {
			if r, err := journal.Verify(pub, files...); err != nil || r.Last != yearRecords {
				b.Fatal(r, err)
			}
		})
	})
}

// best is the shortest of five runs.
func best(f func()) time.Duration {
	var all []time.Duration
	for range 5 {
		from := time.Now()
		f()
		all = append(all, time.Since(from))
	}
	return slices.Min(all)
}

// heap returns the bytes that are alive.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkAppend compares Append with one bare write and fsync of as many bytes, in
// turn with it in the same run, in the same directory. x-bare is the ratio of the
// medians; what stands in DESIGN 10 is at most 3.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 3} {
		b.Run(fmt.Sprintf("records=%d", n), func(b *testing.B) {
			dir := b.TempDir()
			j, err := journal.Open(filepath.Join(dir, "journal"), journal.Options{Key: key})
			if err != nil {
				b.Fatal(err)
			}
			defer shut(b, j)
			f, err := os.Create(filepath.Join(dir, "bare"))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			entries := batch(n, recordBytes)
			var ours, bare []time.Duration
			at := int64(0)
			for b.Loop() {
				t0 := time.Now()
				records := add(b, j, entries...)
				t1 := time.Now()
				var block []byte
				for _, r := range records {
					block = append(block, r.Line...)
				}
				t2 := time.Now()
				if _, err := f.WriteAt(block, at); err != nil {
					b.Fatal(err)
				}
				if err := f.Sync(); err != nil {
					b.Fatal(err)
				}
				at += int64(len(block))
				ours, bare = append(ours, t1.Sub(t0)), append(bare, time.Since(t2))
			}
			b.ReportMetric(float64(median(ours).Microseconds()), "µs/append")
			b.ReportMetric(float64(median(bare).Microseconds()), "µs/bare")
			b.ReportMetric(float64(median(ours))/float64(median(bare)), "x-bare")
		})
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
