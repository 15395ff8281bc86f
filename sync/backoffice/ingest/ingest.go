// Package ingest takes in what tills send: the door of the backoffice's books.
//
// Promise. What is accepted is the till's own chain: consecutive from record 1,
// each record linked to the one before it, its hash that of its bytes, its
// signature that of the key the till enrolled with. A checkpoint is signed only
// after the records it covers are on disk. The same record delivered again is a
// success; another record under a known number is a fork, kept as evidence and
// never merged.
//
// Booking is apart from accepting. A record that is genuine but whose body cannot
// be booked is stored and put on the owner's red list with the reason, and those
// behind it go on: one bad sale never blocks the next.
//
// Damage. A record that fails its check is refused with its number, and those
// before it are kept. The till that sent it tries again and shows its trouble;
// the owner sees an alarm.
package ingest

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/report"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/wire"
)

// Store is where records are kept.
type Store interface {
	// Till fails with NotFound.
	Till(ctx context.Context, id string) (store.Till, error)
	// Hashes returns at most limit hashes from a number on.
	Hashes(ctx context.Context, till string, from uint64, limit int) ([]pos.Hash, error)
	// Append fails with Conflict when the chain does not end at from any more.
	Append(ctx context.Context, till string, from, to store.Head, batch []store.Entry, received time.Time) error
	// Fork keeps evidence and raises the alarm.
	Fork(ctx context.Context, a store.Alarm, evidence []pos.Record, at time.Time) error
	Alarm(ctx context.Context, a store.Alarm, at time.Time) error
}

// Ingest checks and stores records. It is safe for concurrent use, also by
// several processes over one Store.
type Ingest struct {
	Store Store
	Key   ed25519.PrivateKey // signs checkpoints
}

// conflictsMax is how often a batch is tried again when another process took
// records of the same till in between. Tills have one sender, so it is rare.
const conflictsMax = 3

// Take takes a request's body, the lines of consecutive records, from a till
// whose request signature is already checked. An empty body asks how far the
// backoffice is.
//
// It returns the checkpoint of the till's last record, which may be below the
// last one sent when a later one was refused; the till then begins with that one
// and is told why. It fails with a *wire.Problem: a gap, a fork, or a record that
// fails its check; or with a pos.Error, Unavailable when the store does not
// answer. Then nothing was changed but evidence and alarms.
func (in *Ingest) Take(ctx context.Context, id string, body []byte, at time.Time) (pos.Checkpoint, error) {
	batch, bad := parse(body)
	for try := 1; ; try++ {
		till, err := in.Store.Till(ctx, id)
		if err != nil {
			return pos.Checkpoint{}, err
		}
		cp, err := in.take(ctx, till, batch, bad, at)
		if pos.KindOf(err) != pos.Conflict || try == conflictsMax {
			return cp, err
		}
	}
}

func (in *Ingest) take(ctx context.Context, till store.Till, batch []pos.Record, bad error, at time.Time) (pos.Checkpoint, error) {
	if len(batch) > 0 && batch[0].N > till.Head.N+1 {
		return pos.Checkpoint{}, in.gap(till, at)
	}
	known, err := in.known(ctx, till, batch, at)
	if err != nil {
		return pos.Checkpoint{}, err
	}
	found := examine(till, batch[known:])
	fresh, bad := check(till, found, bad)
	if len(fresh)+known == 0 && bad != nil { // with known ones before it, the till learns first that those are safe
		return pos.Checkpoint{}, in.refuse(ctx, till, batch, bad, at)
	}
	if len(fresh) == 0 {
		return in.sign(till, till.Head, at), nil
	}
	head, entries := book(till, fresh)
	if err := in.Store.Append(ctx, till.ID, till.Head, head, entries, at); err != nil {
		return pos.Checkpoint{}, err
	}
	return in.sign(till, head, at), nil
}

// known returns how many of the batch are held already, and fails with a fork
// when one of them is held otherwise.
func (in *Ingest) known(ctx context.Context, till store.Till, batch []pos.Record, at time.Time) (int, error) {
	if len(batch) == 0 || batch[0].N > till.Head.N {
		return 0, nil
	}
	held, err := in.Store.Hashes(ctx, till.ID, batch[0].N, len(batch))
	if err != nil {
		return 0, err
	}
	for i, r := range batch {
		switch {
		case i == len(held), i > 0 && r.N != batch[i-1].N+1:
			return i, nil
		case held[i] != r.Hash:
			return 0, in.fork(ctx, till, r.N, held[i], batch[i:], at)
		}
	}
	return len(batch), nil
}

// finding is what a record's own bytes tell, before its place is looked at.
type finding struct {
	pos.Record
	signed  bool // by the till's key
	booking report.Booking
	red     error // why it cannot be booked
}

// examine looks at each record by itself, on all processors: checking signatures
// and adding up sales is nearly all the work there is.
func examine(till store.Till, batch []pos.Record) []finding {
	out := make([]finding, len(batch))
	each(len(batch), func(i int) {
		f := finding{Record: batch[i], signed: batch[i].Verify(till.Key) == nil}
		f.booking, f.red = report.Check(till, f.Record)
		out[i] = f
	})
	return out
}

// each calls do for 0 to n-1, side by side.
func each(n int, do func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	wg.Wait()
}

