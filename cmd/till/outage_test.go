package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/cmd/internal/outage"
	"github.com/tillwright/tillwright/pos"
)

// What a shop may rely on, by the shop's clock.
const (
	// settleWithin is how long after the last line came back nothing is open any
	// more: the outbox's longest pause, its call, and a payment's slow poll.
	settleWithin = 7 * time.Minute
	// cancelAtMost is desk's bound for a rail's word on a cancellation.
	cancelAtMost = 8 * time.Second
)

// namedWithin is how long a line may be down before the counter's screen says so.
var namedWithin = map[string]time.Duration{
	"lightning":  25 * time.Second,  // asked every 10 s; two calls of 5 s
	"rates":      7 * time.Minute,   // a price counts for its maximum age, 5 minutes here
	"internet":   100 * time.Second, // the exchanges are asked every minute, 5 s each; the backoffice as below
	"backoffice": 100 * time.Second, // asked every minute, 30 s a call
}

// TestHours runs a shop for hours while its four lines break in every way and in
// every combination: cash and Lightning are sold, customers pay whether the till
// can see it or not, the till is restarted now and then. Goal: the counter never
// waits for a line; the screen names each line that is down; and soon after all
// lines are whole nothing is in doubt, nothing waits, and every payment that the
// node took is in the till's books and in the backoffice's, once.
func TestHours(t *testing.T) {
	warm()
	seeds, hours := 2, 3*time.Hour
	if testing.Short() {
		seeds, hours = 1, time.Hour
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, setting{plain: seed == 1}) // where nothing but its signature proves the backoffice
				defer w.closeInBubble()
				w.enrol()
				time.Sleep(2 * time.Minute)
				d := &day{world: w, rng: rand.New(rand.NewPCG(uint64(seed), 1)), confirmed: map[pos.SaleID]int64{}, paid: map[string]int64{}, combos: map[string]bool{}, down: map[string]time.Time{}}
				d.run(hours)
			})
		})
	}
}

// day is what happens in the shop.
type day struct {
	*world
	rng *rand.Rand // the cashier's and the lines'; used by one goroutine at a time

	mu        sync.Mutex
	confirmed map[pos.SaleID]int64 // completed at the counter, in minor units
	paid      map[string]int64     // by code, what the node took, in millisatoshis

	combos   map[string]bool
	down     map[string]time.Time // since when a line is down for good
	cash     time.Duration        // the longest a cash sale took
	cancel   time.Duration        // the longest a cancellation took
	started  time.Time            // last
	restarts int
	aside    int
	late     int

	customers sync.WaitGroup
}

func (d *day) run(hours time.Duration) {
	ctx, stop := context.WithCancel(d.t.Context())
	var lines, eyes sync.WaitGroup
	rng := rand.New(rand.NewPCG(d.rng.Uint64(), 2))
	lines.Go(func() { d.breakLines(ctx, rng) })
	eyes.Go(func() { d.look(ctx) })
	seen := &screen{day: d}
	eyes.Go(func() { seen.watch(ctx) })
	for end := time.Now().Add(hours); time.Now().Before(end); {
		d.customer()
		time.Sleep(time.Duration(5+d.rng.IntN(60)) * time.Second)
	}
	d.customers.Wait()
	stop()
	lines.Wait()
	eyes.Wait()
	for _, l := range d.links() {
		l.Set(outage.Whole)
	}
	healed := time.Now()
	ctx, stop = context.WithCancel(d.t.Context())
	defer stop()
	eyes.Go(func() { seen.watch(ctx) })
	took := d.settled(healed)
	d.compare(seen)
	stop()
	eyes.Wait()
	d.t.Logf("%v: %d sales confirmed, %d paid over Lightning (%d set aside by a manager, %d late), %d restarts, %d combinations of the four lines; cash took %v at most, a cancellation %v; all settled %v after the lines came back",
		hours, len(d.confirmed), len(d.paid), d.aside, d.late, d.restarts, len(d.combos), d.cash, d.cancel, took)
}

