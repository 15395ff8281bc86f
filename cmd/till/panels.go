package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"strings"
	"sync"

	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2creg"
	"periph.io/x/conn/v3/spi"
	"periph.io/x/conn/v3/spi/spireg"
	_ "periph.io/x/host/v3/gpioioctl" // the kernel's own interfaces serve every board, in 400 KB less than the boards' own
	_ "periph.io/x/host/v3/sysfs"

	"github.com/tillwright/tillwright/display"
	"github.com/tillwright/tillwright/display/epaper"
	"github.com/tillwright/tillwright/display/fb"
	"github.com/tillwright/tillwright/display/mipi"
	"github.com/tillwright/tillwright/display/oled"
	"github.com/tillwright/tillwright/display/pole"
	"github.com/tillwright/tillwright/firmware/input"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer/port"
)

// browserSize is the picture at /display, and what a framebuffer is taken for until
// it is open.
var browserSize = image.Pt(800, 480)

// board is what panels hang on.
type board struct {
	spi   func(name string) (spi.PortCloser, error)
	i2c   func(name string) (i2c.BusCloser, error)
	line  func(name string) (gpio.PinIO, error)
	frame func(device, console string, degrees int) (display.Panel, error)
	port  func(connect string) (io.WriteCloser, error)

	events input.System // nil: this computer's keypads and scanners
}

// thisBoard is the computer that the till runs on. Its buses are looked for once,
// by the first panel that needs one.
func thisBoard() board {
	look := sync.OnceValue(func() error {
		_, err := driverreg.Init() // what it could not load is missed where it is needed
		return err
	})
	return board{
		spi: func(name string) (spi.PortCloser, error) {
			if err := look(); err != nil {
				return nil, err
			}
			p, err := spireg.Open(name)
			if err == nil {
				return p, nil
			}
			return nil, pos.Say("open display", pos.Unavailable, err, "display_bus", "name", name, "how", "dtparam=spi=on", "group", "spi")
		},
		i2c: func(name string) (i2c.BusCloser, error) {
			if err := look(); err != nil {
				return nil, err
			}
			b, err := i2creg.Open(name)
			if err == nil {
				return b, nil
			}
			return nil, pos.Say("open display", pos.Unavailable, err, "display_bus", "name", name, "how", "dtparam=i2c_arm=on", "group", "i2c")
		},
		line: func(name string) (gpio.PinIO, error) {
			if err := look(); err != nil {
				return nil, err
			}
			p := gpioreg.ByName(name)
			if p == nil {
				return nil, pos.Say("open display", pos.Unavailable, nil, "display_line", "name", name)
			}
			return p, nil
		},
		frame: func(device, console string, degrees int) (display.Panel, error) {
			d, err := fb.OpenTurned(device, console, degrees)
			if err != nil {
				return nil, err // and no panel, rather than one that is nil
			}
			return d, nil
		},
		port: func(connect string) (io.WriteCloser, error) {
			w, err := port.Open(context.Background(), oneWay(connect)) // bounds its own time
			if err != nil {
				return nil, pos.Say("open display", pos.Unavailable, err, "display_missing", "name", connect)
			}
			return w, nil
		},
	}
}

// oneWay is a pole's serial line: without a word about flow it has no wire back.
func oneWay(connect string) string {
	if !strings.HasPrefix(connect, "serial:") || strings.Contains(connect, "flow=") {
		return connect
	}
	if strings.Contains(connect, "?") {
		return connect + "&flow=none"
	}
	return connect + "?flow=none"
}

// open opens a panel of any kind but a pole. Nothing is sent to it before it is drawn
// on. shut gives its bus back once it is halted.
func (b board) open(p panelConfig) (panel display.Panel, shut func() error, err error) {
	switch {
	case p.driver == driverFrame:
		panel, err = b.frame(p.device, p.console, p.rotation)
		return panel, func() error { return nil }, err
	case strings.HasPrefix(p.bus, "I2C"):
		bus, err := b.i2c(p.bus)
		if err != nil {
			return nil, nil, err
		}
		d, err := oled.NewI2C(bus, oled.Opts{Height: p.height, Rotation: p.rotation, Addr: p.address})
		if err != nil {
			return nil, nil, errors.Join(err, bus.Close())
		}
		return d, bus.Close, nil
	}
	bus, err := b.spi(p.bus)
	if err != nil {
		return nil, nil, err
	}
	if panel, err = b.onSPI(p, bus); err != nil {
		return nil, nil, errors.Join(err, bus.Close())
	}
	return panel, bus.Close, nil
}

func (b board) onSPI(p panelConfig, bus spi.Port) (display.Panel, error) {
	var failed error
	out := func(key string) gpio.PinOut {
		if l := b.wire(p, key, &failed); l != nil {
			return l
		}
		return nil // no wire, rather than one that is nil
	}
	dc, reset, light, power := out("dc"), out("reset"), out("backlight"), out("power")
	busy := b.wire(p, "busy", &failed)
	if failed != nil {
		return nil, failed
	}
	switch p.driver {
	case driverTFT:
		return mipi.New(bus, dc, mipi.Opts{
			Model: p.model, Rotation: p.rotation, Speed: p.speed, Reset: reset, Backlight: light,
			NoCS: p.noCS, Negative: p.negative, SwapRed: p.swapRed,
		})
	case driverSheet:
		return epaper.New(bus, epaper.Lines{DC: dc, Reset: reset, Busy: busy, Power: power},
			epaper.Opts{Model: p.model, Rotation: p.rotation, Speed: p.speed, FullOnly: p.fullOnly})
	case driverOLED:
		return oled.NewSPI(bus, dc, oled.Opts{Height: p.height, Rotation: p.rotation})
	}
	panic("till: no driver for " + p.driver)
}

