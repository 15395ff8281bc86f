package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

//go:embed cafe
var cafeFiles embed.FS

// writtenFile remembers what devnet wrote: a file that still has that content may
// be replaced by a newer devnet's, any other belongs to its user.
const writtenFile = ".written.json"

// folderMark stands in the files where the back office wants its folder's full
// path.
const folderMark = `"@folder@`

// tomlText returns s as the beginning of a TOML basic string, without its end.
func tomlText(s string) []byte {
	b, err := json.Marshal(filepath.ToSlash(s)) // JSON's escapes are TOML's
	if err != nil {
		panic(err) // never: a string
	}
	return b[:len(b)-1]
}

// layCafe puts the demo shop's files into dir, except where the user's own lie.
func layCafe(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the shop's folder: %w", err)
	}
	written := map[string]string{}
	if b, err := os.ReadFile(filepath.Join(dir, writtenFile)); err == nil {
		_ = json.Unmarshal(b, &written) // unreadable: then every file is the user's
	}
	entries, err := cafeFiles.ReadDir("cafe")
	if err != nil {
		return fmt.Errorf("read the shop's files: %w", err)
	}
	for _, e := range entries {
		ours, err := cafeFiles.ReadFile("cafe/" + e.Name())
		if err != nil {
			return fmt.Errorf("read the shop's files: %w", err)
		}
		ours = bytes.ReplaceAll(ours, []byte(folderMark), tomlText(dir))
		if err := layFile(filepath.Join(dir, e.Name()), ours, written); err != nil {
			return err
		}
	}
	b, err := json.MarshalIndent(written, "", "  ")
	if err != nil {
		return fmt.Errorf("remember the shop's files: %w", err)
	}
	return writeFile(filepath.Join(dir, writtenFile), append(b, '\n'))
}

// layFile writes ours to path unless a file of the user's is there, and notes
// what it wrote.
func layFile(path string, ours []byte, written map[string]string) error {
	name := filepath.Base(path)
	there, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("read %s: %w", path, err)
	case hash(there) == hash(ours):
		written[name] = hash(ours)
		return nil
	case hash(there) != written[name]:
		return nil
	}
	if err := writeFile(path, ours); err != nil {
		return err
	}
	written[name] = hash(ours)
	return nil
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// listenLine is the one setting that devnet has to know from files that users
// change: where the children listen.
var listenLine = regexp.MustCompile(`(?m)^listen[ \t]*=[ \t]*"([^"\n]+)"`)

// listenOf returns where the configuration in path lets its program listen, or
// otherwise when it does not say.
func listenOf(path, otherwise string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	if m := listenLine.FindSubmatch(b); m != nil {
		return string(m[1]), nil
	}
	return otherwise, nil
}
