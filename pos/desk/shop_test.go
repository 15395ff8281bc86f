package desk_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
	"github.com/tillwright/tillwright/pos/ledger"
)

var (
	eur, _ = pos.CurrencyOf("EUR")
	taxA   = pos.TaxRate{Code: "A", Name: "VAT", Milli: 10_000, Included: true}
	taxB   = pos.TaxRate{Code: "B", Name: "VAT", Milli: 20_000, Included: true}
	espr   = pos.Item{SKU: "ESP", Name: "Espresso", Price: eur.Of(290), Tax: taxB}
	bread  = pos.Item{SKU: "BRD", Name: "Sourdough", Price: eur.Of(640), Tax: taxA}
	anna   = pos.Actor{ID: "a1", Name: "Anna", Role: pos.Cashier}
	boss   = pos.Actor{ID: "b1", Name: "Bea", Role: pos.Manager}
)

// memory is a journal without a disk. fail makes the next Append fail.
type memory struct {
	key  ed25519.PrivateKey
	mu   sync.Mutex
	recs []pos.Record
	fail error

	rotten map[uint64]bool
}

func newMemory() *memory { return &memory{key: ed25519.NewKeyFromSeed(make([]byte, 32))} }

func (m *memory) Append(at time.Time, clock pos.Clock, es ...pos.Entry) ([]pos.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return nil, m.fail
	}
	first := len(m.recs)
	for _, e := range es {
		r := pos.Record{N: uint64(len(m.recs) + 1), Kind: e.Kind, Cmd: e.Cmd, Body: e.Body, At: at, Clock: clock, Boot: "b"}
		if r.N > 1 {
			r.Prev = m.recs[r.N-2].Hash
		}
		r, err := pos.Seal(r, m.key)
		if err != nil {
			return nil, err
		}
		m.recs = append(m.recs, r)
	}
	return m.recs[first:], nil
}

func (m *memory) Since(after uint64) iter.Seq2[pos.Record, error] {
	m.mu.Lock()
	recs := m.recs[min(after, uint64(len(m.recs))):]
	m.mu.Unlock()
	return func(yield func(pos.Record, error) bool) {
		for _, r := range recs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (m *memory) Read(n uint64) (pos.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n == 0 || n > uint64(len(m.recs)) {
		return pos.Record{}, pos.E("read record", pos.NotFound, "no record %d", n)
	}
	if m.rotten[n] {
		return pos.Record{}, pos.E("read record", pos.Corrupt, "record %d is damaged", n)
	}
	return m.recs[n-1], nil
}

func (m *memory) Last() (uint64, pos.Hash) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.recs) == 0 {
		return 0, pos.Hash{}
	}
	r := m.recs[len(m.recs)-1]
	return r.N, r.Hash
}

func (m *memory) Torn() int64 { return 0 }

// rot damages the newest record of a kind.
func (m *memory) rot(kind pos.RecordKind) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rotten = map[uint64]bool{}
	for _, r := range m.recs {
		if r.Kind == kind {
			m.rotten = map[uint64]bool{r.N: true}
		}
	}
}

// kinds returns the kinds of all records, for failures that read well.
func (m *memory) kinds() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for _, r := range m.recs {
		out = append(out, string(r.Kind))
	}
	return strings.Join(out, " ")
}

// count returns how many records of a kind there are.
func (m *memory) count(kind pos.RecordKind) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, r := range m.recs {
		if r.Kind == kind {
			n++
		}
	}
	return n
}

// rail is a payment network made of code: it holds requests and does with them
// what networks do. It knows nothing of the desk.
type rail struct {
	mu       sync.Mutex
	down     bool // answers nothing
	grey     string
	refuse   error
	slow     time.Duration
	ahead    func() time.Duration // of the till's clock, which Expires is told by
	long     string               // makes payloads longer
	endless  bool                 // requests do not expire
	inCancel func()               // what happens while the answer to a cancellation is on its way; mu is held
	asks     int
	reqs     map[pos.PaymentID]*request
}

type request struct {
	state string // open, arriving, paid, cancelled, lapsed, expired
	got   int64
	ends  time.Time
}

const railExpiry = 5 * time.Minute

func (r *rail) Health() pos.Health {
	r.mu.Lock()
	defer r.mu.Unlock()
	return pos.Health{Ready: r.grey == "", Reason: r.grey, Asset: pos.Bitcoin}
}

var errDown = pos.E("ask node", pos.Unavailable, "the node does not answer")

