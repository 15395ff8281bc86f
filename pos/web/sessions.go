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

// start signs actor in and returns the token, which is kept nowhere. When there
// are maxSessions the one that was idle for longest ends.
func (s *sessions) start(actor pos.Actor) string {
	raw := make([]byte, tokenBytes)
	rand.Read(raw) // never fails: crypto/rand, Go 1.24
	token, now := base64.RawURLEncoding.EncodeToString(raw), time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	s.by[sha256.Sum256([]byte(token))] = &signedIn{actor, now, now}
	return token
}

// sweep drops what is over and makes room for one more.
func (s *sessions) sweep(now time.Time) {
	var idle *signedIn
	var idleKey [sha256.Size]byte
	for key, in := range s.by {
		if in.over(now) {
			delete(s.by, key)
		} else if idle == nil || in.used.Before(idle.used) {
			idle, idleKey = in, key
		}
	}
	if len(s.by) >= maxSessions {
		delete(s.by, idleKey)
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
