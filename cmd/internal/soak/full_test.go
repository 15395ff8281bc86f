package soak

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/firmware/storage"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal/journaltest"
)

// card is one storage for everything: the journal's disk, and the reserve of a real
// gauge beside it.
type card struct {
	disk  *journaltest.Disk
	dir   string
	gauge *storage.Gauge
}

func newCard(t *testing.T, dir string, room int64) *card {
	t.Helper()
	c := &card{disk: journaltest.New(1, false), dir: dir}
	c.disk.Room(room)
	c.measure()
	return c
}

// measure makes the gauge, as each start does.
func (c *card) measure() {
	had := c.reserve()
	c.gauge = storage.New(storage.Options{Dir: c.dir, Language: "en", Space: func(string) (storage.Space, error) {
		return storage.Space{Free: uint64(c.disk.Left()), Total: 64 << 20}, nil
	}})
	c.settle(had)
}

func (c *card) reserve() bool {
	_, err := os.Stat(filepath.Join(c.dir, "reserve"))
	return err == nil
}

// settle moves the reserve's room: the gauge's file is a real one, the disk is not.
func (c *card) settle(had bool) {
	switch has := c.reserve(); {
	case had && !has:
		c.disk.Room(c.disk.Left() + storage.ReserveBytes)
	case has && !had:
		c.disk.Room(c.disk.Left() - storage.ReserveBytes)
	}
}

func (c *card) look() {
	had := c.reserve()
	c.gauge.Look()
	c.settle(had)
}

func (c *card) relieve() bool {
	had := c.reserve()
	out := c.gauge.Relieve()
	c.settle(had)
	return out
}

// TestFullCard fills a till's storage up under its hands, and frees it again: warned,
// then grey for everything but cash, then on the reserve through restarts, then
// refused whole; nothing that was confirmed is missing at any time, and it all comes
// back when there is room.
func TestFullCard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, net := workDir(t), &network{reqs: map[pos.PaymentID]request{}}
		c := newCard(t, dir, 40<<20)
		p := parts{disk: c.disk, ledger: ledgerIn(dir), net: net, boot: "1", relieve: c.relieve,
			storage: func() pos.Health { return c.gauge.Health() }}
		x, err := start(p)
		must(t, err)
		x.sells(t, "room", 2)
		_, err = x.do("rail-ring", pos.AddItem{SKU: tea.SKU})
		must(t, err)
		begun, err := x.do("rail-pay", pos.Pay{Tender: bolt})
		must(t, err)
		time.Sleep(2 * time.Second)
		_, err = x.do("aside", pos.OpenSale{})
		must(t, err)

		c.disk.Room(5 << 20)
		c.look()
		if h := c.gauge.Health(); !h.Ready || len(h.Notices) != 1 {
			t.Errorf("nearly full: %+v", h)
		}
		c.disk.Room(1500 << 10) // others write
		c.look()
		x.refuses(t, "grey", bolt)
		x.sells(t, "low", 3)
		net.pay(begun.Payment)
		time.Sleep(3 * time.Second)
		if v, err := x.Sale(begun.Sale); err != nil || v.Receipt == "" {
			t.Errorf("a payment that was begun before: %+v, %v", v.State, err)
		}

		c.disk.Room(0) // between two looks
		x.sells(t, "none", 3)
		if c.reserve() || c.gauge.Health().Ready {
			t.Errorf("no room, and the reserve is there: %v", c.reserve())
		}
		for i := range 3 { // the power goes, again and again
			must(t, x.quit())
			c.disk.Restart()
			c.measure()
			p.boot = fmt.Sprint("again ", i)
			x, err = start(p)
			must(t, err)
			x.sells(t, p.boot, 5)
			x.refuses(t, p.boot, bolt)
		}
		sold := x.usesUp(t)
		t.Logf("cash sales on the reserve, after three restarts: %d", sold)
		if sold < 400 {
			t.Errorf("the reserve lasted for %d sales", sold)
		}
		x.refuses(t, "up", pos.Cash)
		before := x.ledger.Books().Count
		c.disk.Room(20 << 20) // somebody makes room
		c.look()
		if h := c.gauge.Health(); !h.Ready || !c.reserve() {
			t.Errorf("there is room: %+v, reserve %v", h, c.reserve())
		}
		x.sells(t, "freed", 1)
		_, err = x.do("freed-ring", pos.AddItem{SKU: tea.SKU})
		must(t, err)
		_, err = x.do("freed-rail", pos.Pay{Tender: bolt})
		must(t, err)
		time.Sleep(time.Second)
		b := audit(t, "full card", x.journal, false, newTally())
		if b.count < before+1 {
			t.Errorf("%d sales, want more than %d", b.count, before)
		}
		must(t, x.quit())
	})
}

// refuses wants a tender refused, with a sentence that names the storage, and no
// record of it.
func (x *till) refuses(t *testing.T, name string, tender pos.Tender) {
	t.Helper()
	_, err := x.do(name+"-refused-ring", pos.AddItem{SKU: tea.SKU})
	must(t, err)
	_, _, err = x.Sales("", 1)
	must(t, err)
	before, _ := x.journal.Last()
	_, err = x.do(name+"-refused", pos.Pay{Tender: tender})
	if pos.KindOf(err) != pos.Unavailable || err == nil || !strings.Contains(err.Error(), "storage is full") {
		t.Errorf("%s: %s got %v", name, tender, err)
	}
	if after, _ := x.journal.Last(); after != before {
		t.Errorf("%s: refused, and %d records of it", name, after-before)
	}
}

// usesUp sells for cash until nothing goes any more, and returns how many sales.
func (x *till) usesUp(t *testing.T) (sold int) {
	t.Helper()
	for ; ; sold++ {
		_, err := x.do(fmt.Sprint("up-ring-", sold), pos.AddItem{SKU: tea.SKU})
		must(t, err)
		if _, err := x.do(fmt.Sprint("up-pay-", sold), pos.Pay{Tender: pos.Cash}); err != nil {
			return sold
		}
	}
}
