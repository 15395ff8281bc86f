package printertest

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/tillwright/tillwright/printer/paper"
)

// tick is how often the host asks a USB printer for answers: once a frame.
const tick = time.Millisecond

// USB is a printer's device file as usblp and Go show it (drivers/usb/class/usblp.c), for
// use in a synctest bubble: its writes take no time, its answers and deadlines do.
type USB struct {
	Printer *paper.Printer
	// Empty says that the printer has an empty packet for who asks and finds no answer:
	// usblp then reads 0 bytes, and os.File says io.EOF. Others let the host wait.
	Empty bool
	// After is how long an answer takes.
	After time.Duration
	// Behind says that it holds each answer back until the next one is due.
	Behind bool
	// High and Low are bits of the class's status byte that it always holds so.
	High, Low int

	mu          sync.Mutex
	answers     []reply
	held        []byte
	read, write time.Time // deadlines
	from        time.Time // when the host began to ask
}

type reply struct {
	b  byte
	at time.Time
}

// Open is another program's turn, or the same one's next: deadlines are gone, and what
// the printer had to say it still has, a frame from now.
func (u *USB) Open() *USB {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.read, u.write, u.from = time.Time{}, time.Time{}, time.Now().Add(tick)
	return u
}

// Write hands b to the printer. When it takes no more it waits for the deadline.
func (u *USB) Write(b []byte) (int, error) {
	n, err := u.Printer.Write(b)
	u.mu.Lock()
	if more := u.Printer.Unread(); len(more) > 0 {
		if u.Behind {
			u.held, more = more, u.held
		}
		for _, b := range more {
			u.answers = append(u.answers, reply{b, time.Now().Add(u.After)})
		}
	}
	until := u.write
	u.mu.Unlock()
	if err != nil {
		time.Sleep(time.Until(until))
	}
	return n, err
}

// Read fetches answers, as a file in non-blocking mode behind Go's poller does.
func (u *USB) Read(b []byte) (int, error) {
	for {
		u.mu.Lock()
		now, until := time.Now(), u.read
		ready := !now.Before(u.from)
		n := 0
		for ready && n < len(b) && len(u.answers) > 0 && !now.Before(u.answers[0].at) {
			b[n] = u.answers[0].b
			u.answers = u.answers[1:]
			n++
		}
		u.mu.Unlock()
		switch {
		case !until.IsZero() && !now.Before(until):
			return n, os.ErrDeadlineExceeded
		case n > 0:
			return n, nil
		case ready && u.Empty:
			return 0, io.EOF
		}
		time.Sleep(tick)
	}
}

// SetReadDeadline is os.File's.
func (u *USB) SetReadDeadline(t time.Time) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.read = t
	return nil
}

// SetWriteDeadline is os.File's.
func (u *USB) SetWriteDeadline(t time.Time) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.write = t
	return nil
}

// Status is the byte of LPGETSTATUS: 0x18 when all is well, 0x30 without paper, but for
// the bits that this printer always holds.
func (u *USB) Status() (int, error) {
	b := 0x18
	if u.Printer.Empty() {
		b = 0x30
	}
	return b&^u.Low | u.High, nil
}

// Close unplugs nothing.
func (u *USB) Close() error { return nil }
