package offline

import (
	"hash/maphash"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// What a minute allows. A shop's Wi-Fi is one address with many customers, so good
// tokens are counted by device: a page that is open asks 15 times a minute, a wallet
// some 20 times.
const (
	badRate  = 30
	goodRate = 60
)

// buckets bounds the memory of limits. Two that share a bucket share its rate;
// nobody can choose which, for the hash is seeded at random.
const buckets = 1024

// limits holds a token bucket for each name, in a table of fixed size.
type limits struct {
	perMinute int
	seed      maphash.Seed
	mu        *sync.Mutex
	table     *[buckets]*rate.Limiter
}

func newLimits(perMinute int) limits {
	return limits{perMinute, maphash.MakeSeed(), new(sync.Mutex), new([buckets]*rate.Limiter)}
}

// place is where who is counted.
func (l limits) place(who string) int { return int(maphash.String(l.seed, who) % buckets) }

// wait takes one request of who and returns 0, or how long who must wait first.
func (l limits) wait(who string, now time.Time) time.Duration {
	l.mu.Lock()
	at := &l.table[l.place(who)]
	if *at == nil {
		*at = rate.NewLimiter(rate.Every(time.Minute/time.Duration(l.perMinute)), l.perMinute)
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
