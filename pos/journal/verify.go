package journal

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/tillwright/tillwright/pos"
)

// sigBatch is how many signatures are checked together, on all cores.
const sigBatch = 512

// Report is what Verify found good.
type Report struct {
	Files   int
	Records uint64   // that passed every check
	First   uint64   // above 1 when older files were not given
	Last    uint64   // number of the newest good record
	Hash    pos.Hash // of that record: compare it with a checkpoint
	Torn    int64    // bytes at the very end of an Append that was never finished
	Bad     *Damage  // the first fault, if there is one
}

// Verify checks copies of a journal's files with nothing but the till's public key:
// every hash, link, number, time and signature, and that each record can be read.
// It takes the files by the numbers in their names, or else of their first records,
// wherever they lie, needs no lock and changes nothing. Signatures cost 70 µs each on a PC, shared by all
// cores.
//
// It stops at the first fault and fails with Corrupt, naming file and line; the
// Report says how far all was good. An unfinished Append at the very end is no
// fault. Files that were cut off the end cannot be missed: compare Last with a
// checkpoint. It fails with Invalid when key is no key, or a file is no journal's,
// and with NotFound or Internal when a file cannot be read.
func Verify(key ed25519.PublicKey, files ...string) (Report, error) {
	v := &verifier{key: key}
	if len(key) != ed25519.PublicKeySize {
		return v.Report, pos.E("verify journal", pos.Invalid, "a key has %d bytes, not %d", ed25519.PublicKeySize, len(key))
	}
	sorted, err := byNumber(files)
	if err != nil {
		return v.Report, err
	}
	for i, path := range sorted {
		if err := v.file(path, i == len(sorted)-1); err != nil {
			return v.Report, err
		}
		v.Files++
	}
	return v.Report, nil
}

func byNumber(files []string) ([]string, error) {
	first := make(map[string]uint64, len(files))
	for _, path := range files {
		n, err := firstOf(path)
		if err != nil {
			return nil, err
		}
		first[path] = n
	}
	sorted := slices.Clone(files)
	slices.SortStableFunc(sorted, func(a, b string) int { return cmp.Compare(first[a], first[b]) })
	return sorted, nil
}

