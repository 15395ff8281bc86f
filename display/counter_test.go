package display

import (
	"fmt"
	"image"
	"image/png"
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

// TestWatch is the cashier's panel beside a phone or a tablet: no key is named, and all
// that stands on the counter is.
func TestWatch(t *testing.T) {
	for _, lang := range []string{"en", "de"} {
		for _, name := range []string{"ready", "basket", "pay", "waiting", "doubt", "done", "change"} {
			v, _ := asked(t, lang, at(t, name))
			v = counterOf(v, name)
			p := keypad.Watch(v)
			if len(p.Keys) > 0 || p.Who != "" {
				t.Errorf("%s: %+v", name, p)
			}
			for _, g := range counterGlasses() {
				var texts []text
				f := stage{sceneOf(v, t0), p, ShowsCashier}.draw(g, func(box image.Rectangle, s string, f fitted, t set, wt *weight) {
					texts = append(texts, text{box, s, f, t, wt})
				})
				checkTexts(t, fmt.Sprintf("%s %v %s", lang, g, name), withNames(v, p), g, texts)
				if dir := os.Getenv("SHEET"); dir != "" && (g.Size.X == 320 && g.Size.Y == 240 || g.Size.X == 128 && g.Size.Y == 160) {
					if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("watch-%s-%d-%s.png", lang, g.Size.X, name)), encode(f.img), 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}

// counterOf gives a view the counter that it has at a place.
func counterOf(v pos.View, place string) pos.View {
	s := pos.SaleView{Sale: pos.Sale{ID: "1", Ref: "#0417", State: pos.Draft, Lines: v.Customer.Lines}, Totals: pos.Totals{Total: v.Customer.Total}, Due: v.Customer.Due}
	v.Counter.Tenders = []pos.TenderView{{Tender: pos.Cash, Ready: true}, {Tender: "lightning", Reason: "The Lightning node does not answer. Check its power and the network."}}
	v.Counter.Links = []pos.Link{{Name: "lightning", State: "offline"}, {Name: "printer", State: "online"}}
	switch place {
	case "pay":
		s.State = pos.Awaiting
	case "waiting", "doubt":
		s.State, s.Waiting, s.Doubtful = pos.Awaiting, true, place == "doubt"
		s.Payments = []pos.Payment{{Tender: "lightning", State: pos.Requested, Amount: s.Due}}
	case "ready", "done", "change":
		v.Counter.Notices = []pos.Notice{{Text: pos.Word(v.Shop.Language, "notice_paid", "ref", "#0416", "amount", "3.20 EUR")}}
		return v
	}
	v.Counter.Current = &s
	return v
}

// TestPromptGolden compares prompts with those in testdata that were looked at and
// found good.
func TestPromptGolden(t *testing.T) {
	tft, sheet := Glass{Size: image.Pt(240, 320)}, Glass{Size: image.Pt(250, 122), Mono: true, Still: true}
	for _, x := range []struct {
		place, lang string
		g           Glass
		shows       Shows
	}{
		{"set-up", "en", tft, ShowsBoth}, {"pieces", "en", tft, ShowsBoth}, {"pay", "en", tft, ShowsBoth}, {"waiting", "en", tft, ShowsBoth},
		{"given", "de", Glass{Size: image.Pt(320, 240)}, ShowsCashier}, {"doubt", "de", Glass{Size: image.Pt(320, 240)}, ShowsCashier},
		{"ways", "en", Glass{Size: image.Pt(480, 320)}, ShowsCashier}, {"pay", "fr", Glass{Size: landscape}, ShowsCashier},
		{"amount", "es", Glass{Size: image.Pt(128, 160)}, ShowsCashier}, {"change", "pt", sheet, ShowsCashier},
		{"pay", "de", Glass{Size: image.Pt(128, 64), Mono: true, Dark: true}, ShowsCashier}, {"menu", "fr", Glass{Size: image.Pt(240, 240), Round: true}, ShowsCashier},
	} {
		name := fmt.Sprintf("prompt-%s-%s-%dx%d.png", x.place, x.lang, x.g.Size.X, x.g.Size.Y)
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name)
			v, p := asked(t, x.lang, at(t, x.place))
			got := x.g.Counter(v, p, x.shows, t0)
			if *update {
				if err := os.WriteFile(path, encode(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			file, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			want, err := png.Decode(file)
			if err != nil {
				t.Fatal(err)
			}
			if n := different(got, want); n > 0 {
				seen := filepath.Join(t.ArtifactDir(), name)
				_ = os.WriteFile(seen, encode(got), 0o644)
				t.Errorf("%d pixels differ; the picture is %s", n, seen)
			}
		})
	}
}
