package soak

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal"
	"github.com/tillwright/tillwright/pos/ledger"
)

// lies are what storage does that no till can survive whole: a person must be told,
// and no number may come twice.
var lies = []struct {
	name string
	do   func(c *crash) bool // false: this crash has nothing to lie about
}{
	{"the journal's end was never written", func(c *crash) bool {
		i := len(c.d.files) - 1
		c.index = index{kind: "as it was at night", text: c.d.files[i].text, holds: i}
		return true
	}},
	{"the journal's last file is gone", func(c *crash) bool {
		files := c.disk.Files()
		if len(files) < 2 {
			return false
		}
		c.disk.Poke(files[len(files)-1], nil)
		return true
	}},
	{"a file in the middle is gone", func(c *crash) bool {
		files := c.disk.Files()
		if len(files) < 3 {
			return false
		}
		c.disk.Poke(files[1+c.rnd.IntN(len(files)-2)], nil)
		return true
	}},
	{"a bit flipped in a record", flipped},
	{"a bit flipped in a record, and the index lost", func(c *crash) bool {
		c.index = index{kind: "deleted", holds: -1}
		return flipped(c)
	}},
	{"bits flipped all over, and the index of another version", func(c *crash) bool {
		i := c.rnd.IntN(len(c.d.files))
		text := bytes.ReplaceAll(c.d.files[i].text, []byte("version"), []byte("visions")) // its name is gone: it does not open
		c.index = index{kind: "of another version", text: text, holds: i}
		return flipped(c) && flipped(c) && flipped(c)
	}},
}

// flipped changes a bit of any line.
func flipped(c *crash) bool {
	files := c.disk.Files()
	if len(files) == 0 {
		return false
	}
	path := files[c.rnd.IntN(len(files))]
	text := c.disk.Peek(path)
	if len(text) == 0 {
		return false
	}
	text[c.rnd.IntN(len(text))] ^= 1 << c.rnd.IntN(8)
	c.disk.Poke(path, text)
	return true
}

// liesWithin bounds the time that a long soak spends on lies.
const liesWithin = 100 * time.Second

// TestLiar has storage lie in each of these ways, at calls all over some days.
func TestLiar(t *testing.T) {
	want := *told
	if testing.Short() {
		want = min(want, 60)
	}
	sum := newTally()
	sum.want = want
	defer time.AfterFunc(liesWithin, func() { sum.late.Store(true) }).Stop()
	dir := workDir(t)
	for s := *seed + 7000; !sum.enough() && !t.Failed(); s++ {
		synctest.Test(t, func(t *testing.T) {
			d := live(t, dir, s*uint64(len(kinds)), 10) // plain days
			rnd := rand.New(rand.NewPCG(s, 2))
			for range 8 * len(lies) {
				at := d.stills[len(d.stills)/3+rnd.IntN(len(d.stills)*2/3)]
				c := &crash{d: d, at: at, disk: hows[0].crash(at.disk, rnd.Uint64()), index: d.indexAt(at.calls, rnd), rnd: rnd, tally: sum}
				lie := lies[rnd.IntN(len(lies))]
				if c.how = lie.name; lie.do(c) {
					c.lied(t)
				}
			}
		})
	}
	t.Logf("lies told %d: the till started, sold, and used no number twice", sum.tried)
}

// lied starts a till on storage that lied, and wants it to say so and to go on.
func (c *crash) lied(t *testing.T) {
	t.Helper()
	must(t, c.index.put(c.d.dir))
	ahead := c.ahead(t)
	net := &network{reqs: c.at.later()}
	x, err := start(parts{disk: c.disk, ledger: ledgerIn(c.d.dir), net: net, boot: "after"})
	if err != nil {
		t.Fatalf("%s: the till does not start: %v", c, err)
	}
	c.tally.point(c)
	b := x.ledger.Books()
	if gaps := x.journal.Lost(); len(gaps) > 0 || ahead > 0 {
		c.told(t, x, b, gaps, ahead)
	}
	a, err := x.do("next-ring", pos.AddItem{SKU: tea.SKU})
	if err == nil {
		_, err = x.do("next-pay", pos.Pay{Sale: a.Sale, Tender: pos.Cash})
	}
	if err != nil {
		t.Errorf("%s: the next sale: %v", c, err)
	}
	v, err := x.Sale(a.Sale)
	if err != nil {
		t.Errorf("%s: the next sale: %v", c, err)
	}
	c.fresh(t, v)
	audit(t, c.String(), x.journal, true, c.tally)
	if err := x.quit(); err != nil {
		t.Errorf("%s: %v", c, err)
	}
	for _, f := range net.faults {
		t.Errorf("%s: %s", c, f)
	}
}

