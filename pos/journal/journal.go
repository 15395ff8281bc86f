package journal

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
)

const (
	// DefaultSegmentBytes is about 2,000 sales: small enough to copy in a second,
	// large enough that a year of a busy shop is a few hundred files.
	DefaultSegmentBytes = 8 << 20
	// MaxBatch bounds the entries of one Append. A command makes three or four.
	MaxBatch = 64
	// maxBatchBytes bounds the bytes of one Append, and so what a power cut can
	// leave unfinished: eight records of the largest kind.
	maxBatchBytes = 8 * pos.MaxLine
)

// Entry is one record to be: its kind, the command behind it, its body.
type Entry = pos.Entry

// Options say how a journal is opened.
type Options struct {
	Key          ed25519.PrivateKey // signs every record; the journal keeps no copy elsewhere
	SegmentBytes int64              // size at which a file is closed; 0 is DefaultSegmentBytes
	Boot         string             // a random name for this run of the till
	Start        time.Time          // of this run; a record's Mono counts from it, and is 0 when it is zero
	FS           FS                 // nil: the real one

	// Relieve is called when the medium is full and reports that it made room; then
	// the Append is tried once more. Nil: there is no reserve. It must not block for
	// more than the medium.
	Relieve func() bool
}

// Journal is an open journal. All its methods may be called from several
// goroutines; Append calls wait for each other, readers wait for nobody.
type Journal struct {
	o    Options
	dir  string
	lock io.Closer

	writing sync.Mutex // held through an Append, fsync included; guards what follows
	f       File       // the last segment; nil until there is one
	size    int64      // bytes of f that count
	uncut   *segment   // its tail still has to be set aside: there was no room
	newName bool       // f's name is not yet durable
	at      time.Time  // of the last record
	clock   pos.Clock  // of the last record
	err     error      // why no Append works any more

	mu     sync.Mutex // held for moments; guards what follows
	end    place
	segs   []*segment
	closed bool

	torn   int64    // set by Open
	damage []Damage // set by Open, rising
}

// Open opens the journal in dir, which it makes if there is none, and checks it
// whole. It holds an exclusive lock until Close. It blocks for as long as reading
// every file takes.
//
// It fails with Unavailable when another process holds the journal or its end
// cannot be read, with Invalid when o is, and with Corrupt when the journal
// belongs to another key or more of it is destroyed than can be fenced.
func Open(dir string, o Options) (*Journal, error) {
	if len(o.Key) != ed25519.PrivateKeySize {
		return nil, pos.E("open journal", pos.Invalid, "the till has no key to sign with")
	}
	if o.FS == nil {
		o.FS = osFS{}
	}
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = DefaultSegmentBytes
	}
	lock, err := o.FS.Lock(dir)
	if err != nil {
		return nil, storage("lock journal", err)
	}
	j := &Journal{o: o, dir: dir, lock: lock}
	if err := j.load(); err != nil {
		if j.f != nil {
			err = errors.Join(err, j.f.Close())
		}
		return nil, errors.Join(err, lock.Close())
	}
	return j, nil
}

// Append numbers, chains and signs the entries and returns their records when all
// of them are on the medium: one write, one fsync. After a loss of power they are
// there together or not at all. Their time is at, or the last record's where that
// is later; their Mono is exact when at holds a monotonic reading, as time.Now
// gives it. No entries are no records. It blocks for the medium, and for an Append
// under way.
//
// It fails with Invalid when an entry or all of them are too large or no JSON, and
// with Unavailable when the medium is full; both change nothing. It fails with
// Internal when the medium failed: then every later Append does, until the journal
// is opened anew.
func (j *Journal) Append(at time.Time, clock pos.Clock, entries ...Entry) ([]pos.Record, error) {
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.err != nil || len(entries) == 0 {
		return nil, j.err
	}
	records, block, err := j.seal(at, clock, entries)
	if err != nil {
		return nil, err
	}
	err = j.put(block)
	if isFull(err) && j.err == nil && j.o.Relieve != nil && j.o.Relieve() {
		err = j.put(block)
	}
	if err != nil {
		return nil, err
	}
	j.commit(records)
	return records, nil
}

// put makes block durable, or changes nothing for want of room, or gives up.
func (j *Journal) put(block []byte) error {
	if err := j.ready(int64(len(block))); err != nil {
		return err
	}
	return j.write(block)
}

// seal makes the entries' records and their bytes. Each is read back as a reader
// will read it: what could not be read again must not be promised.
func (j *Journal) seal(at time.Time, clock pos.Clock, entries []Entry) ([]pos.Record, []byte, error) {
	if len(entries) > MaxBatch {
		return nil, nil, pos.E("append record", pos.Invalid, "%d records at once are too many", len(entries))
	}
	n, prev := j.Last()
	next := pos.Record{N: n, Boot: j.o.Boot, Mono: j.mono(at), Prev: prev}
	next.At, next.Clock = pos.After(j.at, j.clock, at.UTC().Round(0), clock)
	if len(entries) > 1 {
		next.Of = len(entries)
	}
	var block []byte
	records := make([]pos.Record, 0, len(entries))
	for i, e := range entries {
		next.N++
		next.Kind, next.Cmd, next.Body = e.Kind, e.Cmd, e.Body
		next.Part = min(i+1, next.Of)
		sealed, err := pos.Seal(next, j.o.Key)
		if err != nil {
			return nil, nil, err
		}
		r, err := pos.ParseRecord(sealed.Line)
		if err != nil {
			return nil, nil, pos.Wrap("append record", pos.Invalid, err, "record %d cannot be read back", next.N)
		}
		block = append(block, r.Line...)
		records = append(records, r)
		next.Prev = r.Hash
	}
	if len(block) > maxBatchBytes {
		return nil, nil, pos.E("append record", pos.Invalid, "%d bytes at once are too many", len(block))
	}
	return records, block, nil
}

