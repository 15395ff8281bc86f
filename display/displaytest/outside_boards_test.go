//go:build !race && !machine

package displaytest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTinygoOnAPC runs the tests of outside_machine_test.go: drivers of tinygo's for
// ILI9341, ST7789, GC9A01 and the SSD1680 of a 2.9" sheet, which import a package that
// only microcontrollers have. The Go command finds testdata's in its place, through an
// overlay; nothing is written outside of the test's folder.
func TestTinygoOnAPC(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	machine, err := filepath.Abs("testdata/machine/machine.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{machine, "outside_machine_test.go"} { // so that a change of them is one of this test
		if _, err := os.Stat(name); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {
		filepath.Join(strings.TrimSpace(string(root)), "src", "machine", "machine.go"): machine,
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	// vet looks for the package's folder, which is not there.
	out, err := exec.Command("go", "test", "-vet=off", "-overlay", file, "-tags", "machine", "-run", "^TestMachine", "-v", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"ILI9341", "ST7789", "GC9A01", "SSD1680"} {
		if !strings.Contains(string(out), "--- PASS: TestMachine"+name+" ") {
			t.Errorf("no test of the %s ran:\n%s", name, out)
		}
	}
}
