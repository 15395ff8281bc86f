package evm

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// TestFate follows transactions on a real chain: one that went through, one that ran out of
// gas, one that was taken back with gas left, one in no block, one about something else, and
// one that nobody sent.
func TestFate(t *testing.T) {
	t.Parallel()
	p, s := surveyed(t)
	ds := deposits(3)
	hs := []Holding{{Deposit: ds[0], Token: Token{Chain: p.chain.ID, Contract: p.usdc.at}}, {Deposit: ds[1], Token: Token{Chain: p.chain.ID, Contract: p.usdc.at}}}
	p.usdc.mint(ds[0].Address, 5)
	p.usdc.mint(ds[1].Address, 6)
	all, err := NewSweep(hs)
	if err != nil {
		t.Fatal(err)
	}
	empty, err := NewSweep([]Holding{{Deposit: ds[2], Token: hs[0].Token}})
	if err != nil {
		t.Fatal(err)
	}
	fate := func(tx string, hs []Holding) Fate {
		t.Helper()
		f, err := s.Fate(t.Context(), p.chain.Key, tx, hs)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	send := func(s Sweep, gas uint64) (tx string) {
		t.Helper()
		p.Into(&tx, "eth_sendTransaction", map[string]any{"from": p.From, "to": s.To.String(), "data": "0x" + hex.EncodeToString(s.Data), "gas": fmt.Sprintf("0x%x", gas)})
		return tx
	}
	p.Do("evm_setAutomine", false)
	low, back := send(all, 90_000), send(empty, 500_000)
	for range 2 { // in the pool, then in a block
		for tx, gas := range map[string]uint64{low: 90_000, back: 500_000} {
			f := fate(tx, hs)
			if !f.Known || f.Gas != gas || f.OK || f.Named != (tx == low) {
				t.Errorf("%+v", f)
			}
			if f.Block != [32]byte{} && (f.Used == 0 || (f.Used == f.Gas) != (tx == low)) {
				t.Errorf("it used %d of %d", f.Used, f.Gas)
			}
		}
		if f := fate(low, hs); f.Block != [32]byte{} {
			break
		}
		p.Do("anvil_mine", "0x1")
		p.Mined(low)
		p.Mined(back)
	}
	if f := fate(low, hs); f.Block == [32]byte{} {
		t.Error("a block has it, and nobody says so")
	}
	p.Do("evm_setAutomine", true)
	tx := p.works(all.To, all.Data, 0).TransactionHash
	if f := fate(tx, hs[:1]); !f.OK || !f.Named || f.Block == [32]byte{} || f.Used >= f.Gas {
		t.Errorf("it went through: %+v", f)
	}
	if f := fate(tx, nil); f.Named || !f.OK {
		t.Errorf("about nothing: %+v", f)
	}
	if f := fate("0x"+strings.Repeat("ab", 32), hs); f != (Fate{}) {
		t.Errorf("nobody sent it: %+v", f)
	}
	for _, tx := range []string{"", "0x", tx[2:], tx + "0", strings.ToUpper(tx)} {
		if _, err := s.Fate(t.Context(), p.chain.Key, tx, hs); pos.KindOf(err) != pos.Invalid {
			t.Errorf("%q: %v", tx, err)
		}
	}
	if _, err := s.Fate(t.Context(), "nowhere", tx, hs); pos.KindOf(err) != pos.NotFound {
		t.Errorf("nowhere: %v", err)
	}
}

// TestFateLies: what cannot be what was asked for is no answer.
func TestFateLies(t *testing.T) {
	t.Parallel()
	hash, other := "0x"+strings.Repeat("ab", 32), "0x"+strings.Repeat("cd", 32)
	h := Holding{Deposit: Deposit{Salt: [32]byte{7}}}
	sent := fmt.Sprintf(`{"hash":%q,"input":"0xd1d26af3%x","gas":"0x10"}`, hash, h.Salt)
	receipt := fmt.Sprintf(`{"transactionHash":%q,"status":"0x0","gasUsed":"0x10","blockHash":%q}`, hash, other)
	if f, ok := readFate(json.RawMessage(sent), json.RawMessage(receipt), hash, []Holding{h}); !ok || !f.Named || f.OK || f.Used != 16 || f.Gas != 16 {
		t.Fatalf("%+v", f)
	}
	swap := strings.NewReplacer(hash, other, other, hash)
	for _, x := range []struct{ name, sent, receipt string }{
		{"another transaction", swap.Replace(sent), receipt}, {"another's receipt", sent, swap.Replace(receipt)},
		{"a receipt alone", "null", receipt}, {"no gas", strings.Replace(sent, `"gas"`, `"fee"`, 1), receipt},
		{"no data", strings.Replace(sent, `"input"`, `"data"`, 1), receipt}, {"no status", sent, strings.Replace(receipt, `"status"`, `"root"`, 1)},
		{"status 2", sent, strings.Replace(receipt, `"0x0"`, `"0x2"`, 1)}, {"no block", sent, strings.Replace(receipt, `"blockHash"`, `"x"`, 1)},
		{"a word", `"0x"`, receipt}, {"nothing", "", ""},
	} {
		if f, ok := readFate(json.RawMessage(x.sent), json.RawMessage(x.receipt), hash, []Holding{h}); ok {
			t.Errorf("%s: %+v", x.name, f)
		}
	}
}

// FuzzFate: whatever an endpoint answers is read whole or not at all.
func FuzzFate(f *testing.F) {
	hash := "0x" + strings.Repeat("ab", 32)
	f.Add([]byte(`{"hash":"`+hash+`","input":"0x","gas":"0x10"}`), []byte(`{"transactionHash":"`+hash+`","status":"0x1","gasUsed":"0x10","blockHash":"`+hash+`"}`))
	f.Add([]byte("null"), []byte("null"))
	f.Fuzz(func(t *testing.T, sent, receipt []byte) {
		out, ok := readFate(sent, receipt, hash, nil)
		if !ok && out != (Fate{}) || out.Named || out.OK && !out.Known || out.Used > 0 && out.Block == [32]byte{} {
			t.Errorf("%s, %s: %+v, %v", sent, receipt, out, ok)
		}
	})
}
