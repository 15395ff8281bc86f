package journal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal"
	"github.com/tillwright/tillwright/pos/journal/journaltest"
)

// TestFullDisk lets the disk run full at every byte of a batch in turn, in the
// middle of a file and at the beginning of a new one. Append must refuse the batch
// whole and say so to the cashier, leave no byte behind, and the next one, with
// room again, must get the number that the refused one did not.
func TestFullDisk(t *testing.T) {
	for _, before := range []int{0, 1500, 3500} { // the last one makes Append begin a new file
		d := journaltest.New(1, false)
		j := open(t, dir, d)
		add(t, j, entry(before))
		last, hash := j.Last()
		files := d.Files()
		held := d.Peek(files[0])
		for room := int64(0); ; room++ {
			d.Room(room)
			_, err := j.Append(opening, pos.ClockTrusted, batch(2, 200)...)
			if err == nil {
				if room < 800 {
					t.Errorf("two records fitted into %d bytes", room)
				}
				break
			}
			wantKind(t, fmt.Sprintf("room for %d bytes", room), err, pos.Unavailable)
			if n, h := j.Last(); n != last || h != hash || !bytes.Equal(d.Peek(files[0]), held) {
				t.Fatalf("room for %d bytes: the journal changed", room)
			}
			for _, f := range d.Files()[1:] {
				if left := len(d.Peek(f)); left > 0 {
					t.Fatalf("room for %d bytes: %d left behind in %s", room, left, f)
				}
			}
		}
		if n, _ := j.Last(); n != last+2 {
			t.Errorf("after the disk was full the last record is %d, want %d", n, last+2)
		}
		if r, err := verify(t, d); err != nil || r.Last != last+2 {
			t.Errorf("verify: %v, %+v", err, r)
		}
	}
}

// TestFullDiskNoName refuses the new file itself.
func TestFullDiskNoName(t *testing.T) {
	d := journaltest.New(1, false)
	j := open(t, dir, d)
	add(t, j, entry(3500))
	d.Fail(journaltest.MakeFile, 1, syscall.EDQUOT)
	_, err := j.Append(opening, pos.ClockTrusted, entry(2000))
	wantKind(t, "no room for a name", err, pos.Unavailable)
	if r := add(t, j, entry(2000)); r[0].N != 2 {
		t.Errorf("the next record is %d, want 2", r[0].N)
	}
}

// TestFailedCall breaks each call of an Append in turn with an error that is no
// lack of room. Every later Append must fail, though the medium works again; what
// was promised can still be read; and opening anew shows it all, for good.
func TestFailedCall(t *testing.T) {
	tests := []struct {
		name string
		op   journaltest.Op
		room int64 // for the Append under test
	}{
		{"write", journaltest.Write, -1},
		{"sync", journaltest.Sync, -1},
		{"name of a new file", journaltest.MakeFile, -1},
		{"sync of the directory", journaltest.SyncDir, -1},
		{"undoing a write without room", journaltest.Truncate, 100},
		{"sync of the undoing", journaltest.Sync, 100},
	}
	for _, test := range tests {
		for seed := range uint64(8) {
			d := journaltest.New(seed, seed%2 == 0)
			j := open(t, dir, d)
			add(t, j, batch(2, 1600)...)
			promised, _ := lines(j, 0)
			d.Room(test.room)
			d.Fail(test.op, 1, syscall.EIO)
			_, err := j.Append(opening, pos.ClockTrusted, batch(3, 300)...) // in a new file
			wantKind(t, test.name, err, pos.Internal)
			d.Room(-1)
			_, err = j.Append(opening, pos.ClockTrusted, entry(40))
			wantKind(t, test.name+", the next Append", err, pos.Internal)
			if got, err := lines(j, 0); err != nil || !slices.Equal(got, promised) {
				t.Errorf("%s: reading gives %d records, %v", test.name, len(got), err)
			}
			shut(t, j)
			shown, err := lines(open(t, dir, d), 0)
			if err != nil || len(shown) < 2 || !slices.Equal(shown[:2], promised) {
				t.Fatalf("%s: opened anew: %d records, %v", test.name, len(shown), err)
			}
			if still := reopened(t, d); !slices.Equal(still, shown) {
				t.Errorf("%s, seed %d: %d records shown, %d there after power was cut", test.name, seed, len(shown), len(still))
			}
		}
	}
}

