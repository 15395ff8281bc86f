package offpay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
)

var (
	eur, _ = pos.CurrencyOf("EUR")
	device = offpay.Device{0xa1, 0xb2, 0xc3, 0xd4, 0xe5}
	errNo  = pos.E("ask backoffice", pos.Unavailable, "no line")
)

// office is a backoffice made of code: it makes keys as the real one does, the same
// key again until the till says that it holds it.
type office struct {
	mu      sync.Mutex
	down    bool
	off     string
	rotate  bool // a new epoch is due
	granted offpay.Grant
	asked   []*Held
	claims  []offpay.Claim
	out     func(offpay.Claim) offpay.Outcome
}

func (o *office) set(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

func (o *office) times() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.asked)
}

func grantOf(epoch uint8) offpay.Grant {
	g := offpay.Grant{Device: device, Epoch: epoch, Host: "pay.example.com", Highest: 7, Limits: offpay.DefaultLimits(), Enabled: true}
	for i := range g.Key {
		g.Key[i] = byte(i) ^ epoch
	}
	return g
}

func (o *office) Grant(_ context.Context, held *Held) (offpay.Grant, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.down {
		return offpay.Grant{}, errNo
	}
	o.asked = append(o.asked, held)
	if o.off != "" {
		return offpay.Grant{Why: o.off}, nil
	}
	if held != nil && held.Epoch == o.granted.Epoch && o.rotate {
		o.rotate, o.granted = false, grantOf(o.granted.Epoch+1)
	}
	return o.granted, nil
}

func (o *office) Outcomes(_ context.Context, claims []offpay.Claim) ([]offpay.Outcome, error) {
	if o.down {
		return nil, errNo
	}
	o.claims = append(o.claims, claims...)
	return []offpay.Outcome{o.out(claims[0])}, nil
}

