package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"
	"periph.io/x/conn/v3/spi"

	"github.com/tillwright/tillwright/firmware/input"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/barcode"
)

// gun is a scanner made of code, the only event device of its computer.
type gun struct {
	mu      sync.Mutex
	plugged bool
	grabbed bool
	keys    chan input.Event
	gone    chan struct{}
}

func newGun() *gun {
	return &gun{plugged: true, keys: make(chan input.Event, 4096), gone: make(chan struct{})}
}

func (g *gun) List() ([]input.Found, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.plugged {
		return nil, nil
	}
	return []input.Found{{Path: "/dev/input/event0", Name: "Gun", ID: input.ID{Vendor: 0x0c2e, Product: 0x0b61}, Digits: true, Letters: true}}, nil
}

func (g *gun) Open(string) (input.Events, error) { return &trigger{g, make(chan struct{})}, nil }

// trigger is an opened gun.
type trigger struct {
	*gun
	closed chan struct{}
}

func (tr *trigger) Name() (string, error) { return "Gun", nil }
func (tr *trigger) ID() (input.ID, error) { return input.ID{Vendor: 0x0c2e, Product: 0x0b61}, nil }
func (tr *trigger) Grab() error           { tr.mu.Lock(); defer tr.mu.Unlock(); tr.grabbed = true; return nil }
func (tr *trigger) Close() error          { close(tr.closed); return nil }
func (tr *trigger) ReadOne() (input.Event, error) {
	select {
	case e := <-tr.keys:
		return e, nil
	case <-tr.gone:
	case <-tr.closed:
	}
	return input.Event{}, io.EOF
}

// digits are the codes of an American keyboard's digits.
var digits = map[rune]uint16{'1': 2, '2': 3, '3': 4, '4': 5, '5': 6, '6': 7, '7': 8, '8': 9, '9': 10, '0': 11}

// scan reads a number and waits for the till.
func (g *gun) scan(number string) {
	press := func(code uint16) {
		for _, v := range []int32{1, 0} {
			g.keys <- input.Event{At: time.Now(), Type: 1, Code: code, Value: v}
		}
		time.Sleep(10 * time.Millisecond)
	}
	for _, d := range number {
		press(digits[d])
	}
	press(28)
	synctest.Wait()
}

const counterHands = `
[[hands.scanner]]
id = "0c2e:0b61"
[hands.buzzer]
line = "GPIO18"
[[hands.led]]
line = "GPIO5"
on = ["ready", "paid"]
blink = ["waiting"]
[[hands.button]]
line = "GPIO17"
key = "kpenter"
[[scale_barcode]]
pattern = "21IIIIIVVVVVC"
[[scale_barcode]]
pattern = "22IIIIIVVVVVC"
value = "price"
`

const codedCatalogue = demoCatalogue + `barcode = ["4006381333931", "036000291452"]
[[item]]
sku = "GOUDA"
name = "Gouda"
price = "14.90"
barcode = "417"
`

// scaleLabel ends a scale's label.
func scaleLabel(s string) string { return s + string(barcode.CheckDigit(s)) }

// counterWorld is a world with a scanner, a button, a buzzer and a light.
type counterWorld struct {
	*world
	gun  *gun
	pins map[string]*gpiotest.Pin
	ear  *ear
	who  pos.Actor
}

// ear is the buzzer's line, and notes how long it was on.
type ear struct {
	*gpiotest.Pin
	mu    sync.Mutex
	on    time.Time // zero: it is off
	heard []string
}

func (e *ear) Out(l gpio.Level) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case l == gpio.High && e.on.IsZero():
		e.on = time.Now()
	case l == gpio.Low && !e.on.IsZero():
		e.heard, e.on = append(e.heard, time.Since(e.on).String()), time.Time{}
	}
	return nil
}

func (e *ear) take() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := strings.Join(e.heard, " ")
	e.heard = nil
	return s
}

