package journal_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal"
	"github.com/tillwright/tillwright/pos/journal/journaltest"
)

// shop is a journal on a disk, to be damaged.
type shop struct {
	*journaltest.Disk
	all   []string // its lines
	files []string // its segments
}

// newShop fills three files with 20 records.
func newShop(tb testing.TB) *shop {
	d, all := filled(tb, 20)
	s := &shop{d, all, d.Files()}
	if len(s.files) != 3 {
		tb.Fatalf("files %v, want 3", s.files)
	}
	return s
}

// edit replaces file i's lines by what f makes of them.
func (s *shop) edit(i int, f func(lines []string) []string) {
	lines := strings.SplitAfter(string(s.Peek(s.files[i])), "\n")
	s.Poke(s.files[i], []byte(strings.Join(f(lines[:len(lines)-1]), "")))
}

// copy returns a disk with the same files.
func (s *shop) copy(seed uint64) *journaltest.Disk {
	d := journaltest.New(seed, true)
	for path, b := range s.snapshot() {
		d.Poke(path, b)
	}
	return d
}

// first returns the number of file i's first record.
func (s *shop) first(i int) int {
	var n int
	if _, err := fmt.Sscanf(filepath.Base(s.files[i]), "journal-%d.jsonl", &n); err != nil {
		panic(err)
	}
	return n
}

// elsewhere is another history by the same till's key: the same records a day later.
func elsewhere(tb testing.TB) *shop {
	d := journaltest.New(1, false)
	j := open(tb, dir, d)
	for n := range 20 {
		if _, err := j.Append(opening.AddDate(0, 0, n+1), pos.ClockTrusted, entry(40)); err != nil {
			tb.Fatal(err)
		}
	}
	all, err := lines(j, 0)
	if err != nil {
		tb.Fatal(err)
	}
	return &shop{d, all, d.Files()}
}

// forged is record n as someone would make it who has no key.
func forged(tb testing.TB, n uint64, prev string) string {
	p, err := pos.ParseRecord([]byte(prev))
	if err != nil {
		tb.Fatal(err)
	}
	_, other, err := ed25519.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	r, err := pos.Seal(pos.Record{N: n, Kind: "x", Body: []byte(`{}`), At: opening.AddDate(1, 0, 0), Prev: p.Hash}, other)
	if err != nil {
		tb.Fatal(err)
	}
	return string(r.Line)
}

// spoilt is a line with one byte changed in its body.
func spoilt(line string) string { return strings.Replace(line, `"body"`, `"bodi"`, 1) }

// place is what Damage must say: file and line, and the records affected.
type place struct {
	file        int // index of the file; -1 for one that is missing
	line        int
	first, last int
}

