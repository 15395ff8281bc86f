package web

import (
	"hash/maphash"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// An address's share: a page of the dashboard is three requests, and a till that
// drains a month of sales makes some ten a second.
const (
	addressRate  = 50 // a second
	addressBurst = 200
)

// buckets bounds the memory of limits. Two addresses that share a bucket share
// its rate; nobody can choose which, for the hash is seeded at random.
const buckets = 4096

// limits holds a token bucket for each address, in a table of fixed size.
type limits struct {
	rate  rate.Limit
	burst int
	seed  maphash.Seed

	mu    sync.Mutex
	table [buckets]*rate.Limiter
}

func newLimits(perSecond rate.Limit, burst int) *limits {
	return &limits{rate: perSecond, burst: burst, seed: maphash.MakeSeed()}
}

// wait takes one request of who and returns 0, or how long who must wait first.
func (l *limits) wait(who string, now time.Time) time.Duration {
	l.mu.Lock()
	at := &l.table[maphash.String(l.seed, who)%buckets]
	if *at == nil {
		*at = rate.NewLimiter(l.rate, l.burst)
	}
	lim := *at
	l.mu.Unlock()
	r := lim.ReserveN(now, 1)
	d := r.DelayFrom(now)
	if d > 0 {
		r.CancelAt(now)
	}
	return d
}
