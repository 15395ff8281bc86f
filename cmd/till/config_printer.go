package main

import (
	"errors"
	"fmt"
	"image"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/image/font/sfnt"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/shape"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/models"
	"github.com/tillwright/tillwright/printer/port"
	"github.com/tillwright/tillwright/printer/raster"
)

// printerConfig is a printer with everything that it prints with: a file that
// cannot be used is a fault of the configuration and not of a receipt.
type printerConfig struct {
	connect string
	named   bool         // the model is the shop's word; else it follows from the columns
	model   models.Model // with its fonts open
	options models.Options
	logo    image.Image   // nil: none
	drawer  printer.Level // of the drawer's sensor while it is open; empty: it has none
	route   pos.Route     // of a second printer: its name, and what it is told of
	quiet   bool          // of a second printer: it does not call anybody
}

const (
	// narrow parts 58 mm paper from 80 mm where no model is named.
	narrow = 40
	// leastColumns and mostColumns are what a receipt can be set in.
	leastColumns, mostColumns = 24, 96
	// maxFonts bounds the files that are asked for a letter that nobody has.
	maxFonts = 8
	// serialBaud is a serial line's speed where none is written.
	serialBaud = 9600
	// maxSeconds bounds the printers besides the receipt printer.
	maxSeconds = 8
	// maxStation bounds a printer's name, which stands large on its paper.
	maxStation = 20
	// maxTicketCopies bounds the papers of one ticket.
	maxTicketCopies = 5
)

func (c *config) readPrinter(r *reader) {
	p := r.table("printer")
	c.printer = p.printer()
	if level := p.oneOf("drawer_open", "", "", "high", "low"); c.printer != nil {
		c.printer.logo, c.printer.drawer = p.logo("logo"), printer.Level(level)
	} else {
		p.logo("logo")
	}
	used := taken{}
	if c.printer != nil && c.printer.connect != paperPrinter {
		used[c.printer.connect] = "printer.connect"
	}
	for _, s := range p.tables("second") {
		if second := s.second(c.seconds, used); second != nil {
			c.seconds = append(c.seconds, second)
		}
	}
	if len(c.seconds) > maxSeconds {
		p.bad("second", "must be at most %d", maxSeconds)
	}
}

// second reads a printer for a kitchen or a bar. before are those already read.
func (r *reader) second(before []*printerConfig, used taken) *printerConfig {
	name := strings.TrimSpace(r.need("name", "Kitchen"))
	if len(name) > maxStation {
		r.bad("name", "must have at most %d letters: it stands large on the paper", maxStation)
	}
	route := pos.Route{
		Printer: name, Categories: r.texts("categories"), SKUs: r.texts("items"), Copies: int(r.number("copies", 1, 1, maxTicketCopies)),
		When: pos.TicketTime(r.oneOf("when", string(pos.WhenCompleted), string(pos.WhenCompleted), string(pos.WhenCharged))),
	}
	if len(route.Categories)+len(route.SKUs) == 0 {
		r.bad("categories", "is missing; write which goods this printer is told of, such as [\"Food\"], by the catalogue's categories, or by their sku in items")
	}
	for _, o := range before {
		if strings.EqualFold(o.route.Printer, name) {
			r.bad("name", "two printers are called %q", name)
		}
		for _, c := range route.Categories {
			if slices.ContainsFunc(o.route.Categories, func(s string) bool { return strings.EqualFold(s, c) }) {
				r.bad("categories", "%q goes to %s already: an item is printed once", c, o.route.Printer)
			}
		}
	}
	if r.need("connect", "tcp://192.168.1.51") == "" {
		return nil
	}
	buzzer := !r.has("buzzer") || r.yes("buzzer")
	p := r.printer()
	p.route, p.quiet = route, !buzzer
	if p.connect != paperPrinter {
		used.claim(r, "connect", p.connect)
	}
	return p
}

// routes are what the printers besides the receipt printer are told of.
func (c config) routes() []pos.Route {
	var out []pos.Route
	for _, s := range c.seconds {
		out = append(out, s.route)
	}
	return out
}

// told counts the catalogue's items that printer i of the second ones is told of.
func (c config) told(i int) int {
	routes, n := c.routes(), 0
	for _, it := range c.items {
		if slices.IndexFunc(routes, func(r pos.Route) bool { return r.Takes(it.SKU, it.Category) }) == i {
			n++
		}
	}
	return n
}

// checkRoutes names goods of a second printer that the catalogue does not have.
func (c *config) checkRoutes(r *reader) {
	var categories, skus []string
	for _, it := range c.items {
		if it.Category != "" && !slices.Contains(categories, it.Category) {
			categories = append(categories, it.Category)
		}
		skus = append(skus, it.SKU)
	}
	for i, s := range c.seconds {
		part := *r
		part.prefix = fmt.Sprintf("printer.second.%d.", i)
		if len(c.items) == 0 {
			part.warn("connect", "%s will never print: the till has no goods; write catalogue = \"catalogue.toml\" at the top, above the first part", s.route.Printer)
			continue
		}
		for _, name := range s.route.Categories {
			if !containsFold(categories, name) {
				part.warn("categories", "no item has the category %q%s; the catalogue's are %s", name, meant(name, categories), strings.Join(categories, ", "))
			}
		}
		for _, sku := range s.route.SKUs {
			if !slices.Contains(skus, sku) {
				part.warn("items", "no item has the sku %q%s", sku, meant(sku, skus))
			}
		}
		if c.told(i) == 0 {
			part.warn("connect", "%s will never print: no item goes to it", s.route.Printer)
		}
	}
}

