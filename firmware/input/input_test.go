package input

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

var (
	gun  = ID{0x0c2e, 0x0b61}
	gun2 = ID{0x05e0, 0x1200}
	pad  = ID{0x062a, 0x4101}
)

// heard is what the till was told.
type heard struct {
	mu      sync.Mutex
	presses []string
	scans   []string
	lost    []string
	links   map[string]pos.Link
	block   chan struct{} // a Scan callback waits for it, if there is one
}

func (h *heard) options(k *fakeKernel, ds ...Device) Options {
	h.links = map[string]pos.Link{}
	return Options{
		Devices: ds, System: k, Language: "en",
		Press: func(p Press) { h.note(&h.presses, p.Device+" "+p.Key) },
		Scan: func(s Scan) {
			if h.block != nil {
				<-h.block
			}
			h.note(&h.scans, s.Device+" "+s.Text)
		},
		Lost: func(l Lost) { h.note(&h.lost, l.Device+" "+string(l.Why)) },
		Link: func(l pos.Link) { h.mu.Lock(); h.links[l.Name] = l; h.mu.Unlock() },
	}
}

func (h *heard) note(list *[]string, s string) {
	h.mu.Lock()
	*list = append(*list, s)
	h.mu.Unlock()
}

// want compares what was heard since the last want, after everything has settled.
func (h *heard) want(t testing.TB, what string, list *[]string, want ...string) {
	t.Helper()
	time.Sleep(2 * GapStale)
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Equal(*list, want) {
		t.Errorf("%s: got %q, want %q", what, *list, want)
	}
	*list = nil
}

func (h *heard) link(t testing.TB, name, state, detail string) {
	t.Helper()
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if l := h.links[name]; l.State != state || !strings.Contains(l.Detail, detail) || (detail == "") != (l.Detail == "") {
		t.Errorf("link is %+v, want %s %s %q", l, name, state, detail)
	}
}

// begin runs an Input in the bubble until the test ends.
func begin(t *testing.T, o Options) {
	t.Helper()
	in, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- in.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	time.Sleep(listenAfter + time.Millisecond) // a scanner is slower than this to be in a hand
	synctest.Wait()
}

func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

const ean = "4006381333931"

// TestCounter has a keypad and two scanners work at once, of both widths of the
// kernel's struct, read whole and a byte at a time.
func TestCounter(t *testing.T) {
	for _, narrow := range []bool{false, true} {
		for _, tear := range []bool{false, true} {
			bubble(t, fmt.Sprintf("narrow=%v tear=%v", narrow, tear), func(t *testing.T) {
				k, h := newKernel(t), &heard{}
				k.narrow, k.tear = narrow, tear
				a, b, c := k.plug("/dev/input/event0", "Gun", gun), k.plug("/dev/input/event1", "Other Gun", gun2), k.plug("/dev/input/event2", "Pad", pad)
				mouse := k.plug("/dev/input/event3", "Gun", ID{1, 2})
				begin(t, h.options(k, Device{Name: "A", Kind: Scanner, ID: gun}, Device{Name: "B", Kind: Scanner, Match: " other gun", Layout: "de", End: EndTab}, Device{Name: "K", Kind: Keypad, ID: pad}))
				var all sync.WaitGroup
				all.Go(func() { a.scan("us", ean, keyEnter) })
				all.Go(func() { b.scan("de", "OP1:417:009812", keyTab) })
				all.Go(func() {
					for range 3 { // a key "000"
						c.key(82)
					}
					c.key(keyNumLock)
					c.key(71)
					c.event(evKey, 72, down)
					c.event(evKey, 72, 2) // held
					c.event(evKey, 72, 2)
					c.event(evKey, 72, 0)
					c.event(evKey, 0x110, down) // a mouse's button
					c.key(keyKPEnter)
				})
				mouse.key(30)
				all.Wait()
				h.want(t, "presses", &h.presses, "K kp0", "K kp0", "K kp0", "K kp7", "K kp8", "K kpenter")
				slices.Sort(h.scans)
				h.want(t, "scans", &h.scans, "A "+ean, "B OP1:417:009812")
				h.want(t, "lost", &h.lost)
				h.link(t, "scanner", "online", "")
				h.link(t, "keypad", "online", "")
				for _, n := range []*node{a, b, c} {
					if len(n.console) > 0 {
						t.Errorf("%s typed %d events into the console", n.f.Name, len(n.console))
					}
				}
			})
		}
	}
}

