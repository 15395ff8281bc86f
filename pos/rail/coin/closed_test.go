package coin

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// disk is a store that survives a restart, and may be full.
type disk struct {
	b    []byte
	fail error
}

func (d *disk) Load() ([]byte, error) { return d.b, nil }

func (d *disk) Save(b []byte) error {
	if d.fail == nil {
		d.b = append([]byte(nil), b...)
	}
	return d.fail
}

var quiet = slog.New(slog.DiscardHandler)

// TestClosed: what a payment was closed with is the same after a restart, and the first word
// is the last one.
func TestClosed(t *testing.T) {
	d := &disk{}
	c := OpenClosed(d, 100, quiet)
	if c.After(1 << 60) {
		t.Error("nothing is known, and all money is new")
	}
	c.Begin(1000)
	c.Begin(5000)
	d.fail = errors.New("full")
	if err := c.Close("a", 1001, []string{"x"}); err == nil || c.Has("x") {
		t.Fatalf("closed on a full disk: %v", err)
	}
	d.fail = nil
	for _, keys := range [][]string{{"x", "y"}, {"z"}} {
		if err := c.Close("a", 1001, keys); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close("b", 1002, nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		a, ok1 := c.Of("a")
		b, ok2 := c.Of("b")
		_, ok3 := c.Of("c")
		if a != 2 || b != 0 || !ok1 || !ok2 || ok3 || !c.Has("x") || !c.Has("y") || c.Has("z") || c.After(1000) || !c.After(1001) {
			t.Errorf("%+v", c.file)
		}
		c = OpenClosed(d, 100, quiet)
	}
}

// TestClosedForgets: what falls out takes all money of before with it: none of it is told as
// nobody's.
func TestClosedForgets(t *testing.T) {
	for name, c := range map[string]struct{ payments, keys, step int }{"old": {12, 1, 10}, "many": {maxClosed + 5, 0, 0}, "much": {40, maxMoney / 20, 0}} {
		t.Run(name, func(t *testing.T) {
			d := &disk{}
			k := OpenClosed(d, 100, quiet)
			k.Begin(1)
			d.fail = nil
			for i := range c.payments {
				if c.payments > 100 && i < c.payments-6 { // its own file is not written 4,000 times
					k.file.Payments = append(k.file.Payments, closedPayment{ID: pos.PaymentID(fmt.Sprint(i)), At: 50})
					continue
				}
				var keys []string
				for n := range c.keys {
					keys = append(keys, fmt.Sprint(i, " ", n))
				}
				if err := k.Close(pos.PaymentID(fmt.Sprint(i)), uint64(50+i*c.step), keys); err != nil {
					t.Fatal(err)
				}
			}
			if _, ok := k.Of("0"); ok || k.After(50) {
				t.Errorf("the oldest is kept, or money of its time is new: since %d", k.file.Since)
			}
			if _, ok := k.Of(pos.PaymentID(fmt.Sprint(c.payments - 1))); !ok || len(k.file.Payments) > maxClosed {
				t.Errorf("%d are kept, and not the newest", len(k.file.Payments))
			}
			if o := OpenClosed(d, 100, quiet); len(o.file.Payments) != len(k.file.Payments) {
				t.Errorf("%d of %d are read again", len(o.file.Payments), len(k.file.Payments))
			}
		})
	}
}

// FuzzClosed: no file stops the till, and of one that is damaged no money is new.
func FuzzClosed(f *testing.F) {
	f.Add([]byte(`{"version":1,"since":5,"payments":[{"id":"a","at":7,"money":["x"]}]}`))
	f.Add([]byte(`{"version":2,"since":5}`))
	f.Add([]byte(`{"version":1,"since":0}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := &disk{b: b}
		c := OpenClosed(d, 100, quiet)
		if c.file.Since == 0 && (len(c.file.Payments) > 0 || c.After(1<<60)) {
			t.Errorf("%+v", c.file)
		}
		if c.Begin(9); c.file.Since == 0 || c.Close("the new payment", 10, []string{"k"}) != nil || !c.Has("k") {
			t.Errorf("%+v", c.file)
		}
	})
}