// breakLines changes the lines, each for itself, until ctx ends.
func (d *day) breakLines(ctx context.Context, rng *rand.Rand) {
	next := map[*outage.Link]time.Time{}
	for ctx.Err() == nil {
		var names []string
		for _, l := range d.links() {
			if !time.Now().Before(next[l]) {
				mode := outage.Whole
				if rng.IntN(2) == 0 {
					mode = outage.Modes[rng.IntN(len(outage.Modes))]
				}
				d.set(l, mode)
				next[l] = time.Now().Add(time.Duration(10+rng.IntN(400)) * time.Second)
			}
			names = append(names, l.Mode().String())
		}
		d.combos[strings.Join(names, " ")] = true
		pauseFor(ctx, 5*time.Second)
	}
}

// set breaks or mends a line, and notes since when it carries nothing at all.
func (d *day) set(l *outage.Link, m outage.Mode) {
	d.mu.Lock()
	defer d.mu.Unlock()
	hard := func(m outage.Mode) bool { return m != outage.Whole && m != outage.Slow && m != outage.Flapping }
	switch {
	case !hard(m):
		delete(d.down, l.Name())
	case !hard(l.Mode()):
		d.down[l.Name()] = time.Now()
	}
	l.Set(m)
}

func pauseFor(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// linkNamed returns one of the view's links.
func (w *world) linkNamed(name string) pos.Link {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.till.desk.View().Counter.Links {
		if l.Name == name {
			return l
		}
	}
	return pos.Link{}
}

// look holds the counter's screen to what it promises of the lines.
func (d *day) look(ctx context.Context) {
	lines := map[string]string{"lightning": "node", "rates": "internet", "internet": "internet", "backoffice": "backoffice"}
	said := map[string]bool{}
	for ctx.Err() == nil {
		for shown, line := range lines {
			l := d.linkNamed(shown)
			d.mu.Lock()
			since, down := d.down[line]
			if d.started.After(since) {
				since = d.started // a till that has just started knows nothing yet
			}
			d.mu.Unlock()
			if shown == "internet" { // the backoffice is on the internet, too, and proves that it is there
				d.mu.Lock()
				other, also := d.down["backoffice"]
				d.mu.Unlock()
				down = down && also
				if other.After(since) {
					since = other
				}
			}
			if down && time.Since(since) > namedWithin[shown] && (l.State != "offline" || l.Detail == "") && !said[shown+since.String()] {
				said[shown+since.String()] = true
				d.t.Errorf("%s has been down for %v and the screen says %+v", line, time.Since(since), l)
			}
		}
		pauseFor(ctx, time.Second)
	}
}

// do gives the till a command and returns how long the counter waited.
func (d *day) do(a pos.Action) (pos.Answer, time.Duration, error) {
	from := time.Now()
	out, err := d.till.desk.Do(d.t.Context(), pos.Command{Key: key(), By: owner, Do: a})
	return out, time.Since(from), err
}

// customer sells something to somebody.
func (d *day) customer() {
	skus := []string{"ESP", "BRD", "ESP"}
	for range 1 + d.rng.IntN(3) {
		if _, took, err := d.do(pos.AddItem{SKU: skus[d.rng.IntN(3)]}); err != nil || took > 0 {
			d.t.Fatalf("add item: %v after %v", err, took)
		}
	}
	v := d.view()
	sale, due := v.Counter.Current.ID, v.Counter.Current.Due.Minor
	if d.rng.IntN(5) > 0 && slices.ContainsFunc(v.Counter.Tenders, func(b pos.TenderView) bool { return b.Tender == "lightning" && b.Ready }) {
		if d.lightning(sale) {
			d.confirm(sale, due)
			return
		}
	}
	if d.open(sale) {
		_, took, err := d.do(pos.Pay{Sale: sale, Tender: pos.Cash})
		d.cash = max(d.cash, took)
		if pos.KindOf(err) == pos.Conflict && !d.open(sale) {
			err = nil // it was paid while the cashier reached for the drawer
		}
		if err != nil || took > 0 {
			d.t.Fatalf("cash: %v after %v", err, took)
		}
	}
	d.confirm(sale, due)
}

func (d *day) confirm(sale pos.SaleID, due int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.confirmed[sale] = due
}

// view returns the view after every command so far.
func (d *day) view() pos.View {
	d.till.desk.Sales("", 1) // lets the turn before end
	return d.till.desk.View()
}

// open reports that a sale wants to be paid.
func (d *day) open(sale pos.SaleID) bool {
	v := d.view()
	return slices.ContainsFunc(v.Counter.Open, func(s pos.SaleView) bool { return s.ID == sale })
}

// lightning asks for a payment and reports whether it was made. Whatever the till
// can see of it, somebody with the code on his phone may pay.
func (d *day) lightning(sale pos.SaleID) bool {
	if _, took, err := d.do(pos.Pay{Sale: sale, Tender: "lightning"}); err != nil || took > 0 {
		if k := pos.KindOf(err); took == 0 && (k == pos.Unavailable || k == pos.Conflict) {
			return false // the button has just turned grey
		}
		d.t.Fatalf("pay: %v after %v", err, took)
	}
	end := time.Now().Add(time.Duration(15+d.rng.IntN(50)) * time.Second)
	given, restart := false, d.rng.IntN(12) == 0
	for time.Now().Before(end) {
		time.Sleep(time.Second)
		c := d.view().Customer
		if c.Sale == sale && c.QR != "" && !given {
			given = true
			d.wallet(c.QR, c.Quantity)
		}
		if given && restart {
			restart = false
			d.restarts++
			d.stop()
			time.Sleep(time.Duration(d.rng.IntN(20)) * time.Second)
			d.start()
			d.mu.Lock()
			d.started = time.Now()
			d.mu.Unlock()
		}
		if !d.open(sale) {
			return true
		}
	}
	return d.giveUp(sale)
}

// wallet is a customer who pays, or not, now or later.
func (d *day) wallet(code, quantity string) {
	if d.rng.IntN(5) == 0 {
		return // changed his mind
	}
	var sat int64
	if _, err := fmt.Sscanf(quantity, "%d sat", &sat); err != nil {
		d.t.Fatalf("the customer reads %q", quantity)
	}
	wait := time.Duration(d.rng.IntN(55)) * time.Second
	d.customers.Go(func() {
		time.Sleep(wait)
		if d.node.Pay(code, sat*1000) == nil {
			d.mu.Lock()
			d.paid[code] = sat * 1000
			d.mu.Unlock()
		}
	})
}

// giveUp cancels, and reports that the sale was paid after all. When the rail does
// not answer, a manager goes on.
func (d *day) giveUp(sale pos.SaleID) bool {
	_, took, err := d.do(pos.CancelPayment{Sale: sale})
	if d.cancel = max(d.cancel, took); took > cancelAtMost {
		d.t.Errorf("a cancellation took %v", took)
	}
	if pos.KindOf(err) == pos.Unavailable && err != nil {
		if _, took, err := d.do(pos.CancelPayment{Sale: sale, Despite: true}); err != nil || took > 0 {
			if pos.KindOf(err) != pos.Conflict { // it got an answer meanwhile
				d.t.Fatalf("go on: %v after %v", err, took)
			}
		} else {
			d.aside++
		}
	}
	return !d.open(sale)
}

// screen is a browser on the shop's network, as state.js has it.
type screen struct {
	*day
	mu      sync.Mutex
	version uint64
}

const (
	silence = 12 * time.Second // state.js
	again   = 1500 * time.Millisecond
)

func (s *screen) watch(ctx context.Context) {
	c := &http.Client{Transport: &http.Transport{DialContext: s.lan.Dial, DisableKeepAlives: true}}
	for ctx.Err() == nil {
		s.follow(ctx, c)
		pauseFor(ctx, again)
	}
}

// follow reads one stream until it is silent for too long.
func (s *screen) follow(ctx context.Context, c *http.Client) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	quiet := time.AfterFunc(silence, stop)
	defer quiet.Stop()
	req, err := http.NewRequestWithContext(ctx, "GET", "http://192.0.2.1/v1/events", nil)
	if err != nil {
		return
	}
	res, err := c.Do(req)
	if err != nil {
		return
	}
	defer res.Body.Close()
	for line := range lines(res.Body) {
		quiet.Reset(silence)
		if text, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
			var v struct{ Version uint64 }
			if json.Unmarshal(text, &v) == nil && v.Version > 0 {
				s.mu.Lock()
				s.version = v.Version
				s.mu.Unlock()
			}
		}
	}
}

