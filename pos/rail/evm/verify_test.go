package evm

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// TestVerify asks a chain what it is before anything is sold on it.
func TestVerify(t *testing.T) {
	t.Parallel()
	base := newPlace(t, 31337, "base", small, 1)
	grey := func(t *testing.T, l *lab, text string) {
		t.Helper()
		r := l.Rail("usdc-base")
		l.Until("the rail is grey: "+text, func() bool { return strings.Contains(r.Health().Reason, text) })
		if _, err := r.Ask(t.Context(), cointest.Intended(r, "SALE000000001", 5), ""); pos.KindOf(err) != pos.Unavailable {
			t.Errorf("asked all the same: %v", err)
		}
	}

	t.Run("a token with other decimals goes grey alone", func(t *testing.T) {
		l := newLab(t, base)
		l.change = func(o *Options) {
			r, err := Registry{}.With([]Chain{base.chain}, []Token{
				{Chain: 31337, Symbol: "USDC", Contract: base.usdc.at, Decimals: 18, Peg: "USD"},
				{Chain: 31337, Symbol: "DAI", Contract: base.dai.at, Decimals: 18, OnChain: []string{"DAI"}, Peg: "USD"},
			})
			if err != nil {
				t.Fatal(err)
			}
			o.Registry = r
		}
		l.start()
		l.Ready("dai-base")
		grey(t, l, "USDC on Test base is not what it should be: other decimals")
	})

	for name, row := range map[string]struct {
		contract Address
		symbols  []string
		why      string
	}{
		"another symbol":     {base.usdc.at, []string{"USDX"}, "another name"},
		"no contract at all": {MustAddress("0x00000000000000000000000000000000000abcde"), nil, "no such token there"},
		"not a token":        {Deployer, nil, "no such token there"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, base)
			l.change = func(o *Options) {
				r, err := Registry{}.With([]Chain{base.chain}, []Token{
					{Chain: 31337, Symbol: "USDC", Contract: row.contract, Decimals: 6, OnChain: row.symbols, Peg: "USD"},
					{Chain: 31337, Symbol: "DAI", Contract: base.dai.at, Decimals: 18, OnChain: []string{"DAI"}, Peg: "USD"},
				})
				if err != nil {
					t.Fatal(err)
				}
				o.Registry = r
			}
			l.start()
			l.Ready("dai-base")
			grey(t, l, row.why)
		})
	}

	t.Run("a treasury that is an exchange's deposit contract", func(t *testing.T) {
		clone := MustAddress("0x00000000000000000000000000000000000c10fe")
		base.Do("anvil_setCode", clone.String(), "0x363d3d373d3d3d363d73"+strings.Repeat("11", 20)+"5af43d82803e903d91602b57fd5bf3")
		l := newLab(t, base)
		l.change = func(o *Options) { o.Treasury = clone }
		grey(t, l.start(), "not an exchange's deposit address")
	})

	t.Run("a treasury that never sent anything: a warning", func(t *testing.T) {
		l := newLab(t, base).start()
		if r := l.Ready("usdc-base"); !cointest.Told(r, "has never sent anything on Test base") {
			t.Errorf("%v", r.Health().Notices)
		}
		l.change = func(o *Options) { o.Treasury = MustAddress(base.From) }
		l.restart()
		if r := l.Ready("usdc-base"); len(r.Health().Notices) != 0 {
			t.Errorf("%v", r.Health().Notices)
		}
	})

	t.Run("a contract wallet on one chain only", func(t *testing.T) {
		polygon := newPlace(t, 31338, "polygon", small, 1)
		wallet := base.deploy("Greedy").at
		l := newLab(t, base, polygon)
		l.change = func(o *Options) { o.Treasury = wallet }
		l.start()
		r := l.Rail("usdc-polygon")
		l.Until("the chain without the wallet is grey", func() bool { return strings.Contains(r.Health().Reason, "wallet cannot be used on Test polygon") })
		l.Ready("usdc-base")
	})

	t.Run("no factory", func(t *testing.T) {
		a := startAnvil(t, 31339)
		bare := &site{anvil: a, chain: Chain{ID: 31339, Key: "base", Name: "Bare", Coin: "ETH", StaleS: 600, Policy: small}, lines: []*line{newLine(t, a)}}
		bare.usdc, bare.dai, bare.look = a.coin("Plain", "USDC", 6), a.coin("Plain", "DAI", 18), a.coin("Plain", "USDC.e", 6)
		l := newLab(t, bare).start()
		grey(t, l, "contract is not on Bare yet")
		a.ready() // the owner puts it there
		l.Ready("usdc-base")
	})

	t.Run("an endpoint without the final block", func(t *testing.T) {
		deep := *base
		deep.chain.Policy = Policy{coin.UpTo(0, Finalized, 1)}
		base.lines[0].Lies(func(method string, params []json.RawMessage, r json.RawMessage) json.RawMessage {
			if method == "eth_getBlockByNumber" && string(params[0]) == `"finalized"` {
				return json.RawMessage("null")
			}
			return r
		})
		defer base.lines[0].Lies(nil)
		grey(t, newLab(t, &deep).start(), "cannot say what is final")
	})
}

