package displaytest_test

import (
	"image"
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"

	"github.com/tillwright/tillwright/display"
	"github.com/tillwright/tillwright/display/displaytest"
	"github.com/tillwright/tillwright/pos"
)

// BenchmarkBus counts what a picture costs on each panel's bus at its rated clock,
// beside the processor's time for it (which on e-paper is the sheet's own). To hold:
// a second of the countdown in a tenth of a frame, and see package display for the
// drawing. bus-ms is bytes alone; each transfer adds 20 to 50 µs of the operating
// system's.
func BenchmarkBus(b *testing.B) {
	for _, p := range table {
		if p.name == "pole" {
			continue
		}
		v := coffee(b, pos.PhaseDue)
		now := v.Customer.Expires.Add(-277 * time.Second)
		s := p.open(b)
		g := display.GlassOf(s.panel)
		first, next := g.Picture(v, now), g.Picture(v, now.Add(time.Second))
		other := g.Picture(coffee(b, pos.PhaseBasket), now)
		if err := s.panel.Draw(first.Rect, first, image.Point{}); err != nil {
			b.Fatal(err)
		}
		if s.mute != nil {
			s.mute()
		}
		b.Run(p.name+"/frame", func(b *testing.B) {
			work(b, s, func(n int) error {
				return s.panel.Draw(first.Rect, [2]*image.RGBA{other, first}[n%2], image.Point{})
			})
		})
		if g.Still || !p.code {
			continue
		}
		r := difference(first, next)
		if r.Empty() {
			continue // it has no room for a countdown
		}
		b.Run(p.name+"/second", func(b *testing.B) {
			work(b, s, func(n int) error { return s.panel.Draw(r, [2]*image.RGBA{next, first}[n%2], r.Min) })
		})
	}
}

// work runs draw and reports what the bus had to do.
func work(b *testing.B, s set, draw func(n int) error) {
	before, n := s.count(), 0
	for b.Loop() {
		if err := draw(n); err != nil {
			b.Fatal(err)
		}
		n++
	}
	after := s.count()
	one := displaytest.Count{Bytes: (after.Bytes - before.Bytes) / n}
	b.ReportMetric(float64(one.Bytes), "bytes")
	b.ReportMetric(float64(after.Transfers-before.Transfers)/float64(n), "transfers")
	b.ReportMetric(float64(one.Time(s.clock).Microseconds())/1000, "bus-ms")
	b.ReportMetric(float64(s.clock)/1e12, "MHz")
}

// nobody is a chip that costs nothing: what remains is the driver's time.
type nobody struct{}

func (nobody) Receive(bool, []byte) {}
func (nobody) Reset(gpio.Level)     {}
func (nobody) Busy() gpio.Level     { return gpio.Low }
func (nobody) Cut()                 {}

// difference returns the rectangle in which two pictures differ.
func difference(a, b *image.RGBA) (r image.Rectangle) {
	for i := 0; i < len(a.Pix); i += 4 {
		if a.Pix[i] != b.Pix[i] || a.Pix[i+1] != b.Pix[i+1] || a.Pix[i+2] != b.Pix[i+2] {
			x, y := i/4%a.Rect.Dx(), i/4/a.Rect.Dx()
			r = r.Union(image.Rect(x, y, x+1, y+1))
		}
	}
	return r
}
