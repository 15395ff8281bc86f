package evm

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// nasty is a chain with tokens that do not do what a shop expects, and money in each.
type nasty struct {
	*site
	s       *Surveyor
	ds      []Deposit
	hs      []Holding // by the names below
	names   []string
	tether  token
	treason Address // a treasury that the issuer froze
}

func newNasty(t *testing.T) *nasty {
	t.Helper()
	p, s := surveyed(t)
	n := &nasty{site: p, s: s, ds: deposits(9), tether: p.deploy("Silent"), treason: Address{0xbb}}
	liar, fee := p.deploy("Liar"), p.deploy("Fee")
	stopped := p.coin("Freezing", "STOP", 6)
	put := func(name string, d Deposit, k token, units int64) {
		if units > 0 {
			k.mint(d.Address, units)
		}
		n.names = append(n.names, name)
		n.hs = append(n.hs, Holding{Deposit: d, Token: Token{Chain: p.chain.ID, Contract: k.at}, Newest: big.NewInt(units)})
	}
	put("plain", n.ds[0], p.dai, 5)
	put("frozen", n.ds[1], p.usdc, 6)
	put("good beside it", n.ds[2], p.usdc, 7)
	put("Tether's", n.ds[3], n.tether, 8)
	put("liar", n.ds[4], liar, 9)
	put("fee", n.ds[5], fee, 100)
	put("nothing there", n.ds[6], p.usdc, 0)
	put("stopped", n.ds[7], stopped, 11)
	put("no token", n.ds[8], token{p.anvil, Address{0xdd}, ""}, 0)
	p.usdc.do("blacklist(address,bool)", addr(n.ds[1].Address), onOff(true))
	stopped.do("pause(bool)", onOff(true))
	return n
}

// says tries all, and returns "name: verdict" of those that cannot be moved.
func (n *nasty) says(t *testing.T, hs []Holding) string {
	t.Helper()
	vs, err := n.s.Try(t.Context(), n.chain.Key, hs)
	if err != nil || len(vs) != len(hs) {
		t.Fatalf("%d verdicts of %d, %v", len(vs), len(hs), err)
	}
	var out []string
	for i, v := range vs {
		if v != Free {
			out = append(out, n.names[i]+": "+string(v))
		}
	}
	return strings.Join(out, ", ")
}

// TestTry: what the chain says before a transaction is what the transaction does, and why.
func TestTry(t *testing.T) {
	t.Parallel()
	n := newNasty(t)
	const want = "frozen: frozen, liar: refused, nothing there: empty, stopped: paused, no token: empty"
	if got := n.says(t, n.hs); got != want {
		t.Fatalf("before: %q\nwant %q", got, want)
	}
	sweep, err := NewSweep(n.hs)
	if err != nil {
		t.Fatal(err)
	}
	var number string
	n.Into(&number, "eth_blockNumber")
	before, _ := quantity(number)
	tx := n.works(sweep.To, sweep.Data, 0)
	skips, upTo, err := n.s.Skipped(t.Context(), n.chain.Key, n.hs, before+1)
	if err != nil || upTo <= before {
		t.Fatalf("%v up to %d, %v", skips, upTo, err)
	}
	var told []string
	for _, s := range skips {
		i := slices.IndexFunc(n.hs, func(h Holding) bool { return h.Address == s.Address && h.Token.Contract == s.Token })
		told = append(told, n.names[i])
		if s.Tx != tx.TransactionHash {
			t.Errorf("%s: transaction %s, want %s", n.names[i], s.Tx, tx.TransactionHash)
		}
	}
	if got := strings.Join(told, ", "); got != "frozen, liar, nothing there, stopped, no token" {
		t.Errorf("skipped %q", got)
	}
	if some, _, err := n.s.Skipped(t.Context(), n.chain.Key, n.hs, upTo+1); err != nil || len(some) != 0 {
		t.Errorf("again, from where it was: %v, %v", some, err)
	}
	if some, _, err := n.s.Skipped(t.Context(), n.chain.Key, n.hs[:1], 1); err != nil || len(some) != 0 {
		t.Errorf("of another address: %v, %v", some, err)
	}
	if got := n.tether.balance(merchant); got != 8 {
		t.Errorf("the treasury has %d of Tether's", got)
	}
	// what moved is empty now, and the rest as it was
	if got := n.says(t, n.hs); !strings.Contains(got, "plain: empty") || !strings.Contains(got, "frozen: frozen") {
		t.Errorf("after: %q", got)
	}
	n.usdc.do("blacklist(address,bool)", addr(n.ds[1].Address), onOff(false))
	if got := n.says(t, n.hs[1:2]); got != "" {
		t.Errorf("thawed: %q", got)
	}
	n.usdc.do("blacklist(address,bool)", addr(merchant), onOff(true))
	if got := n.says(t, n.hs[:2]); got != "plain: empty, frozen: treasury" {
		t.Errorf("a frozen treasury: %q", got)
	}
	r := n.survey(t, n.s, n.ds)
	if !slices.Contains(r.Made, n.ds[0].Address) || slices.Contains(r.Made, n.ds[1].Address) || len(r.Made) != 4 {
		t.Errorf("something was moved from %v", r.Made)
	}
}

