// Package port opens the cable to a printer: network, USB or serial.
//
// Promise. A Write ends: it takes all its bytes, or fails when none went out for
// progress, however long the paper is. A Read ends within answer. Close waits
// until everything written has left this machine and, on the network, until the
// printer has taken it, for as long as that makes progress; its error means that
// the end of the paper may be lost. Only one Port is open at a time towards one
// printer, which most printers insist on; the caller sees to that.
//
// A USB printer is found by its numbers each time it is opened, whatever device file it
// got when it was last plugged in. One that takes nothing for want of paper says so by
// the status of its class (ENOSPC), even if it never answers anything else; one that takes
// a whole paper into its memory says so by Paper, once it has been seen with paper. Find
// lists what is plugged in, and touches nothing.
//
// Limits. Serial and USB printers need Linux. Two printers of one kind must be told
// apart by serial number or socket. A USB printer that is one-way never answers. A serial
// line named by its path alone runs at 9600 baud without flow control.
//
// USB: drivers/usb/class/usblp.c of Linux. Its write blocks for as long as there
// is no paper; therefore the file is used in non-blocking mode, with deadlines.
package port
