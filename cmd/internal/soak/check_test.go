package soak

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal"
	"github.com/tillwright/tillwright/pos/journal/journaltest"
)

// crash is one crash point: a day, the call behind which it happened, and what of
// both files survived.
type crash struct {
	d     *day
	at    still
	disk  *journaltest.Disk // started again
	index index
	how   string
	depth int // crashes during the recovery to be tried from here

	nested bool // it happened in a recovery
	rnd    *rand.Rand
	tally  *tally
}

func (c *crash) String() string {
	return fmt.Sprintf("seed %d (%s), call %d (%s), %s, index %s", c.d.seed, c.d.kind, c.at.calls, c.at.op, c.how, c.index.kind)
}

// try recovers from the crash, and checks everything.
func (c *crash) try(t *testing.T) {
	t.Helper()
	must(t, c.index.put(c.d.dir))
	net := &network{reqs: c.at.later()}
	paid := c.pay(net)
	within := recovery{index: c.index}
	p := parts{disk: c.disk, ledger: ledgerIn(c.d.dir), net: net, boot: "after", relieve: c.relieve}
	if c.depth > 0 {
		c.disk.Watch(func(op journaltest.Op, d *journaltest.Disk) {
			within.stills = append(within.stills, still{c.at.calls, op, d, c.at.reqs, time.Now()})
		})
		p.recovered = func() { within.folded(t, c.d.dir) }
	}
	x, err := start(p)
	c.disk.Watch(nil)
	if err != nil {
		t.Fatalf("%s: the till does not start: %v", c, err)
	}
	c.tally.point(c)
	c.check(t, x, net, paid)
	if err := x.quit(); err != nil {
		t.Errorf("%s: %v", c, err)
	}
	for _, f := range net.faults {
		t.Errorf("%s: %s", c, f)
	}
	if c.rnd.IntN(signed) == 0 {
		if r, err := journal.Verify(pub, c.disk.Export(t, "journal-*.jsonl")...); err != nil || r.First != 1 {
			t.Errorf("%s: verify: %v, %+v", c, err, r)
		}
	}
	c.again(t, within)
}

// signed is one in how many crashes has all signatures checked.
const signed = 25

// relieve gives the reserve of a disk back that was full.
func (c *crash) relieve() bool {
	c.disk.Room(-1)
	return true
}

// recovery is what happened until the desk was started.
type recovery struct {
	stills []still
	index  index // before it
	after  index // behind the fold, which the calls from then on follow
	from   int
}

// folded notes the folder as the fold left it.
func (r *recovery) folded(t *testing.T, dir string) {
	t.Helper()
	r.from = len(r.stills)
	r.after = index{kind: "as the recovery left it", holds: r.index.holds, all: map[string][]byte{}}
	all, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	for _, f := range all {
		text, err := os.ReadFile(f)
		must(t, err)
		r.after.all[f] = text
	}
}

// nestedMax bounds the crashes tried within one recovery; others see the rest.
const nestedMax = 6

// again crashes behind calls of the recovery itself.
func (c *crash) again(t *testing.T, r recovery) {
	if len(r.stills) == 0 {
		return
	}
	for range nestedMax {
		hows := c.d.hows()
		i, how := c.rnd.IntN(len(r.stills)), hows[c.rnd.IntN(len(hows))]
		next := *c
		next.disk, next.index, next.depth, next.nested = how.crash(r.stills[i].disk, c.rnd.Uint64()), r.index, c.depth-1, true
		next.how = fmt.Sprintf("%s, then in the recovery's call %d (%s) %s", c.how, i+1, r.stills[i].op, how.name)
		if i >= r.from && c.rnd.IntN(4) > 0 {
			next.index = r.after
		}
		next.try(t)
	}
}

// how is a way in which a crash happens.
type how struct {
	name  string
	crash func(*journaltest.Disk, uint64) *journaltest.Disk
}

// hows are all of them.
var hows = []how{
	{"power cut", func(d *journaltest.Disk, seed uint64) *journaltest.Disk {
		c := d.Copy(seed, false)
		c.Restart()
		return c
	}},
	{"power cut, sectors reordered", func(d *journaltest.Disk, seed uint64) *journaltest.Disk {
		c := d.Copy(seed, true)
		c.Restart()
		return c
	}},
	{"killed", func(d *journaltest.Disk, seed uint64) *journaltest.Disk {
		c := d.Copy(seed, false)
		c.Kill()
		c.Restart()
		return c
	}},
}

