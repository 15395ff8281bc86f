package evm

import (
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// sold is a sale of 12.3401 USDC on base that was asked for.
func sold(l *lab, n string) (*Rail, pos.Payment, Address) {
	r := l.Ready("usdc-base")
	p := l.Requested(r, "SALE00000000"+n, 12_340_100)
	req, _ := at(l.T, p)
	return r, p, req.To
}

// TestMoney walks through what customers do other than pay exactly. Nothing of it
// may be called paid that is not, and nothing may go unnamed.
func TestMoney(t *testing.T) {
	t.Parallel()
	base := newPlace(t, 31337, "base", small, 1)
	polygon := newPlace(t, 31338, "polygon", small, 1)
	l := newLab(t, base, polygon).start()
	l.Ready("usdc-polygon")

	t.Run("short, then the rest", func(t *testing.T) {
		r, p, to := sold(l, "A")
		base.usdc.mint(to, 12_000_000)
		if f := l.Becomes(r, p, pos.See); !f.Received.IsZero() || f.Final {
			t.Fatalf("%+v", f)
		}
		p = l.Moved(p, pos.See)
		var f pos.Finding
		l.Until("the rest is asked for", func() bool { f = l.Found(r, p); return f.Rest != nil })
		if forms := f.Rest.Forms; f.Part.Number() != "12.0000" || forms[0].Payload != URI(r.token, to, big10("340100")) || forms[1].Caption != "Address only: type exactly 0.3401 USDC on Test base" {
			t.Fatalf("the rest of %v is asked for as %+v", f.Part, forms)
		}
		base.usdc.mint(to, 340_100)
		if f := l.Becomes(r, p, pos.Settle); f.Received.Int().Int64() != 12_340_100 {
			t.Fatalf("%+v", f)
		}
	})

	t.Run("short, then cancelled: it pays a part", func(t *testing.T) {
		r, p, to := sold(l, "B")
		base.usdc.mint(to, 12_000_000)
		l.Becomes(r, p, pos.See)
		f, err := r.Cancel(t.Context(), p)
		if err != nil || f.Event != pos.Settle || f.Received.Int().Int64() != 12_000_000 {
			t.Fatalf("%+v, %v", f, err)
		}
	})

	t.Run("paid twice", func(t *testing.T) {
		r, p, to := sold(l, "C")
		base.usdc.mint(to, 12_340_100)
		l.Becomes(r, p, pos.Settle)
		base.usdc.mint(to, 12_340_100)
		l.Until("the owner is told", func() bool { l.touch(r); return cointest.Told(r, "12.3401 USDC more") })
	})

	t.Run("a look-alike", func(t *testing.T) {
		r, p, to := sold(l, "D")
		base.look.mint(to, 12_340_100)
		f := l.Becomes(r, p, pos.Doubt)
		if !strings.Contains(f.Why, "12.3401 USDC.e came on Test base instead of USDC") {
			t.Fatalf("%q", f.Why)
		}
		p = l.Moved(p, pos.Doubt)
		if f, err := r.Cancel(t.Context(), p); err == nil || !strings.Contains(err.Error(), "USDC.e") {
			t.Fatalf("forgotten: %+v, %v", f, err)
		}
		base.usdc.mint(to, 12_340_100) // the customer pays right after all
		if f, err := r.Cancel(t.Context(), p); err != nil || f.Event != pos.Settle {
			t.Fatalf("%+v, %v", f, err)
		}
	})

	t.Run("another chain", func(t *testing.T) {
		r, p, to := sold(l, "E")
		polygon.usdc.mint(to, 12_340_100)
		f := l.Becomes(r, p, pos.Doubt)
		if !strings.Contains(f.Why, "12.3401 USDC came on Test polygon instead of USDC on Test base") {
			t.Fatalf("%q", f.Why)
		}
		if !cointest.Told(l.Rail("usdc-polygon"), "12.3401 USDC came on Test polygon") {
			t.Fatalf("the owner is told %v", l.Rail("usdc-polygon").Health().Notices)
		}
	})

	t.Run("another token that the shop takes", func(t *testing.T) {
		r, p, to := sold(l, "F")
		base.dai.do("mint(address,uint256)", addr(to), uint256(big10("12340100000000000000")))
		if f := l.Becomes(r, p, pos.Doubt); !strings.Contains(f.Why, "12.3401 DAI came") {
			t.Fatalf("%q", f.Why)
		}
	})

	t.Run("the chain's own coin", func(t *testing.T) {
		r, p, to := sold(l, "G")
		base.works(to, nil, 3_000_000_000_000_000)
		if f := l.Becomes(r, p, pos.Doubt); !strings.Contains(f.Why, "0.0030 ETH came") {
			t.Fatalf("%q", f.Why)
		}
	})

	t.Run("a token that anybody made", func(t *testing.T) {
		r, p, to := sold(l, "H")
		base.coin("Plain", "USDC", 6).mint(to, 12_340_100)
		if f := l.Found(r, p); f.Event != "" {
			t.Fatalf("false money was taken for %+v", f)
		}
	})

	t.Run("swept between two looks", func(t *testing.T) {
		r, p, to := sold(l, "I")
		base.lines[0].Cut()
		base.usdc.mint(to, 12_340_100)
		ref, err := readReference(p.Reference)
		if err != nil {
			t.Fatal(err)
		}
		data, err := SweepCall(merchant, []Item{{ref.salt, base.usdc.at}})
		if err != nil {
			t.Fatal(err)
		}
		base.works(Factory, data, 0)
		if base.usdc.balance(to) != 0 {
			t.Fatal("not swept")
		}
		base.lines[0].Mend()
		if f := l.Becomes(r, p, pos.Settle); f.Received.Int().Int64() != 12_340_100 {
			t.Fatalf("%+v", f)
		}
	})

	t.Run("a token that takes a fee", func(t *testing.T) {
		r, p, to := sold(l, "J")
		base.usdc.mint(to, 12_216_699) // what arrived is what counts, whatever was sent
		if f := l.Becomes(r, p, pos.See); f.Event != pos.See {
			t.Fatalf("%+v", f)
		}
	})

	t.Run("an address that somebody used before", func(t *testing.T) {
		r := l.Ready("usdc-base")
		n, salt := l.w.book.peek()
		base.usdc.mint(AddressOf(merchant, salt), 5)
		p := l.Requested(r, "SALE00000000K", 12_340_100)
		if ref, err := readReference(p.Reference); err != nil || ref.n != n+1 {
			t.Fatalf("attempt %d, want %d (%v)", ref.n, n+1, err)
		}
		if !cointest.Told(r, "was used before") {
			t.Fatalf("the owner is told %v", r.Health().Notices)
		}
	})

	t.Run("swept, and then paid again", func(t *testing.T) {
		r, p, to := sold(l, "N")
		base.usdc.mint(to, 12_340_100)
		l.Becomes(r, p, pos.Settle)
		ref, _ := readReference(p.Reference)
		data, _ := SweepCall(merchant, []Item{{ref.salt, base.usdc.at}})
		base.works(Factory, data, 0)
		l.touch(r)
		base.usdc.mint(to, 4_000_000)
		l.Until("the owner is told", func() bool { l.touch(r); return cointest.Told(r, "4.0000 USDC more") })
	})

	t.Run("told after a restart", func(t *testing.T) {
		r, p, to := sold(l, "L")
		base.usdc.mint(to, 12_340_100)
		l.Becomes(r, p, pos.Settle)
		l.Requested(r, "SALE00000000M", 1) // writes the book
		l.restart()
		r = l.Ready("usdc-base")
		base.usdc.mint(to, 1_000_000)
		l.Until("the owner is told", func() bool { l.touch(r); return cointest.Told(r, "1.0000 USDC more") })
	})
}

// TestTolerance: an exchange takes its fee from what is sent; the owner forgives it.
func TestTolerance(t *testing.T) {
	t.Parallel()
	base := newPlace(t, 31337, "base", small, 1)
	l := newLab(t, base)
	l.change = func(o *Options) { o.Tolerance = 50 } // 0.5 %, at most 0.05
	l.start()
	for sale, row := range map[string]struct {
		asked, sent int64
		paid        bool
	}{
		"SALE0000000T1": {10_000_000, 9_950_000, true},
		"SALE0000000T2": {10_000_000, 9_949_999, false},
		"SALE0000000T3": {1000_000_000, 999_950_000, true},
		"SALE0000000T4": {1000_000_000, 999_949_999, false},
	} {
		r := l.Ready("usdc-base")
		p := l.Requested(r, sale, row.asked)
		req, _ := at(t, p)
		base.usdc.mint(req.To, row.sent)
		want := pos.See
		if row.paid {
			want = pos.Settle
		}
		if f := l.Becomes(r, p, want); row.paid && (f.Received.Int().Int64() != row.sent || !f.Enough) {
			t.Errorf("%d of %d: %+v", row.sent, row.asked, f)
		}
	}
}

// TestDepth waits for as many blocks, or for the tag, that the policy wants, while
// the chain's tags move. Anvil's safe block is 2 behind the newest here, the final
// one 4.
func TestDepth(t *testing.T) {
	for name, row := range map[string]struct {
		level  Level
		blocks int
	}{
		"one block": {OneBlock, 0}, "two blocks": {TwoBlocks, 1}, "safe": {Safe, 2}, "finalized": {Finalized, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := newPlace(t, 31337, "base", Policy{coin.UpTo(0, row.level, 1)}, 1)
			l := newLab(t, base).start()
			r, p, to := sold(l, "1")
			base.usdc.mint(to, 12_340_100)
			for range row.blocks {
				if f := l.Becomes(r, p, pos.Accept); f.Final || !f.Received.IsZero() {
					t.Fatalf("%+v", f)
				}
				looks(l, r, p, 3) // deep blocks are asked for every 2 s: give it every chance to be wrong
				base.Do("anvil_mine", "0x1")
			}
			l.Becomes(r, p, pos.Settle)
		})
	}
}

