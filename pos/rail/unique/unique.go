// Package unique gives sales amounts that tell them apart, where all customers pay to
// one address.
//
// Promise. Two requests that can be paid at the same time never ask for the same
// amount at the same place: what a customer is shown is on the till's disk first, and
// is his alone until Hold after its end. The amount is the price and a little more,
// never less. Tills that share an address never meet, when each has its own Lane.
//
// Limits. It knows nothing of any chain: time is the rail's, who says what now is. A
// rail that asks with a time of the past frees nothing too early. MaxEntries requests
// can be held at once; then there is no more until one ends.
//
// Damage. The Book is one file. A damaged one is reported and not replaced: the
// amounts of payments under way are in it. One that is lost lets amounts be given
// twice within Hold; a rail that finds two requests with one amount must call neither
// of them paid.
package unique

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
)

const (
	// Slots bounds what is added: up to this many steps, at most one cent in steps of a
	// ten-thousandth.
	Slots = 100
	// Hold is how long an amount stays taken after its end: exchanges send withdrawals
	// hours later, people pay yesterday's code, and a chain may turn back a little.
	Hold = 24*time.Hour + 15*time.Minute
	// MaxEntries bounds the book: a day of a busy counter. 1,024 entries are 350 KB,
	// written with every request.
	MaxEntries = 1024
	// MaxLanes is how many tills can share one address.
	MaxLanes = 20

	maxText = 512 // bytes of a Place or a Note
	maxBits = 256 // of an amount
)

// Store keeps the book on the till's own disk.
type Store interface {
	// Load returns what Save was given last, nil before the first time.
	Load() ([]byte, error)
	// Save replaces it whole, and returns when it survives a power cut.
	Save(b []byte) error
}

// Entry is one attempt's request.
type Entry struct {
	ID    pos.PaymentID `json:"id"`
	Place string        `json:"place"`          // where the money comes and what it is: chain, address, token
	Units string        `json:"units"`          // asked for, in all
	End   uint64        `json:"end"`            // the customer's last moment, in seconds since 1970 by the chain
	Note  string        `json:"note"`           // the rail's own: what it finds the money by
	Paid  string        `json:"paid,omitempty"` // units that the till was told of
}

// Lane keeps tills that share an address apart: till N of Of, from 0. Its amounts are
// those whose number of steps leaves N when it is divided by Of. The zero Lane is a
// till that shares with nobody.
type Lane struct{ N, Of int }

// Check fails with Invalid for a lane that cannot be.
func (l Lane) Check() error {
	if l.Of < 0 || l.Of > MaxLanes || l.N < 0 || l.N >= max(l.Of, 1) {
		return pos.E("set up amounts", pos.Invalid, "till %d of %d: an address can be shared by at most %d tills, numbered from 0", l.N, l.Of, MaxLanes)
	}
	return nil
}

// Has reports that an amount is of this lane: of each amount there is exactly one, for a
// part of a step counts as a whole one. step must be positive.
func (l Lane) Has(units, step *big.Int) bool {
	steps := new(big.Int).Add(units, new(big.Int).Sub(step, big.NewInt(1)))
	steps.Quo(steps, step)
	return steps.Mod(steps, big.NewInt(int64(max(l.Of, 1)))).Int64() == int64(l.N)
}

// Book is safe for concurrent use.
type Book struct {
	store Store
	lane  Lane

	mu      sync.Mutex
	entries []Entry // oldest first
}

// Open reads the book, or begins one. It blocks for the disk. It fails with Invalid for
// a lane that cannot be, and with Corrupt when there is a book that cannot be read:
// to begin anew is the owner's decision.
func Open(s Store, l Lane) (*Book, error) {
	const op = "open book of amounts"
	if err := l.Check(); err != nil {
		return nil, err
	}
	b, err := s.Load()
	if err != nil {
		return nil, pos.Wrap(op, pos.Internal, err, "the book of open amounts cannot be read")
	}
	k := &Book{store: s, lane: Lane{l.N, max(l.Of, 1)}}
	if len(b) == 0 {
		return k, nil
	}
	if k.entries, err = read(b); err != nil {
		return nil, pos.Wrap(op, pos.Corrupt, err, "the book of open amounts is damaged")
	}
	return k, nil
}

type file struct {
	Version int     `json:"version"`
	Entries []Entry `json:"entries"`
}

// read reads what write wrote, strictly.
func read(b []byte) ([]Entry, error) {
	var f file
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, err
	}
	bad := f.Version != 1 || len(f.Entries) > MaxEntries || d.More()
	seen := map[pos.PaymentID]bool{}
	for _, e := range f.Entries {
		bad = bad || !e.sound() || seen[e.ID]
		seen[e.ID] = true
	}
	if bad {
		return nil, pos.E("read book of amounts", pos.Corrupt, "not a book of amounts")
	}
	return f.Entries, nil
}

// sound reports that an entry is one.
func (e Entry) sound() bool {
	n, ok := number(e.Units)
	_, ok2 := number(cmp.Or(e.Paid, "0"))
	return ok && ok2 && n.Sign() > 0 && e.ID != "" && e.Place != "" && len(e.Place) <= maxText && len(e.Note) <= maxText && len(e.ID) <= maxText
}

