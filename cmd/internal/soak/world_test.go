package soak

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
	"github.com/tillwright/tillwright/pos/journal"
	"github.com/tillwright/tillwright/pos/journal/journaltest"
	"github.com/tillwright/tillwright/pos/ledger"
)

// journalDir is where the journal lies on a journaltest.Disk.
const journalDir = "/j"

// segmentBytes makes a new file, and so a new name to be synced, every few sales.
const segmentBytes = 12 << 10

var (
	key    = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize))
	pub    = key.Public().(ed25519.PublicKey)
	quiet  = slog.New(slog.DiscardHandler)
	eur, _ = pos.CurrencyOf("EUR")
	vat    = pos.TaxRate{Code: "A", Name: "VAT", Milli: 20_000, Included: true}
	tea    = pos.Item{SKU: "TEA", Name: "Tea", Price: eur.Of(250), Tax: vat}
	cake   = pos.Item{SKU: "CAKE", Name: "Cake", Price: eur.Of(420), Tax: vat}
	// kitchen is told of cakes before they are paid.
	kitchen = "Kitchen"

	anna = pos.Actor{ID: "a", Name: "Anna", Role: pos.Manager}
	bolt = pos.Tender("lightning")
)

// network is the payment network: it outlives every till, and knows what a request
// is worth, who paid, and nothing of the till. It is strict: a request that comes
// again with another price is a fault.
type network struct {
	mu     sync.Mutex
	reqs   map[pos.PaymentID]request
	faults []string
}

type request struct {
	asked string
	units int64
	state string // open, paid, cancelled, expired
	ends  time.Time
}

// expiry is how long a request can be paid.
const expiry = 5 * time.Minute

func (n *network) Health() pos.Health { return pos.Health{Ready: true, Asset: pos.Bitcoin} }

func (n *network) Ask(_ context.Context, p pos.Payment, _ string) (pos.Asked, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	q, ok := n.reqs[p.ID]
	if !ok {
		q = request{p.Quantity.String(), p.Quantity.Int().Int64(), "open", time.Now().Add(expiry)}
		n.reqs[p.ID] = q
	}
	if q.asked != p.Quantity.String() {
		n.faults = append(n.faults, fmt.Sprintf("payment %s was asked for as %s, then as %s", p.ID, q.asked, p.Quantity))
	}
	return pos.Asked{Reference: "ref-" + string(p.ID), Payload: "LNSOAK" + string(p.ID), Network: "Lightning", Expires: q.ends}, nil
}

func (n *network) Check(_ context.Context, p pos.Payment) (pos.Finding, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	q, ok := n.reqs[p.ID]
	if !ok {
		return pos.Finding{}, pos.E("check", pos.NotFound, "no such request")
	}
	if q.state == "open" && !time.Now().Before(q.ends) {
		q.state = "expired"
		n.reqs[p.ID] = q
	}
	return q.finding(), nil
}

func (n *network) Cancel(_ context.Context, p pos.Payment) (pos.Finding, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	q, ok := n.reqs[p.ID]
	if !ok {
		return pos.Finding{Event: pos.Cancel, Final: true}, nil
	}
	if q.state == "open" {
		q.state = "cancelled"
		n.reqs[p.ID] = q
	}
	return q.finding(), nil
}

func (n *network) Watch(ctx context.Context, _ pos.Payment, _ func()) { <-ctx.Done() }

func (q request) finding() pos.Finding {
	switch q.state {
	case "paid":
		return pos.Finding{Event: pos.Settle, Received: pos.Bitcoin.UnitsOf(q.units), Final: true}
	case "cancelled":
		return pos.Finding{Event: pos.Cancel, Final: true}
	case "expired":
		return pos.Finding{Event: pos.Expire, Final: true}
	}
	return pos.Finding{}
}

// pay lets the customer pay, if the request can be paid.
func (n *network) pay(id pos.PaymentID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if q, ok := n.reqs[id]; ok && q.state == "open" && time.Now().Before(q.ends) {
		q.state = "paid"
		n.reqs[id] = q
	}
}

func (n *network) copy() map[pos.PaymentID]request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.reqs)
}

// rates has one price.
type rates struct{}

func (rates) Rate(a pos.Asset) (pos.Rate, error) {
	return pos.RateOf(eur, a, "50000", "fixed", time.Now())
}

