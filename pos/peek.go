package pos

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
)

// Peek is what a record's line tells without decoding its JSON: Seal puts these
// fields at fixed places. It keeps nothing of the line.
type Peek struct {
	N        uint64
	Part, Of int // as in Record
	Prev     Hash
	Hash     Hash // as the line says
	Sum      Hash // as the bytes say
	Sig      [ed25519.SignatureSize]byte
}

const (
	numberField = `{"n":`
	partField   = `,"part":`
	ofField     = `,"of":`
	prevField   = `,"prev":"`
	prevLen     = len(prevField) + 2*sha256.Size + len(`"`)
	maxDigits   = 20   // of an uint64
	maxPart     = 9999 // records of one write: cutInt reads four digits
)

// strictSig refuses the second spelling that the last character of 86 allows.
var strictSig = base64.RawURLEncoding.Strict()

// PeekRecord reads a line's place in the chain and checks its hash against its
// bytes. It costs little more than the hash, a twentieth of ParseRecord, so a
// whole journal can be checked at every start. A line that it lets through may
// still hold unreadable JSON. It fails with Corrupt; what it could read of a bad
// line's Hash, Sum and Sig is returned all the same.
func PeekRecord(line []byte) (Peek, error) {
	var p Peek
	if why := p.read(line); why != "" {
		return p, E("read record", Corrupt, "%s", why)
	}
	return p, nil
}

// read fills p and says what is wrong with the line.
func (p *Peek) read(line []byte) string {
	if len(line) > MaxLine || len(line) < len(numberField)+prevLen+tailLen {
		return "a line of " + strconv.Itoa(len(line)) + " bytes is no record"
	}
	text, tail := line[:len(line)-tailLen], line[len(line)-tailLen:]
	if bytes.IndexByte(text, '\n') >= 0 {
		return "the line has a second end"
	}
	p.Sum = sha256.Sum256(text)
	if !p.readTail(tail) {
		return "the line does not end in hash and signature"
	}
	if p.Hash != p.Sum {
		return "the bytes do not match their hash"
	}
	if !p.readPlace(text) {
		return "the line does not say its place in the chain"
	}
	return ""
}

// CountEnds returns how many ends of records b shows. A line that lost its newline
// shows two, and neither is a record any more.
func CountEnds(b []byte) int {
	const between = len(hashField) + 2*sha256.Size
	n := 0
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte(sigField))
		if i < 0 {
			return n
		}
		at += i
		if at >= between && bytes.HasPrefix(b[at-between:], []byte(hashField)) {
			n++
		}
		at += len(sigField)
	}
}

// readTail reads a line's last tailLen bytes. Each value has one spelling only:
// neither field is covered by the hash.
func (p *Peek) readTail(tail []byte) bool {
	hash, ok1 := bytes.CutPrefix(tail, []byte(hashField))
	if !ok1 || !unhex(&p.Hash, hash[:2*sha256.Size]) {
		p.Hash = Hash{}
		return false
	}
	sig, ok2 := bytes.CutPrefix(hash[2*sha256.Size:], []byte(sigField))
	sig, ok3 := bytes.CutSuffix(sig, []byte(lineEnd))
	if !ok2 || !ok3 {
		return false
	}
	n, err := strictSig.Decode(p.Sig[:], sig)
	return err == nil && n == len(p.Sig)
}

// readPlace reads the number at the front of text, and part, of and prev at its
// end, where the body cannot reach: at, clock, boot and mono stand between.
func (p *Peek) readPlace(text []byte) bool {
	rest, ok := bytes.CutPrefix(text, []byte(numberField))
	digits, _, comma := bytes.Cut(rest[:min(len(rest), maxDigits+1)], []byte(","))
	n, err := strconv.ParseUint(string(digits), 10, 64)
	if !ok || !comma || err != nil || n == 0 || digits[0] == '0' {
		return false
	}
	p.N = n
	head, prev := text[:len(text)-prevLen], text[len(text)-prevLen:]
	prev, ok = bytes.CutPrefix(prev, []byte(prevField))
	if !ok || prev[2*sha256.Size] != '"' || !unhex(&p.Prev, prev[:2*sha256.Size]) {
		return false
	}
	if head, p.Of = cutInt(head, ofField); p.Of == 0 {
		return true
	}
	_, p.Part = cutInt(head, partField)
	return p.Of >= 2 && 1 <= p.Part && p.Part <= p.Of && uint64(p.Part) <= p.N
}

// cutInt cuts field and a number from 1 to 9999 off the end of b, or nothing.
func cutInt(b []byte, field string) ([]byte, int) {
	i := len(b)
	for i > 0 && len(b)-i < 4 && '0' <= b[i-1] && b[i-1] <= '9' {
		i--
	}
	rest, ok := bytes.CutSuffix(b[:i], []byte(field))
	n, err := strconv.Atoi(string(b[i:]))
	if !ok || err != nil || b[i] == '0' {
		return b, 0
	}
	return rest, n
}

// unhex reads 64 lower-case hex digits: upper case would be a second spelling.
func unhex(h *Hash, digits []byte) bool {
	for i := range h {
		hi, lo := nibble(digits[2*i]), nibble(digits[2*i+1])
		if hi > 15 || lo > 15 {
			return false
		}
		h[i] = hi<<4 | lo
	}
	return true
}

func nibble(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}
