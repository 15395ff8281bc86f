package evm

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// strict wants two operators for everything.
var strict = Policy{coin.UpTo(0, OneBlock, 2)}

// lie is one way in which an endpoint is not to be trusted.
type lie struct {
	policy    Policy
	operators int
	tell      func(first *line, to Address, usdc int) // makes the first operator lie about a payment that never came
	reason    string                                  // what the cashier reads; "": the rail goes on with the other operator
}

// TestLies lets the first operator of a chain lie in every way there is, about a
// payment that nobody made. Goal: it is never called paid, whoever asks reads that it
// cannot be known or that there is nothing, and the rail of another chain sells on.
// When the endpoint is honest again, so is the rail.
func TestLies(t *testing.T) {
	html := func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>Sign in to Hotel WiFi</html>"))
		return true
	}
	status := func(code int, body string) func(*line, Address, int) {
		return func(l *line, _ Address, _ int) {
			l.Responds(func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(code)
				_, _ = w.Write([]byte(body))
				return true
			})
		}
	}
	raw := func(body string) func(*line, Address, int) { return status(http.StatusOK, body) }

	for name, c := range map[string]lie{
		"another chain by its id":                         {small, 1, func(l *line, _ Address, _ int) { l.Lies(otherChain); l.Cut(); l.Mend() }, "Another network"},
		"another chain in the EVM":                        {small, 1, func(l *line, _ Address, _ int) { l.Lies(peekWord(0, 99)) }, "Another network"},
		"an old head":                                     {small, 1, func(l *line, _ Address, _ int) { l.Lies(peekWord(2, 1)) }, "stands still"},
		"a false balance, and the other operator says no": {strict, 2, func(l *line, to Address, usdc int) { l.Lies(falseBalance(to, usdc)) }, "do not agree"},
		"a false balance that is never the same":          {small, 1, func(l *line, to Address, usdc int) { l.Lies(onlyLatest(falseBalance(to, usdc))) }, ""},
		"a false balance in another block":                {small, 1, func(l *line, to Address, usdc int) { l.Lies(both(falseBalance(to, usdc), otherBlock)) }, "cannot be trusted"},
		"a block far ahead":                               {small, 1, func(l *line, to Address, usdc int) { l.Lies(both(falseBalance(to, usdc), farBlock)) }, "cannot be trusted"},
		"a balance that is no balance":                    {small, 1, func(l *line, _ Address, _ int) { l.Lies(garbage) }, "cannot be trusted"},
		"a huge body": {small, 1, func(l *line, _ Address, _ int) {
			l.Responds(func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Content-Type", "application/json")
				for range 64 {
					if _, err := w.Write(bytes.Repeat([]byte("["), 1<<16)); err != nil {
						return true
					}
				}
				return true
			})
		}, "cannot be trusted"},
		"no answer ever": {small, 1, func(l *line, _ Address, _ int) {
			l.Responds(func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true })
		}, "does not answer"},
		"a page instead of JSON":          {small, 1, func(l *line, _ Address, _ int) { l.Responds(html) }, "cannot be trusted"},
		"a page, and the other is honest": {strict, 2, func(l *line, _ Address, _ int) { l.Responds(html) }, ""},
		"too many requests":               {small, 1, status(http.StatusTooManyRequests, "slow down"), "asked too often"},
		"an unknown key":                  {small, 1, status(http.StatusUnauthorized, "no"), "does not accept the shop's key"},
		"a redirect":                      {small, 1, status(http.StatusTemporaryRedirect, ""), "cannot be trusted"},
		"an empty list":                   {small, 1, raw(`[]`), "cannot be trusted"},
		"one error for all":               {small, 1, raw(`{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"limit"}}`), "asked too often"},
		"null":                            {small, 1, raw(`null`), "cannot be trusted"},
		"answers to other calls":          {small, 1, raw(`[{"jsonrpc":"2.0","id":1,"result":"0x1"},{"jsonrpc":"2.0","id":2,"result":"0x1"}]`), "cannot be trusted"},
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); c.run(t) })
	}
}

