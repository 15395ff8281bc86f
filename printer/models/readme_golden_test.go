package models

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGoldenReadme holds the README's table to what there is. -update writes the table anew.
func TestGoldenReadme(t *testing.T) {
	file := filepath.Join("..", "README.md")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const head = "|---|---|--:|---|---|---|---|\n"
	before, rest, ok := strings.Cut(string(b), head)
	if !ok {
		t.Fatal("the README has no table of models")
	}
	_, after, _ := strings.Cut(rest, "\n\n")
	var table strings.Builder
	yes := map[bool]string{true: "yes", false: "no"}
	for _, m := range All() {
		fmt.Fprintf(&table, "| `%s` | %s | %d | %s | %s | %s | [paper](pictures/%s.png) |\n", m.Name, m.Title, m.Columns, m.Language, yes[m.Answers], yes[m.Cutter], m.Name)
	}
	want := before + head + table.String() + "\n" + after
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	named := 0
	for _, m := range All() {
		if m.Name != "safe" && !strings.HasPrefix(m.Title, "80 mm") && !strings.HasPrefix(m.Title, "58 mm") {
			named++
		}
	}
	if claim := fmt.Sprintf("to any of %d printers in four languages", named); !strings.Contains(string(b), claim) {
		t.Errorf("the README does not say %q", claim)
	}
	if string(b) != want {
		t.Error("the README's table of models is not what there is; run make golden")
	}
}