func newCounter(t *testing.T, extra string) *counterWorld {
	c := &counterWorld{gun: newGun(), pins: map[string]*gpiotest.Pin{}, who: pos.Actor{ID: "a", Name: "Anna", Role: pos.Cashier}}
	for _, name := range []string{"GPIO5", "GPIO17", "GPIO18"} {
		c.pins[name] = &gpiotest.Pin{N: name, EdgesChan: make(chan gpio.Level, 8)}
	}
	c.ear = &ear{Pin: c.pins["GPIO18"]}
	b := board{
		events: c.gun, frame: thisBoard().frame,
		spi: func(string) (spi.PortCloser, error) { return nil, io.ErrClosedPipe },
		line: func(name string) (gpio.PinIO, error) {
			if p, ok := c.pins[name]; ok {
				if name == "GPIO18" {
					return c.ear, nil
				}
				return p, nil
			}
			return nil, pos.E("open line", pos.Unavailable, "this board has no line %s", name)
		},
	}
	c.world = newWorld(t, setting{extra: counterHands + extra, board: b})
	c.stop()
	if err := os.WriteFile(filepath.Join(c.dir, "catalogue.toml"), []byte(codedCatalogue), 0o600); err != nil {
		t.Fatal(err)
	}
	c.start()
	c.till.hands.who = func() (pos.Actor, bool) { return c.who, c.who.ID != "" }
	time.Sleep(time.Minute) // the node is found, and prices
	synctest.Wait()
	return c
}

// basket returns the lines of the current sale.
func (c *counterWorld) basket() string {
	synctest.Wait()
	s := c.till.desk.View().Counter.Current
	if s == nil {
		return ""
	}
	var out []string
	for _, l := range s.Lines {
		out = append(out, fmt.Sprintf("%s %s %s", pos.FormatQty(l.Qty), l.SKU, l.Total.Number()))
	}
	return strings.Join(out, ", ")
}

// notice returns what is said of scans.
func (c *counterWorld) notice() string {
	synctest.Wait()
	said := ""
	for _, n := range c.till.desk.View().Counter.Notices {
		if n.Kind == scanNotice && said != "" {
			c.t.Errorf("two notices of scans: %q and %q", said, n.Text)
		} else if n.Kind == scanNotice {
			said = n.Text
		}
	}
	return said
}

func (c *counterWorld) want(what, basket, notice string) {
	c.t.Helper()
	if got := c.basket(); got != basket {
		c.t.Errorf("%s: the basket holds %q, want %q", what, got, basket)
	}
	if got := c.notice(); !strings.Contains(got, notice) || (notice == "") != (got == "") {
		c.t.Errorf("%s: the cashier reads %q, want %q", what, got, notice)
	}
}

func (c *counterWorld) do(do pos.Action) pos.Answer {
	c.t.Helper()
	a, err := c.till.desk.Do(c.t.Context(), pos.Command{Key: key(), By: c.who, Do: do})
	if err != nil {
		c.t.Fatal(err)
	}
	synctest.Wait()
	return a
}

// TestCounterHands sells by scanner alone, from the kernel's events to the customer's
// picture: goods, labels, unknown codes, a payment in whose middle somebody scans.
func TestCounterHands(t *testing.T) {
	warm()
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, "")
		defer c.closeInBubble()
		if !c.gun.grabbed {
			t.Error("the scanner types into the console, too")
		}
		c.gun.scan("4006381333931")
		c.gun.scan("0036000291452")
		c.want("two of one item by two codes", "2 BRD 12.80", "")
		c.gun.scan(scaleLabel("210041700523"))
		c.gun.scan(scaleLabel("210041700412"))
		c.want("two weighed", "2 BRD 12.80, 0.523 GOUDA 7.79, 0.412 GOUDA 6.14", "")
		c.gun.scan(scaleLabel("220041700349"))
		c.want("a price", "2 BRD 12.80, 0.523 GOUDA 7.79, 0.412 GOUDA 6.14, 1 GOUDA 3.49", "")
		basket := c.basket()
		c.gun.scan("9501101531000")
		c.want("unknown", basket, "No item has this code: 9501101531000")
		c.gun.scan("4006381333932")
		c.want("misread", basket, "4006381333932 was not read correctly")
		c.gun.scan(scaleLabel("220041700349"))
		basket = strings.Replace(basket, "1 GOUDA 3.49", "2 GOUDA 6.98", 1)
		c.want("a good one takes the notice away", basket, "")

		who := c.who
		c.who = pos.Actor{}
		c.gun.scan("4006381333931")
		c.want("nobody signed in", basket, "nobody was signed in")
		c.who = who

		c.do(pos.Pay{Tender: "lightning"})
		time.Sleep(time.Second)
		before := c.till.desk.View().Customer
		if before.Phase != pos.PhaseDue || before.QR == "" {
			t.Fatalf("the customer sees %+v", before)
		}
		c.gun.scan("4006381333931")
		c.want("while a customer pays", basket, "Not added: sale "+before.Ref+" is being paid")
		if after := c.till.desk.View().Customer; after.QR != before.QR || after.Sale != before.Sale {
			t.Errorf("the customer's picture went from %+v to %+v", before, after)
		}
		c.do(pos.CancelPayment{Payment: c.till.desk.View().Counter.Current.Payments[0].ID, Sale: before.Sale})
		c.gun.scan("4006381333931")
		c.want("after it was cancelled", basket+", 1 BRD 6.40", "")
		if s := c.till.desk.View().Counter.Current; s.State != pos.Draft || s.ID == before.Sale {
			t.Errorf("the basket is %+v", s)
		}
		c.do(pos.Pay{Tender: pos.Cash})
		c.gun.scan("4006381333931")
		c.want("the next customer", "1 BRD 6.40", "")
	})
}

