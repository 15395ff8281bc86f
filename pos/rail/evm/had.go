package evm

import (
	"cmp"
	"encoding/hex"
	"maps"
	"math/big"
	"reflect"
	"slices"
)

// had is what somebody knows of one token at a payment's address.
type had struct {
	units []*big.Int // what the till has; and, rising, totals that were told beyond it
	told  int        // how many of the latter the desk was told of since the start
}

// last is what need not be told any more.
func (h *had) last() *big.Int {
	if h == nil {
		return new(big.Int)
	}
	return h.units[len(h.units)-1]
}

// full reports that the book takes no further total.
func (h *had) full() bool { return h != nil && len(h.units) >= maxTold+2 }

// entryHad is a had in the book.
type entryHad struct {
	Chain uint64   `json:"chain"`
	Token Address  `json:"token"`
	Units []string `json:"units"`
}

// Bounds of what is kept of one payment after its last word.
const (
	maxHad   = 64  // tokens of all chains
	maxGiven = 256 // transfers
)

// entryOf is what the book keeps of p after its last word.
func entryOf(p *payment, all map[claimKey]*had, given map[string]bool) entry {
	e := entry{
		ID: p.id, N: p.ref.n, Chain: p.token.Chain, Token: p.token.Contract, Units: p.units.String(), End: p.ref.end, From: p.ref.from,
		Unseen: p.ref.unseen, Clean: p.past.clean, Treasury: p.ref.treasury, Done: true,
	}
	if e.N != 0 {
		e.Salt = hex.EncodeToString(p.ref.salt[:])
	}
	if p.taken != nil {
		e.Paid = p.taken.String()
	}
	for key, h := range all {
		x := entryHad{Chain: key.chain, Token: key.token}
		for _, n := range h.units {
			x.Units = append(x.Units, n.String())
		}
		e.Had = append(e.Had, x)
	}
	slices.SortFunc(e.Had, func(a, b entryHad) int {
		return cmp.Or(cmp.Compare(a.Chain, b.Chain), slices.Compare(a.Token[:], b.Token[:]))
	})
	e.Had = e.Had[:min(len(e.Had), maxHad)]
	e.Given = slices.Sorted(maps.Keys(given))
	e.Given = e.Given[:min(len(e.Given), maxGiven)]
	return e
}

// soundHad reports that what e says of money can be.
func (e entry) soundHad() bool {
	for _, x := range e.Had {
		last := big.NewInt(-1)
		for _, s := range x.Units {
			n, ok := new(big.Int).SetString(s, 10)
			if !ok || n.Cmp(last) <= 0 || n.BitLen() > 256 {
				return false
			}
			last = n
		}
		if len(x.Units) == 0 || len(x.Units) > maxTold+2 {
			return false
		}
	}
	return len(e.Had) <= maxHad && len(e.Given) <= maxGiven
}

// hads reads Had and Given, which the book has checked.
func (e entry) hads() (all map[claimKey]*had, given map[string]bool) {
	all, given = map[claimKey]*had{}, map[string]bool{}
	for _, x := range e.Had {
		h := &had{}
		for _, s := range x.Units {
			n, _ := new(big.Int).SetString(s, 10)
			h.units = append(h.units, n)
		}
		all[claimKey{x.Chain, x.Token}] = h
	}
	for _, id := range e.Given {
		given[id] = true
	}
	return all, given
}

// last makes e durable, whose payment has had its last word. It replaces what there is of
// the same attempt; without that it is added: a manager made that payment of money that
// came astray. It writes nothing when all of it is on the disk.
func (k *book) last(e entry) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := k.entries
	k.entries = slices.Clone(k.entries)
	if at := slices.IndexFunc(k.entries, func(o entry) bool { return o.ID == e.ID }); at < 0 {
		k.entries = append(k.entries, e)
		k.bound(e)
	} else {
		old := &k.entries[at]
		if old.Done && reflect.DeepEqual(old.Had, e.Had) && slices.Equal(old.Given, e.Given) {
			k.entries = before
			return nil
		}
		old.Done, old.Had, old.Given = true, e.Had, e.Given
	}
	if err := k.write(); err != nil {
		k.entries = before
		return err
	}
	return nil
}
