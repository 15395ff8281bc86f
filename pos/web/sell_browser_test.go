package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// cashier opens the cashier's page and signs Anna in.
func cashier(t *testing.T, k *till) *tab {
	t.Helper()
	p := tabOf(t, k, "/", 800, 480)
	p.signIn("p1", ownerPIN)
	return p
}

// TestSellCash sells for exact cash in two taps, and for a note with change.
func TestSellCash(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.click(".tab.items")
	p.tile("Espresso")
	p.see("till-foot .money", "€2.90")
	p.click(".pay", `[data-key="exact"]`)
	p.see("till-done .giant", "€2.90")
	p.key("1250") // the next digit begins the next sale
	p.see(".typed", "€12.50")
	p.click(".pay", `[data-key="note2000"]`)
	p.see("till-done .giant", "€7.50")
	p.click(`till-done [data-key="next"]`)
	p.see("till-cart", "Tap an item")
	done := k.desk.Done()
	if len(done) != 2 || done[1].Payments[0].Given.Minor != 2000 || done[1].Payments[0].Change.Minor != 750 {
		t.Errorf("got %+v", done)
	}
}

// TestSellLightning goes from the basket to PAID; the till's answer ends it
// without a tap.
func TestSellLightning(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.key("500\r")
	p.see("till-foot .money", "€5.00")
	p.click(".pay", `[data-key="tender lightning"]`)
	p.see("till-wait .quantity", "8,500 sat")
	p.see("till-wait .clock", "left")
	k.desk.Move("", pos.Settle)
	p.see("till-done .state", "PAID")
}

// TestCancelPayment withdraws a request, is told why the customer's code is
// gone, and pays in another way.
func TestCancelPayment(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.key("500\r")
	p.see("till-foot .money", "€5.00")
	p.click(".pay", `[data-key="tender lightning"]`, `[data-key="cancel"]`)
	p.see("till-pay .why", "withdrawn")
	p.click(`[data-key="exact"]`)
	p.see("till-done .giant", "€5.00")
	states := []pos.State{}
	for _, pay := range k.desk.Done()[0].Payments {
		states = append(states, pay.State)
	}
	if fmt.Sprint(states) != "[cancelled settled]" {
		t.Errorf("got %v", states)
	}
}

// TestPartPayment pays a part in cash and the rest over Lightning.
func TestPartPayment(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.key("2000\r")
	p.see("till-foot .money", "€20.00")
	p.click(".pay", `[data-key="other"]`)
	p.key("500")
	p.click(`.choices [data-key="tender cash"]`)
	p.see("till-foot .label", "Still due")
	p.see("till-pay .huge", "€15.00")
	p.click(`[data-key="tender lightning"]`)
	p.see("till-wait .huge", "€15.00")
	k.desk.Move("", pos.Settle)
	p.see("till-done .giant", "€20.00")
}

// TestTwoSales serves a second customer while the first one's payment is under
// way. It is paid meanwhile, and the cashier is told.
func TestTwoSales(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.key("500\r")
	p.see("till-foot .money", "€5.00")
	p.click(".pay", `[data-key="tender lightning"]`, `till-wait [data-key="next"]`)
	p.see("till-cart", "Tap an item")
	p.key("300\r")
	p.see("till-foot .money", "€3.00")
	first := k.desk.View().Counter.Open[0].ID
	k.desk.Move(first, pos.Settle)
	p.see(".notice", "is paid")
	p.see("till-foot .money", "€3.00") // and this sale is where it was
	p.click(".notice button")
	p.wait("!document.querySelector('.notice')")
	p.click(".pay", `[data-key="exact"]`)
	p.see("till-done .giant", "€3.00")
	if done := k.desk.Done(); len(done) != 2 || done[0].ID != first {
		t.Errorf("got %d sales", len(done))
	}
}

// TestDoubleTap taps Pay's answer twice, faster than the till answers. One
// payment is made, and each command reached the desk once.
func TestDoubleTap(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.key("500\r")
	p.see("till-foot .money", "€5.00")
	p.click(".pay")
	p.wait("document.querySelector('[data-key=exact]')")
	before := len(k.desk.Asked())
	release := k.desk.Stall()
	eval[bool](p, "(b => { b.click(); b.click(); b.click(); return true; })(document.querySelector('[data-key=exact]'))")
	p.wait("document.querySelector('[data-key=exact]').getAttribute('aria-disabled') === 'true'")
	p.shot("busy")
	release()
	p.see("till-done .giant", "€5.00")
	if n := len(k.desk.Asked()) - before; n != 1 || len(k.desk.Done()) != 1 {
		t.Errorf("%d commands, %d sales, want 1 and 1", n, len(k.desk.Done()))
	}
}

