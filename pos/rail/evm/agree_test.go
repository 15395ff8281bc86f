package evm

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// saysChain makes an endpoint name another chain, and read this one's balances all the same.
func saysChain(method string, _ []json.RawMessage, r json.RawMessage) json.RawMessage {
	if method == "eth_chainId" {
		return json.RawMessage(`"0x1"`)
	}
	return r
}

// TestNamesAnotherChain: an endpoint that names another chain is not sold on, whatever its
// balances are of; as a second one it is told of before a large sale needs it.
func TestNamesAnotherChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, "polygon")
		w.change = with(w.change, func(o *Options) {
			o.Accept[0].Endpoints = append(o.Accept[0].Endpoints, Endpoint{Operator: "the same again", URL: o.Accept[0].Endpoints[0].URL})
		})
		w.lines["polygon-0.example"].Lies(saysChain)
		w.start()
		r := w.Rail("usdc-polygon")
		time.Sleep(time.Minute)
		if h := r.Health(); h.Ready || !strings.Contains(h.Reason, "Another network") {
			t.Errorf("%+v", h)
		}
		if _, err := r.Ask(t.Context(), cointest.Intended(r, "SALE000000001", 5_000_000), ""); pos.KindOf(err) != pos.Unavailable {
			t.Errorf("asked: %v", err)
		}
		w.Stop()
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "polygon")
		w.lines["polygon-1.example"].Lies(saysChain)
		w.start()
		r := w.Ready("usdc-polygon")
		time.Sleep(greetEvery + time.Minute)
		if !strings.Contains(strings.Join(r.Health().Notices, "\n"), "operator 1") {
			t.Errorf("nobody was told: %+v", r.Health())
		}
		w.lines["polygon-1.example"].Lies(nil)
		time.Sleep(greetEvery + time.Minute)
		if strings.Contains(strings.Join(r.Health().Notices, "\n"), "operator 1") {
			t.Errorf("still told: %+v", r.Health())
		}
		w.Stop()
	})
}

// with changes options after another change.
func with(first, then func(*Options)) func(*Options) {
	return func(o *Options) { first(o); then(o) }
}

// TestForgiven: what the owner forgives is a part of what was asked for and at most 0.05
// token, whatever the token counts by; a unit more is missing.
func TestForgiven(t *testing.T) {
	w := &Watcher{o: Options{Tolerance: 50}}
	for _, decimals := range []int{2, 6, 18} {
		one := coin.One(decimals)
		of := func(n, m int64) *big.Int {
			x := new(big.Int).Mul(one, big.NewInt(n))
			return x.Quo(x, big.NewInt(m))
		}
		for name, c := range map[string]struct{ asked, forgiven *big.Int }{
			"half a percent": {of(8, 1), of(4, 100)}, "0.05 token": {of(1000, 1), of(5, 100)},
		} {
			e := &payment{token: Token{Decimals: decimals}, units: c.asked}
			least := new(big.Int).Sub(c.asked, c.forgiven)
			less := new(big.Int).Sub(least, e.token.step()) // less than a step is dust
			if !w.pays(e, least) || !w.pays(e, c.asked) || w.pays(e, less) {
				t.Errorf("%d decimals, %s: asked for %v", decimals, name, c.asked)
			}
		}
	}
}

// TestOlderProof: a node that lags proves less, or something else, and takes nothing back.
func TestOlderProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base")
		w.start()
		r := w.Ready("usdc-base")
		p := w.Requested(r, "SALE000000001", 5_000_000)
		req, _ := at(t, p)
		w.chains["base"].pay(req.Token, req.To, req.Units)
		w.Becomes(r, p, pos.Settle)
		w.Stop()
		e := w.w.payments[p.ID]
		now := e.own().proof
		for _, left := range []int64{0, 1, 5_000_000, 9_000_000} {
			old := &proof{block: block{number: now.number - 1, time: now.time - 2}, left: big.NewInt(left), swept: new(big.Int)}
			if r.c.weigh(wish{p: e, key: e.ownKey(), row: len(PolicyOf(r.c.Chain))}, e.own(), old); e.own().proof != now {
				t.Errorf("an older block with %d units counts", left)
			}
		}
	})
}