func (c lie) run(t *testing.T) {
	base := newPlace(t, 31337, "base", c.policy, c.operators)
	polygon := newPlace(t, 31338, "polygon", small, 1)
	l := newLab(t, base, polygon)
	var logged bytes.Buffer
	l.log = slog.New(slog.NewTextHandler(&cointest.Synced{W: &logged}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	l.start()
	r, p, to := sold(l, "1")
	other := l.Ready("usdc-polygon")
	q := l.Requested(other, "SALE000000002", 5_000_000)

	c.tell(base.lines[0], to, slices.Index(r.c.asked, base.usdc.at))
	named := false
	for range 3 {
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

	req, _ := at(t, q)
	polygon.usdc.mint(req.To, 5_000_000)
	l.Becomes(other, q, pos.Settle) // the other rail sells on

	base.lines[0].Lies(nil)
	base.lines[0].Responds(nil)
	l.Until("the rail is back", func() bool { _, err := r.Check(t.Context(), p); return err == nil })
	base.usdc.mint(to, 12_340_100)
	l.Becomes(r, p, pos.Settle)
	l.Stop()
	if s := logged.String(); strings.Contains(s, "key-that-nobody-may-see") {
		t.Errorf("the log holds the key")
	}
}

// liar changes one answer.
type liar = func(method string, params []json.RawMessage, result json.RawMessage) json.RawMessage

func both(a, b liar) liar {
	return func(m string, p []json.RawMessage, r json.RawMessage) json.RawMessage { return b(m, p, a(m, p, r)) }
}

func otherChain(method string, _ []json.RawMessage, r json.RawMessage) json.RawMessage {
	if method == "eth_chainId" {
		return json.RawMessage(`"0x1"`)
	}
	return peekWord(0, 1)(method, nil, r)
}

// isPeek reports an answer to a Peek: it alone is long.
func isPeek(method string, r json.RawMessage) ([]byte, bool) {
	if method != "eth_call" || len(r) < 2+2*96 {
		return nil, false
	}
	b := unhex(strings.TrimPrefix(strings.Trim(string(r), `"`), "0x"))
	return b, len(b) >= 96 && b[31] != 0x20 // a symbol begins with an offset of 32
}

// peekWord puts another number into one of the first words of a Peek.
func peekWord(i int, n int64) liar {
	return func(method string, _ []json.RawMessage, r json.RawMessage) json.RawMessage {
		b, ok := isPeek(method, r)
		if !ok {
			return r
		}
		copy(b[32*i:], num(n))
		return json.RawMessage(fmt.Sprintf(`"0x%x"`, b))
	}
}

// falseBalance says that the first address asked about has a thousand USDC.
func falseBalance(to Address, usdc int) liar {
	return func(method string, params []json.RawMessage, r json.RawMessage) json.RawMessage {
		b, ok := isPeek(method, r)
		owner := ownerIn(params, to)
		if !ok || owner < 0 {
			return r
		}
		tag := make([]byte, 32)
		tag[23], tag[27], tag[31] = foundBalance, byte(usdc), byte(owner)
		b = append(b[:96:96], append(tag, num(12_340_100)...)...)
		return json.RawMessage(fmt.Sprintf(`"0x%x"`, b))
	}
}

// ownerIn returns the place of an address among those that a Peek asks about, which end
// its data; -1 for none.
func ownerIn(params []json.RawMessage, at Address) int {
	var call struct{ Data string }
	if len(params) == 0 || json.Unmarshal(params[0], &call) != nil {
		return -1
	}
	b, w := unhex(strings.TrimPrefix(call.Data, "0x")), at.word()
	for n, found := 0, -1; len(b) >= 32; n++ { // from the last word to the one that counts them
		last := b[len(b)-32:]
		if bytes.Equal(last, num(int64(n))) {
			if found < 0 {
				return -1
			}
			return n - 1 - found
		}
		if bytes.Equal(last, w[:]) {
			found = n
		}
		b = b[:len(b)-32]
	}
	return -1
}

// onlyLatest lies about the newest block, and not about one that is named.
func onlyLatest(f liar) liar {
	return func(method string, params []json.RawMessage, r json.RawMessage) json.RawMessage {
		if len(params) == 2 && string(params[1]) != `"latest"` {
			return r
		}
		return f(method, params, r)
	}
}

// otherBlock names a block that is another one than it says.
func otherBlock(method string, _ []json.RawMessage, r json.RawMessage) json.RawMessage {
	return changeBlock(method, r, "timestamp", `"0x5"`)
}

func farBlock(method string, _ []json.RawMessage, r json.RawMessage) json.RawMessage {
	return changeBlock(method, r, "number", `"0xffffff"`)
}

func changeBlock(method string, r json.RawMessage, key, value string) json.RawMessage {
	var f map[string]json.RawMessage
	if method != "eth_getBlockByNumber" || json.Unmarshal(r, &f) != nil {
		return r
	}
	f[key] = json.RawMessage(value)
	out, _ := json.Marshal(f)
	return out
}

func garbage(method string, _ []json.RawMessage, r json.RawMessage) json.RawMessage {
	if b, ok := isPeek(method, r); ok {
		return json.RawMessage(`"0x` + hex.EncodeToString(append(b, bytes.Repeat([]byte{0xff}, 64)...)) + `"`)
	}
	return r
}

// TestFrozenChain: an endpoint that tells the same block for ever is not believed,
// nor is one whose newest block is old by a clock that can be trusted.
func TestFrozenChain(t *testing.T) {
	t.Parallel()
	base := newPlace(t, 31337, "base", small, 1)
	base.chain.StaleS = 10
	l := newLab(t, base).start()
	r, p, _ := sold(l, "1")
	l.Until("it stands still", func() bool {
		f, err := r.Check(t.Context(), p)
		if err == nil && f.Event != "" {
			t.Fatalf("%+v", f)
		}
		return err != nil && strings.Contains(err.Error(), "stands still")
	})
	l.Until("the rail is grey", func() bool { return strings.Contains(r.Health().Reason, "stands still") })
	base.Do("anvil_mine", "0x1")
	l.Until("the rail is back", func() bool { return r.Health().Ready })

	l.change = func(o *Options) { o.ClockTrusted = func() bool { return true } }
	base.Do("evm_setTime", time.Now().Unix()+7200)
	base.Do("anvil_mine", "0x1")
	l.restart()
	r = l.Rail("usdc-base")
	l.Until("an odd time is noticed", func() bool { return strings.Contains(r.Health().Reason, "stands still") })
}

// TestFutureHead: a block from the future is not believed while the till's clock can
// be trusted, and honest blocks are believed again afterwards.
func TestFutureHead(t *testing.T) {
	t.Parallel()
	base := newPlace(t, 31337, "base", small, 1)
	l := newLab(t, base)
	l.change = func(o *Options) { o.ClockTrusted = func() bool { return true } }
	l.start()
	r, p, to := sold(l, "1")
	base.lines[0].Lies(peekWord(2, time.Now().Unix()+1e6))
	if f, err := r.Check(t.Context(), p); err == nil {
		t.Fatalf("%+v", f)
	}
	base.lines[0].Lies(nil)
	base.usdc.mint(to, 12_340_100)
	l.Becomes(r, p, pos.Settle)
}

// TestSmallThenLarge: an endpoint that shows a small sum, for which its word alone is
// enough, and proves a large one, for which it is not.
func TestSmallThenLarge(t *testing.T) {
	t.Parallel()
	base := newPlace(t, 31337, "base", Policy{coin.UpTo(5, OneBlock, 1), coin.UpTo(0, OneBlock, 2)}, 2)
	l := newLab(t, base).start()
	r, p, to := sold(l, "1")
	usdc := slices.Index(r.c.asked, base.usdc.at)
	base.lines[0].Lies(func(method string, params []json.RawMessage, raw json.RawMessage) json.RawMessage {
		lied := falseBalance(to, usdc)(method, params, raw)
		if len(params) == 2 && string(params[1]) == `"latest"` {
			return json.RawMessage(strings.Replace(string(lied), fmt.Sprintf("%064x", 12_340_100), fmt.Sprintf("%064x", 1), 1))
		}
		return lied
	})
	for range 4 {
		if f, err := r.Check(t.Context(), p); f.Event == pos.Settle {
			t.Fatalf("%+v, %v", f, err)
		}
	}
}
