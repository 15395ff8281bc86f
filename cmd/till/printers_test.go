package main

import (
	"bytes"
	"context"
	"image/png"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/paper"
	"github.com/tillwright/tillwright/printer/printertest"
)

// restaurantCatalogue has something for the kitchen, something for the bar, and bread,
// of which nobody is told.
const restaurantCatalogue = `
[[item]]
sku = "SUP"
name = "Goulash soup"
price = "5.90"
category = "Food"
[[item]]
sku = "WIN"
name = "Riesling"
price = "4.20"
category = "Drinks"
[[item]]
sku = "BRD"
name = "Bread"
price = "1.00"
`

// writeRestaurant writes a shop that takes cash, with these printers.
func writeRestaurant(t testing.TB, dir, printers string) string {
	t.Helper()
	text := "data = \"data\"\nlisten = \"127.0.0.1:0\"\ncatalogue = \"catalogue.toml\"\n[shop]\nname = \"Gasthaus\"\ncurrency = \"EUR\"\n" +
		"[[tax]]\ncode = \"A\"\npercent = \"10\"\n[rates]\nfixed = \"50000\"\n" + printers
	for name, text := range map[string]string{"till.toml": text, "catalogue.toml": restaurantCatalogue} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "till.toml")
}

const paperKitchen = `
[printer]
connect = "paper"
[[printer.second]]
name = "Kitchen"
connect = "paper"
model = "tm-u220b"
categories = ["Food"]
[[printer.second]]
name = "Bar"
connect = "paper"
columns = 32
categories = ["Drinks"]
buzzer = false
`

// reads waits until a printer's paper holds every text, each so many times as it is given.
func reads(t testing.TB, p *paper.Printer, texts ...string) string {
	t.Helper()
	want := map[string]int{}
	for _, s := range texts {
		want[s]++
	}
	deadline := time.After(patience)
	for {
		changed, text := p.Changed(), p.Text()
		all := true
		for s, n := range want {
			all = all && strings.Count(text, s) >= n
		}
		if all {
			return text
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("the paper never says %q:\n%s", texts, text)
		}
	}
}

// idle waits until a printer owes nothing, its last word included.
func idle(t testing.TB, x *till, printer string) {
	t.Helper()
	look, deadline := time.NewTicker(5*time.Millisecond), time.After(patience)
	defer look.Stop()
	for {
		_, owes, err := x.desk.Queue(printer).Next()
		if err != nil {
			t.Fatal(err)
		}
		if !owes {
			return
		}
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("%q owes papers for ever", printer)
		}
	}
}

func (c *counter) cash(skus ...string) pos.SaleID {
	c.t.Helper()
	id := c.ring(skus...)
	c.do("POST", "/v1/sales/"+string(id)+"/payments", object{"tender": "cash"}, nil)
	return id
}

// TestKitchen sells in a restaurant whose three printers are made of code: each paper has
// what it should and nothing else, a ticket can be had again, and /paper shows all.
func TestKitchen(t *testing.T) {
	x, c, _ := runShop(t, writeRestaurant(t, t.TempDir(), paperKitchen))
	c.found()
	receipt, kitchen, bar := x.printers.papers.list[0], x.printers.papers.list[1], x.printers.papers.list[2]
	id := c.cash("SUP", "SUP", "WIN", "BRD")
	got := reads(t, kitchen, "2 Goulash soup", "1 of 2", "cut")
	if strings.Contains(got, "Riesling") || strings.Contains(got, "Bread") || strings.Contains(got, "€") {
		t.Errorf("the kitchen reads\n%s", got)
	}
	got = reads(t, bar, "1 Riesling", "2 of 2", "Anna")
	if strings.Contains(got, "soup") || strings.Contains(got, "Bread") || bar.Drawer() != 0 {
		t.Errorf("the bar reads\n%s", got)
	}
	got = reads(t, receipt, "Goulash soup", "Riesling", "Bread", "cut")
	if receipt.Drawer() != 1 || strings.Contains(got, "1 of 2") {
		t.Errorf("the drawer opened %d times, receipt\n%s", receipt.Drawer(), got)
	}
	c.do("POST", "/v1/sales/"+string(id)+"/reprints", object{"ticket": true, "printer": "Kitchen"}, nil)
	if got = reads(t, kitchen, "AGAIN", "AGAIN", "#0001", "#0001"); strings.Count(got, "#0001") != 2 || strings.Contains(bar.Text(), "AGAIN") {
		t.Errorf("the kitchen reads\n%s", got)
	}
	c.do("POST", "/v1/test-pages", object{"printer": "bar"}, nil)
	if got = reads(t, bar, "The ruler must end at the edge", "12345678901234567890123456789012"); strings.Contains(got, "123456789012345678901234567890123") {
		t.Errorf("the bar's ruler is not its own:\n%s", got)
	}
	c.do("POST", "/v1/test-pages", object{}, nil)
	if got = reads(t, receipt, "123456789012345678901234567890123456789012345678"); strings.Contains(kitchen.Text(), "ruler") {
		t.Errorf("the kitchen reads\n%s", kitchen.Text())
	}
	if bar.Beeps()+bar.Drawer() != 0 || kitchen.Drawer() < 2 { // this kitchen's buzzer is on the drawer's socket
		t.Errorf("the bar was called %d times, the kitchen %d", bar.Beeps(), kitchen.Drawer())
	}
	status, b, err := c.call("GET", "/paper.png", key(), nil)
	if err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil || img.Bounds().Dx() < receipt.Picture().Rect.Dx()+kitchen.Picture().Rect.Dx()+bar.Picture().Rect.Dx() {
		t.Errorf("/paper shows %v, %v", img.Bounds(), err)
	}
	if v := c.wait("three printers", func(v pos.View) bool { return len(printersIn(v)) == 3 }); printersIn(v)["printer Kitchen"] == "" {
		t.Errorf("links %+v", v.Counter.Links)
	}
}

