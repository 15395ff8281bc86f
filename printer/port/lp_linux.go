package port

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ioctls of printers (linux/lp.h), which usblp knows.
const (
	lpAbort     = 0x0604 // 1: a blocked write ends with ENOSPC when there is no paper
	lpGetStatus = 0x060b
	lpNoPaper   = 0x20 // LP_POUTPA
	lpUnset     = 0xFF // some printers say this, and mean nothing
)

// prepare tells usblp to end what would block for ever. Other files do not know the
// call, and none needs it as long as it is not in blocking mode.
func prepare(f *os.File) {
	_ = control(f, func(fd int) error { return unix.IoctlSetInt(fd, lpAbort, 1) })
}

// stalled says why a printer took nothing, if its wires tell: the status byte of the USB
// printer class works also with printers that never answer.
func stalled(f *os.File, err error) error {
	status := -1
	asked := control(f, func(fd int) (err error) {
		status, err = unix.IoctlGetInt(fd, lpGetStatus)
		return err
	})
	return noPaper(status, asked, err)
}

// noPaper adds what the status byte says to err.
func noPaper(status int, asked, err error) error {
	if asked != nil || status == lpUnset || status&lpNoPaper == 0 {
		return err
	}
	return fmt.Errorf("no paper: %w: %w", unix.ENOSPC, err)
}
