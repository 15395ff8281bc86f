package pos

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Hash is a SHA-256. The zero Hash precedes the first record.
type Hash [sha256.Size]byte

// String returns 64 lower-case hex digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes String.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads exactly 64 hex digits.
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) != 2*len(h) {
		return E("read hash", Corrupt, "a hash has %d digits, not %d", 2*len(h), len(b))
	}
	if _, err := hex.Decode(h[:], b); err != nil {
		return Wrap("read hash", Corrupt, err, "a hash holds something that is no hex digit")
	}
	return nil
}

// Clock says how far the wall time of a record is to be believed.
type Clock string

// The zero Clock is the careful one.
const (
	ClockUnknown Clock = ""
	ClockSaved   Clock = "saved"   // restored from storage after a start; later than its predecessor, no more
	ClockTrusted Clock = "trusted" // confirmed by a network time source
)

// Record is one entry of the till's journal: what happened, when, and its place
// in a chain that nobody can change unnoticed.
type Record struct {
	N     uint64          // from 1, without gaps; this is the order of events
	Kind  RecordKind      // what Body holds
	Cmd   Cmd             // the command that caused it, if one did
	Body  json.RawMessage // one of the types in bodies.go
	At    time.Time       // wall time, UTC; see After
	Clock Clock
	Boot  string        // a random name for this run of the till
	Mono  time.Duration // since Boot
	Part  int           // place among the Of records of one write, from 1; both are 0 for a record alone
	Of    int           // such records are on flash together or not at all
	Prev  Hash          // of record N-1; zero for the first
	Hash  Hash          // of all bytes of the line before the hash field
	Sig   []byte        // Ed25519 over Hash by the till's key
	Line  []byte        // the exact line, newline included; set by Seal and ParseRecord
}

// stepBack is how far a trusted clock may be set back without a word: what time
// servers correct by themselves.
const stepBack = 2 * time.Second

// After returns the time and the trust that a record may bear behind one of time at
// and trust clock, when the board's clock says now. Time does not go back from
// record to record, so that no receipt is older than the one before it, with one
// exception: a time that is trusted goes back behind one that was not, or a clock
// that once stood in a wrong year would date everything from then on. A time that
// had to be moved forward is not trusted.
func After(at time.Time, clock Clock, now time.Time, trust Clock) (time.Time, Clock) {
	switch {
	case !now.Before(at), trust == ClockTrusted && clock != ClockTrusted:
		return now, trust
	case trust == ClockTrusted && at.Sub(now) > stepBack:
		return at, ClockSaved
	}
	return at, trust
}

// Cmd ties a record to the command that asked for it, so that a command repeated
// after a power cut gets its first answer.
type Cmd struct {
	Key    string `json:"key"`    // the Idempotency-Key
	Digest string `json:"digest"` // of the command's content
}

// Entry is what a record is made of before the journal gives it its place.
type Entry struct {
	Kind RecordKind
	Cmd  Cmd // zero when no command asked for it
	Body json.RawMessage
}

// MaxLine bounds a record's line. A sale of MaxLines lines with every name at
// its limit takes about 150 KB.
const MaxLine = 512 << 10

// headKeys are the keys of head; each comes at most once, or a line would mean one
// thing to us and another to an auditor's tools.
var headKeys = []string{"n", "kind", "cmd", "body", "at", "clock", "boot", "mono", "part", "of", "prev"}

// head is a line's content before its last two fields, in this order.
type head struct {
	N     uint64          `json:"n"`
	Kind  RecordKind      `json:"kind"`
	Cmd   *Cmd            `json:"cmd,omitempty"`
	Body  json.RawMessage `json:"body"`
	At    string          `json:"at"`
	Clock Clock           `json:"clock"`
	Boot  string          `json:"boot"`
	Mono  int64           `json:"mono"` // nanoseconds
	Part  int             `json:"part,omitempty"`
	Of    int             `json:"of,omitempty"`
	Prev  Hash            `json:"prev"`
}

const (
	hashField = `,"hash":"`
	sigField  = `","sig":"`
	lineEnd   = "\"}\n"
	sigText   = 86 // base64url of 64 bytes, unpadded
	tailLen   = len(hashField) + 2*sha256.Size + len(sigField) + sigText + len(lineEnd)
)

// timeFormat keeps nanoseconds at a fixed width, always UTC.
const timeFormat = "2006-01-02T15:04:05.000000000Z"