// looks lets a rail look n times, and demands that p is not paid.
func looks(l *lab, r *Rail, p pos.Payment, n int) {
	l.T.Helper()
	for range n {
		if f := l.Found(r, p); f.Event == pos.Settle {
			l.T.Fatal("paid too early")
		}
	}
}

// TestReorg takes a payment back: before it counts, it must not count; afterwards,
// the owner must hear of it.
func TestReorg(t *testing.T) {
	t.Parallel()
	t.Run("before it counts", func(t *testing.T) {
		base := newPlace(t, 31337, "base", Policy{coin.UpTo(0, Finalized, 1)}, 1)
		l := newLab(t, base).start()
		r, p, to := sold(l, "1")
		base.usdc.mint(to, 12_340_100)
		l.Becomes(r, p, pos.Accept)
		p = l.Moved(p, pos.Accept)
		base.Do("anvil_reorg", 1, []any{})
		if base.usdc.balance(to) != 0 {
			t.Fatal("the reorg did not take it back")
		}
		base.Do("anvil_mine", "0x8", "0x1e") // beyond the time of the block that is gone, however long that stood
		f := l.Becomes(r, p, pos.Doubt)
		if !strings.Contains(f.Why, "took it back") {
			t.Fatalf("%q", f.Why)
		}
		p = l.Moved(p, pos.Doubt)
		base.usdc.mint(to, 12_340_100) // it comes again, in another block
		base.Do("anvil_mine", "0x8")
		l.Becomes(r, p, pos.Settle)
	})

	t.Run("a part, and then cancelled", func(t *testing.T) {
		base := newPlace(t, 31337, "base", small, 1)
		l := newLab(t, base).start()
		r, p, to := sold(l, "1")
		base.usdc.mint(to, 5_000_000)
		l.Becomes(r, p, pos.See)
		p = l.Moved(p, pos.See)
		l.touch(r) // proved by now
		base.Do("anvil_reorg", 1, []any{})
		base.Do("evm_increaseTime", 2) // beyond the time of the block that is gone
		base.Do("anvil_mine", "0x2")
		if f, err := r.Cancel(t.Context(), p); err != nil || f.Event != pos.Cancel {
			t.Fatalf("money that is gone paid a part: %+v, %v", f, err)
		}
	})

	t.Run("after the sale", func(t *testing.T) {
		base := newPlace(t, 31337, "base", small, 1)
		l := newLab(t, base).start()
		r, p, to := sold(l, "1")
		base.usdc.mint(to, 12_340_100)
		l.Becomes(r, p, pos.Settle)
		base.Do("anvil_reorg", 1, []any{})
		base.Do("evm_increaseTime", 2) // beyond the time of the block that is gone
		base.Do("anvil_mine", "0x1")
		l.Until("the owner is told", func() bool {
			l.touch(r)
			return cointest.Told(r, "ALARM: 12.3401 USDC on Test base")
		})
	})

	t.Run("final, and swept: no alarm", func(t *testing.T) {
		base := newPlace(t, 31337, "base", small, 1)
		l := newLab(t, base).start()
		r, p, to := sold(l, "1")
		base.usdc.mint(to, 12_340_100)
		l.Becomes(r, p, pos.Settle)
		ref, _ := readReference(p.Reference)
		data, _ := SweepCall(merchant, []Item{{ref.salt, base.usdc.at}})
		base.works(Factory, data, 0)
		l.touch(r)
		l.touch(r)
		if cointest.Told(r, "ALARM") {
			t.Fatal("a sweep was taken for a reorg")
		}
	})
}

