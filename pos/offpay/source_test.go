package offpay

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestConstantTime reads the source. Goal: what is compared with a secret is compared
// in constant time, and nothing here compares bytes or codes in any other way.
func TestConstantTime(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				switch pkg, _ := sel.X.(*ast.Ident); {
				case pkg == nil:
				case pkg.Name == "subtle" && sel.Sel.Name == "ConstantTimeCompare":
					found[fn.Name.Name]++
				case pkg.Name == "bytes", pkg.Name == "reflect", pkg.Name == "slices" && sel.Sel.Name == "Equal", sel.Sel.Name == "EqualFold" && fn.Name.Name != "ParseLNURL":
					t.Errorf("%s compares with %s.%s", fn.Name.Name, pkg.Name, sel.Sel.Name)
				}
				return true
			})
		}
	}
	if found["Open"] != 2 || found["Match"] != 1 {
		t.Errorf("constant-time comparisons: %v, want two in Open and one in Match", found)
	}
}
