package ledger

import (
	"os"

	"golang.org/x/sys/unix"
)

// scratchFile is memory that looks like a file and goes with the process.
func scratchFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("ledger", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), "ledger"), nil
}