// damages lists what can happen to 20 records in three files. Those in the middle
// are damaged behind the till's back; the till must go on and tell.
var damages = []struct {
	name string
	do   func(tb testing.TB, s *shop)
	want func(s *shop) []place
	end  int // number of the last record then, 20 if it is 0
}{
	{"spoilt line", func(_ testing.TB, s *shop) {
		s.edit(1, func(l []string) []string { l[2] = spoilt(l[2]); return l })
	}, func(s *shop) []place { n := s.first(1) + 2; return []place{{1, 3, n, n}} }, 0},

	{"first line spoilt", func(_ testing.TB, s *shop) {
		s.edit(0, func(l []string) []string { l[0] = spoilt(l[0]); return l })
	}, func(*shop) []place { return []place{{0, 1, 1, 1}} }, 0},

	{"last line spoilt", func(_ testing.TB, s *shop) {
		s.edit(2, func(l []string) []string { l[len(l)-1] = spoilt(l[len(l)-1]); return l })
	}, func(s *shop) []place { return []place{{2, 20 - s.first(2) + 1, 20, 20}} }, 0},

	{"last line without its signature", func(_ testing.TB, s *shop) {
		s.edit(2, func(l []string) []string {
			k := len(l) - 1
			l[k] = l[k][:len(l[k])-20] + "!" + l[k][len(l[k])-19:]
			return l
		})
	}, func(s *shop) []place { return []place{{2, 20 - s.first(2) + 1, 20, 20}} }, 0},

	{"two places", func(_ testing.TB, s *shop) {
		s.edit(0, func(l []string) []string { l[1], l[2] = spoilt(l[1]), spoilt(l[2]); return l })
		s.edit(2, func(l []string) []string { l[0] = spoilt(l[0]); return l })
	}, func(s *shop) []place { return []place{{0, 2, 2, 3}, {2, 1, s.first(2), s.first(2)}} }, 0},

	{"line deleted", func(_ testing.TB, s *shop) {
		s.edit(1, func(l []string) []string { return slices.Delete(l, 1, 2) })
	}, func(s *shop) []place { n := s.first(1) + 1; return []place{{1, 2, n, n}} }, 0},

	{"line twice", func(_ testing.TB, s *shop) {
		s.edit(1, func(l []string) []string { return slices.Insert(l, 2, l[1]) })
	}, func(*shop) []place { return []place{{1, 3, 0, 0}} }, 0},

	{"last line twice", func(_ testing.TB, s *shop) {
		s.edit(2, func(l []string) []string { return append(l, l[len(l)-1]) })
	}, func(s *shop) []place { return []place{{2, 20 - s.first(2) + 2, 0, 0}} }, 0},

	{"lines swapped", func(_ testing.TB, s *shop) {
		s.edit(1, func(l []string) []string { l[1], l[2] = l[2], l[1]; return l })
	}, func(s *shop) []place {
		n := s.first(1)
		return []place{{1, 2, n + 1, n + 1}, {1, 3, 0, 0}}
	}, 0},

	{"line from another history", func(tb testing.TB, s *shop) {
		s.edit(1, func(l []string) []string { l[2] = elsewhere(tb).all[s.first(1)+1]; return l })
	}, func(s *shop) []place { n := s.first(1) + 2; return []place{{1, 3, n, n}} }, 0},

	{"last line from another history", func(tb testing.TB, s *shop) {
		s.edit(2, func(l []string) []string { l[len(l)-1] = elsewhere(tb).all[19]; return l })
	}, func(s *shop) []place { return []place{{2, 20 - s.first(2) + 1, 20, 20}} }, 0},

	{"line of a stranger", func(tb testing.TB, s *shop) {
		s.edit(2, func(l []string) []string { return append(l, forged(tb, 99, s.all[19])) })
	}, func(s *shop) []place { return []place{{2, 20 - s.first(2) + 2, 0, 0}} }, 0},

	{"file missing", func(_ testing.TB, s *shop) { s.Poke(s.files[1], nil) },
		func(s *shop) []place { return []place{{-1, 0, s.first(1), s.first(2) - 1}} }, 0},

	{"first file missing", func(_ testing.TB, s *shop) { s.Poke(s.files[0], nil) },
		func(s *shop) []place { return []place{{-1, 0, 1, s.first(1) - 1}} }, 0},

	{"file from another history", func(tb testing.TB, s *shop) {
		s.Poke(s.files[1], []byte(strings.Join(elsewhere(tb).all[s.first(1)-1:s.first(2)-1], "")))
	}, func(s *shop) []place {
		return []place{{1, 1, s.first(1), s.first(1)}, {2, 1, s.first(2), s.first(2)}}
	}, 0},

	{"file of a stranger's bytes", func(_ testing.TB, s *shop) {
		s.Poke(s.files[1], bytes.Repeat([]byte("no journal\n"), 100))
	}, func(s *shop) []place { return []place{{1, 1, s.first(1), s.first(2) - 1}} }, 0},

	{"file empty", func(_ testing.TB, s *shop) { s.Poke(s.files[1], []byte{}) },
		func(s *shop) []place { return []place{{1, 0, s.first(1), s.first(2) - 1}} }, 0},

	{"last file empty", func(_ testing.TB, s *shop) {
		s.Poke(s.files[1], nil)
		s.Poke(s.files[2], []byte{})
	}, func(s *shop) []place { return []place{{-1, 0, s.first(1), s.first(2) - 1}} }, -1},

	{"file cut within a line", func(_ testing.TB, s *shop) {
		b := s.Peek(s.files[0])
		s.Poke(s.files[0], b[:len(b)-100])
	}, func(s *shop) []place {
		n := s.first(1) - 1
		return []place{{0, n, n, n}}
	}, 0},

	{"half a line more", func(_ testing.TB, s *shop) {
		s.Poke(s.files[0], append(s.Peek(s.files[0]), `{"n":`...))
	}, func(s *shop) []place { return []place{{0, s.first(1), 0, 0}} }, 0},

	{"a line without end", func(_ testing.TB, s *shop) {
		s.edit(1, func(l []string) []string { l[1] = strings.Repeat("x", 3*pos.MaxLine) + "\n"; return l })
	}, func(s *shop) []place { n := s.first(1) + 1; return []place{{1, 2, n, n}} }, 0},

	{"sectors lost in a closed file", func(_ testing.TB, s *shop) {
		b := s.Peek(s.files[1])
		clear(b[512:1024])
		s.Poke(s.files[1], b)
	}, func(s *shop) []place { n := s.first(1); return []place{{1, 2, n + 1, n + 2}} }, 0},

	{"block unreadable", func(_ testing.TB, s *shop) { s.Spoil(s.files[0], 600, 100) },
		func(s *shop) []place { return []place{{0, 2, 2, s.first(1) - 1}} }, 0},
}

