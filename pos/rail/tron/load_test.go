package tron

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// load runs sales on one network for a while, as a desk would, and returns requests and
// calls a second to the operator, and the share of one core, the fakes' work included.
func load(t testing.TB, kind Kind, sales int, during time.Duration) (rate, core float64, late time.Duration) {
	l, m := usual(t, small, kind)
	l.start()
	r := l.Ready("usdt-tron")
	var wg sync.WaitGroup
	stopped := make(chan struct{})
	var ps []pos.Payment
	for i := range sales {
		p := l.Requested(r, fmt.Sprintf("SALE%09d", i), int64(price+(i%20)*1_000_000))
		ps = append(ps, p)
		wg.Go(func() { // as the desk polls while the customer stands there
			for {
				select {
				case <-stopped:
					return
				default:
					_, _ = r.Check(t.Context(), p)
					time.Sleep(2500 * time.Millisecond)
				}
			}
		})
	}
	time.Sleep(30 * time.Second)
	before, cpu := l.endpoints[0].count(), cointest.CPU()
	time.Sleep(during)
	rate = float64(l.endpoints[0].count()-before) / during.Seconds()
	core = (cointest.CPU() - cpu).Seconds() / during.Seconds()
	m.pay(l.usdt.Contract, merchant, ps[0].Quantity.Int().Int64())
	began := time.Now()
	l.Becomes(r, ps[0], pos.Settle)
	late = time.Since(began)
	close(stopped)
	wg.Wait()
	l.Stop()
	return rate, core, late
}

// TestLoad holds the pace: 200 open sales cost an operator no more than one.
func TestLoad(t *testing.T) {
	for _, kind := range []Kind{JSONRPC, TronGrid} {
		synctest.Test(t, func(t *testing.T) {
			rate, _, late := load(t, kind, 200, 2*time.Minute)
			t.Logf("%s: %.2f requests a second; told %v after it was sent", kind, rate, late)
			if rate > 1 || late > 10*time.Second {
				t.Errorf("%s: %.2f requests a second, told after %v", kind, rate, late)
			}
		})
	}
}

// BenchmarkWatch prints what 200 open sales cost.
func BenchmarkWatch(b *testing.B) {
	for _, kind := range []Kind{JSONRPC, TronGrid} {
		b.Run(string(kind), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				runtime.GC()
				var rate, core float64
				var late time.Duration
				cointest.Bubble(b, func(t testing.TB) { rate, core, late = load(t, kind, 200, 5*time.Minute) })
				b.ReportMetric(rate, "requests/s")
				b.ReportMetric(100*core, "%core")
				b.ReportMetric(late.Seconds(), "s-to-paid")
				b.StartTimer()
			}
		})
	}
}
