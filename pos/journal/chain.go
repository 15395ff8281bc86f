package journal

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"

	"github.com/tillwright/tillwright/pos"
)

// maxDamage bounds the places that Open fences. A journal with more is not worn
// but destroyed, and a person must look at it.
const maxDamage = 1000

// What Open and Verify both say.
const (
	whyBlind = "the storage cannot be read here"
	whyLong  = "a line longer than any record"
	whyGone  = "the file, or the end of the one before, is missing"
	whyOpen  = "the file ends within a record"
)

// Damage is a place in the journal that fails its check and is fenced.
type Damage struct {
	File   string // name of the segment, of the missing one if one is missing
	Line   int    // from 1; 0 for a missing segment
	Offset int64  // of the line in File
	First  uint64 // first and last record that cannot be relied on;
	Last   uint64 // both 0 when all records are there and bytes were added
	Why    string
}

// String says where and why, for the log.
func (d Damage) String() string {
	s := fmt.Sprintf("%s line %d (byte %d): %s", d.File, d.Line, d.Offset, d.Why)
	if d.Line == 0 {
		s = d.File + ": " + d.Why
	}
	if d.First == 0 {
		return s
	}
	return fmt.Sprintf("%s: records %d to %d", s, d.First, d.Last)
}

// covers says whether record n is among those that d affects.
func (d Damage) covers(n uint64) bool { return d.First <= n && n <= d.Last }

// batch is the newest Append that the chain has come to.
type batch struct {
	start  uint64 // its first record
	seg    *segment
	off    int64 // where it begins
	before place // the chain's end without it
	part   int   // of the last record seen; equal to of when that is the batch's last
	of     int
	rotten bool // something in it is bad or missing
	hole   bool // and a sector in it was never written
	known  bool // off is certain: no older batch shares its bad bytes
}

// region is a run of bad lines that no whole record has followed yet.
type region struct {
	Damage
	seg   *segment
	end   place // where the chain goes on if nothing follows: an unreadable line was a record once
	hole  bool
	blind bool
}

// chain follows a journal's lines, one after the other, and fences what does not
// fit. Its end is where the till goes on.
type chain struct {
	key    ed25519.PublicKey
	end    place
	ours   bool // a signature was seen that is this till's
	others bool // one was seen that is not
	batch  batch
	bad    *region
	damage []Damage
}

// scan takes all lines of seg. It returns the last one if it has no newline, and
// nil otherwise. It fails when the file cannot be read or too much is damaged.
func (c *chain) scan(f File, seg *segment) (*line, error) {
	l := newLines(f, 0, seg.size, scanChunk)
	for {
		ln, err := l.next()
		if err == io.EOF {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", seg.name, err)
		}
		if ln.open {
			return &ln, nil
		}
		c.add(seg, ln)
		if len(c.damage) > maxDamage {
			return nil, pos.E("open journal", pos.Corrupt, "the till's journal is damaged in more than %d places", maxDamage)
		}
	}
}

// add takes the next line of seg. Whatever it cannot vouch for it fences.
func (c *chain) add(seg *segment, ln line) {
	p, err := pos.PeekRecord(ln.text)
	switch {
	case err != nil:
		c.spoil(seg, ln, p, reason(err), true)
	case p.N == c.end.n+1 && p.Prev == c.end.hash:
		c.extend(seg, ln, p)
	case p.N > c.end.n+1 && c.signed(p):
		c.resume(seg, ln, p)
	case p.N > c.end.n+1:
		c.spoil(seg, ln, p, fmt.Sprintf("record %d is not signed by this till's key", p.N), false)
	default:
		c.spoil(seg, ln, p, fmt.Sprintf("record %d does not continue the chain of record %d", p.N, c.end.n), false)
	}
}

// extend takes a record that continues the chain. Bad lines before it took
// nothing away: they were added.
func (c *chain) extend(seg *segment, ln line, p pos.Peek) {
	if c.bad != nil {
		c.damage = append(c.damage, c.bad.Damage)
	}
	c.take(seg, ln, p)
}

// resume goes on behind records that are lost.
func (c *chain) resume(seg *segment, ln line, p pos.Peek) {
	d := Damage{File: seg.name, Line: ln.no, Offset: ln.off, Why: "records are missing before this line"}
	if c.bad != nil {
		d = c.bad.Damage
	} else if ln.off == 0 {
		d = Damage{File: segmentName(c.end.n + 1), Why: whyGone}
	}
	d.First, d.Last = c.end.n+1, p.N-1
	c.damage = append(c.damage, d)
	c.take(seg, ln, p)
}

// take makes p the end of the chain.
func (c *chain) take(seg *segment, ln line, p pos.Peek) {
	lost := c.bad != nil || p.N != c.end.n+1
	start := p.N - uint64(max(p.Part, 1)) + 1
	if b := &c.batch; start != b.start || seg != b.seg {
		*b = batch{start: start, seg: seg, off: ln.off, before: c.end, known: start == c.end.n+1}
		if start != p.N && c.bad != nil {
			b.off = c.bad.Offset
			b.known = b.known && c.bad.seg == seg
		}
	}
	c.batch.part, c.batch.of = p.Part, p.Of
	if start != p.N { // else what came before is no part of this batch
		c.batch.rotten = c.batch.rotten || lost
		c.batch.hole = c.batch.hole || c.bad != nil && c.bad.hole
	}
	if c.end.n == 0 {
		c.signed(p)
	}
	seg.mark(p.N, ln.off)
	c.end, c.bad = place{p.N, p.Hash}, nil
}

// spoil fences a line that is not in its place.
func (c *chain) spoil(seg *segment, ln line, p pos.Peek, why string, unreadable bool) {
	switch {
	case ln.blind:
		why = whyBlind
	case ln.text == nil:
		why = whyLong
	}
	if c.bad == nil {
		c.bad = &region{Damage: Damage{File: seg.name, Line: ln.no, Offset: ln.off, Why: why}, seg: seg, end: c.end}
	}
	seg.fence(ln.off, ln.end)
	b := c.bad
	b.blind = b.blind || ln.blind
	b.hole = b.hole || ln.hole
	switch {
	case unreadable:
		b.end = place{b.end.n + uint64(max(1, pos.CountEnds(ln.text))), c.prove(p, b.end.hash)}
	case p.N > b.end.n && c.signed(p):
		b.end = place{p.N, p.Hash}
	}
}

// prove returns the hash that the record behind a bad line has to chain on: the
// one that the line's signature still proves, or else the one it still shows, or
// else the last one known.
func (c *chain) prove(p pos.Peek, known pos.Hash) pos.Hash {
	switch {
	case p.Hash == pos.Hash{}:
		return known
	case p.Sum != p.Hash && ed25519.Verify(c.key, p.Sum[:], p.Sig[:]):
		return p.Sum
	}
	return p.Hash
}

// signed says whether this till signed p.
func (c *chain) signed(p pos.Peek) bool {
	ok := ed25519.Verify(c.key, p.Hash[:], p.Sig[:])
	c.ours = c.ours || ok
	c.others = c.others || !ok
	return ok
}

// reason returns what a PeekRecord error says, without its operation.
func reason(err error) string {
	if e, ok := errors.AsType[*pos.Error](err); ok {
		return e.Msg
	}
	return err.Error()
}