// printersIn are the printers' links and states.
func printersIn(v pos.View) map[string]string {
	out := map[string]string{}
	for _, l := range v.Counter.Links {
		if strings.HasPrefix(l.Name, "printer") {
			out[l.Name] = l.State + " " + l.Detail
		}
	}
	return out
}

// TestKitchenOnCables has the receipt printer on the network and the kitchen's on a
// serial line. The kitchen runs out of paper and is unplugged: receipts come out all the
// same, the screens say which printer it is, and the orders come when there is paper.
func TestKitchenOnCables(t *testing.T) {
	receipt, kitchen := printertest.New(t, 576), printertest.New(t, 384)
	config := "[printer]\nconnect = \"tcp://" + onNetwork(t, receipt) + "\"\n[[printer.second]]\nname = \"Kitchen\"\nconnect = \"serial://" + onLine(t, kitchen) +
		"?baud=115200&flow=none\"\ncolumns = 32\ncategories = [\"food\"]\n"
	dir := t.TempDir()
	x, c, stop := runShop(t, writeRestaurant(t, dir, config))
	c.found()
	c.cash("SUP")
	reads(t, kitchen, "#0001", "Goulash soup")
	reads(t, receipt, "01-000001", "cut")
	idle(t, x, "Kitchen")

	kitchen.SetPaper(0, false)
	c.cash("SUP")
	reads(t, receipt, "01-000002")
	c.wait("the kitchen's trouble", func(v pos.View) bool {
		all := printersIn(v)
		return all["printer Kitchen"] == "offline no paper" && strings.HasPrefix(all["printer"], "online")
	})
	c.cash("SUP", "SUP")
	reads(t, receipt, "01-000003")
	idle(t, x, "")
	stop() // and the orders survive it

	kitchen.SetPaper(paper.Endless, false)
	runShop(t, filepath.Join(dir, "till.toml"))
	text := reads(t, kitchen, "#0002", "#0003", "2 Goulash soup")
	if strings.Count(text, "#0001")+strings.Count(text, "#0002")+strings.Count(text, "#0003") != 3 || strings.Contains(text, "AGAIN") {
		t.Errorf("the kitchen reads\n%s", text)
	}
	if text := receipt.Text(); strings.Count(text, "01-000003") != 1 || strings.Contains(text, "COPY") {
		t.Errorf("receipts\n%s", text)
	}
}

// onNetwork puts a printer on the network and returns its address.
func onNetwork(t *testing.T, p *paper.Printer) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	wg.Go(func() {
		for { // one at a time, as such printers are
			c, err := l.Accept()
			if err != nil {
				return
			}
			printertest.Attach(c, p)
			_ = c.Close()
		}
	})
	return l.Addr().String()
}

// onLine puts a printer on a serial line and returns the line's name.
func onLine(t *testing.T, p *paper.Printer) string {
	t.Helper()
	m, s, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = m.Close(), s.Close() }) // s held open: a line does not hang up between two papers
	go printertest.Attach(m, p)
	return s.Name()
}

// TestTillKilledBeforeTheTicket takes the power away between the record and the paper,
// and between the first byte and the last: the order comes out once, and is marked if
// the kitchen may have seen some of it.
func TestTillKilledBeforeTheTicket(t *testing.T) {
	for _, begun := range []bool{false, true} {
		dir := t.TempDir()
		file := writeRestaurant(t, dir, paperKitchen)
		cfg, err := loadConfig(file)
		if err != nil {
			t.Fatal(err)
		}
		x, err := openTill(cfg, quiet())
		if err != nil {
			t.Fatal(err)
		}
		for i, do := range []pos.Action{pos.AddItem{SKU: "SUP"}, pos.Pay{Tender: pos.Cash}} {
			if _, err := x.desk.Do(context.Background(), pos.Command{Key: string(rune('a' + i)), By: pos.Actor{ID: "a", Name: "Anna", Role: pos.Cashier}, Do: do}); err != nil {
				t.Fatal(err)
			}
		}
		_ = x.desk.View()
		q := x.desk.Queue("Kitchen")
		for j, ok, err := q.Next(); ; j, ok, err = q.Next() { // until it is folded
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				if begun {
					if err := q.Begin(j.ID); err != nil {
						t.Fatal(err)
					}
				}
				break
			}
		}
		if err := x.shut(); err != nil {
			t.Fatal(err)
		}
		y, _, _ := runShop(t, file)
		text := reads(t, y.printers.papers.list[1], "#0001", "Goulash soup", "Anna")
		if strings.Count(text, "#0001") != 1 || strings.Contains(text, "AGAIN") != begun {
			t.Errorf("begun %v: the kitchen reads\n%s", begun, text)
		}
	}
}