// TestTryMany: more than one request's worth, in order; one verdict each.
func TestTryMany(t *testing.T) {
	t.Parallel()
	p, s := surveyed(t)
	var hs []Holding
	for i, d := range deposits(2*maxAttempts + 5) {
		if i%7 != 0 {
			p.works(d.Address, nil, 1)
		}
		if i%2 == 0 {
			p.usdc.mint(d.Address, 1)
		}
		hs = append(hs, Holding{Deposit: d, Token: Token{Chain: p.chain.ID, Contract: p.usdc.at}})
	}
	vs, err := s.Try(t.Context(), p.chain.Key, hs)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range vs {
		if want := map[bool]Verdict{true: Free, false: Empty}[i%2 == 0]; v != want {
			t.Errorf("holding %d: %s, want %s", i, v, want)
		}
	}
	if vs, err := s.Try(t.Context(), p.chain.Key, nil); err != nil || len(vs) != 0 {
		t.Errorf("nothing to try: %v, %v", vs, err)
	}
}

// TestTryLies: an endpoint that says what cannot be says nothing that is believed.
func TestTryLies(t *testing.T) {
	t.Parallel()
	n := newNasty(t)
	l := n.lines[0]
	for name, lie := range map[string]func(method string, result json.RawMessage) json.RawMessage{
		"another chain": func(method string, result json.RawMessage) json.RawMessage {
			if method == "eth_chainId" {
				return json.RawMessage(`"0x1"`)
			}
			return result
		},
		"half an answer": func(method string, result json.RawMessage) json.RawMessage {
			if method == "eth_call" || method == "eth_getLogs" {
				return result[:len(result)/2]
			}
			return result
		},
		"a flag of two": func(method string, result json.RawMessage) json.RawMessage {
			if method == "eth_call" {
				return json.RawMessage(`"0x` + fmt.Sprintf("%064x", 2) + string(result[67:]))
			}
			if method == "eth_getLogs" {
				return json.RawMessage(`{}`)
			}
			return result
		},
	} {
		l.Lies(func(method string, _ []json.RawMessage, result json.RawMessage) json.RawMessage {
			if method == "eth_call" && name == "half an answer" {
				return json.RawMessage(`"` + string(result[1:len(result)/2/2*2+1]) + `"`)
			}
			return lie(method, result)
		})
		if vs, err := n.s.Try(t.Context(), n.chain.Key, n.hs); pos.KindOf(err) != pos.Unavailable || vs != nil {
			t.Errorf("%s: %v, %v", name, vs, err)
		}
		if skips, _, err := n.s.Skipped(t.Context(), n.chain.Key, n.hs, 1); pos.KindOf(err) != pos.Unavailable || skips != nil {
			t.Errorf("%s: %v, %v", name, skips, err)
		}
	}
	l.Lies(nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.s.Try(ctx, n.chain.Key, n.hs); err == nil {
		t.Error("no time, and an answer")
	}
	if _, err := n.s.Try(t.Context(), "nowhere", n.hs); pos.KindOf(err) != pos.NotFound {
		t.Errorf("nowhere: %v", err)
	}
}

// TestSkippedStingy: an operator that gives ten blocks' events at once is asked for fewer,
// and the look goes on where the last one ended until it has them all.
func TestSkippedStingy(t *testing.T) {
	t.Parallel()
	n := newNasty(t)
	sweep, err := NewSweep(n.hs[:2])
	if err != nil {
		t.Fatal(err)
	}
	n.Do("anvil_mine", "0x190")
	n.works(sweep.To, sweep.Data, 0)
	n.Do("anvil_mine", "0x190")
	n.lines[0].Through(func(method string, params []json.RawMessage, next answerer) (json.RawMessage, *rpcFault) {
		if method == "eth_getLogs" {
			var f struct{ FromBlock, ToBlock string }
			if err := json.Unmarshal(params[0], &f); err != nil {
				return nil, &rpcFault{Code: -32602, Message: err.Error()}
			}
			from, err1 := strconv.ParseUint(f.FromBlock[2:], 16, 64)
			to, err2 := strconv.ParseUint(f.ToBlock[2:], 16, 64)
			if err1 != nil || err2 != nil || to-from >= 10 {
				return nil, &rpcFault{Code: -32600, Message: "at most 10 blocks"}
			}
		}
		return next(method, params)
	})
	at, looks, found := uint64(1), 0, 0
	for ; looks < 20; looks++ {
		skips, upTo, err := n.s.Skipped(t.Context(), n.chain.Key, n.hs, at)
		if err != nil {
			t.Fatal(err)
		}
		if found += len(skips); upTo < at { // nothing new
			break
		}
		at = upTo + 1
	}
	if found != 1 || looks < 2 || at < 800 {
		t.Errorf("%d skips after %d looks, up to block %d", found, looks, at)
	}
	n.lines[0].Through(func(method string, params []json.RawMessage, next answerer) (json.RawMessage, *rpcFault) {
		if method == "eth_getLogs" {
			return nil, &rpcFault{Code: -32601, Message: "not on this plan"}
		}
		return next(method, params)
	})
	if _, _, err := n.s.Skipped(t.Context(), n.chain.Key, n.hs, 1); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("no events at all: %v", err)
	}
}

// FuzzAttempts: what an endpoint answers to attempts is read whole or not at all.
func FuzzAttempts(f *testing.F) {
	f.Add([]byte(`"0x` + strings.Repeat("0", 127) + `1"`))
	f.Add([]byte(`"0x"`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, err := readAttempts(raw, 1)
		if (err == nil) != (len(out) == 1) {
			t.Errorf("%q: %v, %v", raw, out, err)
		}
	})
}
