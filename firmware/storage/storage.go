// Package storage watches how full the till's storage is, and keeps a reserve for
// the day on which it is.
//
// Promise. While there was room once, a full storage does not stop the counter: a
// reserve of real blocks lies beside the books and is given back the moment
// somebody finds no room, so that the record of a start, cash sales and the record
// of an orderly stop go on. A Gauge that is not Ready says why in a sentence for
// the cashier: from then on no payment is begun that needs many records later on.
// It warns long before. When there is room again, the reserve is made again, and
// the Gauge is Ready.
//
// Limits. Somebody else's files on the same storage can eat the reserve too. What
// is asked is statfs(2): a storage that lies about its room is believed, until a
// write finds none. On a system other than Linux nobody is asked; then the Gauge is
// always Ready and keeps no reserve.
//
// Damage. A reserve that is missing, cut short or full of holes is made anew. One
// that cannot be made for another reason than room is a notice, no more.
package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// How much is kept, and when people are told.
const (
	// ReserveBytes is what is kept: about 500 cash sales, a full day of a small shop.
	ReserveBytes = 4 << 20
	// SaleBytes is what a sale takes: 4.5 KB of records (measured, Nov 2026), its
	// share of the index, and as much again for what a file system rounds up.
	SaleBytes = 8 << 10
	// fullBelow greys every tender but cash. A payment over a rail makes records for
	// minutes, and each must find room; so must those of some dozens begun before.
	fullBelow = 2 << 20
	// giveBelow gives the reserve back before a write finds no room: the index commits
	// whole pages, a few hundred KB at worst.
	giveBelow = 1 << 20
	// againAbove is the room in which the reserve is made again, so that what is left
	// behind it is well above fullBelow and the Gauge does not flutter.
	againAbove = ReserveBytes + 2*fullBelow
	// The warning: as few bytes as a month of a busy shop takes, and as small a share
	// that the storage is really filling up. Bytes alone would never fall silent on a
	// small partition; a share alone would cry over 5 GB left of 64.
	warnBytes = 256 << 20
	warnShare = 10 // percent
	// The same for the number of files, which can run out first.
	fullFiles = 16
	warnFiles = 500
	// Every is how often Run looks: a busy second writes ten sales, a hundredth of
	// giveBelow.
	Every = time.Second
	// tryEvery bounds the wear when a storage that says it has room takes no reserve.
	tryEvery = time.Minute
)

// reserveName is the reserve's file in the data folder.
const reserveName = "reserve"

// Space is what a file system says of itself.
type Space struct {
	Free, Total           uint64 // bytes, as this user may use them
	FreeFiles, TotalFiles uint64 // TotalFiles is 0 where files are not counted
}

// Options are what a Gauge needs.
type Options struct {
	Dir      string // the data folder; it exists
	Language string // of the sentences; English when empty
	Log      *slog.Logger

	// Space asks how much room there is where dir lies; nil asks the kernel. It
	// blocks for a system call.
	Space func(dir string) (Space, error)
}

// Gauge watches one folder's storage. It is safe for concurrent use.
type Gauge struct {
	o    Options
	make func(path string, size int64) error // the reserve's file

	working sync.Mutex // held while a look is taken, which may write; guards what follows
	held    bool       // the reserve lies there, whole
	refused bool       // it could not be made, and it was not for want of room
	tried   time.Time  // when making it failed last

	mu     sync.Mutex // held for moments
	health pos.Health
}

// New looks once, makes the reserve when there is room for it, and returns the
// Gauge. It blocks for the reserve's 4 MB, once in the life of a till. It never
// fails: a till whose storage cannot be measured still sells.
func New(o Options) *Gauge {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Space == nil {
		o.Space = space
	}
	g := &Gauge{o: o, make: makeFile}
	g.held = whole(g.path())
	g.Look()
	return g
}

func (g *Gauge) path() string { return filepath.Join(g.o.Dir, reserveName) }

// Health says whether a payment may be begun that needs room later on, why not, and
// what the owner should know. It does not block. Its Asset is empty.
func (g *Gauge) Health() pos.Health {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.health
}

// Relieve gives the reserve back to who found no room just now, and reports whether
// there was one. It blocks for the removal of a file. From then on the Gauge is not
// Ready until there is room for a new reserve.
func (g *Gauge) Relieve() bool {
	g.working.Lock()
	defer g.working.Unlock()
	if !g.held {
		return false
	}
	g.give()
	s, err := g.o.Space(g.o.Dir)
	g.tell(s, err)
	return !g.held
}

