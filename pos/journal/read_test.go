package journal_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal"
	"github.com/tillwright/tillwright/pos/journal/journaltest"
)

// TestAppend looks at each field of a record, and that what Append returns is what
// readers get, byte for byte.
func TestAppend(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "a", "journal"), nil) // made, parents too
	if n, h := j.Last(); n != 0 || h != (pos.Hash{}) {
		t.Errorf("an empty journal ends at %d %v", n, h)
	}
	at := opening.Add(90 * time.Second)
	body := []byte("{\n \"a\" : \"<b>\"}") // as written by hand
	got, err := j.Append(at.In(time.FixedZone("", 3600)), pos.ClockSaved,
		journal.Entry{Kind: "x", Body: body}, journal.Entry{Kind: "y", Cmd: pos.Cmd{Key: "k", Digest: "d"}, Body: []byte(`1`)})
	if err != nil {
		t.Fatal(err)
	}
	early, err := j.Append(opening, pos.ClockUnknown, entry(40))
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, early...)
	want := []pos.Record{
		{N: 1, Kind: "x", Body: []byte(`{"a":"\u003cb\u003e"}`), At: at, Clock: pos.ClockSaved, Boot: "boot", Mono: 90 * time.Second, Part: 1, Of: 2},
		{N: 2, Kind: "y", Cmd: pos.Cmd{Key: "k", Digest: "d"}, Body: []byte(`1`), At: at, Clock: pos.ClockSaved, Boot: "boot", Mono: 90 * time.Second, Part: 2, Of: 2},
		{N: 3, Kind: entry(40).Kind, Cmd: entry(40).Cmd, Body: entry(40).Body, At: at, Boot: "boot"}, // no older than its predecessor
	}
	prev := pos.Hash{}
	for i, w := range want {
		g := got[i]
		w.Prev, w.Hash, w.Sig, w.Line = prev, g.Hash, g.Sig, g.Line
		prev = g.Hash
		if fmt.Sprint(g) != fmt.Sprint(w) {
			t.Errorf("record %d is\n%v, want\n%v", i+1, g, w)
		}
		if err := g.Verify(pub); err != nil {
			t.Error(err)
		}
		if r, err := j.Read(g.N); err != nil || fmt.Sprint(r) != fmt.Sprint(g) {
			t.Errorf("record %d reads back as\n%v, %v, want\n%v", i+1, r, err, g)
		}
	}
	if n, h := j.Last(); n != 3 || h != prev {
		t.Errorf("the journal ends at %d %v, want 3 %v", n, h, prev)
	}
}

// TestClampSurvivesRestart: a board that wakes in 1970 makes no record older than
// the last one.
func TestClampSurvivesRestart(t *testing.T) {
	d, _ := filled(t, 5)
	j := open(t, dir, d)
	last, err := j.Read(5)
	if err != nil {
		t.Fatal(err)
	}
	r, err := j.Append(time.Unix(0, 0), pos.ClockUnknown, entry(40))
	if err != nil || !r[0].At.Equal(last.At) || r[0].Mono != 0 {
		t.Errorf("record at %v (%v since start), %v, want %v", r[0].At, r[0].Mono, err, last.At)
	}
}

// TestSince reads from every number, through several files and marks.
func TestSince(t *testing.T) {
	d := journaltest.New(1, false)
	o := options(d)
	o.SegmentBytes = 300 << 10 // four marks and more
	j, err := journal.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	for range 120 {
		add(t, j, entry(7000))
	}
	all, err := lines(j, 0)
	if err != nil || len(all) != 120 || len(d.Files()) < 3 {
		t.Fatalf("%d records, %v, files %v", len(all), err, d.Files())
	}
	for range 2 { // with the marks that Append made, and with those that Open made
		for n := range uint64(125) {
			if n%6 == 0 || n > 110 {
				got, err := lines(j, n)
				if err != nil || !slices.Equal(got, all[min(n, 120):]) {
					t.Errorf("since %d: %d records, %v", n, len(got), err)
				}
			}
			switch r, err := j.Read(n); {
			case n == 0 || n > 120:
				wantKind(t, fmt.Sprintf("record %d", n), err, pos.NotFound)
			case err != nil || string(r.Line) != all[n-1]:
				t.Errorf("record %d: %v", n, err)
			}
		}
		shut(t, j)
		j = open(t, dir, d)
	}
}

