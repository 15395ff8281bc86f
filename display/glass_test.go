package display

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/tillwright/tillwright/display/displaytest"
	"github.com/tillwright/tillwright/display/pole"
	"github.com/tillwright/tillwright/pos"
)

// TestMono holds that a glass without greys gets black and white alone, and one
// that glows a dark picture, except for a code.
func TestMono(t *testing.T) {
	for _, g := range glasses() {
		if !g.Mono {
			continue
		}
		for _, phase := range phases {
			f := sceneOf(coffee(t, "en", phase), t0).draw(g, nil)
			dark := 0
			for i := 0; i < len(f.img.Pix); i += 4 {
				if v := f.img.Pix[i]; v != f.img.Pix[i+1] || v != f.img.Pix[i+2] || (v != 0 && v != 255) {
					t.Fatalf("%+v %s: pixel %v", g, phase, f.img.Pix[i:i+4])
				} else if v == 0 {
					dark++
				}
			}
			if mostly := dark > len(f.img.Pix)/8; mostly != (g.Dark || phase == pos.PhasePaid) {
				t.Errorf("%+v %s: %d of %d pixels are dark", g, phase, dark, len(f.img.Pix)/4)
			}
		}
	}
	short := coffee(t, "en", pos.PhaseDue)
	short.Customer.QR = "A"
	f := sceneOf(short, t0).draw(Glass{Size: image.Pt(128, 64), Mono: true, Dark: true}, nil)
	if f.code.Empty() || f.img.RGBAAt(f.code.Min.X, f.code.Min.Y) != white {
		t.Errorf("a code on a glowing glass does not stand on white: %v", f.code)
	}
}

// TestStill holds that nothing on a sheet moves with time, until time is up.
func TestStill(t *testing.T) {
	for _, g := range glasses() {
		if !g.Still {
			continue
		}
		v := coffee(t, "en", pos.PhaseDue)
		first := g.Picture(v, t0)
		if !slices.Equal(first.Pix, g.Picture(v, t0.Add(100*time.Second)).Pix) {
			t.Errorf("%+v: something ticks", g)
		}
		if slices.Equal(first.Pix, g.Picture(v, v.Customer.Expires).Pix) {
			t.Errorf("%+v: the code stands after its time", g)
		}
	}
}

// TestRound holds that what is said on a disc is not said where there is no glass.
func TestRound(t *testing.T) {
	g := Glass{Size: image.Pt(240, 240), Round: true}
	for _, phase := range phases {
		f := sceneOf(coffee(t, "en", phase), t0).draw(g, nil)
		ground := f.img.RGBAAt(0, 0)
		for y := range 240 {
			for x := range 240 {
				dx, dy := 2*x-239, 2*y-239
				if dx*dx+dy*dy > 240*240 && f.img.RGBAAt(x, y) != ground {
					t.Fatalf("%s: something stands at %d,%d", phase, x, y)
				}
			}
		}
	}
}

// TestModule holds which glass can carry what.
func TestModule(t *testing.T) {
	for _, test := range []struct {
		g       Glass
		module  int
		carries bool
	}{
		{Glass{Size: image.Pt(800, 480)}, 7, true},
		{Glass{Size: image.Pt(250, 122), Mono: true, Still: true}, 2, true},
		{Glass{Size: image.Pt(240, 240), Round: true}, 2, true},
		{Glass{Size: image.Pt(128, 128)}, 2, true},
		{Glass{Size: image.Pt(80, 160)}, 0, false},
		{Glass{Size: image.Pt(128, 64), Mono: true, Dark: true}, 0, false},
		{Glass{}, 0, false},
	} {
		if got := test.g.Module(invoice(296)); got != test.module || test.g.Carries() != test.carries {
			t.Errorf("%+v: %d pixels a module, carries %v; want %d, %v", test.g, got, test.g.Carries(), test.module, test.carries)
		}
	}
}

// TestShorten holds that only what is optional goes.
func TestShorten(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"bitcoin:bc1q?amount=1&label=Caf%C3%A9&message=x&lightning=LNBC1", "bitcoin:bc1q?amount=1&lightning=LNBC1"},
		{"BITCOIN:BC1Q?AMOUNT=1&LABEL=A", "BITCOIN:BC1Q?AMOUNT=1"},
		{"bitcoin:bc1q?label=A", "bitcoin:bc1q"},
		{"bitcoin:bc1q", "bitcoin:bc1q"},
		{"solana:mv?amount=1&reference=8&label=A&memo=7&message=B", "solana:mv?amount=1&reference=8&memo=7"},
		{"monero:4?tx_amount=1&recipient_name=A", "monero:4?tx_amount=1"},
		{"https://shop.example/?label=A", "https://shop.example/?label=A"},
		{"LNBC1?label=A", "LNBC1?label=A"},
		{"ethereum:0x1@1?value=1&label=A", "ethereum:0x1@1?value=1&label=A"},
		{"", ""},
	} {
		if got := shorten(test.in); got != test.want {
			t.Errorf("%q becomes %q, want %q", test.in, got, test.want)
		}
	}
}

