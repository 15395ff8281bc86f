package evm

import (
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// strays lists what is told as astray while p is looked at, one by one as it changes, and
// keeps it in p as the desk does.
func (w *world) strays(r *Rail, p *pos.Payment, during time.Duration) (out []string) {
	w.watching(r, *p, during, func(f pos.Finding, err error) bool {
		if f.Stray.IsZero() || f.Stray.Asset.ID == p.Stray.Asset.ID && f.Stray.Cmp(p.Stray) == 0 {
			return false
		}
		p.Stray = f.Stray
		out = append(out, f.Stray.Number()+" "+f.Stray.Asset.ID[:9])
		return true
	})
	return out
}

// TestStrayStays: of money on several networks the one is told that was told before, over
// restarts, and after the owner swept it.
func TestStrayStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base", "polygon", "ethereum")
		w.start()
		r, _, p, req := w.owed("SALE000000001", 49_000_000)
		w.requested(r, "SALE000000002", 1) // writes the book
		w.chains["polygon"].pay(w.usdc("polygon").Contract, req.To, big.NewInt(49_000_000))
		if got := w.strays(r, &p, time.Minute); len(got) != 1 || got[0] != "49.0000 eip155:13" {
			t.Fatalf("told %q", got)
		}
		p = w.moved(p, pos.Doubt)
		w.chains["ethereum"].pay(w.usdc("ethereum").Contract, req.To, big.NewInt(3_000_000))
		for i, do := range []func(){
			func() {}, func() { w.restart(); r = w.rail("usdc-base") },
			func() { w.chains["polygon"].sweep(w.usdc("polygon").Contract, req.To) }, func() { w.restart(); r = w.rail("usdc-base") },
		} {
			do()
			if got := w.strays(r, &p, 5*time.Minute); len(got) != 0 {
				t.Errorf("step %d: told %q", i, got)
			}
		}
		w.stop()
	})
}

// TestStrayGone: a reorg took back what came astray. The finding says so, by its asset
// with nothing of it, also after a restart; not before that network was looked at.
func TestStrayGone(t *testing.T) {
	for _, off := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 2, "base", "polygon")
			w.start()
			r, _, p, req := w.owed("SALE000000001", 49_000_000)
			w.requested(r, "SALE000000002", 1) // writes the book
			w.chains["polygon"].pay(w.usdc("polygon").Contract, req.To, big.NewInt(49_000_000))
			if got := w.strays(r, &p, time.Minute); len(got) != 1 {
				t.Fatalf("told %q", got)
			}
			p = w.moved(p, pos.Doubt)
			gone := func(f pos.Finding, err error) bool {
				return err == nil && f.Stray.IsZero() && f.Stray.Asset.ID == p.Stray.Asset.ID
			}
			if w.watching(r, p, time.Minute, gone) {
				t.Fatal("it is there, and told as gone")
			}
			if w.chains["polygon"].reorg(40); off {
				w.each(func(l *line) { l.mu.Lock(); l.down = true; l.mu.Unlock() })
				w.restart()
				r = w.rail("usdc-base")
				w.lines["base-0.example"].mend()
				w.lines["base-1.example"].mend()
				if w.watching(r, p, time.Minute, gone) {
					t.Fatal("nobody looked, and it is told as gone")
				}
				w.each(func(l *line) { l.mend() })
			}
			if !w.watching(r, p, 5*time.Minute, gone) {
				t.Errorf("off %v: it is not told", off)
			}
			w.stop()
		})
	}
}
