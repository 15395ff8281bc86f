package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/printer/models"
	"github.com/tillwright/tillwright/printer/paper"
)

// TestPapers looks at the papers of two printers. Goal: one that has printed nothing takes
// no place, and of two the ends stand beside each other, where the page looks.
func TestPapers(t *testing.T) {
	m, err := models.ByName("default", models.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := &papers{list: []*paper.Printer{m.Machine(), m.Machine()}}
	look := func() image.Image {
		t.Helper()
		b, _ := p.PNG()
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	if size := look().Bounds().Size(); size != image.Pt(gapWidth, gapWidth) {
		t.Errorf("nothing is printed, and there is a picture of %v", size)
	}
	fmt.Fprint(p.list[0], strings.Repeat("receipt\n", 40))
	one := look().Bounds().Size()
	if first, _ := p.list[0].Look(); one != first.Rect.Size() {
		t.Errorf("one has printed, the picture is %v and its paper %v", one, first.Rect)
	}
	fmt.Fprint(p.list[1], "2 x Soup\n")
	two := look()
	second, _ := p.list[1].Look()
	if want := image.Pt(one.X+gapWidth+second.Rect.Dx(), one.Y); two.Bounds().Size() != want {
		t.Fatalf("both have printed, and the picture is %v, want %v", two.Bounds(), want)
	}
	x := one.X + gapWidth
	if two.At(x, 0) != deskGrey || two.At(x, two.Bounds().Dy()-1) == deskGrey {
		t.Error("the kitchen's short paper does not end where the receipts end")
	}
}
