package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Goal: a file that its user changed is never touched; one that is as devnet left
// it follows devnet, also when the folder moved; one that was deleted comes back.
func TestLayCafe(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cafe")
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	lay := func() {
		if err := layCafe(dir); err != nil {
			t.Fatal(err)
		}
	}
	lay()
	if !strings.Contains(read("backoffice.toml"), `"`+dir+`/backoffice"`) {
		t.Errorf("the back office does not know its folder:\n%s", read("backoffice.toml"))
	}
	mine := "# mine\n" + read("till.toml")
	if err := os.WriteFile(filepath.Join(dir, "till.toml"), []byte(mine), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "catalogue.toml")); err != nil {
		t.Fatal(err)
	}
	moved := dir + "2"
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	dir = moved
	lay()
	lay()
	if read("till.toml") != mine {
		t.Error("the user's file was overwritten")
	}
	if !strings.Contains(read("backoffice.toml"), moved+"/backoffice") {
		t.Error("an unchanged file did not follow its folder")
	}
	if !strings.Contains(read("catalogue.toml"), "Espresso") {
		t.Error("a deleted file did not come back")
	}
}

// Goal: without the memory of what was written every file counts as the user's.
func TestLayCafeForgets(t *testing.T) {
	dir := t.TempDir()
	if err := layCafe(dir); err != nil {
		t.Fatal(err)
	}
	old := []byte("# of an older devnet, or the user's: who knows\n")
	for name, text := range map[string][]byte{writtenFile: []byte("{torn"), "till.toml": old} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := layCafe(dir); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "till.toml")); string(got) != string(old) {
		t.Error("a file of unknown origin was overwritten")
	}
}

// TestCatalogue holds the demo's items to what the till accepts.
func TestCatalogue(t *testing.T) {
	b, err := cafeFiles.ReadFile("cafe/catalogue.toml")
	if err != nil {
		t.Fatal(err)
	}
	values := func(key, form string) []string {
		var out []string
		for _, m := range regexp.MustCompile(`(?m)^`+key+` = "(`+form+`)"$`).FindAllStringSubmatch(string(b), -1) {
			out = append(out, m[1])
		}
		return out
	}
	items := strings.Count(string(b), "[[item]]")
	if items < 12 {
		t.Errorf("%d items are no café", items)
	}
	seen := map[string]bool{}
	for _, sku := range values("sku", `\d+`) {
		if seen[sku] {
			t.Errorf("sku %s is there twice", sku)
		}
		seen[sku] = true
	}
	for key, form := range map[string]string{
		"sku": `\d+`, "name": `[^"]{1,40}`, "category": `[^"]+`, "price": `\d+\.\d\d`, "tax": `[AB]`,
		"colour": "red|orange|yellow|green|blue|violet",
	} {
		if got := len(values(key, form)); got != items {
			t.Errorf("%d of %d items have a good %s", got, items, key)
		}
	}
}

func TestListenOf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.toml")
	for _, c := range []struct{ name, text, want string }{
		{"as written", "listen    = \"127.0.0.1:8080\"\n[shop]\n", "127.0.0.1:8080"},
		{"not first", "data = \"x\"\nlisten=\"localhost:9\" # mine", "localhost:9"},
		{"comment", "# listen = \"127.0.0.1:1\"\n", "else"},
		{"other key", "listener = \"127.0.0.1:1\"\n", "else"},
		{"empty", "", "else"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := listenOf(path, "else"); err != nil || got != c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
	if _, err := listenOf(path+"x", ""); err == nil {
		t.Error("a missing file was no error")
	}
}
