package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/tillwright/tillwright/pos/file"
)

// seedBytes is the length of the secrets that the till makes for itself: an
// Ed25519 seed (RFC 8032) and the key of its preimages.
const seedBytes = 32

// secretAt returns the 32 secret bytes kept as hex at path, and makes them, once
// and durably, when there is no such file. They never leave the board.
func secretAt(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return makeSecret(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	b, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(b) != seedBytes {
		return nil, fmt.Errorf("%s is damaged: it must hold %d hex digits; put its backup back, for without it this till's journal cannot go on", path, 2*seedBytes)
	}
	return b, nil
}

func makeSecret(path string) ([]byte, error) {
	b := make([]byte, seedBytes)
	rand.Read(b) // never fails (crypto/rand)
	if err := file.Replace(path, []byte(hex.EncodeToString(b)+"\n")); err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return b, nil
}

// tillKey returns the till's signing key.
func tillKey(c config) (ed25519.PrivateKey, error) {
	seed, err := secretAt(c.keyFile())
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// tillID names a till by its key: 16 hex digits that nobody can choose.
func tillID(key ed25519.PublicKey) string { return hex.EncodeToString(key[:8]) }
