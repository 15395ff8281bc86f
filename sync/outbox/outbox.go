// Package outbox delivers the till's records to its backoffice.
//
// Promise. Every record arrives, in order, at least once, whatever fails for
// however long; the backoffice makes "at least once" into "once" by number and
// hash. The till's books move only by a checkpoint that the backoffice signed and
// that names the very record the till holds under that number. Nothing here ever
// makes the counter wait: Wake returns at once and Run has its own goroutine.
//
// Outage. Tries go on for ever, 1 second apart at first and 5 minutes at last,
// and the first answer sets that back. A backoffice that came back from a backup
// says which number it expects, and is sent the rest again.
//
// Fork. A backoffice that holds another record under one of our numbers, or more
// records than we ever made, tells of a cloned card or one restored from an old
// copy. Then the Outbox stops pushing and says so: no retry can mend it, and
// merging would falsify the books.
package outbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"iter"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/wire"
)

// Bounds of delivery.
const (
	batchMax   = wire.MaxBatch
	batchBytes = wire.BatchBytes
	backoffMin = time.Second     // a router that restarts, a server that is being updated
	backoffMax = 5 * time.Minute // nobody waits longer than this for a line that is back
	heartbeat  = time.Minute     // how old the word "online" may get while there is nothing to send
	pushWithin = 2 * time.Minute // a call that hangs longer is dead, whatever the client below believes
	gapsMax    = 3               // in one go; a backoffice that never stops asking is broken
)

// Source is the till's journal and its books about the backoffice.
type Source interface {
	// Since yields the records numbered above after, oldest first, up to the
	// newest at the time of the call. The first error ends it.
	Since(after uint64) iter.Seq2[pos.Record, error]
	// Acked returns the number of the last checkpoint, 0 before the first.
	Acked() uint64
	// Ack takes note of a checkpoint; its signature is checked. cp.N may be lower
	// than Acked, when the backoffice came back from a backup, and an Ack that
	// refuses that changes nothing here. A Source that keeps checkpoints as
	// records must not keep one that only covers other checkpoints, or the two
	// sides would thank each other for ever.
	Ack(cp pos.Checkpoint) error
	// Forked takes note of a fork. It may be told of the same one after every
	// start of the till.
	Forked(f pos.Fork) error
}

// Backoffice is the far end.
type Backoffice interface {
	// Push offers records, oldest first, none to ask how far it is. It fails with
	// *wire.GapError, *wire.ForkError, with NotFound while the till has no
	// backoffice, or with anything else: an outage.
	Push(ctx context.Context, batch []pos.Record) (pos.Checkpoint, error)
}

// Options are what an Outbox needs.
type Options struct {
	Source     Source
	Backoffice Backoffice
	Link       func(pos.Link) // told of every change; must not block; may be nil
	Language   string         // of the Link's sentences; English when empty
	Log        *slog.Logger   // may be nil
}

// Outbox sends what the backoffice lacks.
type Outbox struct {
	Options
	wake chan struct{}
	soon chan struct{} // a line is back: the wait after a failure ends
	link pos.Link      // last told; Run's own
}

// New returns an Outbox. Nothing is sent before Run.
func New(o Options) *Outbox {
	if o.Link == nil {
		o.Link = func(pos.Link) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Outbox{Options: o, wake: make(chan struct{}, 1), soon: make(chan struct{}, 1)}
}

// Wake says that there may be something to send. It never blocks.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default: // Run has not got round to the last one
	}
}

