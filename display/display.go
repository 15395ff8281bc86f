// Package display draws the customer's picture of a pos.View and keeps panels and
// browsers showing the newest one.
//
// Promise. Publish never blocks, and whoever shows pictures shows the newest: a
// slow panel skips what it missed, there is no queue. A panel that fails is tried
// again with growing pauses and disturbs no other. An amount is never cut short,
// and text never leaves its place. A code stands in whole pixels, pure black on
// pure white with its quiet zone, or not at all; it goes when its time is up, and
// when Run ends the panels go dark: no panel is left asking for money by a till
// that does not listen. The countdown follows the monotonic clock: setting the
// wall clock moves it by nothing.
//
// Limits. Left-to-right text in Latin, Greek and Cyrillic, and with AddFont in
// scripts that are set letter by letter; what the fonts lack is a box. A till that dies without Run returning leaves its last picture on
// the glass.
package display

import (
	"context"
	"image"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"sync"
	"time"

	textdisplay "periph.io/x/conn/v3/display"

	"github.com/tillwright/tillwright/pos"
)

// Panel is a surface that shows pictures; periph's display.Drawer fits it. A
// Display calls a Panel from one goroutine at a time.
type Panel interface {
	// Bounds returns the panel's pixels. Min need not be 0,0. They may change with a
	// Draw that failed, and with no other.
	Bounds() image.Rectangle

	// Draw copies src, from sp on, into r, which lies within Bounds. It may block
	// for as long as the bus takes, and must not keep or change src.
	Draw(r image.Rectangle, src image.Image, sp image.Point) error

	// Halt gives the device back. A later Draw may start it again.
	Halt() error
}

// Options say what a Display draws on.
type Options struct {
	Size   image.Point // of the picture that PNG returns; zero is 800×480
	Panels []Panel     // each gets the picture in its own size, made for its own glass

	// Texts are displays of lines of text: they get amounts and states. Their methods
	// are called from one goroutine at a time. One with a method Halt is halted.
	Texts []textdisplay.TextDisplay

	Shows []Shows // for whom each of Panels is, then each of Texts; those beyond its end are for the customer

	Language string // of what Link is told; empty is English

	Log  *slog.Logger   // nil: none
	Link func(pos.Link) // told when a panel fails and when it is back; must not block; nil: nobody
}

// defaultSize is a 7" panel, the size the layout was made on.
var defaultSize = image.Pt(800, 480)

// Display keeps the newest View and draws it for whoever asks. Make one with New;
// all methods are safe for concurrent use.
type Display struct {
	size   image.Point
	panels []Panel
	texts  []textdisplay.TextDisplay
	shows  []Shows
	lang   string
	log    *slog.Logger
	link   func(pos.Link)

	mu      sync.Mutex
	version uint64        // of the newest View
	scene   scene         // left is unset: it is read off until when drawn
	until   time.Time     // when the countdown ends, on the monotonic clock; zero without one
	number  uint64        // of the picture; rises with every change
	scenes  uint64        // of the scene; rises with every change but a tick
	changed chan struct{} // closed with the next change
	frames  map[framed]*drawing
	counter counter // what the cashier is asked
	running bool
	ticking chan struct{} // wakes Run when a countdown begins or ends
}

// framed is a picture's glass, and whom it is for.
type framed struct {
	glass Glass
	shows Shows
}

// drawing is the newest picture in one size, drawn by the first who needs it.
type drawing struct {
	number uint64
	once   sync.Once
	frame  frame

	onceP sync.Once
	png   []byte
}

// New makes a Display that shows an idle counter until the first Publish.
func New(o Options) *Display {
	d := &Display{
		size: o.Size, panels: o.Panels, texts: o.Texts, shows: o.Shows, lang: o.Language, log: o.Log, link: o.Link,
		// A browser may hold a picture of the till's last life: no number of
		// this life must equal one of that.
		number:  uint64(rand.Uint32()) << 20,
		scene:   scene{customer: pos.Customer{Phase: pos.PhaseIdle}},
		changed: make(chan struct{}),
		frames:  map[framed]*drawing{},
		counter: counter{changed: make(chan struct{})},
		ticking: make(chan struct{}, 1),
	}
	if d.size == (image.Point{}) {
		d.size = defaultSize
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.link == nil {
		d.link = func(pos.Link) {}
	}
	return d
}

// Publish makes v the View to show. It never blocks and draws nothing itself. A
// View older than the newest is ignored, and one that looks the same to the
// customer makes no new picture. The caller must not change what v refers to.
func (d *Display) Publish(v pos.View) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if v.Version < d.version {
		return
	}
	d.version = v.Version
	next := seen(v)
	next.whole = d.scene.whole
	same := next.runs() && d.scene.runs() && next.customer.QR == d.scene.customer.QR && next.customer.Expires.Equal(d.scene.customer.Expires)
	if !same {
		d.until, next.whole = countdown(next, time.Now())
	}
	if reflect.DeepEqual(next, d.scene) {
		return
	}
	d.scene = next
	d.scenes++
	d.change()
	select {
	case d.ticking <- struct{}{}:
	default:
	}
}

