package display

import (
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/keypad"
)

// asked returns the customer's picture and the cashier's prompt at a place of coffee's
// sale.
func asked(t testing.TB, lang string, place keypad.Place) (pos.View, pos.Prompt) {
	t.Helper()
	v := coffee(t, lang, place.Phase)
	p, ok := keypad.Sample(keypad.Layout{}, place.Name, v)
	if !ok {
		t.Fatalf("there is no place %q", place.Name)
	}
	return v, p
}

// TestSheet writes all prompts of all sizes into one folder, to be looked at.
func TestSheet(t *testing.T) {
	dir := os.Getenv("SHEET")
	if dir == "" {
		t.Skip("SHEET names no folder")
	}
	for _, lang := range []string{"en", "de", "fr"} {
		for _, g := range counterGlasses() {
			var all []*image.RGBA
			for _, place := range keypad.Places {
				v, p := asked(t, lang, place)
				all = append(all, g.Counter(v, p, ShowsCashier, t0))
			}
			for _, name := range []string{"waiting", "done", "change"} {
				for _, place := range keypad.Places {
					if place.Name == name {
						v, p := asked(t, lang, place)
						all = append(all, g.Counter(v, p, ShowsBoth, t0))
					}
				}
			}
			name := fmt.Sprintf("%s-%dx%d", lang, g.Size.X, g.Size.Y)
			if g.Mono {
				name += "-mono"
			}
			if g.Round {
				name += "-round"
			}
			if err := os.WriteFile(filepath.Join(dir, name+".png"), encode(sheetOfPictures(all)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for _, place := range keypad.Places {
			v, p := asked(t, lang, place)
			t.Logf("%-10s |%s|", place.Name, strings.Join(CounterLines(v, p, ShowsCashier, 20, 2, t0), "|"))
		}
	}
}

// sheetOfPictures sets pictures of one size beside each other.
func sheetOfPictures(all []*image.RGBA) *image.RGBA {
	size, gap := all[0].Rect.Size(), 6
	cols := max(1, min(len(all), 1500/(size.X+gap)))
	rows := (len(all) + cols - 1) / cols
	out := newCanvas(Glass{Size: image.Pt(cols*(size.X+gap), rows*(size.Y+gap))}, "en")
	out.fill(out.img.Rect, accent)
	for i, img := range all {
		at := image.Pt(i%cols*(size.X+gap), i/cols*(size.Y+gap))
		for y := range size.Y {
			for x := range size.X {
				out.img.SetRGBA(at.X+x, at.Y+y, img.RGBAAt(x, y))
			}
		}
	}
	return out.img
}

// counterGlasses are what cashiers look at.
func counterGlasses() []Glass {
	var out []Glass
	for _, size := range []image.Point{{800, 480}, {480, 320}, {320, 480}, {320, 240}, {240, 320}, {240, 240}, {320, 170}, {170, 320}, {160, 128}, {128, 160}, {240, 135}} {
		out = append(out, Glass{Size: size})
	}
	for _, size := range []image.Point{{800, 480}, {400, 300}, {296, 128}, {250, 122}} {
		out = append(out, Glass{Size: size, Mono: true, Still: true})
	}
	return append(out, Glass{Size: image.Pt(240, 240), Round: true},
		Glass{Size: image.Pt(128, 64), Mono: true, Dark: true}, Glass{Size: image.Pt(128, 32), Mono: true, Dark: true})
}

// TestPromptsFit draws every moment of a sale in every language, size and for either
// reader. Goal: each text is inside of its box, no amount and no sentence that matters
// is cut, and all can be read.
func TestPromptsFit(t *testing.T) {
	for _, lang := range pos.Languages {
		for _, g := range counterGlasses() {
			for _, place := range keypad.Places {
				v, p := asked(t, lang, place)
				for _, shows := range []Shows{ShowsCashier, ShowsBoth} {
					var texts []text
					stage{sceneOf(v, t0), p, shows}.draw(g, func(box image.Rectangle, s string, f fitted, t set, wt *weight) {
						texts = append(texts, text{box, s, f, t, wt})
					})
					where := fmt.Sprintf("%s %v %s %s", lang, g, place.Name, shows)
					checkTexts(t, where, withNames(v, p), g, texts)
				}
			}
		}
	}
}

// withNames adds what may be cut beside goods: lists and headings on glass of a few
// letters.
func withNames(v pos.View, p pos.Prompt) pos.View {
	v.Customer.Lines = append([]pos.Line(nil), v.Customer.Lines...)
	add := func(s string) { v.Customer.Lines = append(v.Customer.Lines, pos.Line{Name: s}) }
	for _, c := range p.Choices {
		add(c.Text)
		add(c.Why)
	}
	for _, r := range p.Rows {
		add(r.Label)
	}
	add(p.Sum.Label)
	return v
}
