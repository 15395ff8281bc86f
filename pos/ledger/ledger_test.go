package ledger_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/ledger"
)

var (
	t0     = time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	eur, _ = pos.CurrencyOf("EUR")
	quiet  = slog.New(slog.DiscardHandler)
	vat    = pos.TaxRate{Code: "A", Milli: 20_000, Included: true}
)

// story is a journal in memory: what a shop did.
type story struct {
	key  ed25519.PrivateKey
	recs []pos.Record
	sold uint64

	charges int // sales charged by charge
}

func newStory(t testing.TB) *story {
	s := &story{key: ed25519.NewKeyFromSeed(make([]byte, 32))}
	s.add(t, pos.KindGenesis, pos.Cmd{}, pos.Genesis{Till: "t", Currency: "EUR", Series: "01"})
	return s
}

func (s *story) add(t testing.TB, kind pos.RecordKind, cmd pos.Cmd, body any) pos.Record {
	t.Helper()
	n, prev := s.Last()
	r, err := pos.Seal(pos.Record{N: n + 1, Kind: kind, Cmd: cmd, Body: pos.NewBody(body), At: t0.Add(time.Duration(n) * time.Second), Prev: prev}, s.key)
	if err != nil {
		t.Fatal(err)
	}
	s.recs = append(s.recs, r)
	return r
}

// sell adds a whole sale: charged, paid (in cash, or by a rail), completed.
func (s *story) sell(t testing.TB, tender pos.Tender) pos.SaleID {
	t.Helper()
	s.sold++
	id := pos.SaleID(fmt.Sprintf("sale%09d", s.sold))
	line, err := pos.NewLine("Tea", "T", 1000, eur.Of(250), vat)
	if err != nil {
		t.Fatal(err)
	}
	sale := pos.Sale{ID: id, Ref: fmt.Sprintf("#%04d", s.sold), State: pos.Awaiting, Currency: "EUR", Opened: t0, Lines: []pos.Line{line}}
	cmd := pos.Cmd{Key: "pay-" + string(id), Digest: "d"}
	s.add(t, pos.KindSaleCharged, cmd, pos.SaleCharged{Sale: sale})
	p := pos.Payment{ID: pos.PaymentIDOf(id, 1), Sale: id, Attempt: 1, Tender: tender, State: pos.Settled, Amount: eur.Of(250), Final: true}
	s.add(t, pos.KindPayment, cmd, pos.PaymentMoved{Payment: p, Event: pos.Settle})
	sale.Payments, sale.State, sale.Receipt = []pos.Payment{p}, pos.Completed, pos.ReceiptNumber("01", s.sold)
	s.add(t, pos.KindSaleCompleted, cmd, pos.SaleCompleted{
		Sale: sale, Totals: pos.Totals{Total: eur.Of(250)}, Count: s.sold, Turnover: eur.Of(250 * int64(s.sold)),
	})
	return id
}

func (s *story) Last() (uint64, pos.Hash) {
	if len(s.recs) == 0 {
		return 0, pos.Hash{}
	}
	r := s.recs[len(s.recs)-1]
	return r.N, r.Hash
}

func (s *story) Read(n uint64) (pos.Record, error) { return s.recs[n-1], nil }

