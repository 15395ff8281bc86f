package display

import (
	"image"
	"math"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Glass is what a picture is drawn for: a panel's size, and what its pixels cannot
// do. The zero values are those of a colour screen.
type Glass struct {
	Size  image.Point
	Mono  bool // pixels are black or white, with nothing between
	Still bool // a new picture takes tenths of a second or seconds: nothing ticks
	Round bool // the glass is a disc that touches the four sides of Size
	Dark  bool // pixels glow: light on black, except for a code
}

// GlassOf asks a panel what it is. Beyond Bounds a Panel may have the methods Mono,
// Still, Round and Dark, without arguments and with a bool as result, that say of it
// what the fields of Glass do. A Panel that is Still gets each picture in one Draw.
func GlassOf(p Panel) Glass {
	g := Glass{Size: p.Bounds().Size()}
	if p, ok := p.(interface{ Mono() bool }); ok {
		g.Mono = p.Mono()
	}
	if p, ok := p.(interface{ Still() bool }); ok {
		g.Still = p.Still()
	}
	if p, ok := p.(interface{ Round() bool }); ok {
		g.Round = p.Round()
	}
	if p, ok := p.(interface{ Dark() bool }); ok {
		g.Dark = p.Dark()
	}
	return g
}

// Picture draws the customer's picture of v at time now, as Picture does, for this
// glass.
func (g Glass) Picture(v pos.View, now time.Time) *image.RGBA {
	return sceneOf(v, now).draw(g, nil).img
}

// Module returns how many pixels a module of text's code has on this glass: 2 or
// more, or 0 when no reader could make it out, and words stand instead of it.
func (g Glass) Module(text string) int {
	v := pos.View{Customer: pos.Customer{Phase: pos.PhaseDue, QR: text}}
	return sceneOf(v, time.Time{}).draw(g, nil).module
}

// longest is a BOLT11 invoice as lnd makes them for a shop: with a description hash
// or a short text, and one route hint (measured: 270 to 300 characters).
const longest = 300

// Carries reports that payments can be shown on this glass as codes: that the
// longest of the usual ones, a Lightning invoice, can be read from it. On one that
// does not the customer sees amounts and states, and codes that happen to be short.
func (g Glass) Carries() bool {
	return g.Module(upper(longest)) > 0
}

// upper returns n letters that a code holds as it does an invoice in capitals.
func upper(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"[(i*i*7+i*13)%32]
	}
	return string(b)
}

// area is where a layout stands: all of the picture, or on a disc the largest
// square in it.
func (g Glass) area() image.Rectangle {
	all := image.Rectangle{Max: g.Size}
	if !g.Round {
		return all
	}
	side := int(float64(min(g.Size.X, g.Size.Y)) / math.Sqrt2)
	return place(all, side, side, middle, middle)
}