// TestGrab: what was typed before the grab, or while another program holds the device,
// is nobody's scan.
func TestGrab(t *testing.T) {
	bubble(t, "typed before", func(t *testing.T) {
		k, h := newKernel(t), &heard{}
		n := k.plug("/dev/input/event0", "Gun", gun)
		in, err := New(h.options(k, Device{Name: "A", Kind: Scanner, ID: gun}))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- in.Run(ctx) }()
		n.scan("us", ean, keyEnter) // across the grab
		h.want(t, "scans", &h.scans)
		n.scan("us", "96385074", keyEnter)
		h.want(t, "scans", &h.scans, "A 96385074")
		cancel()
		<-done
	})
	bubble(t, "held by another", func(t *testing.T) {
		k, h := newKernel(t), &heard{}
		n := k.plug("/dev/input/event0", "Gun", gun)
		n.grab = &client{}
		begin(t, h.options(k, Device{Name: "The scanner", Kind: Scanner, ID: gun}))
		h.link(t, "scanner", "offline", "The scanner is used by another program")
		k.mu.Lock()
		n.grab = nil
		k.mu.Unlock()
		n.scan("us", ean, keyEnter)
		h.want(t, "scans", &h.scans)
		time.Sleep(backoffCap)
		h.link(t, "scanner", "online", "")
		n.scan("us", ean, keyEnter)
		h.want(t, "scans", &h.scans, "The scanner "+ean)
	})
	bubble(t, "not allowed", func(t *testing.T) {
		k, h := newKernel(t), &heard{}
		n := k.plug("/dev/input/event0", "Gun", gun)
		n.denied = true
		begin(t, h.options(k, Device{Name: "A", Kind: Scanner, ID: gun}))
		h.link(t, "scanner", "offline", "the group input")
		time.Sleep(time.Minute)
		if k.opened.Load() != 0 {
			t.Errorf("opened %d times", k.opened.Load())
		}
		n.unplug()
		time.Sleep(2 * lookEvery)
		h.link(t, "scanner", "offline", "A is not connected")
	})
	bubble(t, "shared", func(t *testing.T) {
		k, h := newKernel(t), &heard{}
		n := k.plug("/dev/input/event0", "Board", pad)
		begin(t, h.options(k, Device{Name: "K", Kind: Keyboard, ID: pad, Share: true}))
		n.key(30)
		h.want(t, "presses", &h.presses, "K a")
		if len(n.console) != 4 {
			t.Errorf("the console got %d events, want 4", len(n.console))
		}
	})
	bubble(t, "a scanner is never shared", func(t *testing.T) {
		k, h := newKernel(t), &heard{}
		n := k.plug("/dev/input/event0", "Gun", gun)
		begin(t, h.options(k, Device{Name: "A", Kind: Scanner, ID: gun, Share: true}))
		time.Sleep(listenAfter)
		n.scan("us", ean, keyEnter)
		h.want(t, "scans", &h.scans, "A "+ean)
		if len(n.console) != 0 {
			t.Errorf("the console got %d events of a scan", len(n.console))
		}
	})
	bubble(t, "a stranger under the number", func(t *testing.T) {
		k, h := newKernel(t), &heard{}
		n := k.plug("/dev/input/event0", "Gun", gun)
		n.lies = pad
		begin(t, h.options(k, Device{Name: "A", Kind: Scanner, ID: gun}))
		n.scan("us", ean, keyEnter)
		h.want(t, "scans", &h.scans)
		h.link(t, "scanner", "offline", "A is not connected")
	})
}

