package evm

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"slices"
	"sync"

	"github.com/tillwright/tillwright/pos"
)

// Store keeps the till's book of addresses on its own disk.
type Store interface {
	// Load returns what Save was given last, nil before the first time.
	Load() ([]byte, error)
	// Save replaces it whole, and returns when it survives a power cut.
	Save(b []byte) error
}

// The book says which address belongs to which attempt, before anybody sees the
// address. Seed and counter stand in one file: who loses one loses the other, and
// a new book makes new addresses. So no address is ever used twice, whatever is
// lost; and the counter makes the addresses of a lost till countable from the
// seed alone.

// Bounds of the book. With an address for each attempt, an entry is needed until the
// till's own record holds its reference, and for the owner's news of the last
// hours. With one address for all, an entry holds its amount for a day: a full book
// then takes no more. 1,024 entries are 250 KB, written with every request.
const (
	maxEntries = 256
	maxShared  = 1024
)

// entry is one attempt's request.
type entry struct {
	ID    pos.PaymentID `json:"id"`
	N     uint64        `json:"n,omitempty"`
	Chain uint64        `json:"chain"`
	Token Address       `json:"token"`
	Units string        `json:"units"`          // asked for, in all
	End   uint64        `json:"end"`            // by the chain's clock
	From  uint64        `json:"from"`           // the newest block when it was asked for
	Paid  string        `json:"paid,omitempty"` // units that the till was told of; what comes now is late
	// Unseen as in a reference. Clean: the chain said since that nothing lay there before.
	Unseen uint64 `json:"unseen,omitempty"`
	Clean  bool   `json:"clean,omitempty"`
	// Salt is of the address, in hex, when it is of an older seed than the book's.
	Salt string `json:"salt,omitempty"`
	// Treasury is where a sweep brings the money; with N zero, where all customers pay.
	Treasury Address `json:"treasury"`
	// Done: the till has the network's last word. Had is what it has of each token that came
	// to the address, and what was told beyond that; with N zero, Given are the transfers
	// that it has.
	Done  bool       `json:"done,omitempty"`
	Had   []entryHad `json:"had,omitempty"`
	Given []string   `json:"given,omitempty"`
}

// units returns Units as a number; book.read checked it.
func (e entry) units() *big.Int { n, _ := new(big.Int).SetString(e.Units, 10); return n }

type bookFile struct {
	Version int     `json:"version"`
	Of      string  `json:"of,omitempty"` // the till and its enrolment that the seed is of; empty: not bound yet
	Seed    string  `json:"seed"`
	Next    uint64  `json:"next"`
	Entries []entry `json:"entries"`
	// Judged are the blocks up to which what came to the shared address is told of, by chain.
	Judged map[uint64]uint64 `json:"judged,omitempty"`
}

// book is safe for concurrent use.
type book struct {
	store Store

	mu      sync.Mutex
	of      string
	seed    Seed
	next    uint64
	entries []entry // oldest first
	judged  map[uint64]uint64
}