// firstOf returns the number that a file begins with: by its name, or, where it was
// renamed or is an export of all, by its first line.
func firstOf(path string) (n uint64, err error) {
	if n, ok := parseSegment(filepath.Base(path)); ok {
		return n, nil
	}
	f, size, err := openCopy(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	head := make([]byte, min(size, firstLine))
	if _, err := f.ReadAt(head, 0); err != nil {
		return 0, pos.Wrap("verify journal", pos.Internal, err, "%s cannot be read", filepath.Base(path))
	}
	if _, err := fmt.Sscanf(string(head), `{"n":%d,`, &n); err != nil || n == 0 {
		return 0, pos.E("verify journal", pos.Invalid, "%s is no journal's file: it does not begin with a record", filepath.Base(path))
	}
	return n, nil
}

// firstLine is enough of a file to read its first record's number.
const firstLine = 32

// verifier follows the chain through files that it does not trust.
type verifier struct {
	Report
	key  ed25519.PublicKey
	name string
	last pos.Record // chained on, its signature perhaps still pending
	sigs []signed   // records of this file whose signature is still to be checked
}

type signed struct {
	r   pos.Record
	no  int
	off int64
	ok  bool
}

// file checks one file. final says that no other follows it.
func (v *verifier) file(path string, final bool) (err error) {
	v.name = filepath.Base(path)
	f, size, err := openCopy(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	first, err := firstOf(path)
	if err != nil {
		return err
	}
	if v.last.N != 0 && first != v.last.N+1 {
		d := Damage{File: segmentName(v.last.N + 1), First: v.last.N + 1, Last: first - 1, Why: whyGone}
		if first <= v.last.N {
			d = Damage{File: v.name, Line: 1, Why: fmt.Sprintf("the file begins again before record %d", v.last.N)}
		}
		return v.fault(d)
	}
	l := newLines(f, 0, size, scanChunk)
	var batch int64 // where the batch under way begins
	for {
		ln, err := l.next()
		switch {
		case err == io.EOF:
			return v.endFile(batch, size, final)
		case err != nil:
			return pos.Wrap("verify journal", pos.Internal, err, "%s cannot be read", v.name)
		case ln.open && final && tornLine(ln):
			return v.endFile(min(batch, ln.off), size, final)
		}
		if err := v.line(ln); err != nil {
			return err
		}
		if v.last.Part == v.last.Of {
			batch = ln.end
		}
	}
}

func openCopy(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		kind := pos.Internal
		if errors.Is(err, os.ErrNotExist) {
			kind = pos.NotFound
		}
		return nil, 0, pos.Wrap("verify journal", kind, err, "%s cannot be opened", filepath.Base(path))
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// tornLine says whether a last line without a newline is a write cut short, and
// not a whole one whose newline was changed.
func tornLine(ln line) bool {
	if ln.blind || len(ln.text) == 0 {
		return !ln.blind
	}
	_, err := pos.PeekRecord(append(bytes.Clone(ln.text[:len(ln.text)-1]), '\n'))
	return err != nil
}

// line checks one line but for its signature.
func (v *verifier) line(ln line) error {
	d := Damage{File: v.name, Line: ln.no, Offset: ln.off, First: v.last.N + 1, Last: v.last.N + 1}
	switch {
	case ln.blind:
		d.Why = whyBlind
		return v.fault(d)
	case ln.open:
		d.Why = whyOpen
		return v.fault(d)
	}
	r, err := pos.ParseRecord(bytes.Clone(ln.text))
	if err == nil {
		err = v.follows(r, ln.no)
	}
	if err != nil {
		d.Why = reason(err)
		return v.fault(d)
	}
	r.Line, r.Body = nil, nil // a batch of the longest would take a quarter of a gigabyte
	v.last = r
	v.sigs = append(v.sigs, signed{r: r, no: ln.no, off: ln.off})
	if len(v.sigs) == sigBatch {
		return v.flush()
	}
	return nil
}

// follows checks r's place after the last record.
func (v *verifier) follows(r pos.Record, no int) error {
	last := v.last
	if last.N == 0 && r.N > 1 { // older files were not given
		last = pos.Record{N: r.N - 1, Hash: r.Prev}
	}
	if err := r.Follows(last.N, last.Hash); err != nil {
		return err
	}
	if first, named := parseSegment(v.name); named && no == 1 && r.N != first {
		return pos.E("verify journal", pos.Corrupt, "record %d stands in a file that begins with another", r.N)
	}
	if at, clock := pos.After(last.At, last.Clock, r.At, r.Clock); !at.Equal(r.At) || clock != r.Clock {
		return pos.E("verify journal", pos.Corrupt, "record %d is older than record %d", r.N, last.N)
	}
	within := last.Part < last.Of
	if within && (r.Part != last.Part+1 || r.Of != last.Of) || !within && r.Part > 1 {
		return pos.E("verify journal", pos.Corrupt, "record %d is no part of what was written with it", r.N)
	}
	return nil
}

// endFile ends a file whose last whole Append ends at whole.
func (v *verifier) endFile(whole, size int64, final bool) error {
	if err := v.flush(); err != nil {
		return err
	}
	if final {
		v.Torn = size - whole
		return nil
	}
	if whole != size {
		return v.fault(Damage{File: v.name, Offset: whole, First: v.last.N + 1, Last: v.last.N + 1, Why: whyOpen})
	}
	return nil
}

// flush checks the signatures that are pending, on all cores.
func (v *verifier) flush() error {
	var workers sync.WaitGroup
	per := len(v.sigs)/runtime.GOMAXPROCS(0) + 1
	for chunk := range slices.Chunk(v.sigs, per) {
		workers.Go(func() {
			for i := range chunk {
				chunk[i].ok = chunk[i].r.Verify(v.key) == nil
			}
		})
	}
	workers.Wait()
	pending := v.sigs
	v.sigs = v.sigs[:0]
	for _, s := range pending {
		if !s.ok {
			return v.fault(Damage{v.name, s.no, s.off, s.r.N, s.r.N, "not signed by this till's key"})
		}
		v.good(s.r)
	}
	return nil
}

func (v *verifier) good(r pos.Record) {
	if v.Records == 0 {
		v.First = r.N
	}
	v.Records++
	v.Last, v.Hash = r.N, r.Hash
}

// fault reports d, or a fault before it.
func (v *verifier) fault(d Damage) error {
	if err := v.flush(); err != nil {
		return err
	}
	v.Bad = &d
	return pos.E("verify journal", pos.Corrupt, "%s", d)
}
