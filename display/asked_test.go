package display

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	textdisplay "periph.io/x/conn/v3/display"

	"github.com/tillwright/tillwright/display/displaytest"
	"github.com/tillwright/tillwright/display/pole"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/keypad"
)

// at returns one of the keypad's places.
func at(t testing.TB, name string) keypad.Place {
	t.Helper()
	i := slices.IndexFunc(keypad.Places, func(p keypad.Place) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("no place %q", name)
	}
	return keypad.Places[i]
}

// TestPromptIsTheCashiers: what the cashier is asked changes his panel at once, the
// customer's panel and browser's picture not at all.
func TestPromptIsTheCashiers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		theirs, his := displaytest.New(320, 240), displaytest.New(128, 160)
		d := run(t, Options{Panels: []Panel{theirs, his}, Shows: []Shows{ShowsCustomer, ShowsCashier}})
		v, p := asked(t, "en", at(t, "amount"))
		d.Publish(v)
		synctest.Wait()
		theirs.Forget()
		his.Forget()
		_, number := d.PNG()
		d.Prompt(p)
		synctest.Wait()
		if _, n := d.PNG(); n != number || len(theirs.Calls()) != 0 {
			t.Errorf("the customer's picture is number %d after %d, and was drawn %d times", n, number, len(theirs.Calls()))
		}
		same := func(p pos.Prompt) {
			t.Helper()
			synctest.Wait()
			want := Glass{Size: his.Rect.Size()}.Counter(v, p, ShowsCashier, time.Now())
			if !slices.Equal(his.Image().Pix, want.Pix) {
				t.Errorf("the cashier's panel does not show %s", p.Kind)
			}
		}
		same(p)
		his.Forget()
		d.Prompt(p)
		synctest.Wait()
		if len(his.Calls()) != 0 {
			t.Error("the same prompt was drawn again")
		}
		_, p = asked(t, "en", at(t, "pay"))
		d.Prompt(p)
		same(p)
	})
}

// TestBothOnOnePanel: the customer's code takes the place over while he pays, as large
// as it would stand alone or in modules of the same size, and leaves it again.
func TestBothOnOnePanel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		panel := displaytest.New(240, 320)
		d := run(t, Options{Panels: []Panel{panel}, Shows: []Shows{ShowsBoth}})
		for _, name := range []string{"pay", "waiting", "pay"} {
			v, p := asked(t, "en", at(t, name))
			v.Customer.Expires = time.Now().Add(4 * time.Minute)
			d.Publish(v)
			d.Prompt(p)
			synctest.Wait()
			got := zxing(frame{img: panel.Image(), code: panel.Rect})
			if want := v.Customer.QR; (got == want) != (name == "waiting") {
				t.Errorf("%s: the panel reads %.20q", name, got)
			}
		}
	})
}

// TestCodeBesideTheCashier: on no glass does the cashier's line cost the customer's
// code a pixel of its modules.
func TestCodeBesideTheCashier(t *testing.T) {
	for _, g := range append(counterGlasses(), glasses()...) {
		v, p := asked(t, "de", at(t, "waiting"))
		alone := sceneOf(v, t0).draw(g, nil).module
		if shared := (stage{sceneOf(v, t0), p, ShowsBoth}).draw(g, nil).module; shared != alone || (alone == 0) != !g.Carries() {
			t.Errorf("%+v: %d pixels a module beside the cashier, %d alone", g, shared, alone)
		}
	}
}