// TestTornTailOnFullDisk: the tail cannot be kept aside, as there is no room. The
// till must start all the same, read, refuse to sell, and do it all when there is.
func TestTornTailOnFullDisk(t *testing.T) {
	d, all := filled(t, 6)
	path := filepath.Join(dir, "journal-00000001.jsonl")
	d.Poke(path, append(d.Peek(path), `{"n":7,"kind`...))
	d.Room(0)
	j := open(t, dir, d)
	if got, err := lines(j, 0); err != nil || !slices.Equal(got, all) || j.Torn() != 12 {
		t.Errorf("%d records, %v, %d bytes torn, want %d and 12", len(got), err, j.Torn(), len(all))
	}
	_, err := j.Append(opening, pos.ClockTrusted, entry(40))
	wantKind(t, "no room", err, pos.Unavailable)
	d.Room(-1)
	if r := add(t, j, entry(40)); r[0].N != 7 {
		t.Errorf("record %d, want 7", r[0].N)
	}
	wantAside(t, d, `{"n":7,"kind`)
	if r, err := verify(t, d); err != nil || r.Last != 7 {
		t.Errorf("verify: %v, %+v", err, r)
	}
}

// wantAside fails the test unless some file beside the journal holds just text.
func wantAside(t *testing.T, d *journaltest.Disk, text string) {
	t.Helper()
	for _, f := range d.Files() {
		if strings.Contains(f, ".torn-") && string(d.Peek(f)) == text {
			return
		}
	}
	t.Errorf("%q was not kept aside: %v", text, d.Files())
}

// TestRefused holds every bound of an Append: refused whole, nothing changed, and
// the next one works.
func TestRefused(t *testing.T) {
	large := func(n int) journal.Entry {
		return journal.Entry{Kind: "x", Body: json.RawMessage(`"` + strings.Repeat("x", n) + `"`)}
	}
	mib := slices.Repeat([]journal.Entry{large(400 << 10)}, 11)
	tests := []struct {
		name    string
		at      time.Time
		entries []journal.Entry
	}{
		{"line too long", opening, []journal.Entry{entry(40), large(pos.MaxLine)}},
		{"too many", opening, batch(journal.MaxBatch+1, 40)},
		{"too many bytes", opening, mib},
		{"no JSON", opening, []journal.Entry{entry(40), {Kind: "x", Body: json.RawMessage(`{"a":`)}}},
		{"a year that no reader knows", opening.AddDate(9000, 0, 0), []journal.Entry{entry(40)}},
	}
	d := journaltest.New(1, false)
	j := open(t, dir, d)
	for _, test := range tests {
		before := d.Calls()
		_, err := j.Append(test.at, pos.ClockTrusted, test.entries...)
		wantKind(t, test.name, err, pos.Invalid)
		if n := d.Calls() - before; n != 0 {
			t.Errorf("%s: %d calls changed the disk", test.name, n)
		}
	}
	if r, err := j.Append(opening, pos.ClockTrusted); r != nil || err != nil || d.Calls() > 0 {
		t.Errorf("no entries: %v, %v", r, err)
	}
	if r := add(t, j, entry(40)); r[0].N != 1 {
		t.Errorf("record %d, want 1", r[0].N)
	}
}

// TestRelief gives a full disk its reserve back at the moment it is full, at every
// byte of a batch and at the beginning of a new file: the batch is taken, once. A
// reserve that is gone changes nothing, and nobody is asked twice for one batch.
func TestRelief(t *testing.T) {
	for _, before := range []int{100, 1500, 3500} {
		for room := int64(0); room < 900; room += 7 {
			d := journaltest.New(1, false)
			asked, reserve := 0, int64(4<<10)
			o := options(d)
			o.Relieve = func() bool {
				asked++
				had := reserve > 0
				d.Room(reserve)
				reserve = 0
				return had
			}
			j, err := journal.Open(dir, o)
			if err != nil {
				t.Fatal(err)
			}
			add(t, j, entry(before))
			d.Room(room)
			if got := add(t, j, batch(2, 200)...); asked > 1 || got[1].N != 3 {
				t.Fatalf("room for %d bytes: asked %d times, then record %d", room, asked, got[1].N)
			}
			for err == nil { // until the reserve is used up as well
				_, err = j.Append(opening, pos.ClockTrusted, entry(300))
			}
			wantKind(t, "without a reserve", err, pos.Unavailable)
			if asked != 2 {
				t.Errorf("room for %d bytes: asked %d times, want 2", room, asked)
			}
			d.Room(-1)
			add(t, j, entry(300))
			shut(t, j)
			if _, err := verify(t, d); err != nil {
				t.Fatal(err)
			}
		}
	}
}
