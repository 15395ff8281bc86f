package journal

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/tillwright/tillwright/pos"
)

// load checks every segment and makes the end of the last one good.
func (j *Journal) load() error {
	segs, _, err := listSegments(j.o.FS, j.dir)
	if err != nil {
		return storage("open journal", err)
	}
	c := &chain{key: j.o.Key.Public().(ed25519.PublicKey)}
	if len(segs) > 0 {
		if err := j.check(c, segs); err != nil {
			return storage("open journal", err)
		}
	}
	j.segs, j.end, j.damage = segs, c.end, c.damage
	return j.checkLast(c)
}

// check follows the chain c through segs.
func (j *Journal) check(c *chain, segs []*segment) error {
	sealed, last := segs[:len(segs)-1], segs[len(segs)-1]
	for i, clean := range j.clean(c.key, sealed) {
		if clean != nil && c.bad == nil && c.end == clean.from {
			c.end, c.ours = clean.end, c.ours || clean.ours
			continue
		}
		if err := j.checkSealed(c, sealed[i]); err != nil {
			return err
		}
	}
	f, err := j.o.FS.OpenFile(last.path(j.dir), ReadWrite)
	if err != nil {
		return fmt.Errorf("open %s: %w", last.name, err)
	}
	j.f = f
	rest, err := c.scan(f, last)
	if err != nil {
		return err
	}
	e, err := c.finish(last, rest)
	if err != nil {
		return err
	}
	return j.settle(c, last, e)
}

// checkSealed takes a segment that another one follows, line by line.
func (j *Journal) checkSealed(c *chain, seg *segment) (err error) {
	seg.marks, seg.fences = nil, nil
	f, err := j.o.FS.OpenFile(seg.path(j.dir), ReadOnly)
	if err != nil {
		return fmt.Errorf("open %s: %w", seg.name, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	rest, err := c.scan(f, seg)
	if err == nil && rest != nil {
		c.spoil(seg, *rest, pos.Peek{}, whyOpen, true)
	}
	return err
}

// link is what a segment without a fault contributes to the chain.
type link struct {
	from, end place
	ours      bool
}

// clean checks the segments side by side, each by itself. Those with any fault are
// nil in what it returns; they are then taken one after the other.
func (j *Journal) clean(key ed25519.PublicKey, segs []*segment) []*link {
	links := make([]*link, len(segs))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(segs)) {
		workers.Go(func() {
			for i := range next {
				links[i] = j.cleanOne(key, segs[i])
			}
		})
	}
	for i := range segs {
		next <- i
	}
	close(next)
	workers.Wait()
	return links
}

// cleanOne returns nil for whatever reason: checkSealed will name it.
func (j *Journal) cleanOne(key ed25519.PublicKey, seg *segment) *link {
	f, err := j.o.FS.OpenFile(seg.path(j.dir), ReadOnly)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }() // read only
	first, err := newLines(f, 0, seg.size, readChunk).next()
	if err != nil {
		return nil
	}
	p, err := pos.PeekRecord(first.text)
	if err != nil || p.N != seg.first {
		return nil
	}
	from := place{p.N - 1, p.Prev}
	c := chain{key: key, end: from}
	rest, err := c.scan(f, seg)
	if err != nil || rest != nil || c.bad != nil || len(c.damage) > 0 {
		return nil
	}
	return &link{from, c.end, c.ours}
}

// settle makes the last segment end where the chain does, keeps what it cuts off,
// and syncs, so that what Open found stays found.
func (j *Journal) settle(c *chain, seg *segment, e ending) error {
	j.size = e.end
	j.torn = max(0, seg.size-e.end)
	if e.mend {
		if _, err := j.f.WriteAt([]byte{'\n'}, e.end-1); err != nil {
			return fmt.Errorf("mend %s: %w", seg.name, err)
		}
	}
	switch err := j.keepTail(seg, e.end); {
	case isFull(err):
		j.uncut = seg
	case err != nil:
		return fmt.Errorf("cut %s: %w", seg.name, err)
	}
	if err := j.rewrite(c.batch, seg, e.end); err != nil {
		return fmt.Errorf("write %s again: %w", seg.name, err)
	}
	if err := j.f.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", seg.name, err)
	}
	if j.uncut == nil {
		seg.size = e.end
	}
	if err := j.o.FS.SyncDir(j.dir); err != nil {
		return fmt.Errorf("sync journal's directory: %w", err)
	}
	return nil
}

// rewrite writes the last batch over itself. If the till's last run ended in a
// failed fsync, its pages may be in memory only, and no sync would write them.
func (j *Journal) rewrite(b batch, seg *segment, end int64) error {
	if b.seg != seg || b.rotten || end-b.off > maxBatchBytes {
		return nil
	}
	block := make([]byte, end-b.off)
	if _, err := j.f.ReadAt(block, b.off); err != nil && err != io.EOF {
		return err
	}
	_, err := j.f.WriteAt(block, b.off)
	return err
}

// cutTail does what Open had no room for.
func (j *Journal) cutTail() error {
	if err := j.keepTail(j.uncut, j.size); err != nil {
		return err
	}
	j.mu.Lock()
	j.uncut.size = j.size
	j.mu.Unlock()
	j.uncut = nil
	return nil
}

// keepTail copies seg's bytes from off on into a file beside and cuts them off.
func (j *Journal) keepTail(seg *segment, off int64) (err error) {
	if seg.size <= off {
		return nil
	}
	name, err := j.asideName(seg, off)
	if err != nil {
		return err
	}
	aside, err := j.o.FS.OpenFile(j.path(name), Create)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.NewOffsetWriter(aside, 0), io.NewSectionReader(j.f, off, seg.size-off))
	if err == nil {
		err = aside.Sync()
	}
	if err = errors.Join(err, aside.Close()); err != nil {
		return err
	}
	if err := j.o.FS.SyncDir(j.dir); err != nil {
		return err
	}
	if err := j.f.Truncate(off); err != nil {
		return err
	}
	return j.f.Sync()
}

// asideName returns the first free name for the bytes cut off seg at off.
func (j *Journal) asideName(seg *segment, off int64) (string, error) {
	_, names, err := listSegments(j.o.FS, j.dir)
	if err != nil {
		return "", err
	}
	taken := make(map[string]bool, len(names))
	for _, n := range names {
		taken[n] = true
	}
	for k := 1; ; k++ {
		name := fmt.Sprintf("%s%08d.torn-%d-%d", segmentPrefix, seg.first, off, k)
		if !taken[name] {
			return name, nil
		}
	}
}

// checkLast reads the newest record, for its time, and refuses a journal that bears
// no signature of this till's.
func (j *Journal) checkLast(c *chain) error {
	if last, err := j.Read(j.end.n); err == nil {
		j.at, j.clock = last.At, last.Clock
		c.ours = c.ours || last.Verify(c.key) == nil
		c.others = c.others || !c.ours
	}
	if c.others && !c.ours {
		return pos.E("open journal", pos.Corrupt, "this journal belongs to another till")
	}
	return nil
}
