package journal_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal"
	"github.com/tillwright/tillwright/pos/journal/journaltest"
)

// batches are the Appends of a crash run: alone and together, within a sector,
// across several, and large enough for three files.
var batches = []struct{ n, size int }{{1, 40}, {3, 40}, {1, 900}, {3, 700}, {2, 40}, {5, 600}, {1, 40}, {2, 1500}, {1, 3000}, {1, 40}}

// TestPowerCutAtEveryCall checks the first promise. It cuts power during every
// call of a run in turn, and again during the recovery, on a disk that keeps a
// prefix of what was not synced and on one that keeps any sectors of it. What was
// promised must be there byte for byte, an Append whole or not at all, nothing
// fenced, and selling must go on with the next number.
func TestPowerCutAtEveryCall(t *testing.T) {
	const seeds = 4
	for _, reorder := range []bool{false, true} {
		t.Run(fmt.Sprintf("reorder=%v", reorder), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(seeds) {
				for cut, done := 1, false; !done; cut++ {
					done = cutAt(t, seed, reorder, cut)
				}
			}
		})
	}
}

// cutAt returns true when the run ended before power did.
func cutAt(t *testing.T, seed uint64, reorder bool, cut int) (done bool) {
	t.Helper()
	where := fmt.Sprintf("seed %d, power cut in call %d", seed, cut)
	d := journaltest.New(seed, reorder)
	d.CutPowerAt(cut)
	promised, next, done := sell(t, d)
	for again := range 3 { // power may fail while the till recovers, too
		d.Restart()
		d.CutPowerAt(1 + (int(seed)+cut+again)%7)
		if j, err := journal.Open(dir, options(d)); err == nil {
			d.Restart()
			_ = j.Close() // its files are dead
			break
		}
	}
	d.Restart()
	j, err := journal.Open(dir, options(d))
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	got, err := lines(j, 0)
	if err != nil || len(j.Damage()) > 0 {
		t.Fatalf("%s: %v, damage %v", where, err, j.Damage())
	}
	if len(got) < len(promised) || !slices.Equal(got[:len(promised)], promised) {
		t.Fatalf("%s: %d records promised, %d there", where, len(promised), len(got))
	}
	if extra := len(got) - len(promised); extra != 0 && extra != next {
		t.Fatalf("%s: %d records of an unfinished Append of %d", where, extra, next)
	}
	after := add(t, j, batch(2, 40)...)
	if want := uint64(len(got) + 1); after[0].N != want {
		t.Fatalf("%s: the next record has number %d, want %d", where, after[0].N, want)
	}
	shut(t, j)
	if r, err := verify(t, d); err != nil || r.Last != after[1].N || r.Torn != 0 {
		t.Fatalf("%s: verify: %v, %+v", where, err, r)
	}
	return done
}

// sell appends batches until power fails. It returns the lines that were promised
// and how many records the Append held that was not.
func sell(t *testing.T, d *journaltest.Disk) (promised []string, next int, done bool) {
	t.Helper()
	j, err := journal.Open(dir, options(d))
	if err != nil {
		t.Fatal(err) // an empty directory changes nothing
	}
	for _, b := range batches {
		records, err := j.Append(opening, pos.ClockUnknown, batch(b.n, b.size)...)
		if err != nil {
			if !errors.Is(err, journaltest.ErrPower) {
				t.Fatal(err)
			}
			return promised, b.n, false
		}
		for _, r := range records {
			promised = append(promised, string(r.Line))
		}
	}
	return promised, 0, true
}

// TestShownStays kills the process during every call in turn, which leaves bytes
// with the kernel that never reached the medium. What the next Open shows, the
// ledger folds and the backoffice gets: it must survive a loss of power right
// behind it.
func TestShownStays(t *testing.T) {
	for seed := range uint64(6) {
		for at, done := 1, false; !done; at++ {
			d := journaltest.New(seed, seed%2 == 1)
			d.KillAt(at)
			promised, _, whole := sell(t, d)
			done = whole
			shown := reopened(t, d)
			if len(shown) < len(promised) {
				t.Fatalf("seed %d, killed in call %d: %d records promised, %d shown", seed, at, len(promised), len(shown))
			}
			d.CutPower()
			if still := reopened(t, d); !slices.Equal(still, shown) {
				t.Fatalf("seed %d, killed in call %d: %d records shown, %d there after power was cut", seed, at, len(shown), len(still))
			}
		}
	}
}

// reopened restarts the till and returns all lines of its journal.
func reopened(t *testing.T, d *journaltest.Disk) []string {
	t.Helper()
	d.Restart()
	j, err := journal.Open(dir, options(d))
	if err != nil {
		t.Fatal(err)
	}
	out, err := lines(j, 0)
	if err != nil || len(j.Damage()) > 0 {
		t.Fatalf("reopened: %v, damage %v", err, j.Damage())
	}
	return out
}

// TestAppendSurvivesKill checks the same on the real file system. It kills a child
// at a random moment, tears the tail as a power cut would, and compares the journal
// with what the child was told. Killing does not test the disk's own cache.
func TestAppendSurvivesKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	var promised uint64
	for round := range 12 {
		promised = max(promised, killVictim(t, dir, 1+rand.IntN(60)))
		tear(t, dir)
		j := open(t, dir, nil)
		last, _ := j.Last()
		got, err := lines(j, 0)
		if err != nil || len(j.Damage()) > 0 || uint64(len(got)) != last {
			t.Fatalf("round %d: %d records, %v, damage %v", round, len(got), err, j.Damage())
		}
		if last < promised {
			t.Fatalf("round %d: journal ends at %d, but %d was promised", round, last, promised)
		}
		shut(t, j)
	}
	files, err := filepath.Glob(filepath.Join(dir, "journal-*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := journal.Verify(pub, files...); err != nil || r.Last < promised || r.Files < 2 {
		t.Errorf("verify: %v, %+v", err, r)
	}
}

// killVictim runs a child that appends without end, kills it after it has reported
// so many promises, and returns the last number that it reported.
func killVictim(t *testing.T, dir string, after int) (promised uint64) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "JOURNAL_VICTIM="+dir)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := bufio.NewScanner(out)
	for n := 1; s.Scan(); n++ {
		if promised, err = strconv.ParseUint(s.Text(), 10, 64); err != nil {
			t.Fatal(err)
		}
		if n == after {
			time.AfterFunc(rand.N(time.Millisecond), func() { _ = cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait() // killed
	return promised
}

// victim is the child.
func victim(dir string) {
	j, err := journal.Open(dir, journal.Options{Key: key, SegmentBytes: 64 << 10, Boot: "victim"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for i := 0; ; i++ {
		records, err := j.Append(time.Now(), pos.ClockUnknown, batch(1+i%3, 40+i%7*300)...)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(records[len(records)-1].N)
	}
}

// tear adds to the last file what a write leaves that power cuts short: the first
// part of the file's own first line.
func tear(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "journal-*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no journal: %v", err)
	}
	first, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(files[len(files)-1], os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	part, _, _ := strings.Cut(string(first), "\n")
	if _, err := f.WriteString(part[:rand.IntN(len(part))]); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