// Seal numbers nothing and links nothing: r's fields up to Prev must be set. It
// returns r with Hash, Sig and Line. It fails with Invalid when the line would
// pass MaxLine, when Body is no JSON, or when number, part or year are ones that
// ParseRecord would not read back.
func Seal(r Record, key ed25519.PrivateKey) (Record, error) {
	if !r.placed() || r.At.UTC().Year() > 9999 || r.At.UTC().Year() < 0 {
		return Record{}, E("seal record", Invalid, "record %d has no place or time that can be written", r.N)
	}
	h := head{r.N, r.Kind, nil, r.Body, r.At.UTC().Format(timeFormat), r.Clock, r.Boot, int64(r.Mono), r.Part, r.Of, r.Prev}
	if r.Cmd != (Cmd{}) {
		h.Cmd = &r.Cmd
	}
	text, err := json.Marshal(h)
	if err != nil {
		return Record{}, Wrap("seal record", Invalid, err, "record %d cannot be written", r.N)
	}
	text = text[:len(text)-1] // without the closing brace: two more fields follow
	if len(text)+tailLen > MaxLine {
		return Record{}, E("seal record", Invalid, "this sale is too large to record")
	}
	r.Hash = sha256.Sum256(text)
	r.Sig = ed25519.Sign(key, r.Hash[:])
	line := make([]byte, 0, len(text)+tailLen)
	line = append(line, text...)
	line = append(line, hashField+r.Hash.String()+sigField+base64.RawURLEncoding.EncodeToString(r.Sig)+lineEnd...)
	r.Line = line
	r.At = r.At.UTC().Round(0)
	return r, nil
}

// placed reports that number and part are what readPlace accepts.
func (r Record) placed() bool {
	if r.Of == 0 {
		return r.N > 0 && r.Part == 0
	}
	return r.Of >= 2 && r.Of <= maxPart && r.Part >= 1 && r.Part <= r.Of && uint64(r.Part) <= r.N
}

// ParseRecord reads one line, newline included, and checks its hash against its
// bytes. It checks neither signature (Verify) nor place in the chain (Follows).
// The Record keeps line; the caller must not change it. It fails with Corrupt.
func ParseRecord(line []byte) (Record, error) {
	p, err := PeekRecord(line)
	if err != nil {
		return Record{}, err
	}
	var h head
	object := append(bytes.Clone(line[:len(line)-tailLen]), '}')
	if err := json.Unmarshal(object, &h); err != nil {
		return Record{}, Wrap("read record", Corrupt, err, "record %d cannot be read", p.N)
	}
	if _, err := keysOnce(object, headKeys); err != nil {
		return Record{}, Wrap("read record", Corrupt, err, "record %d cannot be read", p.N)
	}
	if h.N != p.N || h.Prev != p.Prev || h.Part != p.Part || h.Of != p.Of {
		return Record{}, E("read record", Corrupt, "record %d says its place in the chain twice", p.N)
	}
	at, err := time.Parse(timeFormat, h.At)
	if err != nil {
		return Record{}, Wrap("read record", Corrupt, err, "record %d has no time", p.N)
	}
	r := Record{h.N, h.Kind, Cmd{}, h.Body, at, h.Clock, h.Boot, time.Duration(h.Mono), h.Part, h.Of, h.Prev, p.Hash, p.Sig[:], line}
	if h.Cmd != nil {
		r.Cmd = *h.Cmd
	}
	return r, nil
}

// Verify checks the signature with the till's public key. It fails with Corrupt.
func (r Record) Verify(key ed25519.PublicKey) error {
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, r.Hash[:], r.Sig) {
		return E("verify record", Corrupt, "record %d is not signed by this till's key", r.N)
	}
	return nil
}

// Follows checks that r comes right after the record with this number and hash
// (0 and the zero Hash before the first). It fails with Corrupt.
func (r Record) Follows(n uint64, hash Hash) error {
	switch {
	case r.N != n+1:
		return E("verify record", Corrupt, "record %d follows record %d", r.N, n)
	case r.Prev != hash:
		return E("verify record", Corrupt, "record %d does not continue the chain of record %d", r.N, n)
	}
	return nil
}

// Decode reads the body into v, which must be of the type that Kind names. It
// fails with Corrupt. Fields that v does not know are let through: a newer till
// may say more.
func (r Record) Decode(v any) error {
	if err := json.Unmarshal(r.Body, v); err != nil {
		return Wrap("read record", Corrupt, err, "record %d (%s) has an unreadable body", r.N, r.Kind)
	}
	return nil
}
