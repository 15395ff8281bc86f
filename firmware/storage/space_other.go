//go:build !linux

package storage

import (
	"errors"
	"io/fs"
)

func space(string) (Space, error) { return Space{}, errors.ErrUnsupported }

func blocks(st fs.FileInfo) int64 { return st.Size() }