// hows are the ways in which a day's crashes happen. Where a sync failed, the medium
// holds a part of what was written already, a prefix or some sectors: a disk loses
// one or the other, not one in the middle of the other.
func (d *day) hows() []how {
	switch {
	case d.kind != diskFails:
		return hows
	case d.reorder:
		return hows[1:]
	}
	return []how{hows[0], hows[2]}
}

// later returns the network's requests as if no time had passed since the crash.
func (s still) later() map[pos.PaymentID]request {
	out := map[pos.PaymentID]request{}
	for id, q := range s.reqs {
		q.ends = q.ends.Add(time.Since(s.at))
		out[id] = q
	}
	return out
}

// pay lets half of the customers pay while the till is dead. It returns what is paid
// by now.
func (c *crash) pay(net *network) (paid []pos.PaymentID) {
	for id, q := range net.reqs {
		if q.state == "open" && c.rnd.IntN(2) == 0 {
			net.pay(id)
		}
		if net.reqs[id].state == "paid" {
			paid = append(paid, id)
		}
	}
	return paid
}

// check holds the recovered till against what was promised.
func (c *crash) check(t *testing.T, x *till, net *network, paid []pos.PaymentID) {
	t.Helper()
	if b := x.ledger.Books(); b.Lost != nil || len(x.journal.Damage()) > 0 {
		t.Errorf("%s: the till says that it lost %+v, damage %v", c, b.Lost, x.journal.Damage())
	}
	if v := x.View(); v.Version == 0 || v.Counter.Tenders == nil {
		t.Errorf("%s: no view", c)
	}
	c.records(t, x)
	c.papers(t, x)
	c.orders(t, x)
	c.baskets(t, x)
	c.repeat(t, x)
	if len(net.copy()) > 0 {
		time.Sleep(4 * time.Second) // the watchers ask
	}
	c.sale(t, x)
	b := audit(t, c.String(), x.journal, false, c.tally)
	c.agrees(t, x, b)
	for id := range net.copy() {
		if !b.payments[id] {
			t.Errorf("%s: the customer was shown payment %s, and no record knows of it", c, id)
		}
	}
	for _, id := range paid {
		if b.settled[id] != 1 {
			t.Errorf("%s: payment %s was paid, and booked %d times", c, id, b.settled[id])
		}
	}
}

// records wants every record that was promised by then.
func (c *crash) records(t *testing.T, x *till) {
	t.Helper()
	for i := len(c.d.promised) - 1; i >= 0; i-- {
		if c.d.by[i] > c.at.calls {
			continue
		}
		want := c.d.promised[i] // those before it are proved by the chain
		c.tally.confirm(i + 1)
		if got, err := x.journal.Read(want.N); err != nil || got.Hash != want.Hash {
			c.tally.lose()
			t.Errorf("%s: LOST record %d (%s) was promised: %v", c, want.N, want.Kind, err)
		}
		return
	}
}

// papers wants no paper to come out a second time as if it were the first.
func (c *crash) papers(t *testing.T, x *till) {
	t.Helper()
	for _, p := range c.d.papers {
		if p.told > c.at.calls || p.file > c.index.holds {
			continue
		}
		jobs, err := x.ledger.Jobs(p.printer)
		if err != nil {
			t.Errorf("%s: the print queue cannot be read: %v", c, err)
		}
		for _, j := range jobs {
			if j.ID == p.id && (p.done || !j.Begun) {
				c.tally.double()
				t.Errorf("%s: DOUBLED paper %d is owed again: %+v", c, p.id, j)
			}
		}
	}
}

