package port

import (
	"errors"
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
	broken  atomic.Bool // a write failed: there is nothing to wait for
	closed  atomic.Bool
}

// Read implements Port. Files that have no deadlines (plain ones) never block.
func (w *wire) Read(p []byte) (int, error) {
	if err := w.conn.SetReadDeadline(time.Now().Add(answer)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return 0, err
	}
	return w.conn.Read(p)
}

// Write implements Port.
func (w *wire) Write(p []byte) (int, error) {
	sent := 0
	for sent < len(p) {
		if err := w.conn.SetWriteDeadline(time.Now().Add(progress)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
			w.broken.Store(true)
			return sent, err
		}
		n, err := w.conn.Write(p[sent:min(sent+chunk, len(p))])
		sent += n
		if err != nil && (n == 0 || !errors.Is(err, os.ErrDeadlineExceeded)) {
			w.broken.Store(true)
			if w.stalled != nil && errors.Is(err, os.ErrDeadlineExceeded) {
				err = w.stalled(err)
			}
			return sent, err
		}
	}
	return sent, nil
}

// Close implements Port. The second call does nothing.
func (w *wire) Close() error {
	if w.closed.Swap(true) {
		return nil
	}
	var err error
	if !w.broken.Load() {
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
