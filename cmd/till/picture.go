package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/tillwright/tillwright/display"
	"github.com/tillwright/tillwright/display/pole"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/keypad"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/models"
	"github.com/tillwright/tillwright/printer/raster"
)

type paperCmd struct {
	configFlag
	Model   string
	Printer string
	Page    bool
	Print   bool
}

func (p *paperCmd) flags(f *flag.FlagSet) {
	p.configFlag.flags(f)
	f.StringVar(&p.Model, "model", "", "as this printer `model` would print it, instead of the configured one")
	f.StringVar(&p.Printer, "printer", "", "the printer of this `name`: a second one's, which gets a ticket; without it the receipt printer")
	f.BoolVar(&p.Page, "page", false, "the printer's test page, with its ruler, instead of a receipt or ticket")
	f.BoolVar(&p.Print, "print", false, "print it on the printer's own paper, instead of drawing it into a file; the till must not be running (one that runs prints its test page with POST /v1/test-pages)")
}

// Run writes a picture of a sample receipt or ticket, one pixel a dot and the edges, made by the very bytes
// that the printer would be sent.
func (p *paperCmd) Run(ctx context.Context, args []string, s streams) error {
	want, what := 1, "the name of a PNG file, or -print"
	if p.Print {
		want, what = 0, "with -print nothing but flags"
	}
	if err := exactly(args, want, what); err != nil {
		return err
	}
	c, err := loadConfig(p.Config)
	if err != nil {
		return err
	}
	dev, err := c.printerCalled(p.Printer)
	if err != nil {
		return err
	}
	if p.Print {
		return p.print(ctx, c, dev, s.out)
	}
	m, logo, err := p.printer(dev)
	if err != nil {
		return err
	}
	doc, err := p.document(c, dev, m.Columns)
	if err != nil {
		return err
	}
	img, err := m.Draw(doc.WithLogo(logo))
	if err != nil {
		return err
	}
	if err := writePNG(args[0], img); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s: %s, %d columns, %d × %d pixels\n", args[0], m.Title, m.Columns, img.Rect.Dx(), img.Rect.Dy())
	return nil
}

// document sets what is drawn.
func (p *paperCmd) document(c config, dev *printerConfig, cols int) (printer.Document, error) {
	if p.Page {
		return printer.TestPage(c.shop, cols), nil
	}
	if dev != nil && dev.route.Printer != "" {
		c.items = slices.DeleteFunc(slices.Clone(c.items), func(it pos.Item) bool { return !dev.route.Takes(it.SKU, it.Category) })
		sale, err := sampleOf(c)
		if err != nil {
			return printer.Document{}, err
		}
		return printer.LayoutTicket(sale.ticket(dev.route, c.zone), c.shop, cols), nil
	}
	sale, err := sampleOf(c)
	if err != nil {
		return printer.Document{}, err
	}
	return printer.Layout(sale.receipt(c.zone), cols), nil
}

// printer returns the model to draw, with what the configuration sets besides it.
func (p *paperCmd) printer(dev *printerConfig) (models.Model, image.Image, error) {
	var o models.Options
	var logo image.Image
	if dev != nil {
		if p.Model == "" {
			return dev.model, dev.logo, nil
		}
		o, logo = dev.options, dev.logo
		o.Columns = 0 // they are those of the configured model
	}
	name := p.Model
	if name == "" {
		name = "default"
	}
	m, err := models.ByName(name, o)
	if err != nil {
		err = fmt.Errorf("%s%s", message(err), meantModel(name))
	}
	return m, logo, err
}

type screenshotCmd struct {
	configFlag
	Panel  int
	Phase  string
	Prompt string
	Size   string
}

func (s *screenshotCmd) flags(f *flag.FlagSet) {
	s.configFlag.flags(f)
	f.IntVar(&s.Panel, "panel", 1, "which of the configured panels, from 1 in the order of the file, poles last; without any, the browser's picture")
	f.StringVar(&s.Phase, "phase", string(pos.PhaseDue), "the sale's `phase`: "+phaseNames())
	f.StringVar(&s.Prompt, "prompt", "", "instead of -phase, the `moment` of a sale at a keypad, as a panel for the cashier or for both shows it: "+placeNames())
	f.StringVar(&s.Size, "size", fmt.Sprintf("%dx%d", browserSize.X, browserSize.Y), "the `pixels` of a framebuffer or a browser, which only the device knows")
}

