package journal

import (
	"bytes"

	"github.com/tillwright/tillwright/pos"
)

// ending says what Open has to do with the last file.
type ending struct {
	end  int64 // where the bytes that count end; what is longer is cut
	mend bool  // the last byte that counts is to be made a newline
}

// finish decides about the end of the last file, seg, whose last line, if it has
// no newline, is rest. What may be an unfinished Append is cut; everything else
// stays and the chain goes on behind it. It fails with Corrupt when neither can
// be told, and with Unavailable when the end cannot be read.
func (c *chain) finish(seg *segment, rest *line) (ending, error) {
	if c.bad != nil && c.bad.seg != seg {
		c.promote()
	}
	c.trustName(seg)
	e := ending{end: seg.size}
	if rest != nil {
		if e.mend = c.mend(seg, rest); e.mend {
			e.end = rest.end
			rest = nil
		} else {
			e.end = rest.off
		}
	}
	if c.bad != nil && c.bad.blind || rest != nil && rest.blind {
		return e, pos.E("open journal", pos.Unavailable, "the end of the till's journal cannot be read")
	}
	if off, before, torn := c.torn(seg); torn {
		e = ending{end: off}
		c.cut(seg, off, before)
	} else if c.bad != nil {
		c.promote()
	}
	if seg.size-e.end > maxBatchBytes {
		return e, pos.E("open journal", pos.Corrupt, "the end of the till's journal is destroyed")
	}
	return e, nil
}

// torn says whether seg ends in an Append that was never finished, and where it
// begins. Only sectors never written tell one from damage when lines follow it.
func (c *chain) torn(seg *segment) (off int64, before place, torn bool) {
	b := c.batch
	own := b.seg == seg && b.known
	open := own && b.part < b.of
	holed := own && b.rotten && b.hole
	switch {
	case c.bad == nil:
		return b.off, b.before, open || holed
	case !c.bad.hole || seg.size-c.bad.Offset > maxBatchBytes:
		return 0, place{}, false
	case open:
		return b.off, b.before, true
	}
	return c.bad.Offset, c.end, true
}

// cut forgets what stands in seg from off on.
func (c *chain) cut(seg *segment, off int64, before place) {
	kept := c.damage[:0]
	for _, d := range c.damage {
		if d.File != seg.name || d.Line == 0 || d.Offset < off {
			kept = append(kept, d)
		}
	}
	seg.cut(off)
	c.damage, c.end, c.bad, c.batch = kept, before, nil, batch{}
}

// promote makes the bad lines at the end of the chain a damage like any other,
// and their end the chain's.
func (c *chain) promote() {
	d := c.bad.Damage
	if c.bad.end.n > c.end.n {
		d.First, d.Last = c.end.n+1, c.bad.end.n
	}
	c.damage = append(c.damage, d)
	c.end, c.bad = c.bad.end, nil
}

// trustName takes the name of a file without a single good record for what it
// says: it was made only after the record before it was promised.
func (c *chain) trustName(seg *segment) {
	lost := seg.first - 1 - c.end.n
	if len(seg.marks) > 0 || seg.first <= c.end.n+1 {
		return
	}
	c.damage = append(c.damage, Damage{File: segmentName(c.end.n + 1), First: c.end.n + 1, Last: seg.first - 1, Why: whyGone})
	c.end.n += lost
	if c.bad != nil {
		c.bad.end.n += lost
	}
}

// mend takes a last line that is whole but for its newline: power went one byte
// too early, or that byte is the one that rotted.
func (c *chain) mend(seg *segment, rest *line) bool {
	if c.bad != nil || len(rest.text) == 0 {
		return false
	}
	last := len(rest.text) - 1
	for _, text := range [][]byte{append(bytes.Clone(rest.text), '\n'), append(bytes.Clone(rest.text[:last]), '\n')} {
		p, err := pos.PeekRecord(text)
		if err == nil && p.N == c.end.n+1 && p.Prev == c.end.hash {
			rest.text, rest.end = text, rest.off+int64(len(text))
			c.extend(seg, *rest, p)
			return true
		}
	}
	return false
}
