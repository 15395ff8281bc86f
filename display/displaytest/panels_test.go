package displaytest_test

import (
	"bytes"
	"context"
	"flag"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"periph.io/x/conn/v3/physic"

	"github.com/tillwright/tillwright/display"
	"github.com/tillwright/tillwright/display/displaytest"
	"github.com/tillwright/tillwright/display/epaper"
	"github.com/tillwright/tillwright/display/mipi"
	"github.com/tillwright/tillwright/display/oled"
	"github.com/tillwright/tillwright/display/pole"
	"github.com/tillwright/tillwright/pos"
)

var update = flag.Bool("update", false, "write the golden pictures anew")

// invoice returns n characters as a BOLT11 invoice in capitals has them.
func invoice(n int) string {
	const bech32 = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
	var b strings.Builder
	b.WriteString("LNBC203400N1P")
	for i := 0; b.Len() < n; i++ {
		b.WriteByte(bech32[(i*i*7+i*13+n)%32])
	}
	return b.String()[:n]
}

// coffee is a sale of €7.40 in one phase.
func coffee(t testing.TB, phase pos.Phase) pos.View {
	t.Helper()
	eur, err := pos.CurrencyOf("EUR")
	if err != nil {
		t.Fatal(err)
	}
	v := pos.View{Version: 1, Shop: pos.Shop{Name: "Café Süd", Language: "en", Currency: eur}}
	c := &v.Customer
	c.Phase, c.Ref, c.Tender, c.Network = phase, "#0417", "lightning", "Lightning"
	for _, l := range []struct {
		name string
		qty  int64
		cent int64
	}{{"Croissant", 1000, 240}, {"Espresso", 2000, 250}} {
		line, err := pos.NewLine(l.name, "", l.qty, eur.Of(l.cent), pos.TaxRate{Code: "A", Name: "VAT", Milli: 20000, Included: true})
		if err != nil {
			t.Fatal(err)
		}
		c.Lines = append(c.Lines, line)
	}
	sums, err := pos.Sale{Currency: "EUR", Lines: c.Lines}.Totals()
	if err != nil {
		t.Fatal(err)
	}
	c.Tax, c.Total, c.Due = sums.Tax, sums.Total, sums.Total
	c.Quantity, c.Rate, c.QR = "12732 sat", "1 BTC = 58123.40 EUR", invoice(290)
	c.Expires = time.Now().Add(277 * time.Second)
	c.Given, c.Change, c.Receipt, c.Reason = eur.Of(1000), eur.Of(260), "01-000482", "expired"
	return v
}

// read decodes img as a phone might, with both outside readers.
func read(t testing.TB, name string, img image.Image, want string) {
	t.Helper()
	bits, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	got, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil || got.GetText() != want {
		t.Errorf("%s: gozxing reads %v, %v", name, got, err)
	}
	tool, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Skip("zbarimg is not installed; make test does that")
	}
	file := filepath.Join(t.TempDir(), "code.png")
	if err := os.WriteFile(file, encode(t, img), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), tool, "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", file).Output()
	if text := strings.TrimSuffix(string(out), "\n"); err != nil || text != want {
		t.Errorf("%s: zbarimg reads %q, %v", name, text, err)
	}
}

