package displaytest_test

import (
	"bytes"
	"flag"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

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
