package printertest

import (
	"image"
	"image/color"
	"math"
	"sync"

	"github.com/tillwright/tillwright/pos"
)

// Tickets returns tickets of every kind that a kitchen must read, by name.
func Tickets() map[string]pos.Ticket {
	k := pos.Ticket{Station: "Kitchen", Ref: "#0417", Till: "Till 1", Cashier: "Anna", At: At, Lines: []pos.TicketLine{
		{Qty: 2000, Name: "Wiener Schnitzel"},
		{Qty: 1000, Name: "Gemischter Salat mit gebratenen Hühnerstreifen und Kürbiskernöl"},
		{Qty: 500, Name: "Brot, kg"},
	}}
	with := func(f func(*pos.Ticket)) pos.Ticket { t := k; f(&t); return t }
	return map[string]pos.Ticket{
		"ticket":       k,
		"ticket-part":  with(func(t *pos.Ticket) { t.Part, t.Of, t.Unclear = 1, 2, true }),
		"ticket-again": with(func(t *pos.Ticket) { t.Unsure = true }),
		"ticket-void":  with(func(t *pos.Ticket) { t.Void, t.Copies = true, 2 }),
	}
}

// Logo is a picture with all that makes printing hard: a grey that turns from light to
// dark, thin lines, soft edges. It is the same picture each time.
var Logo = sync.OnceValue(func() image.Image {
	const w, h, fine = 240, 112, 4 // fine × fine samples a pixel: soft edges
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			sum := 0.0
			for i := range fine * fine {
				sum += shade(float64(x)+float64(i%fine)/fine, float64(y)+float64(i/fine)/fine)
			}
			img.SetGray(x, y, color.Gray{Y: uint8(sum / fine / fine)})
		}
	}
	return img
})

// shade draws a cup of coffee on its saucer, steaming.
func shade(x, y float64) float64 {
	bowl := math.Hypot((x-116)/1.25, (y-46)*0.85)
	ear := math.Hypot(x-162, (y-60)*1.1)
	saucer := math.Hypot((x-118)/4.6, y-98)
	brim := math.Hypot((x-116)/6, y-46)
	steam := math.Abs(math.Mod(x-92+3.5*math.Sin((y-4)/5), 24) - 2)
	switch {
	case brim < 8 && brim > 6.4:
		return 0
	case brim <= 6.4 && y > 45: // coffee
		return 40
	case brim <= 6.4:
		return 235
	case bowl < 40 && y > 46:
		return math.Min(250, 70+(x-66)*1.9) // porcelain, from shade to light
	case bowl < 41.5 && y > 46, ear < 17 && ear > 11 && x > 150:
		return 0
	case saucer < 15 && saucer > 13.2 && y > 97, saucer < 15 && y > 97 && y < 99:
		return 0
	case saucer < 15 && y > 97:
		return 215
	case y > 6 && y < 34 && x > 92 && x < 146 && steam < 1.6:
		return 90
	}
	return 255
}
