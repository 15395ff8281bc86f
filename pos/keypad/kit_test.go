package keypad_test

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"iter"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
	"github.com/tillwright/tillwright/pos/keypad"
	"github.com/tillwright/tillwright/pos/ledger"
)

var (
	eur, _ = pos.CurrencyOf("EUR")
	anna   = pos.Actor{ID: "a1", Name: "Anna", Role: pos.Cashier}
	bea    = pos.Actor{ID: "b1", Name: "Bea", Role: pos.Manager}
)

// memory is a journal without a disk.
type memory struct {
	key  ed25519.PrivateKey
	mu   sync.Mutex
	recs []pos.Record
}

func (m *memory) Append(at time.Time, clock pos.Clock, es ...pos.Entry) ([]pos.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
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

// bodies decodes all records of a kind.
func bodies[T any](t testing.TB, m *memory, kind pos.RecordKind) (out []T) {
	t.Helper()
	for r := range m.Since(0) {
		if r.Kind != kind {
			continue
		}
		var b T
		if err := r.Decode(&b); err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

// rail is a payment network made of code.
type rail struct {
	mu    sync.Mutex
	down  bool // answers nothing
	grey  string
	other bool // requests have a form for a phone's camera
	slow  time.Duration
	reqs  map[pos.PaymentID]string // open, paid, cancelled
	stray string                   // what came instead, in words; empty: nothing
	whole int64                    // how much of it, in whole tokens; 0: 12
}

func (r *rail) set(f func(r *rail)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r)
}

func (r *rail) Health() pos.Health {
	r.mu.Lock()
	defer r.mu.Unlock()
	return pos.Health{Ready: r.grey == "", Reason: r.grey, Asset: pos.Bitcoin}
}

var errDown = pos.E("ask node", pos.Unavailable, "the node does not answer")

func (r *rail) Ask(_ context.Context, p pos.Payment, _ string) (pos.Asked, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return pos.Asked{}, errDown
	}
	if r.reqs[p.ID] == "" {
		r.reqs[p.ID] = "open"
	}
	a := pos.Asked{Reference: "ref-" + string(p.ID), Payload: "LNSB1" + strings.ToUpper(string(p.ID)), Network: "Lightning", Expires: time.Now().Add(5 * time.Minute)}
	if r.other {
		a.Other = "https://pay.example/" + string(p.ID)
	}
	return a, nil
}

func (r *rail) Check(_ context.Context, p pos.Payment) (pos.Finding, error) { return r.find(p, "") }

func (r *rail) Cancel(_ context.Context, p pos.Payment) (pos.Finding, error) {
	r.mu.Lock()
	slow := r.slow
	r.mu.Unlock()
	time.Sleep(slow)
	return r.find(p, "cancelled")
}

// find answers, after an open request became what to says.
func (r *rail) find(p pos.Payment, to string) (pos.Finding, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return pos.Finding{}, errDown
	}
	if r.stray != "" {
		f := pos.Finding{Why: r.stray, Stray: pos.Asset{ID: "other", Symbol: "USDC", Decimals: 6}.UnitsOf(cmp.Or(r.whole, 12) * 1_000_000)}
		if p.State != pos.Unknown {
			f.Event = pos.Doubt
		}
		return f, nil
	}
	if to != "" && r.reqs[p.ID] == "open" {
		r.reqs[p.ID] = to
	}
	switch r.reqs[p.ID] {
	case "paid":
		return pos.Finding{Event: pos.Settle, Received: p.Quantity, Final: true}, nil
	case "cancelled":
		return pos.Finding{Event: pos.Cancel, Final: true}, nil
	}
	return pos.Finding{}, nil
}

func (r *rail) Watch(ctx context.Context, _ pos.Payment, _ func()) { <-ctx.Done() }

// pay lets the customer pay all open requests.
func (r *rail) pay() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, state := range r.reqs {
		if state == "open" {
			r.reqs[id] = "paid"
		}
	}
}

