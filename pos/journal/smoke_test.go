package journal_test

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal"
)

func TestSmoke(t *testing.T) {
	pub, key, _ := ed25519.GenerateKey(nil)
	_ = pub
	dir := t.TempDir()
	o := journal.Options{Key: key, SegmentBytes: 2000, Boot: "b", Start: time.Now()}
	j, err := journal.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		e := journal.Entry{Kind: pos.KindBoot, Body: []byte(`{"a":1}`)}
		if _, err := j.Append(time.Now(), pos.ClockUnknown, e, e, e); err != nil {
			t.Fatal(err)
		}
	}
	j.Close()
	j, err = journal.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for r, err := range j.Since(0) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if r.N != uint64(n) {
			t.Fatal(r.N)
		}
	}
	if n != 30 || len(j.Damage()) > 0 || j.Torn() != 0 {
		t.Fatal(n, j.Damage())
	}
}