// pins lets nobody in: commands come with their actor.
type pins struct{}

func (pins) Names() []pos.Actor          { return []pos.Actor{anna} }
func (pins) Wrong(string) int            { return 0 }
func (pins) Put(pos.Actor, string) error { return nil }
func (pins) Check(string, string) (pos.Actor, error) {
	return pos.Actor{}, pos.E("sign in", pos.Forbidden, "wrong")
}

// book is a journal that tells of every promise it makes.
type book struct {
	*journal.Journal
	promised func([]pos.Record)
}

func (b *book) Append(at time.Time, c pos.Clock, es ...pos.Entry) ([]pos.Record, error) {
	rs, err := b.Journal.Append(at, c, es...)
	if err == nil && b.promised != nil {
		b.promised(rs)
	}
	return rs, err
}

// till is one life of a till.
type till struct {
	*desk.Desk
	journal *journal.Journal
	ledger  *ledger.Ledger
	stop    context.CancelFunc
	done    chan error
}

// parts are what a till is started with.
type parts struct {
	disk     *journaltest.Disk
	ledger   string // file
	net      *network
	boot     string
	relieve  func() bool
	storage  func() pos.Health
	promised func([]pos.Record)

	recovered func() // called when the ledger is folded, before the desk is started
}

// start is what cmd/till does: open the journal, recover the ledger, start the desk,
// and watch payments. The wall clock is the bubble's.
func start(p parts) (*till, error) {
	now := time.Now()
	j, err := journal.Open(journalDir, journal.Options{Key: key, SegmentBytes: segmentBytes, Boot: p.boot, Start: now, FS: p.disk, Relieve: p.relieve})
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	l, err := ledger.Recover(p.ledger, j, now, quiet, ledger.WithGaps(j.Lost()), ledger.WithRelief(p.relieve))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("recover ledger: %w", err), j.Close())
	}
	if p.recovered != nil {
		p.recovered()
	}
	x := &till{journal: j, ledger: l, done: make(chan error, 1)}
	var troubles []string
	if lost := l.Books().Lost; lost != nil {
		troubles = append(troubles, lost.Text("en"))
	}
	x.Desk = desk.New(desk.Options{
		Journal: &book{j, p.promised}, Ledger: l, Sales: l, Payments: l, Prints: l,
		Tenders: []desk.Tender{{Name: bolt, Rail: p.net}}, Rates: rates{}, PINs: pins{},
		Shop: pos.Shop{Name: "Café", Till: "Till 1", Series: "01", Currency: eur, Language: "en", Taxes: []pos.TaxRate{vat}, MaxSale: eur.Of(500_000)},
		Zone: time.UTC, Items: []pos.Item{tea, cake}, Routes: []pos.Route{{Printer: kitchen, SKUs: []string{cake.SKU}, When: pos.WhenCharged}}, Software: "soak", Storage: p.storage, Troubles: troubles,
		Genesis: pos.Genesis{Till: "0123456789abcdef", Key: pub, Currency: "EUR", Series: "01", Software: "soak"},
		Now:     func() (time.Time, pos.Clock) { return time.Now(), pos.ClockTrusted },
		Publish: func(pos.View) {}, Recorded: func() {}, Print: func() {}, Log: quiet,
	})
	if err := x.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start desk: %w", err), l.Close(), j.Close())
	}
	ctx, stop := context.WithCancel(context.Background())
	x.stop = stop
	go func() { x.done <- x.Run(ctx) }()
	return x, nil
}

// quit ends the process, in order or not: what is not durable yet is lost only with
// the files that the caller throws away. It returns what Run said.
func (x *till) quit() error {
	x.stop()
	err := <-x.done
	_ = x.Stop() // refused when the desk has ended
	_ = x.ledger.Close()
	_ = x.journal.Close()
	return err
}

// do gives a command.
func (x *till) do(key string, a pos.Action) (pos.Answer, error) {
	return x.Do(context.Background(), command(key, a))
}

func command(key string, a pos.Action) pos.Command { return pos.Command{Key: key, By: anna, Do: a} }

// workDir is where ledgers lie: in memory where there is such a folder, for their
// fsyncs are real and it is not the disk that is tested here.
func workDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "soak")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func ledgerIn(dir string) string { return filepath.Join(dir, "ledger.db") }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
