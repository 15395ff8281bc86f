package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos/rail/evm/evmtest"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

// count lets the backoffice look anew, with what was sent final.
func (b *browser) count(a *anvil) {
	b.t.Helper()
	a.Do("anvil_mine", "0x10")
	b.post("/stablecoins/count", nil, http.StatusOK)
}

// prepare makes a transfer of all, and returns its path and page.
func (b *browser) prepare() (path, page string) {
	b.t.Helper()
	page = b.post("/stablecoins/lab/transfers", url.Values{"treasury": {treasury.String()}, "too": {"yes"}}, http.StatusOK)
	path = strings.TrimSuffix(regexp.MustCompile(`/stablecoins/transfers/\d+/drop`).FindString(page), "/drop")
	if path == "" {
		b.t.Fatalf("no transfer:\n%s", page)
	}
	return path, page
}

// file reads a transfer's file for wallets, and sends it with some gas (0: what it names).
func (b *browser) file(path string) (to, data, gas string) {
	b.t.Helper()
	var tx struct{ To, Data, Gas string }
	if err := json.Unmarshal([]byte(b.get(path+"/transaction.json", http.StatusOK)), &tx); err != nil {
		b.t.Fatal(err)
	}
	return tx.To, strings.TrimPrefix(tx.Data, "0x"), tx.Gas
}

// holds says whether a page has each of these, and none of those behind a "-".
func (b *browser) holds(what, page string, words ...string) {
	b.t.Helper()
	for _, w := range words {
		if not, ok := strings.CutPrefix(w, "-"); ok && strings.Contains(page, not) {
			b.t.Errorf("%s: the page says %q", what, not)
		} else if !ok && !strings.Contains(page, w) {
			b.t.Errorf("%s: no %q on the page", what, w)
		}
	}
	if b.t.Failed() {
		b.t.Fatalf("%s:\n%s", what, page)
	}
}

// TestSkipped sends transfers of which the contract leaves a part. Goal: the page names each
// address that stayed, the transaction that left it, why as far as the chain knows, and what
// to do; what stayed is never called moved, and what cannot be moved is in no file to sign.
func TestSkipped(t *testing.T) {
	a := startAnvil(t)
	config := configure(t, a.part(a.URL))
	command(t, "owner", "set", "--config", config, "--password-file", filepath.Join(filepath.Dir(config), "password"))
	s := openShop(t, config)
	till := tilltest.New(1, "01", "EUR", time.Now())
	seed, address := lost(1)
	for n := range uint64(6) {
		requested(till, seed, n+1)
	}
	deliver(t, till, s.enrol(till, "Counter"))
	for n := range uint64(4) {
		a.pay(address(n+1), 1_000_000<<n)
	}
	b := s.browser()
	b.post("/sign-in", url.Values{"password": {password}}, http.StatusOK)
	freeze := func(n uint64, on bool) { a.blacklist(address(n), on) }
	blacklisted := regexp.MustCompile(`(?s)<h2>Stayed where they are</h2>.*?</section>`)

	freeze(2, true) // known before anything is signed: it is left out
	b.count(a)
	path, page := b.prepare()
	b.holds("prepared", page, address(1).String(), "-"+address(2).String(), "13.00 USDC", "waits to be signed", "-Stayed where they are")
	b.holds("the list", b.get("/stablecoins", http.StatusOK), "Frozen by the token&#39;s issuer", "2.00 USDC", "ask the issuer")

	to, data, _ := b.file(path)
	freeze(3, true) // after the file was taken to the wallet
	tx := a.sign(to, data, "0x1000000")
	b.count(a)
	if got := a.has(treasury); got != 9_000_000 {
		t.Fatalf("the treasury has %d", got)
	}
	page = b.get(path, http.StatusOK)
	b.holds("left", page, "2 of 3 moved", "stayed where it is", "Give it up", "-transaction.json", "-safe.json", `-<svg class="qr"`, "-waits to be signed")
	b.holds("who and why", blacklisted.FindString(page), address(3).String(), tx, "4.00 USDC", "Frozen by the token&#39;s issuer", "Only the issuer can free", "-"+address(1).String(), "-"+address(4).String())
	b.get(path+"/transaction.json", http.StatusNotFound)

	freeze(3, false)
	b.count(a)
	page = b.get(path, http.StatusOK)
	b.holds("let go", page, "2 of 3 moved", "Can be moved now", "Sign once more", `<svg class="qr"`, "/transaction.json")
	to, data, gas := b.file(path)
	if !strings.HasPrefix(data, "90e596bf") { // sweepOne of it alone
		t.Errorf("it is signed with what was moved already: %.20s", data)
	}
	a.sign(to, data, gas)
	b.count(a)
	b.holds("moved after all", b.get(path, http.StatusOK), "</span> in your wallet", "-Stayed where they are", "-of 3 moved")
	if got := a.has(treasury); got != 13_000_000 {
		t.Fatalf("the treasury has %d", got)
	}

	freeze(2, false)
	a.pay(address(5), 16_000_000)
	b.count(a)
	path, page = b.prepare()
	b.holds("two more", page, "18.00 USDC")
	to, data, gas = b.file(path)
	tx = a.sign(to, data, "0x15f90") // 90,000: it runs out, nothing moves, and no event says so
	other := a.sign(a.usdc, "06fdde03", "0x15f90")
	a.Mined(other)
	b.count(a)
	b.holds("little gas", b.get(path, http.StatusOK), "waits to be signed", "leaves nothing to find it by", address(2).String(), address(5).String(), "/transaction.json", "-<td>in your wallet", "-failed:")
	b.post(path+"/sent", url.Values{"tx": {"no number"}}, http.StatusBadRequest)
	b.holds("another's", b.post(path+"/sent", url.Values{"tx": {other}}, http.StatusOK), "none of the payments in this transfer", "-failed:")
	b.holds("nobody's", b.post(path+"/sent", url.Values{"tx": {"0x" + strings.Repeat("ab", 32)}}, http.StatusOK), "Lab does not know this transaction", "-failed:")
	b.holds("named", b.post(path+"/sent", url.Values{"tx": {"https://explorer.example/tx/" + tx}}, http.StatusOK),
		"failed: sign again with more gas", "used up all its gas (90,000)", "no less than 270,000", tx, "-waits to be signed</span>", "/transaction.json")
	b.count(a)
	b.holds("the list", b.get("/stablecoins", http.StatusOK), "failed: sign again with more gas")
	a.sign(to, data, gas)
	b.count(a)
	b.holds("enough", b.get(path, http.StatusOK), "</span> in your wallet", "-Stayed where they are", "-failed:")

	a.pay(address(6), 32_000_000)
	a.tells("pause(bool)", evmtest.Num(1))
	b.count(a)
	b.post("/stablecoins/lab/transfers", url.Values{"treasury": {treasury.String()}, "too": {"yes"}}, http.StatusConflict)
	b.holds("paused", b.get("/stablecoins", http.StatusOK), "Token stopped by its issuer", "32.00 USDC", "-Prepare transfer")
	a.tells("pause(bool)", evmtest.Num(0))
	a.blacklist(treasury, true)
	b.count(a)
	b.holds("a frozen wallet", b.get("/stablecoins", http.StatusOK), "Your wallet is frozen")
	a.blacklist(treasury, false)
	b.count(a)
	b.holds("free again", b.get("/stablecoins", http.StatusOK), "-frozen", "Prepare transfer")
}