// told wants the loss named on the screen and in the books.
func (c *crash) told(t *testing.T, x *till, b pos.Books, gaps []pos.Gap, ahead uint64) {
	t.Helper()
	if b.Lost == nil {
		t.Errorf("%s: lost %v, ahead to %d, and not said", c, gaps, ahead)
		return
	}
	if ahead > 0 && b.Lost.Tail < ahead {
		t.Errorf("%s: the index was ahead to %d, the till says %d", c, ahead, b.Lost.Tail)
	}
	for _, g := range gaps {
		if !slices.ContainsFunc(b.Lost.Gaps, func(k pos.Gap) bool { return k.First <= g.First && g.Last <= k.Last }) {
			t.Errorf("%s: %v is lost, the till names %v", c, g, b.Lost.Gaps)
		}
	}
	notices := x.View().Counter.Notices
	if !slices.ContainsFunc(notices, func(n pos.Notice) bool {
		return n.Kind == pos.NoticeTrouble && strings.Contains(n.Text, b.Lost.Text("en"))
	}) {
		t.Errorf("%s: the screen shows %+v", c, notices)
	}
}

// ahead returns the last record of the index that was put, if that is sound and ends
// behind the journal.
func (c *crash) ahead(t *testing.T) uint64 {
	t.Helper()
	if c.index.text == nil || c.index.kind == "of another version" {
		return 0
	}
	path := filepath.Join(t.TempDir(), "l")
	must(t, os.WriteFile(path, c.index.text, 0o600))
	l, err := ledger.Open(path)
	if err != nil {
		return 0 // it may tell all the same; that is for a test of its own
	}
	defer l.Close()
	j, err := journal.Open(journalDir, journal.Options{Key: key, SegmentBytes: segmentBytes, FS: c.disk.Copy(1, false)})
	must(t, err)
	defer j.Close()
	if last, _ := j.Last(); l.Books().Last > last {
		return l.Books().Last
	}
	return 0
}

// fresh wants a receipt number and a reference that no record promised before the
// crash had, be it lost or not, as far as any file still told.
func (c *crash) fresh(t *testing.T, v pos.SaleView) {
	t.Helper()
	known := c.d.known(c.at.calls)
	if c.how == lies[0].name { // the index was that of the night
		known = c.d.known(1 << 30)
	}
	if c.how == lies[1].name && c.index.holds < 0 { // nothing is left that could tell
		return
	}
	if c.how == lies[1].name {
		known = min(known, c.d.known(c.d.files[c.index.holds].calls-1))
	}
	for i := range known {
		r := c.d.promised[i]
		var s pos.SaleCompleted
		if r.Kind == pos.KindSaleCompleted && r.Decode(&s) == nil && s.Sale.Receipt >= v.Receipt {
			t.Errorf("%s: DOUBLED receipt %s after %s", c, v.Receipt, s.Sale.Receipt)
		}
		var ch pos.SaleCharged
		if r.Kind == pos.KindSaleCharged && r.Decode(&ch) == nil && ch.Sale.Ref == v.Ref {
			t.Errorf("%s: DOUBLED reference %s", c, v.Ref)
		}
	}
}

// known returns how many records were promised by then.
func (d *day) known(calls int) int {
	n := 0
	for i := range d.promised {
		if d.by[i] <= calls {
			n = i + 1
		}
	}
	return n
}
