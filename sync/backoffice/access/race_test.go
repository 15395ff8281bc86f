package access_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/access"
	"github.com/tillwright/tillwright/sync/wire"
)

// TestGuessersAtOnce guesses side by side. Goal: who asks forty times at once is
// told no more often than who asks forty times in a row; else the count is read by
// all of them before one of them is in it.
func TestGuessersAtOnce(t *testing.T) {
	const guesses, limit = 40, 5
	db := open(t)
	own := access.NewOwner(db, db)
	codes := access.NewCodes(db, key)
	for _, row := range []struct {
		name  string
		guess func(n int) error
	}{
		{"password", func(n int) error {
			_, err := own.SignIn(t.Context(), "192.0.2.1", fmt.Sprint("wrong password ", n), t0)
			return err
		}},
		{"code", func(n int) error {
			return codes.Enrol(t.Context(), "192.0.2.1", wire.Enrolment{Code: fmt.Sprintf("%08d", n), Genesis: till(1).Genesis}, t0)
		}},
	} {
		var mu sync.Mutex
		var wg sync.WaitGroup
		checked := 0
		for n := range guesses {
			wg.Go(func() {
				if err := row.guess(n); pos.KindOf(err) == pos.Forbidden {
					mu.Lock()
					defer mu.Unlock()
					checked++
				}
			})
		}
		wg.Wait()
		if checked != limit {
			t.Errorf("%s: %d of %d guesses were checked, want %d", row.name, checked, guesses, limit)
		}
	}
}

// TestNameOfTill enrols a till whose series would turn the owner's page around.
func TestNameOfTill(t *testing.T) {
	c := access.NewCodes(open(t), key)
	code, _, err := c.Make(t.Context(), "", "", t0)
	want(t, "make", err, none)
	for _, series := range []string{"\u202e10", "0\n1", "\x1b[2J"} {
		g := till(1).Genesis
		g.Series = series
		want(t, series, c.Enrol(t.Context(), "a", wire.Enrolment{Code: code, Genesis: g}, t0), pos.Invalid)
	}
}
