package ledger

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// TestCommitFails breaks the commit that nobody waits for. The file lags behind the
// journal then; whoever asks afterwards must not get the old state for the new.
func TestCommitFails(t *testing.T) {
	l, err := Open(filepath.Join(t.TempDir(), "l"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	eur, err := pos.CurrencyOf("EUR")
	if err != nil {
		t.Fatal(err)
	}
	done := pos.SaleCompleted{Sale: pos.Sale{ID: "s"}, Totals: pos.Totals{Total: eur.Of(250)}, Count: 1, Turnover: eur.Of(250)}
	r := pos.Record{N: 1, Kind: pos.KindSaleCompleted, Cmd: pos.Cmd{Key: "k", Digest: "d"}, Body: pos.NewBody(done), At: time.Unix(0, 0)}
	if err := l.Fold(r); err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	l.db.MaxSize = 1 // as a disk that takes no more
	err = put(l.tx.Bucket(keys), []byte("large"), make([]byte, 1<<20))
	l.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	l.flushLate()
	if _, _, _, err := l.Answer("k"); err == nil {
		t.Error("a command is answered from the lagging file")
	}
	if _, err := l.Watched(); err == nil {
		t.Error("payments are read from the lagging file")
	}
	if err := l.Keep(pos.DraftChange{}); err == nil {
		t.Error("a basket is kept in the lagging file")
	}
}