// TestSecondOperator: one that lags is waited for; one that is gone, the owner hears
// of before a large sale needs it.
func TestSecondOperator(t *testing.T) {
	t.Parallel()
	base := newPlace(t, 31337, "base", strict, 2)
	l := newLab(t, base).start()
	r, p, to := sold(l, "1")
	var lagging atomic.Int32 // the second operator knows a block at the third time of asking, in every round
	base.lines[0].Through(func(method string, params []json.RawMessage, next answerer) (json.RawMessage, *rpcFault) {
		if method == "eth_blockNumber" {
			lagging.Store(2)
		}
		return next(method, params)
	})
	base.lines[1].Through(func(method string, params []json.RawMessage, next answerer) (json.RawMessage, *rpcFault) {
		if method == "eth_call" && len(params) == 2 && strings.Contains(string(params[1]), "blockHash") && lagging.Add(-1) >= 0 {
			return nil, noBlock
		}
		return next(method, params)
	})
	base.usdc.mint(to, 12_340_100)
	l.Becomes(r, p, pos.Settle)

	base.lines[1].Responds(func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusBadGateway); return true })
	l.restart()
	r = l.Ready("usdc-base")
	l.Until("the owner is told", func() bool { return cointest.Told(r, "base 2 does not answer for Test base") })
}