// TestOptionalGoesFirst draws an address with a long label on panels. The code must
// be whole where that costs nothing, and without the label where a module would
// otherwise be smaller than it has to be.
func TestOptionalGoesFirst(t *testing.T) {
	full := "bitcoin:bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq?amount=0.00020340&label=" + strings.Repeat("Caf%C3%A9", 12)
	for _, test := range []struct {
		g     Glass
		brief bool
	}{
		{Glass{Size: landscape}, false},
		{Glass{Size: image.Pt(480, 320)}, false},
		{Glass{Size: image.Pt(320, 240)}, true},
		{Glass{Size: image.Pt(240, 240)}, true},
		{Glass{Size: image.Pt(128, 128)}, true},
	} {
		v := dueWith(t, full)
		f := sceneOf(v, t0).draw(test.g, nil)
		want := full
		if test.brief {
			want = shorten(full)
		}
		if got := zxing(f); got != want {
			t.Errorf("%v: reads %q", test.g.Size, got)
		}
	}
}

// paper is a still panel that counts how often it is drawn on.
type paper struct{ *displaytest.Panel }

func (paper) Still() bool { return true }
func (paper) Mono() bool  { return true }

// TestStillPanel holds that a sheet gets each picture in one piece, none that is the
// same, and is left white.
func TestStillPanel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := paper{displaytest.New(250, 122)}
		d := New(Options{Panels: []Panel{p}})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- d.Run(ctx) }()
		synctest.Wait()
		for i, phase := range []pos.Phase{pos.PhaseBasket, pos.PhaseDue, pos.PhaseArriving, pos.PhasePaid} {
			p.Forget()
			v := coffee(t, "en", phase)
			v.Version, v.Customer.Expires = uint64(i+1), time.Now().Add(time.Hour)
			d.Publish(v)
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if got := p.Calls(); len(got) != 1 {
				t.Errorf("%s: drawn %d times: %v", phase, len(got), got)
			}
		}
		p.Forget()
		v := coffee(t, "en", pos.PhaseDue)
		v.Version, v.Customer.Expires = 9, time.Now().Add(30*time.Second)
		d.Publish(v)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := p.Calls(); len(got) != 2 || zxing(frame{img: p.Image(), code: p.Rect}) == v.Customer.QR {
			t.Errorf("a code whose time is up: drawn %d times", len(got))
		}
		stop()
		if err := <-done; err != nil || p.Image().RGBAAt(9, 9) != white || !p.Halted() {
			t.Errorf("left as %v, %v", p.Image().RGBAAt(9, 9), err)
		}
	})
}

// TestSaidAtStart holds that a display which cannot show codes says so when it
// comes up, to the log and to the links.
func TestSaidAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		var mu sync.Mutex
		var links []pos.Link
		d := New(Options{
			Panels: []Panel{displaytest.New(128, 64), displaytest.New(320, 240)}, Log: slog.New(slog.NewTextHandler(&log, nil)),
			Link: func(l pos.Link) {
				mu.Lock()
				defer mu.Unlock()
				links = append(links, l)
			},
		})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- d.Run(ctx) }()
		synctest.Wait()
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(links, func(a, b pos.Link) int { return strings.Compare(a.Name, b.Name) })
		if len(links) != 2 || !strings.Contains(links[0].Detail, "too small") || links[1].Detail != "" {
			t.Errorf("links %+v", links)
		}
		if strings.Count(log.String(), "too small for a payment code") != 1 {
			t.Errorf("log %s", log.String())
		}
	})
}

