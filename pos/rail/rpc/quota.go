package rpc

import (
	"sync"
	"time"
)

// Quota bounds the requests to one operator whose plan counts by the day: at most its
// number in any 24 hours, whatever the till does. It is safe for concurrent use.
type Quota struct {
	every time.Duration // between two requests in the long run; 0: no bound
	burst time.Duration // how far requests may run ahead of that

	mu   sync.Mutex
	next time.Time // when the next request is due if none runs ahead
}

const (
	day = 24 * time.Hour
	// burstPart of a day's requests may come at once; the rest is spread over the day, so
	// that both together are never more than a day's.
	burstPart = 10
)

// NewQuota returns a Quota of daily requests in 24 hours; 0 bounds nothing.
func NewQuota(daily int) *Quota {
	if daily <= 0 {
		return &Quota{}
	}
	burst := max(daily/burstPart, 1)
	every := day / time.Duration(max(daily-burst, 1))
	return &Quota{every: every, burst: time.Duration(burst) * every}
}

// Spend takes n requests and reports that they are within the quota; if they are not,
// it takes none.
func (q *Quota) Spend(n int, now time.Time) bool {
	if q.every == 0 {
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	next := q.next
	if ahead := now.Add(-q.burst); next.Before(ahead) {
		next = ahead
	}
	next = next.Add(time.Duration(n) * q.every)
	if next.After(now) {
		return false
	}
	q.next = next
	return true
}