// unseen are those that Verify does not see: it may be given the newer files alone,
// and the test gives it readable copies.
var unseen = map[string]bool{"first file missing": true, "block unreadable": true}

// TestDamage does each of them. Open must name the place, keep every byte, yield
// every record that is whole and stop with Corrupt at every one that is not, go on
// with the number after the last, and find the same when it is opened again. Verify
// must name the first place.
func TestDamage(t *testing.T) {
	for _, test := range damages {
		t.Run(test.name, func(t *testing.T) {
			s := newShop(t)
			test.do(t, s)
			before := s.snapshot()
			want := s.wanted(test.want(s))
			end := uint64(20)
			if test.end < 0 {
				end = uint64(s.first(2) - 1)
			}
			j := open(t, dir, s)
			wantDamage(t, j, want)
			if last, _ := j.Last(); last != end || j.Torn() != 0 {
				t.Errorf("the journal ends at %d, %d bytes torn, want %d and 0", last, j.Torn(), end)
			}
			s.wantReadable(t, j, want, end)
			if r, err := verify(t, s.Disk); !unseen[test.name] {
				wantKind(t, "verify", err, pos.Corrupt)
				if r.Bad == nil || r.Bad.File != want[0].File || r.Bad.Line != want[0].Line {
					t.Errorf("verify: %v, want %v", r.Bad, want[0])
				}
			}
			if r := add(t, j, entry(40)); r[0].N != end+1 {
				t.Errorf("the next record is %d, want %d", r[0].N, end+1)
			}
			for path, b := range before {
				if !bytes.HasPrefix(s.Peek(path), b) {
					t.Errorf("%s lost bytes", path)
				}
			}
			shut(t, j)
			s.Restart()
			j = open(t, dir, s)
			wantDamage(t, j, want)
			if r, err := j.Read(end + 1); err != nil || r.N != end+1 {
				t.Errorf("record %d: %v", end+1, err)
			}
		})
	}
}

func (s *shop) snapshot() map[string][]byte {
	out := map[string][]byte{}
	for _, path := range s.Disk.Files() {
		out[path] = s.Peek(path)
	}
	return out
}

// wanted turns places into the Damage that Open must find, without Why and Offset.
func (s *shop) wanted(places []place) []journal.Damage {
	var out []journal.Damage
	for _, p := range places {
		d := journal.Damage{File: fmt.Sprintf("journal-%08d.jsonl", p.first), Line: p.line, First: uint64(p.first), Last: uint64(p.last)}
		if p.file >= 0 {
			d.File = filepath.Base(s.files[p.file])
		}
		out = append(out, d)
	}
	return out
}

