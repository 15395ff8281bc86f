package main

import (
	"context"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/cmd/internal/outage"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

// street is a till and a backoffice as processes of their own, a node, and the lines
// between them.
type street struct {
	t      *testing.T
	dir    string
	node   *lndtest.Node
	line   *outage.Link // to the node
	office *officeProcess
	till   *process
	c      *counter

	sold int
	took []time.Duration // each call at the counter while lines were broken
}

// newStreet opens a shop whose till reaches node and backoffice at ip. open starts
// the till and returns the address at which the board's own browser reaches it.
func newStreet(t *testing.T, ip string, change *strings.Replacer, open func(s *street, file string) (base string)) *street {
	t.Helper()
	s := &street{t: t, dir: t.TempDir(), node: lndtest.New(t, lndtest.Options{TCP: true}), office: newOfficeAt(t, ip)}
	s.line = outage.NewLink("node", func(ctx context.Context, netw, _ string) (net.Conn, error) {
		return s.node.Dial(ctx, netw, s.node.Address())
	})
	ln, err := s.line.ProxyAt(ip)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ln.Close(); err != nil {
			t.Error(err)
		}
		s.line.Close()
	})
	file := writeShop(t, s.dir, strings.Replace(s.node.Connection(), s.node.Address(), ln.Addr().String(), 1))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(change.Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	s.c = &counter{t: t, base: open(s, file)}
	s.c.found()
	s.office.enrol(s.c)
	s.well()
	return s
}

// well waits until every line is named online and everything is at head office.
func (s *street) well() {
	s.t.Helper()
	s.c.wait("all well", func(v pos.View) bool {
		return ready(v) && linkOf(v, "backoffice").State == "online" && v.Counter.Sync.Waiting == 0 && v.Counter.Sync.Sales == 0
	})
}

func linkOf(v pos.View, name string) pos.Link {
	if i := slices.IndexFunc(v.Counter.Links, func(l pos.Link) bool { return l.Name == name }); i >= 0 {
		return v.Counter.Links[i]
	}
	return pos.Link{}
}

// sell sells coffees in cash until the view is as ok wants it, and at least three.
func (s *street) sell(what string, ok func(pos.View) bool) {
	s.t.Helper()
	for end, n := time.Now().Add(patience), 0; ; n++ {
		s.took = append(s.took, s.c.timedSale()...)
		s.sold++
		var v pos.View
		s.c.do("GET", "/v1/view", nil, &v)
		if n >= 2 && ok(v) {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("never saw %s; last: %+v", what, v.Counter.Links)
		}
	}
}

// outage breaks the lines, in whatever way, while a customer has a code on his
// phone, and mends them again. He pays while the till cannot see it. Meanwhile coffees
// are sold in cash, and the screen says what is wrong. Afterwards he has paid.
func (s *street) outage(name string, brk, mend func(), named bool) {
	s.t.Helper()
	s.well()
	sale := s.c.ring("BRD")
	s.c.do("POST", "/v1/sales/"+string(sale)+"/payments", object{"tender": "lightning"}, nil)
	due := s.c.phase(pos.PhaseDue)
	brk()
	if err := s.node.Pay(due.QR, 12_800_000); err != nil {
		s.t.Fatal(err)
	}
	s.sell(name+" named", func(v pos.View) bool {
		return !named || linkOf(v, "lightning").State == "offline" && linkOf(v, "backoffice").State == "offline"
	})
	mend()
	s.c.wait(name+" over, and the customer's payment in the books", func(v pos.View) bool {
		return v.Version > 0 && !slices.ContainsFunc(v.Counter.Open, func(o pos.SaleView) bool { return o.ID == sale })
	})
	if got := s.c.sale(sale); got.State != pos.Completed || len(got.Payments) != 1 || got.Payments[0].State != pos.Settled {
		s.t.Errorf("%s: the sale is %+v", name, got)
	}
}

// finish demands that both sides are equal, and says how long the counter waited.
func (s *street) finish() {
	s.t.Helper()
	s.well()
	s.till.kill()
	s.office.kill()
	records := s.office.sameBooks(s.t, s.dir)
	s.t.Logf("%d sales in cash during outages, p50 %v, p95 %v; %d records on both sides", s.sold,
		at(s.took, .5).Round(time.Millisecond/10), at(s.took, .95).Round(time.Millisecond/10), records)
}

// TestCutProcesses breaks the lines between real processes for seconds, in each way
// that a proxy can. Goal: as in TestHours, with real sockets.
func TestCutProcesses(t *testing.T) {
	s := newStreet(t, "127.0.0.1", strings.NewReplacer(), func(s *street, file string) string {
		s.till = startProcess(s.t, file)
		return s.till.base
	})
	modes := []outage.Mode{outage.Cut, outage.HalfOpen, outage.Slow, outage.Flapping, outage.Portal, outage.Impostor}
	if testing.Short() {
		modes = modes[:1]
	}
	set := func(m outage.Mode) func() {
		return func() {
			s.line.Set(m)
			s.office.line.Set(m)
		}
	}
	for _, m := range modes {
		s.outage(m.String(), set(m), set(outage.Whole), m != outage.Slow && m != outage.Flapping && m != outage.HalfOpen)
	}
	s.finish()
}
