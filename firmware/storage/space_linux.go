package storage

import (
	"io/fs"
	"syscall"
)

// space asks statfs(2). Bavail is what a user without privileges may use.
func space(dir string) (Space, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return Space{}, err
	}
	unit := uint64(s.Bsize)
	if s.Frsize > 0 {
		unit = uint64(s.Frsize)
	}
	return Space{Free: s.Bavail * unit, Total: s.Blocks * unit, FreeFiles: s.Ffree, TotalFiles: s.Files}, nil
}

// blocks returns the bytes that a file really takes: stat(2) counts in units of 512.
func blocks(st fs.FileInfo) int64 {
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		return sys.Blocks * 512
	}
	return st.Size()
}
