package coin_test

import (
	"context"
	"errors"
	"log/slog"
	"math/big"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// rounds makes Rounds whose looks end as round says.
func rounds(round func() (bool, error)) (r *coin.Rounds, outcomes *[]error) {
	r, outcomes = coin.NewRounds(), new([]error)
	r.Every = func(_ time.Time, waiting, failing bool) time.Duration {
		switch {
		case failing:
			return time.Minute
		case waiting:
			return time.Second
		}
		return time.Hour
	}
	r.Turn = func(ctx context.Context) error { return ctx.Err() }
	r.Round = func(context.Context) (bool, error) { time.Sleep(100 * time.Millisecond); return round() }
	r.Outcome = func(err error) { *outcomes = append(*outcomes, err) }
	return r, outcomes
}

// TestRounds: who asks hears of a look that began after he asked, not of the one under
// way, nor of one that left something unread; and nobody waits when the till stops.
func TestRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int32
		var unread, old atomic.Bool
		fault := rpc.Failed(rpc.Stale, "old")
		r, outcomes := rounds(func() (bool, error) {
			if looks.Add(1); old.Load() {
				return true, fault
			}
			return !unread.Load(), nil
		})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { r.Run(ctx); close(done) }()
		time.Sleep(50 * time.Millisecond) // the first look is under way
		if err := <-r.Ask(); err != nil || looks.Load() != 2 {
			t.Errorf("heard %v of look %d", err, looks.Load())
		}
		unread.Store(true)
		heard := r.Ask()
		time.Sleep(10 * time.Second)
		select {
		case <-heard:
			t.Error("heard of a look that left something unread")
		default:
		}
		unread.Store(false)
		if err := <-heard; err != nil {
			t.Error(err)
		}
		old.Store(true)
		if err := <-r.Ask(); !errors.Is(err, fault) {
			t.Errorf("heard %v", err)
		}
		heard = r.Ask()
		stop()
		if err := <-heard; rpc.FaultOf(err) != rpc.Unreachable {
			t.Errorf("stopped: %v", err)
		}
		<-done
		if all := *outcomes; len(all) < 3 || all[0] != nil || !errors.Is(all[len(all)-1], fault) && rpc.FaultOf(all[len(all)-1]) != rpc.Unreachable {
			t.Errorf("the health was told %v", all)
		}
	})
}

// TestRing: the endpoint that answered last is asked first, each is tried once.
func TestRing(t *testing.T) {
	r, bad := coin.Ring[string]{All: []string{"a", "b", "c"}}, map[string]bool{"a": true, "b": true}
	var order, next []string
	try := func(k string) error {
		if order = append(order, k); bad[k] {
			return errors.New(k + " is down")
		}
		return nil
	}
	failed := func(_ string, _ error, more bool) {
		if more {
			next = append(next, r.Now())
		}
	}
	if err := r.Try(t.Context(), try, failed); err != nil || strings.Join(order, "") != "abc" || strings.Join(next, "") != "bc" || r.Now() != "c" {
		t.Errorf("%v after %v, next %v, now %s", err, order, next, r.Now())
	}
	bad["c"] = true
	if err := r.Try(t.Context(), try, failed); err == nil || strings.Join(order, "") != "abccab" || r.Now() != "c" {
		t.Errorf("%v after %v, now %s", err, order, r.Now())
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := r.Try(ctx, try, failed); err == nil || strings.Join(order, "") != "abccabc" || r.Now() != "c" {
		t.Errorf("after the end: %v after %v, now %s", err, order, r.Now())
	}
}

// TestNotices: each is told once, a new text replaces the old one, and there is an end.
func TestNotices(t *testing.T) {
	n := coin.Notices{Log: slog.New(slog.DiscardHandler)}
	for _, x := range [][2]string{{"a", "1"}, {"b", "2"}, {"a", "1"}, {"a", "3"}} {
		n.Tell(x[0], x[1])
	}
	if got := strings.Join(n.Told(), " "); got != "2 3" {
		t.Errorf("told %q", got)
	}
	if n.Untell("b"); len(n.Told()) != 1 {
		t.Errorf("told %q", n.Told())
	}
	for i := range 100 {
		n.Tell(string(rune('A'+i)), "x")
	}
	if len(n.Told()) != 12 {
		t.Errorf("%d notices", len(n.Told()))
	}
}

// TestHealth: the chain's reason comes before a token's own.
func TestHealth(t *testing.T) {
	h := coin.Health[string]{Log: slog.New(slog.DiscardHandler)}
	dead := map[string]string{"usdc": "frozen"}
	h.SetDead(dead)
	delete(dead, "usdc")
	h.Set("no line")
	if h.Why("usdc") != "no line" || h.Dead("usdc") != "frozen" || h.Why("dai") != "no line" {
		t.Error("without a line")
	}
	if h.Set(""); h.Why("usdc") != "frozen" || h.Why("dai") != "" {
		t.Error("with a line")
	}
	if coin.Reason(rpc.Failed(rpc.Stale, ""), nil) != "evm_stale" || coin.Reason(rpc.Failed(100, ""), map[rpc.Fault]string{100: "own"}) != "own" {
		t.Error("reasons")
	}
}

// TestPolicy: the row is that of the size, and rows that say nothing are refused.
func TestPolicy(t *testing.T) {
	p := coin.Policy{coin.UpTo(50, "one", 1), coin.UpTo(0, "deep", 2)}
	if p.Row(6, big.NewInt(50_000_000)) != p[0] || p.Row(6, big.NewInt(50_000_001)) != p[1] || p.Operators() != 2 || p.Check("one", "deep") != nil {
		t.Error("a good policy")
	}
	for _, decimals := range []int{0, 2, 6, 18, 30} { // whole tokens, whatever the chain counts by
		one := coin.One(decimals)
		most := new(big.Int).Mul(one, big.NewInt(50))
		if p.Row(decimals, most) != p[0] || p.Row(decimals, most.Add(most, big.NewInt(1))) != p[1] {
			t.Errorf("%d decimals", decimals)
		}
	}
	for name, p := range map[string]coin.Policy{
		"falls": {coin.UpTo(5, "one", 1), coin.UpTo(4, "one", 1), coin.UpTo(0, "one", 1)}, "no end": {coin.UpTo(5, "one", 1)},
		"two ends": {coin.UpTo(0, "one", 1), coin.UpTo(0, "one", 1)}, "three": {coin.UpTo(0, "one", 3)}, "unknown": {coin.UpTo(0, "soon", 1)},
	} {
		if err := p.Check("one", "deep"); pos.KindOf(err) != pos.Invalid || err == nil || !strings.Contains(err.Error(), `"one" or "deep"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
