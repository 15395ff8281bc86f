package spool

import (
	"time"

	"github.com/tillwright/tillwright/pos"
)

// sighting is what a Spool knows of a job besides what the queue knows.
type sighting struct {
	age    time.Duration // when it was first seen, by the wall clock
	at     time.Time     // then, by a clock that does not jump
	breaks int           // how often its paper broke off

	shut   bool // its drawer is from before the start: it must not open any more
	tried  bool // somebody tried to open its drawer
	kicked bool // its drawer was opened
}

// sight returns the sighting of a job, a new one if it has none. A job from the
// future is as good as new: only the clock can be wrong.
func (s *Spool) sight(j pos.PrintJob) *sighting {
	k := s.seen[j.ID]
	if k == nil {
		k = &sighting{age: max(s.o.Now().Sub(j.At), 0), at: time.Now()}
		s.seen[j.ID] = k
	}
	return k
}

// left is how long a job is still worth doing; zero or less when it is not.
func (s *Spool) left(j pos.PrintJob) time.Duration {
	k := s.sight(j)
	return j.Kind.Within() - k.age - time.Since(k.at)
}

// next returns the oldest job that is still worth doing. On the way it drops what
// came too late and forgets drawers that are open.
func (s *Spool) next() (pos.PrintJob, bool) {
	for range dropsMax {
		j, ok, err := s.o.Queue.Next()
		switch {
		case err != nil:
			s.log.Error("print queue cannot be read", "err", err)
			return pos.PrintJob{}, false
		case !ok:
			clear(s.seen)
			return j, false
		}
		k := s.sight(j)
		switch drawer := j.Kind == pos.PrintDrawer; {
		case drawer && k.kicked:
			ok = s.done(j)
		case drawer && k.shut:
			ok = s.drop(j, "the till was restarted meanwhile")
		case s.left(j) <= 0:
			ok = s.drop(j, s.tooLate())
		default:
			return j, true
		}
		if !ok {
			break
		}
	}
	return pos.PrintJob{}, false
}

// tooLate says why a job was not done in time.
func (s *Spool) tooLate() string {
	if s.told.State != online && s.told.Detail != "" {
		return "too late: " + s.told.Detail
	}
	return "too late"
}

// done forgets a job that was done; false when the queue failed.
func (s *Spool) done(j pos.PrintJob) bool {
	err := s.o.Queue.Done(j.ID)
	if err != nil {
		s.log.Error("print job cannot be closed", "job", j.ID, "err", err)
		s.rest = time.Now().Add(backoffTo)
		return false
	}
	delete(s.seen, j.ID)
	return true
}

// drop gives a job up; false when the queue failed.
func (s *Spool) drop(j pos.PrintJob, why string) bool {
	s.log.Warn("print job dropped", "job", j.ID, "kind", string(j.Kind), "why", why)
	err := s.o.Queue.Drop(j.ID, why)
	if err != nil {
		s.log.Error("print job cannot be dropped", "job", j.ID, "err", err)
		s.rest = time.Now().Add(backoffTo)
		return false
	}
	delete(s.seen, j.ID)
	return true
}
