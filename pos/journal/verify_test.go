package journal_test

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal"
)

// TestVerify: what an auditor gets of a good journal, of a part of it, and of one
// whose last write power cut short.
func TestVerify(t *testing.T) {
	s := newShop(t)
	files := s.Export(t, "*")
	whole, err := journal.Verify(pub, files[2], files[0], files[1]) // any order
	if err != nil || whole.Files != 3 || whole.Records != 20 || whole.First != 1 || whole.Last != 20 || whole.Torn != 0 || whole.Bad != nil {
		t.Errorf("whole: %v, %+v", err, whole)
	}
	if last, _ := pos.ParseRecord([]byte(s.all[19])); whole.Hash != last.Hash {
		t.Errorf("hash %v, want %v", whole.Hash, last.Hash)
	}
	export := filepath.Join(t.TempDir(), "all of till 1.txt") // as till export prints it
	if err := os.WriteFile(export, []byte(strings.Join(s.all, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	if one, err := journal.Verify(pub, export); err != nil || one.Records != 20 || one.Hash != whole.Hash {
		t.Errorf("exported: %v, %+v", err, one)
	}
	part, err := journal.Verify(pub, files[1:]...)
	if err != nil || part.First != uint64(s.first(1)) || part.Last != 20 {
		t.Errorf("newer files: %v, %+v", err, part)
	}
	if none, err := journal.Verify(pub); err != nil || none.Records != 0 {
		t.Errorf("nothing: %v, %+v", err, none)
	}
	b, _ := os.ReadFile(files[2])
	for cut, torn := range map[int]bool{1: true, 300: true} {
		write(t, files[2], b[:len(b)-cut])
		r, err := journal.Verify(pub, files...)
		if err != nil || r.Last != 19 || (r.Torn > 0) != torn {
			t.Errorf("%d bytes missing: %v, %+v", cut, err, r)
		}
	}
	if _, err := journal.Verify(pub, files[0], files[2]); pos.KindOf(err) != pos.Corrupt || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("without the middle one: %v", err)
	}
	if _, err := journal.Verify(pub, files[0], files[0]); pos.KindOf(err) != pos.Corrupt {
		t.Errorf("the first one twice: %v", err)
	}
}

// TestVerifyUnfinishedBatch: of three records that were written together two are
// there. They are signed, and still nobody was promised them.
func TestVerifyUnfinishedBatch(t *testing.T) {
	d, _ := filled(t, 1)
	j := open(t, dir, d)
	three := add(t, j, batch(3, 40)...)
	path := d.Files()[0]
	b := d.Peek(path)
	d.Poke(path, b[:len(b)-len(three[2].Line)])
	r, err := verify(t, d)
	if want := int64(len(three[0].Line) + len(three[1].Line)); err != nil || r.Torn != want {
		t.Errorf("%v, %+v, want %d bytes torn", err, r, want)
	}
}

// TestVerifyRefuses what is no journal, no key, or another till's.
func TestVerifyRefuses(t *testing.T) {
	s := newShop(t)
	files := s.Export(t, "*")
	other, _, _ := ed25519.GenerateKey(nil)
	notes := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(notes, []byte("milk, sugar, a new roll of paper for the printer\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		key   ed25519.PublicKey
		files []string
		want  pos.Kind
	}{
		{"no key", nil, files, pos.Invalid},
		{"another key", other, files, pos.Corrupt},
		{"no journal", pub, []string{notes}, pos.Invalid},
		{"no such file", pub, []string{t.TempDir() + "/journal-00000001.jsonl"}, pos.NotFound},
		{"no such file by any name", pub, []string{t.TempDir() + "/all.jsonl"}, pos.NotFound},
	}
	for _, test := range tests {
		r, err := journal.Verify(test.key, test.files...)
		wantKind(t, test.name, err, test.want)
		if r.Records != 0 {
			t.Errorf("%s: %d records are good", test.name, r.Records)
		}
	}
}

// TestVerifyNeedsNoOpen checks what Open leaves to Verify: order of time, parts of a
// batch, signatures, and the JSON itself, all under right hashes.
func TestVerifyNeedsNoOpen(t *testing.T) {
	first := pos.Record{N: 1, Kind: "x", Body: []byte(`1`), At: opening}
	tests := []struct {
		name   string
		second pos.Record
		key    ed25519.PrivateKey
		want   string
	}{
		{"good", pos.Record{N: 2, At: opening}, key, ""},
		{"older", pos.Record{N: 2, At: opening.Add(-1)}, key, "older"},
		{"number", pos.Record{N: 3, At: opening}, key, "follows"},
		{"second part of nothing", pos.Record{N: 2, At: opening, Part: 2, Of: 2}, key, "no part"},
		{"signature", pos.Record{N: 2, At: opening}, ed25519.NewKeyFromSeed(make([]byte, 32)), "not signed"},
	}
	for _, test := range tests {
		a, err := pos.Seal(first, key)
		if err != nil {
			t.Fatal(err)
		}
		second := test.second
		second.Kind, second.Body, second.Prev = "x", []byte(`1`), a.Hash
		b, err := pos.Seal(second, test.key)
		if err != nil {
			t.Fatal(err)
		}
		path := t.TempDir() + "/journal-00000001.jsonl"
		write(t, path, slices.Concat(a.Line, b.Line))
		r, err := journal.Verify(pub, path)
		if test.want == "" && err == nil {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), test.want) || r.Bad == nil || r.Bad.Line != 2 || r.Last != 1 {
			t.Errorf("%s: %v, %+v, want %q in line 2", test.name, err, r, test.want)
		}
	}
}
