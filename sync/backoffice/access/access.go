// Package access decides who may come in: tills by a one-time code, the owner by
// a password, programs by a key.
//
// Promise. Nothing that opens a door is kept: passwords as argon2id, everything
// else as the hash of a random token. Codes and links work once. Wrong tries are
// counted in the store, so that neither a restart nor a second server process
// forgives them, and past the limit even the right word is refused until the wait
// is over. Comparisons take the same time whatever they find.
//
// Limits. One owner. An enrolment code has 40 bits: at 100 wrong tries in 15
// minutes, and 15 minutes of life, a guess succeeds once in 500 million such
// quarters of an hour with 20 codes open. Whoever holds the data directory holds
// everything.
package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Limits on wrong tries within window: by one address, which stops a guesser, and
// by all together, which stops a thousand of them and leaves who is signed in
// alone.
const (
	window    = 15 * time.Minute
	ownLimit  = 5
	allLimit  = 100
	whoMax    = 64 // bytes of an address: an IPv6 one with its zone
	tokenSize = 32 // random bytes of a session, link or key
)

// Attempts counts wrong tries.
type Attempts interface {
	Attempt(ctx context.Context, kind, who string, at, since time.Time) error
	Attempts(ctx context.Context, kind, who string, since time.Time) (own, all int, err error)
}

// Locked is how long who is locked out waits, at most.
const Locked = window

// allowed fails with Exhausted when too many tries went wrong.
func allowed(ctx context.Context, a Attempts, kind, who string, at time.Time) error {
	own, all, err := a.Attempts(ctx, kind, clip(who), at.Add(-window))
	if err != nil {
		return err
	}
	if own >= ownLimit || all >= allLimit {
		return pos.E("count attempts", pos.Exhausted, "too many wrong tries; wait %d minutes", int(window.Minutes()))
	}
	return nil
}

func wrong(ctx context.Context, a Attempts, kind, who string, at time.Time) error {
	return a.Attempt(ctx, kind, clip(who), at, at.Add(-window))
}

// turns lets one try at a time be counted, from the look at the count to the new
// one: else a hundred that come at once all see it before one of them is in it.
type turns chan struct{}

func newTurns() turns { return make(turns, 1) }

// take waits for a turn until ctx ends. The caller gives it back with done.
func (t turns) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return pos.Wrap("count attempts", pos.Unavailable, ctx.Err(), "the backoffice is busy; try again")
	}
}

func (t turns) done() { <-t }

func clip(who string) string { return who[:min(len(who), whoMax)] }

// newToken makes a random token, and the hash it is kept by.
func newToken() (token string, hash []byte) {
	var b [tokenSize]byte
	rand.Read(b[:]) // never fails: it stops the program instead
	token = base64.RawURLEncoding.EncodeToString(b[:])
	return token, hashOf(token)
}

func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
