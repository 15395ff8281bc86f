package shop

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// newest asks the till for its view, as the page that is signed in, and evaluates
// expr with it as v.
func newest[T any](p *page, expr string) T {
	p.t.Helper()
	out, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](`fetch("/v1/view").then(r => r.json()).then(v => (`+expr+`))`, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("evaluate %s: %v", expr, err)
	}
	return out
}

// view waits until expr holds for the till's view v.
func (p *page) view(within time.Duration, expr string) {
	p.t.Helper()
	if repeat(within, func() bool { return newest[bool](p, "Boolean("+expr+")") }) {
		return
	}
	p.shot("stuck")
	p.t.Fatalf("the till never came to %s; it is at\n%s", expr, newest[string](p, "JSON.stringify({...v.counter, current: undefined}, null, 1)"))
}

// lightning is the till's button of that name in a view v.
const lightning = `v.counter.tenders.find(t => t.tender === "lightning")`

// counter is a demo shop with everybody in place: a cashier who may decide as a
// manager, the customer's display and phone, the paper.
type counter struct {
	*shop
	t                               *testing.T
	browser                         context.Context
	cashier, customer, phone, paper *page
	password                        string
}

func openCounter(t *testing.T) *counter {
	t.Helper()
	s, b := open(t), browser(t)
	c := &counter{shop: s, t: t, browser: b, password: s.secret("owner-password")}
	c.cashier = tab(t, b, "http://"+s.till+"/", 800, 480)
	c.cashier.signIn(s.secret("till-pin"))
	c.phone = tab(t, b, "http://"+s.wallet+"/", 390, 844)
	c.phone.wait(openIn, "!document.querySelector('#pay').hidden")
	c.customer = tab(t, b, "http://"+s.till+"/display", 800, 480)
	c.paper = tab(t, b, "http://"+s.till+"/paper", 700, 900)
	// What a till needs to sell offline it gets while it has its line.
	c.cashier.view(openIn, lightning+`.ready && `+lightning+`.offline?.per_sale?.minor > 0`)
	return c
}

// line switches the shop's internet, with the switch on the wallet's page.
func (c *counter) line(word string) {
	c.t.Helper()
	c.phone.tap("#line-switch", "")
	c.phone.see(seeIn, "#line-state", word)
}

// charge rings up item without a line, and returns how people name the request.
func (c *counter) charge(item string) (ref string) {
	c.t.Helper()
	c.cashier.tap("till-items button.tile", item)
	c.cashier.tap(".pay", "")
	c.cashier.see(seeIn, `.off[data-key="tender lightning"]:not([aria-disabled="true"])`, "Lightning")
	c.cashier.tap(`[data-key="tender lightning"]`, "")
	c.cashier.see(seeIn, "till-wait .ref", "#")
	return eval[string](c.cashier, "document.querySelector('till-wait .ref').innerText")
}

// pays lets the customer's phone pay what the display asks, and returns where it
// then leads.
func (c *counter) pays(ref string) (page string) {
	c.t.Helper()
	c.phone.see(seeIn, "#from", ref)
	c.phone.tap("#pay-now", "Pay")
	c.phone.see(seeIn, "#result-title", "Paid")
	c.phone.see(seeIn, "#result-action", "Show the code to the cashier")
	page = eval[string](c.phone, "document.querySelector('#result-action').href")
	if !strings.HasPrefix(page, "http://"+c.office+"/o/") {
		c.t.Fatalf("the phone is led to %s", page)
	}
	c.phone.tap("#result-close", "")
	return page
}

// camera shows the request as a phone's camera reads it, opens what it says, and
// pays there by pasting the page's invoice into the wallet.
func (c *counter) camera(ref string) {
	c.t.Helper()
	c.cashier.tap(`till-wait [data-key="camera"]`, "")
	c.phone.see(seeIn, "#from", ref)
	c.cashier.view(seeIn, `v.customer.other && v.customer.qr.startsWith("http://`+c.office+`/o/")`)
	p := tab(c.t, c.browser, newest[string](c.cashier, "v.customer.qr"), 390, 844)
	p.see(seeIn, "body", ref)
	invoice := eval[string](p, "document.querySelector('.open').href")
	if !strings.HasPrefix(invoice, "lightning:lnsb") {
		c.t.Fatalf("the page asks for %.40s", invoice)
	}
	c.phone.js(fmt.Sprintf("(p => { p.value = %q; p.dispatchEvent(new Event('input')) })(document.querySelector('#paste'))", invoice))
	c.phone.see(seeIn, "#from", "No description") // it holds the hash of one
	c.phone.tap("#pay-now", "Pay")
	c.phone.see(seeIn, "#result-title", "Paid")
	c.phone.tap("#result-close", "")
	p.wait(seeIn, "document.querySelector('.code')") // the page asks again by itself
}

