package port

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ioctls of printers (linux/lp.h), which usblp knows.
const (
	lpAbort     = 0x0604 // 1: a blocked write ends with ENOSPC when there is no paper
	lpGetStatus = 0x060b // the status byte of the USB printer class (GET_PORT_STATUS)
	lpNoPaper   = 0x20   // LP_POUTPA
	lpUnset     = 0xFF   // some printers say this, and mean nothing
)

// prepare tells usblp to end what would block for ever. A terminal named by its path
// alone is set as most serial printers and poles are: 9600 baud, raw, no flow control,
// which at that speed none needs for want of room. Other files know neither call.
func prepare(f *os.File) error {
	_ = control(f, func(fd int) error { return unix.IoctlSetInt(fd, lpAbort, 1) })
	err := control(f, func(fd int) error { return serialSpec{baud: unix.B9600, flow: "none"}.set(fd) })
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	return err
}

// node names a device file for as long as what is plugged in stays so: the kernel makes
// another one when a printer comes back.
func node(f *os.File) string {
	var st unix.Stat_t
	if err := control(f, func(fd int) error { return unix.Fstat(fd, &st) }); err != nil {
		return f.Name()
	}
	return fmt.Sprintf("%s inode %d of %d", f.Name(), st.Ino, st.Dev)
}

// classStatus asks the printer's class for its status byte, which some printers keep that
// never answer anything. It blocks for 5 s at most (usblp's own bound), as a rule for a
// millisecond.
func classStatus(f *os.File) (status int, err error) {
	err = control(f, func(fd int) (err error) {
		status, err = unix.IoctlGetInt(fd, lpGetStatus)
		return err
	})
	return status, err
}

// stalled says why a printer took nothing, if its wires tell.
func stalled(f *os.File, err error) error {
	status, asked := classStatus(f)
	return noPaper(status, asked, err)
}

// noPaper adds what the status byte says to err.
func noPaper(status int, asked, err error) error {
	if asked != nil || status == lpUnset || status&lpNoPaper == 0 {
		return err
	}
	return fmt.Errorf("no paper: %w: %w", unix.ENOSPC, err)
}