// openBook reads the book, or begins one. It fails with Corrupt when there is one
// that cannot be read: to begin anew is the owner's decision, for the entries of
// payments under way are in it.
func openBook(s Store) (*book, error) {
	const op = "open book of addresses"
	b, err := s.Load()
	if err != nil {
		return nil, pos.Wrap(op, pos.Internal, err, "the book of stablecoin addresses cannot be read")
	}
	k := &book{store: s, next: 1}
	if len(b) == 0 {
		if _, err := rand.Read(k.seed[:]); err != nil {
			return nil, pos.Wrap(op, pos.Internal, err, "this computer gives no random numbers")
		}
		return k, k.write()
	}
	if err := k.read(b); err != nil {
		return nil, pos.Wrap(op, pos.Corrupt, err, "the book of stablecoin addresses is damaged")
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
	seed, err := hex.DecodeString(f.Seed)
	bad := err != nil || len(seed) != len(k.seed) || f.Version != 1 || f.Next == 0 || len(f.Entries) > maxShared
	for _, e := range f.Entries {
		bad = bad || !e.soundHad()
		n, ok := new(big.Int).SetString(e.Units, 10)
		paid, ok2 := new(big.Int).SetString(cmp.Or(e.Paid, "0"), 10)
		bad = bad || !ok || !ok2 || paid.Sign() < 0 || paid.BitLen() > 256 || n.Sign() <= 0 || n.BitLen() > 256 || e.Salt == "" && e.N >= f.Next || e.ID == ""
		if e.Salt != "" {
			_, err := e.salt()
			bad = bad || err != nil || e.N == 0
		}
	}
	if bad {
		return pos.E("read book", pos.Corrupt, "not a book of addresses")
	}
	k.of, k.seed, k.next, k.entries, k.judged = f.Of, Seed(seed), f.Next, f.Entries, f.Judged
	return nil
}

// write makes the book durable. k.mu is held, or k is not shared yet.
func (k *book) write() error {
	f := bookFile{1, k.of, hex.EncodeToString(k.seed[:]), k.next, k.entries, k.judged}
	b, err := json.Marshal(f)
	if err == nil {
		err = k.store.Save(append(b, '\n'))
	}
	if err != nil {
		return pos.Wrap("write book of addresses", pos.Internal, err, "the till cannot keep a note of this payment's address")
	}
	return nil
}

// maxIdentity bounds what a book is bound to: some hashes.
const maxIdentity = 256

// bind binds the book to a till and its enrolment. A book of another one is a copy, as far
// as anybody can tell, and both would give out the same addresses: a new seed is begun,
// and the old entries keep their salts. A book that is bound to nothing yet is taken as it
// is. When the disk fails, the new seed holds all the same: the next address is written
// with it before anybody sees it.
func (k *book) bind(identity string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if identity == "" || len(identity) > maxIdentity {
		return pos.E("bind book of addresses", pos.Invalid, "the till's addresses cannot be bound to %d bytes", len(identity))
	}
	if k.of == identity {
		return nil
	}
	if k.of != "" {
		var seed Seed
		if _, err := rand.Read(seed[:]); err != nil {
			return pos.Wrap("bind book of addresses", pos.Internal, err, "this computer gives no random numbers")
		}
		k.entries = slices.Clone(k.entries)
		for i, e := range k.entries {
			if e.N != 0 && e.Salt == "" {
				salt := k.seed.Salt(e.N)
				k.entries[i].Salt = hex.EncodeToString(salt[:])
			}
		}
		k.seed, k.next = seed, 1
	}
	k.of = identity
	return k.write()
}

// secret returns the seed.
func (k *book) secret() Seed {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.seed
}

// salt reads Salt.
func (e entry) salt() (out [32]byte, err error) {
	b, err := hex.DecodeString(e.Salt)
	if err == nil && len(b) != len(out) {
		err = hex.ErrLength
	}
	copy(out[:], b)
	return out, err
}

// find returns the entry of an attempt.
func (k *book) find(id pos.PaymentID) (entry, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.entry(id)
}

func (k *book) entry(id pos.PaymentID) (entry, bool) {
	if i := slices.IndexFunc(k.entries, func(e entry) bool { return e.ID == id }); i >= 0 {
		return k.entries[i], true
	}
	return entry{}, false
}

// reference returns what the till's record keeps of e.
func (k *book) reference(e entry) reference {
	if e.N == 0 {
		return reference{schemeShared, 0, e.From, e.End, e.Treasury, [32]byte{}, e.Treasury, e.units(), 0}
	}
	salt, err := e.salt() // read checked it
	if err != nil || e.Salt == "" {
		salt = k.secret().Salt(e.N)
	}
	return reference{Scheme, e.N, e.From, e.End, e.Treasury, salt, AddressOf(e.Treasury, salt), e.units(), e.Unseen}
}

// peek returns the number and salt that the next add will take.
func (k *book) peek() (uint64, [32]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.next, k.seed.Salt(k.next)
}

// burn makes sure that number n is not used: something is at its address already.
func (k *book) burn(n uint64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.next <= n {
		k.next = n + 1
	}
	return k.write()
}

// add makes e durable. With a number, e.N must be the next one; ok is false when
// somebody else took it. What the disk did not take is not in the book, or the next try
// would show it; its number is used up all the same, for it may be on the disk.
func (k *book) add(e entry) (ok bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e.N != 0 && e.N != k.next {
		return false, nil
	}
	before := k.entries
	if e.N != 0 {
		k.next++
	}
	k.entries = append(slices.Clone(k.entries), e)
	k.bound(e)
	if err := k.write(); err != nil {
		k.entries = before
		return false, err
	}
	return true, nil
}

// bound drops the oldest entries when there are too many of e's kind. k.mu is held.
func (k *book) bound(e entry) {
	limit := maxEntries
	if e.N == 0 {
		limit = maxShared
	}
	if len(k.entries) > limit {
		k.entries = slices.Delete(k.entries, 0, len(k.entries)-limit)
	}
}

// all returns the entries; the caller owns the slice.
func (k *book) all() []entry {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.entries)
}

// paid notes that the till was told of e's money. It is written with the next
// entry: to tell it again does no harm.
func (k *book) paid(id pos.PaymentID, units *big.Int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.entries {
		if k.entries[i].ID == id {
			k.entries[i].Paid = units.String()
		}
	}
}

// clean notes that nothing lay at e's address before it was asked for. It waits for the
// next write: to look again does no harm.
func (k *book) clean(id pos.PaymentID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.entries {
		if k.entries[i].ID == id {
			k.entries[i].Clean = true
		}
	}
}

// drop forgets e: nothing can change any more. It too waits for the next write.
func (k *book) drop(id pos.PaymentID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.entries = slices.DeleteFunc(k.entries, func(e entry) bool { return e.ID == id })
}
