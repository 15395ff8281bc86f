package journal_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal"
	"github.com/tillwright/tillwright/pos/journal/journaltest"
)

// FuzzOpen replaces a piece of a journal's last file, or all of it. Open must not
// panic, must keep every whole Append before the first bad byte, must drop no byte
// that it does not keep beside, and must come to the same end when it is repeated;
// the next record gets the next number.
func FuzzOpen(f *testing.F) {
	s := newShop(f)
	base := map[string][]byte{}
	for _, path := range s.files {
		base[path] = s.Peek(path)
	}
	last := s.files[2]
	size := len(base[last])
	line := len(s.all[16])
	other := elsewhere(f)
	f.Add(0, 0, []byte{})
	f.Add(0, size, []byte{})
	f.Add(size, 0, []byte("{"))
	f.Add(size, 0, []byte(s.all[19]))
	f.Add(size, 0, []byte(forged(f, 21, s.all[19])))
	f.Add(line, line, []byte(other.all[17]))
	f.Add(line, line, make([]byte, line))
	f.Add(512, 512, make([]byte, 512))
	f.Add(size-1, 1, []byte{})
	f.Add(size-600, 600, make([]byte, 600))
	f.Add(0, size, []byte(strings.Join(other.all, "")))
	f.Fuzz(func(t *testing.T, off, del int, ins []byte) {
		off = min(max(off, 0), size)
		del = min(max(del, 0), size-off)
		file := append(append(bytes.Clone(base[last][:off]), ins...), base[last][off+del:]...)
		d := journaltest.New(1, false)
		for path, b := range base {
			d.Poke(path, b)
		}
		d.Poke(last, file)
		checkOpen(t, d, last, file, s)
	})
}

func checkOpen(t *testing.T, d *journaltest.Disk, path string, file []byte, s *shop) {
	t.Helper()
	whole := prefix(file, s)
	j := open(t, dir, d)
	n, _ := j.Last()
	if n < uint64(len(whole)) {
		t.Fatalf("ends at %d, but %d are whole", n, len(whole))
	}
	for i, want := range whole {
		if r, err := j.Read(uint64(i + 1)); err != nil || string(r.Line) != want {
			t.Fatalf("record %d: %v", i+1, err)
		}
	}
	kept := d.Peek(path)
	if cut := file[min(len(kept), len(file)):]; len(cut) > 0 {
		wantAside(t, d, string(cut))
	}
	if i := len(kept) - 1; i >= 0 && !bytes.HasPrefix(file, kept[:i]) {
		t.Fatal("the file was changed")
	}
	damage := len(j.Damage())
	next := add(t, j, batch(2, 40)...)
	if next[0].N != n+1 {
		t.Fatalf("next is %d, want %d", next[0].N, n+1)
	}
	shut(t, j)
	j = open(t, dir, d)
	if last, _ := j.Last(); last != n+2 || len(j.Damage()) != damage || j.Torn() != 0 {
		t.Fatalf("opened again: ends at %d, %d torn, damage %v", last, j.Torn(), j.Damage())
	}
	if got, err := lines(j, n); err != nil || len(got) != 2 {
		t.Fatalf("opened again: %d records after %d, %v", len(got), n, err)
	}
}

// prefix returns the journal's lines up to the first that is bad in file, without
// those of a batch that is not whole.
func prefix(file []byte, s *shop) []string {
	out := s.all[:s.first(2)-1]
	before, _ := pos.ParseRecord([]byte(out[len(out)-1]))
	whole := len(out)
	for _, text := range bytes.SplitAfter(file, []byte("\n")) {
		r, err := pos.ParseRecord(text)
		if err != nil || r.Follows(before.N, before.Hash) != nil || r.Verify(pub) != nil {
			break
		}
		out = append(out[:len(out):len(out)], string(text))
		if before = r; r.Part == r.Of {
			whole = len(out)
		}
	}
	return out[:whole]
}

// FuzzParseRecord reads any bytes as a line, and any text as one whose hash is right:
// that is as far as someone gets who has no key. What it accepts must be one line,
// agree with PeekRecord, and lose nothing when it is sealed again.
func FuzzParseRecord(f *testing.F) {
	_, all := filled(f, 6)
	for _, line := range all[:3] {
		f.Add([]byte(line), false)
		f.Add([]byte(line[:strings.Index(line, `,"hash":"`)]), true)
	}
	text := all[1][:strings.Index(all[1], `,"hash":"`)]
	f.Add([]byte(strings.Replace(text, `"mono"`, `"N":7,"mono"`, 1)), true)
	f.Add([]byte(strings.Replace(text, `"part":1`, `"part":9`, 1)), true)
	f.Add([]byte(strings.Replace(text, `"body":{`, "\"body\":\n{", 1)), true)
	f.Add([]byte(text+`} {`), true)
	f.Add([]byte(`{"n":1,"prev":"`+strings.Repeat("0", 64)+`"`), true)
	f.Fuzz(func(t *testing.T, b []byte, sealed bool) {
		if sealed {
			b = sealText(b)
		}
		r, err := pos.ParseRecord(b)
		if err != nil {
			if pos.KindOf(err) != pos.Corrupt {
				t.Errorf("%v: %v", pos.KindOf(err), err)
			}
			return
		}
		p, err := pos.PeekRecord(b)
		if err != nil || p.N != r.N || p.Part != r.Part || p.Of != r.Of || p.Prev != r.Prev || p.Hash != r.Hash || p.Sum != r.Hash {
			t.Errorf("%v: peek %+v, parse %+v", err, p, r)
		}
		if r.N == 0 || len(r.Sig) != ed25519.SignatureSize || !bytes.Equal(r.Line, b) || bytes.IndexByte(b, '\n') != len(b)-1 || pos.CountEnds(b) < 1 {
			t.Errorf("accepted %q", b)
		}
		again, err := pos.Seal(r, key)
		if err != nil {
			return // longer when spelled our way
		}
		back, err := pos.ParseRecord(again.Line)
		if err != nil || back.N != r.N || back.Prev != r.Prev || !back.At.Equal(r.At) || back.Mono != r.Mono || back.Verify(pub) != nil {
			t.Errorf("sealed again: %v, %+v, want %+v", err, back, r)
		}
	})
}

// sealText ends text as Seal does.
func sealText(text []byte) []byte {
	sum := sha256.Sum256(text)
	sig := base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, sum[:]))
	return append(bytes.Clone(text), `,"hash":"`+hex.EncodeToString(sum[:])+`","sig":"`+sig+"\"}\n"...)
}

// FuzzVerify reads any file. It must not panic, and must count nothing that is not
// signed.
func FuzzVerify(f *testing.F) {
	d, all := filled(f, 3)
	f.Add(d.Peek(d.Files()[0]))
	f.Add([]byte(all[0] + all[2]))
	f.Add([]byte(all[0] + "\n"))
	f.Add([]byte{})
	path := filepath.Join(f.TempDir(), "journal-00000001.jsonl")
	f.Fuzz(func(t *testing.T, b []byte) {
		write(t, path, b)
		r, err := journal.Verify(pub, path)
		if (err == nil) != (r.Bad == nil) || r.Records > 3 || r.Torn > int64(len(b)) {
			t.Errorf("%v, %+v", err, r)
		}
	})
}