// touch makes the rail look at its chain, with every payment in the round.
func (l *lab) touch(r *Rail) {
	l.T.Helper()
	l.w.mu.Lock()
	var all []*payment
	for _, p := range l.w.payments {
		p.Wants++
		all = append(all, p)
	}
	l.w.mu.Unlock()
	defer func() {
		l.w.mu.Lock()
		defer l.w.mu.Unlock()
		for _, p := range all {
			p.Wants--
		}
	}()
	if err := <-r.c.rounds.Ask(); err != nil {
		l.T.Fatal(err)
	}
}

// TestLate pays an hour after the end, and after a cancellation.
func TestLate(t *testing.T) {
	t.Parallel()
	base := newPlace(t, 31337, "base", small, 1)
	l := newLab(t, base).start()
	r, p, to := sold(l, "1")
	q := l.Requested(r, "SALE000000002", 5_000_000)
	if f, err := r.Cancel(t.Context(), q); err != nil || f.Event != pos.Cancel || f.Final {
		t.Fatalf("%+v, %v", f, err)
	}
	q = l.Moved(q, pos.Cancel)
	base.Do("evm_increaseTime", 3600)
	base.Do("anvil_mine", "0x1")
	if f := l.Becomes(r, p, pos.Expire); f.Final {
		t.Fatal("an address cannot end")
	}
	p = l.Moved(p, pos.Expire)
	req, _ := at(t, q)
	base.usdc.mint(to, 12_340_100)
	base.usdc.mint(req.To, 5_000_000)
	for _, late := range []pos.Payment{p, q} {
		l.Becomes(r, late, pos.Settle)
	}

	s := l.Requested(r, "SALE000000003", 7_000_000)
	base.Do("evm_increaseTime", int(coin.WatchFor/time.Second)+700)
	base.Do("anvil_mine", "0xa")
	l.Until("nothing can change any more", func() bool { return l.Found(r, s).Final })
}
