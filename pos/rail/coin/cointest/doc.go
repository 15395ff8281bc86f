// Package cointest is what the tests of the rails that take coins stand on: a till's side
// that can be killed, a store that survives it, operators' endpoints that lie when told to,
// connections in memory for bubbles, and the tools of real chains.
//
// It imports no rail: what it knows of one is a type parameter or a small interface.
package cointest

import (
	"flag"
	"os"
	"testing"

	"github.com/tillwright/tillwright/pos/rail/evm/contracts"
)

// Main runs the tests of a package, n of them at once unless -parallel says otherwise: more
// than there are cores, for they wait for chains most of the time.
func Main(m *testing.M, n string) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		if err := f.Value.Set(n); err != nil {
			panic(err)
		}
	}
	m.Run()
}

// Tools returns the folder of the tools that a package-lock.json names, and fails loudly
// without it: money is not tested on a chain made of hope. as is how its name begins, and
// install the command that makes it.
func Tools(t testing.TB, lock []byte, as, install string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a real chain; leave -short out")
	}
	dir, err := contracts.Tools(lock, as)
	if err == nil {
		_, err = os.Stat(dir)
	}
	if err != nil {
		t.Fatalf("no tools (%v); at the root of the tree run: %s", err, install)
	}
	return dir
}
