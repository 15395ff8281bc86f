package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
	"github.com/tillwright/tillwright/sync/wire"
)

// officeWithin bounds one call to the backoffice.
const officeWithin = 30 * time.Second

// office is the till's end of the line to the backoffice. It follows an enrolment
// that happens while the till runs.
type office struct {
	desk    *desk.Desk
	books   func() pos.Books
	key     ed25519.PrivateKey
	genesis pos.Genesis
	plain   bool
	calls   http.RoundTripper // nil: net/http's own
	vouch   func(time.Time)
	woken   func()
	bound   func() // told of a new enrolment, before anybody is told of anything else

	mu       sync.Mutex
	enrolled *pos.Enrolled // that client was made for
	client   *wire.Client
	news     func() // told when the backoffice may have forgotten, or is another one; may be nil
}

// onNews says whom to tell when what the backoffice was told must be told again. f must
// not block.
func (o *office) onNews(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.news = f
}

// again tells that it must.
func (o *office) again() {
	o.mu.Lock()
	f := o.news
	o.mu.Unlock()
	if f != nil {
		f()
	}
}

func (o *office) options() []wire.Option {
	if o.plain {
		return []wire.Option{wire.AllowPlain()}
	}
	return nil
}

// Push sends records to the backoffice that the till is enrolled with. Its signed
// answer also says what time it is.
func (o *office) Push(ctx context.Context, batch []pos.Record) (pos.Checkpoint, error) {
	c := o.connected()
	if c == nil {
		return pos.Checkpoint{}, pos.E("send records", pos.NotFound, "not enrolled with a backoffice yet")
	}
	cp, err := c.Push(ctx, batch)
	if err == nil {
		o.vouch(cp.At)
	}
	if _, gap := errors.AsType[*wire.GapError](err); gap { // it came back from a backup
		o.again()
	}
	return cp, err
}

func (o *office) connected() *wire.Client {
	e := o.books().Enrolled
	if e == nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.client == nil || o.enrolled != e { // the ledger makes a new one for each enrolment
		o.enrolled = e
		o.client = wire.NewClient(e.URL, o.genesis.Till, o.key, e.Key, &http.Client{Transport: o.calls, Timeout: officeWithin}, o.options()...)
	}
	return o.client
}

// Enrol spends a one-time code and records which backoffice the till belongs to.
func (o *office) Enrol(ctx context.Context, by pos.Actor, url, code string) error {
	if !by.Role.Includes(pos.Manager) {
		return pos.E("enrol", pos.Forbidden, "ask a manager to connect this till to the backoffice")
	}
	if err := o.desk.MayEnrol(url); err != nil {
		return err
	}
	e, err := wire.Enrol(ctx, url, code, o.key, o.genesis, &http.Client{Transport: o.calls, Timeout: officeWithin}, o.options()...)
	if err != nil {
		return err
	}
	if err := o.desk.Enrolled(e, by); err != nil {
		return err
	}
	o.bound()
	o.woken()
	o.again()
	return nil
}
