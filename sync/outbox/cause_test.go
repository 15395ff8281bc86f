package outbox_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/wire"
)

// TestCause gives the outbox every way in which something is in the way of the
// backoffice. Goal: the cashier reads what a person can do about it, and no more
// than one sentence an outage.
func TestCause(t *testing.T) {
	year := 365 * 24 * time.Hour
	ended := func(begins time.Duration) error {
		c := &x509.Certificate{NotBefore: time.Now().Add(begins), NotAfter: time.Now().Add(begins + year)}
		return &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Cert: c, Reason: x509.Expired}}
	}
	line := func(err error) error {
		return pos.Wrap("call backoffice", pos.Unavailable, &url.Error{Op: "Post", Err: err}, "cannot be reached")
	}
	// The bubble's clock stands in the year 2000.
	for name, tt := range map[string]struct {
		err  func() error
		word string
	}{
		"a portal's page":           {func() error { return pos.Wrap("call", pos.Unavailable, wire.ErrPortal, "no backoffice") }, "sync_sign_in"},
		"an answer of nobody's":     {func() error { return pos.Wrap("check", pos.Corrupt, wire.ErrStranger, "not signed") }, "sync_stranger"},
		"another name":              {func() error { return line(&tls.CertificateVerificationError{Err: x509.HostnameError{}}) }, "sync_sign_in"},
		"unknown authority":         {func() error { return line(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}) }, "sync_sign_in"},
		"plain words":               {func() error { return line(tls.RecordHeaderError{}) }, "sync_sign_in"},
		"certificate of the future": {func() error { return line(ended(year)) }, "sync_clock"},
		"certificate of the past":   {func() error { return line(ended(-2 * year)) }, "sync_certificate"},
		"silence":                   {func() error { return line(context.DeadlineExceeded) }, "sync_offline"},
		"a record refused":          {func() error { return pos.E("push", pos.Corrupt, "record 7 is not signed") }, "sync_corrupt"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				far := &backoffice{upAt: time.Now().Add(time.Hour), down: tt.err()}
				till := start(t, far, newTill())
				time.Sleep(30 * time.Minute)
				if l := till.link(); l.State != "offline" || l.Detail != pos.Word("en", tt.word) || l.Detail == tt.word {
					t.Errorf("the link says %+v, want %s", l, tt.word)
				}
				if n := till.told(); n > 2 {
					t.Errorf("one outage was told %d times", n)
				}
				time.Sleep(36 * time.Minute)
				if far.count() != 2 || till.link().State != "online" {
					t.Errorf("after the outage: %d records, %+v", far.count(), till.link())
				}
			})
		})
	}
}

// crowd is a backoffice that is away, and notes when it was called.
type crowd struct {
	mu    sync.Mutex
	calls map[int][]time.Time
}

type caller struct {
	*crowd
	id int
}

func (c caller) Push(context.Context, []pos.Record) (pos.Checkpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[c.id] = append(c.calls[c.id], time.Now())
	return pos.Checkpoint{}, pos.E("push", pos.Unavailable, "away")
}

// TestJitter has the twelve tills of a shop lose their backoffice at one instant.
// Goal: an hour later they do not call it in one instant: no second of that hour's
// last quarter sees more than five of them, and each still tries every 5 minutes.
func TestJitter(t *testing.T) {
	const tills = 12
	synctest.Test(t, func(t *testing.T) {
		far := &crowd{calls: map[int][]time.Time{}}
		began := time.Now()
		for id := range tills {
			start(t, caller{far, id}, newTill())
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		seconds := map[string]int{}
		for id, calls := range far.calls {
			for i, at := range calls {
				if at.Sub(began) > 45*time.Minute {
					seconds[fmt.Sprint(at.Unix())]++
				}
				if i > 0 && at.Sub(calls[i-1]) > 5*time.Minute {
					t.Errorf("till %d was quiet for %v", id, at.Sub(calls[i-1]))
				}
			}
			if last := calls[len(calls)-1]; time.Since(last) > 5*time.Minute || len(calls) > 25 {
				t.Errorf("till %d called %d times, last %v ago", id, len(calls), time.Since(last))
			}
		}
		for at, n := range seconds {
			if n > 5 {
				t.Errorf("%d tills call in second %s", n, at)
			}
		}
	})
}
