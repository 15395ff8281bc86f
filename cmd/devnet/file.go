package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeFile replaces path by data as one act: whoever reads it sees the old file
// or the new one, whole, also after a power cut. Mode 0600: most of what devnet
// writes is a key or names one.
func writeFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	syncDir(filepath.Dir(path))
	return nil
}

// syncDir makes a rename durable. Some file systems cannot; the rename stands
// then as firmly as that file system lets it.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// secret returns the secret kept in path, and makes one of n random bytes, in
// hexadecimal, when there is none yet.
func secret(path string, n int) (string, error) {
	b, err := os.ReadFile(path)
	if err == nil && len(b) >= 2*n {
		return string(b[:2*n]), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read secret: %w", err)
	}
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	s := hex.EncodeToString(raw)
	return s, writeFile(path, []byte(s+"\n"))
}
