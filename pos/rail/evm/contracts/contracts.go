// Package contracts names what the till's contracts are built of and tried with. It is for
// tests, and for install, which brings the tools; no part of the till imports it.
package contracts

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"os"
	"path/filepath"
)

// Lock is package-lock.json: it names every tool in its exact version.
//
//go:embed package-lock.json
var Lock []byte

// Tokens is what build.cjs made of test/Tokens.sol: by the name of a contract its code and
// the selectors of its methods, in hex.
//
//go:embed test/tokens.json
var Tokens []byte

// Tools returns the folder, outside of the tree, into which install puts what a
// package-lock.json names: another lock, another folder. as is how its name begins. It does
// not look whether it is there.
func Tools(lock []byte, as string) (string, error) {
	base := os.Getenv("TILLWRIGHT_TOOLS")
	if base == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		base = filepath.Join(cache, "tillwright")
	}
	sum := sha256.Sum256(lock)
	return filepath.Join(base, as+"-"+hex.EncodeToString(sum[:6])), nil
}