type rates struct{}

func (rates) Rate(a pos.Asset) (pos.Rate, error) {
	return pos.RateOf(eur, a, "50000", "median of 3", time.Now())
}

// pins lets people in with 4711; five wrong ones in a row lock.
type pins struct {
	mu    sync.Mutex
	names []pos.Actor
	wrong map[string]int
}

func (p *pins) Names() []pos.Actor {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]pos.Actor(nil), p.names...)
}

func (p *pins) Wrong(id string) int { p.mu.Lock(); defer p.mu.Unlock(); return p.wrong[id] }

func (p *pins) Put(a pos.Actor, _ string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.names = append(p.names, a)
	return nil
}

func (p *pins) Check(id, pin string) (pos.Actor, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wrong[id] >= 5 {
		return pos.Actor{}, pos.E("sign in", pos.Exhausted, "too many wrong PINs")
	}
	for _, a := range p.names {
		if a.ID == id && pin == "4711" {
			p.wrong[id] = 0
			return a, nil
		}
	}
	p.wrong[id]++
	return pos.Actor{}, pos.E("sign in", pos.Forbidden, "this PIN is not right")
}

// shop is a desk with a keypad before it.
type shop struct {
	t       testing.TB
	dir     string
	journal *memory
	rail    *rail
	pins    *pins
	tenders []desk.Tender
	lang    string
	layout  keypad.Layout
	skip    bool // nobody signs in

	desk *desk.Desk
	pad  *keypad.Keypad
	stop func()
	pays int // payments that the keypad asked for

	mu      sync.Mutex
	prompts []pos.Prompt // all that were shown
	slow    bool         // the panel is slow: views wait
	newest  *pos.View    // that waits
}

// publish gives the keypad a view, or keeps it while the panel is slow.
func (s *shop) publish(v pos.View) {
	s.mu.Lock()
	slow := s.slow
	if slow {
		s.newest = &v
	}
	s.mu.Unlock()
	if !slow {
		s.pad.Publish(v)
	}
}

// slowly holds views back, or lets the newest one through.
func (s *shop) slowly(on bool) {
	s.mu.Lock()
	s.slow = on
	v := s.newest
	s.newest = nil
	s.mu.Unlock()
	if v != nil {
		s.pad.Publish(*v)
	}
}

// bubble runs f in a shop on a fake clock.
func bubble(t *testing.T, f func(t *testing.T, s *shop)) { t.Helper(); bubbleOf(t, nil, f) }

// bubbleOf is bubble with a shop that is set up first.
func bubbleOf(t *testing.T, set func(s *shop), f func(t *testing.T, s *shop)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &shop{
			t: t, dir: t.TempDir(), journal: &memory{key: ed25519.NewKeyFromSeed(make([]byte, 32))},
			rail: &rail{reqs: map[pos.PaymentID]string{}}, pins: &pins{names: []pos.Actor{anna}, wrong: map[string]int{}}, lang: "en",
		}
		s.tenders = []desk.Tender{{Name: "lightning", Rail: s.rail}}
		if set != nil {
			set(s)
		}
		s.start()
		t.Cleanup(func() { s.stop() })
		if !s.skip {
			s.press("4 7 1 1 enter")
		}
		f(t, s)
	})
}

