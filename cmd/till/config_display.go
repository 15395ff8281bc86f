package main

import (
	"fmt"
	"image"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"periph.io/x/conn/v3/physic"

	"github.com/tillwright/tillwright/display"
	"github.com/tillwright/tillwright/display/epaper"
	"github.com/tillwright/tillwright/display/mipi"
	"github.com/tillwright/tillwright/display/pole"
	"github.com/tillwright/tillwright/printer/port"
)

type displayConfig struct {
	fonts  []*os.File    // open: they are read letter by letter
	panels []panelConfig // in the order of their links' names: displays of text last
}

// panelConfig is a display that the customer looks at. Which fields count is the
// driver's business.
type panelConfig struct {
	driver   string // one of drivers
	device   string // framebuffer: "/dev/fb0"
	console  string // framebuffer: the terminal kept off it; "" leaves all alone
	model    string
	bus      string // "SPI0.0", "I2C1"
	port     string // pole: as of a printer
	dialect  string
	codePage string
	lines    map[string]string // "dc" is on "GPIO25"
	rotation int
	height   int
	address  uint16
	speed    physic.Frequency // 0: the model's
	negative bool
	swapRed  bool
	noCS     bool
	fullOnly bool
	shows    display.Shows // empty: the customer's picture
}

// The drivers of panels.
const (
	driverFrame = "framebuffer"
	driverTFT   = "mipi"
	driverSheet = "epaper"
	driverOLED  = "oled"
	driverPole  = "pole"
)

var drivers = []string{driverFrame, driverTFT, driverSheet, driverOLED, driverPole}

const (
	// maxPanels bounds the displays of one till: each costs a picture.
	maxPanels   = 8
	defaultFB   = "/dev/fb0"
	defaultTTY  = "/dev/tty1"
	leastSpeed  = 100 * physic.KiloHertz // below it a picture takes longer than a sale
	mostSpeed   = 125 * physic.MegaHertz
	oledAddress = 0x3C
)

