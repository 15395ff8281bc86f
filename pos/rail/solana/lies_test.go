package solana

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// lie is one way in which an endpoint is not to be trusted.
type lie struct {
	policy    Policy
	operators int
	tell      func(w *world, first *line, p pos.Payment) // makes the first operator lie about a payment that never came
	reason    string                                     // what the cashier reads; "": the rail goes on
}

// TestLies lets the first operator lie in every way there is, about a payment that
// nobody made. Goal: it is never called paid, whoever asks reads that it cannot be
// known or that there is nothing, and another rail sells on. When the endpoint is
// honest again, so is the rail.
func TestLies(t *testing.T) {
	status := func(code int, kind, body string) func(*world, *line, pos.Payment) {
		return func(_ *world, l *line, _ pos.Payment) {
			l.Responds(func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Content-Type", kind)
				w.WriteHeader(code)
				_, _ = w.Write([]byte(body))
				return true
			})
		}
	}
	raw := func(body string) func(*world, *line, pos.Payment) {
		return status(http.StatusOK, "application/json", body)
	}
	lies := func(f liar) func(*world, *line, pos.Payment) {
		return func(_ *world, l *line, _ pos.Payment) { l.Lies(f) }
	}

	for name, c := range map[string]lie{
		"another cluster": {small, 1, func(_ *world, l *line, _ pos.Payment) {
			l.Lies(change("getGenesisHash", func(json.RawMessage) any { return Mainnet.Genesis }))
			l.Cut()
			time.Sleep(10 * time.Second)
			l.Mend()
		}, "Another network"},
		"a stale slot":                     {small, 1, lies(slotOf(func(n float64) float64 { return n - 5*maxBehind })), "stands still"},
		"a slot far ahead":                 {small, 1, lies(slotOf(func(n float64) float64 { return n + 100_000 })), "cannot be trusted"},
		"a clock far ahead":                {small, 1, lies(clockAt(1 << 33)), "cannot be trusted"},
		"no clock":                         {small, 1, lies(clockAt(0)), "cannot be trusted"},
		"a false balance":                  {small, 1, lies(falseBalance), ""},
		"a payment that the other denies":  {both, 2, invent(12_340_100), "do not agree"},
		"an amount that the other denies":  {both, 2, inflate, "do not agree"},
		"a large one, and it is not final": {Policy{coin.UpTo(0, Finalized, 1)}, 1, inventUnlisted, ""},
		"a payment in another's signature": {small, 1, otherSignature, ""},
		"a payment that failed":            {small, 1, failedPayment, ""},
		"a transaction that is none":       {small, 1, garbageTransaction, ""},
		"a list of lists":                  {small, 1, lies(change("getSignaturesForAddress", func(json.RawMessage) any { return [][]int{{1}} })), "cannot be trusted"},
		"accounts that were not asked for": {small, 1, lies(change("getMultipleAccounts", func(json.RawMessage) any { return obj{"context": obj{"slot": 9}, "value": []any{}} })), "cannot be trusted"},
		"no answer ever": {small, 1, func(_ *world, l *line, _ pos.Payment) {
			l.Responds(func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true })
		}, "does not answer"},
		"a huge body":                        {small, 1, func(_ *world, l *line, _ pos.Payment) { l.Responds(huge) }, "cannot be trusted"},
		"a page instead of JSON":             {small, 1, status(200, "text/html", "<html>Sign in to Hotel WiFi</html>"), "cannot be trusted"},
		"a page, and the other is honest":    {both, 2, status(200, "text/html", "<html>"), ""},
		"too many requests":                  {small, 1, status(429, "text/plain", "slow down"), "asked too often"},
		"an unknown key":                     {small, 1, status(401, "text/plain", "no"), "does not accept the shop's key"},
		"a redirect":                         {small, 1, status(307, "text/html", ""), "cannot be trusted"},
		"an empty list":                      {small, 1, raw(`[]`), "cannot be trusted"},
		"one error for all":                  {small, 1, raw(`{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"limit"}}`), "asked too often"},
		"a node that is behind, by its word": {small, 1, raw(`{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"Node is behind by 42 slots"}}`), "asked too often"},
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { c.run(t) }) })
	}
}

