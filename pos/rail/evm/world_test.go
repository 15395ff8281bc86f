package evm

import (
	"context"
	"fmt"
	"math/big"
	"net/http"
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

var seven = []string{"base", "arbitrum", "optimism", "polygon", "bnb", "avalanche", "ethereum"}

// TestRailInBubble is the contract before a chain made of code, in hours that cost
// nothing, for a chain whose policy wants deep blocks.
func TestRailInBubble(t *testing.T) {
	postest.TestRailInBubble(t, func(t testing.TB) postest.Harness {
		w := newWorld(t, 2, "polygon")
		w.start()
		r, m := w.Rail("usdc-polygon"), w.chains["polygon"]
		return postest.Harness{
			Rail: r, Tender: r.Tender(), Quantity: r.token.Asset().UnitsOf(60_340_100), Overpays: true, Withdraws: false,
			Pay: func(p pos.Payment, q pos.Quantity) error {
				req, _ := at(t, p)
				m.pay(req.Token, req.To, q.Int())
				return nil
			},
			Expire:  func(pos.Payment) { time.Sleep(coin.UsualExpiry + 10*time.Second) },
			Break:   func() { w.each((*line).Cut) },
			Mend:    func() { w.each((*line).Mend) },
			Restart: func() postest.Rail { return w.restart().Rail(r.Tender()) },
			Part: func(p pos.Payment) {
				req, _ := at(t, p)
				m.pay(req.Token, req.To, big.NewInt(1))
			},
		}
	})
}

func (w *world) each(f func(*line)) {
	for _, l := range w.lines {
		f(l)
	}
}

// TestOneHangs: six chains go on while the seventh never answers.
func TestOneHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, seven...)
		w.start()
		for _, key := range seven {
			w.Ready(pos.Tender("usdc-" + key))
		}
		for _, op := range []string{"base-0.example", "base-1.example"} {
			w.lines[op].Responds(func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true })
		}
		for i, key := range seven {
			r := w.Rail(pos.Tender("usdc-" + key))
			p := cointest.Intended(r, fmt.Sprintf("SALE00000000%d", i), int64(1))
			p.Quantity = quantityOf(r.token, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(r.token.Decimals)), nil))
			a, err := r.Ask(t.Context(), p, "")
			if key == "base" {
				if pos.KindOf(err) != pos.Unavailable {
					t.Errorf("base: %v", err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			p.Reference, p.Payload = a.Reference, a.Payload
			p = w.Moved(p, pos.Request)
			req, _ := at(t, p)
			w.chains[key].pay(req.Token, req.To, req.Units)
			w.Becomes(r, p, pos.Settle)
		}
	})
}

// load runs sales on seven chains for a while, as a desk would, and returns requests
// a second to the busiest operator and the share of one core, the fake chains' work
// included.
func load(t testing.TB, sales int, during time.Duration) (rate, core float64, late time.Duration) {
	w := newWorld(t, 2, seven...)
	w.start()
	for _, key := range seven {
		w.Ready(pos.Tender("usdc-" + key))
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var open []pos.Payment
	for i := range sales {
		r := w.Rail(pos.Tender("usdc-" + seven[i%len(seven)]))
		p := cointest.Intended(r, fmt.Sprintf("SALE%09d", i), 1)
		p.Quantity = quantityOf(r.token, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(r.token.Decimals)), nil))
		a, err := r.Ask(ctx, p, "")
		if err != nil {
			t.Fatal(err)
		}
		p.Reference, p.Payload = a.Reference, a.Payload
		p = w.Moved(p, pos.Request)
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
	before, cpu := w.requests(), cointest.CPU()
	time.Sleep(during)
	rate = float64(w.requests()-before) / during.Seconds()
	core = (cointest.CPU() - cpu).Seconds() / during.Seconds()

	r, first := w.Rail(pos.Tender("usdc-"+seven[0])), open[0]
	woken := make(chan struct{}, 1)
	wg.Go(func() {
		r.Watch(ctx, first, func() {
			select {
			case woken <- struct{}{}:
			default:
			}
		})
	})
	synctest.Wait()
	req, _ := at(t, first)
	m := w.chains[seven[0]]
	m.pay(req.Token, req.To, req.Units)
	next := m.born.Add(time.Duration(m.head()+1-100) * m.every)
	for {
		<-woken
		if f, err := r.Check(ctx, first); err == nil && f.Event == pos.Settle {
			late = time.Since(next)
			break
		}
	}
	stop()
	wg.Wait()
	w.Stop()
	return rate, core, late
}

// requests returns how many went to the busiest operator.
func (w *world) requests() int {
	sums := map[string]int{}
	for host, l := range w.lines {
		n, _ := l.Count()
		sums[host[len(host)-len("0.example"):]] += n
	}
	most := 0
	for _, n := range sums {
		most = max(most, n)
	}
	return most
}

// TestLoad holds the pace: 200 open sales on seven chains cost an operator no more
// than two requests a second, and a payment is told within a second after the round
// that can see it.
func TestLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rate, _, late := load(t, 200, 2*time.Minute)
		t.Logf("%.2f requests a second to one operator; told %v after the block", rate, late)
		if rate > 2.01 {
			t.Errorf("%.2f requests a second", rate)
		}
		if poll := 7 * rpc.PaceEvery; late > poll+time.Second {
			t.Errorf("told %v after the block, with a round every %v", late, poll)
		}
	})
}

// BenchmarkWatch prints what 200 open sales on seven chains cost.
func BenchmarkWatch(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		var rate, core float64
		var late time.Duration
		runtime.GC()
		cointest.Bubble(b, func(t testing.TB) { rate, core, late = load(t, 200, 5*time.Minute) })
		b.ReportMetric(rate, "requests/s")
		b.ReportMetric(100*core, "%core")
		b.ReportMetric(late.Seconds(), "s-to-paid")
		b.StartTimer()
	}
}

// TestIdleTill: a till that slept looks at once when a customer comes; and what it
// proved it tells, whatever becomes of the line.
func TestIdleTill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, seven...)
		w.start()
		r := w.Ready("usdc-base")
		time.Sleep(5*time.Minute + 3*time.Second)
		before := w.requests()
		time.Sleep(10 * time.Minute)
		if n := w.requests() - before; n > 7*10*60/30+7*10/2+7 {
			t.Errorf("%d requests in ten minutes without a customer", n)
		}
		p := w.Requested(r, "SALE000000001", 5_000_000)
		ctx, stop := context.WithCancel(t.Context())
		woken := make(chan struct{}, 8)
		var wg sync.WaitGroup
		wg.Go(func() { r.Watch(ctx, p, func() { woken <- struct{}{} }) })
		synctest.Wait()
		req, _ := at(t, p)
		w.chains["base"].pay(req.Token, req.To, req.Units)
		began := time.Now()
		<-woken
		if took := time.Since(began); took > 2*time.Second+hotEvery+time.Second {
			t.Errorf("noticed after %v", took)
		}
		synctest.Wait() // the round that noticed it has proved it
		w.each((*line).Cut)
		if f, err := r.Check(t.Context(), p); err != nil || f.Event != pos.Settle {
			t.Errorf("proved, and then: %+v, %v", f, err)
		}
		stop()
		wg.Wait()
		w.Stop()
	})
}