// Retry says that some other line of the till has just come back: a wait after a
// failure ends now, for it was most likely the same line. It never blocks.
func (o *Outbox) Retry() {
	select {
	case o.soon <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends and returns its error. It is called once.
func (o *Outbox) Run(ctx context.Context) error {
	o.tell("unknown", "")
	var wait time.Duration // 0: the last try succeeded
	for {
		err := o.drain(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if fork, ok := errors.AsType[*wire.ForkError](err); ok {
			o.forked(fork.Fork)
			<-ctx.Done()
			return ctx.Err()
		}
		wait = o.judge(err, wait)
		if !o.pause(ctx, wait) {
			return ctx.Err()
		}
	}
}

// judge tells the link's state after a try and returns how long to stay quiet.
func (o *Outbox) judge(err error, wait time.Duration) time.Duration {
	switch {
	case err == nil:
		o.tell("online", "")
		return 0
	case pos.KindOf(err) == pos.NotFound: // Wake says when the till has been enrolled
		o.tell("unknown", "")
		return 0
	}
	if o.tell("offline", pos.Word(o.Language, word(err, time.Now()))) { // once an outage, not once a try
		o.Log.Warn("backoffice link", "err", err)
	}
	return min(max(2*wait, backoffMin), backoffMax)
}

// word returns the key of what a cashier reads about a try that failed at now.
func word(err error, now time.Time) string {
	if c, ok := errors.AsType[x509.CertificateInvalidError](err); ok && c.Reason == x509.Expired {
		if c.Cert != nil && now.Before(c.Cert.NotBefore) {
			return "sync_clock" // no certificate comes from the future: the till lives in the past
		}
		return "sync_certificate"
	}
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case certificate, plain, errors.Is(err, wire.ErrPortal):
		return "sync_sign_in"
	case errors.Is(err, wire.ErrStranger):
		return "sync_stranger"
	}
	switch pos.KindOf(err) {
	case pos.Forbidden:
		return "sync_refused"
	case pos.Corrupt:
		return "sync_corrupt"
	case pos.Invalid:
		return "sync_misconfigured"
	}
	return "sync_offline"
}

// pause waits after a try: for a wake-up or the heartbeat when all is well, for
// the back-off when it is not. A wake-up does not shorten a back-off: a busy till
// would hammer a dead line. It reports false when ctx ended.
func (o *Outbox) pause(ctx context.Context, wait time.Duration) bool {
	wake, d := o.wake, heartbeat
	if wait > 0 {
		wake, d = nil, jitter(wait)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-o.soon:
	case <-t.C:
	}
	return true
}

// jitter takes up to a tenth off, so that the tills of a shop do not all call in
// the same instant after an outage.
func jitter(d time.Duration) time.Duration { return d - rand.N(d/10+1) }

// drain pushes what the backoffice lacks until it lacks nothing, and at least
// once: an empty batch is the probe that keeps the link's state honest.
func (o *Outbox) drain(ctx context.Context) error {
	at, gaps := o.Source.Acked(), 0
	for first := true; ; first = false {
		batch, err := take(o.Source.Since(at))
		if err != nil {
			return err
		}
		if len(batch) == 0 && !first {
			return nil
		}
		cp, err := o.push(ctx, batch)
		if gap, ok := errors.AsType[*wire.GapError](err); ok && gap.Expected <= at && gaps < gapsMax {
			o.Log.Warn("backoffice is behind", "held", gap.Checkpoint.N, "had", at)
			cp, err, gaps = gap.Checkpoint, nil, gaps+1
		}
		if err != nil {
			return err
		}
		if err := o.ack(cp); err != nil {
			return err
		}
		if cp.N == at && len(batch) > 0 {
			return pos.E("push records", pos.Unavailable, "the backoffice did not take record %d", at+1)
		}
		at = cp.N
		o.tell("online", "")
	}
}

func (o *Outbox) push(ctx context.Context, batch []pos.Record) (pos.Checkpoint, error) {
	ctx, cancel := context.WithTimeout(ctx, pushWithin)
	defer cancel()
	return o.Backoffice.Push(ctx, batch)
}

// take reads one batch. What can still be read before a damaged record is sent;
// the damage is reported when it comes first.
func take(records iter.Seq2[pos.Record, error]) ([]pos.Record, error) {
	var batch []pos.Record
	size := 0
	for r, err := range records {
		if err != nil {
			if len(batch) > 0 {
				break
			}
			return nil, err
		}
		batch, size = append(batch, r), size+len(r.Line)
		if len(batch) == batchMax || size >= batchBytes {
			break
		}
	}
	return batch, nil
}

// ack books a checkpoint after comparing it with the till's own record of that
// number. A checkpoint for a record that we do not have, or have otherwise, is a
// fork however well it is signed.
func (o *Outbox) ack(cp pos.Checkpoint) error {
	if cp.N == 0 {
		return nil // it holds nothing; there is nothing to book
	}
	if fork, err := o.compare(cp); err != nil || fork {
		return errors.Join(err, forkOf(cp, fork))
	}
	acked := o.Source.Acked()
	err := o.Source.Ack(cp)
	if err != nil && cp.N < acked { // it only wanted to be told
		o.Log.Warn("till keeps its older checkpoint", "record", cp.N, "err", err)
		return nil
	}
	return err
}

func forkOf(cp pos.Checkpoint, fork bool) error {
	if !fork {
		return nil
	}
	return &wire.ForkError{Fork: pos.Fork{N: cp.N, Theirs: cp.Hash}}
}

// compare reports that cp names another record than ours, or one we never made.
func (o *Outbox) compare(cp pos.Checkpoint) (fork bool, err error) {
	for r, err := range o.Source.Since(cp.N - 1) {
		return r.Hash != cp.Hash || r.N != cp.N, err
	}
	return true, nil
}

// forked tells everybody that this till's records and the backoffice's parted.
func (o *Outbox) forked(f pos.Fork) {
	o.tell("offline", pos.Word(o.Language, "sync_forked"))
	o.Log.Error("backoffice holds another record under our number", "record", f.N, "theirs", f.Theirs)
	if err := o.Source.Forked(f); err != nil {
		o.Log.Error("fork not recorded", "record", f.N, "err", err)
	}
}

// tell passes the link's state on when it changed, and reports whether it did.
func (o *Outbox) tell(state, detail string) bool {
	link := pos.Link{Name: "backoffice", State: state, Detail: detail}
	if link == o.link {
		return false
	}
	o.link = link
	o.Link(link)
	return true
}
