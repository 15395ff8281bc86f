package input

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/holoplot/go-evdev"

	"github.com/tillwright/tillwright/pos"
)

// TestUinput reads a scanner that the kernel itself makes up.
func TestUinput(t *testing.T) {
	f, err := os.OpenFile("/dev/uinput", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("the kernel makes no devices up here: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	keys := make([]evdev.EvCode, 0, 127)
	for c := evdev.EvCode(1); c < 128; c++ {
		keys = append(keys, c)
	}
	const name = "tillwright test scanner"
	d, err := evdev.CreateDevice(name, evdev.InputID{BusType: 3, Vendor: 0x7711, Product: 0x0417}, map[evdev.EvType][]evdev.EvCode{evdev.EV_KEY: keys})
	if err != nil {
		t.Skipf("the kernel makes no devices up here: %v", err)
	}
	defer d.Close()
	scans, up := make(chan Scan, 1), make(chan struct{}, 8)
	in, err := New(Options{
		Devices: []Device{{Name: "A", Kind: Scanner, ID: ID{0x7711, 0x0417}, Match: name}},
		Scan:    func(s Scan) { scans <- s }, Link: func(l pos.Link) {
			if l.State == "online" {
				up <- struct{}{}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- in.Run(ctx) }()
	select {
	case <-up:
	case <-ctx.Done():
		t.Fatal("the device was not found")
	}
	for again := time.NewTicker(time.Second); ; { // the first one may come while it is deaf
		for _, e := range append(keysOf(t, "us", ean), strokeEvents(stroke{0, keyEnter})...) {
			if err := d.WriteOne(&evdev.InputEvent{Type: evdev.EvType(e.Type), Code: evdev.EvCode(e.Code), Value: e.Value}); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case s := <-scans:
			if s.Text != ean {
				t.Errorf("got %q", s.Text)
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			return
		case <-again.C:
		case <-ctx.Done():
			t.Fatal("nothing was read")
		}
	}
}
