package star

import (
	"bytes"
	"strconv"

	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/internal/talk"
	"github.com/tillwright/tillwright/printer/raster"
)

// Commands of raster mode. Numbers are digits and end in NUL. Settings are ignored
// while rows wait in the printer; so what a cut will be is said before the rows of
// which it is the end.
const (
	rasterInit  = "\x1b@\x1b*rR\x1b*rA" // ESC @; initialize and enter: without both, everything is taken and nothing printed
	rasterPage  = "\x1b*rP0\x00"        // no pages
	rasterEnd   = "\x1b*rE1\x00"        // at the end print, and neither feed nor cut
	rasterCut   = "\x1b*rF13\x00"       // ESC FF NUL will print, feed to the knife and cut all but one point
	rasterPrint = "\x1b*rF1\x00"        // ESC FF NUL will print
	rasterDo    = "\x1b\x0c\x00"        // ESC FF NUL
	rasterFeed  = "\x1b*rY"             // n NUL: down n rows
	rasterOpen  = "\x1b*rD"             // n NUL: drawer 1 or 2
	rasterLeave = "\x1b*rB"
)

// rowsBytes is how many bytes of rows go out between two looks at the drawer: half of
// what the smallest printer holds while its cover is open.
const rowsBytes = 2048

// rower writes a paper for a printer that has no letters.
type rower struct {
	talk.Script
	p     Profile
	blank int  // rows not yet sent: they cost five bytes together
	any   bool // rows wait in the printer
}

// rows draws a document, a row of dots a command.
func (p Profile) rows(d printer.Document) []talk.Piece {
	w := rower{p: p}
	w.Add(rasterInit + rasterPage + rasterEnd)
	for i, r := range d.Rows {
		if i == 0 || ends(d.Rows[i-1]) {
			w.begin(d.Rows[i:])
		}
		w.row(r, d.Columns)
	}
	w.skip()
	w.Add(rasterLeave)
	w.Flush(true)
	return w.Pieces()
}

// ends reports that a row has what was drawn so far printed.
func ends(r printer.Row) bool {
	switch r.(type) {
	case printer.Cut, printer.Pulse, printer.Beep:
		return true
	}
	return false
}

// begin says what will be done when the rows up to the next end are printed.
func (w *rower) begin(rest []printer.Row) {
	mode := rasterPrint
	for _, r := range rest {
		if _, cut := r.(printer.Cut); cut && w.p.Cutter {
			mode = rasterCut
		}
		if ends(r) {
			break
		}
	}
	w.Add(mode)
}

func (w *rower) row(r printer.Row, cols int) {
	const line = raster.CellHeight + lineGap
	switch r := r.(type) {
	case printer.Line:
		w.line(r)
	case printer.Rule:
		w.draw(rule(cols*raster.CellWidth, line), 0)
	case printer.Code:
		w.code(r.Text)
	case printer.Barcode:
		w.barcode(r.Text)
	case printer.Picture:
		w.centred(raster.Dither(r.Image, w.p.Dots))
		w.blank += line
	case printer.Feed:
		w.blank += line * max(r.Lines, 0)
	case printer.Cut:
		w.cut(line)
	case printer.Pulse:
		w.open(int(w.p.Drawer&1) + 1)
	case printer.Beep:
		if w.p.Buzzer && w.p.Drawer == 0 {
			w.open(2)
		}
	}
}

// rule is a thin line across the paper.
func rule(dots, height int) raster.Bitmap {
	b := raster.New(dots, height)
	b.Fill(0, height/2-1, dots, 2)
	return b
}

func (w *rower) line(l printer.Line) {
	text := w.p.readable(l.Text)
	if text == "" {
		w.blank += raster.CellHeight + lineGap
		return
	}
	w.draw(w.p.Text.Line(text, l.Style, raster.Box{Dots: w.p.Dots, Gap: lineGap, Half: l.Half}), 0)
}

func (w *rower) code(text string) {
	b, ok := raster.QR(text, w.p.Dots, w.p.Module)
	if !ok {
		w.spell(text)
		return
	}
	w.blank += raster.CellHeight + lineGap
	w.centred(b)
	w.blank += raster.CellHeight + lineGap
}

func (w *rower) spell(text string) {
	for _, l := range printer.Spell(text, w.p.Columns) {
		w.line(l)
	}
}

func (w *rower) barcode(text string) {
	b, ok := raster.Bars(text, w.p.Dots)
	if !ok {
		w.spell(text)
		return
	}
	w.centred(b)
	w.blank += lineGap / 2
	w.centred(w.p.Text.Line(text, printer.Style{}, raster.Box{Dots: w.p.Dots, Gap: lineGap}))
}

func (w *rower) centred(b raster.Bitmap) { w.draw(b, (w.p.Dots-b.Dots)/2) }

// draw sends the rows of b, x dots from the left, each without the white at its end.
func (w *rower) draw(b raster.Bitmap, x int) {
	if x > 0 {
		moved := raster.New(x+b.Dots, b.Height)
		moved.Draw(b, x, 0)
		b = moved
	}
	for y := range b.Height {
		row := bytes.TrimRight(b.Row(y), "\x00")
		if len(row) == 0 {
			w.blank++
			continue
		}
		w.skip()
		w.any = true
		w.Data([]byte{'b', byte(len(row)), byte(len(row) >> 8)})
		w.Data(row)
		if w.Len() >= rowsBytes {
			w.Flush(true)
		}
	}
}

// skip sends the white rows that are due.
func (w *rower) skip() {
	if w.blank > 0 {
		w.Add(rasterFeed + strconv.Itoa(w.blank) + "\x00")
		w.blank, w.any = 0, true
	}
}

// cut ends a paper. With nothing to print there would be no cut; so there is a row.
func (w *rower) cut(line int) {
	if !w.p.Cutter {
		w.blank += tearOff * line
	}
	if !w.any {
		w.blank = max(w.blank, 1)
	}
	w.print()
}

// print has the printer print what it holds.
func (w *rower) print() {
	w.skip()
	if w.any {
		w.Add(rasterDo)
		w.any = false
	}
	w.Flush(true)
}

// open opens a drawer, after what was drawn so far is printed: while rows wait the
// command is ignored.
func (w *rower) open(n int) {
	w.print()
	w.Add(rasterOpen, strconv.Itoa(n), "\x00")
}
