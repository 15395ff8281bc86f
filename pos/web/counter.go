package web

import (
	"time"

	"github.com/tillwright/tillwright/pos"
)

// AtCounter returns who did something at one of the till's screens last, of those who
// are still signed in; ok is false when nobody is. It is for what belongs to the
// counter and signs nobody in itself: a scanner, a key, a button. What is done with
// them is a sign of life of that person's screen, as if it was done there, so that it
// does not lock between two scans.
func (a *App) AtCounter() (who pos.Actor, ok bool) { return a.sessions.last() }

// last returns whose session was used last, and counts as a sign of life of it.
func (s *sessions) last() (pos.Actor, bool) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var best *signedIn
	for key, in := range s.by {
		if in.over(now) {
			delete(s.by, key)
		} else if best == nil || in.used.After(best.used) {
			best = in
		}
	}
	if best == nil {
		return pos.Actor{}, false
	}
	best.used = now
	return best.actor, true
}