// settled waits until nothing is open any more, and returns how long after healed
// that was.
func (d *day) settled(healed time.Time) time.Duration {
	for {
		d.till.desk.Sales("", 1)
		v := d.till.desk.View()
		watched, err := d.till.ledger.Watched()
		if err != nil {
			d.t.Fatal(err)
		}
		bad := slices.DeleteFunc(slices.Clone(v.Counter.Links), func(l pos.Link) bool {
			return l.State == "online" || l.Name == "screens" || l.Name == "clock" || l.Name == "display"
		})
		if len(watched) == 0 && v.Counter.Sync.Waiting <= 1 && v.Counter.Sync.Sales == 0 && len(bad) == 0 {
			return time.Since(healed)
		}
		if time.Since(healed) > settleWithin {
			d.t.Fatalf("%v after the lines came back: payments %+v, sync %+v, links %+v", settleWithin, watched, v.Counter.Sync, bad)
		}
		time.Sleep(time.Second)
	}
}

// compare holds the till's books against the counter's memory, the node's, and the
// backoffice's.
func (d *day) compare(s *screen) {
	time.Sleep(2 * time.Minute) // the last checkpoint is a record itself
	if s.mu.Lock(); s.version != d.view().Version {
		d.t.Errorf("the screen shows version %d, the till has %d", s.version, d.view().Version)
	}
	s.mu.Unlock()
	ours := pos.NewReport("01", d.till.c.shop.Currency)
	var mine [][]byte
	done, settled := map[pos.SaleID]int{}, map[string]int{}
	for r, err := range d.till.journal.Since(0) {
		if err != nil {
			d.t.Fatal(err)
		}
		mine = append(mine, r.Line)
		if err := ours.Add(r); err != nil {
			d.t.Error(err)
		}
		d.tally(r, done, settled)
	}
	for id := range d.confirmed {
		if done[id] != 1 {
			d.t.Errorf("sale %s was confirmed and is completed %d times", id, done[id])
		}
	}
	for code, n := range settled {
		if n != 1 || d.paid[code] == 0 {
			d.t.Errorf("%.30s… was paid with %d msat and is booked %d times", code, d.paid[code], n)
		}
	}
	if len(settled) != len(d.paid) {
		d.t.Errorf("customers paid %d invoices, %d are in the books", len(d.paid), len(settled))
	}
	d.compareOffice(mine, ours)
}