// TestAheadOfTheTill taps items faster than the till answers: each is on the
// screen at once, none is lost, and their order stays.
func TestAheadOfTheTill(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.click(".tab.items")
	release := k.desk.Stall()
	for _, name := range []string{"Espresso", "Latte", "Espresso"} {
		p.tile(name)
	}
	p.wait("document.querySelectorAll('.ghost.line').length === 3")
	release()
	p.see("till-foot .money", "€10.50")
	var names []string
	for _, l := range k.desk.View().Counter.Current.Lines {
		names = append(names, l.Name)
	}
	if got := strings.Join(names, ","); got != "Espresso,Latte,Espresso" {
		t.Errorf("got %s", got)
	}
}

// TestScanner reads items as a scanner types them: known, unknown, three of a
// kind, and while a button of consequence has the focus.
func TestScanner(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.wait("document.querySelectorAll('.tile').length > 20")
	p.key("9001234567894\r")
	p.see("till-cart", "Croissant")
	p.key("2*")
	p.key("9001234567894\r")
	p.see("till-cart .qty", "3 ×")
	p.expect("404")
	p.key("4000000000000\r")
	p.see(".toast", "no item has the number 4000000000000")
	p.click(".pay")
	p.see("till-pay .huge", "€7.80")
	eval[bool](p, `document.querySelector('[data-key="exact"]').focus() ?? true`)
	p.burst("9001234567894\r") // one more, after all: it must not pay
	p.see("till-foot .money", "€10.40")
	p.click(".pay", `[data-key="tender lightning"]`)
	p.see("till-wait .huge", "€10.40")
	p.expect("409")
	eval[bool](p, `document.querySelector('[data-key="cancel"]').focus() ?? true`)
	p.burst("9001234567894\r") // nor may it withdraw the payment
	p.see(".toast", "being paid")
	p.see("till-wait .huge", "€10.40")
	if n := len(k.desk.Done()); n != 0 {
		t.Errorf("scanning paid %d sales", n)
	}
}

// TestKeyboard sells without touching the screen.
func TestKeyboard(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.wait("document.querySelectorAll('.tile').length > 20")
	p.key("c")
	p.wait("document.activeElement.type === 'search'")
	eval[bool](p, "(i => { i.value = ''; return i.dispatchEvent(new Event('input')); })(document.activeElement)") // the driver types the first key twice
	p.key("caesar\r")
	p.see("till-cart", "Caesar salad")
	p.key("150\r")
	p.see("till-foot .money", "€12.40")
	p.key("\u007f") // Delete
	p.see("till-foot .money", "€10.90")
	p.key("+")
	p.see("till-pay .huge", "€10.90")
	p.key("\r")
	p.see("till-done .giant", "€10.90")
}

// TestLostStream cuts the page's line: it says so, dims the amounts, refuses Pay,
// and is back by itself.
func TestLostStream(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.key("500\r")
	p.see("till-foot .money", "€5.00")
	p.expect("ERR_")
	k.app.hub.mu.Lock() // the streams end, and new ones find the till gone
	k.app.hub.closed = true
	close(k.app.hub.changed)
	k.app.hub.changed = make(chan struct{})
	k.app.hub.mu.Unlock()
	p.see(".banner", "No connection to the till")
	p.wait("document.querySelector('.pay').disabled && getComputedStyle(document.querySelector('till-foot .money')).opacity < 0.5")
	p.see(".pill", "No connection")
	p.shot("lost")
	k.app.hub.mu.Lock()
	k.app.hub.closed = false
	k.app.hub.mu.Unlock()
	p.wait("!document.body.classList.contains('offline') && !document.querySelector('.pay').disabled")
	p.click(".pay", `[data-key="exact"]`)
	p.see("till-done .giant", "€5.00")
}