// TestUnplugAtEveryByte takes a scanner away after each byte of a scan and plugs it in
// again under another number: nothing of the torn scan is heard, the next one is whole.
func TestUnplugAtEveryByte(t *testing.T) {
	for _, narrow := range []bool{false, true} {
		bubble(t, fmt.Sprint("narrow=", narrow), func(t *testing.T) {
			k, h := newKernel(t), &heard{}
			k.narrow = narrow
			var stream []byte
			for _, c := range []byte("96385074") {
				s := strokes(t, "us", c)[0]
				for _, v := range []int32{down, 0} {
					stream = append(stream, k.bytesOf(Event{time.Now(), evKey, s.code, v})...)
					stream = append(stream, k.bytesOf(Event{time.Now(), evSyn, synReport, 0})...)
				}
			}
			begin(t, h.options(k, Device{Name: "A", Kind: Scanner, ID: gun}))
			for cut := range len(stream) {
				n := k.plug(fmt.Sprintf("/dev/input/event%d", 2*cut), "Gun", gun)
				time.Sleep(lookEvery + listenAfter)
				synctest.Wait()
				h.link(t, "scanner", "online", "")
				n.raw(stream[:cut])
				synctest.Wait()
				n.unplug()
				synctest.Wait()
				h.link(t, "scanner", "offline", "A is not connected")
				if cut < len(k.bytesOf(Event{})) {
					h.want(t, fmt.Sprint("lost at byte ", cut), &h.lost)
				} else {
					h.want(t, fmt.Sprint("lost at byte ", cut), &h.lost, "A torn")
				}
				n = k.plug(fmt.Sprintf("/dev/input/event%d", 2*cut+1), "Gun", gun)
				time.Sleep(lookEvery + listenAfter)
				n.scan("us", ean, keyEnter)
				h.want(t, fmt.Sprint("scans after byte ", cut), &h.scans, "A "+ean)
				n.unplug()
				synctest.Wait()
			}
		})
	}
}

// TestFlood: a device with 10,000 events a second that nobody has time for loses its
// own keys, says so, and takes nothing from another one.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, h := newKernel(t), &heard{}
		a, b := k.plug("/dev/input/event0", "Gun", gun), k.plug("/dev/input/event1", "Pad", pad)
		begin(t, h.options(k, Device{Name: "A", Kind: Scanner, ID: gun}, Device{Name: "K", Kind: Keypad, ID: pad}))
		const seconds, rate = 2, 10_000
		for i := range seconds * rate / 4 {
			a.key(uint16(2 + i%9))
			if i%1000 == 0 {
				b.key(79)
			}
			time.Sleep(4 * time.Second / rate)
		}
		h.want(t, "presses", &h.presses, slices.Repeat([]string{"K kp1"}, 5)...)
		h.want(t, "lost", &h.lost, "A "+string(TooLong))
		a.scan("us", ean, keyEnter)
		h.want(t, "scans", &h.scans, "A "+ean)

		for i := range 5000 { // faster than anybody reads: in no time at all
			a.key(uint16(2 + i%9))
			b.key(80)
		}
		time.Sleep(time.Second)
		a.scan("us", ean, keyEnter)
		h.want(t, "scans after the kernel dropped keys", &h.scans, "A "+ean)
	})
}

// TestDropped: after SYN_DROPPED no half scan is believed, and a held Shift is not
// remembered.
func TestDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, h := newKernel(t), &heard{}
		n, p := k.plug("/dev/input/event0", "Gun", gun), k.plug("/dev/input/event1", "Pad", pad)
		begin(t, h.options(k, Device{Name: "A", Kind: Scanner, ID: gun}, Device{Name: "K", Kind: Keypad, ID: pad}))
		n.scan("us", "400638", 0)
		n.event(evKey, keyLeftShift, down)
		n.event(evSyn, synDropped, 0)
		n.event(evSyn, synReport, 0)
		n.scan("us", "1333931", keyEnter)
		h.want(t, "scans", &h.scans)
		h.want(t, "lost", &h.lost, "A torn")
		n.scan("us", ean, keyEnter)
		h.want(t, "scans", &h.scans, "A "+ean)

		p.event(evSyn, synDropped, 0)
		p.event(evKey, 79, down) // the kernel's newest event, behind the mark
		p.event(evSyn, synReport, 0)
		p.key(80)
		h.want(t, "presses", &h.presses, "K kp2")
	})
}

