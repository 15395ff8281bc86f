//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package journal

import (
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/tillwright/tillwright/pos"
)

// lockDir holds a lock on dir itself, so there is no lock file to be left behind:
// the kernel drops it with the process, kill -9 included.
func lockDir(dir string) (io.Closer, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case err == nil:
		return d, nil
	case errors.Is(err, syscall.EWOULDBLOCK):
		err = pos.Wrap("lock journal", pos.Unavailable, err, "another till already runs on this device's journal")
	}
	return nil, errors.Join(err, d.Close())
}
