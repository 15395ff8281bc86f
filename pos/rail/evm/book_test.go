package evm

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// TestBook: what add returned is there after a restart, and no number comes twice,
// whatever is lost.
func TestBook(t *testing.T) {
	m := &cointest.Memory{}
	k, err := openBook(m)
	if err != nil {
		t.Fatal(err)
	}
	if k.seed == (Seed{}) || m.Saves() != 1 {
		t.Fatal("no seed, or not kept before it is used")
	}
	e := func(n uint64, id string) entry {
		return entry{ID: pos.PaymentID(id), N: n, Chain: 8453, Units: "5", End: 100, Treasury: merchant}
	}
	if ok, err := k.add(e(1, "A-1")); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if ok, _ := k.add(e(1, "B-1")); ok {
		t.Fatal("one address for two attempts")
	}
	if err := k.burn(2); err != nil {
		t.Fatal(err)
	}
	again, err := openBook(m)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := again.peek(); n != 3 || again.seed != k.seed {
		t.Fatalf("after a restart the next number is %d", n)
	}
	got, ok := again.find("A-1")
	if want, _ := k.find("A-1"); !ok || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, want %+v", got, want)
	}
	if r := again.reference(got); r.address != AddressOf(merchant, k.seed.Salt(1)) || r.units.Int64() != 5 {
		t.Fatalf("%+v", r)
	}

	m.Fails(errors.New("disk full"))
	if ok, err := again.add(e(3, "C-1")); err == nil || pos.KindOf(err) != pos.Internal {
		t.Fatalf("an address that is not kept: %v, %v", ok, err)
	}
	m.Fails(nil)
	if ok, _ := again.add(e(3, "D-1")); ok {
		t.Fatal("a number that may be on the disk was given again")
	}

	lost, err := openBook(&cointest.Memory{})
	if err != nil || lost.seed == k.seed {
		t.Fatal("a lost book begins with addresses that were used")
	}
}

// TestBookBound: the book never grows beyond its bound, and forgets the oldest.
func TestBookBound(t *testing.T) {
	m := &cointest.Memory{}
	k, err := openBook(m)
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(maxEntries + 10) {
		if ok, err := k.add(entry{ID: pos.PaymentID(fmt.Sprint("S-", n)), N: n + 1, Units: "1"}); err != nil || !ok {
			t.Fatal(err)
		}
	}
	if _, ok := k.find("S-9"); ok || len(k.all()) != maxEntries {
		t.Fatalf("%d entries", len(k.all()))
	}
	if _, err := openBook(m); err != nil {
		t.Fatal(err)
	}
	k.paid("S-20", big.NewInt(7))
	k.drop("S-21")
	if err := k.burn(0); err != nil {
		t.Fatal(err)
	}
	again, err := openBook(m)
	if err != nil {
		t.Fatal(err)
	}
	if e, _ := again.find("S-20"); e.Paid != "7" {
		t.Errorf("%+v", e)
	}
	if _, ok := again.find("S-21"); ok {
		t.Error("dropped, and there")
	}
}