func phaseNames() string {
	var names []string
	for _, p := range phases {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

// Run writes what a panel would show of a sample sale. No device is opened.
func (s *screenshotCmd) Run(_ context.Context, args []string, out streams) error {
	if err := exactly(args, 1, "the name of a PNG file"); err != nil {
		return err
	}
	phase, err := s.phase()
	if err != nil {
		return err
	}
	size, err := sizeOf(s.Size)
	if err != nil {
		return err
	}
	c, err := loadConfig(s.Config)
	if err != nil {
		return err
	}
	sale, err := sampleOf(c)
	if err != nil {
		return err
	}
	v, err := sale.view(phase)
	if err != nil {
		return err
	}
	prompt, _ := keypad.Sample(c.headless.layout, s.Prompt, v)
	img, what, err := s.draw(c, scene{v, prompt}, size)
	if err != nil {
		return err
	}
	if err := writePNG(args[0], img); err != nil {
		return err
	}
	fmt.Fprintf(out.out, "%s: %s, %d × %d\n", args[0], what, img.Bounds().Dx(), img.Bounds().Dy())
	return nil
}

// draw returns the picture of the chosen panel, and what that is.
func (s *screenshotCmd) draw(c config, v scene, size image.Point) (image.Image, string, error) {
	for _, f := range c.display.fonts {
		if err := display.AddFont(f); err != nil {
			return nil, "", err
		}
	}
	list := c.display.panels
	if len(list) == 0 && s.Panel == 1 {
		if s.Prompt != "" {
			return v.on(display.Glass{Size: size}, display.ShowsCashier), "a cashier's panel", nil
		}
		return v.on(display.Glass{Size: size}, display.ShowsCustomer), "the browser's picture", nil
	}
	if s.Panel < 1 || s.Panel > len(list) {
		return nil, "", fmt.Errorf("there is no panel %d: the configuration has %d", s.Panel, len(list))
	}
	p := list[s.Panel-1]
	if p.driver == driverPole {
		img, err := drawPole(p, v)
		return img, p.describe() + p.tells(size), err
	}
	g, err := glassSized(p, size)
	if err != nil {
		return nil, "", err
	}
	img := v.on(g, p.shows)
	if g.Round {
		cutDisc(img)
	}
	return img, p.describe() + p.tells(size), nil
}

// drawPole sets what a display of text shows in the letters of a printer.
func drawPole(p panelConfig, v scene) (image.Image, error) {
	d, err := nowhere(browserSize).pole(p)
	if err != nil {
		return nil, err
	}
	var face *raster.Text // the built-in one
	paper := raster.New(d.Cols()*raster.CellWidth, d.Rows()*raster.CellHeight)
	for i, line := range poleLines(d, p, v) {
		paper.Draw(face.Line(line, printer.Style{}, raster.Box{Dots: paper.Dots}), 0, i*raster.CellHeight)
	}
	img := image.NewGray(image.Rect(0, 0, paper.Dots, paper.Height)) // letters glow on black
	for y := range paper.Height {
		for x := range paper.Dots {
			if paper.At(x, y) {
				img.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	return img, nil
}

// poleLines returns what the display's columns show, laid out as its driver does.
func poleLines(d *pole.Dev, p panelConfig, v scene) []string {
	lines := display.CounterLinesOn(d, v.view, v.prompt, p.shows, sampleAt)
	for i, line := range lines {
		lines[i] = d.Likeness(line)
	}
	return lines
}

// cutDisc makes transparent what lies outside of a round glass.
func cutDisc(img *image.RGBA) {
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			dx, dy := 2*x+1-b.Min.X-b.Max.X, 2*y+1-b.Min.Y-b.Max.Y
			if dx*dx+dy*dy > b.Dx()*b.Dx() {
				img.SetRGBA(x, y, color.RGBA{})
			}
		}
	}
}

// mostPixels bounds a side of a picture that somebody asks for.
const mostPixels = 4096

// sizeOf reads "800x480".
func sizeOf(s string) (image.Point, error) {
	w, h, _ := strings.Cut(s, "x")
	x, errX := strconv.Atoi(w)
	y, errY := strconv.Atoi(h)
	if errors.Join(errX, errY) != nil || x < 1 || y < 1 || x > mostPixels || y > mostPixels {
		return image.Point{}, fmt.Errorf("-size must be pixels such as 800x480, each at most %d, not %q", mostPixels, s)
	}
	return image.Pt(x, y), nil
}

func writePNG(name string, img image.Image) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	err = png.Encode(file, img)
	return errors.Join(err, file.Close())
}
