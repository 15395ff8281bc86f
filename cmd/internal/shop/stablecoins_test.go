package shop

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// scan reads the code on the customer's display as a phone's camera does: from the
// picture, by a reader that is not ours.
func (c *counter) scan() string {
	c.t.Helper()
	at := eval[string](c.customer, "document.querySelector('img').src")
	resp, err := http.Get(at)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	png, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		c.t.Fatal(err)
	}
	cmd := exec.Command("zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", "-")
	cmd.Stdin = bytes.NewReader(png)
	out, err := cmd.Output()
	if _, there := err.(*exec.ExitError); err != nil && !there {
		c.t.Fatalf("needs zbarimg: %v", err)
	}
	return strings.TrimSpace(string(out)) // nothing: the picture is of another moment
}

// asks rings up item, which costs price, to be paid with a token on a network, and returns what the
// display's picture says.
func (c *counter) asks(item, price, token, tender string) string {
	c.t.Helper()
	c.cashier.tap("till-items button.tile", item)
	c.cashier.see(seeIn, "till-foot .money", price)
	c.cashier.tap(".pay", "")
	c.cashier.tap(fmt.Sprintf(`[data-key="token %s"]`, token), token)
	if tender != "" { // one network is not asked for
		c.cashier.see(seeIn, "till-pay .lead", token)
		c.cashier.shot("network")
		c.cashier.tap(fmt.Sprintf(`[data-key="tender %s"]`, tender), "")
	}
	c.cashier.see(seeIn, "till-wait .of", token)
	return c.shows("ethereum:")
}

// shows waits until the display's picture holds the code that the till means, and
// returns it.
func (c *counter) shows(head string) (text string) {
	c.t.Helper()
	if !repeat(seeIn, func() bool {
		text = c.scan()
		return strings.HasPrefix(text, head) && text == newest[string](c.cashier, "v.customer.qr ?? ''")
	}) {
		c.customer.shot("stuck")
		c.t.Fatalf("the picture says %q", text)
	}
	return text
}

// sends lets the customer's phone deal with what it scanned in some way; "" pays it.
func (c *counter) sends(text, as string) {
	c.t.Helper()
	c.phone.js(fmt.Sprintf("(p => { p.value = %q; p.dispatchEvent(new Event('input')) })(document.querySelector('#paste'))", text))
	c.phone.see(seeIn, "#coin-title", "ON THE SHOP’S DISPLAY NOW")
	c.phone.see(seeIn, "#coin-to", addressIn(text)) // and not that of the sale before
	if as == "" {
		c.phone.shot("coin-wallet")
		c.phone.tap("#coin-send", "Send")
	} else {
		c.phone.js("document.querySelector('#coin-mischief').open = true")
		c.phone.tap(fmt.Sprintf("#coin-mischief [data-as=%s]", as), "")
	}
	c.phone.see(seeIn, "#result-title", "Sent")
	c.phone.tap("#result-close", "")
}

// addressIn returns whom a request is for.
func addressIn(text string) string {
	_, at, _ := strings.Cut(text, "address=")
	at, _, _ = strings.Cut(at, "&")
	return at
}

// typesIn lets the phone read the address of a request and nothing else, and the customer
// type the rest, as in wallets that know no links.
func (c *counter) typesIn(text, token, amount string) {
	c.t.Helper()
	at := addressIn(text)
	c.phone.js(fmt.Sprintf("(p => { p.value = %q; p.dispatchEvent(new Event('input')) })(document.querySelector('#paste'))", at))
	c.phone.see(seeIn, "#coin-what", "An address, and nothing else")
	c.phone.see(seeIn, "#coin-to", at)
	c.phone.wait(seeIn, "document.querySelector('#coin-token option')")
	c.phone.js(fmt.Sprintf("document.querySelector('#coin-token').value = %q", token))
	c.phone.js(fmt.Sprintf("document.querySelector('#coin-sum').value = %q", amount))
	c.phone.shot("coin-typed")
	c.phone.tap("#coin-send", "Send")
	c.phone.see(seeIn, "#result-title", "Sent")
	c.phone.tap("#result-close", "")
}