// TestDrawerForgotten: the cashier is told of a drawer that stands open for a minute
// while nothing is sold, and not of one that is open because something is.
func TestDrawerForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w drawerWatch
		step := func(d time.Duration, selling, want bool) {
			t.Helper()
			time.Sleep(d)
			if got := w.forgotten(selling); got != want {
				t.Errorf("forgotten: %v", got)
			}
		}
		step(time.Hour, false, false)
		w.told(true)
		step(drawerOpenFor-time.Second, false, false)
		step(time.Second, false, true)
		step(time.Second, true, false) // the next customer
		step(drawerOpenFor-time.Second, false, false)
		step(time.Second, false, true)
		w.told(false)
		step(time.Hour, false, false)
	})
}

// TestConfigSecond reads every key of a second printer, and what is meant without them.
func TestConfigSecond(t *testing.T) {
	c, err := loadConfig(writeRestaurant(t, t.TempDir(), `
[printer]
connect = "paper"
drawer_open = "high"
[[printer.second]]
name = " Kitchen "
connect = "tcp://192.168.1.51"
model = "tm-u220b"
categories = ["Food", "Soups"]
items = ["BRD"]
when = "charged"
copies = 2
buzzer = false
[[printer.second]]
name = "Bar"
connect = "serial:///dev/ttyUSB0?baud=9600"
columns = 32
categories = ["Drinks"]
`))
	if err != nil {
		t.Fatal(err)
	}
	k, b := c.seconds[0], c.seconds[1]
	if c.printer.drawer != printer.High || k.route.Printer != "Kitchen" || k.route.When != pos.WhenCharged || k.route.Copies != 2 || !k.quiet || k.model.Name != "tm-u220b" || len(k.route.SKUs) != 1 {
		t.Errorf("got %+v", k)
	}
	if b.route.When != pos.WhenCompleted || b.route.Copies != 1 || b.quiet || b.model.Name != "58mm" || b.options.Baud != 9600 || b.drawer != "" {
		t.Errorf("got %+v", b)
	}
	if c.told(0) != 2 || c.told(1) != 1 {
		t.Errorf("told of %d and %d items", c.told(0), c.told(1))
	}
}

// TestDoctorSecond: a printer whose categories no item has would wait for ever.
func TestDoctorSecond(t *testing.T) {
	file := writeRestaurant(t, t.TempDir(), strings.Replace(paperKitchen, `["Food"]`, `["Fod"]`, 1))
	c, err := loadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	f := tryPrinter(t.Context(), c)
	if len(f) != 3 || !f[0].good || f[1].good || !strings.Contains(f[1].remedy, "it will never print") || !f[2].good || f[1].what != "printer Kitchen" {
		t.Errorf("found %+v", f)
	}
	if said := good(t, "config", "check", "--config", file); !strings.Contains(said, "printer Kitchen: paper, tm-u220b, 33 columns; told of 0 of 3 items when a sale is completed\n") {
		t.Errorf("said %s", said)
	}
}

// TestDoctorSays puts a printer's word into words: whoever sets a drawer up reads its
// sensor's level there.
func TestDoctorSays(t *testing.T) {
	for want, st := range map[string]printer.Status{
		"does not say how it is":                           {},
		"well; the drawer's sensor is low":                 {Known: true, Drawer: printer.Low},
		"no paper; the drawer's sensor is high":            {Known: true, PaperOut: true, PaperLow: true, Drawer: printer.High},
		"paper is running low; the drawer's sensor is low": {Known: true, PaperLow: true, Drawer: printer.Low},
	} {
		if got := saysPrinter(st); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestTicketPicture draws a ticket of a printer's own goods, without opening anything.
func TestTicketPicture(t *testing.T) {
	dir := t.TempDir()
	file := writeRestaurant(t, dir, strings.Replace(paperKitchen, "\"paper\"\nmodel", "\"tcp://192.0.2.1\"\nmodel", 1))
	out := filepath.Join(dir, "x.png")
	if said := good(t, "paper", "--config", file, "--printer", "kitchen", out); !strings.Contains(said, "Epson TM-U220B") {
		t.Errorf("said %s", said)
	}
	drawn, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer drawn.Close()
	img, err := png.Decode(drawn)
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != 33*12+4+48 || b.Dy() < 200 {
		t.Errorf("the picture is %v", b)
	}
	if said, err := try(t, "paper", "--config", file, "--printer", "Kichen", out); err == nil || !strings.Contains(err.Error(), `did you mean "Kitchen"?`) {
		t.Errorf("said %s, %v", said, err)
	}
}