// code reads the six digits off the payer's page.
func (c *counter) code(at string) string {
	c.t.Helper()
	p := tab(c.t, c.browser, at, 390, 844)
	p.wait(seeIn, "document.querySelector('.code')")
	p.shot("offline-code")
	if !p.js("[...document.querySelectorAll('body, .code')].every(e => e.scrollWidth <= document.documentElement.clientWidth && e.getBoundingClientRect().right <= innerWidth && e.scrollWidth <= e.clientWidth)") {
		c.t.Error("the code is wider than the phone")
	}
	code := strings.Join(strings.Fields(eval[string](p, "document.querySelector('.code').innerText")), "")
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		c.t.Fatalf("the page shows %q", code)
	}
	return code
}

// types enters a code at the till.
func (c *counter) types(code string) {
	c.t.Helper()
	for _, d := range code {
		c.cashier.tap(fmt.Sprintf(`till-code [data-key="code%c"]`, d), "")
	}
}

// other is a code that is not code.
func other(code string) string { return string('0'+(code[0]-'0'+1)%10) + code[1:] }

// printed waits until the paper is longer than before, and returns its length.
func (c *counter) printed(before int) int {
	c.t.Helper()
	const height = "document.querySelector('img')?.naturalHeight ?? 0"
	c.paper.wait(seeIn, fmt.Sprintf("(%s) > %d", height, before))
	return eval[int](c.paper, height)
}

// TestOffline cuts the line of the whole shop and goes on selling.
//
// Goal: a customer pays with his own signal, his code opens PAID at a till that
// cannot ask anybody; when the line is back the sale is proven, and the owner has it
// once. One who pays and never shows the code, and then pays in cash, has his money
// on the owner's list, and his sale once.
func TestOffline(t *testing.T) {
	c := openCounter(t)
	c.line("cut")
	c.cashier.view(seeIn, lightning+".offline.now")

	ref := c.charge("Espresso")
	c.customer.wait(seeIn, fmt.Sprintf("(a => a.startsWith('To pay') && a.includes('2.90') && a.includes('Request %s.'))(document.querySelector('img').alt)", ref))
	c.settle()
	c.cashier.shot("offline-charge")
	c.customer.shot("offline-due")
	code := c.code(c.pays(ref))
	c.types(other(code))
	c.cashier.see(seeIn, "till-code .hint", "2 tries left")
	if got := newest[string](c.cashier, "v.customer.phase"); got != "due" {
		t.Errorf("after a wrong code the customer sees %s", got)
	}
	paper := c.printed(-1)
	c.types(code)
	c.cashier.see(seeIn, "till-done", "PAID")
	c.customer.wait(seeIn, "document.querySelector('img').alt.includes('PAID')")
	c.settle()
	paper = c.printed(paper)
	c.cashier.view(seeIn, lightning+`.offline.sales === 1 && v.counter.last_done.payments[0].state === "accepted"`)

	// The next one has no wallet that reads LNURL, pays all the same, and never comes
	// back with the code.
	c.cashier.tap(`till-done [data-key="next"]`, "")
	second := c.charge("Cappuccino")
	if second == ref {
		t.Fatalf("two requests are named %s", ref)
	}
	c.camera(second)
	c.cashier.tap(`[data-key="cancel"]`, "")
	c.cashier.tap(`[data-key="despite"]`, "")
	c.cashier.see(seeIn, `[data-key="despite"].sure`, "")
	c.cashier.tap(`[data-key="despite"].sure`, "")
	c.cashier.tap(`[data-key="exact"]`, "")
	c.cashier.see(seeIn, "till-done", "4.20")
	c.printed(paper)

	c.line("on")
	c.cashier.view(openIn, lightning+`.ready && !`+lightning+`.offline.sales && !`+lightning+`.offline.now && v.counter.sync.waiting === 0`)
	c.cashier.view(openIn, `v.counter.refunds?.length === 1`)

	owner := tab(t, c.browser, "http://"+c.office+"/", 1280, 900)
	owner.ownerIn(c.password)
	owner.seeSoon("01-000002")
	if n := eval[int](owner, "document.body.innerText.split('01-000001').length - 1"); n != 1 {
		t.Errorf("the first sale is %d times in the report", n)
	}
	if !owner.js("document.body.innerText.includes('7.10')") {
		t.Error("the report does not add 2.90 and 4.20 up")
	}
	owner.do(chromedp.Navigate("http://" + c.office + "/offline"))
	const rows = "[...document.querySelectorAll(%q)].map(e => e.innerText.replace(/\\s+/g, ' ')).join('\\n')"
	owed, all := eval[string](owner, fmt.Sprintf(rows, ".owed tbody tr")), eval[string](owner, fmt.Sprintf(rows, "tbody tr"))
	if strings.Count(owed, "#") != 1 || !strings.Contains(owed, second+" ") || !strings.Contains(owed, "4.20") {
		t.Errorf("to refund: %s", owed)
	}
	if strings.Count(all, ref+" ") != 1 || !owner.js("document.querySelector('.grid.two .card:last-child').innerText.includes('"+ref+"')") {
		t.Errorf("the proven sale is not once among the paid:\n%s", all)
	}
}

// settle gives a picture time to be decoded and in place before it is saved.
func (c *counter) settle() {
	if *pictures != "" {
		c.customer.do(chromedp.Sleep(time.Second))
	}
}
