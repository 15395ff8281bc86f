package access

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/wire"
)

// CodeLife is how long an enrolment code can be used: the walk from the office to
// the counter.
const CodeLife = 15 * time.Minute

// maxName bounds the owner's name for a till.
const maxName = 60

// CodeStore keeps codes by their hash.
type CodeStore interface {
	Attempts
	// AddCode fails with Conflict when c.Ask made a code before, with Exhausted
	// when too many are open.
	AddCode(ctx context.Context, c store.Code) error
	Codes(ctx context.Context) ([]store.Code, error)
	// UseCode fails with Forbidden for a code that ended or was used by another key.
	UseCode(ctx context.Context, hash []byte, t store.Till) error
}

// Codes makes and takes enrolment codes.
type Codes struct {
	store  CodeStore
	secret []byte
	turns  turns
}

// NewCodes returns the codes of a backoffice. They are computed from its key, so
// that a request that is repeated gets its code again although none is kept.
func NewCodes(s CodeStore, key ed25519.PrivateKey) *Codes {
	secret := sha256.Sum256(append([]byte("tillwright enrolment codes 1\n"), key.Seed()...))
	return &Codes{s, secret[:], newTurns()}
}

// Make makes a code for a till that the owner calls name; name may be empty. The
// same ask, from 1 byte on, gets the same code while it lives; an empty one is
// always new. It fails with Invalid for an overlong name, with Conflict when ask
// made another code, with Exhausted when too many are open.
func (c *Codes) Make(ctx context.Context, name, ask string, at time.Time) (code string, ends time.Time, err error) {
	if len(name) > maxName {
		return "", time.Time{}, pos.E("make code", pos.Invalid, "a till's name has at most %d letters", maxName)
	}
	if ask == "" {
		ask = rand.Text()
	}
	at = at.Truncate(time.Second) // so that a repeated request is answered with the very same end
	code = c.code(ask)
	made := store.Code{Hash: hashOf(code), Name: name, Ask: hashOf(ask), Made: at, Ends: at.Add(CodeLife)}
	err = c.store.AddCode(ctx, made)
	if pos.KindOf(err) == pos.Conflict {
		return c.again(ctx, made, code)
	}
	return code, made.Ends, err
}

// again answers a repeated request.
func (c *Codes) again(ctx context.Context, made store.Code, code string) (string, time.Time, error) {
	codes, err := c.store.Codes(ctx)
	for _, old := range codes {
		if bytes.Equal(old.Ask, made.Ask) && old.Name == made.Name && old.Ends.After(made.Made) {
			return code, old.Ends, nil
		}
	}
	if err == nil {
		err = pos.E("make code", pos.Conflict, "this Idempotency-Key made another code, or one that ended")
	}
	return "", time.Time{}, err
}

func (c *Codes) code(ask string) string {
	h := hmac.New(sha256.New, c.secret)
	h.Write([]byte(ask))
	return wire.FormatCode([wire.CodeBytes]byte(h.Sum(nil)))
}

// Enrol makes a till known. The caller has checked that the request is signed by
// e.Genesis.Key. who is the address it came from. It fails with Invalid for a
// genesis that no till writes, with Forbidden for a wrong, used or ended code,
// with Exhausted after too many wrong ones, with Conflict when the till's name
// belongs to another key.
func (c *Codes) Enrol(ctx context.Context, who string, e wire.Enrolment, at time.Time) error {
	if err := genuine(e.Genesis); err != nil {
		return err
	}
	if err := c.turns.take(ctx); err != nil {
		return err
	}
	defer c.turns.done()
	if err := allowed(ctx, c.store, "enrol", who, at); err != nil {
		return err
	}
	hash, err := c.find(ctx, e.Code)
	if err != nil {
		return err
	}
	if hash == nil {
		if err := wrong(ctx, c.store, "enrol", who, at); err != nil {
			return err
		}
		return pos.E("enrol till", pos.Forbidden, "this code is wrong, was used or is too old; check it or ask for a new one")
	}
	g := e.Genesis
	t := store.Till{ID: g.Till, Key: g.Key, Name: "Till " + g.Series, Series: g.Series, Currency: g.Currency, Enrolled: at}
	return c.store.UseCode(ctx, hash, t)
}

// find returns the hash of the code that was typed, nil for none. It looks at all
// of them, whichever matches; whether it still opens is UseCode's to say.
func (c *Codes) find(ctx context.Context, typed string) ([]byte, error) {
	code, err := wire.ParseCode(typed)
	if err != nil {
		return nil, nil // a slip counts as a wrong try: it costs a guesser as much
	}
	codes, err := c.store.Codes(ctx)
	var found []byte
	for _, o := range codes {
		if subtle.ConstantTimeCompare(o.Hash, hashOf(code)) == 1 {
			found = o.Hash
		}
	}
	return found, err
}

// genuine checks the shape of what a till says about itself.
func genuine(g pos.Genesis) error {
	id, err := hex.DecodeString(g.Till)
	_, badCurrency := pos.CurrencyOf(g.Currency)
	if err != nil || len(id) != 8 || len(g.Key) != ed25519.PublicKeySize || badCurrency != nil || len(g.Series) > 8 || len(g.Software) > maxName ||
		!pos.IsPlain(g.Series) || !pos.IsPlain(g.Software) {
		return pos.E("enrol till", pos.Invalid, "this is not the first record of a till's journal")
	}
	return nil
}