func (d *day) tally(r pos.Record, done map[pos.SaleID]int, settled map[string]int) {
	switch r.Kind {
	case pos.KindSaleCompleted:
		var b pos.SaleCompleted
		if err := r.Decode(&b); err != nil {
			d.t.Fatal(err)
		}
		done[b.Sale.ID]++
	case pos.KindPayment:
		var b pos.PaymentMoved
		if err := r.Decode(&b); err != nil {
			d.t.Fatal(err)
		}
		if b.Event == pos.Settle && b.Payment.Tender != pos.Cash {
			settled[b.Payment.Payload]++
			if b.Payment.Late {
				d.late++
			}
		}
	}
}

// compareOffice demands the same bytes on both sides, the same figures, nothing on
// the red list and no alarm.
func (d *day) compareOffice(mine [][]byte, ours pos.Report) {
	ctx := d.t.Context()
	theirs, n := pos.NewReport("01", d.till.c.shop.Currency), 0
	for k, err := range d.office.Since(ctx, d.till.office.genesis.Till, 0) {
		if err != nil {
			d.t.Fatal(err)
		}
		if n >= len(mine) || !bytes.Equal(k.Line, mine[n]) {
			d.t.Fatalf("record %d differs", n+1)
		}
		if err := theirs.Add(k.Record); err != nil {
			d.t.Error(err)
		}
		n++
	}
	if n != len(mine) || !reflect.DeepEqual(ours, theirs) {
		d.t.Errorf("the till has %d records, the backoffice %d; the reports: %+v, %+v", len(mine), n, ours, theirs)
	}
	if alarms, err := d.office.Alarms(ctx); err != nil || len(alarms) > 0 {
		d.t.Errorf("alarms %+v, %v", alarms, err)
	}
}
