// Package models knows printers by name: what to say to each, and what its paper will
// look like.
//
// Promise. A name stands for one encoder, width and set of abilities, whatever its
// language. Draw shows what the model prints, made by the bytes that it would be sent
// and a machine made of code that lacks what the model lacks.
//
// Limits. Letters are drawn in one face; a machine's own look a little different. What
// each model is said to be able to do was read in manuals and tables, not tried.
package models

import (
	"image"
	"io"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/escpos"
	"github.com/tillwright/tillwright/printer/internal/pages"
	"github.com/tillwright/tillwright/printer/paper"
	"github.com/tillwright/tillwright/printer/raster"
	"github.com/tillwright/tillwright/printer/star"
)

// Encoder speaks a printer's language; see spool.Encoder.
type Encoder interface {
	Kick(rw io.ReadWriter, answers bool) error
	Status(rw io.ReadWriter) (printer.Status, error)
	Reset(w io.Writer) error
	Print(rw io.ReadWriter, d printer.Document, run printer.Run) (printer.Status, error)
}

// Model is a kind of printer, set up for a shop. It embeds what speaks to it.
type Model struct {
	Encoder
	Name     string // "tm-t20iii"
	Title    string // "Epson TM-T20III"
	Language string // "ESC/POS", "StarPRNT", "Star Line Mode", "Star raster"
	Columns  int    // of its paper, for Layout
	Answers  bool   // it says how it is
	Cutter   bool
	machine  func() *paper.Printer
}

// Options are what a shop sets besides the model's name. The zero Options change
// nothing.
type Options struct {
	Columns int          // as the printer's own menu or switches are set; at most what its dots hold
	Pin     int          // of the drawer: 2 or 5
	Baud    int          // of a serial line; 0 for none
	Text    *raster.Text // with fonts for what the code pages lack
}

// slow is the fastest line on which a printer draws codes itself where it can: a code as
// an image takes three seconds there.
const slow = 38400

// ByName returns the model of that name as o sets it up. It fails with NotFound for an
// unknown name and with Invalid for options that the model has no room for.
func ByName(name string, o Options) (Model, error) {
	if o.Pin != 0 && o.Pin != 2 && o.Pin != 5 {
		return Model{}, pos.E("choose printer", pos.Invalid, "a drawer is on pin 2 or 5, not %d", o.Pin)
	}
	var m Model
	if p, ok := escpos.ByName(name); ok {
		if p = p.With(o.Columns, o.Pin, o.Text); o.Baud > 0 && o.Baud <= slow {
			p = p.Slow()
		}
		m = fromEpson(p)
	} else if p, ok := star.ByName(name); ok {
		if p = p.With(o.Columns, o.Pin, o.Text); o.Baud > 0 && o.Baud <= slow {
			p = p.Slow()
		}
		m = fromStar(p)
	} else {
		return Model{}, pos.E("choose printer", pos.NotFound, "%q is no printer that the till knows; \"default\" is most of 80 mm, \"safe\" is any", name)
	}
	if _, err := m.Draw(printer.Document{Columns: m.Columns}); err != nil {
		return Model{}, err
	}
	return m, nil
}

// All returns every model, those of ESC/POS first, as they leave their factory.
func All() []Model {
	var out []Model
	for _, p := range escpos.Models() {
		out = append(out, fromEpson(p))
	}
	for _, p := range star.Models() {
		out = append(out, fromStar(p))
	}
	return out
}

// Machine returns a new printer of this model, made of code.
func (m Model) Machine() *paper.Printer { return m.machine() }

// Draw returns a picture of d as this model prints it, one pixel a dot; the caller owns
// it. It fails with Invalid when d is wider than the model's paper.
func (m Model) Draw(d printer.Document) (*image.Gray, error) {
	p := m.machine()
	if _, err := m.Print(p, d, printer.Run{}); err != nil {
		return nil, err
	}
	return p.Picture(), nil
}

func fromEpson(p escpos.Profile) Model {
	m := Model{Encoder: p, Name: p.Name, Title: p.Title, Language: "ESC/POS", Columns: p.Columns, Answers: p.Answers || p.Auto, Cutter: p.Cutter}
	m.machine = func() *paper.Printer {
		dots := p.Dots
		if p.Image == escpos.NoImages {
			dots = p.Columns * raster.CellWidth
		}
		x := paper.New(dots)
		x.SetCell(p.Cell)
		x.SetPages(pages.Map(append(pages.Set("0=437"), p.Pages...)))
		x.SetLacks(lacks(p)...)
		x.SetClone(p.Beeper == escpos.CloneBeeper)
		x.SetLostFeed(p.LostFeed)
		x.SetOneWay(!p.Answers && !p.Auto)
		x.SetDeaf(!p.Answers)
		return x
	}
	return m
}

// lacks are the commands that a model does not know, by their first two bytes.
func lacks(p escpos.Profile) []string {
	var out []string
	add := func(missing bool, commands ...string) {
		if missing {
			out = append(out, commands...)
		}
	}
	add(!p.Cutter, "\x1dV")
	add(!p.Barcodes, "\x1dk")
	add(p.OldSize, "\x1d!")
	add(p.Image != escpos.Raster, "\x1dv")
	add(p.Image == escpos.NoImages, "\x1b*")
	add(p.Image != escpos.Graphics && !p.HasQR, "\x1d(")
	return out
}

var dialects = map[star.Mode]struct {
	name    string
	dialect paper.Dialect
}{
	star.PRNT: {"StarPRNT", paper.StarPRNT}, star.Line: {"Star Line Mode", paper.StarLine}, star.Raster: {"Star raster", paper.StarRaster},
}

func fromStar(p star.Profile) Model {
	d := dialects[p.Mode]
	m := Model{Encoder: p, Name: p.Name, Title: p.Title, Language: d.name, Columns: p.Columns, Answers: p.Answers, Cutter: p.Cutter}
	m.machine = func() *paper.Printer {
		x := paper.NewDialect(p.Dots, d.dialect)
		x.SetOneWay(!p.Answers)
		return x
	}
	return m
}