func (j *Journal) mono(at time.Time) time.Duration {
	if j.o.Start.IsZero() {
		return 0
	}
	return max(0, at.Sub(j.o.Start))
}

// ready makes room for n bytes: it keeps a promise of Open's that a full disk
// held up, and begins a new file where the last one is full.
func (j *Journal) ready(n int64) error {
	if j.uncut != nil {
		if err := j.cutTail(); err != nil {
			return storage("append record", err)
		}
	}
	if j.f != nil && (j.size == 0 || j.size+n <= j.o.SegmentBytes) {
		return nil
	}
	first, _ := j.Last()
	seg := &segment{name: segmentName(first + 1), first: first + 1}
	f, err := j.o.FS.OpenFile(seg.path(j.dir), Create)
	if err != nil {
		return j.fail(err)
	}
	if j.f != nil {
		_ = j.f.Close() // every byte in it was synced
	}
	j.f, j.size, j.newName = f, 0, true
	j.mu.Lock()
	j.segs = append(j.segs, seg)
	j.mu.Unlock()
	return nil
}

// write puts block on the medium. A write that ran out of room is undone, and the
// undoing synced: a later file must not stand behind half a record. A sync that
// failed cannot be undone: the kernel may have dropped the pages, and a second
// sync would succeed without them. Then only Open can tell what is really there.
func (j *Journal) write(block []byte) error {
	if _, err := j.f.WriteAt(block, j.size); err != nil {
		if isFull(err) && j.f.Truncate(j.size) == nil && j.f.Sync() == nil {
			return storage("append record", err)
		}
		return j.giveUp(err)
	}
	if err := j.f.Sync(); err != nil {
		return j.giveUp(err)
	}
	if !j.newName {
		return nil
	}
	if err := j.o.FS.SyncDir(j.dir); err != nil {
		return j.giveUp(err)
	}
	j.newName = false
	return nil
}

// fail reports an error that left everything as it was, if there is room to try
// again, and else gives up.
func (j *Journal) fail(err error) error {
	if isFull(err) {
		return storage("append record", err)
	}
	return j.giveUp(err)
}

// giveUp makes every later Append fail.
func (j *Journal) giveUp(err error) error {
	j.err = pos.Wrap("append record", pos.Internal, err, "the till's storage failed; restart it")
	return j.err
}

// commit publishes records, which are durable.
func (j *Journal) commit(records []pos.Record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	seg := j.segs[len(j.segs)-1]
	for _, r := range records {
		seg.mark(r.N, j.size)
		j.size += int64(len(r.Line))
		j.end, j.at, j.clock = place{r.N, r.Hash}, r.At, r.Clock
	}
	seg.size = j.size
}

// Last returns the number and hash of the newest record, 0 and the zero Hash when
// there is none.
func (j *Journal) Last() (uint64, pos.Hash) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.end.n, j.end.hash
}

// Torn returns how many bytes of an unfinished Append Open cut off. They are kept
// in a file beside.
func (j *Journal) Torn() int64 { return j.torn }

// Damage returns what Open found damaged and fenced, in order. The caller owns it.
func (j *Journal) Damage() []Damage { return slices.Clone(j.damage) }

// Lost returns the records that Damage took, rising: what the ledger cannot fold and
// a person must hear of. The caller owns it.
func (j *Journal) Lost() []pos.Gap {
	var l pos.RecordsLost
	for _, d := range j.damage {
		if d.First > 0 {
			l = l.With(pos.Gap{First: d.First, Last: d.Last, Why: fmt.Sprintf("%s line %d: %s", d.File, d.Line, d.Why)})
		}
	}
	return l.Gaps
}

// Close gives the journal up for others to open. Append and the readers fail from
// now on.
func (j *Journal) Close() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.lock == nil {
		return nil
	}
	var err error
	if j.f != nil {
		err = j.f.Close()
	}
	err = errors.Join(err, j.lock.Close())
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	j.f, j.lock, j.err = nil, nil, pos.E("append record", pos.Unavailable, "the till is shutting down")
	return err
}

// storage gives a failure of the medium its kind, unless it has one.
func storage(op string, err error) error {
	switch _, ok := errors.AsType[*pos.Error](err); {
	case ok:
		return err
	case isFull(err):
		return pos.Wrap(op, pos.Unavailable, err, "the till's storage is full")
	}
	return pos.Wrap(op, pos.Internal, err, "the till's storage failed")
}

func (j *Journal) path(name string) string { return filepath.Join(j.dir, name) }