func newRail(t *testing.T, o *office, path string) *Rail {
	t.Helper()
	r, err := New(Options{File: path, Office: o, Tender: "lightning", Currency: eur, Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func granted(t *testing.T) (*Rail, *office) {
	t.Helper()
	o := &office{granted: grantOf(1)}
	r := newRail(t, o, filepath.Join(t.TempDir(), "offline.keys"))
	if err := r.renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r, o
}

func payment(counter uint32) pos.Payment {
	return pos.Payment{
		ID: "s-1", Sale: "s", Tender: "lightning", State: pos.Requested, Amount: eur.Of(1250), At: time.Unix(1795320000, 0),
		Offline: true, Counter: counter,
	}
}

// request lets r make p's request.
func request(t *testing.T, r *Rail, p pos.Payment, trusted bool) pos.Payment {
	t.Helper()
	a, err := r.Ask(p, trusted)
	if err != nil {
		t.Fatal(err)
	}
	p.Reference, p.Payload, p.Other, p.Expires = a.Reference, a.Payload, a.Other, a.Expires
	return p
}

// code is what the backoffice would show for p.
func code(t *testing.T, g offpay.Grant, p pos.Payment) string {
	t.Helper()
	token, err := offpay.ParseToken(p.Reference)
	if err != nil {
		t.Fatal(err)
	}
	return offpay.Derive(g.Key, g.Device, g.Epoch).Code(token)
}

// TestRequest checks what leaves the till against the published vector A.
func TestRequest(t *testing.T) {
	r, _ := granted(t)
	g := grantOf(1)
	for i := range g.Key {
		g.Key[i] = byte(i)
	}
	r.set([]offpay.Grant{g})
	p := request(t, r, payment(417), true)
	if p.Reference != "AaGyw9TlAZdvolGdX9JlxAWZrTOA6ft33YNWcGjfNLQzU6xeUslP" {
		t.Errorf("token %s", p.Reference)
	}
	if p.Other != "https://pay.example.com/o/"+p.Reference || !strings.HasPrefix(p.Payload, "LNURL1") {
		t.Errorf("shown %q and %q", p.Payload, p.Other)
	}
	if want := p.At.Add(20 * time.Minute); !p.Expires.Equal(want) {
		t.Errorf("ends %v, want %v", p.Expires, want)
	}
	if got := r.Proves(p, "009 812"); got != pos.ProofRight {
		t.Errorf("the published code is %s", got)
	}
}

// TestUntrustedClock leaves the time out: a wrong one would be refused.
func TestUntrustedClock(t *testing.T) {
	r, _ := granted(t)
	for _, trusted := range []bool{true, false} {
		p := request(t, r, payment(8), trusted)
		token, _ := offpay.ParseToken(p.Reference)
		g := grantOf(1)
		q, err := offpay.Derive(g.Key, g.Device, g.Epoch).Open(token)
		if err != nil || (q.Issued != 0) != trusted {
			t.Errorf("trusted %v: issued %d, %v", trusted, q.Issued, err)
		}
		if q.Counter != 8 || q.Amount != 1250 || q.Currency != 978 || q.TTL != 20 {
			t.Errorf("the request says %+v", q)
		}
	}
}

func TestProves(t *testing.T) {
	r, _ := granted(t)
	p := request(t, r, payment(8), true)
	right := code(t, grantOf(1), p)
	wrong := "000000"
	if right == wrong {
		wrong = "000001"
	}
	for typed, want := range map[string]pos.Proof{
		right: pos.ProofRight, right[:3] + " " + right[3:]: pos.ProofRight, right[:3] + "-" + right[3:]: pos.ProofRight,
		"OP1:8:" + right: pos.ProofRight, "OP1:9:" + right: pos.ProofOther, "OP1:8:" + wrong: pos.ProofWrong,
		wrong: pos.ProofWrong, "": pos.ProofForm, "12345": pos.ProofForm, right + "0": pos.ProofForm, "١٢٣٤٥٦": pos.ProofForm, "abcdef": pos.ProofForm,
	} {
		if got := r.Proves(p, typed); got != want {
			t.Errorf("%q is %s, want %s", typed, got, want)
		}
	}
	other := request(t, r, payment(9), true)
	if code(t, grantOf(1), other) != right && r.Proves(other, right) != pos.ProofWrong {
		t.Error("another sale's code is right")
	}
	p.Reference = "garbage"
	if r.Proves(p, right) != pos.ProofWrong {
		t.Error("a request that cannot be read proves something")
	}
}

// TestRefresh changes the key. Codes of the one before still count, those of the
// one before that no longer, and the file survives the till.
func TestRefresh(t *testing.T) {
	r, o := granted(t)
	first := request(t, r, payment(8), true)
	for range 2 {
		o.rotate = true
		if err := r.renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		if last := o.asked[len(o.asked)-1]; last == nil || last.Epoch != o.granted.Epoch {
			t.Errorf("the backoffice was not told that epoch %d is on disk: %+v", o.granted.Epoch, last)
		}
		r = newRail(t, o, r.o.File)
		want := pos.ProofRight
		if r.Terms().Epoch == 3 {
			want = pos.ProofWrong
		}
		if got := r.Proves(first, code(t, grantOf(1), first)); got != want {
			t.Errorf("epoch %d: the first code is %s", r.Terms().Epoch, got)
		}
	}
	if i, err := os.Stat(r.o.File); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("the key file: %v, %v", i.Mode(), err)
	}
}

// TestNotKept refuses a key that could not be made durable: the backoffice goes on
// with the old one.
func TestNotKept(t *testing.T) {
	r, o := granted(t)
	if err := os.Mkdir(r.o.File+".new", 0o700); err != nil { // in the way
		t.Fatal(err)
	}
	o.rotate = true
	if err := r.renew(t.Context()); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("a key that is not on disk: %v", err)
	}
	if r.Terms().Epoch != 1 {
		t.Error("it is used all the same")
	}
	for _, h := range o.asked {
		if h != nil && h.Epoch == 2 {
			t.Error("and the backoffice was told so")
		}
	}
}

// TestOldKey is a backoffice restored from a copy: it grants an epoch that is over.
func TestOldKey(t *testing.T) {
	r, o := granted(t)
	o.rotate = true
	if err := r.renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.granted = grantOf(1)
	if err := r.renew(t.Context()); pos.KindOf(err) != pos.Corrupt || r.Terms().Epoch != 2 {
		t.Errorf("an older key: %v, epoch %d", err, r.Terms().Epoch)
	}
}

// TestSwitchedOff keeps the key for codes given out before.
func TestSwitchedOff(t *testing.T) {
	r, o := granted(t)
	p := request(t, r, payment(8), true)
	o.off = "the owner said so"
	if err := r.renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if terms := r.Terms(); terms.Enabled || terms.Why != o.off {
		t.Errorf("terms %+v", terms)
	}
	if _, err := r.Ask(payment(9), true); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("a request although it is off: %v", err)
	}
	if r.Proves(p, code(t, grantOf(1), p)) != pos.ProofRight {
		t.Error("a code of before does not count any more")
	}
}