// TestUnplugged: a scanner that is pulled out says so on the screen, and works again
// when it is back.
func TestUnplugged(t *testing.T) {
	warm()
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, "[[hands.led]]\nline = \"GPIO6\"\non = [\"paid\"]\n[[hands.button]]\nline = \"GPIO7\"\nkey = \"a\"\n") // which the board lacks
		defer c.closeInBubble()
		linkOf := func(name string) pos.Link {
			time.Sleep(15 * time.Second)
			synctest.Wait()
			all := c.till.desk.View().Counter.Links
			return all[slices.IndexFunc(all, func(l pos.Link) bool { return l.Name == name })]
		}
		link := func() pos.Link { return linkOf("scanner") }
		if l := linkOf("buttons"); l.State != "offline" || l.Detail != "The button on GPIO7 does not work. Call the owner." {
			t.Errorf("the buttons' link is %+v", l)
		}
		if l := link(); l.State != "online" {
			t.Errorf("the link is %+v", l)
		}
		c.gun.mu.Lock()
		c.gun.plugged = false
		close(c.gun.gone)
		c.gun.mu.Unlock()
		if l := link(); l.State != "offline" || l.Detail != "Scanner is not connected. Plug it in; it is found by itself." {
			t.Errorf("the link is %+v", l)
		}
		c.gun.mu.Lock()
		c.gun.plugged, c.gun.gone = true, make(chan struct{})
		c.gun.mu.Unlock()
		if l := link(); l.State != "online" {
			t.Errorf("the link is %+v", l)
		}
		c.gun.scan("4006381333931")
		c.want("after it", "1 BRD 6.40", "")
	})
}

// TestSoundsAndLights: paid is heard once and seen, a restart is not heard.
func TestSoundsAndLights(t *testing.T) {
	warm()
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, "")
		defer c.closeInBubble()
		var pressed []string
		c.till.keypad = pressing(func(k string) { pressed = append(pressed, k) })
		lit := func() (n int) {
			for range 20 {
				time.Sleep(100 * time.Millisecond)
				synctest.Wait()
				c.pins["GPIO5"].Lock()
				if c.pins["GPIO5"].L {
					n++
				}
				c.pins["GPIO5"].Unlock()
			}
			return n
		}
		tone := c.ear.take
		if n := lit(); n != 20 {
			t.Errorf("ready: lit %d of 20", n)
		}
		c.gun.scan("4006381333931")
		time.Sleep(time.Second)
		if got := tone(); got != "60ms" {
			t.Errorf("a good scan sounds %s", got)
		}
		c.gun.scan("4006381333932")
		time.Sleep(time.Second)
		if got := tone(); got != "180ms 180ms" {
			t.Errorf("a bad scan sounds %s", got)
		}
		c.do(pos.Pay{Tender: "lightning"})
		time.Sleep(time.Second)
		if n := lit(); n < 5 || n > 15 {
			t.Errorf("waiting: lit %d of 20", n)
		}
		if err := c.node.Pay(c.till.desk.View().Customer.QR, 12_800_000); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if got := tone(); got != "90ms 90ms 160ms" {
			t.Errorf("paid sounds %s", got)
		}
		if n := lit(); n != 20 {
			t.Errorf("paid: lit %d of 20", n)
		}
		c.pins["GPIO17"].EdgesChan <- gpio.Low
		time.Sleep(time.Second)
		c.pins["GPIO17"].EdgesChan <- gpio.High
		time.Sleep(time.Second)
		synctest.Wait()
		if !slices.Equal(pressed, []string{"kpenter"}) {
			t.Errorf("the button pressed %q", pressed)
		}
		c.stop()
		c.start()
		time.Sleep(10 * time.Second)
		if got := tone(); got != "" {
			t.Errorf("a restart sounds %s", got)
		}
	})
}