// wire returns the line that a key names; nil when the panel has none. The first
// failure stays in failed.
func (b board) wire(p panelConfig, key string, failed *error) gpio.PinIO {
	name := p.lines[key]
	if name == "" || *failed != nil {
		return nil
	}
	l, err := b.line(name)
	*failed = err
	return l
}

// pole makes a display of text; its port is opened by the first letter.
func (b board) pole(p panelConfig) (*pole.Dev, error) {
	return pole.New(func() (io.WriteCloser, error) { return b.port(p.port) }, pole.Opts{Dialect: p.dialect, CodePage: p.codePage})
}

// latePanel is a panel that need not be there yet: every Draw without one looks
// for it again, and the Display says how often that is. It is used by one goroutine
// at a time.
type latePanel struct {
	open  func() (display.Panel, func() error, error)
	glass display.Glass // what it is, or is taken for
	tried bool
	dev   display.Panel // nil: not open
	shut  func() error
}

// late returns a panel of b that is not open yet.
func (b board) late(p panelConfig) (*latePanel, error) {
	g, err := glassOf(p)
	if err != nil {
		return nil, err
	}
	return &latePanel{open: func() (display.Panel, func() error, error) { return b.open(p) }, glass: g}, nil
}

// find opens the panel unless it is open.
func (l *latePanel) find() error {
	if l.dev != nil {
		return nil
	}
	var err error
	if l.dev, l.shut, err = l.open(); err != nil {
		l.dev = nil
		return err
	}
	l.glass = display.GlassOf(l.dev)
	return nil
}

// Bounds returns the panel's pixels, or what they are taken for until it is there.
// The first call looks for it, so that a panel that is there begins with its own
// picture; the Display catches a driver that panics.
func (l *latePanel) Bounds() image.Rectangle {
	if !l.tried {
		l.tried = true
		_ = l.find() // Draw tries again and says what is wrong
	}
	if l.dev != nil {
		return l.dev.Bounds()
	}
	return image.Rectangle{Max: l.glass.Size}
}

// Draw draws, on a panel that has to be found first if need be. One that is another
// than it was taken for gets no picture that was made for another glass.
func (l *latePanel) Draw(r image.Rectangle, src image.Image, sp image.Point) error {
	taken := l.glass
	if err := l.find(); err != nil {
		return err
	}
	if l.glass != taken {
		return pos.Say("draw", pos.Unavailable, nil, "display_moment")
	}
	err := l.dev.Draw(r, src, sp)
	if err != nil {
		l.glass = display.GlassOf(l.dev)
	}
	return err
}

// Caution returns what may spoil the panel's picture.
func (l *latePanel) Caution() error {
	if c, ok := l.dev.(interface{ Caution() error }); ok {
		return c.Caution()
	}
	return nil
}

// Halt makes the panel dark and gives it and its bus back.
func (l *latePanel) Halt() error {
	if l.dev == nil {
		return nil
	}
	err := errors.Join(l.dev.Halt(), l.shut())
	l.dev = nil
	return err
}

// Mono, Still, Round and Dark are those of the panel; see display.GlassOf.
func (l *latePanel) Mono() bool { return l.glass.Mono }

// Still is like Mono.
func (l *latePanel) Still() bool { return l.glass.Still }

// Round is like Mono.
func (l *latePanel) Round() bool { return l.glass.Round }

// Dark is like Mono.
func (l *latePanel) Dark() bool { return l.glass.Dark }

// buildDisplay makes the panels. A till without one of them still sells: the reason
// is logged and stands on the screens, the panel is looked for again and again, and
// the browser shows the same picture.
func (t *till) buildDisplay() error {
	if t.board.frame == nil {
		t.board = thisBoard()
	}
	o := display.Options{Size: browserSize, Language: t.c.shop.Language, Log: t.log, Link: t.desk.SetLink}
	for _, p := range t.c.display.panels {
		o.Shows = append(o.Shows, p.shows)
		if p.driver == driverPole {
			d, err := t.board.pole(p)
			if err != nil {
				return err
			}
			o.Texts = append(o.Texts, d)
			continue
		}
		l, err := t.board.late(p)
		if err != nil {
			return err
		}
		o.Panels = append(o.Panels, l)
	}
	t.display = display.New(o)
	t.actors.add("display", func(ctx context.Context) error {
		t.addFonts()
		return t.display.Run(ctx)
	}, nil)
	return nil
}

// panelName is what package display calls the panels.
func panelName(i int) string {
	if i == 0 {
		return "display"
	}
	return fmt.Sprintf("display %d", i+1)
}

// addFonts gives the display its further fonts. One that it does not take is letters
// less, not a till that does not sell.
func (t *till) addFonts() {
	for _, f := range t.c.display.fonts {
		if err := display.AddFont(f); err != nil {
			t.log.Warn("font not used", "file", f.Name(), "err", err)
		}
	}
}
