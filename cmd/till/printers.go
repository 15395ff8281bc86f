package main

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
	"github.com/tillwright/tillwright/pos/web"
	"github.com/tillwright/tillwright/printer/paper"
	"github.com/tillwright/tillwright/printer/port"
	"github.com/tillwright/tillwright/printer/spool"
)

// printers are those of the shop, each with a spool of its own: one that is out of paper
// holds up nothing but its own papers.
type printers struct {
	spools []*spool.Spool
	papers papers // of those made of code
}

// printerLink is what the screens call a printer.
func printerLink(p *printerConfig) string {
	if p.route.Printer == "" {
		return "printer"
	}
	return "printer " + p.route.Printer
}

// wakePrinters says that a queue is longer.
func (t *till) wakePrinters() {
	for _, s := range t.printers.spools {
		s.Wake()
	}
}

func (t *till) buildPrinters() {
	if p := t.c.printer; p != nil {
		m := t.addPrinter(p, spool.Options{Receipts: receipts{t.desk}, Logo: p.logo, DrawerOpen: p.drawer, Drawer: t.drawer.told})
		t.paper = m
		if p.drawer != "" {
			t.actors.add("drawer", t.watchDrawer, nil)
		}
	}
	for _, p := range t.c.seconds {
		t.addPrinter(p, spool.Options{Tickets: tickets{t.desk}, Quiet: p.quiet})
	}
	if len(t.printers.papers.list) > 1 {
		t.printers.papers.changed = make(chan struct{})
		t.actors.add("papers", t.printers.papers.Run, nil)
	}
}

// addPrinter adds a printer and its spool. It returns the machine of one made of code.
func (t *till) addPrinter(p *printerConfig, o spool.Options) (machine *paper.Printer) {
	o.Dial = func(ctx context.Context) (io.ReadWriteCloser, error) { return port.Open(ctx, p.connect) }
	if p.connect == paperPrinter {
		machine = p.model.Machine()
		t.printers.papers.list = append(t.printers.papers.list, machine)
		o.Dial = func(context.Context) (io.ReadWriteCloser, error) { return machine, nil }
	}
	o.Name, o.Queue, o.Encoder, o.Columns = printerLink(p), t.desk.Queue(p.route.Printer), p.model, p.model.Columns
	o.Shop, o.Link, o.Log = t.c.shop, t.desk.SetLink, t.log
	o.Now = func() time.Time { at, _ := t.judge.Now(); return at }
	s := spool.New(o)
	t.printers.spools = append(t.printers.spools, s)
	t.actors.add(o.Name, s.Run, nil)
	return machine
}

// paperPicture is what /paper shows; nil without a printer made of code.
func (t *till) paperPicture() web.Picture {
	switch p := &t.printers.papers; len(p.list) {
	case 0:
		return nil
	case 1:
		return p.list[0]
	default:
		return p
	}
}

// receipts gives the spool what it prints.
type receipts struct{ desk *desk.Desk }

// Receipt makes the receipt of a job.
func (r receipts) Receipt(j pos.PrintJob) (pos.Receipt, error) { return r.desk.JobReceipt(j) }

// tickets gives a second printer's spool what it prints.
type tickets struct{ desk *desk.Desk }

// Ticket makes the ticket of a job.
func (t tickets) Ticket(j pos.PrintJob) (pos.Ticket, error) { return t.desk.JobTicket(j) }

// papers are several printers made of code, seen side by side in one picture.
type papers struct {
	list []*paper.Printer

	mu      sync.Mutex
	changed chan struct{}
}

// Run tells of every change of any of them until ctx ends, and returns nil.
func (p *papers) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, m := range p.list {
		wg.Go(func() {
			for ctx.Err() == nil {
				next := m.Changed()
				p.tell() // of what changed before next was taken
				select {
				case <-next:
				case <-ctx.Done():
				}
			}
		})
	}
	wg.Wait()
	return nil
}