// TestSkippedAgree lets one of two operators hide what a transaction left, and then lie that
// another one did. Goal: of a payment that a till would want two operators for, the page says
// that it cannot verify; of a small one it believes the one; and of a transaction that the
// owner names, the same.
func TestSkippedAgree(t *testing.T) {
	a := startAnvil(t)
	honest, liar := a.operator(), a.operator()
	config := configure(t, a.part(honest.url, liar.url))
	command(t, "owner", "set", "--config", config, "--password-file", filepath.Join(filepath.Dir(config), "password"))
	s := openShop(t, config)
	till := tilltest.New(1, "01", "EUR", time.Now())
	seed, address := lost(1)
	for n := range uint64(3) {
		requested(till, seed, n+1)
	}
	deliver(t, till, s.enrol(till, "Counter"))
	a.pay(address(1), 4_000_000)
	a.pay(address(2), 5_000_000_000)
	b := s.browser()
	b.post("/sign-in", url.Values{"password": {password}}, http.StatusOK)
	b.count(a)
	path, _ := b.prepare()
	to, data, _ := b.file(path)
	for n := range uint64(2) {
		a.blacklist(address(n+1), true)
	}
	tx := a.sign(to, data, "0x1000000")
	for n := range uint64(2) {
		a.blacklist(address(n+1), false)
	}
	a.Mined(tx)
	liar.lie.Store(func(method string, result any) any {
		if method == "eth_getLogs" {
			return []any{}
		}
		return result
	})
	b.count(a)
	stayed := func(page string) string {
		return regexp.MustCompile(`(?s)<h2>Stayed where they are</h2>.*?</section>`).FindString(page)
	}
	page := b.get(path, http.StatusOK)
	b.holds("hidden by one", page, "cannot verify yet", "only Operator 1 says so")
	b.holds("the small one", stayed(page), address(1).String(), tx, "-"+address(2).String())
	liar.lie.Store(func(method string, result any) any { // he has the transaction, and lies about what became of it
		if r, ok := result.(map[string]any); ok && method == "eth_getTransactionReceipt" {
			r["status"] = "0x0"
		}
		return result
	})
	b.holds("a lie about a transaction", b.post(path+"/sent", url.Values{"tx": {tx}}, http.StatusOK), "operators do not agree", "-failed:")
	liar.lie.Store(func(_ string, result any) any { return result })
	b.holds("the truth about it", b.post(path+"/sent", url.Values{"tx": {tx}}, http.StatusOK), "It went through", "-failed:", "-operators do not agree", "cannot verify yet")
	b.count(a)
	page = b.get(path, http.StatusOK)
	b.holds("he says what he hid", page, "-cannot verify yet", "-only Operator")
	b.holds("both", stayed(page), address(1).String(), address(2).String())
}