// receipt returns all of the last sale's receipt, as text.
func (c *counter) receipt() string {
	c.t.Helper()
	return newest[string](c.cashier, `fetch("/v1/sales/" + v.counter.last_done.id + "/receipt").then(r => r.text())`)
}

// TestStablecoins takes dollars of two networks.
//
// Goal: the customer's wallet pays what an outside reader sees in the display's picture,
// PAID within seconds, the receipt names token, network and rate. One who pays too
// little pays the rest to the same address; one who pays on the wrong network is found and named,
// and a manager decides. The owner's report has each sale once.
func TestStablecoins(t *testing.T) {
	tree, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	s, b := open(t, "--tree", tree), browser(t)
	c := &counter{shop: s, t: t, browser: b, password: s.secret("owner-password")}
	c.cashier = tab(t, b, "http://"+s.till+"/", 800, 480)
	c.cashier.signIn(s.secret("till-pin"))
	c.phone = tab(t, b, "http://"+s.wallet+"/", 390, 844)
	c.phone.wait(openIn, "!document.querySelector('#coins').hidden")
	c.customer = tab(t, b, "http://"+s.till+"/display", 800, 480)
	for _, tender := range []string{"usdc-devnetone", "usdc-devnettwo", "eurc-devnetone", "usdt-devnetone"} {
		c.cashier.view(openIn, fmt.Sprintf("v.counter.tenders.find(t => t.tender === %q)?.ready", tender))
	}

	text := c.asks("Espresso", "2.90", "USDC", "usdc-devnetone")
	if !strings.Contains(text, "@424201/transfer?address=0x") || !strings.HasSuffix(text, "&uint256=3152200") { // 2.90 at 0.92
		t.Errorf("the display asks for %s", text)
	}
	c.cashier.shot("coin-waiting")
	c.settle()
	c.customer.shot("coin-due")
	c.sends(text, "")
	c.cashier.see(seeIn, "till-done", "PAID")
	c.customer.wait(seeIn, "document.querySelector('img').alt.includes('PAID')")
	receipt := c.receipt()
	for _, want := range []string{"USDC", "Devnet One", "3.1522", "0.92"} {
		if !strings.Contains(receipt, want) {
			t.Errorf("the receipt has no %s: %s", want, receipt)
		}
	}
	c.cashier.tap(`till-done [data-key="next"]`, "")

	// Too little, from an exchange that takes its fee off: the till says what is missing,
	// and it comes to the same address.
	first := c.asks("Cappuccino", "4.20", "EURC", "")
	c.sends(first, "fee")
	c.cashier.see(seeIn, "till-wait .of", "0.3000 EURC")
	c.cashier.shot("coin-rest")
	c.typesIn(first, "EURC", "0.30")
	c.cashier.see(seeIn, "till-done", "PAID")
	c.cashier.tap(`till-done [data-key="next"]`, "")

	// On the wrong network: named, and a manager goes on with cash.
	c.sends(c.asks("Espresso", "2.90", "USDC", "usdc-devnettwo"), "network")
	c.cashier.see(seeIn, "body", "Devnet One instead of USDC on Devnet Two")
	c.cashier.shot("coin-astray")
	c.cashier.tap(`[data-key="despite"]`, "")
	c.cashier.tap(`[data-key="despite"].sure`, "")
	c.cashier.tap(`[data-key="exact"]`, "")
	c.cashier.see(seeIn, "till-done", "2.90")

	// A network's only operator gives no answer: its tokens go grey, those of the other do
	// not; it is back, and so are they.
	const lever = `#chain-devnettwo [data-operator="A"] [data-mode=%s]`
	c.phone.tap(fmt.Sprintf(lever, "cut"), "Cut off")
	c.phone.wait(seeIn, `document.querySelector('`+fmt.Sprintf(lever, "cut")+`').ariaPressed === "true"`)
	c.cashier.view(openIn, `v.counter.tenders.every(t => !t.token || t.ready === (t.chain === "Devnet One"))`)
	c.phone.tap(fmt.Sprintf(lever, "honest"), "Honest")
	c.cashier.view(openIn, `v.counter.tenders.every(t => !t.token || t.ready)`)

	owner := tab(t, b, "http://"+s.office+"/", 1280, 900)
	owner.ownerIn(c.password)
	owner.seeSoon("01-000003")
	owner.shot("coin-report")
	body := eval[string](owner, "document.body.innerText")
	for _, number := range []string{"01-000001", "01-000002", "01-000003"} {
		if n := strings.Count(body, number); n != 1 {
			t.Errorf("sale %s is %d times in the report", number, n)
		}
	}
	if strings.Contains(body, "gave no answer") {
		t.Errorf("the report says of money on another network that nobody answered:\n%s", body)
	}
	for _, want := range []string{"10.00", "USDC", "EURC", "Paid on another network", "not decided yet"} { // 2.90 + 4.20 + 2.90
		if !strings.Contains(body, want) {
			t.Errorf("the report has no %s:\n%s", want, body)
		}
	}
	c.bringHome(owner)
}