func (p *papers) tell() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.changed)
	p.changed = make(chan struct{})
}

// Changed returns a channel that is closed when there is a newer picture.
func (p *papers) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

// deskColour is what lies beside and above papers: the page's own colour (paper.css), so that
// each paper ends where it ends. deskAt is its place in the palette, among the greys of
// which papers are made; the darkest but black is not missed.
var (
	deskColour = color.RGBA{0x6f, 0x6a, 0x60, 0xff}
	palette    = func() color.Palette {
		p := make(color.Palette, 256)
		for i := range p {
			p[i] = color.Gray{Y: uint8(i)}
		}
		p[deskAt] = deskColour
		return p
	}()
)

const (
	deskAt   = 1
	gapWidth = 16 // pixels between two papers
)

// PNG returns the papers side by side, their ends at the foot as they came out, and a
// version that rises with every change of any. One that has printed nothing is left out,
// unless none has: then there is one blank paper, as of a single printer.
func (p *papers) PNG() ([]byte, uint64) {
	var all []*image.Gray
	var version uint64
	size := image.Pt(-gapWidth, 0)
	blank, _ := p.list[0].Look()
	for _, m := range p.list {
		img, v := m.Look()
		if version += v; unprinted(img) {
			continue
		}
		all = append(all, img)
		size = image.Pt(size.X+gapWidth+img.Rect.Dx(), max(size.Y, img.Rect.Dy()))
	}
	if len(all) == 0 {
		all, size = []*image.Gray{blank}, blank.Rect.Size()
	}
	out := image.NewPaletted(image.Rectangle{Max: size}, palette)
	for i := range out.Pix {
		out.Pix[i] = deskAt
	}
	x := 0
	for _, img := range all {
		lay(out, img, image.Pt(x, size.Y-img.Rect.Dy()))
		x += gapWidth + img.Rect.Dx()
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, out); err != nil {
		panic("papers: " + err.Error()) // a picture in memory into memory
	}
	return b.Bytes(), version
}

// lay puts a paper on the desk with its corner at p.
func lay(out *image.Paletted, img *image.Gray, p image.Point) {
	for y := range img.Rect.Dy() {
		row := out.Pix[out.PixOffset(p.X, p.Y+y):][:img.Rect.Dx()]
		for i, v := range img.Pix[y*img.Stride:][:len(row)] {
			if v == deskAt {
				v = 0
			}
			row[i] = v
		}
	}
}

// unprinted reports paper with nothing on it.
func unprinted(img *image.Gray) bool {
	return !slices.ContainsFunc(img.Pix, func(v uint8) bool { return v != 0xff })
}

const (
	// drawerOpenFor is how long a drawer may stand open while nothing is sold.
	drawerOpenFor = time.Minute
	// drawerEvery is how often that is looked at.
	drawerEvery = 5 * time.Second
)

// drawerWatch knows since when the drawer is open and nothing is sold.
type drawerWatch struct {
	mu    sync.Mutex
	open  bool
	since time.Time
}

// told notes what the printer's sensor says.
func (w *drawerWatch) told(open bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open, w.since = open, time.Now()
}

// forgotten reports that the drawer stands open and should not. A sale under way begins
// its time anew.
func (w *drawerWatch) forgotten(selling bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if selling {
		w.since = time.Now()
	}
	return w.open && time.Since(w.since) >= drawerOpenFor
}

// watchDrawer keeps the drawer's word on the screens until ctx ends.
func (t *till) watchDrawer(ctx context.Context) error {
	tick := time.NewTicker(drawerEvery)
	defer tick.Stop()
	var last pos.Link
	for {
		l := pos.Link{Name: "drawer", State: "online"}
		if s := t.desk.View().Counter.Current; t.drawer.forgotten(s != nil && len(s.Lines) > 0) {
			l.State, l.Detail = "open", pos.Word(t.c.shop.Language, "drawer_open")
		}
		if l != last {
			last = l
			t.desk.SetLink(l)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