// TestBusy: a node that is not ready holds the till back while the backoffice says
// so, and no longer: without a line nobody knows.
func TestBusy(t *testing.T) {
	r, o := granted(t)
	before, err := os.ReadFile(r.o.File)
	if err != nil {
		t.Fatal(err)
	}
	o.granted.Busy, o.granted.Why = true, "the node is starting"
	if err := r.renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if terms := r.Terms(); terms.Enabled || terms.Why != "the node is starting" {
		t.Errorf("terms %+v", terms)
	}
	o.down = true
	if err := r.renew(t.Context()); err == nil || !r.Terms().Enabled || r.Terms().Why != "" {
		t.Errorf("the line is cut, %v: %+v", err, r.Terms())
	}
	o.down, o.granted.Busy, o.granted.Why = false, false, ""
	if err := r.renew(t.Context()); err != nil || !r.Terms().Enabled {
		t.Errorf("the node is ready, %v: %+v", err, r.Terms())
	}
	if after, err := os.ReadFile(r.o.File); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the key file was written for it: %v", err)
	}
}

func TestNothingGranted(t *testing.T) {
	o := &office{off: "not for this till"}
	r := newRail(t, o, filepath.Join(t.TempDir(), "none"))
	if err := r.renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Ask(payment(1), true); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("a request without a key: %v", err)
	}
	if r.Terms() != (pos.OfflineTerms{}) {
		t.Errorf("terms %+v", r.Terms())
	}
}

// TestFinding maps every word of the backoffice. Only Paid settles, and no answer
// is never "unpaid".
func TestFinding(t *testing.T) {
	sat := func(n int64) pos.Quantity { q, _ := pos.Bitcoin.Units(big.NewInt(n)); return q }
	requested, unknown, taken := payment(8), payment(8), payment(8)
	unknown.State, taken.State, taken.Taken = pos.Unknown, pos.Accepted, true
	for _, c := range []struct {
		name  string
		p     pos.Payment
		state offpay.OutcomeState
		want  pos.Event
		final bool
		err   bool
	}{
		{"open", requested, offpay.Open, "", false, false},
		{"pending", requested, offpay.Pending, "", false, true},
		{"unheard of", requested, "lost", "", false, true},
		{"none", requested, "", "", false, true},
		{"paid", requested, offpay.Paid, pos.Settle, true, false},
		{"paid after withdrawal", unknown, offpay.Paid, pos.Settle, true, false},
		{"paid as the code said", taken, offpay.Paid, pos.Settle, true, false},
		{"too old", requested, offpay.Unpaid, pos.Expire, true, false},
		{"withdrawn", unknown, offpay.Unpaid, pos.Cancel, true, false},
		{"no money behind a code", taken, offpay.Unpaid, pos.Fail, true, false},
		{"taken, not known yet", taken, offpay.Pending, "", false, true},
		{"conflict", requested, offpay.Conflict, "", false, true},
		{"conflict after a code", taken, offpay.Conflict, "", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, o := granted(t)
			o.out = func(q offpay.Claim) offpay.Outcome {
				return offpay.Outcome{Counter: q.Counter, State: c.state, Asked: sat(2000), Received: sat(2000)}
			}
			f, err := r.Check(t.Context(), c.p)
			if (err != nil) != c.err || f.Event != c.want || f.Final != c.final {
				t.Errorf("%+v, %v", f, err)
			}
			if err == nil && c.p.Apply(f.Event, time.Now()) != nil && f.Event != "" {
				t.Errorf("a payment that is %s cannot %s", c.p.State, f.Event)
			}
			if f.Event == pos.Settle && (f.Received.IsZero() || f.Asked.IsZero()) {
				t.Errorf("settled without money: %+v", f)
			}
		})
	}
}

