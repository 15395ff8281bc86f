package soak

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal/journaltest"
)

// still is the world right behind one call to the disk.
type still struct {
	calls int // so many calls had been made
	op    journaltest.Op
	disk  *journaltest.Disk
	reqs  map[pos.PaymentID]request
	at    time.Time
}

// file is the ledger's file behind one commit.
type file struct {
	calls int    // that had been made to the disk when it was seen, at most
	tx    uint64 // number of the commit
	text  []byte
}

// said is what a client was told.
type said struct {
	sent, told int // calls made to the disk by then
	cmd        pos.Command
	answer     pos.Answer
	err        error
	file       int    // index of the ledger's file that holds the answer, when no record does
	recorded   bool   // a record does
	receipt    string // seen for the sale, if it was completed
}

// paper is a print job that was begun, or done, as the till was told.
type paper struct {
	printer string
	id      uint64
	done    bool
	told    int // calls made to the disk by then
	file    int // index of the ledger's file that knows
}

// basket is what one held when the ledger's file was made.
type basket struct {
	sale  pos.SaleID
	qty   int64 // thousandths of its lines, together
	calls int   // made to the disk by then
	file  int   // index of the ledger's file
}

// day is a day at the counter, with everything needed to crash it anywhere.
type day struct {
	seed uint64
	kind string // what went wrong while it was lived
	dir  string
	net  *network

	reorder bool // what the disk loses of a sync that failed: sectors, not the end
	disk    *journaltest.Disk
	till    *till
	rnd     *rand.Rand
	keys    int
	sales   []pos.SaleID // completed, oldest first

	reserve int64 // bytes; touched by the journal's only writer alone

	mu       sync.Mutex
	calls    int
	stills   []still
	files    []file
	said     []said
	papers   []paper
	baskets  []basket
	promised []pos.Record
	by       []int // calls made when promised[i] was
}

// Kinds of days.
const (
	plain      = "plain"
	diskFails  = "a call to the disk fails"
	diskFull   = "the disk is full for a while"
	indexFails = "the index finds no room"
)

var kinds = []string{plain, diskFails, plain, diskFull, diskFails, indexFails}

// live lives one day of about so many customers.
func live(t *testing.T, dir string, seed uint64, customers int) *day {
	t.Helper()
	d := &day{
		seed: seed, kind: kinds[seed%uint64(len(kinds))], dir: dir, rnd: rand.New(rand.NewPCG(seed, 0)),
		net: &network{reqs: map[pos.PaymentID]request{}}, reorder: seed%2 == 0,
	}
	d.disk = journaltest.New(seed, d.reorder)
	d.disk.Watch(d.watch)
	must(t, clean(dir))
	x, err := start(parts{disk: d.disk, ledger: ledgerIn(dir), net: d.net, boot: "day", relieve: d.relieve, promised: d.promise})
	must(t, err)
	d.till = x
	end := make(chan bool)
	var watch sync.WaitGroup
	watch.Go(func() { d.poll(end) })
	trouble := d.rnd.IntN(customers)
	for c := range customers {
		if c == trouble {
			d.trouble()
		}
		if !d.serve(t) {
			break
		}
	}
	time.Sleep(100 * time.Millisecond)
	close(end)
	watch.Wait()
	_ = x.quit()
	d.disk.Watch(nil)
	d.capture()
	for _, f := range d.net.faults {
		t.Errorf("seed %d: %s", seed, f)
	}
	return d
}

func (d *day) watch(op journaltest.Op, c *journaltest.Disk) {
	reqs := d.net.copy()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	d.stills = append(d.stills, still{d.calls, op, c, reqs, time.Now()})
}

func (d *day) promise(rs []pos.Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range rs {
		d.promised, d.by = append(d.promised, r), append(d.by, d.calls)
	}
}

func (d *day) now() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
}

// relieve gives a small reserve back, once on each full disk.
func (d *day) relieve() bool {
	had := d.reserve > 0
	d.disk.Room(d.reserve)
	d.reserve = 0
	return had
}

