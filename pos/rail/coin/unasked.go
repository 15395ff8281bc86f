package coin

import (
	"log/slog"
	"slices"
	"sync"

	"github.com/tillwright/tillwright/pos"
)

// Unasked holds money that a rail found and that no payment waits for, until the desk has
// booked it. It is safe for concurrent use, and nothing in it blocks.
//
// Limits: maxUnasked findings and, apart from them, pos.MaxDust of dust; dust beyond that
// goes into a sum for each asset, of maxUnaskedAssets. No flood of dust takes the place of
// anything else.
type Unasked struct {
	Log *slog.Logger // names the chain
	// Known reports that money of a name was booked as asked for by nobody, whenever that
	// was. It must not block for long. Nil: none was.
	Known func(pos.PaymentID) bool

	mu     sync.Mutex
	came   []pos.Unasked
	dust   []pos.Unasked
	beyond []pos.Dust
}

const (
	// maxUnasked bounds findings of at least a whole token: the desk takes sixteen a
	// second, so that only a till which cannot write any more has so many.
	maxUnasked = 512
	// maxUnaskedAssets bounds the sums: a chain's tokens and their look-alikes.
	maxUnaskedAssets = 32
)

// Tell notes what was found; what is there already, or is nothing, changes nothing. It
// reports false when there is no room: the caller must tell of it again.
func (u *Unasked) Tell(m pos.Unasked) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	same := func(o pos.Unasked) bool { return o.Key == m.Key }
	switch {
	case !m.Valid():
		u.Log.Error("unasked money cannot be told of", "key", m.Key, "came", m.Came.String())
	case slices.ContainsFunc(u.came, same) || slices.ContainsFunc(u.dust, same):
	case m.Dust() && len(u.dust) < pos.MaxDust:
		u.dust = append(u.dust, m)
	case m.Dust():
		u.sum(m.Came)
	case len(u.came) < maxUnasked:
		u.came = append(u.came, m)
	default:
		u.Log.Error("no room for more money that nobody asked for", "key", m.Key, "came", m.Came.String())
		return false
	}
	return true
}

// sum adds dust beyond what is held one by one. u.mu is held.
func (u *Unasked) sum(q pos.Quantity) {
	i := slices.IndexFunc(u.beyond, func(d pos.Dust) bool { return d.Sum.Asset.ID == q.Asset.ID })
	if i < 0 {
		if len(u.beyond) >= maxUnaskedAssets {
			return
		}
		i, u.beyond = len(u.beyond), append(u.beyond, pos.Dust{Sum: q.Asset.UnitsOf(0)})
	}
	d := &u.beyond[i]
	n := d.Sum.Int()
	if sum, err := q.Asset.Units(n.Add(n, q.Int())); err == nil {
		d.Sum, d.Count = sum, d.Count+1
	}
}

// Unasked returns what is not booked yet: findings, dust behind them, and sums of what is
// beyond the bounds. The caller owns both.
func (u *Unasked) Unasked() (came []pos.Unasked, beyond []pos.Dust) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Concat(u.came, u.dust), slices.Clone(u.beyond)
}

// Holds reports that what was told under key is not booked yet; dust beyond the bounds has
// no key any more.
func (u *Unasked) Holds(key string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	same := func(o pos.Unasked) bool { return o.Key == key }
	return slices.ContainsFunc(u.came, same) || slices.ContainsFunc(u.dust, same)
}

// Told reports that what has this key was told of, now or before this start: it is nobody's
// for good. Else a payment that the till asks about again after days, for its token was not
// in the configuration, would have it as well. Of dust beyond the bounds nobody knows.
func (u *Unasked) Told(key string) bool {
	return u.Holds(key) || u.Known != nil && u.Known(pos.Unasked{Key: key}.ID())
}

// Booked forgets what Unasked returned. What came since stays.
func (u *Unasked) Booked(came []pos.Unasked, beyond []pos.Dust) {
	u.mu.Lock()
	defer u.mu.Unlock()
	done := map[string]bool{}
	for _, m := range came {
		done[m.Key] = true
	}
	gone := func(m pos.Unasked) bool { return done[m.Key] }
	u.came, u.dust = slices.DeleteFunc(u.came, gone), slices.DeleteFunc(u.dust, gone)
	for _, b := range beyond {
		for i := range u.beyond {
			if d := &u.beyond[i]; d.Sum.Asset.ID == b.Sum.Asset.ID {
				d.Sum, d.Count = d.Sum.Minus(b.Sum), d.Count-b.Count
			}
		}
	}
	u.beyond = slices.DeleteFunc(u.beyond, func(d pos.Dust) bool { return d.Count <= 0 })
}
