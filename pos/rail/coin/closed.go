package coin

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// Closed is what the till was told of each payment for the last time, and of which money.
// It parts money for good: what is in it is its payment's; what comes for a payment later,
// or for none, nobody asked for. Both before and after a restart, a crash, or a lost book of
// requests, the same money is on the same side: a payment is closed on the disk before its
// last word is said, and its last word is the same ever after.
//
// Damage. One that is lost or damaged begins anew: then nothing is told of money of before.
//
// It is safe for concurrent use.
type Closed struct {
	store unique.Store
	keep  uint64
	log   *slog.Logger

	saving sync.Mutex // is held while the disk is written; mu is not

	mu    sync.Mutex
	file  closedFile
	of    map[pos.PaymentID]int
	money map[string]bool
}

// closedFile is Closed on the disk.
type closedFile struct {
	Version  int             `json:"version"`
	Since    uint64          `json:"since"`    // money of then and before is not told of; 0: not begun
	Payments []closedPayment `json:"payments"` // in the order of their last words
}

type closedPayment struct {
	ID    pos.PaymentID `json:"id"`
	At    uint64        `json:"at"`
	Money []string      `json:"money,omitempty"` // short names of its money
}

// Bounds of the file: about 1 MB. The oldest payments fall out first, and all money of
// before with them.
const (
	maxClosed = 4096
	maxMoney  = 16384
)

// OpenClosed reads what store has, or begins anew. keep is how long a payment stays in it
// at least, if there is room, in the chain's own measure: the one that all other times of it
// are of. A nil store keeps nothing beyond this start.
func OpenClosed(store unique.Store, keep uint64, log *slog.Logger) *Closed {
	c := &Closed{store: store, keep: keep, log: log, file: closedFile{Version: 1}}
	if store != nil {
		b, err := store.Load()
		if err == nil && len(b) > 0 {
			err = c.read(b)
		}
		if err != nil {
			log.Error("what payments were closed with is lost: money of before is told to nobody", "err", err)
		}
	}
	c.index()
	return c
}

func (c *Closed) read(b []byte) error {
	var f closedFile
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return err
	}
	n := 0
	for _, p := range f.Payments {
		n += len(p.Money)
	}
	if f.Version != 1 || f.Since == 0 || len(f.Payments) > maxClosed || n > maxMoney {
		return errors.New("it is no list of closed payments")
	}
	c.file = f
	return nil
}

// index makes the maps of the list. c is not shared, or its locks are held.
func (c *Closed) index() {
	c.of, c.money = map[pos.PaymentID]int{}, map[string]bool{}
	for _, p := range c.file.Payments {
		c.of[p.ID] = len(p.Money)
		for _, m := range p.Money {
			c.money[m] = true
		}
	}
}

// short is a name of 96 bits: nobody finds another money that has it, too.
func short(key string) string {
	h := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(h[:12])
}

// Begin notes how far the chain is when nothing is known of it yet. It blocks for the disk
// the first time.
func (c *Closed) Begin(at uint64) {
	if at == 0 || c.begun() {
		return
	}
	c.saving.Lock()
	defer c.saving.Unlock()
	f := c.now()
	if f.Since > 0 {
		return
	}
	f.Since = at
	if err := c.save(f); err != nil {
		c.log.Error("money that nobody asked for is not told of yet", "err", err)
	}
}

func (c *Closed) begun() bool { return c.now().Since > 0 }

// now returns what is kept, which must not be changed.
func (c *Closed) now() closedFile {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.file
}

// Close notes that the till hears the last word of a payment, at a time of the chain's, and
// that keys name the money of it. A payment that is closed is not closed again. It blocks
// for the disk; when it fails, the payment is not closed.
func (c *Closed) Close(id pos.PaymentID, at uint64, keys []string) error {
	c.saving.Lock()
	defer c.saving.Unlock()
	if _, done := c.Of(id); done {
		return nil
	}
	if len(keys) > maxMoney {
		return pos.E("close payment", pos.Conflict, "more money than the till can keep apart")
	}
	p := closedPayment{ID: id, At: at}
	for _, k := range keys {
		p.Money = append(p.Money, short(k))
	}
	f := c.now()
	f.Payments = append(f.Payments[:len(f.Payments):len(f.Payments)], p)
	if f.Since == 0 {
		f.Since = max(at, 1)
	}
	return c.save(c.bounded(f, at))
}

// bounded returns f without what is too old or too much.
func (c *Closed) bounded(f closedFile, now uint64) closedFile {
	n, all := 0, f.Payments
	for _, p := range all {
		n += len(p.Money)
	}
	for len(all) > 1 && (all[0].At+c.keep < now || len(all) > maxClosed || n > maxMoney) {
		f.Since = max(f.Since, all[0].At)
		n, all = n-len(all[0].Money), all[1:]
	}
	f.Payments = all
	return f
}

// save makes f durable, and what is kept. c.saving is held.
func (c *Closed) save(f closedFile) error {
	if c.store != nil {
		b, err := json.Marshal(f)
		if err == nil {
			err = c.store.Save(append(b, '\n'))
		}
		if err != nil {
			return pos.Wrap("write closed payments", pos.Internal, err, "the till cannot keep a note of its closed payments")
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.file = f
	c.index()
	return nil
}

// Of returns how many keys a payment was closed with; ok is false when it was not closed.
func (c *Closed) Of(id pos.PaymentID) (keys int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	keys, ok = c.of[id]
	return keys, ok
}

// Has reports that key names money of a closed payment.
func (c *Closed) Has(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.money[short(key)]
}

// After reports that money of a time of the chain's came since it is known what payments
// were closed with.
func (c *Closed) After(at uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.file.Since > 0 && at > c.file.Since
}