func (c lie) run(t *testing.T) {
	w := newWorld(t, c.policy, c.operators)
	var logged bytes.Buffer
	w.log = slog.New(slog.NewTextHandler(&cointest.Synced{W: &logged}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.start()
	r := w.Ready("usdc-solana")
	p := w.Requested(r, "SALE000000001", 12_340_100)
	beside := newWorld(t, small, 1)
	beside.start()
	other := beside.Ready("usdc-solana")
	q := beside.Requested(other, "SALE000000002", 5_000_000)

	c.tell(w, w.lines[0], p)
	named := false
	for range 6 {
		f, err := r.Check(t.Context(), p)
		if f.Event == pos.Settle || f.Final || !f.Received.IsZero() {
			t.Fatalf("a lie was believed: %+v", f)
		}
		if err != nil && pos.KindOf(err) != pos.Unavailable {
			t.Fatalf("%v", err)
		}
		named = named || c.reason != "" && err != nil && strings.Contains(err.Error(), c.reason)
		if f, err := r.Cancel(t.Context(), p); f.Event == pos.Settle || f.Event == pos.Cancel && c.reason != "" {
			t.Fatalf("cancelled on a lie: %+v, %v", f, err)
		}
	}
	if !named && c.reason != "" {
		t.Errorf("the cashier never read %q; health is %+v", c.reason, r.Health())
	}

	beside.m.pay(asks(t, q.Payload))
	beside.Becomes(other, q, pos.Settle) // the other rail sells on

	w.lines[0].Lies(nil)
	w.lines[0].Responds(nil)
	w.m.pay(asks(t, p.Payload))
	w.Becomes(r, p, pos.Settle)
	w.Stop()
	beside.Stop()
	if s := logged.String(); strings.Contains(s, "key-that-nobody-may-see") {
		t.Errorf("the log holds the key")
	}
}

// change replaces the answer to a method.
func change(method string, f func(json.RawMessage) any) liar {
	return func(m string, _ []json.RawMessage, r json.RawMessage) json.RawMessage {
		if m != method {
			return r
		}
		b, _ := json.Marshal(f(r))
		return b
	}
}

func huge(w http.ResponseWriter, _ *http.Request) bool {
	w.Header().Set("Content-Type", "application/json")
	for range 64 {
		if _, err := w.Write(bytes.Repeat([]byte("["), 1<<16)); err != nil {
			return true
		}
	}
	return true
}

// slotOf tells another slot with every account.
func slotOf(f func(float64) float64) liar {
	return change("getMultipleAccounts", func(r json.RawMessage) any {
		var v obj
		_ = json.Unmarshal(r, &v) // the fake wrote it
		c := v["context"].(obj)
		c["slot"] = uint64(f(c["slot"].(float64)))
		return v
	})
}

// clockAt tells another time.
func clockAt(unix uint64) liar {
	return change("getMultipleAccounts", func(r json.RawMessage) any {
		var v obj
		_ = json.Unmarshal(r, &v) // the fake wrote it
		b := make([]byte, 40)
		for i := range 8 {
			b[32+i] = byte(unix >> (8 * i))
		}
		v["value"].([]any)[0] = memAccount(keyOf("sysvar"), b)
		return v
	})
}

// falseBalance says that all accounts of the owner's hold a fortune.
func falseBalance(method string, _ []json.RawMessage, r json.RawMessage) json.RawMessage {
	if method != "getMultipleAccounts" {
		return r
	}
	var v struct {
		Context obj   `json:"context"`
		Value   []obj `json:"value"`
	}
	_ = json.Unmarshal(r, &v) // the fake wrote it
	for i, a := range v.Value {
		if a["space"] == float64(holdingSize) {
			k := keyOf("x")
			b := make([]byte, holdingSize)
			t := memTokens()[i-1]
			copy(b, t.Mint[:])
			copy(b[32:], merchant[:])
			copy(b[64:72], k[:])
			b[108] = inUse
			v.Value[i] = memAccount(t.Program.key(), b)
		}
	}
	b, _ := json.Marshal(v)
	return b
}

// invented is a transaction that is on no chain.
func invented(w *world, p pos.Payment, units int64) memPaid {
	x := asks(w.T, p.Payload)
	x.units = units
	h := keyOf("invented")
	return memPaid{w.m.slot() - 2, encode58(append(h[:], h[:]...)), []sent{x}}
}

// invent makes the first operator list and show a payment that never was.
func invent(units int64) func(*world, *line, pos.Payment) {
	return func(w *world, l *line, p pos.Payment) {
		l.Lies(shows(invented(w, p, units), func(o obj) any { return o }))
	}
}

// shows lists a payment, and shows what f makes of it.
func shows(paid memPaid, f func(obj) any) liar {
	return func(m string, params []json.RawMessage, r json.RawMessage) json.RawMessage {
		var v any
		switch {
		case m == "getSignaturesForAddress":
			v = []obj{{"signature": paid.sig, "slot": paid.slot, "err": nil, "confirmationStatus": "finalized"}}
		case m == "getTransaction" && string(params[0]) == fmt.Sprintf("%q", paid.sig):
			v = f(txOf(paid, func(Key) Program { return SPLToken }))
		default:
			return r
		}
		b, _ := json.Marshal(v)
		return b
	}
}

// inflate makes the first operator show more than came.
func inflate(w *world, l *line, p pos.Payment) {
	x := asks(w.T, p.Payload)
	x.units = 5
	sig := w.m.pay(x)
	real, _ := w.m.find(sig)
	x.units = 12_340_100
	l.Lies(shows(memPaid{real.slot, sig, []sent{x}}, func(o obj) any { return o }))
}

// inventUnlisted shows a payment as confirmed and never as final.
func inventUnlisted(w *world, l *line, p pos.Payment) {
	paid := invented(w, p, 12_340_100)
	lied := shows(paid, func(o obj) any { return o })
	l.Lies(func(m string, params []json.RawMessage, r json.RawMessage) json.RawMessage {
		if m == "getTransaction" && strings.Contains(string(params[1]), "finalized") {
			return r
		}
		return lied(m, params, r)
	})
}

func otherSignature(w *world, l *line, p pos.Payment) {
	l.Lies(shows(invented(w, p, 12_340_100), func(o obj) any {
		k := keyOf("another")
		o["transaction"].(obj)["signatures"] = []string{encode58(append(k[:], k[:]...))}
		return o
	}))
}

func failedPayment(w *world, l *line, p pos.Payment) {
	l.Lies(shows(invented(w, p, 12_340_100), func(o obj) any {
		o["meta"].(obj)["err"] = obj{"InstructionError": []any{0, "Custom"}}
		return o
	}))
}

func garbageTransaction(w *world, l *line, p pos.Payment) {
	l.Lies(shows(invented(w, p, 12_340_100), func(o obj) any {
		o["meta"].(obj)["postTokenBalances"].([]obj)[0]["accountIndex"] = 4096
		return o
	}))
}

// TestSilentSecond: the second operator never answers: nothing large is paid, the
// cashier reads why, and small sales go on.
func TestSilentSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Policy{coin.UpTo(50, Confirmed, 1), coin.UpTo(0, Confirmed, 2)}, 2)
		w.start()
		r := w.Ready("usdc-solana")
		p := w.Requested(r, "SALE000000001", 60_000_000)
		w.lines[1].Responds(func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true })
		w.m.pay(asks(t, p.Payload))
		w.Until("it cannot be verified", func() bool {
			f, err := r.Check(t.Context(), p)
			if f.Event == pos.Settle {
				t.Fatalf("%+v", f)
			}
			return err != nil && strings.Contains(err.Error(), "do not agree")
		})
		q := w.Requested(r, "SALE000000002", 5_000_000)
		w.m.pay(asks(t, q.Payload))
		w.Becomes(r, q, pos.Settle)
		w.lines[1].Responds(nil)
		w.Becomes(r, p, pos.Settle)
		w.Stop()
	})
}

// TestFrozenCluster: a cluster that tells the same slot for ever is not believed, nor
// one whose clock is old by a clock that can be trusted.
func TestFrozenCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, small, 1)
		w.start()
		r := w.Ready("usdc-solana")
		w.m.mu.Lock()
		w.m.stop = w.m.slot()
		w.m.mu.Unlock()
		time.Sleep(staleAfter + time.Minute)
		if h := r.Health(); h.Ready || !strings.Contains(h.Reason, "stands still") {
			t.Fatalf("%+v", h)
		}
		w.m.mu.Lock()
		w.m.stop = 0
		w.m.mu.Unlock()
		w.Until("the rail is back", func() bool { return r.Health().Ready })

		w.change = func(o *Options) { o.ClockTrusted = func() bool { return true } }
		w.m.born = w.m.born.Add(-10 * time.Minute)
		w.m.stop = w.m.slot() - 1500
		w.restart()
		r = w.Rail("usdc-solana")
		w.Until("an old clock is noticed", func() bool { return strings.Contains(r.Health().Reason, "stands still") })
		w.Stop()
	})
}