// TestLockout types wrong PINs until the till locks, and reads how long.
func TestLockout(t *testing.T) {
	k := serve(t)
	p := tabOf(t, k, "/", 800, 480)
	p.expect("403")
	p.expect("429")
	p.click(`[data-key="p2"]`)
	for range 3 {
		for range 4 {
			p.click(pinKey('9'))
		}
		p.click("till-pin .go")
		p.see(".hint", "Wrong PIN")
		p.click(`[data-key="p2"]`) // the hint goes
		p.see(".hint", "Your PIN")
	}
	for range 4 {
		p.click(pinKey('2'))
	}
	p.click("till-pin .go") // the right one, too late
	p.see(".hint", "Locked for")
	p.shot("locked")
	if n := len(k.app.sessions.by); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// TestManagerDecides shows a cashier a payment in doubt that only a manager may
// leave, and lets the owner do it.
func TestManagerDecides(t *testing.T) {
	k := serve(t)
	p := tabOf(t, k, "/", 800, 480)
	p.signIn("p2", "2222")
	p.key("500\r")
	p.see("till-foot .money", "€5.00")
	p.click(".pay", `[data-key="tender lightning"]`)
	k.desk.Silence(true)
	p.expect("503")
	p.click(`[data-key="cancel"]`)
	p.see(`[data-key="despite"]`, "A manager must sign in")
	p.wait(`!document.querySelector(".toast").innerText`) // the pane says it all
	p.wait(`document.querySelector('[data-key="despite"]').disabled`)
	p.click(".who")
	p.signIn("p1", ownerPIN)
	p.click(`[data-key="despite"]`)
	p.see(`[data-key="despite"]`, "Yes, charge again")
	p.click(`[data-key="despite"]`)
	p.click(`[data-key="exact"]`)
	p.see("till-done .giant", "€5.00")
	if pay := k.desk.Done()[0].Payments[0]; pay.State != pos.Unknown || !pay.Aside {
		t.Errorf("the doubtful payment is %s, aside %v", pay.State, pay.Aside)
	}
	if gone := k.staff.Gone(); len(gone) != 1 || gone[0].Name != "Ben" {
		t.Errorf("signed out: %+v", gone)
	}
}

// TestOwed: money that came without a sale stays on the screen until a manager has
// decided; a cashier reads why, and cannot.
func TestOwed(t *testing.T) {
	k := serve(t)
	p := tabOf(t, k, "/", 800, 480)
	p.signIn("p2", "2222")
	k.desk.Owe(pos.RefundView{Payment: "S1-1", Tender: "lightning", Amount: webtestEUR(290), Came: "5800 sat", At: k.desk.Now(), Sells: true, Of: "#0412"})
	k.desk.Owe(pos.RefundView{Payment: "S2-1", Tender: "lightning", Amount: webtestEUR(640), Came: "12800 sat", At: k.desk.Now(), Of: "01-000007"})
	p.see(`[data-key="owed"]`, "2 payments wait for a decision")
	p.click(`[data-key="owed"]`)
	p.see("dialog", "A manager must sign in")
	p.wait(`!document.querySelector('dialog [data-key="back"]')`)
	p.click("dialog header button", ".who")
	p.signIn("p1", ownerPIN)
	p.click(`[data-key="owed"]`)
	p.see("dialog", "5800 sat")
	p.see("dialog", "It came when its sale was over already.")
	p.wait(`document.querySelectorAll('dialog [data-key="sell"]').length === 1`)
	p.shot("owed")
	k.desk.More("S1-1", "5900 sat") // while he reads
	p.expect("409")
	p.click(`dialog [data-key="sell"]`)
	p.see(".toast", "This is 5900 sat by now, not what you read.")
	p.wait(`!document.querySelector("dialog")`)
	p.shot("more")
	k.desk.Tell("paid", "news", "")
	p.see(".notice", "news")
	p.click(`[data-key="owed"]`)
	p.see("dialog", "5900 sat")
	p.click(`dialog [data-key="sell"]`)
	p.see(`[data-key="owed"]`, "A payment waits for a decision")
	p.click(`[data-key="owed"]`, `dialog [data-key="back"]`)
	p.see("dialog", "How was it given back?")
	p.shot("given-back")
	p.click("dialog .menu button")
	p.wait(`!document.querySelector('[data-key="owed"]')`)
	var got []string
	for _, c := range k.desk.Asked() {
		if do, ok := c.Do.(pos.Decide); ok {
			got = append(got, string(do.Payment)+" "+string(do.As)+" "+do.Note+" "+do.Came)
		}
	}
	if want := "S1-1 as sale  exactly 5800 sat|S1-1 as sale  exactly 5900 sat|S2-1 given back Cash from the drawer exactly 12800 sat"; strings.Join(got, "|") != want {
		t.Errorf("decided %q, want %q", got, want)
	}
}

// TestOwedUnasked: money that nobody asked for has no price: the list shows what came, and
// no amount beside it that somebody could pay out.
func TestOwedUnasked(t *testing.T) {
	k := serve(t)
	p := tabOf(t, k, "/", 800, 480)
	p.signIn("p1", ownerPIN)
	k.desk.Owe(pos.RefundView{Payment: "unasked-1", Kind: pos.OwedUnasked, Tender: "usdc-solana", On: "USDC on Solana", Amount: webtestEUR(0), Came: "12.5000 USDC", At: k.desk.Now()})
	p.click(`[data-key="owed"]`)
	p.see("dialog", "12.5000 USDC")
	p.see("dialog", "No sale asked for it.")
	p.wait(`document.querySelector("dialog li.owed .money").textContent === ""`)
	p.shot("owed-unasked")
	p.click(`dialog [data-key="back"]`)
	p.see("dialog", "How was it given back?")
	p.wait(`document.querySelector("dialog p").textContent === "12.5000 USDC"`)
	p.shot("owed-unasked-back")
}

// TestDrawerAndCopies opens the drawer for a reason and prints copies.
func TestDrawerAndCopies(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.key("500\r")
	p.see("till-foot .money", "€5.00")
	p.click(".pay", `[data-key="exact"]`, `till-done [data-key="again"]`)
	p.click(`till-done [data-key="next"]`, `[data-key="drawer"]`)
	p.click("dialog .menu button")
	p.wait("!document.querySelector('dialog')")
	p.click(`[data-key="more"]`, "dialog .menu button:nth-child(2)")
	p.see("dialog", "01-000001")
	p.click("dialog .row button")
	p.wait("!document.querySelector('dialog .row button[aria-disabled]')")
	p.shot("receipts")
	if got := k.desk.Drawers(); len(got) != 1 || got[0] != "Change money" {
		t.Errorf("drawer: %q", got)
	}
	if got := k.desk.Done()[0].Copies; got != 2 {
		t.Errorf("%d copies, want 2", got)
	}
}

// TestPolicy tries to run what the repository does not hold. The browser must
// refuse it.
func TestPolicy(t *testing.T) {
	k := serve(t)
	p := tabOf(t, k, "/", 800, 480)
	p.see(".name", "Anna")
	p.expect("Content Security Policy")
	p.expect("TrustedHTML")
	p.expect("TrustedScript")
	got := eval[string](p, `(() => {
		const out = [];
		const s = document.createElement("script");
		try { s.textContent = "window.ran = 1"; document.body.append(s); } catch (e) { out.push("script"); }
		try { document.body.innerHTML = "<img src=x onerror='window.ran=1'>"; } catch (e) { out.push("html"); }
		return out.join() + " " + (window.ran ?? "nothing ran");
	})()`)
	if got != "script,html nothing ran" {
		t.Errorf("got %q", got)
	}
}

// TestFastFingers taps + while the basket changes under the finger: the button
// stays the same element, so no tap is lost. And what is typed before the till's
// answer to the last sale arrives is not wiped by it.
func TestFastFingers(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.click(".tab.items")
	p.tile("Espresso")
	p.see("till-cart .qty", "1 ×")
	eval[bool](p, `(window.plus = document.querySelector('[data-key="plus"]')) !== null`)
	for range 4 {
		p.click(`[data-key="plus"]`)
	}
	p.see("till-cart .qty", "5 ×")
	if !eval[bool](p, `window.plus === document.querySelector('[data-key="plus"]')`) {
		t.Error("+ became another element")
	}
	p.click(".pay")
	p.wait("document.querySelector('[data-key=exact]')")
	answer := p.holdAnswer("/payments")
	p.click(`[data-key="exact"]`)
	p.see("till-done .giant", "€14.50")
	p.key("1250")
	answer()
	p.see("till-keypad .typed", "€12.50")
}

// TestBackToBasket goes back from a payment that the customer did not make, and
// finds the basket as it was. What is typed before the till's answer is not wiped by it.
func TestBackToBasket(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.key("500\r")
	p.see("till-foot .money", "€5.00")
	p.click(".pay", `[data-key="tender lightning"]`, `[data-key="cancel"]`)
	p.see("till-pay .why", "withdrawn")
	answer := p.holdAnswer("/reopenings")
	p.click(`till-pay [data-key="back"]`)
	p.wait("document.querySelector('main').dataset.show === 'sell'")
	p.see("till-foot .money", "€5.00")
	p.key("300")
	p.see("till-keypad .typed", "€3.00")
	answer()
	p.key("\r")
	p.see("till-foot .money", "€8.00")
	if open := k.desk.View().Counter.Open; len(open) != 1 || open[0].State != pos.Draft {
		t.Errorf("open sales: %+v", open)
	}
}

// TestNodeGoneWhileWaiting tells the cashier that the customer cannot pay now.
func TestNodeGoneWhileWaiting(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.key("500\r")
	p.see("till-foot .money", "€5.00")
	p.click(".pay", `[data-key="tender lightning"]`)
	p.see("till-wait", "The customer scans")
	k.desk.Grey("lightning", "The node does not answer")
	p.see("till-wait .why", "The node does not answer")
}

// TestOrderAgain prints a kitchen's order once more: at once where there is one kitchen,
// at the one that is chosen where there are two; a shop without any has no such button.
func TestOrderAgain(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	sell := func() {
		t.Helper()
		p.key("500\r")
		p.see("till-foot .money", "€5.00")
		p.click(".pay", `[data-key="exact"]`)
		p.see("till-done .money", "€5.00")
	}
	sell()
	p.wait(`!document.querySelector('[data-key="order"]')`)
	p.click(`till-done [data-key="next"]`)
	k.desk.Kitchens("Kitchen")
	sell()
	p.click(`till-done [data-key="order"]`)
	p.shot("1-one")
	p.click(`till-done [data-key="next"]`)
	k.desk.Kitchens("Kitchen", "Bar")
	sell()
	p.click(`till-done [data-key="order"]`)
	p.see("dialog h2", "#0403: print again where?")
	p.shot("2-two")
	p.click(`dialog [data-key="to Bar"]`)
	p.wait("!document.querySelector('dialog')")
	p.click(`till-done [data-key="next"]`, `[data-key="more"]`, "dialog .menu button:nth-child(2)", `dialog [data-key="to "]`)
	p.wait("!document.querySelector('dialog')")
	if got := k.desk.Orders(); !slices.Equal(got, []string{"", "Bar", ""}) {
		t.Errorf("printed again at %q", got)
	}
	for _, s := range k.desk.Done() {
		if s.Copies != 0 {
			t.Errorf("a copy of receipt %s was printed", s.Receipt)
		}
	}
}

// TestTestPage prints the test page: the one printer's at once, of several the one's that is
// chosen. Only a manager has that.
func TestTestPage(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	answer := p.holdAnswer("/v1/test-pages")
	p.click(`[data-key="more"]`, `dialog [data-key="test"]`)
	answer()
	if got := k.desk.Orders(); !slices.Equal(got, []string{"test "}) {
		t.Errorf("printed %q", got)
	}
	k.desk.Links([]pos.Link{{Name: "printer", State: "online"}, {Name: "printer Kitchen", State: "offline"}}, pos.Sync{})
	p.see(".pill", "Kitchen")
	for _, name := range []string{"Kitchen", ""} {
		p.click(`[data-key="more"]`, `dialog [data-key="test"]`)
		p.see("dialog h2", "test page")
		p.see(`dialog [data-key="to Kitchen"]`, "Printer Kitchen")
		p.click(`dialog [data-key="to ` + name + `"]`)
		p.wait("!document.querySelector('dialog')")
	}
	if got := k.desk.Orders(); !slices.Equal(got, []string{"test ", "test Kitchen", "test "}) {
		t.Errorf("printed %q", got)
	}
	k.desk.Links(nil, pos.Sync{})
	p.wait("!document.querySelector('.pill').innerText.includes('Kitchen')")
	p.click(`[data-key="more"]`)
	p.see("dialog", "Receipts")
	if eval[bool](p, `!!document.querySelector('dialog [data-key="test"]')`) {
		t.Error("a till without a printer offers its test page")
	}
	p.click("dialog header button", ".who")
	p.signIn("p2", "2222")
	k.desk.Links([]pos.Link{{Name: "printer", State: "offline"}}, pos.Sync{})
	p.see(".pill", "Printer")
	p.click(`[data-key="more"]`)
	p.see(`dialog [data-key="test"]:disabled`, "A manager must sign in")
}
