// Package clock says how far the board's wall clock is to be believed.
//
// Promise. A time is called trusted only while somebody vouches for it: the
// kernel, whose time daemon keeps it synchronised, or the backoffice, which signed
// a checkpoint within 30 s of what the wall clock showed. Every doubt, a kernel
// that gives no answer included, comes out as pos.ClockUnknown. So does a
// contradiction: while the backoffice's word is ahead of the wall clock, not even
// the kernel's makes it trusted.
//
// Limits. Network time itself is not authenticated: who controls the shop's line
// can make the kernel believe a wrong time. That is why records are ordered by
// number and not by time.
package clock

import (
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Status bits and states of adjtimex(2), the same on every Linux.
const (
	staUnsync   = 0x0040 // STA_UNSYNC: the kernel's own view, set at boot and 16 s of possible error later
	staClockErr = 0x1000 // STA_CLOCKERR: the clock hardware failed
	timeError   = 5      // TIME_ERROR: not synchronised to a reliable server
)

// adjtimex reads the kernel's clock state and status bits.
type adjtimex func() (state int, status int32, err error)

// Trust says whether the kernel's clock is synchronised: ClockTrusted, or else
// ClockUnknown. It is one system call, does not block, and needs no privilege.
func Trust() pos.Clock { return trust(kernel) }

func trust(ask adjtimex) pos.Clock {
	state, status, err := ask()
	if err != nil || state < 0 || state >= timeError || status&(staUnsync|staClockErr) != 0 {
		return pos.ClockUnknown
	}
	return pos.ClockTrusted
}

// vouchWithin is how far a vouched time may be from the wall clock. A checkpoint
// takes seconds over a bad line; half a minute on a receipt harms nobody.
const vouchWithin = 30 * time.Second

// stepAbove is how far the wall clock may drift from the monotonic one before it
// was set by someone. Gradual corrections move both alike (clock_gettime(2)), a
// leap second moves them apart by one.
const stepAbove = 2 * time.Second

// reading is both clocks at one moment.
type reading struct {
	wall time.Time     // without a monotonic part
	mono time.Duration // since some fixed moment of this boot
}

// Judge tells the time, and how far to believe it, from the kernel's word and from
// times that others vouch for. Its methods may be called from any goroutine and do
// not block.
type Judge struct {
	ask  adjtimex
	read func() reading

	mu      sync.Mutex
	vouched bool
	at      reading   // of the last good vouching
	said    time.Time // a vouched time that the wall clock is behind; zero without one
	heard   reading   // when it was said
}

// NewJudge returns a Judge that has heard from nobody but the kernel.
func NewJudge() *Judge {
	start := time.Now()
	return newJudge(kernel, func() reading {
		now := time.Now()
		return reading{now.UTC().Round(0), now.Sub(start)}
	})
}

// NewJudgeOf returns a Judge of another wall clock than the computer's, which no time
// daemon keeps: a board that a test sets as it likes.
func NewJudgeOf(wall func() time.Time) *Judge {
	start := time.Now()
	nobody := func() (int, int32, error) { return timeError, staUnsync, nil }
	return newJudge(nobody, func() reading { return reading{wall().UTC().Round(0), time.Since(start)} })
}

func newJudge(ask adjtimex, read func() reading) *Judge { return &Judge{ask: ask, read: read} }

// Vouch tells the Judge that it was t a moment ago, by the word of somebody whose
// signature was checked and who answered a question just asked; the caller has made
// sure of both. Within 30 s of the wall clock, the clock is trusted from now on,
// until it is set. A t far in the past proves nothing, for it may have been long on
// its way. A t far in the future proves that the clock is behind: it ends the trust
// that an earlier Vouch gave, and the kernel's, until the clock was set near to it
// or t comes within 30 s.
func (j *Judge) Vouch(t time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := j.read()
	switch ahead := t.Sub(now.wall); {
	case ahead > vouchWithin:
		j.vouched, j.said, j.heard = false, t.UTC().Round(0), now
	case ahead >= -vouchWithin:
		j.vouched, j.at, j.said = true, now, time.Time{}
	}
}

// Contradicted reports that the wall clock is behind a time that was vouched for,
// and what time that makes it now, in UTC.
func (j *Judge) Contradicted() (is time.Time, yes bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.contradicted(j.read())
}

// contradicted is Contradicted at now. A clock that was set near to what was said
// contradicts it no longer. j.mu is held.
func (j *Judge) contradicted(now reading) (is time.Time, yes bool) {
	if j.said.IsZero() {
		return time.Time{}, false
	}
	is = j.said.Add(now.mono - j.heard.mono)
	if is.Sub(now.wall) <= vouchWithin {
		j.said = time.Time{}
		return time.Time{}, false
	}
	return is, true
}

// Now returns the wall time in UTC, without a monotonic part, and whether it is
// ClockTrusted or ClockUnknown. Once the wall clock was set, forwards or
// backwards, only the kernel or a new Vouch makes it trusted again.
func (j *Judge) Now() (time.Time, pos.Clock) {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := j.read()
	if j.vouched && stepped(j.at, now) {
		j.vouched = false
	}
	if j.vouched {
		return now.wall, pos.ClockTrusted
	}
	if _, behind := j.contradicted(now); behind {
		return now.wall, pos.ClockUnknown
	}
	return now.wall, trust(j.ask)
}

// stepped reports that the wall clock was set between two readings: it moved by
// something else than the monotonic one.
func stepped(from, to reading) bool {
	d := to.wall.Sub(from.wall) - (to.mono - from.mono)
	return d > stepAbove || d < -stepAbove
}
