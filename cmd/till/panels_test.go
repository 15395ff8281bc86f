package main

import (
	"errors"
	"image"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/spi"

	"github.com/tillwright/tillwright/display"
	"github.com/tillwright/tillwright/display/displaytest"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

// tableBoard is a board with a round TFT, an e-paper, an OLED and a pole, made of
// code, wired as devices says.
func tableBoard() (board, *displaytest.Board, *displaytest.Board, *displaytest.SSD1306, *displaytest.Pole) {
	tft := &displaytest.Board{Chip: displaytest.NewDCS("GC9A01", displaytest.Glass{Size: image.Pt(240, 240), BGR: true, Negative: true}), MaxTx: 4096}
	sheet := &displaytest.Board{Chip: displaytest.NewSSD16xx("SSD1683", 400, 300), MaxTx: 4096}
	chip := displaytest.NewSSD1306(64)
	pole := &displaytest.Pole{Dialect: "escpos"}
	buses := map[string]spi.PortCloser{"SPI0.0": tft.Port(), "SPI0.1": sheet.Port()}
	lines := map[string]gpio.PinIO{"GPIO25": tft.DC(), "GPIO18": tft.Backlight(), "GPIO5": sheet.DC(), "GPIO17": sheet.Reset(), "GPIO24": sheet.Busy()}
	return board{
		spi:  func(name string) (spi.PortCloser, error) { return buses[name], nil },
		i2c:  func(string) (i2c.BusCloser, error) { return closing{&displaytest.I2C{Chip: chip, Addr: 0x3C}}, nil },
		line: func(name string) (gpio.PinIO, error) { return lines[name], nil },
		port: func(string) (io.WriteCloser, error) { return pole, nil },
		frame: func(string, string, int) (display.Panel, error) {
			return nil, pos.E("open display", pos.Unavailable, "there is no display")
		},
	}, tft, sheet, chip, pole
}

type closing struct{ i2c.Bus }

func (closing) Close() error { return nil }

// TestPanelOfEachKind opens every configured panel on chips made of code, and draws.
// Goal: each line of the configuration arrives at the wire that it names.
func TestPanelOfEachKind(t *testing.T) {
	c, err := loadConfig(writeDevices(t))
	if err != nil {
		t.Fatal(err)
	}
	b, tft, sheet, chip, glow := tableBoard()
	for i, p := range c.display.panels[1:4] {
		l, err := b.late(p)
		if err != nil {
			t.Fatal(err)
		}
		taken, size := l.glass, l.Bounds()
		if err := l.Draw(size, image.NewUniform(color.White), image.Point{}); err != nil {
			t.Errorf("panel %d: %v", i+2, err)
		}
		if l.dev == nil || taken != display.GlassOf(l.dev) || taken != display.GlassOf(l) {
			t.Errorf("panel %d was taken for %+v and is %+v", i+2, taken, display.GlassOf(l))
		}
		if p.driver == driverTFT && !tft.Lit() {
			t.Error("the light is not on")
		}
	}
	d, err := b.pole(c.display.panels[4])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.WriteString("12.00 €"); err != nil {
		t.Error(err)
	}
	for _, faults := range [][]error{tft.Faults(), sheet.Faults(), chip.Faults(), glow.Faults()} {
		for _, err := range faults {
			t.Error(err)
		}
	}
}

var errSpoilt = errors.New("text over the picture")

// spoilt is a panel with a caution.
type spoilt struct{ display.Panel }

func (spoilt) Caution() error { return errSpoilt }

// TestPanelComesLater plugs a display in while the till runs, in another size than
// it was taken for.
func TestPanelComesLater(t *testing.T) {
	b, _, _, _, _ := tableBoard()
	l, err := b.late(panelConfig{driver: driverFrame, device: "/dev/fb0"})
	if err != nil {
		t.Fatal(err)
	}
	draw := func() error { return l.Draw(l.Bounds(), image.White, image.Point{}) }
	if err := draw(); err == nil || message(err) != "there is no display" || l.Bounds().Size() != browserSize {
		t.Errorf("got %v, %v", err, l.Bounds())
	}
	if err := l.Halt(); err != nil {
		t.Error(err)
	}
	small := blank{320, 240}
	l.open = func() (display.Panel, func() error, error) { return small, func() error { return nil }, nil }
	if err := draw(); err == nil {
		t.Error("a picture of 800 × 480 was drawn on 320 × 240")
	}
	if err := draw(); err != nil || l.Bounds().Size() != image.Pt(320, 240) {
		t.Errorf("got %v, %v", err, l.Bounds())
	}
	if err := l.Caution(); err != nil {
		t.Errorf("caution: %v", err)
	}
	l.dev = spoilt{small}
	if err := l.Caution(); err != errSpoilt {
		t.Errorf("caution: %v, want the panel's", err)
	}
	if err := errors.Join(l.Halt(), l.Halt()); err != nil || l.dev != nil {
		t.Errorf("halted: %v", err)
	}
}

// TestPanelThereAtOnce: one that is there at the start begins with its own picture,
// whatever its size, and a command at the board opens none.
func TestPanelThereAtOnce(t *testing.T) {
	b, _, _, _, _ := tableBoard()
	opened := 0
	b.frame = func(string, string, int) (display.Panel, error) { opened++; return blank{320, 240}, nil }
	l, err := b.late(panelConfig{driver: driverFrame, device: "/dev/fb0"})
	if err != nil || opened != 0 {
		t.Fatalf("%v, %d opened", err, opened)
	}
	if g := display.GlassOf(l); g.Size != image.Pt(320, 240) || opened != 1 {
		t.Errorf("it is %+v, %d opened", g, opened)
	}
	if err := l.Draw(l.Bounds(), image.White, image.Point{}); err != nil {
		t.Error(err)
	}
}

// TestPanelGivesBack: a panel that cannot be opened gives back the bus that it has
// opened, or the tries of a day would use up all files.
func TestPanelGivesBack(t *testing.T) {
	c, err := loadConfig(writeDevices(t))
	if err != nil {
		t.Fatal(err)
	}
	b, _, _, _, _ := tableBoard()
	open := 0
	b.spi = func(string) (spi.PortCloser, error) { open++; return counted{loose{}, &open}, nil }
	b.line = func(name string) (gpio.PinIO, error) {
		return nil, pos.E("open display", pos.Unavailable, "no line %s", name)
	}
	for _, p := range c.display.panels[1:3] {
		if _, _, err := b.open(p); err == nil || open != 0 || !strings.HasPrefix(message(err), "no line GPIO") {
			t.Errorf("%s: %v, %d open", p.describe(), err, open)
		}
	}
}

type counted struct {
	loose
	open *int
}

func (c counted) Close() error { *c.open--; return nil }

// TestPanelPoleOneWay: a pole without a wire back would never be sent anything.
func TestPanelPoleOneWay(t *testing.T) {
	for in, want := range map[string]string{
		"serial:///dev/ttyS0":              "serial:///dev/ttyS0?flow=none",
		"serial:///dev/ttyS0?baud=9600":    "serial:///dev/ttyS0?baud=9600&flow=none",
		"serial:///dev/ttyS0?flow=xonxoff": "serial:///dev/ttyS0?flow=xonxoff",
		"/dev/ttyACM0":                     "/dev/ttyACM0",
	} {
		if got := oneWay(in); got != want {
			t.Errorf("%s became %s", in, got)
		}
	}
}

// TestPanelMissing runs a till none of whose panels is there. Goal: it sells, and
// the screens say what is wrong with each of them.
func TestPanelMissing(t *testing.T) {
	dir, node := t.TempDir(), lndtest.New(t, lndtest.Options{TCP: true})
	file := writeShop(t, dir, node.Connection())
	panels := `[display]
framebuffer = "` + filepath.Join(dir, "fb9") + `"
[[display.panel]]
driver = "mipi"
model = "ili9341"
bus = "SPI99.0"
dc = "GPIO25"
[[display.panel]]
driver = "oled"
bus = "I2C99"
[[display.panel]]
driver = "pole"
port = "` + filepath.Join(dir, "tty9") + `"
`
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, panels...), 0o600); err != nil {
		t.Fatal(err)
	}
	_, c, _ := runShop(t, file)
	c.found()
	for i, want := range []string{"there is no display at ", "there is no bus SPI99.0", "there is no bus I2C99", "does not answer"} {
		c.wait(panelName(i)+" to be missed", func(v pos.View) bool {
			for _, l := range v.Counter.Links {
				if l.Name == panelName(i) && l.State == "offline" && strings.Contains(l.Detail, want) {
					return true
				}
			}
			return false
		})
	}
	cash := c.ring("ESP")
	c.do("POST", "/v1/sales/"+string(cash)+"/payments", object{"tender": "cash", "given": money(500)}, nil)
	c.phase(pos.PhaseChange)
}

