package coin

import (
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Health is why a chain, or some of its tokens, cannot be used. A is what names a token.
// It is safe for concurrent use.
type Health[A comparable] struct {
	Log *slog.Logger // names the chain

	mu     sync.Mutex
	reason string
	dead   map[A]string
}

// Why says in a cashier's words why a token cannot be taken now; empty: it can.
func (h *Health[A]) Why(token A) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reason != "" {
		return h.reason
	}
	return h.dead[token]
}

// Dead says why a token is not what it should be; empty: it is.
func (h *Health[A]) Dead(token A) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dead[token]
}

// Set notes why the whole chain cannot be used; empty: it can.
func (h *Health[A]) Set(reason string) {
	h.mu.Lock()
	changed := h.reason != reason
	h.reason = reason
	h.mu.Unlock()
	if changed {
		h.Log.Info("chain health", "ready", reason == "", "reason", reason)
	}
}

// SetDead notes all tokens that cannot be taken, and why. It keeps a copy.
func (h *Health[A]) SetDead(dead map[A]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dead = maps.Clone(dead)
}

// reasons are keys of words.
var reasons = map[rpc.Fault]string{
	rpc.Odd: "evm_odd", rpc.Unreachable: "evm_unreachable", rpc.Limited: "evm_limited", rpc.Denied: "evm_denied",
	rpc.Refused: "evm_odd", rpc.WrongChain: "evm_wrong_chain", rpc.Stale: "evm_stale", rpc.Differ: "evm_differ",
}

// Reason returns the key of the word for an error of an endpoint. own are those of a
// chain's own faults.
func Reason(err error, own map[rpc.Fault]string) string {
	f := rpc.FaultOf(err)
	if key, ok := own[f]; ok {
		return key
	}
	return reasons[f]
}

// Notices are what the owner should know. They are safe for concurrent use.
type Notices struct {
	Log *slog.Logger // names the chain

	mu   sync.Mutex
	list []notice // the oldest first
}

type notice struct {
	key, text string
	alarm     bool
}

// Bounds of what is told at once; older ones are in the log. Alarms have their own: no
// other notice takes the place of one.
const (
	maxNotices = 12
	maxAlarms  = 24
)

// Tell notes something, once. A new text under a key replaces the old one.
func (n *Notices) Tell(key, text string) { n.tell(notice{key, text, false}) }

// Alarm is Tell of what must not be missed: money that was taken back, a cloned card.
func (n *Notices) Alarm(key, text string) { n.tell(notice{key, text, true}) }

func (n *Notices) tell(o notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if slices.ContainsFunc(n.list, func(was notice) bool {
		return was.key == o.key && was.text == o.text && (was.alarm || !o.alarm)
	}) {
		return
	}
	n.untell(o.key)
	n.list = append(n.list, o)
	n.bound()
	n.Log.Warn("stablecoin notice", "about", o.key, "text", o.text)
}

// bound drops the oldest notice for which there is no room: with alarms there are
// maxNotices, and a few at least without; n.mu is held.
func (n *Notices) bound() {
	alarms := 0
	for _, o := range n.list {
		if o.alarm {
			alarms++
		}
	}
	drop := func(alarm bool) {
		i := slices.IndexFunc(n.list, func(o notice) bool { return o.alarm == alarm })
		n.list = slices.Delete(n.list, i, i+1)
	}
	switch others := len(n.list) - alarms; {
	case alarms > maxAlarms:
		drop(true)
	case others > max(maxNotices-alarms, leastNotices):
		drop(false)
	}
}

// leastNotices is how many notices there is room for however many alarms there are.
const leastNotices = 3

// Untell takes a notice back.
func (n *Notices) Untell(key string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.untell(key)
}

func (n *Notices) untell(key string) {
	n.list = slices.DeleteFunc(n.list, func(o notice) bool { return o.key == key })
}

// Told returns the texts, the oldest first; the caller owns the slice.
func (n *Notices) Told() (out []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, o := range n.list {
		out = append(out, o.text)
	}
	return out
}
