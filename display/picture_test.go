package display

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

var update = flag.Bool("update", false, "write the golden pictures anew")

// golden is one picture that was looked at and found good.
type golden struct {
	name string
	view pos.View
	size image.Point
	at   time.Time
}

func goldens(t testing.TB) []golden {
	long := sale(t, "de", "EUR", pos.PhaseDue, 40, 123456789)
	long.Shop.Name = "Bäckerei & Konditorei Oberösterreichischer Landesgenossenschaften"
	full := long
	full.Customer.Phase = pos.PhaseBasket
	idle := long
	idle.Customer.Phase = pos.PhaseIdle
	cash := coffee(t, "fr", pos.PhaseDue)
	cash.Customer.QR, cash.Customer.Tender = "", pos.Cash
	first := sale(t, "pt", "EUR", pos.PhaseBasket, 1, 250)
	return []golden{
		{"idle", coffee(t, "fr", pos.PhaseIdle), landscape, t0},
		{"idle, long name", idle, landscape, t0},
		{"basket", coffee(t, "en", pos.PhaseBasket), landscape, t0},
		{"basket, one line", first, landscape, t0},
		{"basket, 40 lines, large sums", full, landscape, t0},
		{"basket, upright, KWD", sale(t, "es", "KWD", pos.PhaseBasket, 9, 1234567), image.Pt(480, 800), t0},
		{"due", coffee(t, "en", pos.PhaseDue), landscape, t0},
		{"due, large sum", long, landscape, t0},
		{"due, in a hurry", coffee(t, "pt", pos.PhaseDue), landscape, t0.Add(253 * time.Second)},
		{"due, time is up", coffee(t, "pt", pos.PhaseDue), landscape, t0.Add(277 * time.Second)},
		{"due, token", tokenDue(t, "es", standard), landscape, t0},
		{"due, token, typed", tokenDue(t, "de", payTo), landscape, t0},
		{"due, token, part paid", partPaid(t, "en", standard), image.Pt(1024, 600), t0},
		{"due, token, upright", tokenDue(t, "fr", payTo), image.Pt(480, 800), t0},
		{"due, token, 480×320", tokenDue(t, "pt", solana), image.Pt(480, 320), t0},
		{"due, token, 240×240", tokenDue(t, "de", standard), image.Pt(240, 240), t0},
		{"due, token, 160×80", tokenDue(t, "en", standard), image.Pt(160, 80), t0},
		{"due, offline", offline(t, "en", false), landscape, t0},
		{"due, offline, camera, 480×320", offline(t, "de", true), image.Pt(480, 320), t0},
		{"due, offline, 240×240", offline(t, "fr", false), image.Pt(240, 240), t0},
		{"due, cash", cash, landscape, t0},
		{"due, upright", coffee(t, "fr", pos.PhaseDue), image.Pt(480, 800), t0},
		{"due, 320×240", coffee(t, "de", pos.PhaseDue), image.Pt(320, 240), t0},
		{"due, 240×320", coffee(t, "de", pos.PhaseDue), image.Pt(240, 320), t0},
		{"due, 160×128", coffee(t, "en", pos.PhaseDue), image.Pt(160, 128), t0},
		{"due, too small", coffee(t, "en", pos.PhaseDue), image.Pt(80, 160), t0},
		{"arriving", coffee(t, "es", pos.PhaseArriving), landscape, t0},
		{"checking", coffee(t, "de", pos.PhaseChecking), landscape, t0},
		{"paid", coffee(t, "en", pos.PhasePaid), landscape, t0},
		{"paid, JPY", sale(t, "de", "JPY", pos.PhasePaid, 3, 1234567), landscape, t0},
		{"change", coffee(t, "fr", pos.PhaseChange), landscape, t0},
		{"refused", coffee(t, "en", pos.PhaseRefused), landscape, t0},
	}
}

