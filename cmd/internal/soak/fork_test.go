package soak

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal/journaltest"
	"github.com/tillwright/tillwright/sync/backoffice/ingest"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/outbox"
	"github.com/tillwright/tillwright/sync/wire"
)

// office is a real backoffice's door and database, on the far end of a till's outbox.
type office struct {
	*ingest.Ingest
	db   *store.DB
	till string
}

var officeKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{'b'}, ed25519.SeedSize))

func newOffice(t *testing.T, g pos.Genesis) *office {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "office.db"))
	must(t, err)
	now := time.Now()
	code := store.Code{Hash: []byte("code"), Made: now, Ends: now.Add(time.Hour)}
	must(t, db.AddCode(t.Context(), code))
	must(t, db.UseCode(t.Context(), code.Hash, store.Till{ID: g.Till, Key: g.Key, Name: "Till 1", Series: g.Series, Currency: g.Currency, Enrolled: now}))
	return &office{&ingest.Ingest{Store: db, Key: officeKey}, db, g.Till}
}

func (o *office) close(t *testing.T) {
	t.Helper()
	must(t, errors.Join(o.db.Check(context.Background()), o.db.Close()))
}

// Push is the wire between them: signed answers in, what wire.Client makes of them out.
func (o *office) Push(ctx context.Context, batch []pos.Record) (pos.Checkpoint, error) {
	var body []byte
	for _, r := range batch {
		body = append(body, r.Line...)
	}
	cp, err := o.Take(ctx, o.till, body, time.Now())
	p, problem := errors.AsType[*wire.Problem](err)
	switch {
	case !problem || p.Checkpoint == nil:
		return cp, err
	case p.Type == wire.ProblemFork:
		return cp, &wire.ForkError{Fork: pos.Fork{N: p.Checkpoint.N, Theirs: p.Checkpoint.Hash}}
	case p.Type == wire.ProblemGap:
		return cp, &wire.GapError{Expected: p.Expected, Checkpoint: *p.Checkpoint}
	}
	return cp, err
}

// sync delivers until there is nothing more to tell of, and returns the links' states.
func (x *till) sync(o *office) (links []pos.Link) {
	box := outbox.New(outbox.Options{Source: x, Backoffice: o, Language: "en", Link: func(l pos.Link) { links = append(links, l) }})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- box.Run(ctx) }()
	time.Sleep(10 * time.Second)
	synctest.Wait()
	stop()
	<-done
	return links
}

// sells some teas.
func (x *till) sells(t *testing.T, name string, n int) {
	t.Helper()
	for i := range n {
		_, err := x.do(name+"-ring-"+string(rune('a'+i)), pos.AddItem{SKU: tea.SKU})
		must(t, err)
		_, err = x.do(name+"-pay-"+string(rune('a'+i)), pos.Pay{Tender: pos.Cash})
		must(t, err)
	}
}

// TestOldCard copies a till's whole card at noon, sells on, and puts the copy back in
// the evening: nothing on the card can tell. The backoffice does, with the very first
// record; both sides say so and what to do, keep all evidence and merge nothing; and
// the till goes on selling.
func TestOldCard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, net := workDir(t), &network{reqs: map[pos.PaymentID]request{}}
		p := parts{disk: journaltest.New(1, false), ledger: ledgerIn(dir), net: net, boot: "morning"}
		x, err := start(p)
		must(t, err)
		o := newOffice(t, x.ledger.Books().Genesis)
		defer o.close(t)
		x.sells(t, "morning", 5)
		x.sync(o)
		must(t, x.quit())

		noon := p.disk.Copy(2, false)
		index, err := os.ReadFile(p.ledger)
		must(t, err)

		p.boot = "afternoon"
		x, err = start(p)
		must(t, err)
		x.sells(t, "afternoon", 7)
		x.sync(o)
		held, err := o.db.Till(t.Context(), o.till)
		must(t, err)
		if n, _ := x.journal.Last(); held.Head.N < n-1 {
			t.Fatalf("the backoffice holds %d of %d records", held.Head.N, n)
		}
		must(t, x.quit())

		must(t, clean(dir))
		must(t, os.WriteFile(p.ledger, index, 0o600))
		noon.Restart()
		p.disk, p.boot = noon, "evening"
		x, err = start(p)
		must(t, err)
		if b := x.ledger.Books(); b.Lost != nil {
			t.Errorf("the card cannot know: %+v", b.Lost)
		}
		x.sells(t, "evening", 1)
		links := x.sync(o)
		after, err := o.db.Till(t.Context(), o.till)
		must(t, err)
		if after.Head != held.Head {
			t.Errorf("the backoffice went on to %+v from %+v", after.Head, held.Head)
		}
		o.saysSo(t)
		x.saysSo(t, links)
		x.sells(t, "night", 2)
		must(t, x.quit())
		x, err = start(p) // and says it again after every start
		must(t, err)
		x.saysSo(t, x.sync(o))
		must(t, x.quit())
	})
}

// saysSo wants one alarm that names the fork and what the owner can do, and the
// till's records as evidence.
func (o *office) saysSo(t *testing.T) {
	t.Helper()
	alarms, err := o.db.Alarms(t.Context())
	must(t, err)
	if len(alarms) != 1 || alarms[0].Kind != store.AlarmFork || !strings.Contains(alarms[0].Why.In("en"), "copied, or is an old one") {
		t.Errorf("alarms %+v", alarms)
	}
	evidence, err := o.db.Forks(t.Context(), o.till)
	if err != nil || len(evidence) < 4 {
		t.Errorf("%d records are kept as evidence, %v", len(evidence), err)
	}
}

// saysSo wants the fork on the screen, as a link's state and as trouble, and recorded.
func (x *till) saysSo(t *testing.T, links []pos.Link) {
	t.Helper()
	if n := len(links); n == 0 || links[n-1].State != "offline" || !strings.Contains(links[n-1].Detail, "Call the owner now") {
		t.Errorf("the link says %+v", links)
	}
	if b := x.ledger.Books(); b.Fork == nil {
		t.Error("no record of the fork")
	}
	if s := x.View().Counter.Sync; !strings.Contains(s.Trouble, "Call the owner") {
		t.Errorf("the screen says %+v", s)
	}
}