// describeSecond is second printer i in a few words.
func (c config) describeSecond(i int) string {
	s := c.seconds[i]
	return fmt.Sprintf("%s; told of %d of %d items when a sale is %s", s.describe(), c.told(i), len(c.items), s.route.When)
}

// printer reads how a printer is reached and set up; nil when it is not there.
func (p *reader) printer() *printerConfig {
	connect, name := p.text("connect", ""), p.text("model", "")
	o := models.Options{Baud: baudOf(connect)}
	columns := p.number("columns", leastColumns, leastColumns, mostColumns)
	if p.has("columns") {
		o.Columns = int(columns)
	}
	switch pin := value(p, "drawer", int64(2), "a whole number"); {
	case pin != 2 && pin != 5:
		p.bad("drawer", "must be 2 or 5, the pin of the socket that the drawer hangs on, not %d", pin)
	case p.has("drawer"):
		o.Pin = int(pin)
	}
	fonts := p.fonts("fonts")
	if connect == "" {
		p.noConnect()
		return nil
	}
	if connect != paperPrinter {
		if err := port.Check(connect); err != nil {
			p.bad("connect", "%s", message(err))
		}
	}
	if len(fonts) > 0 {
		o.Text = &raster.Text{Fonts: fonts}
	}
	return &printerConfig{connect: connect, named: name != "", model: p.model(name, o), options: o}
}

// noConnect names a printer that is described and not connected.
func (p *reader) noConnect() {
	for _, key := range []string{"model", "columns", "drawer", "logo", "fonts", "drawer_open"} {
		if p.has(key) && !p.has("connect") {
			p.bad("connect", "is missing; write how the printer is reached, for example connect = \"tcp://192.168.1.50\" (till doctor --find prints it)")
			return
		}
	}
}

// model finds the printer's model. Without a name the columns decide.
func (r *reader) model(name string, o models.Options) models.Model {
	if name == "" {
		name = "80mm"
		if o.Columns > 0 && o.Columns < narrow {
			name = "58mm"
		}
	}
	m, err := models.ByName(name, o)
	switch {
	case err == nil:
	case pos.KindOf(err) == pos.NotFound:
		r.bad("model", "there is no printer %q%s; \"default\" is most of 80 mm, \"58mm\" most of 58, \"safe\" is any", name, meantModel(name))
	default:
		r.bad("columns", "%s (model %q)", message(err), name)
	}
	return m
}

// describe is a printer in a few words.
func (p *printerConfig) describe() string {
	if p.named {
		return fmt.Sprintf("%s, %s, %d columns", p.connect, p.model.Name, p.model.Columns)
	}
	return fmt.Sprintf("%s, %d columns", p.connect, p.model.Columns)
}

// meantModel asks for the printer that was probably meant: by its name, or by how it
// begins.
func meantModel(name string) string {
	if text := meant(name, modelNames()); text != "" {
		return text
	}
	var like []string
	low := strings.ToLower(name)
	for _, m := range models.All() {
		if len(low) > 2 && (strings.HasPrefix(m.Name, low) || strings.Contains(strings.ToLower(m.Title), low)) {
			like = append(like, strconv.Quote(m.Name))
		}
	}
	if len(like) == 0 {
		return ""
	}
	return "; there are " + strings.Join(like, ", ")
}

// modelNames returns the names of all printers.
func modelNames() []string {
	var names []string
	for _, m := range models.All() {
		names = append(names, m.Name)
	}
	slices.Sort(names)
	return names
}

// baudOf returns the speed of a serial line; 0 for any other connection.
func baudOf(connect string) int {
	u, err := url.Parse(connect)
	if err != nil || u.Scheme != "serial" {
		return 0
	}
	if n, err := strconv.Atoi(u.Query().Get("baud")); err == nil {
		return n
	}
	return serialBaud
}

// logo reads a picture; nil without one.
func (r *reader) logo(key string) image.Image {
	name := r.path(key, "")
	if name == "" {
		return nil
	}
	file, err := os.Open(name)
	if err != nil {
		r.bad(key, "%v; write the name of a picture in PNG, JPEG or GIF", err)
		return nil
	}
	img, err := raster.Logo(file)
	if err := errors.Join(err, file.Close()); err != nil {
		r.bad(key, "%s: %s", name, message(err))
		return nil
	}
	return img
}

// fonts opens the printer's font files. They stay open: they are read letter by
// letter.
func (r *reader) fonts(key string) []*shape.Font {
	var out []*shape.Font
	for _, name := range r.fontNames(key) {
		f, err := shape.Open(name)
		if err != nil {
			r.bad(key, "%s: %s", name, message(err))
			continue
		}
		out = append(out, f)
	}
	return out
}

// fontFiles opens font files for the display; see fonts.
func (r *reader) fontFiles(key string) []*os.File {
	var out []*os.File
	for _, name := range r.fontNames(key) {
		file, err := os.Open(name)
		if err != nil {
			r.bad(key, "%v", err)
			continue
		}
		if _, err := sfnt.ParseReaderAt(file); err != nil {
			r.bad(key, "%s is no font that can be used: one TrueType or OpenType font in a file", name)
			_ = file.Close() // it was only read
			continue
		}
		out = append(out, file)
	}
	return out
}

func (r *reader) fontNames(key string) []string {
	names := r.paths(key)
	if len(names) > maxFonts {
		r.bad(key, "must have at most %d files", maxFonts)
		return nil
	}
	return slices.DeleteFunc(names, func(s string) bool { return strings.TrimSpace(s) == "" })
}
