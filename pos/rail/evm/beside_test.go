package evm

import (
	"errors"
	"fmt"
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

// TestBesideStray: other money comes for a sale twice, each of another token or on another
// network, and what was asked for never does. The till is told of one of them as astray.
// Goal: it is told of the other one as well, when the payment had its last word, and of
// neither twice.
func TestBesideStray(t *testing.T) {
	for _, full := range []bool{false, true} {
		t.Run(fmt.Sprintf("disk full %v", full), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, l := newWorld(t, 2, "base", "polygon", "ethereum"), ledger{}
				w.start()
				r, _, p, req := w.owed("SALE000000001", 49_000_000)
				w.chains["polygon"].pay(w.usdc("polygon").Contract, req.To, big.NewInt(49_000_000))
				if got := w.strays(r, &p, time.Minute); len(got) != 1 {
					t.Fatalf("told %q", got)
				}
				p = w.Moved(p, pos.Doubt)
				w.chains["ethereum"].pay(w.usdc("ethereum").Contract, req.To, big.NewInt(3_000_000))
				w.sleeps(coin.WatchFor + time.Hour)
				r = w.Ready("usdc-base")
				last := func(f pos.Finding, _ error) bool { return f.Final && f.Event == pos.Fail }
				if full {
					w.Store.Fails(errors.New("disk full"))
					if w.watching(r, p, 10*time.Minute, last) {
						t.Fatal("a last word that is not kept")
					}
					w.Store.Fails(nil)
				}
				if !w.watching(r, p, 10*time.Minute, last) {
					t.Fatal("no last word")
				}
				w.passes(l, time.Hour)
				w.restart()
				w.passes(l, time.Hour)
				if got := l.sums(); got != "1: 3000000 USDC on Ethereum" {
					t.Errorf("told %s", got)
				}
				w.Stop()
			})
		})
	}
}
