package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/evm"
	"github.com/tillwright/tillwright/sync/wire"
)

// sheetOf is what the paper of a till says.
func sheetOf(t *testing.T, file string) wire.AddressSeed {
	t.Helper()
	a, err := wire.ParseSheet(good(t, "recovery", "--config", file))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// coinsShopIn writes a shop that takes stablecoins, whose networks nobody calls.
func coinsShopIn(t *testing.T, dir string) string {
	t.Helper()
	writeShop(t, dir, "")
	return writeIn(t, dir, "till.toml", demo+coinsPart)
}

// copyCard writes a till's card to another one's folder.
func copyCard(t *testing.T, from string) (file string) {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(to, "till.toml")
}

// TestCopiedCard puts one card's image into several boards. Goal: from the moment that a
// board is enrolled, whether its image was before or not, no address of its is one that
// another board gives; the paper and what the backoffice is told say so, and a restart
// changes nothing.
func TestCopiedCard(t *testing.T) {
	b, dir := openBackoffice(t), t.TempDir()
	first := coinsShopIn(t, dir)
	start := func(file string, enrol bool) wire.AddressSeed {
		t.Helper()
		c, err := loadConfig(file)
		if err != nil {
			t.Fatal(err)
		}
		x, err := openTill(c, quiet())
		if err != nil {
			t.Fatal(err)
		}
		if enrol { // as on the till's screen
			if err := x.office.Enrol(t.Context(), pos.Actor{ID: "o", Name: "Olga", Role: pos.Owner}, b.url, b.code(t)); err != nil {
				t.Error(err)
			}
		}
		told := x.seed()
		if err := x.shut(); err != nil {
			t.Fatal(err)
		}
		if paper := sheetOf(t, file); paper != told {
			t.Errorf("the backoffice is told %v, and the paper says %v", told, paper)
		}
		return told
	}
	image := start(first, false)
	boards := map[string]string{"the first": first, "a copy": copyCard(t, dir), "another": copyCard(t, dir)}
	seeds := map[string]wire.AddressSeed{"the image": image}
	for name, file := range boards {
		if got := start(file, false); got != image {
			t.Fatalf("%s began a new seed without an enrolment", name)
		}
		seeds[name] = start(file, true)
	}
	boards["a copy of an enrolled one"] = copyCard(t, dir)
	seeds["a copy of an enrolled one"] = start(boards["a copy of an enrolled one"], true)
	given := map[string]string{}
	for name, a := range seeds {
		for n := range uint64(20) {
			at := evm.AddressOf(evm.MustAddress(a.Treasury), evm.Seed(a.Seed).Salt(n+1)).String()
			if other := given[at]; other != "" {
				t.Fatalf("%s and %s both give %s", name, other, at)
			}
			given[at] = name
		}
	}
	for name, file := range boards {
		if got := start(file, false); got != seeds[name] {
			t.Errorf("%s has another seed after a restart", name)
		}
	}
}

// TestEnrolSaysSheet: whoever enrols a till with stablecoins is told that its paper is old.
func TestEnrolSaysSheet(t *testing.T) {
	b := openBackoffice(t)
	file := coinsShopIn(t, t.TempDir())
	if out := good(t, "enrol", "--config", file, b.url, b.code(t)); !strings.Contains(out, "have a new seed from now on: print \"till recovery\" again") {
		t.Errorf("printed %q", out)
	}
}
