package main

import (
	"net"
	"slices"
	"testing"
	"time"

	"github.com/tillwright/tillwright/cmd/internal/outage"
	"github.com/tillwright/tillwright/pos"
)

// A figure comes from outageTurns times outageSales sales with broken lines, four
// calls each, and as many with whole ones between them: what else the machine does
// is in both.
const (
	outageTurns = 10
	outageSales = 5
)

// BenchmarkOutage measures the counter's calls (open, ring, pay in cash, look) while
// every line is broken in one way, over the till's real API on loopback, in turn with
// the same while they are whole. A Lightning payment whose node is out of reach stands open
// beside. To hold: 50 ms p95.
func BenchmarkOutage(b *testing.B) {
	for _, mode := range outage.Modes {
		b.Run(mode.String(), func(b *testing.B) {
			w := newWorld(b, setting{})
			defer w.close()
			w.enrol()
			c := &counter{t: b, base: w.listen()}
			c.found()
			c.wait("all lines", func(v pos.View) bool {
				return ready(v) && !slices.ContainsFunc(v.Counter.Links, func(l pos.Link) bool { return l.Name == "internet" && l.State != "online" })
			})
			sale := c.ring("ESP")
			c.do("POST", "/v1/sales/"+string(sale)+"/payments", object{"tender": "lightning"}, nil)
			c.phase(pos.PhaseDue)
			var broken, whole []time.Duration
			for b.Loop() {
				for range outageTurns {
					broken = append(broken, w.timed(c, mode)...)
					whole = append(whole, w.timed(c, outage.Whole)...)
				}
			}
			b.ReportMetric(ms(at(broken, .5)), "ms-p50")
			b.ReportMetric(ms(at(broken, .95)), "ms-p95")
			b.ReportMetric(ms(at(whole, .5)), "ms-whole-p50")
			b.ReportMetric(ms(at(whole, .95)), "ms-whole-p95")
			b.ReportMetric(0, "ns/op") // a pace that the pauses set
		})
	}
}

// listen lets the till's screens be reached over TCP.
func (w *world) listen() string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- w.till.app.Serve(ln) }()
	w.end = append(w.end, func() { ln.Close(); <-served })
	return "http://" + ln.Addr().String()
}

// timed sells a few times with all lines in one mode.
func (w *world) timed(c *counter, m outage.Mode) (took []time.Duration) {
	for _, l := range w.links() {
		l.Set(m)
	}
	for range outageSales {
		took = append(took, c.timedSale()...)
	}
	return took
}

// timedSale sells a coffee in cash at the pace of a fast hand, and returns how long
// each call took.
func (c *counter) timedSale() (took []time.Duration) {
	c.t.Helper()
	timed := func(method, path string, in, out any) {
		c.t.Helper()
		from := time.Now()
		c.do(method, path, in, out)
		took = append(took, time.Since(from))
		<-time.After(25 * time.Millisecond) // the till takes 50 calls a second of one screen
	}
	var a pos.Answer
	timed("POST", "/v1/sales", object{}, &a)
	timed("POST", "/v1/sales/"+string(a.Sale)+"/lines", object{"sku": "ESP"}, nil)
	timed("POST", "/v1/sales/"+string(a.Sale)+"/payments", object{"tender": "cash"}, nil)
	timed("GET", "/v1/view", nil, nil)
	return took
}
