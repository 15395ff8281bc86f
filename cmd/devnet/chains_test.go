package main

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// chainsUp runs both chains of a directory until the returned function is called.
func chainsUp(t *testing.T, dir string) (*Chains, func()) {
	t.Helper()
	for _, d := range []string{"run", "log"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c := NewChains(dir, "../..", func(s string) { t.Log(s) })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stop := func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		done <- nil
	}
	t.Cleanup(stop)
	for !c.progress.readyOrTrouble(t) {
	}
	return c, stop
}

// readyOrTrouble waits for the next news; it reports that all is up.
func (p *Progress) readyOrTrouble(t *testing.T) bool {
	t.Helper()
	s, changed := p.Now()
	if s.Trouble != "" {
		t.Fatalf("no chains: %s; run make tools", s.Trouble)
	}
	if !s.Ready {
		<-changed
	}
	return s.Ready
}

// has returns what an address has of a coin, by its chain's own word.
func has(t *testing.T, c *Chains, chain, symbol string, at evmAddress) string {
	t.Helper()
	k := c.chain(chain)
	coin, _ := k.find(symbol)
	n, err := k.balance(t.Context(), coin, at)
	if err != nil {
		t.Fatal(err)
	}
	return coin.amountText(n)
}

// TestCoins pays a sale in every way that people and wallets do, on real chains.
//
// Goal: each way leaves where it says what it says, and nothing elsewhere; blocks can be
// undone, stopped and let come; the chains remember all of it over a restart.
func TestCoins(t *testing.T) {
	dir := t.TempDir()
	c, stop := chainsUp(t, dir)
	w := &CoinWallet{chains: c}
	one := places[0]
	usdc, _ := one.find("USDC")
	shop := evmAddress{0x5a, 0xfe}
	link := func() (string, evmAddress) {
		shop[19]++
		return "ethereum:" + usdc.at().String() + "@424201/transfer?address=" + shop.String() + "&uint256=3152200", shop
	}
	for _, ways := range []struct {
		as, usdcOne, usdtOne, usdcTwo, amount string
	}{
		{"", "3.1522", "0.00", "0.00", "3.1522 USDC on Devnet One"},
		{"less", "3.120677", "0.00", "0.00", "3.120677 USDC on Devnet One"},
		{"fee", "2.8522", "0.00", "0.00", "2.8522 USDC on Devnet One"},
		{"twice", "6.3044", "0.00", "0.00", "3.1522 USDC on Devnet One, and 3.1522 USDC on Devnet One"},
		{"network", "0.00", "0.00", "3.1522", "3.1522 USDC on Devnet Two"},
		{"token", "0.00", "3.1522", "0.00", "3.1522 USDT on Devnet One"},
		{"contract", "0.00", "0.00", "0.00", "3.1522 USDC on Devnet One"},
		{"late", "3.1522", "0.00", "0.00", "3.1522 USDC on Devnet One"},
	} {
		text, at := link()
		out, err := w.Pay(t.Context(), text, ways.as, Choice{})
		if err != nil || !out.OK || out.Said != "Sent" || out.Amount != ways.amount {
			t.Fatalf("%q: %+v, %v", ways.as, out, err)
		}
		got := [3]string{has(t, c, "devnetone", "USDC", at), has(t, c, "devnetone", "USDT", at), has(t, c, "devnettwo", "USDC", at)}
		if got != [3]string{ways.usdcOne, ways.usdtOne, ways.usdcTwo} {
			t.Errorf("%q leaves %v", ways.as, got)
		}
	}
	if got := has(t, c, "devnetone", "USDC", usdc.at()); got != "3.1522" {
		t.Errorf("the token itself has %s", got)
	}
	_, at := link()
	if out, err := w.Pay(t.Context(), at.String(), "", Choice{"devnettwo", "USDC", "1.000000000000000001"}); err != nil || !out.OK {
		t.Errorf("an address alone: %+v, %v", out, err)
	}
	if got := has(t, c, "devnettwo", "USDC", at); got != "1.000000000000000001" {
		t.Errorf("it leaves %s", got)
	}
	if out, err := w.Pay(t.Context(), at.String(), "", Choice{"devnetone", "EURC", "10000.01"}); err != nil || out.OK || !strings.Contains(out.Reason, "refused the transfer") {
		t.Errorf("more than there is: %+v, %v", out, err)
	}
	if list := w.Activity(); len(list) != 11 || list[0].OK || list[1].Amount != "1.000000000000000001 USDC" {
		t.Errorf("the list has %d entries: %+v", len(list), list)
	}
	undone(t, c, w, link)
	still(t, c, w, link)

	before := has(t, c, "devnetone", "USDC", customerAccount)
	stop()
	if c, _ = chainsUp(t, dir); has(t, c, "devnetone", "USDC", customerAccount) != before {
		t.Errorf("after a restart the customer has %s, want %s", has(t, c, "devnetone", "USDC", customerAccount), before)
	}
}

