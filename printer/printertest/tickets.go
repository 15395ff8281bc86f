package printertest

import (
	"image"
	"image/color"
	"math"
	"sync"

	"github.com/tillwright/tillwright/printer"
)

// Tickets returns tickets of every kind that a kitchen must read, by name.
func Tickets() map[string]printer.Ticket {
	k := printer.Ticket{Station: "KITCHEN", Ref: "#0417", Cashier: "Anna", At: At, Lines: []printer.TicketLine{
		{Qty: 2000, Name: "Wiener Schnitzel", Note: "no parsley, potatoes instead of rice"},
		{Qty: 1000, Name: "Gemischter Salat mit gebratenen Hühnerstreifen und Kürbiskernöl"},
		{Qty: 500, Name: "Brot, kg"},
	}}
	again := k
	again.Unsure = true
	void := printer.Ticket{Station: "BAR", Ref: "#0418", Kind: "VOID", Copy: 1, At: At, Lines: []printer.TicketLine{{Qty: -1000, Name: "Spritzer"}}}
	return map[string]printer.Ticket{"ticket": k, "ticket-again": again, "ticket-void": void}
}

// Logo is a picture with all that makes printing hard: a grey that turns from light
// to dark, thin lines, soft edges. It is the same picture each time.
var Logo = sync.OnceValue(func() image.Image {
	const w, h = 320, 120
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetGray(x, y, color.Gray{Y: shade(float64(x), float64(y))})
		}
	}
	return img
})

// shade draws a cup over a plate, with steam, and a bar of greys.
func shade(x, y float64) uint8 {
	cup := math.Hypot((x-90)/1.1, y-38)
	switch {
	case y > 104: // greys
		return uint8(x * 255 / 320)
	case x > 46 && x < 134 && y > 38 && cup < 44:
		return uint8(math.Min(235, 60+(x-46)*2))
	case math.Abs(math.Hypot(x-140, y-54)-16) < 4 && x > 132: // handle
		return 30
	case math.Abs(math.Hypot((x-90)/3, y-90)-5) < 3 && y > 88: // plate
		return 0
	case y > 6 && y < 34 && math.Abs(math.Mod(x-66+4*math.Sin(y/4), 22)) < 2 && x > 64 && x < 116: // steam
		return 120
	case x > 180 && x < 300 && math.Abs(y-30) < 1, x > 180 && x < 300 && math.Abs(y-72) < 1:
		return 0
	case x > 180 && x < 300 && y > 40 && y < 62 && math.Mod(x-180, 20) < 14-math.Abs(y-51)/2:
		return 0
	}
	return 255
}
