package port

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// conn is what net.Conn and os.File have in common.
type conn interface {
	Read([]byte) (int, error)
	Write([]byte) (int, error)
	Close() error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// wire bounds every operation of a conn by progress.
type wire struct {
	conn  conn
	drain func(*wire) error
	// stalled, if set, says more of a write that made no progress.
	stalled func(error) error
	// paper, if set, asks the printer's own wires; see Port.Paper.
	paper func() (out, known bool)
	// packets says that to read nothing is an empty packet, not the end.
	packets bool
	broken  atomic.Pointer[error] // of the write that failed: there is nothing to wait for
	closed  atomic.Bool
}

// Read implements Port. Files that have no deadlines (plain ones) never block.
func (w *wire) Read(p []byte) (int, error) { return w.read(p, answer) }

// read waits for bytes for that long. A USB printer that has nothing to say may say so
// by an empty packet; usblp then reads 0 bytes, which os.File takes for the end.
func (w *wire) read(p []byte, within time.Duration) (int, error) {
	until := time.Now().Add(within)
	if err := w.conn.SetReadDeadline(until); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return 0, err
	}
	for pause := packetFrom; ; pause = min(2*pause, packetTo) {
		n, err := w.conn.Read(p)
		if n > 0 || !w.packets || err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
		left := time.Until(until)
		if left <= 0 {
			return 0, os.ErrDeadlineExceeded
		}
		time.Sleep(min(pause, left))
	}
}

// Unread implements Port.
func (w *wire) Unread() []byte {
	var out []byte
	b := make([]byte, 64)
	for range unreadMax / len(b) {
		n, err := w.read(b, settle)
		out = append(out, b[:n]...)
		if err != nil || n == 0 {
			break
		}
	}
	return out
}

// Paper implements Port.
func (w *wire) Paper() (out, known bool) {
	if w.paper == nil {
		return false, false
	}
	return w.paper()
}

// Write implements Port. What failed once fails at once from then on.
func (w *wire) Write(p []byte) (int, error) {
	if err := w.broken.Load(); err != nil {
		return 0, *err
	}
	sent := 0
	for sent < len(p) {
		n, err := w.send(p[sent:min(sent+chunk, len(p))])
		sent += n
		if err != nil {
			w.broken.Store(&err)
			return sent, err
		}
	}
	return sent, nil
}

// send sends a part of a chunk. It fails when nothing went out for progress.
func (w *wire) send(p []byte) (int, error) {
	if err := w.conn.SetWriteDeadline(time.Now().Add(progress)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return 0, err
	}
	n, err := w.conn.Write(p)
	late := errors.Is(err, os.ErrDeadlineExceeded)
	switch {
	case late && n > 0:
		err = nil
	case late && w.stalled != nil:
		err = w.stalled(err)
	}
	return n, err
}

// Close implements Port. The second call does nothing.
func (w *wire) Close() error {
	if w.closed.Swap(true) {
		return nil
	}
	var err error
	if w.broken.Load() == nil {
		err = w.drain(w)
	}
	return errors.Join(err, w.conn.Close())
}

// drainQueue waits until nothing is queued, for as long as the queue shrinks.
func drainQueue(queued func() (int, error)) error {
	last, since := -1, time.Now()
	for wait := time.Millisecond; ; wait = min(2*wait, drainTick) {
		n, err := queued()
		switch {
		case err != nil:
			return err
		case n <= 0:
			return nil
		case n != last:
			last, since = n, time.Now()
		case time.Since(since) > progress:
			return os.ErrDeadlineExceeded
		}
		time.Sleep(wait)
	}
}

// drainTick is how often a queue that empties slowly is looked at.
const drainTick = 50 * time.Millisecond
