package pos

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// key is a till's, made from a seed so that lines are the same in every run.
var key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

func public() ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

// draft is a record before Seal, with every field set.
func draft(n uint64) Record {
	return Record{
		N: n, Kind: KindDrawerOpened, Cmd: Cmd{"k1", "d1"}, Body: NewBody(DrawerOpened{Reason: "float <&> é", By: Till}),
		At: t0.Add(123456789), Clock: ClockTrusted, Boot: "b00t", Mono: 5 * time.Second, Prev: Hash{1, 2, 3},
	}
}

func sealed(t testing.TB, r Record) Record {
	t.Helper()
	out, err := Seal(r, key)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func same(a, b Record) bool {
	x, y := a, b
	x.Body, x.Sig, x.Line, y.Body, y.Sig, y.Line = nil, nil, nil, nil, nil, nil
	return fmt.Sprintf("%#v", x) == fmt.Sprintf("%#v", y) && bytes.Equal(a.Body, b.Body) && bytes.Equal(a.Sig, b.Sig) && bytes.Equal(a.Line, b.Line)
}

func TestSealAndParse(t *testing.T) {
	part := draft(12)
	part.Part, part.Of = 2, 3
	tests := map[string]Record{
		"every field":            draft(4711),
		"part of a write":        part,
		"first, bare":            {N: 1, Kind: KindStopped, Body: NewBody(Stopped{}), At: t0},
		"the last number":        {N: math.MaxUint64, Kind: "a kind of tomorrow", Body: json.RawMessage(`[1,{"x":null}]`), At: t0},
		"body looks like a tail": {N: 2, Kind: "x", Body: NewBody(map[string]string{"a": hashField + strings.Repeat("0", 64) + sigField + lineEnd}), At: t0},
		"a wall clock of 1970":   {N: 3, Kind: "x", Body: NewBody(1), At: time.Unix(0, 1).UTC()},
		"monotonic below zero":   {N: 3, Kind: "x", Body: NewBody(1), At: t0, Mono: -1},
		"text of all sorts":      {N: 3, Kind: "x", Body: NewBody("\x00\x1b\u2028<>&\"\\"), At: t0, Boot: "\"\n\u2028<", Cmd: Cmd{Key: "\\\"}", Digest: "}"}},
	}
	for name, r := range tests {
		t.Run(name, func(t *testing.T) {
			s := sealed(t, r)
			if bytes.Count(s.Line, []byte("\n")) != 1 || s.Line[len(s.Line)-1] != '\n' || !json.Valid(s.Line) {
				t.Errorf("not one line of JSON: %q", s.Line)
			}
			got, err := ParseRecord(s.Line)
			if err != nil || !same(got, s) {
				t.Fatalf("got  %+v, %v\nwant %+v", got, err, s)
			}
			if err := got.Verify(public()); err != nil {
				t.Error(err)
			}
			p, err := PeekRecord(s.Line)
			if err != nil || p.N != r.N || p.Part != r.Part || p.Of != r.Of || p.Prev != r.Prev || p.Hash != s.Hash || p.Sum != s.Hash || !bytes.Equal(p.Sig[:], s.Sig) {
				t.Errorf("peeked %+v, %v", p, err)
			}
			if again := sealed(t, r); !bytes.Equal(again.Line, s.Line) {
				t.Error("sealing twice gives two lines")
			}
		})
	}
}

// TestSealKeepsTime: the record in memory and the one read back say the same
// instant, in UTC, without the monotonic part that time.Now leaves behind.
func TestSealKeepsTime(t *testing.T) {
	r := draft(1)
	r.At = time.Now().In(time.FixedZone("CET", 3600))
	s := sealed(t, r)
	got, err := ParseRecord(s.Line)
	if err != nil || got.At != s.At || !s.At.Equal(r.At) || s.At.Location() != time.UTC {
		t.Errorf("sealed %v, read %v, meant %v, %v", s.At, got.At, r.At, err)
	}
}

func TestSealRefuses(t *testing.T) {
	spoil := map[string]func(*Record){
		"body is no JSON":      func(r *Record) { r.Body = json.RawMessage(`{"a":`) },
		"two bodies":           func(r *Record) { r.Body = json.RawMessage(`{}{}`) },
		"too large":            func(r *Record) { r.Body = NewBody(strings.Repeat("x", MaxLine)) },
		"no number":            func(r *Record) { r.N = 0 },
		"part of nothing":      func(r *Record) { r.Part = 1 },
		"alone, yet a part":    func(r *Record) { r.Part, r.Of = 1, 1 },
		"no part":              func(r *Record) { r.Of = 2 },
		"part past the last":   func(r *Record) { r.Part, r.Of = 3, 2 },
		"part below the first": func(r *Record) { r.Part, r.Of = -1, 2 },
		"too many parts":       func(r *Record) { r.N, r.Part, r.Of = 20_000, 1, 10_000 },
		"part before record 1": func(r *Record) { r.N, r.Part, r.Of = 1, 2, 2 },
		"year 10000":           func(r *Record) { r.At = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"before Christ":        func(r *Record) { r.At = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC) },
		"year 10000, here":     func(r *Record) { r.At = time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -7200)) },
	}
	for name, f := range spoil {
		r := draft(4)
		f(&r)
		if s, err := Seal(r, key); KindOf(err) != Invalid || s.Line != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The largest line that fits is read back; one byte more is refused.
	r := draft(4)
	r.Body = NewBody("")
	room := MaxLine - len(sealed(t, r).Line)
	r.Body = NewBody(strings.Repeat("x", room))
	if got, err := ParseRecord(sealed(t, r).Line); err != nil || len(got.Line) != MaxLine {
		t.Errorf("a line of MaxLine: %v", err)
	}
	r.Body = NewBody(strings.Repeat("x", room+1))
	if _, err := Seal(r, key); KindOf(err) != Invalid {
		t.Errorf("a byte more: %v", err)
	}
}

