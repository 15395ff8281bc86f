package display

import (
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// TestUnverifiedSaid: a sale whose payment nobody has seen says so on every glass and in
// every language, and no glass says that it is paid; and a request that cannot be checked
// keeps its code and says what to do.
func TestUnverifiedSaid(t *testing.T) {
	for _, lang := range pos.Languages {
		done := sale(t, lang, "EUR", pos.PhaseChecking, 3, 640)
		done.Customer.Reason, done.Customer.Due = "unverified", pos.Amount{}
		due := tokenDue(t, lang, standard)
		due.Customer.Unchecked = true
		for _, g := range append(glasses(), Glass{Size: image.Pt(600, 1024)}) {
			f, texts := lookOn(done, g, t0)
			_, paid := find(texts, pos.Word(lang, "paid"))
			if _, says := find(texts, strings.SplitAfter(pos.Word(lang, "unverified"), ".")[0]); paid || !says {
				t.Errorf("%s %v: %v", lang, g.Size, texts)
			}
			if lang == "de" {
				save(t, f, "done", g)
			}
			plain := tokenDue(t, lang, standard)
			before, _ := lookOn(plain, g, t0)
			if f, _ = lookOn(due, g, t0); f.code.Empty() != before.code.Empty() {
				t.Errorf("%s %v: the words took the code", lang, g.Size)
			}
			if lang == "de" {
				save(t, f, "due", g)
			}
		}
	}
}

// TestAstraySaid: a payment that came astray is told of as what it is, on every glass and in
// every language; the smallest have no room for who helps.
func TestAstraySaid(t *testing.T) {
	for _, lang := range pos.Languages {
		for _, reason := range []string{"other_network", "other_coin"} {
			see := sale(t, lang, "EUR", pos.PhaseChecking, 3, 640)
			see.Customer.Reason = reason
			for _, g := range append(glasses(), Glass{Size: image.Pt(600, 1024)}) {
				f, texts := lookOn(see, g, t0)
				said := strings.SplitAfter(pos.Word(lang, reason), ".")
				_, first := find(texts, said[0])
				_, then := find(texts, strings.TrimSpace(said[1]))
				if _, checks := find(texts, pos.Word(lang, "checking")); !first || checks || (!then && g.Size.X*g.Size.Y > 160*80) {
					t.Errorf("%s %v: %v", lang, g.Size, texts)
				}
				if lang == "en" || lang == "de" {
					save(t, f, reason+"-"+lang, g)
				}
			}
		}
	}
}

func save(t *testing.T, f frame, name string, g Glass) {
	t.Helper()
	file := filepath.Join(t.ArtifactDir(), name+"-"+strings.Trim(g.Size.String(), "()")+".png")
	if err := os.WriteFile(file, encode(f.img), 0o600); err != nil {
		t.Fatal(err)
	}
}
