package ledger_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"iter"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/ledger"
)

// worn is a story some of whose records cannot be read any more.
type worn struct {
	*story
	rotten map[uint64]bool
	end    uint64 // the journal ends here; 0 is where the story does
}

func (w *worn) Last() (uint64, pos.Hash) {
	r := w.kept()[len(w.kept())-1]
	return r.N, r.Hash
}

func (w *worn) kept() []pos.Record {
	if w.end > 0 {
		return w.recs[:w.end]
	}
	return w.recs
}

func (w *worn) Read(n uint64) (pos.Record, error) {
	switch {
	case n == 0 || n > uint64(len(w.kept())):
		return pos.Record{}, pos.E("read record", pos.NotFound, "no record %d", n)
	case w.rotten[n]:
		return pos.Record{}, pos.E("read record", pos.Corrupt, "record %d is damaged", n)
	}
	return w.recs[n-1], nil
}

func (w *worn) Since(after uint64) iter.Seq2[pos.Record, error] {
	return func(yield func(pos.Record, error) bool) {
		for n := after + 1; n <= uint64(len(w.kept())); n++ {
			r, err := w.Read(n)
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// gaps are the runs of rotten records.
func (w *worn) gaps() []pos.Gap {
	var l pos.RecordsLost
	for n := range w.rotten {
		if n <= uint64(len(w.kept())) {
			l = l.With(pos.Gap{First: n, Last: n})
		}
	}
	return l.Gaps
}

// truth is what really happened, for a journal that nothing happened to.
type truth struct {
	count     uint64
	completed map[pos.SaleID]uint64 // by the record that did
	charged   map[pos.SaleID]uint64
	over      map[pos.SaleID]bool
	refs      int
}

func (s *story) truth(t *testing.T) truth {
	t.Helper()
	out := truth{completed: map[pos.SaleID]uint64{}, charged: map[pos.SaleID]uint64{}, over: map[pos.SaleID]bool{}}
	for _, r := range s.recs {
		switch r.Kind {
		case pos.KindSaleCharged:
			var v pos.SaleCharged
			must(t, r.Decode(&v))
			out.charged[v.Sale.ID] = r.N
			out.refs = max(out.refs, number(t, v.Sale.Ref))
		case pos.KindSaleCompleted:
			var v pos.SaleCompleted
			must(t, r.Decode(&v))
			out.completed[v.Sale.ID], out.count, out.over[v.Sale.ID] = r.N, v.Count, true
		case pos.KindSaleCancelled:
			var v pos.SaleCancelled
			must(t, r.Decode(&v))
			out.over[v.Sale] = true
		}
	}
	return out
}

func number(t *testing.T, ref string) (n int) {
	t.Helper()
	if _, err := fmt.Sscanf(ref, "#%d", &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// day is a story with everything in it that a gap can tear apart: sales of one
// command, sales over a rail that take several, one put aside, one given up.
func day(t *testing.T) *story {
	s := newStory(t)
	s.add(t, pos.KindBoot, pos.Cmd{}, pos.Boot{})
	for range 2 {
		s.sell(t, pos.Cash)
	}
	aside := s.charge(t)
	s.sell(t, pos.Cash)
	railed := s.charge(t)
	s.settle(t, railed)
	s.sell(t, pos.Cash)
	given := s.charge(t)
	s.add(t, pos.KindSaleCancelled, pos.Cmd{}, pos.SaleCancelled{Sale: given.ID, Ref: given.Ref})
	s.sell(t, "lightning")
	s.settle(t, aside)
	s.charge(t) // stays open
	s.add(t, pos.KindSignedOut, pos.Cmd{}, pos.ByActor{})
	return s
}

// charge charges a sale whose payment takes a while.
func (s *story) charge(t *testing.T) pos.Sale {
	t.Helper()
	s.charges++
	ref := int(s.sold) + s.charges
	line, err := pos.NewLine("Tea", "T", 1000, eur.Of(250), vat)
	must(t, err)
	sale := pos.Sale{ID: pos.SaleID(fmt.Sprintf("rail%09d", s.charges)), Ref: fmt.Sprintf("#%04d", ref), State: pos.Awaiting,
		Currency: "EUR", Opened: t0.Add(time.Duration(s.charges) * time.Second), Lines: []pos.Line{line}}
	p := pos.Payment{ID: pos.PaymentIDOf(sale.ID, 1), Sale: sale.ID, Attempt: 1, Tender: "lightning", State: pos.Requested, Amount: eur.Of(250)}
	s.add(t, pos.KindSaleCharged, pos.Cmd{}, pos.SaleCharged{Sale: sale})
	s.add(t, pos.KindPayment, pos.Cmd{}, pos.PaymentMoved{Payment: p, Event: pos.Request})
	sale.Payments = []pos.Payment{p}
	return sale
}

// settle completes it.
func (s *story) settle(t *testing.T, sale pos.Sale) {
	t.Helper()
	s.sold++
	p := sale.Payments[0]
	p.State, p.Final = pos.Settled, true
	s.add(t, pos.KindPayment, pos.Cmd{}, pos.PaymentMoved{Payment: p, Event: pos.Settle})
	sale.Payments, sale.State, sale.Receipt = []pos.Payment{p}, pos.Completed, pos.ReceiptNumber("01", s.sold)
	s.add(t, pos.KindSaleCompleted, pos.Cmd{}, pos.SaleCompleted{
		Sale: sale, Totals: pos.Totals{Total: eur.Of(250)}, Count: s.sold, Turnover: eur.Of(250 * int64(s.sold)),
	})
}

// check holds a rebuilt ledger against what really happened.
func (w *worn) check(t *testing.T, l *ledger.Ledger, what string) {
	t.Helper()
	b, truth := l.Books(), w.truth(t)
	last, hash := w.Last()
	if b.Last != last || b.Hash != hash {
		t.Errorf("%s: the books end at %d, want %d", what, b.Last, last)
	}
	if b.Lost == nil || !b.Untold || !sameGaps(b.Lost.Gaps, w.gaps()) {
		t.Errorf("%s: lost %+v, untold %v, want %v", what, b.Lost, b.Untold, w.gaps())
	}
	if b.Count < truth.count || b.Refs < uint64(truth.refs) {
		t.Errorf("%s: %d sales and %d references counted of %d and %d: a number would be given out twice", what, b.Count, b.Refs, truth.count, truth.refs)
	}
	open, err := l.Open()
	must(t, err)
	for _, s := range open {
		if truth.over[s.ID] && truth.completed[s.ID] > 0 {
			t.Errorf("%s: sale %s is open and was completed", what, s.Ref)
		}
	}
	for id, n := range truth.completed {
		f, err := l.Filed(id)
		if known := err == nil && f.Record == n; known == w.rotten[n] {
			t.Errorf("%s: sale %s: %+v, %v", what, id, f, err)
		}
	}
	w.onTheCounter(t, open, *b.Lost, truth, what)
	if n := len(truth.completed) - len(w.lostSales(truth)); b.Unsent.Sales != n {
		t.Errorf("%s: %d sales wait for the backoffice, want %d", what, b.Unsent.Sales, n)
	}
}

// onTheCounter demands that a sale that is not over is open, or named as doubtful.
func (w *worn) onTheCounter(t *testing.T, open []pos.Sale, lost pos.RecordsLost, truth truth, what string) {
	t.Helper()
	for id, n := range truth.charged {
		var sale pos.SaleCharged
		must(t, w.recs[n-1].Decode(&sale))
		there := slices.ContainsFunc(open, func(s pos.Sale) bool { return s.ID == id }) || slices.Contains(lost.Doubtful, sale.Sale.Ref)
		if !there && !truth.over[id] && !w.rotten[n] {
			t.Errorf("%s: sale %s is neither open nor named", what, sale.Sale.Ref)
		}
	}
}

func (w *worn) lostSales(truth truth) (out []pos.SaleID) {
	for id, n := range truth.completed {
		if w.rotten[n] {
			out = append(out, id)
		}
	}
	return out
}

func sameGaps(a, b []pos.Gap) bool {
	return slices.EqualFunc(a, b, func(x, y pos.Gap) bool { return x.First == y.First && x.Last == y.Last })
}

func (w *worn) recover(t *testing.T, path string, o ...ledger.Option) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Recover(path, w, t0.Add(time.Hour), quiet, o...)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// TestRottenRecord loses the index, and each record of a day, and each pair, and
// each run, in turn. The till starts; what is missing is named; no number is given
// out twice; no sale that was completed is open. The next rebuild finds the same.
func TestRottenRecord(t *testing.T) {
	s := day(t)
	n := uint64(len(s.recs))
	lose := func(t *testing.T, what string, rotten ...uint64) {
		w := &worn{story: s, rotten: map[uint64]bool{}}
		for _, r := range rotten {
			w.rotten[r] = true
		}
		path := filepath.Join(t.TempDir(), "l")
		l := w.recover(t, path)
		w.check(t, l, what)
		first := content(t, l)
		must(t, l.Close())
		again := w.recover(t, path)
		if got := content(t, again); got != first {
			t.Errorf("%s: opened again\n%s\nbefore\n%s", what, got, first)
		}
		must(t, again.Close())
		must(t, os.Remove(path))
		if got := content(t, w.recover(t, path)); got != first {
			t.Errorf("%s: rebuilt again\n%s\nbefore\n%s", what, got, first)
		}
	}
	for i := uint64(1); i <= n; i++ {
		lose(t, fmt.Sprint("record ", i), i)
	}
	runs := 12
	if testing.Short() {
		runs = 3
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for range runs {
		a, b := 1+rnd.Uint64N(n), 1+rnd.Uint64N(n)
		lose(t, fmt.Sprint("records ", a, " and ", b), a, b)
		var run []uint64
		for i := min(a, b); i <= max(a, b); i++ {
			run = append(run, i)
		}
		lose(t, fmt.Sprint("records ", run), run...)
	}
}

// TestNothingWasSold: a gap that a later sale proves to hold no completion costs no
// receipt number and takes no sale off the counter.
func TestNothingWasSold(t *testing.T) {
	s := newStory(t)
	s.sell(t, pos.Cash)
	aside := s.charge(t)
	s.add(t, pos.KindSignedOut, pos.Cmd{}, pos.ByActor{})
	rotten := uint64(len(s.recs))
	s.sell(t, pos.Cash)
	w := &worn{story: s, rotten: map[uint64]bool{rotten: true}}
	l := w.recover(t, filepath.Join(t.TempDir(), "l"))
	open, err := l.Open()
	must(t, err)
	if b := l.Books(); b.Count != 2 || b.Unsure != 0 || b.Lost.Sales != 0 || len(b.Lost.Doubtful) != 0 || len(open) != 1 || open[0].ID != aside.ID {
		t.Errorf("books %+v, lost %+v, open %v", b, b.Lost, open)
	}
}

// TestSoldInGap: the next sale's number tells how many completions were lost, and
// the sale that was open then is named, not offered to be paid again.
func TestSoldInGap(t *testing.T) {
	s := newStory(t)
	s.sell(t, pos.Cash)
	paid := s.charge(t)
	s.settle(t, paid)
	n := uint64(len(s.recs))
	s.sell(t, pos.Cash)
	w := &worn{story: s, rotten: map[uint64]bool{n - 1: true, n: true}}
	l := w.recover(t, filepath.Join(t.TempDir(), "l"))
	open, err := l.Open()
	must(t, err)
	watched, err := l.Watched()
	must(t, err)
	b := l.Books()
	if b.Count != 3 || b.Lost.Sales != 1 || !slices.Equal(b.Lost.Doubtful, []string{paid.Ref}) || len(open) != 0 || b.Turnover != eur.Of(750) {
		t.Errorf("books %+v, lost %+v, open %v", b, b.Lost, open)
	}
	if len(watched) != 1 || watched[0].Sale != paid.ID {
		t.Errorf("its payment is not asked about any more: %v", watched)
	}
}

// TestTold records the loss, as the desk does at the next start, and goes on: the
// notice is the same after every later rebuild, and is told once.
func TestTold(t *testing.T) {
	s := day(t)
	last := uint64(len(s.recs))
	w := &worn{story: s, rotten: map[uint64]bool{last: true, last - 5: true}}
	path := filepath.Join(t.TempDir(), "l")
	l := w.recover(t, path)
	lost := *l.Books().Lost
	w.sold = l.Books().Count // the desk goes on from there
	must(t, l.Fold(w.add(t, pos.KindRecordsLost, pos.Cmd{}, lost)))
	if b := l.Books(); b.Untold || b.Unsure != 0 || b.Count != lost.Count {
		t.Errorf("told, and %+v", b)
	}
	w.sell(t, pos.Cash)
	must(t, l.Fold(w.recs[last+1:]...))
	want := content(t, l)
	must(t, l.Close())
	must(t, os.Remove(path))
	l = w.recover(t, path)
	if got := content(t, l); got != want {
		t.Errorf("rebuilt\n%s\nwant\n%s", got, want)
	}
	must(t, l.Close())
	must(t, os.Remove(path))
	w.rotten[3] = true // and one more rots
	l = w.recover(t, path)
	if b := l.Books(); !b.Untold || !sameGaps(b.Lost.Gaps, w.gaps()) {
		t.Errorf("a record that rotted later: untold %v, %+v", b.Untold, b.Lost)
	}
}

// TestUnreadableBody has the chain vouch for a record that holds nonsense.
func TestUnreadableBody(t *testing.T) {
	for _, kind := range []pos.RecordKind{pos.KindGenesis, pos.KindEnrolled, pos.KindCheckpoint, pos.KindFork, pos.KindSaleCharged, pos.KindPayment,
		pos.KindCodeTried, pos.KindOfflineTerms, pos.KindTenderPolicy, pos.KindSaleCompleted, pos.KindSaleCancelled, pos.KindBasketCleared,
		pos.KindLineRemoved, pos.KindReprinted, pos.KindPrintFailed, pos.KindRecordsLost} {
		s := newStory(t)
		s.sell(t, pos.Cash)
		bad := s.add(t, kind, pos.Cmd{}, []string{"nonsense"})
		s.sell(t, pos.Cash)
		before := s.recs[bad.N-2]
		w := &worn{story: s, rotten: map[uint64]bool{}}
		b := w.recover(t, filepath.Join(t.TempDir(), "l")).Books()
		if b.Lost == nil || !sameGaps(b.Lost.Gaps, []pos.Gap{{First: bad.N, Last: bad.N}}) || b.Count != 2 || b.Fork != nil || b.Enrolled != nil || b.Terms != nil {
			t.Errorf("%s behind record %d: %+v, lost %+v", kind, before.N, b, b.Lost)
		}
	}
}

// TestDamageBehind has the index hold everything and the journal lose some of it:
// nothing is missing at the counter, and a person is told all the same.
func TestDamageBehind(t *testing.T) {
	s := day(t)
	n := uint64(len(s.recs))
	for _, rotten := range []uint64{1, 7, n - 1, n} {
		path := filepath.Join(t.TempDir(), "l")
		l := open(t, path)
		must(t, l.Fold(s.recs...))
		want := l.Books()
		must(t, l.Close())
		w := &worn{story: s, rotten: map[uint64]bool{rotten: true}}
		l = w.recover(t, path, ledger.WithGaps([]pos.Gap{{First: rotten, Last: rotten, Why: "rot"}}))
		b := l.Books()
		if b.Count != want.Count || b.Unsure != 0 || b.Lost == nil || !b.Untold || !sameGaps(b.Lost.Gaps, w.gaps()) || b.Lost.Gaps[0].Why != "rot" {
			t.Errorf("record %d: %+v, lost %+v", rotten, b, b.Lost)
		}
		if aside, _ := filepath.Glob(path + ".set-aside-*"); len(aside) > 0 {
			t.Errorf("record %d: the index was set aside", rotten)
		}
		must(t, l.Close())
	}
}

// TestTailLost cuts the journal's end off behind the index's back, at every record:
// a medium that lied, or an old copy. A person is told, no number comes again, and
// a cut in the middle of the recovery forgets nothing.
func TestTailLost(t *testing.T) {
	s := day(t)
	whole := s.truth(t)
	for end := uint64(2); end < uint64(len(s.recs)); end += 3 {
		path := filepath.Join(t.TempDir(), "l")
		l := open(t, path)
		must(t, l.Fold(s.recs...))
		must(t, l.Close())
		w := &worn{story: s, end: end}
		for try, name := range []string{"at once", "cut after it was set aside", "set aside long ago"} {
			if try > 0 {
				must(t, os.Remove(path))
			}
			l := w.recover(t, path)
			b := l.Books()
			if b.Last != end || b.Lost == nil || b.Lost.Tail != uint64(len(s.recs)) || !b.Untold {
				t.Fatalf("ends at %d, %s: %+v, lost %+v", end, name, b, b.Lost)
			}
			if b.Count < whole.count || b.Refs < uint64(whole.refs) || b.Turnover != eur.Of(250*int64(whole.count)) {
				t.Errorf("ends at %d, %s: %d sales, %d references, turnover %v; want %d, %d", end, name, b.Count, b.Refs, b.Turnover, whole.count, whole.refs)
			}
			must(t, l.Close())
		}
		// told, it is told once, and no old index says it again
		short := &worn{story: &story{key: s.key, recs: slices.Clone(s.recs[:end]), sold: whole.count}}
		l = short.recover(t, path)
		must(t, l.Fold(short.add(t, pos.KindRecordsLost, pos.Cmd{}, *l.Books().Lost)))
		short.sell(t, pos.Cash)
		must(t, l.Fold(short.recs[end+1:]...))
		must(t, l.Close())
		must(t, os.Remove(path))
		if b := short.recover(t, path).Books(); b.Untold || b.Count != whole.count+1 || b.Lost.Sales != 0 {
			t.Errorf("ends at %d, told: %+v, lost %+v", end, b, b.Lost)
		}
	}
}

// TestOldIndexTells rots the journal's last record, a sale's completion, together
// with the layout's version or a page of the index: the numbers in it still count.
func TestOldIndexTells(t *testing.T) {
	s := day(t)
	for len(s.recs) == 0 || s.recs[len(s.recs)-1].Kind != pos.KindSaleCompleted {
		s.sell(t, pos.Cash)
	}
	n := uint64(len(s.recs))
	for name, harm := range map[string]func(text []byte) []byte{
		"another version": func(b []byte) []byte { return versioned(t, b, "3") },
		"half of it":      func(b []byte) []byte { return append(b[:8192:8192], bytes.Repeat([]byte{0xA5}, 4096)...) },
	} {
		path := filepath.Join(t.TempDir(), "l")
		l := open(t, path)
		must(t, l.Fold(s.recs...))
		want := l.Books()
		must(t, l.Close())
		text, err := os.ReadFile(path)
		must(t, err)
		if name == "half of it" { // the page with the books stays, wherever it is
			at := bytes.LastIndex(text, []byte("books"))
			page := text[at/4096*4096 : at/4096*4096+4096]
			text = append(bytes.Repeat([]byte("tea "), 2048), page...)
		} else {
			text = harm(text)
		}
		must(t, os.WriteFile(path, text, 0o600))
		w := &worn{story: s, rotten: map[uint64]bool{n: true}}
		b := w.recover(t, path).Books()
		if b.Count != want.Count || b.Refs < want.Refs || b.Turnover != want.Turnover || b.Lost == nil || b.Lost.Tail != 0 {
			t.Errorf("%s: count %d, refs %d, turnover %v, lost %+v; want %d, %d, %v", name, b.Count, b.Refs, b.Turnover, b.Lost, want.Count, want.Refs, want.Turnover)
		}
	}
}

// versioned rewrites a ledger's file as one of another layout.
func versioned(t *testing.T, text []byte, v string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "other")
	must(t, os.WriteFile(path, text, 0o600))
	db, err := bolt.Open(path, 0o600, nil)
	must(t, err)
	must(t, db.Update(func(tx *bolt.Tx) error {
		key := []byte("version")
		value, err := json.Marshal(v)
		must(t, err)
		table := crc32.MakeTable(crc32.Castagnoli)
		sum := crc32.Update(crc32.Checksum(key, table), table, value)
		return tx.Bucket([]byte("meta")).Put(key, append(binary.BigEndian.AppendUint32(nil, sum), value...))
	}))
	must(t, db.Close())
	out, err := os.ReadFile(path)
	must(t, err)
	return out
}

// TestStrangersIndex puts another till's index beside a journal: its numbers are
// not ours.
func TestStrangersIndex(t *testing.T) {
	other := newStory(t)
	for range 30 {
		other.sell(t, pos.Cash)
	}
	mine := &story{key: other.key}
	mine.add(t, pos.KindGenesis, pos.Cmd{}, pos.Genesis{Till: "mine", Currency: "EUR", Series: "01"})
	mine.sell(t, pos.Cash)
	path := filepath.Join(t.TempDir(), "l")
	l := open(t, path)
	must(t, l.Fold(other.recs...))
	must(t, l.Close())
	if b := (&worn{story: mine}).recover(t, path).Books(); b.Count != 1 || b.Lost != nil {
		t.Errorf("%+v, lost %+v", b, b.Lost)
	}
}

// TestNoGenesis loses the first record with the index: an index that was set aside
// and belongs to the chain still knows whose till this is.
func TestNoGenesis(t *testing.T) {
	s := day(t)
	w := &worn{story: s, rotten: map[uint64]bool{1: true}}
	path := filepath.Join(t.TempDir(), "l")
	l := open(t, path)
	must(t, l.Fold(s.recs...))
	must(t, l.Close())
	text, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, versioned(t, text, "3"), 0o600))
	if g := w.recover(t, path).Books().Genesis; g.Till != "t" {
		t.Errorf("the genesis is %+v", g)
	}
	if g := w.recover(t, filepath.Join(t.TempDir(), "l")).Books().Genesis; g.Till != "" {
		t.Errorf("made up: %+v", g)
	}
}

// TestReferences goes round: a reference has four digits.
func TestReferences(t *testing.T) {
	s := newStory(t)
	for i, ref := range []string{"#9998", "#9999", "#0000", "#0003", "#0001"} {
		s.add(t, pos.KindSaleCharged, pos.Cmd{}, pos.SaleCharged{Sale: pos.Sale{ID: pos.SaleID(fmt.Sprint("s", i)), Ref: ref, State: pos.Awaiting}})
	}
	if b := (&worn{story: s}).recover(t, filepath.Join(t.TempDir(), "l")).Books(); b.Refs != 10_003 {
		t.Errorf("%d references were given out, want 10003", b.Refs)
	}
}

// TestLossIsLogged tells the log what a person must know, once a start.
func TestLossIsLogged(t *testing.T) {
	var text bytes.Buffer
	w := &worn{story: day(t), rotten: map[uint64]bool{5: true}}
	l, err := ledger.Recover(filepath.Join(t.TempDir(), "l"), w, t0, slog.New(slog.NewTextHandler(&text, nil)))
	must(t, err)
	must(t, l.Close())
	if got := text.String(); strings.Count(got, "level=ERROR") != 1 || !strings.Contains(got, "Records 5 ") {
		t.Errorf("logged %s", got)
	}
}

// TestBasketInGap has an old index with a basket, which was charged and completed in
// a gap: it must not be there to be sold a second time. One that a later record
// charges is open again.
func TestBasketInGap(t *testing.T) {
	s := newStory(t)
	s.sell(t, pos.Cash)
	path := filepath.Join(t.TempDir(), "l")
	l := open(t, path)
	must(t, l.Fold(s.recs...))
	line, err := pos.NewLine("Tea", "T", 1000, eur.Of(250), vat)
	must(t, err)
	gone := pos.Sale{ID: "sale000000002", Ref: "#0002", State: pos.Draft, Lines: []pos.Line{line}}
	back := pos.Sale{ID: "rail000000001", Ref: "#0003", State: pos.Draft, Lines: []pos.Line{line}}
	must(t, l.Keep(pos.DraftChange{Put: &pos.Sale{ID: "empty", Ref: "#0009", State: pos.Draft}, Refs: 3}))
	must(t, l.Keep(pos.DraftChange{Put: &back, Refs: 3}))
	must(t, l.Keep(pos.DraftChange{Put: &gone, Current: gone.ID, Refs: 3}))
	must(t, l.Close())
	first := uint64(len(s.recs)) + 1
	s.sell(t, pos.Cash)
	w := &worn{story: s, rotten: map[uint64]bool{first: true, first + 1: true, first + 2: true}}
	s.charge(t)
	s.sell(t, pos.Cash)
	l = w.recover(t, path)
	sales, err := l.Open()
	must(t, err)
	b := l.Books()
	if b.Current != "" || len(sales) != 1 || sales[0].ID != back.ID || !slices.Equal(b.Lost.Doubtful, []string{gone.Ref}) {
		t.Errorf("current %q, open %v, lost %+v", b.Current, sales, b.Lost)
	}
}

// TestGapBeforeFirstSale: the next sale is added to a turnover of nothing, which must
// be in the till's currency.
func TestGapBeforeFirstSale(t *testing.T) {
	s := newStory(t)
	rotten := s.add(t, pos.KindSignedOut, pos.Cmd{}, pos.ByActor{})
	w := &worn{story: s, rotten: map[uint64]bool{rotten.N: true}}
	if b := w.recover(t, filepath.Join(t.TempDir(), "l")).Books(); b.Count != 1 || b.Turnover != eur.Zero() {
		t.Errorf("count %d, turnover %+v", b.Count, b.Turnover)
	}
}