// TestClaims says to the backoffice what the till knows. A code that was taken is
// never voided.
func TestClaims(t *testing.T) {
	r, o := granted(t)
	o.out = func(c offpay.Claim) offpay.Outcome { return offpay.Outcome{Counter: c.Counter, State: offpay.Open} }
	p := request(t, r, payment(8), true)
	taken := p
	taken.Taken, taken.State = true, pos.Accepted
	_, _ = r.Check(t.Context(), p)
	_, _ = r.Cancel(t.Context(), p)
	_, _ = r.Cancel(t.Context(), taken)
	want := []offpay.Claim{{Token: p.Reference, Counter: 8}, {Token: p.Reference, Counter: 8, Void: true}, {Token: p.Reference, Counter: 8, Accepted: true}}
	if fmt.Sprint(o.claims) != fmt.Sprint(want) {
		t.Errorf("claims %+v", o.claims)
	}
	o.out = func(offpay.Claim) offpay.Outcome { return offpay.Outcome{Counter: 9, State: offpay.Paid} }
	if f, err := r.Check(t.Context(), p); err == nil {
		t.Errorf("an answer about another payment: %+v", f)
	}
	o.down = true
	if f, err := r.Cancel(t.Context(), p); err == nil {
		t.Errorf("cancelled without a line: %+v", f)
	}
}

// TestDamagedFile keeps the till from going on as if nothing had been given out.
func TestDamagedFile(t *testing.T) {
	r, o := granted(t)
	whole, err := os.ReadFile(r.o.File)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"torn": whole[:len(whole)/2], "empty": {}, "huge": bytes.Repeat([]byte(" "), maxFile+1), "other": []byte(`{"a":1}`),
		"short key": bytes.Replace(whole, []byte(`"key":"`), []byte(`"key":"AA`), 1),
	} {
		if err := os.WriteFile(r.o.File, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(Options{File: r.o.File, Office: o, Currency: eur}); pos.KindOf(err) != pos.Corrupt {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRun asks again and again, more seldom while the line is down, and at once
// when it is woken.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &office{granted: grantOf(1), down: true}
		r := newRail(t, o, filepath.Join(t.TempDir(), "keys"))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		time.Sleep(time.Hour)
		synctest.Wait()
		o.set(func() { o.down = false })
		time.Sleep(retryMax + time.Second)
		synctest.Wait()
		if !r.Terms().Enabled {
			t.Error("not granted although the line is back")
		}
		o.set(func() { o.off = "now" })
		r.Wake()
		synctest.Wait()
		if r.Terms().Enabled {
			t.Error("woken, and it did not ask")
		}
		for off, most := range map[string]int{"": 13, "the node is down": 361} {
			o.set(func() { o.off = off })
			r.Wake()
			synctest.Wait()
			n := o.times()
			time.Sleep(time.Hour)
			synctest.Wait()
			if got := o.times() - n; got < most-3-most/100 || got > most {
				t.Errorf("off %q: asked %d times in a quiet hour", off, got)
			}
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestSecrets: neither key nor code comes out, whatever is printed.
func TestSecrets(t *testing.T) {
	var log bytes.Buffer
	o := &office{granted: grantOf(1)}
	r, err := New(Options{File: filepath.Join(t.TempDir(), "keys"), Office: o, Currency: eur, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := request(t, r, payment(8), true)
	right := code(t, grantOf(1), p)
	secret, _ := json.Marshal(grantOf(1).Key)
	shown := fmt.Sprintf("%v %+v %#v %s", r.Terms(), p, o.granted, log.String())
	for _, s := range []string{right, strings.Trim(string(secret), `"`), fmt.Sprintf("%x", [32]byte(grantOf(1).Key))} {
		if strings.Contains(shown, s) {
			t.Errorf("%q is shown", s)
		}
	}
	if errors.Is(err, errNo) || log.Len() == 0 {
		t.Error("nothing was logged, so nothing was tested")
	}
}