func wantDamage(t *testing.T, j *journal.Journal, want []journal.Damage) {
	t.Helper()
	got := j.Damage()
	for i := range got {
		if got[i].Why == "" {
			t.Errorf("%v: no reason", got[i])
		}
		got[i].Why, got[i].Offset = "", 0
	}
	if !slices.Equal(got, want) {
		t.Errorf("damage %v,\nwant %v", got, want)
	}
	var lost pos.RecordsLost
	for _, d := range want {
		if d.First > 0 && d.Last >= d.First {
			lost = lost.With(pos.Gap{First: d.First, Last: d.Last})
		}
	}
	gaps := j.Lost()
	for i := range gaps {
		gaps[i].Why = ""
	}
	if !slices.Equal(gaps, lost.Gaps) {
		t.Errorf("lost %v,\nwant %v", gaps, lost.Gaps)
	}
}

// wantReadable reads all that is whole, from each Damage to the next.
func (s *shop) wantReadable(t *testing.T, j *journal.Journal, damaged []journal.Damage, end uint64) {
	t.Helper()
	at := uint64(0)
	for _, d := range damaged {
		if d.First == 0 || d.Last < d.First {
			continue
		}
		got, err := lines(j, at)
		wantKind(t, fmt.Sprintf("since %d", at), err, pos.Corrupt)
		s.wantLines(t, got, at, d.First-1)
		for n := d.First; n <= d.Last; n++ {
			_, err := j.Read(n)
			wantKind(t, fmt.Sprintf("record %d", n), err, pos.Corrupt)
		}
		at = d.Last
	}
	got, err := lines(j, at)
	if err != nil {
		t.Errorf("since %d: %v", at, err)
	}
	s.wantLines(t, got, at, end)
}

func (s *shop) wantLines(t *testing.T, got []string, after, to uint64) {
	t.Helper()
	if uint64(len(got)) != to-after {
		t.Errorf("%d records after %d, want %d", len(got), after, to-after)
		return
	}
	for i, line := range got {
		if !strings.HasPrefix(line, fmt.Sprintf(`{"n":%d,`, after+uint64(i)+1)) {
			t.Errorf("record %d is %.20s", after+uint64(i)+1, line)
		}
	}
}

// TestOtherTill: the card of one till in another one's board.
func TestOtherTill(t *testing.T) {
	for _, missing := range []bool{false, true} {
		s := newShop(t)
		if missing {
			s.Poke(s.files[0], nil)
		}
		o := options(s)
		_, o.Key, _ = ed25519.GenerateKey(nil)
		_, err := journal.Open(dir, o)
		wantKind(t, "another till's journal", err, pos.Corrupt)
	}
}

// TestDestroyed: more than can be fenced. Nothing may be touched.
func TestDestroyed(t *testing.T) {
	d := journaltest.New(1, false)
	var every []byte // second line of a journal
	prev := pos.Hash{}
	for n := range uint64(2010) {
		r, err := pos.Seal(pos.Record{N: n + 1, Kind: "x", Body: []byte(`1`), At: opening, Prev: prev}, key)
		if err != nil {
			t.Fatal(err)
		}
		if prev = r.Hash; n%2 == 0 {
			every = append(every, r.Line...)
		}
	}
	s := newShop(t)
	tests := map[string][]byte{
		"a thousand places":   every,
		"more than one write": append(s.Peek(s.files[0]), bytes.Repeat([]byte("x"), 8*pos.MaxLine+1)...),
	}
	for name, file := range tests {
		path := filepath.Join(dir, "journal-00000001.jsonl")
		d.Poke(path, file)
		_, err := journal.Open(dir, options(d))
		wantKind(t, name, err, pos.Corrupt)
		if !bytes.Equal(d.Peek(path), file) || len(d.Files()) != 1 {
			t.Errorf("%s: the files changed", name)
		}
	}
}

// TestLargeHole: a hole in the end that is larger than any write is no unfinished
// one. It is fenced.
func TestLargeHole(t *testing.T) {
	s := newShop(t)
	s.Poke(s.files[2], append(s.Peek(s.files[2]), append(make([]byte, 8*pos.MaxLine+1), '\n')...))
	j := open(t, dir, s)
	last, _ := j.Last()
	if d := j.Damage(); len(d) != 1 || d[0].First != 21 || d[0].Last != 21 || j.Torn() != 0 || last != 21 {
		t.Errorf("ends at %d, damage %v, %d bytes torn", last, d, j.Torn())
	}
}

