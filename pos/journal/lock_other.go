//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package journal

import (
	"io"
	"runtime"

	"github.com/tillwright/tillwright/pos"
)

// lockDir refuses: without a lock two tills would write one journal. Verify works
// on every system.
func lockDir(string) (io.Closer, error) {
	return nil, pos.E("lock journal", pos.Invalid, "a journal cannot be written on %s", runtime.GOOS)
}
