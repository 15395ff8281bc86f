// Package arch holds the tree to its dependency rule: the domain imports nobody,
// adapters import the domain and their one technology, only commands wire.
package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/tillwright/tillwright/"

// reach says who may reach a technology, directly or through others; "x/*" is
// x and everything below it. cmd wires, so it may reach all of them, and tests are
// free. Nobody may import what has no row: the row is where a review begins.
var reach = map[string][]string{
	"go.etcd.io/bbolt":                {"pos/ledger"},
	"github.com/gofiber/fiber":        {"pos/web", "sync/backoffice/*"},
	"github.com/danielgtaylor/huma":   {"sync/backoffice/*"},
	"modernc.org":                     {"sync/backoffice/*"},
	"github.com/lightningnetwork/lnd": {"pos/rail/lnd", "pos/rail/lnd/lndtest"},
	"github.com/btcsuite/btcd":        {"pos/rail/lnd", "pos/rail/lnd/lndtest"},
	"github.com/decred/dcrd":          {"pos/rail/lnd", "pos/rail/lnd/lndtest"},
	"gopkg.in/macaroon.v2":            {"pos/rail/lnd", "pos/rail/lnd/lndtest"},
	"github.com/skip2/go-qrcode":      {"pos/qr", "display/*", "printer/*", "sync/backoffice/*"},
	"github.com/makiuchi-d/gozxing":   {},
	"periph.io/x":                     {"display/*", "firmware/*"},
	"github.com/holoplot/go-evdev":    {"firmware/*"},
	"github.com/go-text/typesetting":  {"pos/shape", "display/*", "printer/*"},
	"go.bug.st/serial":                {"printer/port"},
	"golang.org/x/crypto":             {"pos/staff", "sync/backoffice/*", "pos/rail/lnd", "pos/rail/lnd/lndtest"},
	"golang.org/x/image":              {"pos/shape", "pos/shape/shapetest", "display/*", "printer/*"},
	"golang.org/x/sys":                {"*"},
	"golang.org/x/time":               {"pos/web", "sync/backoffice/*"},
	"golang.org/x/text":               {"pos/shape", "display/*", "printer/*", "pos/rail/lnd", "pos/rail/lnd/lndtest"},
}

// ours says which of our packages each may reach. Who has no row may reach pos and
// nothing else: an adapter never reaches another one, and never desk.
var ours = map[string][]string{
	"pos":                      {},
	"pos/postest":              {"pos"},
	"pos/journal/journaltest":  {"pos", "pos/journal"},
	"pos/rail/lnd/lndtest":     {"pos", "pos/rail/lnd", "pos/postest"},
	"pos/file":                 {},
	"pos/staff":                {"pos", "pos/file"},
	"pos/rail/offpay":          {"pos", "pos/offpay", "pos/file"},
	"pos/rail/coin":            {"pos", "pos/rail/rpc", "pos/rail/unique"},
	"pos/rail/coin/cointest":   {"pos", "pos/rail/evm/contracts"},
	"pos/rail/evm":             {"pos", "pos/rail/rpc", "pos/rail/unique", "pos/rail/coin"},
	"pos/rail/evm/contracts/*": {"pos/rail/evm/contracts"},
	"pos/rail/evm/evmtest":     {"pos", "pos/rail/coin/cointest", "pos/rail/evm/contracts"},
	"pos/rail/solana/*":        {"pos", "pos/rail/rpc", "pos/rail/unique", "pos/rail/coin", "pos/rail/solana/*"},
	"pos/rail/tron/*":          {"pos", "pos/rail/rpc", "pos/rail/unique", "pos/rail/coin", "pos/rail/tron/*"},
	"pos/web":                  {"pos", "pos/web/*", "pos/qr"},
	"pos/web/webtest":          {"pos", "pos/web", "pos/web/*"},
	"display/*":                {"pos", "pos/qr", "pos/shape", "display/*"},
	"printer/*":                {"pos", "pos/qr", "pos/shape", "printer/*"},
	"sync/wire":                {"pos", "pos/offpay"},
	"sync/outbox":              {"pos", "pos/offpay", "sync/wire"},
	"sync/backoffice/*":        {"pos", "pos/qr", "pos/offpay", "sync/wire", "sync/backoffice/*"},
	"firmware/*":               {"pos", "firmware/*"},
}

type pkg struct {
	ImportPath, ForTest string
	Standard            bool
	Imports, Deps       []string
}

func goList(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "./...")
	cmd.Dir = "../../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// in reports that name is one of patterns.
func in(name string, patterns ...string) bool {
	for _, p := range patterns {
		base, all := strings.CutSuffix(p, "/*")
		if p == "*" || name == p || (all && (name == base || strings.HasPrefix(name, base+"/"))) {
			return true
		}
	}
	return false
}

// technology returns the row of reach that a package belongs to, or "".
func technology(path string) string {
	for row := range reach {
		if path == row || strings.HasPrefix(path, row+"/") {
			return row
		}
	}
	return ""
}

// allowed returns the narrowest row of ours for a package.
func allowed(from string) []string {
	best, rule := -1, []string{"pos"}
	for row, list := range ours {
		if in(from, row) && len(row) > best {
			best, rule = len(row), list
		}
	}
	return rule
}

func TestImports(t *testing.T) {
	seen := 0
	for _, p := range goList(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		if in(from, "cmd/*") {
			continue
		}
		seen++
		for _, dep := range p.Deps {
			if to, ok := strings.CutPrefix(dep, module); ok && to != from && !in(to, allowed(from)...) {
				t.Errorf("%s must not reach %s", from, to)
			}
			if tech := technology(dep); tech != "" && direct(p, tech) && !in(from, reach[tech]...) {
				t.Errorf("%s must not reach %s", from, dep)
			}
		}
		for _, dep := range p.Imports {
			host, _, _ := strings.Cut(dep, "/")
			if strings.Contains(host, ".") && !strings.HasPrefix(dep, module) && technology(dep) == "" {
				t.Errorf("%s imports %s, which has no row", from, dep)
			}
		}
	}
	if seen < 20 {
		t.Fatalf("only %d packages were looked at", seen)
	}
}

// direct reports that p itself imports tech, or reaches it through a package of
// ours: what a technology drags in behind itself is its own business.
func direct(p pkg, tech string) bool {
	for _, i := range p.Imports {
		if technology(i) == tech {
			return true
		}
	}
	return false
}

// TestDomain holds pos to the standard library alone.
func TestDomain(t *testing.T) {
	for _, p := range goList(t) {
		if p.ImportPath != strings.TrimSuffix(module, "/")+"/pos" {
			continue
		}
		for _, dep := range p.Deps {
			if host, _, _ := strings.Cut(dep, "/"); strings.Contains(host, ".") {
				t.Errorf("pos must not reach %s", dep)
			}
		}
		for _, banned := range []string{"os", "net", "net/http"} {
			for _, i := range p.Imports {
				if i == banned {
					t.Errorf("pos imports %s: it does no I/O", banned)
				}
			}
		}
	}
}