// isSPI, isI2C and isLine are names as the board's drivers give them. The first
// number of a bus is the bus, the second its chip select.
var (
	isSPI  = regexp.MustCompile(`^SPI\d{1,3}\.\d{1,2}$`)
	isI2C  = regexp.MustCompile(`^I2C\d{1,3}$`)
	isLine = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,31}$`)
)

// inCapitals asks for a name as the board's drivers write it.
func inCapitals(form *regexp.Regexp, s string) string {
	if up := strings.ToUpper(s); form.MatchString(up) {
		return fmt.Sprintf("; did you mean %q?", up)
	}
	return ""
}

// asLine asks for a line by its number.
func asLine(s string) string {
	if _, err := strconv.ParseUint(s, 10, 8); err != nil {
		return ""
	}
	return fmt.Sprintf("; did you mean %q? Its number on the header is another", "GPIO"+s)
}

// describe is a panel in a few words: "mipi ili9341 on SPI0.0".
func (p panelConfig) describe() string {
	kind, where := p.driver, p.bus
	if p.model != "" {
		kind += " " + p.model
	}
	switch p.driver {
	case driverFrame:
		where = p.device
	case driverPole:
		where = p.port
	}
	switch p.shows {
	case display.ShowsCashier:
		where += ", for the cashier"
	case display.ShowsBoth:
		where += ", for both"
	}
	return kind + " on " + where
}

// tells says what a panel cannot show, as words to put behind describe; size is that of
// a framebuffer, which only the device knows.
func (p panelConfig) tells(size image.Point) string {
	if p.driver == driverPole {
		return "; it tells amounts and states, and is no place for a payment's code"
	}
	if g, err := glassSized(p, size); err == nil && !g.Carries() {
		return "; " + tooSmall
	}
	return ""
}

// text is 1 for a display of text, 0 for one of pictures.
func (p panelConfig) text() int {
	if p.driver == driverPole {
		return 1
	}
	return 0
}

// taken tells which key uses what of the board already: two panels on one wire
// would each show half of the other's picture.
type taken map[string]string

// claim notes that key of r uses what; a second time is a fault.
func (t taken) claim(r *reader, key, what string) {
	if first, ok := t[what]; ok {
		r.bad(key, "%s is used by %s already", what, first)
		return
	}
	t[what] = r.prefix + key
}

// readDisplay reads the panels. The keys framebuffer and console of [display], from
// when there was one panel, are the first.
func (c *config) readDisplay(r *reader) {
	d := r.table("display")
	c.display.fonts = d.fontFiles("fonts")
	used := taken{}
	if c.printer != nil {
		used[c.printer.connect] = "printer.connect"
	}
	for i, s := range c.seconds {
		used[s.connect] = fmt.Sprintf("printer.second.%d.connect", i)
	}
	device, console := d.text("framebuffer", ""), d.text("console", defaultTTY)
	if device != "" {
		used.claim(d, "framebuffer", device)
		c.display.panels = append(c.display.panels, panelConfig{driver: driverFrame, device: device, console: console})
	}
	for _, p := range d.tables("panel") {
		c.display.panels = append(c.display.panels, p.panel(used))
	}
	if len(c.display.panels) > maxPanels {
		d.bad("panel", "must be at most %d", maxPanels)
	}
	slices.SortStableFunc(c.display.panels, func(a, b panelConfig) int { return a.text() - b.text() })
}

// panel reads one [[display.panel]].
func (r *reader) panel(used taken) panelConfig {
	p := panelConfig{driver: r.text("driver", ""), shows: r.shows(), lines: map[string]string{}}
	switch p.driver {
	case driverFrame:
		p.device, p.console = r.text("device", defaultFB), r.text("console", defaultTTY)
		p.rotation = r.rotation(0, 90, 180, 270)
		used.claim(r, "device", p.device)
	case driverTFT:
		p.model = r.panelModel(mipi.Models())
		p.rotation = r.rotation(0, 90, 180, 270)
		r.spi(&p, used)
		r.wires(&p, used, "dc", "reset?", "backlight?")
		p.speed, p.noCS = r.speed(), r.yes("no_cs")
		p.negative, p.swapRed = r.yes("negative"), r.yes("swap_red")
	case driverSheet:
		p.model = r.panelModel(epaper.Models())
		p.rotation = r.rotation(0, 90, 180, 270)
		r.spi(&p, used)
		r.wires(&p, used, "dc", "reset", "busy", "power?")
		p.speed, p.fullOnly = r.speed(), r.yes("full_only")
	case driverOLED:
		r.oled(&p, used)
	case driverPole:
		r.pole(&p, used)
	default:
		r.bad("driver", "must be one of %s, not %q%s", strings.Join(drivers, ", "), p.driver, drivenBy(p.driver))
		r.closed[strings.TrimSuffix(r.prefix, ".")] = true // which of its keys count depends on the driver
	}
	return p
}

// soldAs are what shops call displays, and the drivers of those.
var soldAs = map[string]string{
	"hdmi": driverFrame, "dsi": driverFrame, "fb": driverFrame, "fb0": driverFrame, "dpi": driverFrame, "spi": driverTFT, "tft": driverTFT, "lcd": driverTFT,
	"eink": driverSheet, "e-ink": driverSheet, "epd": driverSheet, "ssd1306": driverOLED, "i2c": driverOLED, "vfd": driverPole, "serial": driverPole,
}

// drivenBy says which driver was meant: by what the display is, or by its model.
func drivenBy(s string) string {
	low := strings.ToLower(s)
	begins := func(name string) bool { return len(low) > 2 && strings.HasPrefix(name, low) }
	switch driver, known := soldAs[low]; {
	case known:
		return fmt.Sprintf("; for %s write driver = %q", s, driver)
	case slices.ContainsFunc(mipi.Models(), begins):
		return fmt.Sprintf("; %s is a model: write driver = %q and model = …", s, driverTFT)
	case slices.ContainsFunc(epaper.Models(), begins):
		return fmt.Sprintf("; %s is a model: write driver = %q and model = …", s, driverSheet)
	}
	return meant(s, drivers)
}

func (r *reader) panelModel(names []string) string {
	before := len(*r.faults)
	s := r.text("model", "")
	if !slices.Contains(names, s) && r.silent(before) {
		r.bad("model", "must be one of %s, not %q%s", strings.Join(names, ", "), s, meant(s, names))
	}
	return s
}

// rotation reads degrees clockwise.
func (r *reader) rotation(list ...int64) int {
	n := value(r, "rotation", int64(0), "a whole number")
	if !slices.Contains(list, n) {
		var texts []string
		for _, v := range list {
			texts = append(texts, strconv.FormatInt(v, 10))
		}
		r.bad("rotation", "must be one of %s, not %d", strings.Join(texts, ", "), n)
		return 0
	}
	return int(n)
}

func (r *reader) spi(p *panelConfig, used taken) {
	if p.bus = r.text("bus", "SPI0.0"); !isSPI.MatchString(p.bus) {
		r.bad("bus", "must be an SPI bus and its chip select such as \"SPI0.0\", not %q%s", p.bus, inCapitals(isSPI, p.bus))
		return
	}
	used.claim(r, "bus", p.bus)
}

// wires reads the lines beside the bus; a key that ends in "?" may be missing.
func (r *reader) wires(p *panelConfig, used taken, keys ...string) {
	for _, key := range keys {
		key, optional := strings.CutSuffix(key, "?")
		before := len(*r.faults)
		name := r.text(key, "")
		switch {
		case name == "" && (optional || !r.silent(before)):
			continue
		case name == "":
			r.bad(key, "is missing; write the line that it is wired to, for example %s = \"GPIO25\"", key)
			continue
		case !isLine.MatchString(name):
			r.bad(key, "must name a line such as \"GPIO25\", not %q%s", name, asLine(name))
			continue
		}
		p.lines[key] = name
		used.claim(r, key, name)
	}
}

func (r *reader) speed() physic.Frequency {
	s := r.text("speed", "")
	if s == "" {
		return 0
	}
	var f physic.Frequency
	if err := f.Set(s); err != nil || f < leastSpeed || f > mostSpeed {
		r.bad("speed", "must be from %s to %s such as \"20MHz\", not %q", leastSpeed, mostSpeed, s)
		return 0
	}
	return f
}

// oled reads a panel that hangs on I²C, or on SPI with a D/C line.
func (r *reader) oled(p *panelConfig, used taken) {
	p.rotation = r.rotation(0, 180)
	height := value(r, "height", int64(64), "a whole number")
	if height != 64 && height != 32 {
		r.bad("height", "must be 64 or 32, not %d", height)
	}
	p.height = int(height)
	p.bus = r.text("bus", "I2C1")
	if isSPI.MatchString(p.bus) {
		used.claim(r, "bus", p.bus)
		r.wires(p, used, "dc")
		return
	}
	n := value(r, "address", int64(oledAddress), "a whole number")
	if n != 0x3C && n != 0x3D {
		r.bad("address", "must be 0x3C or 0x3D, as the panel's solder bridge is set, not %#x", n)
		return
	}
	if p.address = uint16(n); !isI2C.MatchString(p.bus) {
		r.bad("bus", "must be an I²C bus such as \"I2C1\", or an SPI bus such as \"SPI0.1\", not %q%s%s", p.bus, inCapitals(isI2C, p.bus), inCapitals(isSPI, p.bus))
		return
	}
	used.claim(r, "bus", p.bus+" at 0x"+strconv.FormatInt(n, 16))
}

// pole reads a display of two lines of text.
func (r *reader) pole(p *panelConfig, used taken) {
	p.port = r.need("port", "serial:///dev/ttyUSB0?baud=9600")
	p.dialect = r.oneOf("dialect", "escpos", pole.Dialects()...)
	p.codePage = r.oneOf("code_page", "cp437", pole.CodePages()...)
	if p.port == "" {
		return
	}
	if err := port.Check(p.port); err != nil {
		r.bad("port", "%s", strings.Replace(message(err), "is no printer", "is no line", 1))
		return
	}
	used.claim(r, "port", p.port)
}