// TestDamagedBook: a book that cannot be read stops the till's stablecoins instead of
// beginning anew.
func TestDamagedBook(t *testing.T) {
	m := &cointest.Memory{}
	k, err := openBook(m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.add(entry{ID: "A-1", N: 1, Units: "5", Treasury: merchant}); err != nil {
		t.Fatal(err)
	}
	whole := string(m.Bytes())
	for name, b := range map[string]string{
		"cut":             whole[:len(whole)-9],
		"another version": strings.Replace(whole, `"version":1`, `"version":2`, 1),
		"half a seed":     strings.Replace(whole, `"seed":"`, `"seed":"0`, 1),
		"counter back":    strings.Replace(whole, `"next":2`, `"next":1`, 1),
		"no amount":       strings.Replace(whole, `"units":"5"`, `"units":"0"`, 1),
		"unknown key":     strings.Replace(whole, `"version"`, `"more":1,"version"`, 1),
		"not JSON":        "hello",
	} {
		if _, err := openBook(cointest.Kept([]byte(b))); pos.KindOf(err) != pos.Corrupt {
			t.Errorf("%s: %v", name, err)
		}
	}
	none := &cointest.Memory{}
	none.Fails(errors.New("no card"))
	if _, err := openBook(none); err == nil {
		t.Error("a disk that does not answer was taken for an empty one")
	}
}

// TestReference: a flipped bit anywhere in a kept reference is noticed, or changes
// nothing about where money is looked for and where a sweep brings it.
func TestReference(t *testing.T) {
	salt := Seed{3}.Salt(7)
	for _, r := range []reference{
		{Scheme, 7, 99, 1e9, merchant, salt, AddressOf(merchant, salt), big.NewInt(12_340_100), 0},
		{Scheme, 7, 99, 1e9, merchant, salt, AddressOf(merchant, salt), big.NewInt(12_340_100), 1_700_000_000},
		{schemeShared, 0, 99, 1e9, merchant, [32]byte{}, merchant, big.NewInt(12_340_100), 0},
	} {
		s := r.String()
		if got, err := readReference(s); err != nil || got.String() != s {
			t.Fatalf("%s: %+v, %v", s, got, err)
		}
		if len(s) > 256 {
			t.Errorf("a reference of %d bytes", len(s))
		}
		for i := range s {
			b := []byte(s)
			b[i] ^= 1
			got, err := readReference(string(b))
			if err == nil && (got.address != r.address || got.treasury != r.treasury || got.salt != r.salt || got.scheme != r.scheme) {
				t.Errorf("%s reads as %+v", b, got)
			}
			if err != nil && pos.KindOf(err) != pos.Corrupt {
				t.Errorf("%v", err)
			}
		}
	}
}

func FuzzReference(f *testing.F) {
	salt := Seed{3}.Salt(7)
	f.Add(reference{Scheme, 7, 99, 1e9, merchant, salt, AddressOf(merchant, salt), big.NewInt(12_340_100), 0}.String())
	f.Add("evm 0 0 1 x y z 1")
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := readReference(s); err == nil && r.String() != s {
			t.Errorf("%q is written as %q", s, r.String())
		}
	})
}

