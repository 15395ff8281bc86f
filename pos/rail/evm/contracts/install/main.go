// Install brings solc, OpenZeppelin's contracts, anvil and an outside reader of
// payment links to this computer, by npm and in the exact versions of
// package-lock.json. They go into a folder outside of the tree, whose name it
// prints; what is there already it leaves alone.
//
//	go run ./pos/rail/evm/contracts/install [-build]
//	go run ./pos/rail/evm/contracts/install -home pos/rail/solana/svm -as solana
//
// With -build it also compiles the contracts and compares nothing: git shows what
// changed. With -home it installs what another folder's package-lock.json names, into
// a folder that begins with the name that -as says.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/tillwright/tillwright/pos/rail/evm/contracts"
)

func main() {
	build := flag.Bool("build", false, "compile the contracts after that")
	home := flag.String("home", "pos/rail/evm/contracts", "the folder of package-lock.json, seen from the root of the tree")
	as := flag.String("as", "evm", "how the name of the folder of tools begins")
	flag.Parse()
	dir, err := install(*home, *as)
	if err == nil && *build {
		err = run(".", "node", filepath.Join(*home, "build.cjs"), dir, *home)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(dir)
}

// install returns the folder of the tools. It makes it whole under another name
// first: an install that was broken off is not taken for one.
func install(home, as string) (string, error) {
	lock, err := os.ReadFile(filepath.Join(home, "package-lock.json"))
	if err != nil {
		return "", fmt.Errorf("run this at the root of the tree: %w", err)
	}
	dir, err := contracts.Tools(lock, as)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	fmt.Fprintln(os.Stderr, "installing the tools of "+home+" for trying and testing, by npm (about 60 MB, once)")
	base := filepath.Dir(dir)
	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(base, "new-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(work) }() // gone already when all went well
	for _, name := range []string{"package.json", "package-lock.json"} {
		b, err := os.ReadFile(filepath.Join(home, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(work, name), b, 0o644); err != nil {
			return "", err
		}
	}
	// The binaries are in the packages; nothing of theirs needs to run to install them.
	if err := run(work, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"); err != nil {
		return "", errors.Join(errors.New("npm could not install the tools of "+home+": it needs Node and a line to the internet"), err)
	}
	if err := os.Chmod(work, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(work, dir); err != nil {
		if _, there := os.Stat(dir); there != nil { // otherwise somebody else was faster
			return "", err
		}
	}
	return dir, nil
}

// run carries a command out and returns what it said when it failed.
func run(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, said.Bytes())
	}
	return nil
}
