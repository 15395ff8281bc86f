package fb

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernel is the running one.
type kernel struct{}

// noCTTY keeps open(2) from making a terminal the process's own.
const noCTTY = unix.O_NOCTTY

func (kernel) Open(path string, flags int) (*os.File, error) { return os.OpenFile(path, flags, 0) }

func (kernel) Read(f *os.File, request uintptr, into []byte) error {
	return ioctl(f, request, unsafe.Pointer(unsafe.SliceData(into)))
}

func (kernel) Set(f *os.File, request, value uintptr) error {
	return unix.IoctlSetInt(int(f.Fd()), uint(request), int(value))
}

func (kernel) Map(f *os.File, n int) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func (kernel) Unmap(b []byte) error { return unix.Munmap(b) }

func ioctl(f *os.File, request uintptr, arg unsafe.Pointer) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), request, uintptr(arg))
	if errno != 0 {
		return os.NewSyscallError("ioctl", errno)
	}
	return nil
}