// give removes the reserve. g.working is held.
func (g *Gauge) give() {
	if err := remove(g.path()); err != nil {
		g.o.Log.Error("reserve not given back", "err", err)
		return
	}
	g.held = false
	g.o.Log.Error("storage full, reserve given back; make room and call the owner", "dir", g.o.Dir)
}

// Run looks every second until ctx ends, and returns its error.
func (g *Gauge) Run(ctx context.Context) error {
	t := time.NewTicker(Every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
			g.Look()
		}
	}
}

// Look measures once and does what follows from it: it gives the reserve back or
// makes it again, and moves Health. It blocks for a system call, and for 4 MB when
// the reserve is made.
func (g *Gauge) Look() {
	g.working.Lock()
	defer g.working.Unlock()
	s, err := g.o.Space(g.o.Dir)
	switch {
	case err != nil:
	case g.held && (s.Free < giveBelow || s.noFiles(1)):
		g.give()
		s, err = g.o.Space(g.o.Dir)
	case !g.held && s.Free >= againAbove && !s.noFiles(fullFiles) && (g.tried.IsZero() || time.Since(g.tried) >= tryEvery):
		g.again()
		s, err = g.o.Space(g.o.Dir)
	}
	g.tell(s, err)
}

// again makes the reserve. g.working is held.
func (g *Gauge) again() {
	err := g.make(g.path(), ReserveBytes)
	if err == nil {
		g.held, g.refused, g.tried = true, false, time.Time{}
		g.o.Log.Info("storage reserve made", "bytes", ReserveBytes)
		return
	}
	if g.tried.IsZero() { // once a trouble, not once a try
		g.o.Log.Warn("storage reserve not made", "err", err)
	}
	g.refused = !isFull(err) // a folder that takes no files; the journal will say more
	g.tried = time.Now()
}

// tell moves Health to what was measured.
func (g *Gauge) tell(s Space, err error) {
	h := pos.Health{Ready: true}
	word := func(key string, with ...string) string { return pos.Word(g.o.Language, key, with...) }
	switch {
	case errors.Is(err, errors.ErrUnsupported):
	case err != nil:
		h.Notices = append(h.Notices, word("storage_unknown"))
	case s.Free < fullBelow || s.noFiles(fullFiles) || !g.held && !g.refused:
		h = pos.Health{Reason: word("storage_full")}
	case s.Free < warnBytes && s.Free/warnShare < s.Total/100 || s.noFiles(warnFiles):
		h.Notices = append(h.Notices, word("storage_nearly_full", "free", size(s.Free), "n", strconv.FormatUint(s.Free/SaleBytes, 10)))
	}
	if g.refused && h.Ready {
		h.Notices = append(h.Notices, word("storage_no_reserve"))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if h.Ready != g.health.Ready {
		g.o.Log.Info("storage", "ready", h.Ready, "free", s.Free, "total", s.Total)
	}
	g.health = h
}

// noFiles reports that fewer than n more files can be made.
func (s Space) noFiles(n uint64) bool { return s.TotalFiles > 0 && s.FreeFiles < n }

// size writes bytes for people: "37 MB".
func size(n uint64) string { return fmt.Sprintf("%d MB", n/1_000_000) }

// makeFile makes the reserve whole under another name first: a cut in the middle
// must not leave half a reserve that counts as one.
func makeFile(path string, size int64) (err error) {
	tmp := path + ".new"
	defer func() {
		if err != nil {
			err = errors.Join(err, remove(tmp)) // it is room that somebody needs now
		}
	}()
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(fill(f, size), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// fill writes size bytes that no file system can store in less: a xorshift's, for
// zeros are compressed to nothing on some.
func fill(f *os.File, size int64) error {
	block := make([]byte, 64<<10)
	x := uint64(88172645463325252)
	for done := int64(0); done < size; done += int64(len(block)) {
		for i := range block {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			block[i] = byte(x)
		}
		if _, err := f.Write(block[:min(int64(len(block)), size-done)]); err != nil {
			return err
		}
	}
	return f.Sync()
}

// whole reports that the reserve is there in real blocks.
func whole(path string) bool {
	st, err := os.Lstat(path)
	return err == nil && st.Mode().IsRegular() && st.Size() == ReserveBytes && blocks(st) >= ReserveBytes
}

// remove removes a file and returns when its room is free. One that is not there is
// removed.
func remove(path string) error {
	if err := os.Remove(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
