package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/printer/printertest"
)

// TestPaperPrint prints the test page, a receipt and a ticket on printers at the end of a
// cable. Goal: each goes to the printer that is named, and a wrong name is answered with
// the right ones.
func TestPaperPrint(t *testing.T) {
	receipt, kitchen := printertest.New(t, 576), printertest.New(t, 384)
	file := write(t, "till.toml", small+"[printer]\nconnect = \"tcp://"+onNetwork(t, receipt)+"\"\n[[printer.second]]\nname = \"Kitchen\"\nconnect = \"tcp://"+
		onNetwork(t, kitchen)+"\"\nmodel = \"58mm\"\ncategories = [\"Food\"]\n[[printer.second]]\nname = \"Bar\"\nconnect = \"paper\"\ncategories = [\"Drinks\"]\n")
	if out := good(t, "paper", "-config", file, "-print", "-page", "-printer", "kitchen"); !strings.HasPrefix(out, "printer Kitchen: sent to tcp://") ||
		!strings.Contains(out, "Its ruler must end at the edge of the paper") || !strings.Contains(out, "columns = 32") {
		t.Errorf("printed %q", out)
	}
	if text := reads(t, kitchen, "TEST", "12345678901234567890123456789012\n"); strings.Contains(text, "Espresso") || receipt.Text() != "" {
		t.Errorf("the kitchen reads\n%s\nthe receipt printer\n%s", text, receipt.Text())
	}
	good(t, "paper", "-config", file, "-print", "-printer", "Kitchen")
	reads(t, kitchen, "Kitchen", "#0417", "Espresso")
	good(t, "paper", "-config", file, "-print")
	reads(t, receipt, "TEST", "Espresso", "01-000482")
	good(t, "paper", "-config", file, "-print", "-page", "-printer", "receipt")
	reads(t, receipt, "123456789012345678901234567890123456789012345678\n")
	if receipt.Drawer() != 0 {
		t.Error("a test opens the drawer")
	}

	if out := good(t, "doctor", "-config", file, "-printer", "kitchen"); strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "ok    printer Kitchen tcp://") {
		t.Errorf("the doctor says %q", out)
	}
	if out := good(t, "doctor", "-config", file, "-printer", "receipt"); strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "ok    printer        tcp://") {
		t.Errorf("the doctor says %q", out)
	}
	kitchen.SetPaper(0, false)
	png := filepath.Join(t.TempDir(), "x.png")
	none := write(t, "till.toml", small)
	only := write(t, "till.toml", small+"[[printer.second]]\nname = \"Bar\"\nconnect = \"paper\"\ncategories = [\"Drinks\"]\n")
	for _, x := range []struct {
		name string
		args []string
		want string
	}{
		{"a slip", []string{"paper", "-config", file, "-print", "-printer", "Kichen"}, `there is no printer "Kichen"; did you mean "Kitchen"?; the configuration has "Kitchen", "Bar", "receipt"`},
		{"a stranger", []string{"paper", "-config", file, "-printer", "Cellar", png}, `there is no printer "Cellar"; the configuration has "Kitchen", "Bar", "receipt"`},
		{"the doctor's slip", []string{"doctor", "-config", file, "-printer", "Baa"}, `did you mean "Bar"?`},
		{"none at all", []string{"doctor", "-config", none, "-printer", "Bar"}, `there is no printer "Bar": the configuration has none`},
		{"no receipt printer", []string{"paper", "-config", only, "-print"}, `there is no receipt printer; write -printer NAME with one of "Bar"`},
		{"no receipt printer by its name", []string{"paper", "-config", only, "-print", "-printer", "receipt"}, `there is no printer "receipt"; the configuration has "Bar"`},
		{"nothing to print on", []string{"paper", "-config", none, "-print"}, "the configuration has no [printer]"},
		{"made of code", []string{"paper", "-config", file, "-print", "-printer", "bar"}, "this printer is made of code"},
		{"another model", []string{"paper", "-config", file, "-print", "-model", "tm-t20iii"}, "-model is for drawing alone"},
		{"a file, too", []string{"paper", "-config", file, "-print", png}, "with -print nothing but flags"},
		{"neither", []string{"paper", "-config", file}, "the name of a PNG file, or -print"},
	} {
		if _, err := try(t, x.args...); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: got %v, want %q", x.name, err, x.want)
		}
	}
}

// TestPaperPrintEmpty: a printer without paper is said to be without paper, and nothing
// is sent to it.
func TestPaperPrintEmpty(t *testing.T) {
	p := printertest.New(t, 576)
	p.SetPaper(0, false)
	file := write(t, "till.toml", small+"[printer]\nconnect = \"tcp://"+onNetwork(t, p)+"\"\n")
	if _, err := try(t, "paper", "-config", file, "-print", "-page"); err == nil || !strings.Contains(err.Error(), "no paper") {
		t.Errorf("got %v", err)
	}
	if p.Text() != "" || p.Waiting() != 0 {
		t.Errorf("it was sent %d bytes: %q", p.Waiting(), p.Text())
	}
}