// TestEndUnreadable: a medium that does not give the last block may give it the next
// time. Nothing may be cut.
func TestEndUnreadable(t *testing.T) {
	s := newShop(t)
	before := s.snapshot()
	s.Spoil(s.files[2], int64(len(before[s.files[2]]))-10, 10)
	_, err := journal.Open(dir, options(s))
	wantKind(t, "the end cannot be read", err, pos.Unavailable)
	for path, b := range before {
		if !bytes.Equal(s.Peek(path), b) {
			t.Errorf("%s changed", path)
		}
	}
}

// TestTornTails: what a write leaves that was never finished is cut, and kept, also
// through a power cut right behind Open.
func TestTornTails(t *testing.T) {
	s := newShop(t)
	whole := s.Peek(s.files[2])
	openLarge := func(s *shop) *journal.Journal {
		o := options(s)
		o.SegmentBytes = 64 << 10
		j, err := journal.Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	j := openLarge(s)
	size := len(add(t, j, batch(3, 1600)...)[0].Line)
	shut(t, j)
	three := s.Peek(s.files[2])[len(whole):]
	hole := func(from, to int) []byte { // the whole sectors between
		b := bytes.Clone(three)
		at := len(whole)
		clear(b[max(0, (at+from+511)/512*512-at):min(len(b), (at+to)/512*512-at)])
		return b
	}
	tests := []struct {
		name string
		tail []byte
		end  uint64
		torn int
	}{
		{"half a line", three[:200], 20, 200},
		{"a line of a batch", three[:size], 20, size},
		{"a line and a half", three[:size+100], 20, size + 100},
		{"all but the newline", three[:len(three)-1], 23, 0},
		{"zeros", make([]byte, 5000), 20, 5000},
		{"its size and nothing else", make([]byte, len(three)), 20, len(three)},
		{"first sectors missing", hole(-511, 600), 20, len(three)},
		{"middle missing", hole(size, 2*size), 20, len(three)},
		{"end missing", hole(2*size, len(three)), 20, len(three)},
		{"a newline first", append([]byte("\n"), three[:100]...), 21, 100},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newShop(t)
			s.Disk = s.copy(uint64(i)) // another luck each time
			s.Poke(s.files[2], append(bytes.Clone(whole), test.tail...))
			j := openLarge(s)
			if last, _ := j.Last(); last != test.end || j.Torn() != int64(test.torn) {
				t.Errorf("ends at %d, %d bytes torn, want %d and %d", last, j.Torn(), test.end, test.torn)
			}
			s.CutPower()
			s.Restart()
			if test.torn > 0 {
				wantAside(t, s.Disk, string(test.tail[len(test.tail)-test.torn:]))
			}
			j = openLarge(s)
			if r := add(t, j, entry(40)); r[0].N != test.end+1 || j.Torn() != 0 {
				t.Errorf("record %d, want %d; %d bytes torn", r[0].N, test.end+1, j.Torn())
			}
		})
	}
}

// TestChainBehindRot: the last line rots, and the next record must carry the hash that
// the lost one had, so that the chain holds when its bytes are found again.
func TestChainBehindRot(t *testing.T) {
	s := newShop(t)
	last := s.all[19]
	want, err := pos.ParseRecord([]byte(last))
	if err != nil {
		t.Fatal(err)
	}
	hash := strings.Index(last, `,"hash":"`) + len(`,"hash":"`)
	other := map[byte]string{'0': "1"}[last[hash]]
	if other == "" {
		other = "0"
	}
	tests := map[string]string{
		"its body":      spoilt(last),
		"its hash":      last[:hash] + other + last[hash+1:],
		"its signature": last[:len(last)-20] + "!" + last[len(last)-19:],
	}
	for name, line := range tests {
		s := newShop(t)
		s.edit(2, func(l []string) []string { l[len(l)-1] = line; return l })
		j := open(t, dir, s)
		if r := add(t, j, entry(40)); r[0].N != 21 || r[0].Prev != want.Hash {
			t.Errorf("%s: the next record is %d behind %v, want 21 behind %v", name, r[0].N, r[0].Prev, want.Hash)
		}
	}
}