func (s *story) Since(after uint64) iter.Seq2[pos.Record, error] {
	return func(yield func(pos.Record, error) bool) {
		for _, r := range s.recs[min(after, uint64(len(s.recs))):] {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// open opens the ledger in dir and checks the whole file when the test ends.
func open(t testing.TB, path string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
		if err != nil {
			return // harmed on purpose
		}
		defer db.Close()
		db.View(func(tx *bolt.Tx) error {
			for err := range tx.Check() {
				t.Error(err)
			}
			return nil
		})
	})
	return l
}

// content returns everything that the ledger holds, but for what only the clock
// or the order of folding decides.
func content(t testing.TB, l *ledger.Ledger) string {
	t.Helper()
	b := l.Books()
	sales, err := l.Open()
	if err != nil {
		t.Fatal(err)
	}
	filed, err := l.Series(0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	watched, err := l.Watched()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal([]any{b, sales, filed, watched})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestFoldOnce folds a shop's day in pieces that overlap, as after power cuts, and
// wants what one fold from nothing gives.
func TestFoldOnce(t *testing.T) {
	s := newStory(t)
	for range 20 {
		s.sell(t, pos.Cash)
		s.add(t, pos.KindDrawerOpened, pos.Cmd{}, pos.DrawerOpened{Reason: "coins"})
	}
	whole := open(t, filepath.Join(t.TempDir(), "whole"))
	if err := whole.Fold(s.recs...); err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		l := open(t, filepath.Join(t.TempDir(), "pieces"))
		for last := 0; last < len(s.recs); {
			from := rnd.IntN(last + 1)
			to := min(last+1+rnd.IntN(9), len(s.recs))
			if err := l.Fold(s.recs[from:to]...); err != nil {
				t.Fatal(err)
			}
			last = max(last, to)
		}
		if got, want := content(t, l), content(t, whole); got != want {
			t.Fatalf("seed %d: in pieces\n%s\nat once\n%s", seed, got, want)
		}
	}
}

// TestGap leaves a record out: nothing of the piece counts, and the ledger goes on
// only after it is opened anew.
func TestGap(t *testing.T) {
	s := newStory(t)
	s.sell(t, pos.Cash)
	s.sell(t, pos.Cash)
	for name, piece := range map[string][]pos.Record{"at once": s.recs[4:], "behind a good one": {s.recs[3], s.recs[5]}} {
		path := filepath.Join(t.TempDir(), "l")
		l := open(t, path)
		if err := l.Fold(s.recs[:3]...); err != nil {
			t.Fatal(err)
		}
		l.Close()
		l = open(t, path)
		before := content(t, l)
		if err := l.Fold(piece...); pos.KindOf(err) != pos.Corrupt {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := l.Watched(); err == nil {
			t.Errorf("%s: the ledger is read after it failed", name)
		}
		if err := l.Fold(s.recs[3:]...); err == nil {
			t.Errorf("%s: the ledger goes on after it failed", name)
		}
		l.Close()
		l = open(t, path)
		if after := content(t, l); after != before {
			t.Errorf("%s: a refused piece left something behind:\n%s\n%s", name, before, after)
		}
		if err := l.Fold(s.recs[3:]...); err != nil {
			t.Errorf("%s: opened anew: %v", name, err)
		}
	}
}

// TestLazy kills the ledger (by a copy of its file) at once after a fold, and a
// moment later: what was not durable yet comes from the journal again.
func TestLazy(t *testing.T) {
	s := newStory(t)
	s.sell(t, pos.Cash)
	path, copied := filepath.Join(t.TempDir(), "l"), filepath.Join(t.TempDir(), "copy")
	l := open(t, path)
	if err := l.Fold(s.recs...); err != nil {
		t.Fatal(err)
	}
	want := content(t, l) // seen before it is durable
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, text, 0o600); err != nil {
		t.Fatal(err)
	}
	after, err := ledger.Recover(copied, s, t0, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	if got := content(t, after); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := l.BeginJob("", 4); err != nil { // durable, and all before it
		t.Fatal(err)
	}
	l.Close()
	if got := open(t, path).Books(); got.Last != 4 {
		t.Errorf("the books end at %d", got.Last)
	}
}

// TestAnswers repeats commands: the answer names what was made, from the records
// alone, and the oldest are forgotten in the end.
func TestAnswers(t *testing.T) {
	s := newStory(t)
	id := s.sell(t, pos.Cash)
	l := open(t, filepath.Join(t.TempDir(), "l"))
	if err := l.Fold(s.recs...); err != nil {
		t.Fatal(err)
	}
	digest, a, ok, err := l.Answer("pay-" + string(id))
	want := pos.Answer{Sale: id, Payment: pos.PaymentIDOf(id, 1), Record: 2}
	if err != nil || !ok || digest != "d" || a != want {
		t.Errorf("got %+v, %q, %v, %v; want %+v", a, digest, ok, err, want)
	}
	if _, _, ok, err := l.Answer("never"); ok || err != nil {
		t.Errorf("a new key is known: %v", err)
	}
	cmd := pos.Cmd{Key: "basket", Digest: "e"}
	sale := pos.Sale{ID: "draft", State: pos.Draft, Opened: t0}
	if err := l.Keep(pos.DraftChange{Put: &sale, Current: "draft", Cmd: cmd, Answer: pos.Answer{Sale: "draft"}}); err != nil {
		t.Fatal(err)
	}
	if _, a, ok, err := l.Answer("basket"); err != nil || !ok || a.Sale != "draft" {
		t.Errorf("a basket's answer: %+v, %v, %v", a, ok, err)
	}
}

// TestUnsent counts what the backoffice lacks through acknowledgements that go
// forth and back.
func TestUnsent(t *testing.T) {
	s := newStory(t)
	l := open(t, filepath.Join(t.TempDir(), "l"))
	for range 3 {
		s.sell(t, pos.Cash) // completing records 4, 7, 10
	}
	if err := l.Fold(s.recs...); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		acked uint64
		sales int
		minor int64
		first uint64
	}{{0, 3, 750, 4}, {3, 3, 750, 4}, {4, 2, 500, 7}, {6, 2, 500, 7}, {9, 1, 250, 10}, {10, 0, 0, 0}, {7, 1, 250, 10}, {2, 3, 750, 4}, {6, 2, 500, 7}, {99, 0, 0, 0}, {0, 3, 750, 4}} {
		if err := l.Acked(x.acked); err != nil {
			t.Fatal(err)
		}
		if u := l.Books().Unsent; u.Sales != x.sales || u.Amount.Minor != x.minor || u.First != x.first {
			t.Errorf("acknowledged to %d: %+v, want %d sales, %d, first %d", x.acked, u, x.sales, x.minor, x.first)
		}
	}
}

// next is the receipt printer's oldest job.
func next(l *ledger.Ledger) (pos.PrintJob, bool, error) {
	jobs, err := l.Jobs("")
	if len(jobs) == 0 {
		return pos.PrintJob{}, false, err
	}
	return jobs[0], true, err
}

// TestPrints owes one receipt a sale, opens the drawer for cash alone, and after a
// rebuild prints only young receipts, as copies, and opens no drawer.
func TestPrints(t *testing.T) {
	s := newStory(t)
	old := s.sell(t, pos.Cash)
	s.sell(t, "lightning")
	path := filepath.Join(t.TempDir(), "l")
	l := open(t, path)
	if err := l.Fold(s.recs...); err != nil {
		t.Fatal(err)
	}
	j, ok, err := next(l)
	if err != nil || !ok || j.Sale != old || !j.Drawer || j.Begun {
		t.Errorf("the first job is %+v, %v, %v", j, ok, err)
	}
	if all, err := l.Jobs(""); err != nil || len(all) != 2 || all[1].Drawer {
		t.Errorf("jobs %+v, %v", all, err)
	}
	if err := l.BeginJob("", j.ID); err != nil {
		t.Fatal(err)
	}
	if again, _, err := next(l); err != nil || !again.Begun {
		t.Errorf("a job begun is %+v, %v", again, err)
	}
	if err := l.DoneJob("", j.ID); err != nil {
		t.Fatal(err)
	}
	if second, ok, err := next(l); err != nil || !ok || second.Drawer {
		t.Errorf("the second job is %+v, %v, %v", second, ok, err)
	}
	l.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	last := s.recs[len(s.recs)-1].At
	l, err = ledger.Recover(path, s, last.Add(pos.ReceiptWithin-time.Second), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var jobs []pos.PrintJob
	for {
		j, ok, err := next(l)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		jobs = append(jobs, j)
		if err := l.DoneJob("", j.ID); err != nil {
			t.Fatal(err)
		}
	}
	if len(jobs) != 1 || !jobs[0].Begun || jobs[0].Drawer {
		t.Errorf("after a rebuild %+v: want the young receipt alone, as a copy", jobs)
	}
}

// TestPrintsAtWrongTime rebuilds on a board that wakes in 1970: it must not print
// its whole history, only what is young beside the newest paper.
func TestPrintsAtWrongTime(t *testing.T) {
	s := newStory(t)
	for range 10 {
		s.sell(t, pos.Cash)
		for range 1000 { // a second each
			s.add(t, pos.KindSignedOut, pos.Cmd{}, pos.ByActor{})
		}
	}
	s.sell(t, pos.Cash)
	l, err := ledger.Recover(filepath.Join(t.TempDir(), "l"), s, time.Unix(0, 0), quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	first, _, err := next(l)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := s.Last(); first.ID != n || !first.Begun {
		t.Errorf("the oldest paper that comes out is %+v, want record %d's alone", first, n)
	}
}

// TestOtherOffice enrols the till with another backoffice: what the old one held,
// and said, does not count for the new one.
func TestOtherOffice(t *testing.T) {
	s := newStory(t)
	a, b := pos.Enrolled{URL: "https://a", Key: []byte("a")}, pos.Enrolled{URL: "https://a", Key: []byte("b")}
	s.add(t, pos.KindEnrolled, pos.Cmd{}, a)
	s.sell(t, pos.Cash)
	s.add(t, pos.KindCheckpoint, pos.Cmd{}, pos.Checkpoint{N: 5})
	s.add(t, pos.KindFork, pos.Cmd{}, pos.Fork{N: 3})
	l := open(t, filepath.Join(t.TempDir(), "l"))
	for _, x := range []struct {
		name  string
		with  pos.Enrolled
		acked uint64
		sales int
	}{{"the same again", a, 5, 0}, {"another at the same address", b, 0, 1}} {
		s.add(t, pos.KindEnrolled, pos.Cmd{}, x.with)
		if err := l.Fold(s.recs...); err != nil {
			t.Fatal(err)
		}
		got := l.Books()
		if got.Acked != x.acked || got.Unsent.Sales != x.sales || (got.Fork == nil) != (x.acked == 0) || (got.Checkpoint == nil) != (x.acked == 0) {
			t.Errorf("%s: %+v", x.name, got)
		}
		if n := len(s.recs) - 1; got.Enrolment != s.recs[n].Hash {
			t.Errorf("%s: its enrolment is %s", x.name, got.Enrolment)
		}
	}
}

// TestRecover harms the file in every way a card does, page by page too: it is set
// aside, never deleted, and the same state comes back from the journal.
func TestRecover(t *testing.T) {
	s := newStory(t)
	for range 30 {
		s.sell(t, pos.Cash)
	}
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	l := open(t, good)
	if err := l.Fold(s.recs...); err != nil {
		t.Fatal(err)
	}
	want := content(t, l)
	l.Close()
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	harms := map[string]func() []byte{
		"empty":     func() []byte { return nil },
		"half":      func() []byte { return text[:len(text)/2] },
		"no bbolt":  func() []byte { return []byte(strings.Repeat("tea ", 5000)) },
		"one byte":  func() []byte { return text[:1] },
		"untouched": func() []byte { return text },
	}
	for i := range len(text) / page {
		harms[fmt.Sprintf("page %d", i)] = func() []byte {
			b := append([]byte(nil), text...)
			for k := range page {
				b[i*page+k] ^= 0xA5
			}
			return b
		}
	}
	for name, harm := range harms {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "l")
			if err := os.WriteFile(path, harm(), 0o600); err != nil {
				t.Fatal(err)
			}
			l, err := ledger.Recover(path, s, t0.Add(time.Hour), quiet)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if got := content(t, l); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			aside, err := filepath.Glob(path + ".set-aside-*")
			if err != nil || (name == "untouched") != (len(aside) == 0) {
				if !strings.HasPrefix(name, "page") { // a page that nothing uses may be anything
					t.Errorf("set aside: %v, %v", aside, err)
				}
			}
		})
	}
}

// TestOtherHistory puts the ledger of another journal, or of a longer one, beside
// this one.
func TestOtherHistory(t *testing.T) {
	long, other := newStory(t), newStory(t)
	long.sell(t, pos.Cash)
	short := &story{key: long.key, recs: long.recs[:2], sold: 0}
	other.add(t, pos.KindBoot, pos.Cmd{}, pos.Boot{Software: "another"})
	for name, s := range map[string]*story{"longer": short, "another": other} {
		path := filepath.Join(t.TempDir(), "l")
		l := open(t, path)
		if err := l.Fold(long.recs...); err != nil {
			t.Fatal(err)
		}
		l.Close()
		l, err := ledger.Recover(path, s, t0, quiet)
		if err != nil {
			t.Fatal(err)
		}
		n, hash := s.Last()
		if b := l.Books(); b.Last != n || b.Hash != hash {
			t.Errorf("%s: the books end at %d, want %d", name, b.Last, n)
		}
		l.Close()
	}
}

// TestTwoTills opens the same file twice.
func TestTwoTills(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l")
	open(t, path)
	if _, err := ledger.Recover(path, newStory(t), t0, quiet); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("got %v, want unavailable: a file in use is not damaged", err)
	}
}

