package display

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tillwright/tillwright/display/displaytest"
	"github.com/tillwright/tillwright/pos"
)

// perCopy reports how many bare copies of the same frame fit into one operation.
func perCopy(b *testing.B, bytes int) {
	took := float64(b.Elapsed()) / float64(b.N)
	from, to := make([]byte, bytes), make([]byte, bytes)
	const copies = 200
	start := time.Now()
	for range copies {
		copy(to, from)
	}
	b.ReportMetric(took/(float64(time.Since(start))/copies), "×memcpy")
}

// BenchmarkPicture draws each phase on a 7" panel, the code known. To hold: 10 ms.
func BenchmarkPicture(b *testing.B) {
	for _, phase := range phases {
		b.Run(string(phase), func(b *testing.B) {
			v := sale(b, "de", "EUR", phase, 40, 123456789)
			for b.Loop() {
				Picture(v, landscape, t0)
			}
			perCopy(b, 4*landscape.X*landscape.Y)
		})
	}
}

// BenchmarkCharge is a code never seen before, from Publish until the panel has
// the whole picture, the bus' own time apart. To hold: 20 ms for 95 of 100.
func BenchmarkCharge(b *testing.B) {
	d := New(Options{})
	p := newScreen(displaytest.New(landscape.X, landscape.Y), "display")
	size := p.look()
	v := coffee(b, "en", pos.PhaseDue)
	var took []time.Duration
	for b.Loop() {
		v.Version++
		v.Customer.QR = fmt.Sprintf("%s%06d", invoice(290), v.Version)
		start := time.Now()
		d.Publish(v)
		if err := p.update(d.draw(size).frame); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "ms-p95")
	perCopy(b, 4*landscape.X*landscape.Y)
}

// BenchmarkPNG encodes for the browsers.
func BenchmarkPNG(b *testing.B) {
	for _, phase := range []pos.Phase{pos.PhaseBasket, pos.PhaseDue, pos.PhasePaid} {
		b.Run(string(phase), func(b *testing.B) {
			img := Picture(coffee(b, "en", phase), landscape, t0)
			size := 0
			for b.Loop() {
				size = len(encode(img))
			}
			b.ReportMetric(float64(size)/1024, "KiB")
			perCopy(b, len(img.Pix))
		})
	}
}

// BenchmarkTick is one second of the countdown: a new picture and what of it
// differs.
func BenchmarkTick(b *testing.B) {
	v := coffee(b, "en", pos.PhaseDue)
	a, _ := look(v, landscape, t0)
	for b.Loop() {
		next, _ := look(v, landscape, t0.Add(time.Second))
		changes(a.img, next.img, next.code)
	}
	perCopy(b, len(a.img.Pix))
}