func (s *shop) start() {
	s.t.Helper()
	log := slog.New(slog.DiscardHandler)
	led, err := ledger.Recover(filepath.Join(s.dir, "ledger.db"), s.journal, time.Now(), log)
	if err != nil {
		s.t.Fatal(err)
	}
	tax := pos.TaxRate{Code: "A", Name: "VAT", Milli: 10_000, Included: true}
	s.desk = desk.New(desk.Options{
		Journal: s.journal, Ledger: led, Sales: led, Payments: led, Prints: led, Tenders: s.tenders, Rates: rates{}, PINs: s.pins,
		Shop: pos.Shop{Name: "Café", Series: "01", Currency: eur, Language: s.lang, Taxes: []pos.TaxRate{tax}, MaxSale: eur.Of(500_000)},
		Zone: time.UTC, Software: "test",
		Genesis: pos.Genesis{Till: "t", Key: s.journal.key.Public().(ed25519.PublicKey), Currency: "EUR", Series: "01"},
		Now:     func() (time.Time, pos.Clock) { return time.Now().UTC(), pos.ClockTrusted },
		Publish: s.publish, Recorded: func() {}, Print: func() {}, Log: log,
	})
	s.pad = keypad.New(keypad.Options{
		Desk: watched{s.desk, s}, Staff: s.desk, Currency: eur, Language: s.lang, Layout: s.layout, Log: log,
		SetUp: func() (string, string) { return "192.168.1.20:8080/setup", "ABCD-EFGH" },
		Changed: func(p pos.Prompt) {
			s.mu.Lock()
			s.prompts = append(s.prompts, p)
			s.mu.Unlock()
		},
	})
	if err := s.desk.Start(); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.desk.Run(ctx); err != nil {
			s.t.Errorf("the desk ended: %v", err)
		}
	})
	wg.Go(func() { _ = s.pad.Run(ctx) })
	s.stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		if err := s.desk.Stop(); err != nil {
			s.t.Error(err)
		}
		if err := led.Close(); err != nil {
			s.t.Error(err)
		}
	})
	synctest.Wait()
}

// watched is the desk as the keypad sees it: each payment must be of what the panel
// said last.
type watched struct {
	*desk.Desk
	s *shop
}

func (w watched) Do(ctx context.Context, c pos.Command) (pos.Answer, error) {
	if pay, ok := c.Do.(pos.Pay); ok {
		w.s.pays++
		if shown := w.s.lastSum(); shown.Minor != pay.Amount || pay.Amount <= 0 {
			w.s.t.Errorf("pays %d with %s, and the panel said %v", pay.Amount, pay.Tender, shown)
		}
	}
	return w.Desk.Do(ctx, c)
}

// lastSum is the newest sum that the panel told as to be paid.
func (s *shop) lastSum() pos.Amount {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.prompts) - 1; i >= 0; i-- {
		if p := s.prompts[i]; p.Sum.Label != "" {
			return p.Sum.Amount
		}
	}
	return pos.Amount{}
}

// restart takes the power away and gives it back.
func (s *shop) restart() {
	s.stop()
	s.start()
}

// names are keys as they are printed, for tests that can be read.
var names = map[string]string{"+": "kpplus", "*": "kpasterisk", "-": "kpminus", "/": "kpslash", "enter": "kpenter", "<": "backspace", ".": "kpdot"}

// press presses keys, each after the prompt of the one before.
func (s *shop) press(keys string) {
	s.t.Helper()
	for _, k := range strings.Fields(keys) {
		s.pad.Press(name(k))
		synctest.Wait()
	}
}

// name is the kernel's name of a key.
func name(k string) string {
	if n, ok := names[k]; ok {
		return n
	}
	if len(k) == 1 {
		return "kp" + k
	}
	return k
}

// prompt is the newest one.
func (s *shop) prompt() pos.Prompt {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.prompts[len(s.prompts)-1]
}

// want fails unless the newest prompt is of a kind.
func (s *shop) want(kind pos.PromptKind) pos.Prompt {
	s.t.Helper()
	p := s.prompt()
	if p.Kind != kind {
		s.t.Fatalf("the prompt is %+v, want %q", p, kind)
	}
	return p
}

// done returns the sales that are over, oldest first.
func (s *shop) done() []pos.SaleCompleted {
	s.t.Helper()
	return bodies[pos.SaleCompleted](s.t, s.journal, pos.KindSaleCompleted)
}

// wait lets d pass, and everything that happens in it.
func wait(d time.Duration) { time.Sleep(d); synctest.Wait() }