// TestLines holds what each phase says in two lines of twenty letters.
func TestLines(t *testing.T) {
	cash := coffee(t, "en", pos.PhaseDue)
	cash.Customer.QR, cash.Customer.Tender = "", pos.Cash
	huge := sale(t, "en", "KWD", pos.PhaseDue, 1, 123456789012)
	huger := sale(t, "en", "KWD", pos.PhaseDue, 1, 1234567890123)
	late := coffee(t, "en", pos.PhaseDue)
	late.Customer.Expires = t0
	exact := coffee(t, "en", pos.PhaseChange)
	exact.Customer.Given, exact.Customer.Change.Minor = exact.Customer.Total, 0
	for _, test := range []struct {
		name string
		v    pos.View
		want [2]string
	}{
		{"idle", coffee(t, "en", pos.PhaseIdle), [2]string{"      Café Süd      ", "      Welcome       "}},
		{"basket", coffee(t, "en", pos.PhaseBasket), [2]string{"Crème brûlée   €2.43", "Total         €16.95"}},
		{"due", coffee(t, "en", pos.PhaseDue), [2]string{"To pay        €16.95", "Lightning       4:37"}},
		{"cash", cash, [2]string{"To pay        €16.95", "Cash                "}},
		{"a long sum", huge, [2]string{" KWD 123,456,789.012", "Lightning       4:37"}},
		{"a sum that no line holds", huger, [2]string{"To pay            --", "Lightning       4:37"}},
		{"time is up", late, [2]string{"Checking the payment", "                    "}},
		{"arriving", coffee(t, "en", pos.PhaseArriving), [2]string{"Payment on its way …", "                    "}},
		{"paid", coffee(t, "en", pos.PhasePaid), [2]string{"PAID          €16.95", "     Thank you!     "}},
		{"exact cash", exact, [2]string{"PAID          €16.95", "     Thank you!     "}},
		{"change", coffee(t, "en", pos.PhaseChange), [2]string{"Given         €19.37", "Change         €2.42"}},
		{"refused", coffee(t, "en", pos.PhaseRefused), [2]string{"The code has expired", "                    "}},
		{"in French", coffee(t, "fr", pos.PhaseDue), [2]string{"À payer      16,95 €", "Lightning       4:37"}},
	} {
		if got := Lines(test.v, 20, 2, t0); got[0] != test.want[0] || got[1] != test.want[1] {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	for _, lang := range pos.Languages {
		for _, phase := range phases {
			for _, reason := range []string{"expired", "cancelled", "failed"} {
				v := coffee(t, lang, phase)
				v.Customer.Reason = reason
				for _, size := range [][2]int{{20, 2}, {16, 2}, {20, 4}, {20, 1}} {
					got := Lines(v, size[0], size[1], t0)
					for _, l := range got {
						if len(got) != size[1] || utf8.RuneCountInString(l) != size[0] {
							t.Errorf("%s %s on %v: %q", lang, phase, size, got)
						}
					}
				}
			}
		}
	}
}

// TestNoLetterOfAName: a display that has no letter of a name leaves it out; one that has
// some of them tells those.
func TestNoLetterOfAName(t *testing.T) {
	ascii := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r > '~' {
				return '?'
			}
			return r
		}, s)
	}
	v := coffee(t, "en", pos.PhaseBasket)
	last := &v.Customer.Lines[len(v.Customer.Lines)-1]
	idle := pos.View{Shop: v.Shop, Customer: pos.Customer{Phase: pos.PhaseIdle}}
	for name, want := range map[string][2]string{
		"กาแฟเย็น":  {"", "Welcome"},
		"抹茶 ラテ":     {"", "Welcome"},
		"抹茶 Latte":  {"?? Latte", "?? Latte"},
		"Crème":     {"Cr?me", "Cr?me"},
		"What is ?": {"What is ?", "What is ?"},
	} {
		last.Name, idle.Shop.Name = name, name
		sh := sheet{cols: 20, rows: 2, like: ascii}
		if got := strings.Fields(sceneOf(v, t0).lines(sh)[0]); strings.Join(got[:len(got)-1], " ") != want[0] {
			t.Errorf("%s: the basket says %q", name, got)
		}
		if got := strings.TrimSpace(sceneOf(idle, t0).lines(sh)[0]); got != want[1] {
			t.Errorf("%s: the idle counter says %q, want %q", name, got, want[1])
		}
	}
}

// TestPole runs a pole beside a panel: it shows the sale, goes through a cable that
// is pulled out, and is empty in the end; the panel never notices.
func TestPole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		glass := &displaytest.Pole{Dialect: "cd5220"}
		var out atomic.Bool
		dev, err := pole.New(func() (io.WriteCloser, error) {
			if out.Load() {
				return nil, errors.New("no such device")
			}
			return glass, nil
		}, pole.Opts{Dialect: "cd5220"})
		if err != nil {
			t.Fatal(err)
		}
		glass.Fail = func(int) error {
			if out.Load() {
				return displaytest.ErrBus
			}
			return nil
		}
		p := small()
		d := New(Options{Panels: []Panel{p}})
		d.texts = append(d.texts, dev)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- d.Run(ctx) }()
		show := func(n int) {
			d.Publish(basketOf(t, n))
			synctest.Wait()
			shows(t, p, basketOf(t, n))
		}
		show(740)
		if got := glass.Lines(); got[1] != "Total      EUR740.00" {
			t.Errorf("shows %q", got)
		}
		out.Store(true)
		show(741)
		time.Sleep(time.Minute)
		show(742)
		out.Store(false)
		time.Sleep(retryMax)
		synctest.Wait()
		if got := glass.Lines(); got[1] != "Total      EUR742.00" {
			t.Errorf("after the cable came back it shows %q", got)
		}
		stop()
		if err := <-done; err != nil || strings.TrimSpace(fmt.Sprint(glass.Lines())) != "["+strings.Repeat(" ", 41)+"]" {
			t.Errorf("left as %q, %v", glass.Lines(), err)
		}
		for _, err := range glass.Faults() {
			t.Error(err)
		}
	})
}

// exchanged is a panel that may be exchanged for another one.
type exchanged struct{ *displaytest.Panel }

// TestExchanged pulls a display out and puts a smaller one in: it gets a picture of
// its own size.
func TestExchanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &exchanged{small()}
		other := displaytest.New(160, 128)
		d := run(t, Options{Panels: []Panel{p}})
		d.Publish(basketOf(t, 1))
		synctest.Wait()
		p.Fail = func(int) error {
			p.Panel = other
			return displaytest.ErrDead
		}
		d.Publish(basketOf(t, 2))
		time.Sleep(retryFirst)
		synctest.Wait()
		shows(t, other, basketOf(t, 2))
	})
}