type pressing func(key string)

func (p pressing) Press(key string) { p(key) }

// TestWhoScans: over real HTTP, a scan is nobody's until somebody signs in, and theirs
// after it.
func TestWhoScans(t *testing.T) {
	file := write(t, "till.toml", small+"[hands]\n")
	dir := filepath.Dir(file)
	text := strings.Replace(small, "[shop]", "data = \"data\"\nlisten = \"127.0.0.1:0\"\ncatalogue = \"catalogue.toml\"\n[shop]", 1)
	for name, content := range map[string]string{file: text, filepath.Join(dir, "catalogue.toml"): strings.ReplaceAll(codedCatalogue, "tax = \"B\"", "")} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	x, c, _ := runShop(t, file)
	scan := func() { x.hands.scan(input.Scan{Device: "Scanner", Text: "4006381333931"}) }
	if _, ok := x.atCounter(); ok {
		t.Error("somebody is at the counter of a new till")
	}
	c.found()
	c.do("DELETE", "/v1/sessions/current", nil, nil)
	c.token = ""
	scan()
	c.signIn()
	v := c.wait("a notice", func(v pos.View) bool { return len(v.Counter.Notices) > 0 })
	if v.Counter.Current != nil || !strings.Contains(v.Counter.Notices[0].Text, "nobody was signed in") {
		t.Errorf("a scan for nobody made %+v", v.Counter)
	}
	scan()
	scan()
	v = c.wait("two pieces", func(v pos.View) bool {
		return v.Counter.Current != nil && len(v.Counter.Current.Lines) == 1 && v.Counter.Current.Lines[0].Qty == 2000
	})
	if v.Counter.Current.By.Name != "Anna" {
		t.Errorf("the sale is %s's", v.Counter.Current.By.Name)
	}
	c.wait("no notice", func(v pos.View) bool { return len(v.Counter.Notices) == 0 })

	// A browser whose scanner types asks for the same codes.
	var a pos.Answer
	c.do("POST", "/v1/sales/current/lines", object{"sku": "036000291452"}, &a)
	if s := c.sale(a.Sale); s.Lines[0].Qty != 3000 {
		t.Errorf("a code from a browser: %+v", s.Lines)
	}
	status, b, err := c.call("POST", "/v1/sales/current/lines", key(), object{"sku": "9501101531000"})
	if err != nil || status != 404 || !strings.Contains(string(b), "No item has this code: 9501101531000") {
		t.Errorf("an unknown code from a browser: %d %s %v", status, b, err)
	}
}

// stubDesk answers as it is told.
type stubDesk struct {
	mu      sync.Mutex
	view    pos.View
	did     []pos.Command
	answer  pos.Answer
	err     error
	block   chan struct{}
	notices []string
}

func (s *stubDesk) Do(_ context.Context, c pos.Command) (pos.Answer, error) {
	if s.block != nil {
		<-s.block
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.did = append(s.did, c)
	return s.answer, s.err
}

func (s *stubDesk) View() pos.View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view
}

func (s *stubDesk) Notify(n pos.Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notices = append(s.notices, n.Text)
}

// stubHands runs hands over d until the test ends.
func stubHands(t *testing.T, d *stubDesk) *hands {
	h := &hands{desk: d, who: func() (pos.Actor, bool) { return owner, true }, lang: "en", log: quiet(), begun: "run", next: make(chan func(context.Context), maxScans)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); h.run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return h
}

