package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// tokenBytes is 256 bits: nobody guesses one, so no counting of tries is needed.
const tokenBytes = 32

// sessions knows who is signed in. It keeps hashes of tokens: a picture of the
// till's memory signs nobody in. Only start makes one.
type sessions struct {
	mu sync.Mutex
	by map[[sha256.Size]byte]*signedIn
}

type signedIn struct {
	actor       pos.Actor
	begun, used time.Time
}

func newSessions() *sessions { return &sessions{by: map[[sha256.Size]byte]*signedIn{}} }

// start signs actor in and returns the token, which is kept nowhere. When actor
// has maxOwn sessions, or all have maxSessions, the one of them that was idle for
// longest ends: nobody can sign the others out by signing in.
func (s *sessions) start(actor pos.Actor) string {
	raw := make([]byte, tokenBytes)
	rand.Read(raw) // never fails: crypto/rand, Go 1.24
	token, now := base64.RawURLEncoding.EncodeToString(raw), time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now, actor.ID)
	s.by[sha256.Sum256([]byte(token))] = &signedIn{actor, now, now}
	return token
}

// sweep drops what is over and makes room for one more of this person's.
func (s *sessions) sweep(now time.Time, id string) {
	var all, own idlest
	for key, in := range s.by {
		if in.over(now) {
			delete(s.by, key)
			continue
		}
		all.see(key, in)
		if in.actor.ID == id {
			own.see(key, in)
		}
	}
	if own.n >= maxOwn {
		delete(s.by, own.key)
	} else if all.n >= maxSessions {
		delete(s.by, all.key)
	}
}

// idlest finds the session that was idle for longest.
type idlest struct {
	n   int
	key [sha256.Size]byte
	in  *signedIn
}

func (i *idlest) see(key [sha256.Size]byte, in *signedIn) {
	if i.n++; i.in == nil || in.used.Before(i.in.used) {
		i.key, i.in = key, in
	}
}

func (i *signedIn) over(now time.Time) bool {
	return now.Sub(i.used) >= idleLock || now.Sub(i.begun) >= maxSession
}

// use returns who holds token and counts as a sign of life.
func (s *sessions) use(token string) (pos.Actor, bool) { return s.look(token, true) }

// peek returns who holds token. A screen that only watches does not keep its
// session alive.
func (s *sessions) peek(token string) (pos.Actor, bool) { return s.look(token, false) }

func (s *sessions) look(token string, alive bool) (pos.Actor, bool) {
	if token == "" {
		return pos.Actor{}, false
	}
	now, key := time.Now(), sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.by[key]
	if in == nil || in.over(now) {
		delete(s.by, key)
		return pos.Actor{}, false
	}
	if alive {
		in.used = now
	}
	return in.actor, true
}

// end signs the holder of token out.
func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.by, sha256.Sum256([]byte(token)))
}