// TestStillRests: a sheet of paper shows each step at once, and a number when nobody
// has typed for a moment, not each of its digits.
func TestStillRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := paper{displaytest.New(250, 122)}
		d := run(t, Options{Panels: []Panel{p}, Shows: []Shows{ShowsCashier}})
		v, ready := asked(t, "en", at(t, "ready"))
		d.Publish(v)
		d.Prompt(ready)
		synctest.Wait()
		p.Forget()
		for i := range 6 {
			next := ready
			next.Typed.Amount = pos.Amount{Minor: int64(i + 1), Currency: v.Shop.Currency}
			d.Prompt(next)
			time.Sleep(restFor / 3)
		}
		synctest.Wait()
		if n := len(p.Calls()); n != 0 {
			t.Errorf("while somebody types it was drawn %d times", n)
		}
		time.Sleep(restFor)
		synctest.Wait()
		if n := len(p.Calls()); n != 1 {
			t.Errorf("afterwards it was drawn %d times", n)
		}
		_, pay := asked(t, "en", at(t, "pay"))
		d.Prompt(pay)
		synctest.Wait()
		if n := len(p.Calls()); n != 2 {
			t.Errorf("the next step: drawn %d times in all", n)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(p.Calls()); n != 2 {
			t.Errorf("an hour later: drawn %d times in all", n)
		}
	})
}

// TestPolePrompts brings prompts to a pole through its driver: two lines, and every sum
// whole.
func TestPolePrompts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		glass := &displaytest.Pole{Dialect: "escpos"}
		dev, err := pole.New(func() (io.WriteCloser, error) { return glass, nil }, pole.Opts{Dialect: "escpos", CodePage: "cp858"})
		if err != nil {
			t.Fatal(err)
		}
		d := run(t, Options{Texts: []textdisplay.TextDisplay{dev}, Shows: []Shows{ShowsCashier}})
		for _, x := range []struct{ place, first, second string }{
			{"set-up", " 192.168.1.20:8080  ", "  /setup K7QM-2WXD  "},
			{"pin", "PIN: Anna           ", "                ****"},
			{"amount", "              4,20 €", "Summe        16,95 €"},
			{"pay", "Zu zahlen    16,95 €", "Enter Bar passend   "},
			{"given", "Rückgeld      3,05 €", "Gegeben      20,00 €"},
			{"change", "Rückgeld      2,42 €", "BEZAHLT      16,95 €"},
			{"doubt", "Bezahlt? Unbekannt  ", "Zu zahlen    16,95 €"},
			{"sure", " Verkauf aufgeben?  ", "   - nochmal: ja    "},
		} {
			v, p := asked(t, "de", at(t, x.place))
			d.Publish(v)
			d.Prompt(p)
			time.Sleep(time.Second)
			synctest.Wait()
			if got := glass.Lines(); got != [2]string{x.first, x.second} {
				t.Errorf("%s: %q", x.place, got)
			}
		}
		for _, err := range glass.Faults() {
			t.Error(err)
		}
	})
}

// TestLinesOfAnyWidth tells every moment on displays of 8 to 40 letters: lines are as
// long as the display, and a sum is whole or not there.
func TestLinesOfAnyWidth(t *testing.T) {
	for _, lang := range pos.Languages {
		for _, where := range keypad.Places {
			for _, cols := range []int{8, 16, 20, 40} {
				v, p := asked(t, lang, where)
				for _, line := range CounterLines(v, p, ShowsCashier, cols, 2, t0) {
					if n := len([]rune(line)); n != cols {
						t.Errorf("%s %s: %q has %d letters", lang, where.Name, line, n)
					}
				}
				whole := strings.Join(CounterLines(v, p, ShowsCashier, cols, 4, t0), "")
				if sum := money(lang, p.Sum.Amount); where.Name == "pay" && cols >= 16 && !strings.Contains(whole, strings.ReplaceAll(sum, space, " ")) {
					t.Errorf("%s, %d letters: no %s in %q", lang, cols, sum, whole)
				}
			}
		}
	}
}

// TestNoPromptYet: panels for the cashier stand somewhere before the first prompt.
func TestNoPromptYet(t *testing.T) {
	for _, g := range counterGlasses() {
		v := coffee(t, "en", pos.PhaseIdle)
		for _, shows := range []Shows{ShowsCashier, ShowsBoth} {
			if img := g.Counter(v, pos.Prompt{}, shows, t0); img.Rect.Size() != g.Size {
				t.Errorf("%v: %v", g, img.Rect)
			}
		}
		if img := g.Counter(v, pos.Prompt{}, ShowsBoth, t0); !slices.Equal(img.Pix, g.Picture(v, t0).Pix) {
			t.Errorf("%v: not the customer's picture", g)
		}
	}
}