// TestPayersPage scans a customer's page in every situation.
func TestPayersPage(t *testing.T) {
	waiting := pos.SaleView{Sale: pos.Sale{ID: "s1", Ref: "#0001", State: pos.Awaiting, Payments: []pos.Payment{{Offline: true, State: pos.Requested, Counter: 417}}}, Waiting: true, Offline: true}
	other := pos.SaleView{Sale: pos.Sale{ID: "s2", Ref: "#0002", State: pos.Draft}}
	for _, x := range []struct {
		name, text string
		current    *pos.SaleView
		answer     pos.Answer
		err        error
		did, said  string
	}{
		{"right", "OP1:417:009812", &waiting, pos.Answer{Sale: "s1"}, nil, "OP1:417:009812", ""},
		{"by another layout", "op1ç417Ö009812", &waiting, pos.Answer{Sale: "s1"}, nil, "OP1:417:009812", ""},
		{"wrong", "OP1:417:009813", &waiting, pos.Answer{Sale: "s1", Wrong: 2}, nil, "OP1:417:009813", "Wrong payment code. 2 wrong"},
		{"of another sale", "OP1:416:009813", &waiting, pos.Answer{Sale: "s1", Other: true}, nil, "OP1:416:009813", "Another sale's code"},
		{"locked", "OP1:417:009813", &waiting, pos.Answer{}, pos.E("enter code", pos.Forbidden, "ask a manager"), "OP1:417:009813", "ask a manager"},
		{"for the sale beside", "OP1:417:009812", &other, pos.Answer{}, nil, "", "This code belongs to #0001"},
		{"for nobody", "OP1:418:009812", &other, pos.Answer{}, nil, "", "No open sale waits for this code"},
		{"a number past all", "OP1:9999999999:009812", nil, pos.Answer{}, nil, "", "No open sale waits for this code"},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &stubDesk{answer: x.answer, err: x.err}
				d.view.Counter = pos.Counter{Current: x.current, Open: []pos.SaleView{waiting, other}}
				stubHands(t, d).scan(input.Scan{Text: x.text})
				synctest.Wait()
				did := ""
				for _, c := range d.did {
					do, ok := c.Do.(pos.EnterCode)
					if did = do.Code; !ok || do.Sale != "s1" || c.By != owner {
						t.Errorf("did %+v", c)
					}
				}
				said := strings.Join(d.notices, "")
				if did != x.did || !strings.Contains(said, x.said) || (x.said == "") != (said == "") {
					t.Errorf("did %q and said %q, want %q and %q", did, said, x.did, x.said)
				}
			})
		})
	}
}

// TestFastScans floods a till whose storage stands still: what was taken is done in
// order, once, under keys of its own; what was left out is all that came last, and the
// cashier knows.
func TestFastScans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &stubDesk{block: make(chan struct{})}
		h := stubHands(t, d)
		began := time.Now()
		for i := range 1000 {
			h.scan(input.Scan{Text: fmt.Sprint("code ", i)})
			synctest.Wait()
		}
		if time.Since(began) > 0 {
			t.Error("a scan waited")
		}
		close(d.block)
		synctest.Wait()
		keys := map[string]bool{}
		for i, c := range d.did {
			if do := c.Do.(pos.AddItem); do.SKU != fmt.Sprint("code ", i) || keys[c.Key] || len(c.Key) > pos.MaxKey {
				t.Errorf("command %d is %+v", i, c)
			}
			keys[c.Key] = true
		}
		if n := len(d.did); n != maxScans+1 {
			t.Errorf("%d scans were taken, want %d", n, maxScans+1)
		}
		if len(d.notices) != 1 || !strings.Contains(d.notices[0], "too fast") {
			t.Errorf("the cashier reads %q", d.notices)
		}
		h.scan(input.Scan{Text: "again"})
		synctest.Wait()
		if n := len(d.did); n != maxScans+2 {
			t.Error("nothing is taken after the flood")
		}
	})
}

// TestLostScans: each way to lose a scan is a sentence of its own.
func TestLostScans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &stubDesk{}
		h := stubHands(t, d)
		for _, why := range []input.Why{input.TooLong, input.OddKeys, input.Unfinished, input.Torn} {
			h.lost(input.Lost{Why: why})
		}
		synctest.Wait()
		if len(d.notices) != 4 || len(d.did) != 0 {
			t.Fatalf("said %q, did %v", d.notices, d.did)
		}
		for i, s := range d.notices {
			if strings.HasPrefix(s, "scan_") || s == "" || slices.Contains(d.notices[:i], s) {
				t.Errorf("said %q", s)
			}
		}
	})
}