// TestSlowTill: a callback that does not return holds its own device up and no other,
// and Run ends when it does.
func TestSlowTill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, h := newKernel(t), &heard{block: make(chan struct{})}
		a, b := k.plug("/dev/input/event0", "Gun", gun), k.plug("/dev/input/event1", "Pad", pad)
		begin(t, h.options(k, Device{Name: "A", Kind: Scanner, ID: gun}, Device{Name: "K", Kind: Keypad, ID: pad}))
		a.scan("us", ean, keyEnter)
		a.scan("us", "96385074", keyEnter)
		b.key(79)
		h.want(t, "presses", &h.presses, "K kp1")
		h.want(t, "scans", &h.scans)
		close(h.block)
		h.want(t, "scans", &h.scans, "A "+ean, "A 96385074")
	})
}

// TestTwoAlike: two scanners of one kind are one device with two ends; either may fail.
func TestTwoAlike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, h := newKernel(t), &heard{}
		a, b := k.plug("/dev/input/event0", "Gun", gun), k.plug("/dev/input/event1", "Gun", gun)
		buttons := k.plug("/dev/input/event2", "Gun's buttons", gun)
		buttons.f.Digits = false // before anybody looks
		begin(t, h.options(k, Device{Name: "A", Kind: Scanner, ID: gun}))
		a.scan("us", "96385074", 0)
		b.scan("us", ean, keyEnter)
		time.Sleep(between)
		a.key(keyEnter)
		h.want(t, "scans", &h.scans, "A "+ean, "A 96385074")
		a.unplug()
		h.link(t, "scanner", "online", "")
		b.scan("us", ean, keyEnter)
		h.want(t, "scans", &h.scans, "A "+ean)
		b.unplug()
		h.link(t, "scanner", "offline", "not connected")
		if k.opened.Load() != 2 {
			t.Errorf("%d devices were opened, want 2", k.opened.Load())
		}
	})
}

// TestBackoff: a device that dies whenever it is opened is not opened all the time.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, h := newKernel(t), &heard{}
		n := k.plug("/dev/input/event0", "Gun", gun)
		begin(t, h.options(k, Device{Name: "A", Kind: Scanner, ID: gun}))
		began := time.Now()
		for time.Since(began) < time.Minute {
			n.hangUp()
			time.Sleep(100 * time.Millisecond)
		}
		if k.opened.Load() < 6 || k.opened.Load() > 14 {
			t.Errorf("opened %d times in a minute", k.opened.Load())
		}
		time.Sleep(backoffCap)
		n.scan("us", ean, keyEnter)
		h.want(t, "scans", &h.scans, "A "+ean)
	})
}

func TestNew(t *testing.T) {
	for _, x := range []struct {
		name string
		ds   []Device
		want string
	}{
		{"nothing", []Device{{Name: "A", Kind: Keypad}}, "A needs the numbers or the name"},
		{"twice", []Device{{Name: "A", ID: gun}, {Name: "B", ID: gun}}, "B and A are the same device"},
		{"layout", []Device{{Name: "A", Kind: Scanner, ID: gun, Layout: "dvorak"}}, "cz, de, es, fr, pt, uk, us"},
	} {
		if _, err := New(Options{Devices: x.ds}); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: got %v, want %q", x.name, err, x.want)
		}
	}
	for s, want := range map[string]bool{"0c2e:0b61": true, "0C2E:0B61": true, "c2e:b61": false, "0c2e0b61": false, "0c2e:0b61x": false, "0c2e:0b6g": false, "": false, "+c2e:0b61": false} {
		if id, err := ParseID(s); (err == nil) != want || want && id != gun {
			t.Errorf("ParseID(%q) = %v, %v", s, id, err)
		}
	}
}