func encode(t testing.TB, img image.Image) []byte {
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// set is a panel on a table, and how a person sees it.
type set struct {
	panel  display.Panel
	text   *pole.Dev
	look   func() *image.RGBA
	faults func() []error

	count func() displaytest.Count // the bus' work so far
	clock physic.Frequency         // that the driver asks for
	mute  func()                   // takes the chip away, for benchmarks; nil: it is needed
}

// table are panels that README.md recommends, each through its driver and a chip
// made of code. code says whether a Lightning invoice can be read from it.
var table = []struct {
	name string
	open func(t testing.TB) set
	code bool
}{
	{"ili9341", tft("ili9341", 90, "ILI9341", displaytest.Glass{Size: image.Pt(240, 320), FlipX: true, BGR: true}), true},
	{"ili9488", tft("ili9488", 270, "ILI9488", displaytest.Glass{Size: image.Pt(320, 480), FlipX: true, BGR: true}), true},
	{"st7789-240x320", tft("st7789-240x320", 0, "ST7789", displaytest.Glass{Size: image.Pt(240, 320), Negative: true}), true},
	{"st7789-240x240", tft("st7789-240x240", 180, "ST7789", displaytest.Glass{Size: image.Pt(240, 240), Negative: true}), true},
	{"st7789-170x320", tft("st7789-170x320", 90, "ST7789", displaytest.Glass{Size: image.Pt(170, 320), At: image.Pt(35, 0), Negative: true}), true},
	{"st7789-135x240", tft("st7789-135x240", 270, "ST7789", displaytest.Glass{Size: image.Pt(135, 240), At: image.Pt(52, 40), Negative: true}), true},
	{"st7735-128x160", tft("st7735-128x160", 90, "ST7735-128x160", displaytest.Glass{Size: image.Pt(128, 160), FlipX: true, FlipY: true}), true},
	{"gc9a01", tft("gc9a01", 0, "GC9A01", displaytest.Glass{Size: image.Pt(240, 240), BGR: true, Negative: true}), true},
	{"epaper-2.13", sheet("2.13", 90, func() (displaytest.Chip, *displaytest.EPD) {
		s := displaytest.NewSSD16xx("SSD1680", 122, 250)
		return s, &s.EPD
	}), true},
	{"epaper-2.9", sheet("2.9", 270, func() (displaytest.Chip, *displaytest.EPD) {
		s := displaytest.NewSSD16xx("SSD1680", 128, 296)
		return s, &s.EPD
	}), true},
	{"epaper-4.2", sheet("4.2", 0, func() (displaytest.Chip, *displaytest.EPD) {
		s := displaytest.NewSSD16xx("SSD1683", 400, 300)
		return s, &s.EPD
	}), true},
	{"epaper-7.5", sheet("7.5", 0, func() (displaytest.Chip, *displaytest.EPD) {
		u := displaytest.NewUC81xx("UC8179")
		return u, &u.EPD
	}), true},
	{"oled-128x64", glow(64), false},
	{"oled-128x32", glow(32), false},
	{"pole", stick, false},
}

// tft is a TFT panel turned by degrees.
func tft(model string, degrees int, chip string, g displaytest.Glass) func(t testing.TB) set {
	return func(t testing.TB) set {
		c := displaytest.NewDCS(chip, g)
		b := &displaytest.Board{Chip: c, MaxTx: 4096}
		d, err := mipi.New(b.Port(), b.DC(), mipi.Opts{Model: model, Rotation: degrees, Reset: b.Reset(), Backlight: b.Backlight()})
		if err != nil {
			t.Fatal(err)
		}
		look := func() *image.RGBA {
			if !b.Lit() {
				t.Error("the panel is not lit")
			}
			return displaytest.Turn(c.Look(), 360-degrees)
		}
		return set{
			panel: d, look: look, faults: func() []error { return append(c.Faults(), b.Faults()...) },
			count: b.Count, clock: b.Clock(), mute: func() { b.Chip = nobody{} },
		}
	}
}

// sheet is an e-paper panel.
func sheet(model string, degrees int, chip func() (displaytest.Chip, *displaytest.EPD)) func(t testing.TB) set {
	return func(t testing.TB) set {
		c, epd := chip()
		b := &displaytest.Board{Chip: c, MaxTx: 4096}
		d, err := epaper.New(b.Port(), epaper.Lines{DC: b.DC(), Reset: b.Reset(), Busy: b.Busy()}, epaper.Opts{Model: model, Rotation: degrees})
		if err != nil {
			t.Fatal(err)
		}
		look := func() *image.RGBA { return displaytest.Turn(epd.Look(), 360-degrees) }
		return set{panel: d, look: look, faults: func() []error { return append(epd.Faults(), b.Faults()...) }, count: b.Count, clock: b.Clock()}
	}
}

// glow is an OLED.
func glow(height int) func(t testing.TB) set {
	return func(t testing.TB) set {
		c := displaytest.NewSSD1306(height)
		b := &displaytest.I2C{Chip: c, Addr: 0x3C}
		d, err := oled.NewI2C(b, oled.Opts{Height: height})
		if err != nil {
			t.Fatal(err)
		}
		return set{
			panel: d, look: c.Look, faults: func() []error { return append(c.Faults(), b.Faults()...) },
			count: b.Count, clock: 400 * physic.KiloHertz * 8 / 9, // nine clocks a byte
		}
	}
}

// stick is a pole of two lines.
func stick(t testing.TB) set {
	p := &displaytest.Pole{Dialect: "escpos"}
	d, err := pole.New(func() (io.WriteCloser, error) { return p, nil }, pole.Opts{Dialect: "escpos", CodePage: "cp858"})
	if err != nil {
		t.Fatal(err)
	}
	return set{text: d, look: p.Look, faults: p.Faults}
}

// on runs a Display with one panel in a synctest bubble, shows each view for ten
// seconds, and looks.
func on(t *testing.T, s set, views ...pos.View) *image.RGBA {
	t.Helper()
	o := display.Options{}
	if s.text != nil {
		o.Texts = append(o.Texts, s.text)
	} else {
		o.Panels = append(o.Panels, s.panel)
	}
	d := display.New(o)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- d.Run(ctx) }()
	for i, v := range views {
		time.Sleep(10 * time.Second)
		v.Version = uint64(i + 1)
		if !v.Customer.Expires.IsZero() {
			v.Customer.Expires = time.Now().Add(287 * time.Second)
		}
		d.Publish(v)
	}
	time.Sleep(10 * time.Second)
	synctest.Wait()
	img := s.look()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for _, err := range s.faults() {
		t.Error(err)
	}
	return img
}

