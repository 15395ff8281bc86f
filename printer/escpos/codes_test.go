package escpos

import (
	"bytes"
	"fmt"
	"image"
	_ "image/png" // of the paper
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/paper"
	"github.com/tillwright/tillwright/printer/printertest"
)

// TestCodesAreRead prints codes of all sizes and reads them as a phone does.
func TestCodesAreRead(t *testing.T) {
	for _, pr := range profiles {
		for _, n := range []int{1, 53, 120, 250, 400} {
			text := "TW1 " + strings.Repeat("0a", n)[:n]
			p := printertest.New(t, pr.Dots)
			d := printer.Document{Columns: 32, Rows: []printer.Row{
				printer.Line{Text: strings.Repeat("#", 32)}, printer.Code{Text: text}, printer.Line{Text: strings.Repeat("#", 32)}, printer.Cut{},
			}}
			if _, err := pr.Print(p, d, printer.Run{}); err != nil {
				t.Fatal(err)
			}
			if got := read(t, p); got != text {
				t.Errorf("%s, %d bytes: read %q", pr.Name, n, got)
			}
		}
	}
}

func read(t *testing.T, p *paper.Printer) string {
	t.Helper()
	pic, _ := p.PNG()
	img, _, err := image.Decode(bytes.NewReader(pic))
	if err != nil {
		t.Fatal(err)
	}
	bmp, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	res, err := qrcode.NewQRCodeReader().Decode(bmp, nil)
	if err != nil {
		return fmt.Sprint(err)
	}
	if bin, err := exec.LookPath("zbarimg"); err == nil {
		file := filepath.Join(t.TempDir(), "paper.png")
		if err := os.WriteFile(file, pic, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(bin, "-q", "--raw", file).Output()
		if err != nil || strings.TrimSpace(string(out)) != res.GetText() {
			t.Errorf("zbarimg reads %q, %v", out, err)
		}
	}
	return res.GetText()
}

// TestCodeTooLong: what no phone could read comes out as text.
func TestCodeTooLong(t *testing.T) {
	text := strings.Repeat("abcdefghijklmnop", 150)
	for _, pr := range profiles {
		p := printertest.New(t, pr.Dots)
		if _, err := pr.Print(p, printer.Document{Columns: 32, Rows: []printer.Row{printer.Code{Text: text}, printer.Cut{}}}, printer.Run{}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(onPaper(p.Text()), ""); got != text {
			t.Errorf("%s: %q", pr.Name, got)
		}
	}
}