// TestDoctorPanels tries panels that are not there: each has its line and a remedy.
func TestDoctorPanels(t *testing.T) {
	c, err := loadConfig(writeDevices(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.display.panels {
		c.display.panels[i].device, c.display.panels[i].port = "/dev/none", "/dev/none"
		if p := &c.display.panels[i]; p.bus != "" {
			p.bus = strings.NewReplacer("SPI0", "SPI99", "I2C1", "I2C99").Replace(p.bus)
		}
	}
	list := tryPanels(t.Context(), c)
	if len(list) != 5 {
		t.Fatalf("got %+v", list)
	}
	for i, f := range list {
		if f.good || f.remedy == "" || f.what != panelName(i) {
			t.Errorf("got %+v", f)
		}
	}
	there, err := loadConfig(writeDevices(t))
	if err != nil {
		t.Fatal(err)
	}
	b, _, _, _, _ := tableBoard()
	for i, want := range []string{"240 × 240, shows payment codes", "400 × 300, shows payment codes", "128 × 64, tells amounts and states", "tells amounts and states; it never answers, so look at it"} {
		if f := tryPanel(b, there.display.panels[i+1]); !f.good || !strings.HasSuffix(f.detail, want) {
			t.Errorf("got %+v, want %s", f, want)
		}
	}
}
