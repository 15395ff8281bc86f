//go:build !linux

package port

import (
	"errors"
	"os"
)

const (
	lpNoPaper = 0x20
	lpUnset   = 0xFF
)

func prepare(*os.File) error { return nil }

func node(f *os.File) string { return f.Name() }

func classStatus(*os.File) (int, error) { return 0, errors.ErrUnsupported }

func stalled(_ *os.File, err error) error { return err }