// TestSinceStops: the loop may leave early and append in its body, and does not see
// what was appended after it began.
func TestSinceStops(t *testing.T) {
	d, _ := filled(t, 10)
	j := open(t, dir, d)
	seen := 0
	for r, err := range j.Since(4) {
		if err != nil {
			t.Fatal(err)
		}
		seen++
		if add(t, j, entry(1000)); r.N == 10 {
			continue
		}
	}
	if seen != 6 {
		t.Errorf("%d records seen, want 6", seen)
	}
	for r, err := range j.Since(0) {
		if err != nil || r.N != 1 {
			t.Fatal(r.N, err)
		}
		break
	}
}

// TestAppendDuringSince reads and appends at once; meant for -race.
func TestAppendDuringSince(t *testing.T) {
	j := open(t, t.TempDir(), nil)
	const total = 120
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for at := uint64(0); at < total && !t.Failed(); {
				for r, err := range j.Since(at) {
					if err != nil || r.N != at+1 {
						t.Errorf("record %d after %d: %v", r.N, at, err)
						return
					}
					at = r.N
				}
				if n, _ := j.Last(); n > 0 {
					if r, err := j.Read(n); err != nil || r.N != n {
						t.Errorf("read %d: %v", n, err)
					}
				}
			}
		})
	}
	var writers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for range total / 2 / 3 {
				if _, err := j.Append(opening, pos.ClockTrusted, batch(3, 60)...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	readers.Wait()
}

// TestRotBehindTheBack: what rots while the till runs is found by the reader.
func TestRotBehindTheBack(t *testing.T) {
	for n := 1; n <= 20; n++ {
		s := newShop(t)
		j := open(t, dir, s)
		for i := range s.files {
			s.edit(i, func(l []string) []string {
				if k := n - s.first(i); 0 <= k && k < len(l) {
					l[k] = spoilt(l[k])
				}
				return l
			})
		}
		got, err := lines(j, 0)
		wantKind(t, fmt.Sprintf("record %d rots", n), err, pos.Corrupt)
		s.wantLines(t, got, 0, uint64(n-1))
		_, err = j.Read(uint64(n))
		wantKind(t, fmt.Sprintf("record %d rots", n), err, pos.Corrupt)
		got, err = lines(j, uint64(n))
		if err != nil {
			t.Errorf("since %d: %v", n, err)
		}
		s.wantLines(t, got, uint64(n), 20)
	}
}

// TestSwapBehindTheBack: so is a line that someone puts in another's place, hash,
// number, signature and all.
func TestSwapBehindTheBack(t *testing.T) {
	other := elsewhere(t)
	for n := 2; n <= 20; n++ {
		s := newShop(t)
		j := open(t, dir, s)
		for i := range s.files {
			s.edit(i, func(l []string) []string {
				if k := n - s.first(i); 0 <= k && k < len(l) {
					l[k] = other.all[n-1]
				}
				return l
			})
		}
		got, err := lines(j, 0)
		wantKind(t, fmt.Sprintf("record %d is swapped", n), err, pos.Corrupt)
		s.wantLines(t, got, 0, uint64(n-1))
	}
}

// TestClosed: nothing works after Close, and closing again is no fault.
func TestClosed(t *testing.T) {
	d, _ := filled(t, 3)
	j := open(t, dir, d)
	shut(t, j)
	shut(t, j)
	_, err := j.Append(opening, pos.ClockTrusted, entry(40))
	wantKind(t, "append", err, pos.Unavailable)
	_, err = lines(j, 0)
	wantKind(t, "since", err, pos.Unavailable)
}

// TestTwoTills: a second process, and a second Open in this one, are refused with a
// clear word, and change nothing; when the first one is gone, they may.
func TestTwoTills(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	j := open(t, dir, nil)
	add(t, j, entry(40))
	_, err := journal.Open(dir, options(nil))
	wantKind(t, "second Open", err, pos.Unavailable)
	if err == nil || !strings.Contains(err.Error(), "another till") {
		t.Errorf("second Open says %v", err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	second := func() *exec.Cmd {
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), "JOURNAL_VICTIM="+dir)
		return cmd
	}
	if out, err := second().CombinedOutput(); err == nil || !strings.Contains(string(out), "another till") {
		t.Errorf("second process: %v, %s", err, out)
	}
	if n := len(add(t, j, entry(40))); n != 1 {
		t.Error("the first till cannot go on")
	}
	shut(t, j)
	cmd := second()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if s := bufio.NewScanner(out); !s.Scan() || s.Text() != "3" {
		t.Errorf("after the first till is gone the second one says %q, want 3", s.Text())
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // killed
}

// TestOptions refuses what cannot work.
func TestOptions(t *testing.T) {
	_, err := journal.Open(t.TempDir(), journal.Options{})
	wantKind(t, "no key", err, pos.Invalid)
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	if _, err := journal.Open(filepath.Join(file, "journal"), options(nil)); err == nil {
		t.Error("a journal below a file opened")
	}
}
