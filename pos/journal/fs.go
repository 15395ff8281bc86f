package journal

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// File is what the journal needs of an open file. journaltest.Disk is one that
// fails on demand.
type File interface {
	io.ReaderAt
	io.WriterAt // fails with an error that is syscall.ENOSPC or EDQUOT when there is no room
	// Truncate cuts the file to size bytes. It is not durable before Sync.
	Truncate(size int64) error
	// Sync returns when all that was written, and the size, is on the medium. After
	// it failed, nothing is known about what was written since the last one.
	Sync() error
	Close() error
}

// Info is one entry of a directory.
type Info struct {
	Name string // without the directory
	Size int64  // bytes
}

// Mode says how a file is opened.
type Mode int

// Modes. Create fails when the file exists.
const (
	ReadOnly Mode = iota
	ReadWrite
	Create
)

// FS is what the journal needs of a file system. Paths are those of package
// filepath.
type FS interface {
	// Lock makes dir durably if there is none and holds it until the Closer is
	// closed or the process ends. It fails with Unavailable when someone else
	// holds it.
	Lock(dir string) (io.Closer, error)
	// List returns the regular files in dir, in any order.
	List(dir string) ([]Info, error)
	// OpenFile opens path. A file that it created is not durable before SyncDir.
	OpenFile(path string, m Mode) (File, error)
	// SyncDir returns when the names in dir are on the medium.
	SyncDir(dir string) error
}

// osFS is the real file system.
type osFS struct{}

// dirMode and fileMode keep the journal to the till's own user.
const (
	dirMode  = 0o700
	fileMode = 0o600
)

func (osFS) Lock(dir string) (io.Closer, error) {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		if err := os.MkdirAll(dir, dirMode); err != nil {
			return nil, err
		}
		if err := (osFS{}).SyncDir(filepath.Dir(dir)); err != nil {
			return nil, err
		}
	}
	return lockDir(dir)
}

func (osFS) List(dir string) ([]Info, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var infos []Info
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		infos = append(infos, Info{e.Name(), info.Size()})
	}
	return infos, nil
}

func (osFS) OpenFile(path string, m Mode) (File, error) {
	flags := [...]int{ReadOnly: os.O_RDONLY, ReadWrite: os.O_RDWR, Create: os.O_RDWR | os.O_CREATE | os.O_EXCL}
	f, err := os.OpenFile(path, flags[m], fileMode)
	if err != nil {
		return nil, err // not f: a nil *os.File in a File is not nil
	}
	return f, nil
}

func (osFS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// isFull says whether err means that there is no room now, and may be later.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
