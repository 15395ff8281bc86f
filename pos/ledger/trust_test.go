package ledger_test

import (
	"path/filepath"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// TestDistrust: a tender that made a loss is known as such until a manager allows it again,
// each for itself, and also when the ledger is built anew.
func TestDistrust(t *testing.T) {
	s := newStory(t)
	off := pos.TrustChanged{Tender: "a", Payment: "s-1", Why: "2.90 never came", By: pos.Till}
	s.add(t, pos.KindTrustOff, pos.Cmd{}, off)
	s.add(t, pos.KindTrustOff, pos.Cmd{}, pos.TrustChanged{Tender: "b"})
	s.add(t, pos.KindTrustOn, pos.Cmd{Key: "k"}, pos.TrustChanged{Tender: "b"})
	path := filepath.Join(t.TempDir(), "l")
	l := open(t, path)
	if err := l.Fold(s.recs...); err != nil {
		t.Fatal(err)
	}
	handed := l.Books().Distrust
	for range 2 {
		if got := l.Books().Distrust; len(got) != 1 || got["a"] != off {
			t.Errorf("distrusted: %+v", got)
		}
		l.Close()
		l = open(t, path)
	}
	on := s.add(t, pos.KindTrustOn, pos.Cmd{}, pos.TrustChanged{Tender: "a"})
	if err := l.Fold(on); err != nil {
		t.Fatal(err)
	}
	if got := l.Books().Distrust; len(got) != 0 || len(handed) != 1 {
		t.Errorf("allowed again: %+v; what was handed out: %+v", got, handed)
	}
}