func (r *rail) Ask(ctx context.Context, p pos.Payment, memo string) (pos.Asked, error) {
	select {
	case <-time.After(r.slow):
	case <-ctx.Done():
		return pos.Asked{}, errDown
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asks++
	switch {
	case r.refuse != nil:
		return pos.Asked{}, r.refuse
	case r.down:
		return pos.Asked{}, errDown
	}
	q, ok := r.reqs[p.ID]
	if !ok {
		q = &request{state: "open", ends: time.Now().Add(railExpiry)}
		r.reqs[p.ID] = q
	}
	if r.endless {
		return pos.Asked{Reference: "ref", Payload: "LNSB1", Network: "Lightning"}, nil
	}
	return pos.Asked{Reference: "ref-" + string(p.ID), Payload: "LNSB1" + strings.ToUpper(string(p.ID)) + r.long, Network: "Lightning", Expires: q.ends.Add(r.ahead())}, nil
}

func (r *rail) Check(_ context.Context, p pos.Payment) (pos.Finding, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return pos.Finding{}, errDown
	}
	q := r.reqs[p.ID]
	if q == nil {
		return pos.Finding{}, pos.E("check", pos.NotFound, "no such request")
	}
	return q.finding(), nil
}

func (q *request) finding() pos.Finding {
	if q.state == "open" && !time.Now().Before(q.ends) {
		q.state = "expired"
	}
	switch q.state {
	case "arriving":
		return pos.Finding{Event: pos.See}
	case "paid":
		return pos.Finding{Event: pos.Settle, Received: pos.Bitcoin.UnitsOf(q.got), Final: true}
	case "cancelled":
		return pos.Finding{Event: pos.Cancel, Final: true}
	case "final":
		return pos.Finding{Final: true}
	case "lapsed":
		return pos.Finding{Event: pos.Expire} // and may still be paid
	case "expired":
		return pos.Finding{Event: pos.Expire, Final: true}
	}
	return pos.Finding{}
}

func (r *rail) Cancel(_ context.Context, p pos.Payment) (pos.Finding, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return pos.Finding{}, errDown
	}
	q := r.reqs[p.ID]
	if q == nil {
		return pos.Finding{Event: pos.Cancel, Final: true}, nil
	}
	if q.state == "open" || q.state == "arriving" {
		q.state = "cancelled"
	}
	if r.inCancel != nil {
		r.inCancel()
	}
	return q.finding(), nil
}

func (r *rail) Watch(ctx context.Context, _ pos.Payment, _ func()) { <-ctx.Done() }

// do changes a request as a customer or a network would.
func (r *rail) do(id pos.PaymentID, f func(q *request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.reqs[id])
}

func (r *rail) set(f func(r *rail)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r)
}

type rates struct {
	err   atomic.Pointer[pos.Error]
	price atomic.Pointer[string] // nil: 50000
}

func (r *rates) Rate(a pos.Asset) (pos.Rate, error) {
	if err := r.err.Load(); err != nil {
		return pos.Rate{}, err
	}
	price := "50000"
	if p := r.price.Load(); p != nil {
		price = *p
	}
	return pos.RateOf(eur, a, price, "median of 3", time.Now())
}

// pins lets in whoever says his own name backwards; the real store has its own tests.
type pins struct {
	names []pos.Actor
	slow  int // times that others run while one is added, for hashing takes long
}

func (p *pins) Names() []pos.Actor { return p.names }
func (p *pins) Wrong(id string) int {
	for _, a := range p.names {
		if a.ID == id {
			return 1
		}
	}
	return 0
}
func (p *pins) Put(a pos.Actor, _ string) error {
	for range p.slow {
		runtime.Gosched()
	}
	p.names = append(p.names, a)
	return nil
}
func (p *pins) Check(id, pin string) (pos.Actor, error) {
	for _, a := range p.names {
		if a.ID == id && pin == "right" {
			return a, nil
		}
	}
	return pos.Actor{}, pos.E("sign in", pos.Forbidden, "wrong")
}

// shop is a desk with everything around it. cut takes the power away and starts a
// new desk on what was durable.
type shop struct {
	*desk.Desk
	t       *testing.T
	dir     string
	journal *memory
	ledger  *ledger.Ledger
	rail    *rail
	rates   *rates
	pins    *pins
	priced  desk.Rates // instead of rates, if not nil
	rules   pos.Rounding
	tenders []desk.Tender
	unasked []desk.Unasked
	skew    atomic.Int64 // how far the wall clock is off
	full    atomic.Bool  // the storage
	unsure  atomic.Bool  // the clock is not to be believed
	keys    int
	stop    context.CancelFunc
	done    chan error
	prints  int
	routes  []pos.Route // printers besides the receipt printer

	label func(string) (pos.AddItem, error) // what codes on goods say
}

func open(t *testing.T) *shop {
	s := &shop{
		t: t, dir: t.TempDir(), journal: newMemory(), rates: &rates{}, pins: &pins{},
		rail: &rail{reqs: map[pos.PaymentID]*request{}},
	}
	s.rail.ahead = func() time.Duration { return time.Duration(s.skew.Load()) }
	s.tenders = []desk.Tender{{Name: "lightning", Rail: s.rail}}
	s.start()
	t.Cleanup(func() { s.halt() })
	return s
}

