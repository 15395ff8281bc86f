package journal_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal"
	"github.com/tillwright/tillwright/pos/journal/journaltest"
)

// dir is where journals lie on a journaltest.Disk.
const dir = "/j"

var (
	key     = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	pub     = key.Public().(ed25519.PublicKey)
	opening = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
)

// entry is one of about size bytes.
func entry(size int) journal.Entry {
	body := json.RawMessage(fmt.Sprintf(`{"note":%q}`, strings.Repeat("tea ", size/4)))
	return journal.Entry{Kind: pos.KindDrawerOpened, Cmd: pos.Cmd{Key: "k", Digest: "d"}, Body: body}
}

// batch is n of them.
func batch(n, size int) []journal.Entry {
	out := make([]journal.Entry, n)
	for i := range out {
		out[i] = entry(size)
	}
	return out
}

func options(fs journal.FS) journal.Options {
	return journal.Options{Key: key, SegmentBytes: 4 << 10, Boot: "boot", Start: opening, FS: fs}
}

// open opens the journal on fs (nil: a real dir) and closes it when the test ends.
func open(tb testing.TB, dir string, fs journal.FS) *journal.Journal {
	tb.Helper()
	j, err := journal.Open(dir, options(fs))
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	tb.Cleanup(func() { shut(tb, j) })
	return j
}

func shut(tb testing.TB, j *journal.Journal) {
	tb.Helper()
	if err := j.Close(); err != nil {
		tb.Errorf("close: %v", err)
	}
}

// add appends and must succeed.
func add(tb testing.TB, j *journal.Journal, entries ...journal.Entry) []pos.Record {
	tb.Helper()
	last, _ := j.Last()
	records, err := j.Append(opening.Add(time.Duration(last)*time.Second), pos.ClockTrusted, entries...)
	if err != nil {
		tb.Fatalf("append: %v", err)
	}
	return records
}

// lines returns all lines after record n, and the error that ended them.
func lines(j *journal.Journal, n uint64) (out []string, err error) {
	for r, err := range j.Since(n) {
		if err != nil {
			return out, err
		}
		out = append(out, string(r.Line))
	}
	return out, nil
}

// verify checks everything on the disk as an auditor would.
func verify(tb testing.TB, d *journaltest.Disk) (journal.Report, error) {
	tb.Helper()
	return journal.Verify(pub, d.Export(tb, "journal-*.jsonl")...)
}

// write makes a real file.
func write(tb testing.TB, path string, b []byte) {
	tb.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// wantKind fails the test unless err is of this kind.
func wantKind(tb testing.TB, what string, err error, want pos.Kind) {
	tb.Helper()
	if err == nil || pos.KindOf(err) != want {
		tb.Errorf("%s: got %v (%v), want %v", what, pos.KindOf(err), err, want)
	}
}

// filled is a disk with a journal of n records of about 200 bytes each, alone and in
// batches of three in turn, and their lines.
func filled(tb testing.TB, n int) (*journaltest.Disk, []string) {
	tb.Helper()
	d := journaltest.New(1, false)
	j, err := journal.Open(dir, options(d))
	if err != nil {
		tb.Fatal(err)
	}
	for left := n; left > 0; {
		k := 1
		if last, _ := j.Last(); last%4 == 1 {
			k = min(3, left)
		}
		add(tb, j, batch(k, 40)...)
		left -= k
	}
	all, err := lines(j, 0)
	if err != nil || len(all) != n {
		tb.Fatalf("filled journal: %d records, %v, want %d", len(all), err, n)
	}
	shut(tb, j)
	return d, all
}

func TestMain(m *testing.M) {
	if dir := os.Getenv("JOURNAL_VICTIM"); dir != "" {
		victim(dir)
		return
	}
	os.Exit(m.Run())
}