// TestMarksAreCut: where records stood that were cut off, other ones stand now.
func TestMarksAreCut(t *testing.T) {
	d, all := filled(t, 3)
	path := d.Files()[0]
	o := options(d)
	o.SegmentBytes = 1 << 20
	j, err := journal.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	add(t, j, batch(3, 100<<10)...)
	shut(t, j)
	b := d.Peek(path)
	d.Poke(path, b[:len(b)-10])
	if j, err = journal.Open(dir, o); err != nil {
		t.Fatal(err)
	}
	for range 6 {
		add(t, j, entry(40<<10))
	}
	for n := uint64(1); n <= uint64(len(all)+6); n++ {
		if r, err := j.Read(n); err != nil || r.N != n {
			t.Errorf("record %d: %v", n, err)
		}
	}
}

// TestFlippedBit flips one bit of every byte of a small journal, and all bits where
// that differs: in the end of the last record, and in its spaces, which can turn into
// zero bytes. Verify must name the line. Open must go on, lose no record but the
// one hit, never give out a promised number again, and keep the bytes.
func TestFlippedBit(t *testing.T) {
	d := journaltest.New(1, false)
	o := options(d)
	o.SegmentBytes = 1600
	j, err := journal.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 1, 2} {
		add(t, j, batch(n, 24)...)
	}
	all, err := lines(j, 0)
	if err != nil || len(d.Files()) != 2 {
		t.Fatal(err, d.Files())
	}
	shut(t, j)
	f := flip{disk: d, all: all, copies: d.Export(t, "*")}
	for i, path := range d.Files() {
		held := d.Peek(path)
		f.path, f.copy, f.line = path, f.copies[i], 1
		for at, b := range held {
			for bit := range 8 {
				if bit == at%8 || f.n == len(all)-1 && (b == ' ' || at > len(held)-200) {
					f.where = fmt.Sprintf("record %d byte %d bit %d", f.n+1, at, bit)
					f.check(t, append(append(bytes.Clone(held[:at]), b^1<<bit), held[at+1:]...))
				}
			}
			if b == '\n' {
				f.n, f.line = f.n+1, f.line+1
			}
		}
		f.put(t, held)
	}
}

// flip is one flipped bit.
type flip struct {
	disk   *journaltest.Disk
	all    []string // lines as they were
	copies []string // real files, for Verify
	path   string   // of the file that is hit, on the disk
	copy   string   // its copy
	line   int      // of path
	n      int      // records before the one hit
	where  string
}

func (f *flip) put(t *testing.T, b []byte) {
	t.Helper()
	f.disk.Poke(f.path, b)
	write(t, f.copy, b)
}

func (f *flip) check(t *testing.T, b []byte) {
	t.Helper()
	f.put(t, b)
	r, err := journal.Verify(pub, f.copies...)
	if err == nil || r.Bad == nil || r.Bad.File != filepath.Base(f.path) || r.Bad.Line != f.line || r.Last != uint64(f.n) {
		t.Errorf("%s: verify: %v, %+v", f.where, err, r)
	}
	j := open(t, dir, (&shop{Disk: f.disk}).copy(1))
	last, _ := j.Last()
	if j.Torn() > 0 || last < uint64(len(f.all)) || len(j.Damage()) > 1 {
		t.Fatalf("%s: ends at %d, %d bytes torn, %v", f.where, last, j.Torn(), j.Damage())
	}
	for i, want := range f.all {
		r, err := j.Read(uint64(i + 1))
		merged := i == f.n+1 && len(j.Damage()) == 1 && j.Damage()[0].Last == uint64(i+1) // its newline is hit
		if i != f.n && !merged && (err != nil || string(r.Line) != want) {
			t.Errorf("%s: record %d: %v", f.where, i+1, err)
		}
	}
	if r := add(t, j, entry(40)); r[0].N != last+1 {
		t.Errorf("%s: next is %d, want %d", f.where, r[0].N, last+1)
	}
}
