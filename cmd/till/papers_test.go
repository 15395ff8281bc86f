package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
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
	blank, _ := p.list[0].Look()
	for x, img := 0, look(); x < img.Bounds().Dx(); x++ {
		if size := img.Bounds().Size(); size != blank.Rect.Size() || !white(img.At(x, 0)) {
			t.Fatalf("nothing is printed, and there is a picture of %v with %v in it", size, img.At(x, 0))
		}
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
	if two.At(x, 0) != deskColour || two.At(x, two.Bounds().Dy()-1) == deskColour {
		t.Error("the kitchen's short paper does not end where the receipts end")
	}
	for _, at := range []int{0, one.X - 1} { // the papers are as they are, dot for dot
		first, _ := p.list[0].Look()
		for y := range one.Y {
			if want := first.GrayAt(at, y).Y; want != color.GrayModel.Convert(two.At(at, y)).(color.Gray).Y {
				t.Fatalf("at %d, %d the paper is another", at, y)
			}
		}
	}
	css, err := os.ReadFile("../../pos/web/ui/paper.css")
	if err != nil || !strings.Contains(string(css), fmt.Sprintf("background: #%02x%02x%02x", deskColour.R, deskColour.G, deskColour.B)) {
		t.Errorf("the page has another colour than what lies between the papers: %v\n%s", err, css)
	}
}

func white(c color.Color) bool { return color.GrayModel.Convert(c) == color.Gray{Y: 0xff} }