// TestLargestSale: a sale with every line and every name at its limit, in letters
// that JSON must escape, fits into a record; an ordinary large one into a third.
func TestLargestSale(t *testing.T) {
	for name, limit := range map[string]int{strings.Repeat("é", MaxName/2): 180 << 10, strings.Repeat("&", MaxName): MaxLine} {
		s := sale(t)
		for range MaxLines {
			l := item(t, name, 99_999_99, vat20)
			l.ID, l.SKU = MaxLines, "4006381333931"
			s.Lines = append(s.Lines, l)
		}
		totals, err := s.Totals()
		if err != nil {
			t.Fatal(err)
		}
		r := draft(1)
		r.Kind, r.Body = KindSaleCompleted, NewBody(SaleCompleted{Sale: s, Totals: totals})
		if n := len(sealed(t, r).Line); n > limit {
			t.Errorf("%.3q…: %d bytes, want at most %d", name, n, limit)
		}
	}
}

// TestFlippedBit turns every bit of a line, one at a time. Each must be noticed,
// by ParseRecord or, in the signature, by Verify, and be Corrupt.
func TestFlippedBit(t *testing.T) {
	r := draft(12)
	r.Part, r.Of = 2, 3
	s := sealed(t, r)
	for i := range s.Line {
		for bit := range 8 {
			line := bytes.Clone(s.Line)
			line[i] ^= 1 << bit
			got, err := ParseRecord(line)
			if err == nil {
				err = got.Verify(public())
			}
			if err == nil || KindOf(err) != Corrupt {
				t.Errorf("byte %d, bit %d: %q became %q, and nobody minds (%v)", i, bit, s.Line[i], line[i], err)
			}
			if _, err := PeekRecord(line); err == nil {
				if _, err := ParseRecord(line); err == nil && i < len(s.Line)-tailLen {
					t.Errorf("byte %d, bit %d: the hash does not cover it", i, bit)
				}
			}
		}
	}
}