// TestPanels lives through a sale on every panel: from the till's view through the
// layout, the driver and the bus to what is seen on the glass. Goal: the picture is
// the one in pictures/, which was looked at and found good, and both outside readers
// read the code from it.
func TestGoldenPanels(t *testing.T) {
	for _, test := range table {
		t.Run(test.name, func(t *testing.T) {
			var img *image.RGBA
			var want string
			synctest.Test(t, func(t *testing.T) {
				due := coffee(t, pos.PhaseDue)
				want = due.Customer.QR
				img = on(t, test.open(t), coffee(t, pos.PhaseIdle), coffee(t, pos.PhaseBasket), due)
			})
			if test.name == "gc9a01" {
				img = disc(img)
			}
			golden(t, test.name, img)
			if test.code {
				read(t, test.name, img, want)
			}
		})
	}
}

// TestEveryPhase shows each phase on every panel: no driver may do what its chip
// forbids, whatever the order.
func TestEveryPhase(t *testing.T) {
	for _, test := range table {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var views []pos.View
				for _, p := range []pos.Phase{pos.PhaseIdle, pos.PhaseBasket, pos.PhaseDue, pos.PhaseArriving, pos.PhasePaid, pos.PhaseBasket, pos.PhaseChange, pos.PhaseRefused, pos.PhaseChecking, pos.PhaseIdle} {
					views = append(views, coffee(t, p))
				}
				on(t, test.open(t), views...)
			})
		})
	}
}

// disc takes away what is not on a round glass.
func disc(img *image.RGBA) *image.RGBA {
	d := img.Rect.Dx()
	for y := range d {
		for x := range d {
			if dx, dy := 2*x-d+1, 2*y-d+1; dx*dx+dy*dy > d*d {
				img.SetRGBA(x, y, color.RGBA{0x30, 0x30, 0x30, 0xff})
			}
		}
	}
	return img
}

// few is how many pixels may differ from a golden picture: other processors round
// the edges of a sign otherwise.
const few = 40

// golden compares with ../pictures/NAME.png, or writes it.
func golden(t *testing.T, name string, got *image.RGBA) {
	t.Helper()
	path := filepath.Join("..", "pictures", name+".png")
	if *update {
		if err := os.WriteFile(path, encode(t, palette(got)), 0o644); err != nil {
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
	n := 0
	for y := range got.Rect.Dy() {
		for x := range got.Rect.Dx() {
			if color.RGBAModel.Convert(want.At(x, y)) != got.RGBAAt(x, y) {
				n++
			}
		}
	}
	if want.Bounds() != got.Rect || n > few {
		seen := filepath.Join(t.ArtifactDir(), name+".png")
		_ = os.WriteFile(seen, encode(t, got), 0o644)
		t.Errorf("%d pixels differ; the picture is %s. If it is better: go test ./display/displaytest -run Golden -update", n, seen)
	}
}

// palette returns img with a palette where its colours are few.
func palette(img *image.RGBA) image.Image {
	out := image.NewPaletted(img.Rect, nil)
	known := map[color.RGBA]uint8{}
	for i := range out.Pix {
		c := img.RGBAAt(img.Rect.Min.X+i%img.Rect.Dx(), img.Rect.Min.Y+i/img.Rect.Dx())
		n, ok := known[c]
		if !ok {
			if n = uint8(len(known)); len(known) == 256 {
				return img
			}
			known[c] = n
			out.Palette = append(out.Palette, c)
		}
		out.Pix[i] = n
	}
	return out
}
