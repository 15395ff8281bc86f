package solana

import (
	"bytes"
	"encoding/json"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// Store keeps the till's book of requests on its own disk.
type Store interface {
	// Load returns what Save was given last, nil before the first time.
	Load() ([]byte, error)
	// Save replaces it whole, and returns when it survives a power cut.
	Save(b []byte) error
}

// The book says which reference and which amount belong to which attempt, before
// anybody sees them. An entry holds its amount until unique.Hold after its end,
// and so it does each rest.

// maxEntries bounds the book: a full one takes no more. 1,024 entries are 300 KB,
// written with every request.
const maxEntries = 1024

// entry is one attempt's request.
type entry struct {
	ID    pos.PaymentID `json:"id"`
	Owner Key           `json:"owner"`
	Mint  Key           `json:"mint"`
	Key   Key           `json:"key"`
	Units string        `json:"units"` // asked for, in all
	From  uint64        `json:"from"`  // the newest slot when it was asked for
	End   uint64        `json:"end"`   // by the cluster's clock
	Rests []rest        `json:"rests,omitempty"`
	Paid  string        `json:"paid,omitempty"` // units that the till was told of; what comes now is late
}

// rest is an amount that an attempt asked for after a part had come: it is held like the
// first one.
type rest struct {
	Units string `json:"units"`
	From  uint64 `json:"from"` // the newest slot when it was asked for: its money is newer
}

// maxRests bounds the rests of an attempt; then its reference alone finds what comes.
const maxRests = 8

// reference returns what the till's record keeps of e.
func (e entry) reference() reference {
	units, _ := readUnits(e.Units) // book.read checked it
	return reference{e.Owner, e.Mint, e.Key, units, e.From, e.End}
}

type bookFile struct {
	Version int     `json:"version"`
	Entries []entry `json:"entries"`
}

// book is safe for concurrent use.
type book struct {
	store Store

	mu      sync.Mutex
	entries []entry // oldest first
}

// openBook reads the book, or begins one. It fails with Corrupt when there is one
// that cannot be read: to begin anew is the owner's decision, for the entries of
// payments under way are in it.
func openBook(s Store) (*book, error) {
	const op = "open book of requests"
	b, err := s.Load()
	if err != nil {
		return nil, pos.Wrap(op, pos.Internal, err, "the book of Solana payments cannot be read")
	}
	k := &book{store: s}
	if len(b) == 0 {
		return k, k.write()
	}
	if err := k.read(b); err != nil {
		return nil, pos.Wrap(op, pos.Corrupt, err, "the book of Solana payments is damaged")
	}
	return k, nil
}

func (k *book) read(b []byte) error {
	var f bookFile
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return err
	}
	bad := f.Version != 1 || len(f.Entries) > maxEntries
	for _, e := range f.Entries {
		_, ok := readUnits(e.Units)
		_, ok2 := readUnits(e.Paid)
		bad = bad || !ok || !ok2 && e.Paid != "" || e.ID == "" || e.Key.IsZero() || e.Mint.IsZero() || e.From >= 1<<53 || e.End >= 1<<53 || len(e.Rests) > maxRests
		for _, x := range e.Rests {
			_, ok := readUnits(x.Units)
			bad = bad || !ok || x.From >= 1<<53
		}
	}
	if bad {
		return pos.E("read book", pos.Corrupt, "not a book of requests")
	}
	k.entries = f.Entries
	return nil
}

// write makes the book durable. k.mu is held, or k is not shared yet.
func (k *book) write() error {
	b, err := json.Marshal(bookFile{1, k.entries})
	if err == nil {
		err = k.store.Save(append(b, '\n'))
	}
	if err != nil {
		return pos.Wrap("write book of requests", pos.Internal, err, "the till cannot keep a note of this payment")
	}
	return nil
}

// find returns the entry of an attempt.
func (k *book) find(id pos.PaymentID) (entry, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i := slices.IndexFunc(k.entries, func(e entry) bool { return e.ID == id }); i >= 0 {
		return k.entries[i], true
	}
	return entry{}, false
}

// add makes e durable. ok is false, and nothing is written, when the book is full.
// When it fails, the entry may or may not be there after a restart: nobody saw it.
func (k *book) add(e entry) (ok bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.entries) >= maxEntries {
		return false, nil
	}
	k.entries = append(k.entries, e)
	if err := k.write(); err != nil {
		k.entries = k.entries[:len(k.entries)-1]
		return false, err
	}
	return true, nil
}

// hold makes a rest of e durable; e is written anew when the book lost it. ok is false,
// and nothing is written, when there is no place for it.
func (k *book) hold(e entry, x rest) (ok bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := k.entries
	k.entries = slices.Clone(before)
	i := slices.IndexFunc(k.entries, func(o entry) bool { return o.ID == e.ID })
	if i < 0 {
		i, k.entries = len(k.entries), append(k.entries, e)
	}
	if rests := k.entries[i].Rests; len(rests) < maxRests && len(k.entries) <= maxEntries {
		k.entries[i].Rests = append(slices.Clone(rests), x)
		if err = k.write(); err == nil {
			return true, nil
		}
	}
	k.entries = before
	return false, err
}

// taken returns the amounts of a token that requests hold at a time of the cluster's.
// Entries that hold theirs no more are forgotten.
func (k *book) taken(mint Key, now uint64) map[string]bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.entries = slices.DeleteFunc(k.entries, func(e entry) bool { return e.End+uint64(unique.Hold/time.Second) <= now })
	out := map[string]bool{}
	for _, e := range k.entries {
		if e.Mint == mint {
			out[e.Units] = true
			for _, x := range e.Rests {
				out[x.Units] = true
			}
		}
	}
	return out
}

// all returns the entries; the caller owns the slice.
func (k *book) all() []entry {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.entries)
}

// paid notes that the till was told of e's money. It is written with the next entry:
// to tell it again does no harm.
func (k *book) paid(id pos.PaymentID, units *big.Int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.entries {
		if k.entries[i].ID == id {
			k.entries[i].Paid = units.String()
		}
	}
}
