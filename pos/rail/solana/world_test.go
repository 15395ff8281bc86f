package solana

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/postest"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// TestRailInBubble is the contract before a cluster made of code, with what the policy
// wants of small, of medium and of large sales.
func TestRailInBubble(t *testing.T) {
	for name, units := range map[string]int64{"small": 12_340_100, "medium": 60_340_100, "large": 2000_000_000} {
		if testing.Short() && name != "large" {
			continue // the race detector makes hours of it
		}
		t.Run(name, func(t *testing.T) {
			postest.TestRailInBubble(t, func(t testing.TB) postest.Harness {
				w := newWorld(t, nil, 2)
				w.start()
				r := w.Rail("usdc-solana")
				return postest.Harness{
					Rail: r, Tender: r.Tender(), Quantity: r.Asset().UnitsOf(units), Overpays: true, Withdraws: false,
					Pay: func(p pos.Payment, q pos.Quantity) error {
						x := asks(t, p.Payload)
						x.units = q.Int().Int64()
						w.m.pay(x)
						return nil
					},
					Expire:  func(pos.Payment) { time.Sleep(coin.UsualExpiry + 10*time.Second) },
					Break:   func() { w.each((*line).Cut) },
					Mend:    func() { w.each((*line).Mend) },
					Restart: func() postest.Rail { return w.restart().Rail(r.Tender()) },
					Part: func(p pos.Payment) {
						x := asks(t, p.Payload)
						x.units = 1
						w.m.pay(x)
					},
				}
			})
		})
	}
}

// load runs sales for a while, as a desk would, and returns requests and calls a second
// to the busier operator and the share of one core, the fake cluster's work included.
func load(t testing.TB, sales int, during time.Duration) (rate, calls, core float64, late time.Duration) {
	w := newWorld(t, nil, 2)
	w.start()
	r := w.Ready("usdc-solana")
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var open []pos.Payment
	for i := range sales {
		p := w.Requested(r, fmt.Sprintf("SALE%09d", i), int64(1_000_000*(1+i%40)))
		open = append(open, p)
		if i == 0 {
			continue // asked about below
		}
		wg.Go(func() { // as the desk polls while the customer stands there
			for ctx.Err() == nil {
				_, _ = r.Check(ctx, p)
				_ = rpc.Until(ctx, time.Now().Add(2500*time.Millisecond))
			}
		})
	}
	time.Sleep(30 * time.Second) // the rush of asking is over
	before, callsBefore := w.lines[0].Count()
	cpu := cointest.CPU()
	time.Sleep(during)
	after, callsAfter := w.lines[0].Count()
	rate, calls = float64(after-before)/during.Seconds(), float64(callsAfter-callsBefore)/during.Seconds()
	core = (cointest.CPU() - cpu).Seconds() / during.Seconds()

	woken := make(chan struct{}, 1)
	wg.Go(func() {
		r.Watch(ctx, open[0], func() {
			select {
			case woken <- struct{}{}:
			default:
			}
		})
	})
	synctest.Wait()
	w.m.pay(asks(t, open[0].Payload))
	began := time.Now()
	for {
		<-woken
		if f, err := r.Check(ctx, open[0]); err == nil && f.Event == pos.Settle {
			late = time.Since(began)
			break
		}
	}
	stop()
	wg.Wait()
	w.Stop()
	return rate, calls, core, late
}

// TestLoad holds the pace: 200 open sales cost an operator no more than two requests a
// second, single calls stay below what public endpoints take, and a payment is told
// within two seconds of its slot.
func TestLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rate, calls, _, late := load(t, 200, 2*time.Minute)
		t.Logf("%.2f requests and %.2f calls a second to one operator; told %v after the wallet sent it", rate, calls, late)
		if rate > 2.01 || calls > 10 {
			t.Errorf("%.2f requests and %.2f calls a second", rate, calls)
		}
		if late > 3*time.Second {
			t.Errorf("told %v after", late)
		}
	})
}

// BenchmarkWatch prints what 200 open sales cost.
func BenchmarkWatch(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		var rate, calls, core float64
		var late time.Duration
		runtime.GC()
		cointest.Bubble(b, func(t testing.TB) { rate, calls, core, late = load(t, 200, 5*time.Minute) })
		b.ReportMetric(rate, "requests/s")
		b.ReportMetric(calls, "calls/s")
		b.ReportMetric(100*core, "%core")
		b.ReportMetric(late.Seconds(), "s-to-paid")
		b.StartTimer()
	}
}

// TestIdleTill: a till without customers asks seldom, and one that slept looks at once
// when a customer comes.
func TestIdleTill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil, 2)
		w.start()
		r := w.Ready("usdc-solana")
		time.Sleep(5 * time.Minute)
		before, _ := w.lines[0].Count()
		time.Sleep(10 * time.Minute)
		if n, _ := w.lines[0].Count(); n-before > 10*60/30+10 {
			t.Errorf("%d requests in ten minutes without a customer", n-before)
		}
		p := w.Requested(r, "SALE000000001", 5_000_000)
		ctx, stop := context.WithCancel(t.Context())
		woken := make(chan struct{}, 8)
		var wg sync.WaitGroup
		wg.Go(func() { r.Watch(ctx, p, func() { woken <- struct{}{} }) })
		synctest.Wait()
		w.m.pay(asks(t, p.Payload))
		began := time.Now()
		<-woken
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("noticed after %v", took)
		}
		synctest.Wait()
		w.each((*line).Cut) // what was proved is told, whatever becomes of the line
		if f, err := r.Check(t.Context(), p); err != nil || f.Event != pos.Settle {
			t.Errorf("proved, and then: %+v, %v", f, err)
		}
		stop()
		wg.Wait()
		w.Stop()
	})
}
