package sweep

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/wire"
)

// SeedStore keeps seeds, sealed.
type SeedStore interface {
	// SeedKeep fails with Conflict for another till's, with Exhausted for too many.
	SeedKeep(ctx context.Context, s store.Seed) (store.Seed, error)
	Alarm(ctx context.Context, a store.Alarm, at time.Time) error
}

// Keeper keeps what tills' addresses are made of. It works whether or not stablecoins
// are set up here: a till may be the first to know of them, and be lost before they are.
//
// A copy of the database alone opens no seed: they are encrypted with a key made of the
// backoffice's own, which is a file beside it. Who loses that file has the paper sheets.
// It is safe for concurrent use.
type Keeper struct {
	store    SeedStore
	seal     cipher.AEAD
	mark     []byte
	treasury func(string) (string, error)
}

// NewKeeper returns the Keeper of the backoffice with this key. treasury checks an
// address and writes it in its one form.
func NewKeeper(s SeedStore, key ed25519.PrivateKey, treasury func(string) (string, error)) *Keeper {
	part := func(info string) []byte {
		out, err := hkdf.Key(sha256.New, key.Seed(), nil, "tillwright address seeds 1 "+info, 32)
		if err != nil {
			panic(err) // only for lengths that HKDF cannot give
		}
		return out
	}
	block, err := aes.NewCipher(part("seal"))
	if err != nil {
		panic(err) // only for keys of another length
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // only for ciphers of another block size
	}
	return &Keeper{s, seal, part("mark"), treasury}
}

// Keep keeps what a till's addresses are made of; who calls has checked that the till
// signed it. It returns since when it is kept: the same each time. It fails with Invalid
// for what no till sends, with Conflict for another till's seed, with Exhausted for too
// many: the last two are alarms to the owner, too. No words of its hold a seed.
func (k *Keeper) Keep(ctx context.Context, till string, a wire.AddressSeed, at time.Time) (time.Time, error) {
	s, err := k.keep(ctx, till, a, at)
	if kind := pos.KindOf(err); err != nil && (kind == pos.Conflict || kind == pos.Exhausted) {
		alarm := store.Alarm{Till: till, Kind: store.AlarmSeeds, Why: reasonOf(err)}
		if err := k.store.Alarm(ctx, alarm, at); err != nil {
			return time.Time{}, err
		}
	}
	return s.Kept, err
}

// Sheet keeps what a recovery sheet says, and returns the number of its search. One that
// a till sent before keeps that till's name. It fails with Invalid, and as the store does.
func (k *Keeper) Sheet(ctx context.Context, a wire.AddressSeed, at time.Time) (int64, error) {
	s, err := k.keep(ctx, "", a, at)
	return s.ID, err
}

func (k *Keeper) keep(ctx context.Context, till string, a wire.AddressSeed, at time.Time) (store.Seed, error) {
	if err := a.Check(); err != nil {
		return store.Seed{}, err
	}
	treasury, err := k.treasury(a.Treasury)
	if err != nil {
		return store.Seed{}, err
	}
	a.Treasury = treasury
	h := hmac.New(sha256.New, k.mark) // the database compares marks: they tell it, and its clock, nothing of a seed
	h.Write(a.Seed[:])
	return k.store.SeedKeep(ctx, store.Seed{
		Till: till, Scheme: a.Scheme, Treasury: treasury, Mark: h.Sum(nil), Sealed: k.seal.Seal(nil, nil, a.Seed[:], bound(a.Scheme, treasury)), Kept: at,
	})
}

// bound is what a sealed seed belongs to: it opens with no other treasury.
func bound(scheme int, treasury string) []byte { return fmt.Appendf(nil, "%d %s", scheme, treasury) }

// open returns what s holds. It fails with Corrupt when it was sealed with another key.
func (k *Keeper) open(s store.Seed) (wire.AddressSeed, error) {
	b, err := k.seal.Open(nil, nil, s.Sealed, bound(s.Scheme, s.Treasury))
	if err != nil || len(b) != wire.SeedBytes {
		return wire.AddressSeed{}, pos.Say("open seed", pos.Corrupt, nil, "bo_se_why_key")
	}
	return wire.AddressSeed{Scheme: s.Scheme, Treasury: s.Treasury, Seed: wire.Seed(b)}, nil
}