// bringHome lets the owner count what lies at the sales' addresses, tick that it shall
// move although the till still watches it, prepare a transfer, and sign it in a wallet. What was paid on the wrong network comes home with the rest.
func (c *counter) bringHome(owner *page) {
	c.t.Helper()
	count := func() string {
		owner.follow(`nav a[href="/stablecoins"]`)
		owner.follow(`form[action="/stablecoins/count"] button`)
		return eval[string](owner, "document.body.innerText")
	}
	if !repeat(openIn, func() bool { return strings.Contains(count(), "6.3044 USDC") }) { // 3.1522 here and 3.1522 astray
		c.t.Fatalf("the owner's page does not count the money:\n%s", count())
	}
	// The sales are minutes old: their till may still look for money there.
	owner.see(seeIn, "dt", "Its till still watches it")
	owner.shot("coin-home")
	owner.tap(`form[action="/stablecoins/devnetone/transfers"] input[name="too"]`, "")
	owner.wait(seeIn, `document.querySelector('form[action="/stablecoins/devnetone/transfers"] input[name="too"]').checked`)
	owner.shot("coin-home-too")
	owner.follow(`form[action="/stablecoins/devnetone/transfers"] button`)
	owner.see(seeIn, "h1", "Transfer 1")
	owner.wait(seeIn, "document.querySelector('details code')")
	owner.shot("coin-transfer")
	shown := eval[[]string](owner, `[...document.querySelectorAll('.two .card:first-child dd')].map(d => (d.querySelector('code') ?? d).textContent)`)
	if len(shown) < 5 || shown[1] != "424201" || shown[2] != "0" {
		c.t.Fatalf("the page shows %q", shown)
	}
	file := fmt.Sprintf(`{"chainId":"0x67909","to":%q,"value":"0x0","data":%q}`, shown[0], shown[4])
	c.phone.js(fmt.Sprintf(`(input => {
		const list = new DataTransfer()
		list.items.add(new File([%q], "transfer.json", { type: "application/json" }))
		input.files = list.files
		input.dispatchEvent(new Event("change"))
	})(document.querySelector('#transfer'))`, file))
	c.phone.see(seeIn, "#result-title", "Sent")
	c.phone.tap("#result-close", "")
	if !repeat(openIn, func() bool { return strings.Contains(count(), "in your wallet") }) {
		c.t.Fatalf("the transfer did not end:\n%s", count())
	}
	owner.shot("coin-done")
}