// poll looks for commits, most of which nobody waits for.
func (d *day) poll(end <-chan bool) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return
		case <-tick.C:
			d.capture()
		}
	}
}

// capture keeps the ledger's file when a commit changed it, and returns the index of
// the newest.
func (d *day) capture() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	path := ledgerIn(d.dir)
	if _, err := os.Stat(path); err != nil {
		path += ".behind"
	}
	tx := newest(path)
	if n := len(d.files); n > 0 && (tx == 0 || d.files[n-1].tx == tx) {
		return n - 1
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return len(d.files) - 1
	}
	d.files = append(d.files, file{d.calls, tx, text})
	return len(d.files) - 1
}

// newest returns the number of a bbolt file's last commit: at byte 16+48 of either of
// its first two pages (bbolt, internal/common/meta.go).
func newest(path string) (tx uint64) {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	b := make([]byte, 8)
	for page := range int64(2) {
		if _, err := f.ReadAt(b, page*int64(os.Getpagesize())+16+48); err == nil {
			tx = max(tx, binary.LittleEndian.Uint64(b))
		}
	}
	return tx
}

// trouble lets what the day is named after happen.
func (d *day) trouble() {
	switch d.kind {
	case diskFails:
		op := []journaltest.Op{journaltest.Sync, journaltest.Sync, journaltest.Write, journaltest.SyncDir, journaltest.MakeFile}[d.rnd.IntN(5)]
		d.disk.Fail(op, 1+d.rnd.IntN(3), syscall.EIO)
	case diskFull:
		d.reserve = int64(d.rnd.IntN(3)) * 8 << 10
		d.disk.Room(int64(d.rnd.IntN(4000)))
	case indexFails:
		_ = noRoom(ledgerIn(d.dir))
	}
}

// serve takes a random customer. It returns false when the till has failed, as it
// must on some days.
func (d *day) serve(t *testing.T) bool {
	switch d.rnd.IntN(16) {
	case 0:
		d.give(t, pos.OpenDrawer{Reason: "coins"})
	case 1:
		if len(d.sales) > 0 {
			d.give(t, pos.Reprint{Sale: d.sales[d.rnd.IntN(len(d.sales))]})
		}
	case 2:
		d.ack()
	case 3:
		d.print()
	case 4:
		d.ring(t, 2)
		d.give(t, pos.ClearSale{})
	case 5:
		a := d.ring(t, 3)
		d.give(t, pos.SetQty{Sale: a.Sale, Line: 1, Qty: 500})
		d.note(a.Sale)
		d.cash(t)
	case 6:
		d.ring(t, 1)
		d.give(t, pos.Pay{Tender: pos.Cash, Amount: 100})
		d.cash(t)
	case 7, 8, 9:
		d.rail(t)
	default:
		d.ring(t, 1+d.rnd.IntN(3))
		d.cash(t)
	}
	d.rest()
	return !d.failed(t)
}

// note remembers a basket once its file is written.
func (d *day) note(id pos.SaleID) {
	time.Sleep(100 * time.Millisecond) // more than the ledger waits
	d.mu.Lock()
	refused := d.said[len(d.said)-1].err != nil // and may have happened all the same
	d.mu.Unlock()
	if v, err := d.till.Sale(id); err == nil && !refused && !d.short() {
		d.baskets = append(d.baskets, basket{id, quantity(v.Sale), d.now(), d.capture()})
	}
}

// quantity adds a basket up.
func quantity(s pos.Sale) (n int64) {
	for _, l := range s.Lines {
		n += l.Qty
	}
	return n
}

// rest is the time to the next command; often shorter than the ledger waits before
// it makes things durable.
func (d *day) rest() { time.Sleep(time.Duration(d.rnd.IntN(90)) * time.Millisecond) }

// failed says that the till ended; on a day without such trouble it must not.
func (d *day) failed(t *testing.T) bool {
	select {
	case err := <-d.till.done:
		d.till.done <- err
		if d.kind != diskFails && d.kind != indexFails {
			t.Errorf("seed %d (%s): the till ended: %v", d.seed, d.kind, err)
		}
		return true
	default:
	}
	if d.kind == diskFull && d.rnd.IntN(3) == 0 {
		d.disk.Room(-1)
	}
	return false
}

