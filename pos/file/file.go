// Package file keeps small files: keys, staff, grants. A file is replaced whole or
// not at all, whenever the power goes: it is written under another name, made
// durable, moved into place, and the move is made durable. Only the owner of the
// process may read it. It blocks for the disk.
package file

import (
	"errors"
	"os"
	"path/filepath"
)

// Replace puts data at path. After a failure the old content is still there.
func Replace(path string, data []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	if err := os.Rename(tmp, path); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