// TestGolden compares pictures with those in testdata, pixel for pixel. One step
// of a letter's 16 is let pass: other processors round otherwise.
func TestGolden(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			name := strings.NewReplacer(",", "", " ", "-", "×", "x").Replace(g.name) + ".png"
			path := filepath.Join("testdata", name)
			got := Picture(g.view, g.size, g.at)
			if *update {
				if err := os.WriteFile(path, encode(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, err := png.Decode(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			if n := different(got, want); n > 0 {
				seen := filepath.Join(t.ArtifactDir(), name)
				_ = os.WriteFile(seen, encode(got), 0o644)
				t.Errorf("%d pixels differ; the picture is %s. If it is better: go test ./display -update", n, seen)
			}
		})
	}
}

func different(got *image.RGBA, want image.Image) (n int) {
	if got.Rect != want.Bounds() {
		return got.Rect.Dx() * got.Rect.Dy()
	}
	for y := range got.Rect.Dy() {
		for x := range got.Rect.Dx() {
			a, b := got.RGBAAt(x, y), color.RGBAModel.Convert(want.At(x, y)).(color.RGBA)
			if step := 255/15 + 1; far(a.R, b.R) > step || far(a.G, b.G) > step || far(a.B, b.B) > step {
				n++
			}
		}
	}
	return n
}

func far(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }

// names are the texts that may be cut: they come from the shop, and there is no
// end to how long one is.
func names(v pos.View) []string {
	out := []string{v.Shop.Name}
	for _, l := range v.Customer.Lines {
		out = append(out, l.Name)
	}
	return out
}

// TestEverythingFits draws every phase in every language, size and kind of money
// that there is. Goal: each text is inside of its box, the box inside of the
// picture, no word and no amount is cut, and all can be read.
func TestEverythingFits(t *testing.T) {
	n := 0
	for _, lang := range pos.Languages {
		for _, g := range glasses() {
			for _, v := range []pos.View{
				coffee(t, lang, ""), tokenDue(t, lang, standard), tokenDue(t, lang, payTo), partPaid(t, lang, solana), partPaid(t, lang, payTo), offline(t, lang, false), offline(t, lang, true), sale(t, lang, "EUR", "", 40, 123456789), sale(t, lang, "KWD", "", 3, 1234567), sale(t, lang, "JPY", "", 12, 9876543),
			} {
				for _, phase := range phases {
					for _, reason := range []string{"expired", "cancelled", "failed", ""} {
						if reason != "expired" && (phase != pos.PhaseRefused || len(v.Customer.Lines) != 7) {
							continue
						}
						if n++; n%stride != 0 {
							continue
						}
						v.Customer.Phase, v.Customer.Reason = phase, reason
						where := fmt.Sprintf("%s %+v %s %s %s", lang, g, phase, v.Customer.Total, reason)
						_, texts := lookOn(v, g, t0)
						checkTexts(t, where, v, g, texts)
					}
				}
			}
		}
	}
}

func checkTexts(t *testing.T, where string, v pos.View, g Glass, texts []text) {
	t.Helper()
	size, most := g.Size, 8
	if min(size.X, size.Y) < compactBelow {
		most = 5 // sums of a million in a column of 40 pixels
	}
	if len(texts) == 0 && v.Customer.Phase != pos.PhaseDue { // a code may need all the room
		t.Errorf("%s: no words", where)
	}
	for _, x := range texts {
		if !x.box.In(image.Rectangle{Max: size}) {
			t.Errorf("%s: %v leaves the picture", where, x)
		}
		if h := lineHeight(x.f.size) * len(x.f.lines); h > x.box.Dy() {
			t.Errorf("%s: %v is %d pixels high", where, x, h)
		}
		for _, line := range x.f.lines {
			if w := x.wt.width(line, x.f.size); w > x.box.Dx() {
				t.Errorf("%s: %v is %d pixels wide", where, x, w)
			}
		}
		switch {
		case x.set.spare && len(x.f.lines) == 0:
		case x.cut() && !isName(v, x.s):
			t.Errorf("%s: %v is cut to %q", where, x, x.f.lines)
		case x.f.size < most || (min(size.X, size.Y) >= 480 && x.f.size < 14):
			t.Errorf("%s: %v is set in %d pixels", where, x, x.f.size)
		}
	}
}

func isName(v pos.View, s string) bool {
	for _, n := range names(v) {
		if strings.Contains(s, regular.clean(n)) {
			return true
		}
	}
	return false
}

// TestWhatIsSaid holds what each phase must tell, and what it must not.
func TestWhatIsSaid(t *testing.T) {
	part := coffee(t, "en", pos.PhaseDue)
	part.Customer.Due.Minor = 500
	unknown := coffee(t, "en", "singing")
	strange := coffee(t, "en", pos.PhaseRefused)
	strange.Customer.Reason = "node melted"
	camera := coffee(t, "en", pos.PhaseDue)
	camera.Customer.QR, camera.Customer.Network = "https://pay.example/x", "Processor"
	late := coffee(t, "en", pos.PhaseDue)
	late.Customer.Expires = t0
	cash := coffee(t, "en", pos.PhaseDue)
	cash.Customer.QR, cash.Customer.Tender = "", pos.Cash
	nameless := coffee(t, "en", pos.PhaseIdle)
	nameless.Shop.Name = " "
	for _, test := range []struct {
		name  string
		v     pos.View
		say   []string
		never []string
	}{
		{"idle", coffee(t, "en", pos.PhaseIdle), []string{"Café Süd", "Welcome"}, []string{"€"}},
		{"idle without a name", nameless, []string{"Welcome"}, []string{"€"}},
		{"a phase of tomorrow", unknown, []string{"Welcome"}, []string{"€"}},
		{"basket", coffee(t, "en", pos.PhaseBasket), []string{"Total", "€16.95", "incl. €2.83 tax", "Items 8", "and 2 more", "Käsekuchen"}, []string{"PAID"}},
		{"due", coffee(t, "en", pos.PhaseDue), []string{"To pay", "€16.95", "20,340" + space + "sat", "€58,123.40", "4:37 left", "Lightning wallet", "#0417"}, []string{"PAID"}},
		{"due offline", offline(t, "en", false), []string{"To pay", "€16.95", "Request #0417", "Scan with a Lightning wallet, pay, then show the six-digit code to the cashier", "20:00 left", "Café Süd"}, []string{"sat", "BTC", "#0031", "camera", "offline"}},
		{"due offline with a camera", offline(t, "en", true), []string{"€16.95", "Request #0417", "camera", "Lightning", "six-digit code"}, []string{"sat", "wallet"}},
		{"due in a token", tokenDue(t, "en", standard), []string{"To pay", "€16.95", "18.3101" + space + "USDC", "on Base", "Scan with a wallet", "USDC on Base only. Other networks may be lost.", "Address ends in d8976F", "4:37 left"}, []string{"Type", "Lightning", "Remaining"}},
		{"due in a token that is typed", tokenDue(t, "en", payTo), []string{"€16.95", "Type exactly", "18.3101" + space + "USDC", "on Base", "only. Other networks", "d8976F"}, []string{"Lightning", "Scan with a wallet"}},
		{"due in a token with a camera", tokenDue(t, "en", metamask), []string{"18.3101" + space + "USDC", "on Base", "camera", "may be lost"}, []string{"Type"}},
		{"due in a token, part paid", partPaid(t, "en", standard), []string{"Remaining", "€7.69", "8.3101" + space + "USDC", "on Base", "10.0000" + space + "USDC received"}, []string{"€16.95", "To pay"}},
		{"part paid", part, []string{"€5.00"}, []string{"€16.95"}},
		{"due with a camera", camera, []string{"camera"}, []string{"wallet"}},
		{"due in cash", cash, []string{"To pay", "€16.95", "Cash"}, []string{"left", "wallet"}},
		{"time is up", late, []string{"Checking the payment."}, []string{"left", "expired", "PAID", "Scan"}},
		{"arriving", coffee(t, "en", pos.PhaseArriving), []string{"Payment on its way", "€16.95"}, []string{"PAID"}},
		{"checking", coffee(t, "en", pos.PhaseChecking), []string{"Checking the payment.", "€16.95"}, []string{"PAID", "expired"}},
		{"paid", coffee(t, "en", pos.PhasePaid), []string{"PAID", "€16.95", "Receipt" + space + "01-000482", "Thank you!"}, []string{"To pay"}},
		{"change", coffee(t, "en", pos.PhaseChange), []string{"Change", "€2.42", "Total", "€16.95", "Given", "€19.37", "PAID"}, []string{"To pay"}},
		{"expired", coffee(t, "en", pos.PhaseRefused), []string{"The code has expired.", "To pay €16.95"}, []string{"PAID", "Nothing was charged"}},
		{"a reason of tomorrow", strange, []string{"cannot go on"}, []string{"melted", "Nothing was charged"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, texts := look(test.v, landscape, t0)
			for _, s := range test.say {
				if _, ok := find(texts, s); !ok {
					t.Errorf("nowhere is said %q: %v", s, texts)
				}
			}
			for _, s := range test.never {
				if x, ok := find(texts, s); ok {
					t.Errorf("it says %v", x)
				}
			}
			if want := strings.HasPrefix(test.name, "due") && test.v.Customer.QR != "" || test.name == "part paid"; f.code.Empty() == want {
				t.Errorf("the code stands at %v", f.code)
			}
		})
	}
}

// TestNumberIsNotCutOff: the sale's number stands whole beside its code or not at all,
// however long the shop's name is: "Café Aurora – #0…" calls no sale.
func TestNumberIsNotCutOff(t *testing.T) {
	seen := 0
	for _, name := range []string{"Café Aurora", "Gemischtwarenhandlung Überlacker & Söhne"} {
		for _, v := range []pos.View{coffee(t, "en", pos.PhaseDue), tokenDue(t, "en", standard)} {
			v.Shop.Name = name
			for _, size := range panels {
				_, texts := look(v, size, t0)
				for _, x := range texts {
					if !strings.Contains(x.s, v.Customer.Ref) {
						continue
					}
					if seen++; x.cut() && len(x.f.lines) > 0 {
						t.Errorf("%s on %v: %v is cut to %q", name, size, x, x.f.lines)
					}
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no panel says the number")
	}
}

// TestClock holds that the time shown is rounded up to a second, so that 0:00 is the
// end.
func TestClock(t *testing.T) {
	for d, want := range map[time.Duration]string{
		5 * time.Minute: "5:00", 5*time.Minute - 1: "5:00", 299 * time.Second: "4:59", time.Second: "0:01", 1: "0:01", 0: "0:00", -time.Hour: "0:00",
		65 * time.Minute: "65:00",
	} {
		if got := clock(d); got != want {
			t.Errorf("%v is shown as %s, want %s", d, got, want)
		}
	}
}

// TestPaidFillsThePanel holds that paid is seen from across the counter: green to
// every edge.
func TestPaidFillsThePanel(t *testing.T) {
	for _, size := range panels {
		img := Picture(coffee(t, "en", pos.PhasePaid), size, t0)
		for _, at := range []image.Point{{0, 0}, {size.X - 1, 0}, {0, size.Y - 1}, {size.X - 1, size.Y - 1}, {size.X / 2, 0}} {
			if got := img.RGBAAt(at.X, at.Y); got != good {
				t.Errorf("%v: pixel %v is %v", size, at, got)
			}
		}
	}
}

// TestContrast computes what WCAG 2 asks for: 7:1 for what matters, 4.5:1 for the
// rest.
func TestContrast(t *testing.T) {
	for _, test := range []struct {
		name    string
		on, col color.RGBA
		least   float64
	}{
		{"ink", white, ink, 7}, {"ink on the band", shade, ink, 7}, {"accent", white, accent, 7}, {"paid", good, white, 7},
		{"refused", white, bad, 7}, {"quiet", white, quiet, 4.5}, {"quiet on the band", shade, quiet, 4.5}, {"code", white, black, 21},
	} {
		if got := contrast(test.on, test.col); got < test.least {
			t.Errorf("%s: %.1f:1, want %.1f:1", test.name, got, test.least)
		}
	}
}

func contrast(a, b color.RGBA) float64 {
	lum := func(c color.RGBA) float64 {
		lin := func(v uint8) float64 {
			if f := float64(v) / 255; f > 0.04045 {
				return math.Pow((f+0.055)/1.055, 2.4)
			} else {
				return f / 12.92
			}
		}
		return 0.2126*lin(c.R) + 0.7152*lin(c.G) + 0.0722*lin(c.B)
	}
	x, y := lum(a), lum(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// FuzzPicture draws any sale on any panel. Nothing may crash or leave its box, and
// no amount may be cut.
func FuzzPicture(f *testing.F) {
	f.Add("Café", "Tea", int64(1695), "EUR", "de", uint16(800), uint16(480), uint8(2), "LNBC1", int64(60))
	f.Add("Base", "USD", int64(1695), "EUR", "en", uint16(160), uint16(80), uint8(2), "ethereum:0x1@1/transfer?address=0x71C7656EC7ab88b098defB751B7401B5f6d8976F", int64(60))
	f.Add("", strings.Repeat("W", 200), int64(math.MaxInt64), "KWD", "xx", uint16(1), uint16(1), uint8(1), "", int64(0))
	f.Add("\x00\xff", "", int64(-1), "JPY", "fr", uint16(33), uint16(999), uint8(5), invoice(600), int64(-5))
	f.Fuzz(func(t *testing.T, shop, name string, minor int64, code, lang string, w, h uint16, phase uint8, text string, left int64) {
		cur, _ := pos.CurrencyOf(code)
		sum := cur.Of(minor)
		v := pos.View{Shop: pos.Shop{Name: shop, Language: lang}}
		v.Customer = pos.Customer{
			Phase: phases[int(phase)%len(phases)], Total: sum, Due: sum, Given: sum, Change: sum, QR: text, Quantity: name, Rate: name,
			Network: shop, Ref: name, Receipt: shop, Reason: name, Tax: []pos.TaxRow{{Tax: sum}, {Tax: sum}},
			Lines: []pos.Line{{Name: name, Qty: minor, Price: sum, Total: sum}, {Name: shop, Qty: 1000, Price: sum, Total: sum}},
		}
		if len(name)%2 == 1 { // a token's request
			v.Customer.Token, v.Customer.Chain, v.Customer.Tail, v.Customer.Part = name, shop, text[max(len(text)-6, 0):], shop
		}
		if left != 0 {
			v.Customer.Expires = t0.Add(time.Duration(left))
		}
		size := image.Pt(int(w%1300), int(h%1300))
		_, texts := look(v, size, t0)
		number := bold.clean(money(lang, sum))
		for _, x := range texts {
			if x.s == number && x.cut() && len(x.f.lines) > 0 {
				t.Errorf("the amount %v is cut to %q", x, x.f.lines)
			}
			for _, line := range x.f.lines {
				if x.wt.width(line, x.f.size) > x.box.Dx() {
					t.Errorf("%v leaves its box", x)
				}
			}
		}
	})
}