// ring puts items into the basket.
func (d *day) ring(t *testing.T, n int) (a pos.Answer) {
	for range n {
		a = d.give(t, pos.AddItem{SKU: []string{tea.SKU, cake.SKU}[d.rnd.IntN(2)], Qty: int64(1000 * (1 + d.rnd.IntN(3)))})
	}
	return a
}

// cash pays all that is due.
func (d *day) cash(t *testing.T) {
	given := int64(0)
	if d.rnd.IntN(2) == 0 {
		given = 10_000
	}
	d.give(t, pos.Pay{Tender: pos.Cash, Given: given})
}

// rail begins a payment over the network, and whatever may become of it.
func (d *day) rail(t *testing.T) {
	d.ring(t, 1)
	a := d.give(t, pos.Pay{Tender: bolt})
	time.Sleep(time.Duration(d.rnd.IntN(3)) * time.Second)
	switch d.rnd.IntN(5) {
	case 0: // left open, and put aside
		d.give(t, pos.OpenSale{})
	case 1:
		d.give(t, pos.CancelPayment{Sale: a.Sale})
		d.give(t, pos.Pay{Sale: a.Sale, Tender: pos.Cash})
	case 2: // paid while the next one is served
		d.give(t, pos.OpenSale{})
		d.net.pay(a.Payment)
	default:
		d.net.pay(a.Payment)
		time.Sleep(3 * time.Second)
	}
	d.seen(a.Sale)
}

// ack is the backoffice's word about the newest record.
func (d *day) ack() {
	if n, hash := d.till.journal.Last(); n > 0 {
		_ = d.till.Ack(pos.Checkpoint{Till: "0123456789abcdef", N: n, Hash: hash, At: time.Now()})
	}
}

// print does the oldest print job of one of the printers.
func (d *day) print() {
	name := []string{"", kitchen}[d.rnd.IntN(2)]
	q := d.till.Queue(name)
	if j, ok, err := q.Next(); err == nil && ok {
		if q.Begin(j.ID) != nil || d.short() {
			return
		}
		d.papers = append(d.papers, paper{name, j.ID, false, d.now(), d.capture()})
		if d.rnd.IntN(4) > 0 && q.Done(j.ID) == nil && !d.short() {
			d.papers = append(d.papers, paper{name, j.ID, true, d.now(), d.capture()})
		}
	}
}

// give gives a command and notes what the client is told.
func (d *day) give(t *testing.T, a pos.Action) pos.Answer {
	t.Helper()
	d.keys++
	s := said{sent: d.now(), cmd: command(fmt.Sprintf("key-%d", d.keys), a)}
	out, err := d.till.do(s.cmd.Key, a)
	s.told, s.answer, s.err = d.now(), out, err
	d.mu.Lock()
	for _, r := range d.promised {
		s.recorded = s.recorded || r.Cmd.Key == s.cmd.Key
	}
	d.mu.Unlock()
	if s.file = d.capture(); d.short() {
		s.file = math.MaxInt // a basket is in memory alone until there is room
	}
	if err != nil && d.kind == plain {
		t.Errorf("seed %d: %T: %v", d.seed, a, err)
	}
	d.mu.Lock()
	d.said = append(d.said, s)
	d.mu.Unlock()
	d.rest()
	if _, pays := a.(pos.Pay); pays && err == nil {
		d.seen(out.Sale)
	}
	return out
}

// short says that the index has no room right now.
func (d *day) short() bool {
	_, short := d.till.ledger.Short()
	return short
}

// seen notes the receipt that the screens show for a sale.
func (d *day) seen(id pos.SaleID) {
	v, err := d.till.Sale(id)
	if err != nil || v.Receipt == "" {
		return
	}
	if n := len(d.sales); n == 0 || d.sales[n-1] != id {
		d.sales = append(d.sales, id)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.said = append(d.said, said{sent: d.calls, told: d.calls, answer: pos.Answer{Sale: id}, receipt: v.Receipt, recorded: true})
}