// undone: a payment that a reorg takes back is gone, and the block's number stays.
func undone(t *testing.T, c *Chains, w *CoinWallet, link func() (string, evmAddress)) {
	t.Helper()
	text, at := link()
	if out, err := w.Pay(t.Context(), text, "", Choice{}); err != nil || !out.OK {
		t.Fatalf("%+v, %v", out, err)
	}
	if err := c.chain("devnetone").undo(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if got := has(t, c, "devnetone", "USDC", at); got != "0.00" {
		t.Errorf("after the undoing there are %s", got)
	}
	for _, depth := range []int{-1, 0, reorgMax + 1} {
		if err := c.chain("devnetone").undo(t.Context(), depth); err == nil {
			t.Errorf("%d blocks are undone", depth)
		}
	}
}

// still: without blocks a payment waits, and comes when they come.
func still(t *testing.T, c *Chains, w *CoinWallet, link func() (string, evmAddress)) {
	t.Helper()
	k := c.chain("devnetone")
	if err := k.mine(t.Context(), false); err != nil || !k.still.Load() {
		t.Fatal(err)
	}
	text, at := link()
	out, err := w.Pay(t.Context(), text, "", Choice{})
	if err != nil || !out.OK || !strings.Contains(out.Said, "in no block yet") {
		t.Errorf("%+v, %v", out, err)
	}
	if got := has(t, c, "devnetone", "USDC", at); got != "0.00" {
		t.Errorf("without a block there are %s", got)
	}
	if err := k.mine(t.Context(), true); err != nil || k.still.Load() {
		t.Fatal(err)
	}
	err = await(t.Context(), "the block", func(context.Context) error {
		if has(t, c, "devnetone", "USDC", at) != "3.1522" {
			return errors.New("not yet")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	operators(t, c, at)
}

// operators: through an operator the chain says what its mode lets it say.
func operators(t *testing.T, c *Chains, at evmAddress) {
	t.Helper()
	srv := httptest.NewServer(c.handler())
	defer srv.Close()
	usdc, _ := places[0].find("USDC")
	o := c.operator("devnetone", "B")
	for mode, want := range map[operatorMode]int64{opHonest: 3_152_200, opDenies: 0, opDoubles: 6_304_400, opCut: -1} {
		if !o.Set(mode) {
			t.Fatal(mode)
		}
		var out hexBytes
		err := evmClient{srv.URL + o.path()}.call(t.Context(), &out, "eth_call", map[string]any{"to": usdc.at().String(), "data": hexBytes(balanceCall(at))}, "latest")
		if got := new(big.Int).SetBytes(out).Int64(); (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%s says %d, %v", mode, got, err)
		}
	}
	if o.Set("drunk") || c.operator("devnettwo", "B") != nil || c.operator("devnetone", "A").Mode() != opHonest {
		t.Error("a mode or an operator that there is not; or one's mode is another's")
	}
}

// Goal: without npm, without a network, on a machine that anvil is not made for, the
// shop says why there are no stablecoins, and goes on.
func TestNoChains(t *testing.T) {
	b, _ := builder(t, "fail")
	c := newCafe(t)
	t.Setenv("PATH", filepath.Dir(b.Bin))
	c.more = []string{"--tree", t.TempDir()}
	said, stop := c.open(t)
	said.await(t, "Stablecoins are not available; the shop goes on")
	said.await(t, "The shop is open")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"devnetone-a", "devnetone-b", "devnettwo-a"} {
		if url := linesOf(t, filepath.Join(c.dir, "cafe", p+".url")); len(url) != 1 || !strings.HasSuffix(url[0], strings.Replace(p, "-", "/", 1)) {
			t.Errorf("%s names %q", p, url)
		}
	}
}

// Goal: a state that a power cut tore is set aside, and one that is whole is not.
func TestTornState(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		kept bool
	}{
		"whole": {`{"block":{"number":"0x2"},"accounts":{}}` + "\n", true}, "torn": {`{"block":{"number":"0x2"},"acc`, false}, "empty": {"", false}, "two": {"{}{}", false},
	} {
		t.Run(name, func(t *testing.T) {
			chain, err := newEVMChain(places[0], "anvil", t.TempDir(), func(string) {})
			if err == nil {
				err = os.WriteFile(chain.state, []byte(c.text), 0o600)
			}
			if err == nil {
				err = chain.sound()
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(chain.state); (err == nil) != c.kept {
				t.Errorf("the state is there: %v, want %v", err == nil, c.kept)
			}
		})
	}
}

// TestLie holds the liar to balances: all else stays as the chain says, to the byte.
func TestLie(t *testing.T) {
	w := func(n int64) string { return hexText(word(big.NewInt(n))) }
	peek := "0x" + w(424201) + w(7) + w(99) + tag(1, 1, 0) + w(5) + tag(2, 2, 0) + w(0) + tag(3, 0, 0) + w(65)
	balance := `{"id":1,"jsonrpc":"2.0","method":"eth_call","params":[{"to":"0xaa","data":"0x70a08231` + w(1) + `"},"latest"]}`
	code := `{"id":"p","jsonrpc":"2.0","method":"eth_call","params":[{"data":"0x6080"},{"blockHash":"0x1"}]}`
	symbol := `{"id":3,"jsonrpc":"2.0","method":"eth_call","params":[{"to":"0xaa","data":"0x95d89b41"},"latest"]}`
	for name, c := range map[string]struct {
		mode                   operatorMode
		question, answer, want string
	}{
		"denies a balance":  {opDenies, balance, `{"id":1,"jsonrpc":"2.0","result":"0x` + w(9) + `"}`, `{"id":1,"result":"0x` + w(0) + `","jsonrpc":"2.0"}`},
		"doubles a balance": {opDoubles, balance, `{"id":1,"jsonrpc":"2.0","result":"0x` + w(9) + `"}`, `{"id":1,"result":"0x` + w(18) + `","jsonrpc":"2.0"}`},
		"denies in a list, in any order": {opDenies, "[" + balance + "," + code + "]",
			`[{"id":"p","jsonrpc":"2.0","result":"` + peek + `"},{"id":1,"jsonrpc":"2.0","result":"0x` + w(9) + `"}]`,
			`[{"id":"p","result":"0x` + w(424201) + w(7) + w(99) + tag(2, 2, 0) + w(0) + tag(3, 0, 0) + w(65) + `","jsonrpc":"2.0"},{"id":1,"result":"0x` + w(0) + `","jsonrpc":"2.0"}]`},
		"doubles in a list": {opDoubles, "[" + code + "]", `[{"id":"p","jsonrpc":"2.0","result":"` + peek + `"}]`,
			`[{"id":"p","result":"0x` + w(424201) + w(7) + w(99) + tag(1, 1, 0) + w(10) + tag(2, 2, 0) + w(0) + tag(3, 0, 0) + w(65) + `","jsonrpc":"2.0"}]`},
		"a symbol stays":  {opDenies, symbol, `{"id":3,"jsonrpc":"2.0","result":"0x` + w(9) + `"}`, `{"id":3,"result":"0x` + w(9) + `","jsonrpc":"2.0"}`},
		"an error stays":  {opDenies, balance, `{"id":1,"jsonrpc":"2.0","error":{"code":3}}`, `{"id":1,"error":{"code":3},"jsonrpc":"2.0"}`},
		"no JSON at all":  {opDenies, balance, `<html>`, `<html>`},
		"nothing asked":   {opDenies, ``, `{"id":1}`, `{"id":1}`},
		"an empty answer": {opDenies, "[" + balance + "]", `[]`, `[]`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(lie(c.mode, []byte(c.question), []byte(c.answer))); got != c.want {
				t.Errorf("got\n%s, want\n%s", got, c.want)
			}
		})
	}
}

func hexText(b []byte) string {
	out, _ := json.Marshal(hexBytes(b)) // bytes always can be
	return string(out[3 : len(out)-1])
}

// tag is how Peek names what it found.
func tag(kind, token, owner int64) string {
	n := new(big.Int).Lsh(big.NewInt(kind), 64)
	return hexText(word(n.Or(n, new(big.Int).Lsh(big.NewInt(token), 32)).Or(n, big.NewInt(owner))))
}