// TestPeekFull asks about as many addresses as one Peek takes, with everything there
// is on each: a node must not refuse the answer for its size.
func TestPeekFull(t *testing.T) {
	t.Parallel()
	base := newPlace(t, 31337, "base", small, 1)
	l := newLab(t, base).start()
	r := l.Ready("usdc-base")
	var owners []Address
	for i := range r.c.perPeek() {
		at := Address{0xaa, byte(i)}
		owners = append(owners, at)
		base.Do("anvil_setBalance", at.String(), "0x5")
		base.Do("anvil_setCode", at.String(), "0x00")
		for _, k := range []token{base.usdc, base.dai, base.look} {
			base.Submit(k.at.String(), k.call("mint(address,uint256)", addr(at), num(int64(i+1))), 0)
		}
	}
	base.usdc.mint(customer, 1) // the last block is there
	answers, err := r.c.clients.All[0].Batch(t.Context(), peekCall(r.c.asked, owners, "latest"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.c.viewOf(answers[0], len(owners))
	if err != nil || len(v.found) != len(owners)*5 {
		t.Fatalf("%d findings of %d owners, %v", len(v.found), len(owners), err)
	}
	if most := 96 + 64*peekOwners(8)*9; most > peekAnswer {
		t.Errorf("an answer may have %d bytes", most)
	}
	for tokens := 1; tokens <= maxTokensPerChain+1; tokens++ {
		n := peekOwners(tokens)
		if n < 1 || 96+64*n*(tokens+1) > peekAnswer || (maxPerRound+n-1)/n+1 > rpc.MaxBatch {
			t.Errorf("with %d tokens a Peek reads %d owners", tokens, n)
		}
	}
}

// TestPeekSurvivesTokens: a token that burns all gas, or is none, is told apart from
// an empty one and spoils nothing.
func TestPeekSurvivesTokens(t *testing.T) {
	a := startAnvil(t, 31337).ready()
	usdc, burner := a.coin("Plain", "USDC", 6), a.deploy("Burner")
	usdc.mint(customer, 7)
	tokens := []Address{{}, burner.at, usdc.at, MustAddress("0x00000000000000000000000000000000000abcde")}
	raw := a.Do("eth_call", peekCall(tokens, []Address{customer}, "latest").Params...)
	v, err := readPeek(raw, len(tokens), 1)
	if err != nil || v.balance(0, 2).Int64() != 7 || v.balance(0, 1) != nil || v.balance(0, 3) != nil || v.balance(0, 0).Sign() != 0 {
		t.Fatalf("%+v, %v", v, err)
	}
}

// TestTrace names the transaction and the sender.
func TestTrace(t *testing.T) {
	t.Parallel()
	base := newPlace(t, 31337, "base", small, 1)
	l := newLab(t, base).start()
	r, p, to := sold(l, "1")
	base.usdc.mint(MustAddress(base.From), 20_000_000)
	rec := base.works(base.usdc.at, append(append(append([]byte(nil), selectorTransfer...), addr(to)...), num(12_340_100)...), 0)
	l.Becomes(r, p, pos.Settle)
	ts, err := r.Trace(t.Context(), p)
	if err != nil || len(ts) != 1 || ts[0].From != MustAddress(base.From) || ts[0].Tx != rec.TransactionHash || ts[0].Units.Int64() != 12_340_100 {
		t.Fatalf("%+v, %v", ts, err)
	}
	if _, err := r.Trace(t.Context(), cointest.Intended(r, "SALE000000009", 1)); pos.KindOf(err) != pos.NotFound {
		t.Errorf("%v", err)
	}
}

// TestDeployCall is what the owner sends once a chain.
func TestDeployCall(t *testing.T) {
	a := startAnvil(t, 5)
	to, data := DeployCall()
	a.works(to, data, 0)
	if !a.hasCode(Factory) {
		t.Fatal(fmt.Sprintf("nothing at %s after 0x%s…", Factory, hex.EncodeToString(data[:8])))
	}
}

// TestVerifyLimited: an operator that is asked too often while a token is looked at says
// nothing about the token.
func TestVerifyLimited(t *testing.T) {
	for name, fault := range map[string]*rpcFault{"asked too often": {Code: -32005, Message: "limit exceeded"}, "no answer": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 2, "base")
				var n atomic.Int32
				w.each(func(l *line) {
					l.Through(func(method string, ps []json.RawMessage, next answerer) (json.RawMessage, *rpcFault) {
						if method == "eth_call" && len(ps) == 2 && len(ps[0]) < 150 {
							if n.Add(1) <= 3 {
								return json.RawMessage("7"), fault
							}
						}
						return next(method, ps)
					})
				})
				w.start()
				r := w.Rail("usdc-base")
				w.Until("the rail is ready", func() bool {
					if why := r.Health().Reason; strings.Contains(why, "no such token") {
						t.Fatal(why)
					}
					return r.Health().Ready
				})
				w.Stop()
			})
		})
	}
}

// TestVerifySoon: a token that is not what it should be is looked at again in a minute.
func TestVerifySoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "base")
		var good atomic.Bool // both operators look at it
		w.each(func(l *line) {
			l.Through(func(method string, ps []json.RawMessage, next answerer) (json.RawMessage, *rpcFault) {
				if !good.Load() && method == "eth_call" && len(ps) == 2 && len(ps[0]) < 150 {
					return nil, &rpcFault{Code: 3, Message: "execution reverted"}
				}
				return next(method, ps)
			})
		})
		w.start()
		r := w.Rail("usdc-base")
		w.Until("the token is grey", func() bool { return strings.Contains(r.Health().Reason, "no such token") })
		good.Store(true)
		time.Sleep(2 * time.Minute)
		if why := r.Health().Reason; why != "" {
			t.Errorf("two minutes later: %s", why)
		}
		w.Stop()
	})
}