// number reads digits as Int.String writes them.
func number(s string) (*big.Int, bool) {
	if len(s) > 78 {
		return nil, false
	}
	n, ok := new(big.Int).SetString(s, 10)
	return n, ok && n.Sign() >= 0 && n.BitLen() <= maxBits && n.String() == s
}

// write makes the book durable. k.mu is held.
func (k *Book) write() error {
	b, err := json.Marshal(file{1, k.entries})
	if err == nil {
		err = k.store.Save(append(b, '\n'))
	}
	if err != nil {
		return pos.Wrap("write book of amounts", pos.Internal, err, "the till cannot keep a note of this payment's amount")
	}
	return nil
}

// Find returns the entry of an attempt.
func (k *Book) Find(id pos.PaymentID) (Entry, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i := k.index(id); i >= 0 {
		return k.entries[i], true
	}
	return Entry{}, false
}

func (k *Book) index(id pos.PaymentID) int {
	return slices.IndexFunc(k.entries, func(e Entry) bool { return e.ID == id })
}

// All returns the entries, oldest first; the caller owns the slice.
func (k *Book) All() []Entry {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.entries)
}

// Take finds the smallest free amount of at least units at e.Place, in whole steps of
// step above units, and makes the entry durable. now is the chain's time; note, if it
// is not nil, writes the entry's Note when its amount is known. An attempt that has an
// entry gets that one.
//
// It blocks for the disk. It fails with Conflict when no amount is free, with Invalid
// for an amount or an entry that cannot be, and with Internal when the disk does: then
// nothing was given.
func (k *Book) Take(e Entry, units, step *big.Int, now uint64, note func(units *big.Int) string) (Entry, error) {
	const op = "choose amount"
	if units == nil || step == nil || units.Sign() <= 0 || step.Sign() <= 0 || units.BitLen() > maxBits-8 {
		return Entry{}, pos.E(op, pos.Invalid, "an amount that cannot be")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if i := k.index(e.ID); i >= 0 {
		return k.entries[i], nil
	}
	k.free(now)
	free := k.smallest(e.Place, units, step)
	if free == nil || len(k.entries) >= MaxEntries {
		return Entry{}, pos.E(op, pos.Conflict, "no free amount near this one")
	}
	e.Units, e.Paid = free.String(), ""
	if note != nil {
		e.Note = note(new(big.Int).Set(free))
	}
	if !e.sound() {
		return Entry{}, pos.E(op, pos.Invalid, "a request that cannot be")
	}
	k.entries = append(k.entries, e)
	if err := k.write(); err != nil {
		k.entries = k.entries[:len(k.entries)-1]
		return Entry{}, err
	}
	return e, nil
}

// smallest returns the smallest amount of this till's lane that nobody holds, nil if
// there is none. k.mu is held.
func (k *Book) smallest(place string, units, step *big.Int) *big.Int {
	held := map[string]bool{}
	for _, e := range k.entries {
		if e.Place == place {
			held[e.Units] = true
		}
	}
	n := new(big.Int).Set(units)
	for range Slots {
		if k.lane.Has(n, step) && !held[n.String()] { // two tills whose prices differ by less than a step stay apart
			return n
		}
		n.Add(n, step)
	}
	return nil
}

// free forgets the entries whose hold is over. k.mu is held.
func (k *Book) free(now uint64) {
	k.entries = slices.DeleteFunc(k.entries, func(e Entry) bool { return e.Over(now) })
}

// Over reports that e's amount may be given again at a chain's time.
func (e Entry) Over(now uint64) bool {
	hold := uint64(Hold / time.Second)
	return now > hold && e.End < now-hold
}

// Amount returns what e asks for, in units; the caller owns it.
func (e Entry) Amount() *big.Int {
	n, _ := number(e.Units) // read and Take checked it
	return n
}

// Told returns what the till was told of, nil before it was.
func (e Entry) Told() *big.Int {
	if e.Paid == "" {
		return nil
	}
	n, _ := number(e.Paid)
	return n
}

// Keep takes in an entry that the till's records hold and the book does not: its amount
// is held again. It is written with the next entry. It does not block. An entry that
// cannot be, or that the book has, changes nothing.
func (k *Book) Keep(e Entry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e.sound() && k.index(e.ID) < 0 && len(k.entries) < MaxEntries {
		k.entries = append(k.entries, e)
	}
}

// Pay notes that the till was told of an attempt's money. It is written with the next
// entry: to tell it again does no harm. It does not block.
func (k *Book) Pay(id pos.PaymentID, units *big.Int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i := k.index(id); i >= 0 && units.Sign() >= 0 && units.BitLen() <= maxBits {
		k.entries[i].Paid = units.String()
	}
}

// Step returns the units of the smallest step that people type: of a token with
// decimals, when shown of them are shown.
func Step(decimals, shown int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(decimals-shown, 0))), nil)
}
