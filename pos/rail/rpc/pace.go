package rpc

import (
	"context"
	"sync"
	"time"
)

// An operator is asked by all chains together; free plans count by the second.
const (
	// PaceEvery is the time between two requests to one operator in the long run.
	PaceEvery = 500 * time.Millisecond
	// paceBurst is how far requests may run ahead of that: a payment that is asked
	// for, its round and its proofs come at once.
	paceBurst = 8 * PaceEvery
)

// Pace spreads the requests to one operator. It is safe for concurrent use.
type Pace struct {
	mu   sync.Mutex
	next time.Time // when the next request is due if none runs ahead
}

// take notes one request and returns when it may go: now, unless wait is asked for
// and too many ran ahead.
func (p *Pace) take(now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ahead := now.Add(-paceBurst); p.next.Before(ahead) {
		p.next = ahead
	}
	p.next = p.next.Add(PaceEvery)
	return p.next
}

// Wait takes a place in the queue and blocks until its turn, or ctx ends.
func (p *Pace) Wait(ctx context.Context) error {
	return Until(ctx, p.take(time.Now()))
}

// paceDebt bounds how long later requests wait for those that did not: a rush of
// new payments must not silence the watch over the others.
const paceDebt = 4 * time.Second

// Spend notes a request that does not wait; later ones wait for it instead.
func (p *Pace) Spend() {
	now := time.Now()
	p.take(now)
	p.mu.Lock()
	defer p.mu.Unlock()
	if limit := now.Add(paceDebt); p.next.After(limit) {
		p.next = limit
	}
}

// Until blocks until at, or until ctx ends.
func Until(ctx context.Context, at time.Time) error {
	d := time.Until(at)
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