// FuzzBook: whatever is on the disk, reading it ends, and what is read can be kept.
func FuzzBook(f *testing.F) {
	m := &cointest.Memory{}
	k, _ := openBook(m)
	_, _ = k.add(entry{ID: "A-1", N: 1, Units: "5", Treasury: merchant})
	f.Add(m.Bytes())
	f.Add([]byte(`{"version":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := openBook(cointest.Kept(b))
		if err != nil || len(bytes.TrimSpace(b)) == 0 {
			return
		}
		for _, e := range k.all() {
			if e.units() == nil || e.units().Sign() <= 0 {
				t.Errorf("an entry of %q units", e.Units)
			}
		}
	})
}

// TestBookThatFails: a disk that is full keeps nothing, so nothing may be shown: neither
// at the first try nor at the next. When it keeps again, no number comes twice.
func TestBookThatFails(t *testing.T) {
	m := &cointest.Memory{}
	k, err := openBook(m)
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(maxEntries) {
		if _, err := k.add(entry{ID: pos.PaymentID(fmt.Sprint("S-", n)), N: n + 1, Units: "1"}); err != nil {
			t.Fatal(err)
		}
	}
	m.Fails(errors.New("disk full"))
	for range 2 {
		n, _ := k.peek()
		if _, err := k.add(entry{ID: "A-1", N: n, Units: "5"}); err == nil {
			t.Fatal("kept on a full disk")
		}
		if e, ok := k.find("A-1"); ok {
			t.Fatalf("what is not on the disk is found: %+v", e)
		}
	}
	if _, err := k.add(entry{ID: "B-1", Units: "5"}); err == nil {
		t.Fatal("kept on a full disk")
	} else if _, ok := k.find("B-1"); ok {
		t.Fatal("an amount that is not on the disk is found")
	}
	if _, ok := k.find("S-0"); !ok || len(k.all()) != maxEntries {
		t.Fatal("the oldest was pushed out by what was not kept")
	}
	m.Fails(nil)
	n, _ := k.peek()
	if ok, err := k.add(entry{ID: "A-1", N: n, Units: "5"}); !ok || err != nil || n != maxEntries+3 {
		t.Fatalf("number %d: %v, %v", n, ok, err)
	}
}

// TestAskThatIsNotKept: the same as the cashier meets it, through a power cut.
func TestAskThatIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base")
		w.start()
		r := w.Ready("usdc-base")
		w.Store.Fails(errors.New("disk full"))
		p := cointest.Intended(r, "SALE000000001", 5_000_000)
		for range 2 {
			if a, err := r.Ask(t.Context(), p, ""); err == nil {
				t.Fatalf("shown, and not kept: %s", a.Reference)
			}
		}
		w.Store.Fails(nil)
		if q := w.Requested(r, "SALE000000001", 5_000_000); !strings.Contains(string(w.Store.Bytes()), string(q.ID)) {
			t.Error("shown, and not kept")
		}
		w.Stop()
	})
}

// TestBind: the storage of a till is copied to a second one, and each is enrolled by
// itself. No address is given by both, the old requests are where they were, also after a
// restart, and one identity never changes the seed.
func TestBind(t *testing.T) {
	m := &cointest.Memory{}
	first, err := openBook(m)
	if err != nil {
		t.Fatal(err)
	}
	add := func(k *book, id string) reference {
		t.Helper()
		n, _ := k.peek()
		if ok, err := k.add(entry{ID: pos.PaymentID(id), N: n, Units: "5", Treasury: merchant}); err != nil || !ok {
			t.Fatal(ok, err)
		}
		e, _ := k.find(pos.PaymentID(id))
		return k.reference(e)
	}
	before := add(first, "A-1")
	seed := first.secret()
	if err := first.bind("till 1, enrolled on Monday"); err != nil || first.secret() != seed {
		t.Fatalf("an unbound book got another seed: %v", err)
	}
	copied := cointest.Kept(m.Bytes())
	second, err := openBook(copied)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.bind("till 1, enrolled on Monday"); err != nil || second.secret() != seed {
		t.Fatalf("a restart made another seed: %v", err)
	}
	copied.Fails(errors.New("disk full"))
	if err := second.bind("till 1, enrolled on Tuesday"); err == nil || second.secret() == seed {
		t.Fatalf("a failing disk keeps the copy's seed: %v", err)
	}
	copied.Fails(nil)
	mine, theirs := add(first, "B-1"), add(second, "B-1")
	if mine.address == theirs.address {
		t.Fatal("one address at two tills")
	}
	again, err := openBook(copied)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []*book{second, again} {
		e, ok := k.find("A-1")
		if got := k.reference(e); !ok || got.String() != before.String() {
			t.Errorf("the old request is at %s, and was at %s", got, before)
		}
		e, _ = k.find("B-1")
		if got := k.reference(e); got.String() != theirs.String() {
			t.Errorf("the new request is at %s, and was at %s", got, theirs)
		}
	}
	if again.secret() != second.secret() || again.of != "till 1, enrolled on Tuesday" {
		t.Error("another seed after a restart")
	}
	for _, bad := range []string{"", strings.Repeat("x", maxIdentity+1)} {
		if err := first.bind(bad); pos.KindOf(err) != pos.Invalid {
			t.Errorf("bound to %d bytes: %v", len(bad), err)
		}
	}
	for _, salt := range []string{"00", "xy"} {
		bad := strings.Replace(string(copied.Bytes()), `"salt":"`, `"salt":"`+salt, 1)
		if _, err := openBook(cointest.Kept([]byte(bad))); pos.KindOf(err) != pos.Corrupt {
			t.Errorf("a salt that begins with %q: %v", salt, err)
		}
	}
}