// TestTornLine cuts a line at every byte, and puts bytes into it at every place.
func TestTornLine(t *testing.T) {
	s := sealed(t, draft(12))
	for i := range s.Line {
		cut := s.Line[:i]
		grown := append(append(bytes.Clone(cut), 'x'), s.Line[i:]...)
		shrunk := append(bytes.Clone(cut), s.Line[i+1:]...)
		for what, line := range map[string][]byte{"cut": cut, "grown": grown, "shrunk": shrunk, "head lost": s.Line[len(s.Line)-i:]} {
			if r, err := ParseRecord(line); err == nil || KindOf(err) != Corrupt {
				t.Errorf("%s at %d: %v, %v", what, i, r.N, err)
			}
		}
	}
	for what, line := range map[string][]byte{"nil": nil, "newline": []byte("\n"), "two lines": append(bytes.Clone(s.Line), s.Line...), "too long": make([]byte, MaxLine+1), "zeros": make([]byte, 1000)} {
		if _, err := ParseRecord(line); KindOf(err) != Corrupt {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// forge makes a line of any text, with a correct hash and signature by k: what
// somebody who holds a key could write.
func forge(text string, k ed25519.PrivateKey) []byte {
	h := Hash(sha256.Sum256([]byte(text)))
	return []byte(text + hashField + h.String() + sigField + base64.RawURLEncoding.EncodeToString(ed25519.Sign(k, h[:])) + lineEnd)
}

// TestForgedText gives the parser lines whose hash is right and whose text is not
// what Seal writes. A reader must not see two meanings in one line.
func TestForgedText(t *testing.T) {
	s := sealed(t, draft(12))
	text := string(s.Line[:len(s.Line)-tailLen])
	if line := forge(text, key); !bytes.Equal(line, s.Line) {
		t.Fatalf("forge and Seal differ:\n%s%s", line, s.Line)
	}
	swap := func(old, new string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("%q is not in %s", old, text)
		}
		return strings.Replace(text, old, new, 1)
	}
	prev := `,"prev":"` + s.Prev.String() + `"`
	bad := map[string]string{
		"kind twice":             swap(`"body"`, `"kind":"x","body"`),
		"body twice":             swap(`"at"`, `"body":{},"at"`),
		"body twice, odd case":   swap(`"at"`, `"Body":{},"at"`),
		"number twice":           swap(`"kind"`, `"n":13,"kind"`),
		"number twice, odd case": swap(`"kind"`, `"N":13,"kind"`),
		"prev twice":             swap(`"mono"`, `"prev":"`+strings.Repeat("0", 64)+`","mono"`) + "x",
		"prev first, odd case":   swap(prev, `,"PREV":"`+strings.Repeat("0", 64)+`"`),
		"unknown field":          swap(`"mono"`, `"more":1,"mono"`),
		"number zero":            swap(`{"n":12`, `{"n":0`),
		"leading zero":           swap(`{"n":12`, `{"n":012`),
		"negative number":        swap(`{"n":12`, `{"n":-12`),
		"number as text":         swap(`{"n":12`, `{"n":"12"`),
		"number past uint64":     swap(`{"n":12`, `{"n":18446744073709551616`),
		"space before":           " " + text,
		"space inside":           swap(`{"n":12`, `{ "n":12`),
		"no time":                swap(`"at":"2026`, `"at":"26`),
		"time without nanos":     swap(`.123456789Z`, `Z`),
		"time in a zone":         swap(`.123456789Z`, `.123456789+00:00`),
		"a 13th month":           swap(`2026-11`, `2026-13`),
		"object closed":          text + "}",
		"second object":          text + `}{"n":12` + prev,
		"part without of":        swap(prev, `,"part":1`+prev),
		"of without part":        swap(prev, `,"of":2`+prev),
		"part past of":           swap(prev, `,"part":3,"of":2`+prev),
		"part of one":            swap(prev, `,"part":1,"of":1`+prev),
		"part with zero":         swap(prev, `,"part":01,"of":2`+prev),
		"part past the number":   strings.Replace(swap(prev, `,"part":2,"of":2`+prev), `{"n":12`, `{"n":1`, 1),
		"part twice":             swap(prev, `,"part":2,"of":3,"part":1,"of":3`+prev),
		"mono as text":           swap(`"mono":5000000000`, `"mono":"5"`),
	}
	for name, text := range bad {
		if r, err := ParseRecord(forge(text, key)); err == nil || KindOf(err) != Corrupt {
			t.Errorf("%s: read as record %d part %d/%d, %v\n%s", name, r.N, r.Part, r.Of, err, text)
		}
	}
	// A second spelling of hash or signature must not pass: the same record would
	// have two lines.
	upper := bytes.Clone(s.Line)
	tail := upper[len(upper)-tailLen+len(hashField):][:64]
	copy(tail, bytes.ToUpper(tail))
	if _, err := ParseRecord(upper); !bytes.Equal(upper, s.Line) && KindOf(err) != Corrupt {
		t.Errorf("upper-case hash: %v", err)
	}
	last := len(s.Line) - len(lineEnd) - 1
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=\n") {
		line := bytes.Clone(s.Line)
		if line[last] = c; bytes.Equal(line, s.Line) {
			continue
		}
		if r, err := ParseRecord(line); err == nil && r.Verify(public()) == nil {
			t.Errorf("last character of the signature may be %q", c)
		}
	}
}

// TestSplice moves pieces between records of the same till: text of one, tail of
// another, a body inside a body.
func TestSplice(t *testing.T) {
	a, b := sealed(t, draft(12)), sealed(t, draft(13))
	cut := func(r Record) (text, tail []byte) { return r.Line[:len(r.Line)-tailLen], r.Line[len(r.Line)-tailLen:] }
	textA, tailA := cut(a)
	textB, tailB := cut(b)
	if _, err := ParseRecord(append(bytes.Clone(textA), tailB...)); KindOf(err) != Corrupt {
		t.Errorf("text of one, tail of another: %v", err)
	}
	// hash of A with signature of B: the text is A's, so it parses; Verify must not.
	mixed := append(bytes.Clone(textA), tailA[:len(hashField)+64]...)
	mixed = append(mixed, tailB[len(hashField)+64:]...)
	r, err := ParseRecord(mixed)
	if err == nil {
		err = r.Verify(public())
	}
	if KindOf(err) != Corrupt {
		t.Errorf("hash of one, signature of another: %v", err)
	}
	inner := draft(14)
	inner.Body = NewBody(string(textB) + string(tailB))
	if got, err := ParseRecord(sealed(t, inner).Line); err != nil || got.N != 14 || got.Hash == b.Hash {
		t.Errorf("a record in a body: record %d, %v", got.N, err)
	}
}

func TestVerify(t *testing.T) {
	s := sealed(t, draft(1))
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	for name, k := range map[string]ed25519.PublicKey{"another till": other, "no key": nil, "short key": public()[:31], "long key": append(bytes.Clone(public()), 0)} {
		if err := s.Verify(k); KindOf(err) != Corrupt || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	unsigned := s
	for _, sig := range [][]byte{nil, {}, s.Sig[:63], make([]byte, 64)} {
		if unsigned.Sig = sig; unsigned.Verify(public()) == nil {
			t.Errorf("a signature of %d bytes passes", len(sig))
		}
	}
}

func TestFollows(t *testing.T) {
	first := sealed(t, Record{N: 1, Kind: KindGenesis, Body: NewBody(Genesis{}), At: t0})
	second := draft(2)
	second.Prev = first.Hash
	second = sealed(t, second)
	if err := first.Follows(0, Hash{}); err != nil {
		t.Error(err)
	}
	if err := second.Follows(first.N, first.Hash); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"again":          second.Follows(2, second.Hash),
		"a gap":          second.Follows(0, Hash{}),
		"another chain":  second.Follows(1, Hash{9}),
		"no chain":       second.Follows(1, Hash{}),
		"first of two":   first.Follows(0, Hash{1}),
		"after the last": first.Follows(math.MaxUint64, Hash{}),
	} {
		if KindOf(err) != Corrupt || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDecode(t *testing.T) {
	r := Record{N: 7, Kind: KindDrawerOpened, Body: json.RawMessage(`{"reason":"float","by":{"id":"u1"},"tomorrow":[1]}`)}
	var b DrawerOpened
	if err := r.Decode(&b); err != nil || b.Reason != "float" || b.By.ID != "u1" {
		t.Errorf("a newer till's body: %+v, %v", b, err)
	}
	for _, body := range []string{``, `{`, `[]`, `{"reason":5}`} {
		r.Body = json.RawMessage(body)
		if err := r.Decode(&b); KindOf(err) != Corrupt || err == nil {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestHashText(t *testing.T) {
	h := Hash(sha256.Sum256([]byte("tea")))
	b, err := json.Marshal(h)
	var got Hash
	if err2 := json.Unmarshal(b, &got); err != nil || err2 != nil || got != h {
		t.Errorf("%s is %v: %v, %v", b, got, err, err2)
	}
	for _, s := range []string{"", "00", h.String() + "0", h.String()[:63] + "g", h.String()[:62], strings.Repeat(" ", 64)} {
		if err := got.UnmarshalText([]byte(s)); KindOf(err) != Corrupt || err == nil {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// TestCheckpointMessage: what the backoffice signs does not depend on the zone, and
// differs with every field.
func TestCheckpointMessage(t *testing.T) {
	c := Checkpoint{Till: "00112233aabbccdd", N: 5, Hash: Hash{1}, At: t0}
	zone := c
	zone.At = t0.In(time.FixedZone("CET", 3600))
	zone.Sig = []byte("not part of it")
	if !bytes.Equal(c.Message(), zone.Message()) {
		t.Errorf("%s and %s", c.Message(), zone.Message())
	}
	seen := map[string]bool{string(c.Message()): true}
	for _, f := range []func(*Checkpoint){func(c *Checkpoint) { c.Till = "x" }, func(c *Checkpoint) { c.N++ }, func(c *Checkpoint) { c.Hash[31]++ }, func(c *Checkpoint) { c.At = c.At.Add(1) }} {
		d := c
		if f(&d); seen[string(d.Message())] {
			t.Errorf("%+v is signed like another", d)
		}
		seen[string(d.Message())] = true
	}
}

// FuzzParseRecord: no bytes crash the parser; what it reads, it reads as Peek
// does; and a line that parses is the only spelling of its record.
func FuzzParseRecord(f *testing.F) {
	part := draft(12)
	part.Part, part.Of = 2, 3
	for _, r := range []Record{draft(1), part, {N: 1, Kind: "x", Body: NewBody(1), At: t0}} {
		f.Add(sealed(f, r).Line, false)
		s := sealed(f, r)
		f.Add(s.Line[:len(s.Line)-tailLen], true)
	}
	f.Fuzz(func(t *testing.T, b []byte, whole bool) {
		line := b
		if whole { // let the fuzzer write text that passes the hash
			if len(b) > MaxLine-tailLen {
				return
			}
			line = forge(string(b), key)
		}
		r, err := ParseRecord(line)
		p, perr := PeekRecord(line)
		if err != nil {
			if KindOf(err) != Corrupt {
				t.Errorf("%v: %v", KindOf(err), err)
			}
			return
		}
		if perr != nil || p.N != r.N || p.Prev != r.Prev || p.Hash != r.Hash || p.Part != r.Part || p.Of != r.Of {
			t.Errorf("parsed %+v, peeked %+v, %v", r, p, perr)
		}
		if !json.Valid(line) {
			t.Errorf("%q is no JSON", line)
		}
		if whole {
			again, err := Seal(r, key)
			if err != nil || again.N != r.N || again.Kind != r.Kind || !again.At.Equal(r.At) {
				t.Errorf("%q does not seal again: %v", line, err)
			}
		}
	})
}

// FuzzSeal: whatever the fields, Seal refuses or ParseRecord gives the same back.
func FuzzSeal(f *testing.F) {
	f.Add(uint64(1), "x", "k", `{"a":1}`, int64(0), "b", 0, 0)
	f.Add(uint64(9), "\xff", "\u2028", ` [ 1 , "<" ] `, int64(math.MaxInt64), "", 1, 2)
	f.Fuzz(func(t *testing.T, n uint64, kind, cmd, body string, at int64, boot string, part, of int) {
		r := Record{N: n, Kind: RecordKind(kind), Cmd: Cmd{Key: cmd}, Body: json.RawMessage(body), At: time.Unix(at>>20, at&0xfffff), Boot: boot, Mono: time.Duration(at), Part: part, Of: of}
		s, err := Seal(r, key)
		if err != nil {
			return
		}
		got, err := ParseRecord(s.Line)
		if err != nil {
			t.Fatalf("%q: %v", s.Line, err)
		}
		if got.N != n || got.At != s.At || got.Mono != r.Mono || got.Part != part || got.Of != of || got.Hash != s.Hash || got.Verify(public()) != nil {
			t.Errorf("%+v became %+v", s, got)
		}
	})
}

func BenchmarkParseRecord(b *testing.B) {
	s := sale(b, item(b, "Café Süd", 440, vat20), item(b, "cake", 300, vat10), item(b, "tea", 300, vat20))
	r := draft(1)
	r.Kind, r.Body = KindSaleCompleted, NewBody(SaleCompleted{Sale: s})
	line := sealed(b, r).Line
	b.SetBytes(int64(len(line)))
	b.Run("parse", func(b *testing.B) {
		for b.Loop() {
			if _, err := ParseRecord(line); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("peek", func(b *testing.B) {
		for b.Loop() {
			if _, err := PeekRecord(line); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestAfter: time does not go back, but for one trusted behind one that was not; and
// a time that had to be moved is not trusted.
func TestAfter(t *testing.T) {
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name        string
		clock       Clock
		off         time.Duration // of the board's clock, from the last record
		trust       Clock
		want        time.Duration
		wantTrusted Clock
	}{
		{"goes on", ClockTrusted, time.Second, ClockTrusted, time.Second, ClockTrusted},
		{"the same instant", ClockUnknown, 0, ClockUnknown, 0, ClockUnknown},
		{"woke in 1970", ClockTrusted, -56 * 365 * 24 * time.Hour, ClockUnknown, 0, ClockUnknown},
		{"saved time is stale", ClockTrusted, -time.Hour, ClockSaved, 0, ClockSaved},
		{"a wrong year is set right", ClockSaved, -10 * 365 * 24 * time.Hour, ClockTrusted, -10 * 365 * 24 * time.Hour, ClockTrusted},
		{"set right from nothing", ClockUnknown, -time.Hour, ClockTrusted, -time.Hour, ClockTrusted},
		{"two trusted words differ", ClockTrusted, -time.Hour, ClockTrusted, 0, ClockSaved},
		{"a server's small step", ClockTrusted, -stepBack, ClockTrusted, 0, ClockTrusted},
		{"not so small", ClockTrusted, -stepBack - 1, ClockTrusted, 0, ClockSaved},
	} {
		at, clock := After(noon, c.clock, noon.Add(c.off), c.trust)
		if !at.Equal(noon.Add(c.want)) || clock != c.wantTrusted {
			t.Errorf("%s: %v %q", c.name, at.Sub(noon), clock)
		}
		if again, same := After(noon, c.clock, at, clock); !again.Equal(at) || same != clock {
			t.Errorf("%s: what was written is not what an auditor allows", c.name)
		}
	}
	at, clock := After(time.Time{}, "", noon, ClockUnknown)
	if !at.Equal(noon) || clock != ClockUnknown {
		t.Errorf("the first record: %v %q", at, clock)
	}
}
