package unique

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/tillwright/tillwright/pos"
)

// memory is a disk that survives a restart, and may be full.
type memory struct {
	mu   sync.Mutex
	b    []byte
	fail error
}

func (m *memory) Load() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]byte(nil), m.b...), m.fail
}

func (m *memory) Save(b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail == nil {
		m.b = append([]byte(nil), b...)
	}
	return m.fail
}

func open(t testing.TB, m *memory, l Lane) *Book {
	t.Helper()
	k, err := Open(m, l)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var step = Step(6, 4)

const now = 1_800_000_000

func take(t testing.TB, k *Book, id string, units int64, at uint64) Entry {
	t.Helper()
	e, err := k.Take(Entry{ID: pos.PaymentID(id), Place: "shop", End: at + 600}, big.NewInt(units), step, at, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTake(t *testing.T) {
	m := &memory{}
	k := open(t, m, Lane{})
	for i, want := range []string{"12340000", "12340100", "12340200"} {
		if e := take(t, k, fmt.Sprint(i), 12_340_000, now); e.Units != want {
			t.Errorf("sale %d: %s, want %s", i, e.Units, want)
		}
	}
	if e := take(t, k, "1", 12_340_000, now); e.Units != "12340100" {
		t.Errorf("asked again: %s", e.Units)
	}
	if e := take(t, k, "odd", 12_340_150, now); e.Units != "12340150" {
		t.Errorf("an odd price: %s", e.Units)
	}
	e, err := k.Take(Entry{ID: "other", Place: "elsewhere", End: now}, big.NewInt(12_340_000), step, now, nil)
	if err != nil || e.Units != "12340000" {
		t.Errorf("another place: %v, %v", e, err)
	}
	k = open(t, m, Lane{})
	if e := take(t, k, "9", 12_340_000, now); e.Units != "12340300" {
		t.Errorf("after a restart: %s", e.Units)
	}
}

// TestHold: an amount is free again when its hold is over, and not a second before.
func TestHold(t *testing.T) {
	k := open(t, &memory{}, Lane{})
	first := take(t, k, "1", 500, now)
	last := first.End + uint64(Hold.Seconds())
	k.Pay("1", big.NewInt(500))
	if e := take(t, k, "2", 500, last); e.Units == "500" {
		t.Error("given again while it is held")
	}
	if e := take(t, k, "3", 500, last+1); e.Units != "500" {
		t.Errorf("not free: %s", e.Units)
	}
	if e := take(t, k, "4", 500, 5); e.Units == "500" {
		t.Error("a clock of 1970 freed it")
	}
}

func TestFull(t *testing.T) {
	k := open(t, &memory{}, Lane{})
	for i := range Slots {
		take(t, k, fmt.Sprint(i), 700, now)
	}
	_, err := k.Take(Entry{ID: "x", Place: "shop", End: now}, big.NewInt(700), step, now, nil)
	if pos.KindOf(err) != pos.Conflict {
		t.Errorf("amount %d of %d: %v", Slots+1, Slots, err)
	}
	for i := Slots; i < MaxEntries; i++ {
		take(t, k, fmt.Sprint(i), int64(i)*1_000_000, now)
	}
	if _, err = k.Take(Entry{ID: "x", Place: "shop", End: now}, big.NewInt(7), step, now, nil); pos.KindOf(err) != pos.Conflict {
		t.Errorf("a full book: %v", err)
	}
}

// TestDisk: what is not on the disk is not given.
func TestDisk(t *testing.T) {
	m := &memory{}
	k := open(t, m, Lane{})
	m.fail = errors.New("full")
	if _, err := k.Take(Entry{ID: "1", Place: "shop", End: now}, big.NewInt(7), step, now, nil); pos.KindOf(err) != pos.Internal {
		t.Errorf("%v", err)
	}
	if _, ok := k.Find("1"); ok {
		t.Error("kept in memory alone")
	}
	if _, err := Open(m, Lane{}); pos.KindOf(err) != pos.Internal {
		t.Errorf("%v", err)
	}
	m.fail = nil
	take(t, k, "1", 7, now)
	for i := range len(m.b) - 1 { // a byte less, a byte changed
		if _, err := read(m.b[:i]); i > 0 && err == nil {
			t.Errorf("a book of %d bytes was read", i)
		}
	}
	for _, bad := range []string{"{}", `{"version":2,"entries":[]}`, `{"version":1,"entries":[{}]}`, `{"version":1,"entries":[],"more":1}`} {
		if _, err := Open(&memory{b: []byte(bad)}, Lane{}); pos.KindOf(err) != pos.Corrupt {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestInvalid(t *testing.T) {
	k := open(t, &memory{}, Lane{})
	for name, c := range map[string]struct {
		e     Entry
		units *big.Int
	}{
		"nothing":      {Entry{ID: "1", Place: "shop"}, new(big.Int)},
		"no amount":    {Entry{ID: "1", Place: "shop"}, nil},
		"too much":     {Entry{ID: "1", Place: "shop"}, new(big.Int).Lsh(big.NewInt(1), 250)},
		"no attempt":   {Entry{Place: "shop"}, big.NewInt(1)},
		"no place":     {Entry{ID: "1"}, big.NewInt(1)},
		"a long place": {Entry{ID: "1", Place: strings.Repeat("x", maxText+1)}, big.NewInt(1)},
	} {
		if _, err := k.Take(c.e, c.units, step, now, nil); pos.KindOf(err) != pos.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, l := range []Lane{{-1, 2}, {2, 2}, {0, -1}, {0, MaxLanes + 1}, {1, 0}} {
		if _, err := Open(&memory{}, l); pos.KindOf(err) != pos.Invalid {
			t.Errorf("lane %+v: %v", l, err)
		}
	}
}

// TestLanes: whatever tills that share an address sell, their amounts never meet, are
// never below the price, and at most a cent above it.
func TestLanes(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		of := rapid.IntRange(1, 5).Draw(r, "tills")
		var books []*Book
		for n := range of {
			books = append(books, open(t, &memory{}, Lane{n, of}))
		}
		given := map[string]bool{}
		for i := range rapid.IntRange(1, 40).Draw(r, "sales") {
			price := rapid.Int64Range(1_000_000, 1_000_700).Draw(r, "price")
			k := books[rapid.IntRange(0, of-1).Draw(r, "till")]
			e, err := k.Take(Entry{ID: pos.PaymentID(fmt.Sprint(i)), Place: "shop", End: now}, big.NewInt(price), step, now, nil)
			if err != nil {
				continue // full
			}
			if n := e.Amount().Int64(); given[e.Units] || n < price || n >= price+Slots*100 {
				r.Fatalf("price %d became %d", price, n)
			}
			given[e.Units] = true
		}
	})
}

func TestPay(t *testing.T) {
	m := &memory{}
	k := open(t, m, Lane{})
	e, err := k.Take(Entry{ID: "1", Place: "shop", End: now}, big.NewInt(500), step, now, func(n *big.Int) string { return "for " + n.String() })
	if err != nil || e.Note != "for 500" || e.Told() != nil {
		t.Fatalf("%+v, %v", e, err)
	}
	k.Pay("1", big.NewInt(501))
	k.Pay("2", big.NewInt(501))
	take(t, k, "2", 900, now)
	all := open(t, m, Lane{}).All()
	if len(all) != 2 || all[0].Told().Int64() != 501 || all[1].Told() != nil || !reflect.DeepEqual(all, k.All()) {
		t.Errorf("%+v", all)
	}
}

// TestKeep: amounts of a book that was lost are held again by the till's records.
func TestKeep(t *testing.T) {
	m := &memory{}
	k := open(t, m, Lane{})
	k.Keep(Entry{ID: "old", Place: "shop", Units: "500", End: now})
	k.Keep(Entry{ID: "old", Place: "shop", Units: "600", End: now})
	k.Keep(Entry{ID: "bad", Place: "shop", Units: "-5", End: now})
	if e := take(t, k, "1", 500, now); e.Units != "600" {
		t.Errorf("%s", e.Units)
	}
	if n := len(open(t, m, Lane{}).All()); n != 2 {
		t.Errorf("%d entries", n)
	}
}

// FuzzRead: whatever the disk holds, the book is read or refused, and what is read is
// written the same.
func FuzzRead(f *testing.F) {
	m := &memory{}
	k := open(f, m, Lane{})
	take(f, k, "1", 500, now)
	f.Add(m.b)
	f.Add([]byte(`{"version":1,"entries":[{"id":"1","place":"p","units":"01","end":1,"note":""}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := read(b)
		if err != nil {
			return
		}
		out, err := json.Marshal(file{1, entries})
		if err != nil {
			t.Fatal(err)
		}
		if again, err := read(out); err != nil || len(again) != len(entries) {
			t.Fatalf("%v, %v", again, err)
		}
	})
}
