// Package tilltest is a till made of code: a coffee shop's signed records, as the
// backoffice gets to see them.
//
// It writes what a real till writes, in order and chained: genesis, boot, sales
// with several tax rates, paid in cash and over Lightning, and what goes wrong on a
// day. Everything is made from a seed, so a test that fails fails again.
package tilltest

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Till makes records. It is also the till's end of the outbox, in memory. It is
// safe for concurrent use, and panics where a real till could not go on: a test
// has nothing to decide there.
type Till struct {
	Key      ed25519.PrivateKey
	Genesis  pos.Genesis
	Currency pos.Currency

	mu       sync.Mutex
	rng      *rand.Rand
	records  []pos.Record
	at       time.Time
	sales    uint64
	turnover pos.Amount
	acked    uint64
	forks    []pos.Fork
	acks     []pos.Checkpoint
}

// New returns a till whose journal holds genesis and boot, written at this time.
func New(seed uint64, series, currency string, at time.Time) *Till {
	rng := rand.New(rand.NewPCG(seed, 7))
	var b [ed25519.SeedSize]byte
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	c, err := pos.CurrencyOf(currency)
	must(err)
	t := &Till{Key: ed25519.NewKeyFromSeed(b[:]), Currency: c, rng: rng, at: at.UTC(), turnover: c.Zero()}
	t.Genesis = pos.Genesis{
		Till: hex.EncodeToString(b[:8]), Key: t.Key.Public().(ed25519.PublicKey), Currency: currency, Series: series, Software: "tilltest",
	}
	t.Add(pos.KindGenesis, t.Genesis)
	t.Add(pos.KindBoot, pos.Boot{Software: "tilltest"})
	return t
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Add writes a record of this kind and body, a moment after the last one.
func (t *Till) Add(kind pos.RecordKind, body any) pos.Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.add(kind, body)
}

func (t *Till) add(kind pos.RecordKind, body any) pos.Record {
	r := pos.Record{N: uint64(len(t.records) + 1), Kind: kind, Body: pos.NewBody(body), At: t.at, Clock: pos.ClockTrusted, Boot: "boot-1"}
	if r.N > 1 {
		r.Prev = t.records[r.N-2].Hash
	}
	r, err := pos.Seal(r, t.Key)
	must(err)
	t.records = append(t.records, r)
	t.at = t.at.Add(time.Millisecond)
	return r
}

// Wait moves the till's clock on to this time.
func (t *Till) Wait(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at.After(t.at) {
		t.at = at.UTC()
	}
}

// Records returns all records, oldest first.
func (t *Till) Records() []pos.Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.records)
}

// Clone returns a till with the same key and history: a copied card.
func (t *Till) Clone(seed uint64) *Till {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &Till{
		Key: t.Key, Genesis: t.Genesis, Currency: t.Currency, rng: rand.New(rand.NewPCG(seed, 7)), records: slices.Clone(t.records),
		at: t.at.Add(time.Hour), sales: t.sales, turnover: t.turnover, acked: t.acked,
	}
}

// Since yields the records above a number.
func (t *Till) Since(after uint64) iter.Seq2[pos.Record, error] {
	return func(yield func(pos.Record, error) bool) {
		t.mu.Lock()
		all := t.records[:len(t.records):len(t.records)] // they are only ever added to
		t.mu.Unlock()
		for _, r := range all[min(after, uint64(len(all))):] {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// Acked returns the number of the last checkpoint.
func (t *Till) Acked() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.acked
}

// Ack takes note of a checkpoint. It fails with Corrupt when it is not about one
// of this till's records.
func (t *Till) Ack(cp pos.Checkpoint) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if cp.N == 0 || cp.N > uint64(len(t.records)) || t.records[cp.N-1].Hash != cp.Hash {
		return pos.E("take checkpoint", pos.Corrupt, "checkpoint %d is not about our record", cp.N)
	}
	t.acked, t.acks = cp.N, append(t.acks, cp)
	return nil
}

// Forked takes note of a fork.
func (t *Till) Forked(f pos.Fork) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forks = append(t.forks, f)
	return nil
}

// Forks returns the forks that the till was told of.
func (t *Till) Forks() []pos.Fork {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.forks)
}

// paymentHash makes a payment's reference.
func (t *Till) paymentHash() string {
	return fmt.Sprintf("%016x%016x%016x%016x", t.rng.Uint64(), t.rng.Uint64(), t.rng.Uint64(), t.rng.Uint64())
}