func (s *shop) start() {
	s.t.Helper()
	log := slog.New(slog.DiscardHandler)
	led, err := ledger.Recover(filepath.Join(s.dir, "ledger.db"), s.journal, s.wall(), log)
	if err != nil {
		s.t.Fatal(err)
	}
	s.ledger = led
	prices := desk.Rates(s.rates)
	if s.priced != nil {
		prices = s.priced
	}
	s.Desk = desk.New(desk.Options{
		Journal: s.journal, Ledger: led, Sales: led, Payments: led, Prints: led,
		Tenders: s.tenders, Unasked: s.unasked, Rates: prices, PINs: s.pins,
		Shop: pos.Shop{Name: "Café", Till: "Till 1", Series: "01", Currency: eur, Language: "en",
			Taxes: []pos.TaxRate{taxA, taxB}, MaxSale: eur.Of(500_000), Rounding: s.rules},
		Zone: time.UTC, Items: []pos.Item{espr, bread, soup, wine}, Routes: s.routes, Label: s.label, Software: "test",
		Genesis: pos.Genesis{Till: "t", Key: s.journal.key.Public().(ed25519.PublicKey), Currency: "EUR", Series: "01"},
		Now: func() (time.Time, pos.Clock) {
			if s.unsure.Load() {
				return s.wall(), pos.ClockUnknown
			}
			return s.wall(), pos.ClockTrusted
		},
		Storage: func() pos.Health { return pos.Health{Ready: !s.full.Load(), Reason: "the card is full"} },
		Publish: func(pos.View) {}, Recorded: func() {}, Print: func() { s.prints++ }, Log: log,
	})
	if err := s.Start(); err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop, s.done = stop, make(chan error, 1)
	go func() { s.done <- s.Run(ctx) }()
}

// wall is the till's wall clock: right, unless a test sets it.
func (s *shop) wall() time.Time { return time.Now().UTC().Add(time.Duration(s.skew.Load())) }

func (s *shop) halt() {
	s.stop()
	if err := <-s.done; err != nil && !s.t.Failed() {
		s.t.Error(err)
	}
	if err := s.Stop(); err != nil && pos.KindOf(err) != pos.Unavailable {
		s.t.Error(err)
	}
	if err := s.ledger.Close(); err != nil {
		s.t.Error(err)
	}
}

// copyLedger keeps the ledger as it is now, for cut.
func (s *shop) copyLedger() string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "ledger.db"))
	must(s.t, err)
	name := filepath.Join(s.t.TempDir(), "copy")
	must(s.t, os.WriteFile(name, text, 0o600))
	return name
}

// cut takes the power away when the journal had the last records and the ledger
// was still as copyLedger found it.
func (s *shop) cut(copied string) {
	s.t.Helper()
	s.halt()
	text, err := os.ReadFile(copied)
	must(s.t, err)
	must(s.t, os.WriteFile(filepath.Join(s.dir, "ledger.db"), text, 0o600))
	s.start()
}

// restart stops and starts the till in the middle of whatever happens.
func (s *shop) restart() {
	s.halt()
	s.start()
}

// do carries a command out under a new key and wants no error.
func (s *shop) do(a pos.Action) pos.Answer {
	s.t.Helper()
	out, err := s.try(a)
	if err != nil {
		s.t.Fatalf("%T: %v", a, err)
	}
	return out
}

func (s *shop) try(a pos.Action) (pos.Answer, error) {
	s.keys++
	return s.Do(context.Background(), pos.Command{Key: fmt.Sprintf("key-%d", s.keys), By: anna, Do: a})
}

// refused wants an error of a kind, and no new record. It settles before and after: what
// the commands before it still write is not this one's, and what it writes late is.
func (s *shop) refused(a pos.Action, want pos.Kind) {
	s.t.Helper()
	settle()
	before, _ := s.journal.Last()
	_, err := s.try(a)
	settle()
	if err == nil || pos.KindOf(err) != want {
		s.t.Errorf("%#v: got %v (%v), want %v", a, err, pos.KindOf(err), want)
	}
	if e, ok := errors.AsType[*pos.Error](err); ok && e.Msg == "" {
		s.t.Errorf("%#v: no word for the cashier in %v", a, err)
	}
	if after, _ := s.journal.Last(); after != before {
		s.t.Errorf("%#v was refused and left %d records", a, after-before)
	}
}

// view waits for the effects of the last turn and returns the newest view.
func (s *shop) view() pos.View {
	s.t.Helper()
	settle()
	return s.View()
}

// want fails unless the customer sees phase.
func (s *shop) want(phase pos.Phase) pos.Customer {
	s.t.Helper()
	c := s.view().Customer
	if c.Phase != phase {
		s.t.Fatalf("the customer sees %q (%+v), want %q; records: %s", c.Phase, c, phase, s.journal.kinds())
	}
	return c
}
