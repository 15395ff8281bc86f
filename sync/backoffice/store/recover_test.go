package store

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// TestFromVersion3 opens a database of before the searches, with a transfer under way.
// Goal: nothing of it is lost, and what is new works on it.
func TestFromVersion3(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "office.db")
	old, err := open(path, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range append(steps[:3:3],
		`INSERT INTO tills VALUES ('t', x'01', 'Counter', '01', 'EUR', 1, 1, 1, 0, x'00', 1, 0, 0)`,
		`INSERT INTO sweep_deposits VALUES ('A', 'ref A', 'T', 't', 'SALE-1', 5, 6), ('B', 'ref B', 'T', 't', 'SALE-2', 7, 8)`,
		`INSERT INTO sweep_holdings VALUES ('base', 'A', 'USDC', 'USDC', 6, '50', '50', 9), ('bnb', 'B', 'USDC', 'USDC', 18, '7', '0', 9)`,
		`INSERT INTO sweep_read VALUES ('t', 1)`,
		`INSERT INTO sweep_batches VALUES (4, 'base', 'T', 1, 0)`, `INSERT INTO sweep_items VALUES (4, 'A', 'USDC', 'USDC', 6, '50', 'waiting')`,
		`PRAGMA user_version = 3`) {
		if _, err := old.ExecContext(ctx, step); err != nil {
			t.Fatal(err)
		}
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(db.Check(ctx), db.Close()); err != nil {
			t.Error(err)
		}
	}()
	hs, err := db.SweepHoldings(ctx, 10)
	if err != nil || len(hs) != 2 || hs[0].Batch != 4 || hs[0].Deposit.Till != "t" || hs[0].Deposit.Payment != "SALE-1" || hs[1].Newest != "7" || !hs[1].Deposit.Made.Equal(unstamp(7)) {
		t.Fatalf("%+v, %v", hs, err)
	}
	if hs[0].Closed || !hs[0].Began.IsZero() {
		t.Errorf("nobody said that its payment is closed: %+v", hs[0])
	}
	if err := db.r.QueryRowContext(ctx, "SELECT 1 FROM sweep_read").Scan(new(int)); !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("what was read before is not read again: %v", err)
	}
	for i, d := range []Deposit{{Payment: "SALE-1", Made: unstamp(5)}, {Payment: "SALE-1", Made: unstamp(6), Closed: true}, {Payment: "SALE-9", Made: unstamp(8), Closed: true}, {Payment: "SALE-9", Made: unstamp(9)}} {
		d.Address, d.Reference, d.Treasury, d.Next = "A", "ref A", "T", unstamp(6)
		if err := db.SweepAdd(ctx, "t", 1, []Deposit{d}); err != nil {
			t.Fatal(err)
		}
		now, err := db.SweepHoldings(ctx, 10)
		if err != nil || now[0].Closed != (i == 1 || i == 2) || !now[0].Began.Equal(unstamp([]int64{5, 5, 8, 8}[i])) || now[0].Deposit.Payment != "SALE-1" {
			t.Errorf("record %d: %+v, %v", i, now[0], err)
		}
	}
	var broken int
	if err := db.r.QueryRowContext(ctx, "SELECT count(*) FROM pragma_foreign_key_check").Scan(&broken); err != nil || broken != 0 {
		t.Errorf("%d rows lead nowhere, %v", broken, err)
	}
	s, err := db.SeedKeep(ctx, Seed{Scheme: 1, Treasury: "T", Mark: []byte("m"), Sealed: []byte("s"), Kept: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	found := Found{N: 3, Deposit: Deposit{Address: "C", Reference: "ref C", Treasury: "T", Made: time.Now()}}
	known := Found{N: 1, Deposit: Deposit{Address: "A", Reference: "ref A", Treasury: "T", Made: time.Now()}}
	part := SearchPart{
		Seed: s.ID, At: time.Now(), From: 1, SeedNetwork: SeedNetwork{Network: "base", Next: 201, Operators: 2}, Last: 3, Found: []Found{found, known},
		Holdings: []Holding{{Network: "base", Address: "C", Token: "USDC", Symbol: "USDC", Decimals: 6, Newest: "9", Final: "9"}, {Network: "base", Address: "A", Token: "USDC", Symbol: "USDC", Decimals: 6, Newest: "50", Final: "50"}},
	}
	for range 2 { // a second process did the same
		if err := db.SearchSaw(ctx, part); err != nil {
			t.Fatal(err)
		}
	}
	list, err := db.SearchFound(ctx, 0, 10)
	if err != nil || len(list) != 1 || list[0].N != 3 || list[0].Address != "C" || list[0].Deposit.Till != "" {
		t.Errorf("%+v, %v", list, err)
	}
	if hs, err := db.SweepHoldings(ctx, 10); err != nil || len(hs) != 3 {
		t.Errorf("%d balances, %v", len(hs), err)
	}
	back := part
	back.From, back.Next, back.Found, back.Holdings, back.Why, back.Operators, back.Last = 101, 101, nil, nil, "silent", 0, 0
	if err := db.SearchSaw(ctx, back); err != nil {
		t.Fatal(err)
	}
	if s, err = db.Seed(ctx, s.ID); err != nil || s.Last != 3 || s.Networks[0] != (SeedNetwork{"base", 201, "", 2}) {
		t.Errorf("a slower process sets it back: %+v, %v", s, err)
	}
	if _, err := db.SeedKeep(ctx, Seed{Till: "t", Scheme: 1, Treasury: "T", Mark: []byte("m")}); err != nil {
		t.Error(err)
	}
	if _, err := db.SeedKeep(ctx, Seed{Till: "u", Scheme: 1, Treasury: "T", Mark: []byte("m")}); pos.KindOf(err) != pos.Conflict {
		t.Errorf("another till's: %v", err)
	}
}

// TestSearchRuns: a part moves a search on only from where the search is, and never one
// that began anew since; the money that it found is kept whatever it belongs to.
func TestSearchRuns(t *testing.T) {
	ctx := t.Context()
	db, err := Open(ctx, filepath.Join(t.TempDir(), "office.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(db.Check(ctx), db.Close()); err != nil {
			t.Error(err)
		}
	}()
	s, err := db.SeedKeep(ctx, Seed{Scheme: 1, Treasury: "T", Mark: []byte("m"), Sealed: []byte("s"), Kept: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	first := s.Run
	steps := []struct {
		name   string
		forget bool
		run    int64 // since the first
		from   uint64
		next   uint64
		want   uint64 // 0: nothing is known
	}{
		{name: "not from the start", from: 201, next: 401},
		{name: "the first", from: 1, next: 201, want: 201},
		{name: "twice", from: 1, next: 101, want: 201},
		{name: "further", from: 201, next: 401, want: 401},
		{name: "a gap", from: 601, next: 801, want: 401},
		{name: "the last run's first part", forget: true, from: 1, next: 201},
		{name: "the last run's next part", from: 401, next: 601},
		{name: "its own", run: 1, from: 1, next: 201, want: 201},
		{name: "the last run's, from the same place", from: 201, next: 401, want: 201},
		{name: "a run that is not", run: 2, from: 201, next: 401, want: 201},
	}
	for i, step := range steps {
		if step.forget {
			if err := db.SearchForget(ctx, s.ID); err != nil {
				t.Fatal(err)
			}
		}
		found := Found{N: uint64(i) + 1, Deposit: Deposit{Address: step.name, Reference: "ref", Treasury: "T", Made: time.Now()}}
		if err := db.SearchSaw(ctx, SearchPart{Seed: s.ID, At: time.Now(), Run: first + step.run, From: step.from, SeedNetwork: SeedNetwork{Network: "base", Next: step.next}, Found: []Found{found}}); err != nil {
			t.Fatal(err)
		}
		got, err := db.Seed(ctx, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		if at := got.Networks; len(at) == 0 && step.want != 0 || len(at) > 0 && at[0].Next != step.want {
			t.Errorf("%s: %+v, want next %d", step.name, at, step.want)
		}
		if n, err := db.SearchCount(ctx, s.ID); n != i+1 || err != nil {
			t.Errorf("%s: money at %d addresses, %v", step.name, n, err)
		}
	}
}

// TestFromVersion7 opens a database that kept of a transaction only that one left something
// behind. Goal: it is one operator's word from now on, in the transfer that it is about.
func TestFromVersion7(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "office.db")
	old, err := open(path, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range append(steps[:7:7],
		`INSERT INTO tills VALUES ('t', x'01', 'Counter', '01', 'EUR', 1, 1, 1, 0, x'00', 1, 0, 0)`,
		`INSERT INTO sweep_deposits VALUES ('A', 'ref A', 'T', 't', 'SALE-1', 5, 6), ('B', 'ref B', 'T', 't', 'SALE-2', 7, 8)`,
		`INSERT INTO sweep_holdings VALUES ('base', 'A', 'USDC', 'USDC', 6, '50', '50', 9), ('base', 'B', 'USDC', 'USDC', 18, '7', '7', 9)`,
		`INSERT INTO sweep_batches VALUES (3, 'base', 'T', 1, 9, 50), (4, 'base', 'T', 1, 0, 77)`, `INSERT INTO sweep_items VALUES (3, 'A', 'USDC', 'USDC', 6, '50', 'dropped'), (4, 'A', 'USDC', 'USDC', 6, '50', 'waiting')`,
		`INSERT INTO sweep_refused VALUES ('base', 'A', 'USDC', '', '0xfeed'), ('base', 'B', 'USDC', 'frozen', '')`,
		`PRAGMA user_version = 7`) {
		if _, err := old.ExecContext(ctx, step); err != nil {
			t.Fatal(err)
		}
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(db.Check(ctx), db.Close()); err != nil {
			t.Error(err)
		}
	}()
	bs, err := db.SweepBatches(ctx, 9)
	if err != nil || len(bs) != 2 || len(bs[1].Items[0].Words) != 0 || bs[0].UpTo != 77 || len(bs[0].Heard) != 0 {
		t.Fatalf("%+v, %v", bs, err)
	}
	if w := bs[0].Items[0].Words; len(w) != 1 || w[0] != (Word{"A", "USDC", "0xfeed", "", 77}) {
		t.Errorf("%+v", w)
	}
	if hs, err := db.SweepHoldings(ctx, 9); err != nil || len(hs) != 2 || hs[0].Why != "" || hs[1].Why != "frozen" || !hs[1].Tried.IsZero() {
		t.Errorf("%+v, %v", hs, err)
	}
}

// TestWordsBounded: whoever sends transaction after transaction that leaves a balance there
// fills no disk; the newest are kept, of each operator.
func TestWordsBounded(t *testing.T) {
	ctx := t.Context()
	db, err := Open(ctx, filepath.Join(t.TempDir(), "office.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, step := range []string{
		`INSERT INTO tills VALUES ('t', x'01', 'Counter', '01', 'EUR', 1, 1, 1, 0, x'00', 1, 0, 0)`,
		`INSERT INTO sweep_deposits VALUES ('A', 'ref A', 'T', 't', 'SALE-1', 5, 6)`,
		`INSERT INTO sweep_batches VALUES (4, 'base', 'T', 1, 0, 77)`, `INSERT INTO sweep_items VALUES (4, 'A', 'USDC', 'USDC', 6, '50', 'waiting')`,
	} {
		if _, err := db.w.ExecContext(ctx, step); err != nil {
			t.Fatal(err)
		}
	}
	for _, operator := range []string{"one", "two"} {
		h := Heard{Batch: 4, Operator: operator, UpTo: 100}
		for i := range 3 * wordsMax {
			h.Words = append(h.Words, Word{Address: "A", Token: "USDC", Tx: fmt.Sprint(i), Number: uint64(i)})
		}
		for range 2 { // heard twice is heard once
			if err := db.SweepTried(ctx, SweepTry{Network: "base", Heard: []Heard{h}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	b, err := db.SweepBatch(ctx, 4)
	if err != nil {
		t.Fatal(err)
	}
	w := b.Items[0].Words
	if len(w) != 2*wordsMax || w[0].Tx != fmt.Sprint(2*wordsMax) || w[len(w)-1].Tx != fmt.Sprint(3*wordsMax-1) || b.Heard["one"] != 100 {
		t.Errorf("%d words, %v to %v", len(w), w[0], w[len(w)-1])
	}
}