// orders wants every order in the journal to be on its way to the kitchen still, unless
// it was begun before the crash, taken back, or is so old that nobody waits for it.
func (c *crash) orders(t *testing.T, x *till) {
	t.Helper()
	owed, err := x.ledger.Jobs(kitchen)
	if err != nil {
		t.Errorf("%s: the kitchen's queue cannot be read: %v", c, err)
	}
	orders, newest := map[pos.SaleID]pos.Record{}, time.Time{}
	for r := range x.journal.Since(0) {
		newest = r.At
		var charged pos.SaleCharged
		var gone pos.SaleCancelled
		switch {
		case r.Kind == pos.KindSaleCharged && r.Decode(&charged) == nil && len(charged.Sale.Tickets) > 0:
			orders[charged.Sale.ID] = r
		case r.Kind == pos.KindSaleCancelled && r.Decode(&gone) == nil:
			delete(orders, gone.Sale)
		}
	}
	for id, r := range orders {
		begun := slices.ContainsFunc(c.d.papers, func(p paper) bool { return p.printer == kitchen && p.id == r.N && p.told <= c.at.calls })
		waits := slices.ContainsFunc(owed, func(j pos.PrintJob) bool { return j.ID == r.N })
		if !begun && !waits && newest.Sub(r.At) < pos.TicketWithin {
			c.tally.lose()
			t.Errorf("%s: LOST order %d of sale %s is on no ticket and in no queue", c, r.N, id)
		}
	}
}

// baskets wants a basket to hold what it held, when the crash came behind it and
// before anything else.
func (c *crash) baskets(t *testing.T, x *till) {
	t.Helper()
	for _, b := range c.d.baskets {
		if b.file != c.index.holds || b.calls != c.at.calls {
			continue
		}
		if s, err := x.ledger.Sale(b.sale); err != nil || quantity(s) != b.qty {
			c.tally.double()
			t.Errorf("%s: DOUBLED a basket of %d thousandths holds %d, %v", c, b.qty, quantity(s), err)
		}
	}
}

// repeat gives every command again that the client had given, under its key.
func (c *crash) repeat(t *testing.T, x *till) {
	t.Helper()
	for _, s := range c.d.said {
		switch {
		case s.receipt != "" && s.told <= c.at.calls:
			v, err := x.Sale(s.answer.Sale)
			if err != nil || v.Receipt != s.receipt {
				c.tally.lose()
				t.Errorf("%s: LOST sale %s had receipt %s, now %q, %v", c, s.answer.Sale, s.receipt, v.Receipt, err)
			}
		case s.receipt != "" || s.cmd.Key == "":
		case s.told <= c.at.calls && s.err == nil && (s.recorded || s.file <= c.index.holds):
			got, err := x.Do(t.Context(), s.cmd)
			if err != nil || got != s.answer {
				c.tally.lose()
				t.Errorf("%s: LOST %s %T got %+v, repeated %+v, %v", c, s.cmd.Key, s.cmd.Do, s.answer, got, err)
			}
		case s.sent <= c.at.calls && s.told > c.at.calls: // under way: it happened or not
			_, err := x.Do(t.Context(), s.cmd)
			if k := pos.KindOf(err); err != nil && k != pos.Conflict && k != pos.NotFound && k != pos.Invalid {
				t.Errorf("%s: %s %T, under way then: %v", c, s.cmd.Key, s.cmd.Do, err)
			}
		}
	}
}

// sale sells something: the till serves.
func (c *crash) sale(t *testing.T, x *till) {
	t.Helper()
	if _, _, err := x.Sales("", 1); err != nil { // waits for the turn before
		t.Errorf("%s: no list of sales: %v", c, err)
	}
	before := x.ledger.Books().Count
	a, err := x.do("next-open", pos.OpenSale{})
	if err == nil {
		a, err = x.do("next-ring", pos.AddItem{Sale: a.Sale, SKU: tea.SKU})
	}
	if err == nil {
		a, err = x.do("next-pay", pos.Pay{Sale: a.Sale, Tender: pos.Cash})
	}
	if err != nil {
		t.Errorf("%s: the next sale: %v", c, err)
		return
	}
	v, err := x.Sale(a.Sale)
	if want := pos.ReceiptNumber("01", before+1); err != nil || v.Receipt != want {
		t.Errorf("%s: the next sale has receipt %q, want %q, %v", c, v.Receipt, want, err)
	}
}