// countdown returns when a scene's time ends, and how long the whole of it is.
// The end is counted from now and so keeps now's monotonic reading: a wall clock
// that is set meanwhile does not move it.
func countdown(s scene, now time.Time) (until time.Time, whole time.Duration) {
	if !s.runs() {
		return time.Time{}, 0
	}
	left := s.customer.Expires.Sub(now)
	return now.Add(left), roundUp(left)
}

// change marks every picture as old. The caller holds d.mu.
func (d *Display) change() {
	d.number++
	clear(d.frames)
	close(d.changed)
	d.changed = make(chan struct{})
}

// Changed returns a channel that is closed when there is a newer picture than the
// newest at the time of the call. To miss none, call it before PNG.
func (d *Display) Changed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changed
}

// PNG returns the newest picture and its number, which rises with every change, a
// tick of the countdown too, and never repeats one of an earlier Display. The
// picture is encoded by the first who asks, in some milliseconds. The caller must
// not change it.
func (d *Display) PNG() (png []byte, version uint64) {
	p := d.draw(Glass{Size: d.size})
	p.onceP.Do(func() { p.png = encode(p.frame.img) })
	return p.png, p.number
}

// draw returns the newest picture for a customer's glass.
func (d *Display) draw(g Glass) *drawing { return d.drawFor(framed{g, ShowsCustomer}) }

// drawFor returns the newest picture for a glass.
func (d *Display) drawFor(f framed) *drawing {
	d.mu.Lock()
	p := d.frames[f]
	if p == nil {
		p = &drawing{number: d.number}
		d.frames[f] = p
	}
	s := stage{d.present(), d.counter.prompt, f.shows}
	d.mu.Unlock()
	p.once.Do(func() { p.frame = s.draw(f.glass, nil) })
	return p
}

// now returns the newest scene and prompt, and what is left of the scene's time.
func (d *Display) now(shows Shows) stage {
	d.mu.Lock()
	defer d.mu.Unlock()
	return stage{d.present(), d.counter.prompt, shows}
}

// present is now for a caller that holds d.mu.
func (d *Display) present() scene {
	s := d.scene
	if !d.until.IsZero() {
		s.left = time.Until(d.until)
	}
	return s
}

// Run shows the newest picture on every panel until ctx ends, and moves the
// countdown, also for PNG, once a second while there is one. Then it makes the
// panels dark and halts them. It returns nil, or an error when a panel would not
// let go within stopWithin, or stillWithin if it is Still. A Display runs once at a
// time.
func (d *Display) Run(ctx context.Context) error {
	if err := d.begin(); err != nil {
		return err
	}
	defer d.end()
	var screens []*screen
	for i, p := range d.panels {
		screens = append(screens, newScreen(p, linkName(i)))
	}
	for _, t := range d.texts {
		screens = append(screens, &screen{text: t, name: linkName(len(screens))})
	}
	for i, s := range screens {
		s.shows, s.done = d.showsOf(i), make(chan struct{})
		go func() { defer close(s.done); d.show(ctx, s) }()
	}
	d.tick(ctx)
	return stopped(screens)
}

// stopped waits until the screens are dark, for each no longer than its kind may take.
func stopped(screens []*screen) error {
	began := time.Now()
	for _, s := range screens {
		within := stopWithin
		if s.still.Load() {
			within = stillWithin
		}
		select {
		case <-s.done: // long ago, maybe: its time may have ended while another had more
			continue
		default:
		}
		select {
		case <-s.done:
		case <-time.After(within - time.Since(began)):
			return pos.E("stop display", pos.Unavailable, "a display does not answer")
		}
	}
	return nil
}

func (d *Display) begin() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running {
		return pos.E("start display", pos.Conflict, "the display is running already")
	}
	d.running = true
	return nil
}

func (d *Display) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running = false
}

// tick makes a new picture at each full second of a countdown, and sleeps while
// there is none.
func (d *Display) tick(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Stop()
		if wait, ok := d.untilTick(); ok {
			timer.Reset(wait)
		}
		select {
		case <-ctx.Done():
			return
		case <-d.ticking:
		case <-timer.C:
			d.mu.Lock()
			d.change()
			d.mu.Unlock()
		}
	}
}

// untilTick returns how long the shown m:ss stays right. ok is false without a
// countdown, or when it is over.
func (d *Display) untilTick() (wait time.Duration, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.until.IsZero() {
		return 0, false
	}
	left := time.Until(d.until)
	if left <= 0 {
		return 0, false
	}
	if wait = left % time.Second; wait == 0 {
		wait = time.Second
	}
	return wait, true
}