// TestBooksSurvive closes and opens the file: the books are the same.
func TestBooksSurvive(t *testing.T) {
	s := newStory(t)
	s.sell(t, pos.Cash)
	path := filepath.Join(t.TempDir(), "l")
	l := open(t, path)
	if err := l.Fold(s.recs...); err != nil {
		t.Fatal(err)
	}
	want := l.Books()
	l.Close()
	if got := open(t, path).Books(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestFlippedBits flips single bits all over the file. Whatever they hit, the
// till starts, and tells the same as before.
func TestFlippedBits(t *testing.T) {
	s := newStory(t)
	for range 10 {
		s.sell(t, pos.Cash)
	}
	good := filepath.Join(t.TempDir(), "good")
	l := open(t, good)
	if err := l.Fold(s.recs...); err != nil {
		t.Fatal(err)
	}
	want := content(t, l)
	l.Close()
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	flips := 600
	if testing.Short() {
		flips = 60
	}
	rnd := rand.New(rand.NewPCG(rand.Uint64(), 7)) // others each time
	path := filepath.Join(t.TempDir(), "l")
	for range flips {
		bad := append([]byte(nil), text...)
		bit := rnd.IntN(8 * len(bad))
		bad[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := ledger.Recover(path, s, t0.Add(time.Hour), quiet)
		if err != nil {
			t.Fatalf("bit %d: %v", bit, err)
		}
		if got := content(t, l); got != want {
			t.Errorf("bit %d: got\n%s\nwant\n%s", bit, got, want)
		}
		l.Close()
	}
}