// check returns the records that extend the till's chain, and why the one after
// them does not.
func check(till store.Till, batch []finding, bad error) ([]finding, error) {
	n, hash := till.Head.N, till.Head.Hash
	for i, r := range batch {
		err := r.Follows(n, hash)
		switch {
		case !r.signed:
			return batch[:i], corrupt("bo_al_unsigned", "n", number(r.N))
		case err != nil && i == 0 && n > 0 && r.N == n+1:
			return nil, errParted // genuine, and it continues another chain than ours
		case err != nil:
			return batch[:i], corrupt("bo_al_chain", "n", number(r.N), "before", number(n))
		case r.N == 1 && !opens(r.Record, till):
			return nil, corrupt("bo_al_genesis")
		}
		n, hash = r.N, r.Hash
	}
	return batch, bad
}

// errParted marks a record that is signed by the till and does not continue the
// record we hold.
var errParted = pos.E("check record", pos.Corrupt, "the till's records and ours have parted")

// opens checks the genesis record against the enrolment: one key, one name.
func opens(r pos.Record, till store.Till) bool {
	var g pos.Genesis
	return r.Kind == pos.KindGenesis && r.Decode(&g) == nil && g.Till == till.ID && till.Key.Equal(ed25519.PublicKey(g.Key))
}

// book puts records that cannot be booked on the red list, and returns the till's
// head after them.
func book(till store.Till, fresh []finding) (store.Head, []store.Entry) {
	head, entries := till.Head, make([]store.Entry, len(fresh))
	for i, r := range fresh {
		sales, turnover, jump := r.booking.After(head)
		head = store.Head{N: r.N, Hash: r.Hash, At: r.At, Sales: sales, Turnover: turnover}
		entries[i] = store.Entry{Record: r.Record, Red: store.ReasonOf(cmp.Or(r.red, jump)), Loss: loss(r.Record), Moved: moved(r.Record)}
	}
	return head, entries
}

// maxLoss bounds what an alarm says in a till's words.
const maxLoss = 500

// loss returns what a record tells of a payment that was taken by a customer's word and
// did not come, in the till's words; empty: nothing was lost.
func loss(r pos.Record) string {
	var b pos.TrustChanged
	if r.Kind != pos.KindTrustOff || r.Decode(&b) != nil || b.Missing.Minor <= 0 {
		return ""
	}
	if b.Why == "" || len(b.Why) > maxLoss || !pos.IsPlain(b.Why) {
		return b.Missing.String()
	}
	return b.Why
}

// moved returns the addresses of a record that sends money elsewhere than before, whole;
// empty: no record does.
func moved(r pos.Record) string {
	var b pos.DestinationChanged
	if r.Kind != pos.KindDestination || r.Decode(&b) != nil || (!b.Open && b.Old == "") {
		return ""
	}
	why := b.Network + ": " + cmp.Or(b.Old, "–") + " → " + b.Address
	if len(why) > maxLoss || !pos.IsPlain(why) {
		return "?"
	}
	return why
}

func (in *Ingest) sign(till store.Till, h store.Head, at time.Time) pos.Checkpoint {
	return wire.SignCheckpoint(pos.Checkpoint{Till: till.ID, N: h.N, Hash: h.Hash, At: at}, in.Key)
}

// gap tells a till which record we want next.
func (in *Ingest) gap(till store.Till, at time.Time) error {
	cp := in.sign(till, till.Head, at)
	return &wire.Problem{
		Type: wire.ProblemGap, Title: "Records are missing", Status: http.StatusConflict,
		Detail:   "the backoffice lacks records before these; go on from the number expected",
		Expected: cp.N + 1, Checkpoint: &cp,
	}
}

// refuse answers a batch of which nothing could be taken.
func (in *Ingest) refuse(ctx context.Context, till store.Till, rest []pos.Record, bad error, at time.Time) error {
	if bad == errParted {
		return in.fork(ctx, till, till.Head.N, till.Head.Hash, rest, at)
	}
	a := store.Alarm{Till: till.ID, Kind: store.AlarmCorrupt, N: till.Head.N + 1, Why: store.ReasonOf(bad)}
	if err := in.Store.Alarm(ctx, a, at); err != nil {
		return err
	}
	return problem(bad.(*pos.Error))
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

// fork keeps what the till signed against record n as evidence. Only what its key
// signed is evidence; anything else could be made by whoever sends it.
func (in *Ingest) fork(ctx context.Context, till store.Till, n uint64, held pos.Hash, evidence []pos.Record, at time.Time) error {
	evidence = slices.DeleteFunc(slices.Clone(evidence), func(r pos.Record) bool { return r.Verify(till.Key) != nil })
	if len(evidence) == 0 {
		return in.refuse(ctx, till, nil, corrupt("bo_al_unsigned", "n", number(n)), at)
	}
	a := store.Alarm{Till: till.ID, Kind: store.AlarmFork, N: n, Why: store.Say("bo_al_fork")}
	if err := in.Store.Fork(ctx, a, evidence, at); err != nil {
		return err
	}
	cp := wire.SignCheckpoint(pos.Checkpoint{Till: till.ID, N: n, Hash: held, At: at}, in.Key)
	return &wire.Problem{
		Type: wire.ProblemFork, Title: "Two histories", Status: http.StatusConflict,
		Detail: "the backoffice holds another record under this number", Checkpoint: &cp,
	}
}