// agrees holds the ledger against the journal.
func (c *crash) agrees(t *testing.T, x *till, b books) {
	t.Helper()
	got := x.ledger.Books()
	unsent, amount := 0, int64(0)
	for i, n := range b.completed {
		if n > got.Acked {
			unsent, amount = unsent+1, amount+b.totals[i]
		}
	}
	if got.Count != b.count || got.Turnover.Minor != b.turnover || got.Unsent.Sales != unsent || got.Unsent.Amount.Minor != amount {
		t.Errorf("%s: the books say %d sales, %v, unsent %+v; the records %d, %d, %d, %d", c, got.Count, got.Turnover, got.Unsent, b.count, b.turnover, unsent, amount)
	}
	series, err := x.ledger.Series(0, 10_000)
	if err != nil || len(series) != len(b.completed) {
		t.Errorf("%s: %d sales are filed of %d, %v", c, len(series), len(b.completed), err)
	}
}

// books are what the records come to, added up by somebody else than the ledger.
type books struct {
	count     uint64
	turnover  int64
	completed []uint64 // records
	totals    []int64
	payments  map[pos.PaymentID]bool
	settled   map[pos.PaymentID]int
}

// audit reads the journal from its first record to its last. With torn, records may
// be missing, and numbers with them; none may come twice all the same.
func audit(t *testing.T, what string, j *journal.Journal, torn bool, sum *tally) books {
	t.Helper()
	doubled := func(format string, args ...any) {
		t.Helper()
		sum.double()
		t.Errorf("%s: DOUBLED "+format, append([]any{what}, args...)...)
	}
	b := books{payments: map[pos.PaymentID]bool{}, settled: map[pos.PaymentID]int{}}
	batches, sold := map[string]uint64{}, map[pos.SaleID]bool{}
	for _, r := range readable(t, what, j, torn) {
		first := r.N - uint64(max(r.Part, 1)) + 1
		if at, ok := batches[r.Cmd.Key]; ok && r.Cmd.Key != "" && at != first {
			doubled("command %s made record %d and again %d", r.Cmd.Key, at, first)
		}
		batches[r.Cmd.Key] = first
		switch r.Kind {
		case pos.KindPayment:
			var v pos.PaymentMoved
			must(t, r.Decode(&v))
			b.payments[v.Payment.ID] = true
			if v.Event == pos.Settle {
				b.settled[v.Payment.ID]++
			}
		case pos.KindSaleCompleted:
			var v pos.SaleCompleted
			must(t, r.Decode(&v))
			b.completed = append(b.completed, r.N)
			b.add(t, what, v, torn, doubled)
			if sold[v.Sale.ID] {
				doubled("sale %s was completed again in record %d", v.Sale.ID, r.N)
			}
			sold[v.Sale.ID] = true
		}
	}
	for id, n := range b.settled {
		if n > 1 {
			doubled("payment %s was booked %d times", id, n)
		}
	}
	return b
}

// add takes a completed sale in.
func (b *books) add(t *testing.T, what string, v pos.SaleCompleted, torn bool, doubled func(string, ...any)) {
	t.Helper()
	b.turnover += v.Totals.Total.Minor
	b.totals = append(b.totals, v.Totals.Total.Minor)
	switch {
	case v.Sale.Receipt != pos.ReceiptNumber("01", v.Count):
		t.Errorf("%s: sale %d has receipt %s", what, v.Count, v.Sale.Receipt)
	case torn && v.Count <= b.count:
		doubled("receipt %s behind sale %d", v.Sale.Receipt, b.count)
	case !torn && v.Count != b.count+1:
		t.Errorf("%s: receipt %s follows sale %d", what, v.Sale.Receipt, b.count)
	case !torn && v.Turnover.Minor != b.turnover:
		t.Errorf("%s: turnover %v after receipt %s, the sales come to %d", what, v.Turnover, v.Sale.Receipt, b.turnover)
	}
	b.count = v.Count
}

// readable returns every record that can be read.
func readable(t *testing.T, what string, j *journal.Journal, torn bool) (out []pos.Record) {
	t.Helper()
	last, _ := j.Last()
	for n := uint64(0); n < last; {
		for r, err := range j.Since(n) {
			if err != nil {
				if !torn {
					t.Errorf("%s: record %d: %v", what, n+1, err)
					return out
				}
				n++
				break
			}
			out, n = append(out, r), r.N
		}
	}
	return out
}
