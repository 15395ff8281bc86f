package web

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/web/webtest"
)

// The till's answer to a button, and what it tells of its new state, come in either
// order, late, or not at all; the cashier goes on meanwhile. These tests hold one or the
// other back. What was done meanwhile must stand, and no answer may act on another sale.

// holdAnswer keeps the till's next answer to a path that ends so from the page, until the
// function that it returns is called; what the till tells of its state arrives all the
// same. The function returns when the page has done what it does with the answer.
func (p *tab) holdAnswer(path string) (answer func()) {
	p.Helper()
	eval[bool](p, `(f => {
		window.held = window.went = null;
		window.fetch = async (...a) => {
			const r = await f(...a);
			if (window.held || !String(a[0]).endsWith(`+quote(path)+`)) return r;
			await new Promise(go => { window.held = go; });
			window.fetch = f;
			setTimeout(() => setTimeout(() => { window.went = true; })); // the page's own steps come first
			return r;
		};
		return true;
	})(window.fetch)`)
	return func() {
		p.Helper()
		p.wait("window.held")
		eval[bool](p, "window.held() ?? true")
		p.wait("window.went && !document.querySelector('[aria-disabled=true]')")
	}
}

// loseAnswers lets what is sent to paths that end so be carried out and every answer be
// lost, until the function that it returns is called.
func (p *tab) loseAnswers(path string) (mend func()) {
	p.Helper()
	eval[bool](p, `(f => {
		window.fetch = async (...a) => { const r = await f(...a); if (String(a[0]).endsWith(`+quote(path)+`)) throw new TypeError("line"); return r; };
		window.mend = () => { window.fetch = f; return true; };
		return true;
	})(window.fetch)`)
	return func() { p.Helper(); eval[bool](p, "window.mend()") }
}

// patient makes the page wait for the till's state as long as it takes: it waits a second
// behind an answer, which a slow computer needs for two keys of the driver's.
func (p *tab) patient() {
	p.Helper()
	eval[bool](p, `(f => { window.setTimeout = (g, ms, ...with_) => f(g, ms === 1000 ? 600_000 : ms, ...with_); return true; })(window.setTimeout)`)
}

// ring types an amount into the basket, which comes to total then.
func (p *tab) ring(amount, total string) {
	p.Helper()
	p.key(amount + "\r")
	p.see("till-foot .money", total)
}

// shows waits until the left pane is for that.
func (p *tab) shows(what string) {
	p.Helper()
	p.wait("document.querySelector('main').dataset.show === " + quote(what))
}

// TestLateAnswer lets the answer to a button come when the cashier has the next sale
// before him and types what its customer gives. He must be left there.
func TestLateAnswer(t *testing.T) {
	for _, row := range []struct {
		name, answer string
		do           func(k *till, p *tab) // presses the button; the next sale can be rung up when it returns
	}{
		{"exact cash", "/payments", func(_ *till, p *tab) {
			p.click(".pay", `[data-key="exact"]`)
			p.see("till-done .giant", "€5.00")
		}},
		{"next customer", "/next-customer", func(_ *till, p *tab) {
			p.click(".pay", `[data-key="exact"]`, `till-done [data-key="next"]`)
			p.shows("sell")
		}},
		{"another one first", "/v1/sales", func(_ *till, p *tab) {
			p.click(".pay", `[data-key="tender lightning"]`, `till-wait [data-key="next"]`)
			p.see("till-cart", "Tap an item")
		}},
		{"charge again", "/cancellations", func(k *till, p *tab) {
			p.click(".pay", `[data-key="tender lightning"]`)
			p.see("till-wait .huge", "€5.00")
			k.desk.Silence(true)
			k.signIn("p1", ownerPIN)
			s := k.desk.View().Counter.Current
			k.want(503, "POST", "/v1/sales/"+string(s.ID)+"/payments/"+string(s.Payments[0].ID)+"/cancellations", `{}`)
			p.click(`[data-key="despite"]`)
			p.see(`[data-key="despite"]`, "Yes, charge again")
			p.click(`[data-key="despite"]`, `[data-key="exact"]`)
			p.see("till-done .giant", "€5.00")
		}},
		{"an open sale", "/current-sale", func(k *till, p *tab) {
			p.key("\u0806") // F6
			p.see("till-cart", "Tap an item")
			p.click(".tab.open", "till-open .card")
			p.see("till-foot .money", "€5.00")
			p.click(".tab.keypad")
			k.signIn("p1", ownerPIN)
			k.want(200, "DELETE", "/v1/sales/current", "") // a colleague's
			p.see("till-cart", "Tap an item")
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			k := serve(t)
			p := cashier(t, k)
			p.ring("500", "€5.00")
			answer := p.holdAnswer(row.answer)
			row.do(k, p)
			p.ring("300", "€3.00")
			p.click(".pay", `[data-key="other"]`)
			p.key("2")
			p.see("till-pay .typed", "€0.02")
			answer()
			p.key("00")
			p.see("till-pay .typed", "€2.00")
			p.click(`[data-key="given"]`)
			p.see(".toast", "") // less than is due, but of this sale
		})
	}
}

// TestAnswerFirst takes cash while the till tells of nothing, as it does when its disk is
// slow. What is typed then is the next sale's, whole.
func TestAnswerFirst(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.ring("500", "€5.00")
	p.click(".pay")
	p.wait("document.querySelector('[data-key=exact]')")
	p.patient()
	tell := k.desk.Lag()
	p.click(`[data-key="exact"]`)
	p.key("12")
	tell()
	p.key("50")
	p.see("till-keypad .typed", "€12.50")
	p.key("\r")
	p.see("till-foot .money", "€12.50")
	if done := k.desk.Done(); len(done) != 1 || done[0].Payments[0].Given.Minor != 500 {
		t.Errorf("sold %+v", done)
	}
}

// TestTypedAhead types the next sale, Enter and all, before the till has taken the cash of
// this one. It must not be taken for what this customer gave.
func TestTypedAhead(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.wait("document.querySelectorAll('.tile').length > 20")
	p.ring("500", "€5.00")
	p.click(".pay")
	p.wait("document.querySelector('[data-key=exact]')")
	release := k.desk.Stall()
	p.click(`[data-key="exact"]`)
	p.key("1250\r")
	p.burst("9001234567894\r") // and a scan
	p.shows("pay")
	release()
	p.see("till-foot .money", "€15.10")
	p.see("till-cart", "Croissant")
	if done := k.desk.Done(); len(done) != 1 || done[0].Payments[0].Given.Minor != 500 {
		t.Errorf("sold %+v", done)
	}
}

// TestGivenAhead types price, Pay and what the customer gives in one go, before the till
// has the first of it: the change must be right.
func TestGivenAhead(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	release := k.desk.Stall()
	p.key("500+1000\r\r") // Enter twice: the second one must not end the change
	p.see(".ghost", "Amount")
	release()
	p.see("till-done .giant", "€5.00")
	p.see("till-done .quantity", "€10.00")
}

// TestRefusedAhead drops what was typed for a sale that did not come about.
func TestRefusedAhead(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.ring("500", "€5.00")
	p.click(".pay")
	p.wait("document.querySelector('[data-key=exact]')")
	p.expect("503")
	k.desk.Refuse(pos.E("do", pos.Unavailable, "the till's storage is full"))
	release := k.desk.Stall()
	p.click(`[data-key="exact"]`)
	p.key("1250\r")
	release()
	p.see(".toast", "storage is full")
	k.desk.Refuse(nil)
	p.see("till-pay .huge", "€5.00")
	p.click(`[data-key="exact"]`)
	p.see("till-done .giant", "€5.00")
	if n := len(k.desk.Asked()); n != 3 {
		t.Errorf("%d commands, want a line, a payment refused, a payment", n)
	}
}

// TestTapsWhilePaying taps digits on the screen while Pay waits for the till: they stay
// where they are seen.
func TestTapsWhilePaying(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.key("500")
	p.see("till-keypad .typed", "€5.00")
	release := k.desk.Stall()
	p.click(".pay")
	p.see(".ghost", "Amount")
	p.click("till-keypad .keys button:nth-child(1)", "till-keypad .keys button:nth-child(1)")
	p.see("till-keypad .typed", "€0.77")
	release()
	p.see("till-foot .money", "€5.00")
	p.wait("!document.querySelector('[aria-disabled=true]')")
	p.shows("sell")
	p.see("till-keypad .typed", "€0.77")
}

// TestLinesStayWithTheirSale taps an item, puts the sale aside and taps another one,
// faster than the till answers: each is in the basket that it was tapped for.
func TestLinesStayWithTheirSale(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.click(".tab.items")
	p.tile("Espresso")
	p.see("till-foot .money", "€2.90")
	release := k.desk.Stall()
	p.tile("Latte")
	p.tile("Croissant")
	p.key("\u0806") // F6
	p.tile("Espresso")
	p.wait("document.querySelectorAll('.ghost.line').length === 3")
	release()
	p.see("till-foot .money", "€2.90")
	p.wait("!document.querySelector('.ghost')")
	var got []string
	for _, s := range k.desk.View().Counter.Open {
		sale, err := k.desk.Sale(s.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range sale.Lines {
			got = append(got, l.Name)
		}
		got = append(got, "|")
	}
	if s := strings.Join(got, " "); s != "Espresso Latte Croissant | Espresso |" {
		t.Errorf("got %s", s)
	}
}

// TestAsideBeforeTold puts a sale aside while the screens are not told: what is typed
// then begins the next one.
func TestAsideBeforeTold(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.ring("500", "€5.00")
	tell := k.desk.Lag()
	p.key("\u0806300\r") // F6
	tell()
	p.see("till-foot .money", "€3.00")
}

// TestAsideUnanswered puts a sale aside and never hears of it. The next sale is put aside
// by the same button within the same half minute: that is another thing.
func TestAsideUnanswered(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.ring("500", "€5.00")
	mend := p.loseAnswers("/v1/sales")
	p.click("till-keypad .keys button:nth-child(9)")
	p.see(".toast", "Tap again")
	mend()
	p.see("till-cart", "Tap an item")
	p.ring("300", "€3.00")
	p.click("till-keypad .keys button:nth-child(9)")
	p.see("till-cart", "Tap an item")
	if n := len(k.desk.View().Counter.Open); n != 3 {
		t.Errorf("%d sales are open, want two with a line and an empty one", n)
	}
}

// holdRequest keeps the page's next request to a path that ends so from the till, until the
// function that it returns is called, as a line does that loses it and is back for the next
// try. That one returns when the page has done what it does with the answer.
func (p *tab) holdRequest(path string) (release func()) {
	p.Helper()
	eval[bool](p, `(f => {
		window.held = window.went = null;
		window.fetch = async (...a) => {
			if (window.held || !String(a[0]).endsWith(`+quote(path)+`)) return f(...a);
			await new Promise(go => { window.held = go; });
			window.fetch = f;
			const r = await f(...a);
			setTimeout(() => setTimeout(() => { window.went = true; })); // the page's own steps come first
			return r;
		};
		return true;
	})(window.fetch)`)
	return func() {
		p.Helper()
		p.wait("window.held")
		eval[bool](p, "window.held() ?? true")
		p.wait("window.went && !document.querySelector('[aria-disabled=true]')")
	}
}

// TestAsideLate puts a sale aside over a line that takes its time. A colleague is faster and
// serves the next customer: her sale stays at the counter, and the cashier is told.
func TestAsideLate(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	p := cashier(t, k)
	p.ring("500", "€5.00")
	p.expect("409")
	release := p.holdRequest("/v1/sales")
	p.click("till-keypad .keys button:nth-child(9)")
	p.wait("window.held")
	k.want(201, "POST", "/v1/sales", `{}`)
	hers := k.want(201, "POST", "/v1/sales/current/lines", `{"sku":"4001"}`).field("sale")
	p.see("till-foot .money", "€2.90")
	release()
	p.see(".toast", "nothing was done")
	p.see("till-foot .money", "€2.90")
	if c := k.desk.View().Counter.Current; c == nil || string(c.ID) != hers {
		t.Errorf("at the counter is %+v, want %s", c, hers)
	}
}

// TestFirstSaleTwice starts a sale where none was, when a colleague has begun one meanwhile.
func TestFirstSaleTwice(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	p := cashier(t, k)
	p.expect("409")
	p.click(".tab.open")
	release := p.holdRequest("/v1/sales")
	p.click(`[data-key="new"]`)
	p.wait("window.held")
	k.want(201, "POST", "/v1/sales/current/lines", `{"sku":"4001"}`)
	p.see("till-foot .money", "€2.90")
	release()
	p.see(".toast", "nothing was done")
	if n := len(k.desk.View().Counter.Open); n != 1 {
		t.Errorf("%d sales are open", n)
	}
}

// TestNextCustomerLate ends PAID over a line that takes its time. By then a colleague has
// sold something: her customer goes on reading what he gets back.
func TestNextCustomerLate(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	p := cashier(t, k)
	p.ring("500", "€5.00")
	p.click(".pay", `[data-key="exact"]`)
	p.see("till-done .giant", "€5.00")
	release := p.holdRequest("/next-customer")
	p.click(`till-done [data-key="next"]`)
	p.wait("window.held")
	k.sell()
	release()
	if c := k.desk.View().Customer; c.Phase != pos.PhaseChange {
		t.Errorf("the customer sees %s", c.Phase)
	}
	p.see("till-done .giant", "€17.10")
}

// TestColleague changes the sale at the counter from another screen: what this one was
// asked to make sure of, and the tenders that it shows, were the other sale's.
func TestColleague(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	p := cashier(t, k)
	p.ring("500", "€5.00")
	k.want(201, "POST", "/v1/sales", `{}`)
	p.see("till-cart", "Tap an item")
	p.ring("300", "€3.00")
	first := string(k.desk.View().Counter.Open[0].ID)
	clear := "till-keypad .keys button:nth-child(10)"
	p.click(clear)
	p.see(clear, "Really")
	k.want(200, "PUT", "/v1/current-sale", `{"sale":"`+first+`"}`)
	p.see("till-foot .money", "€5.00")
	p.wait("!document.querySelector(" + quote(clear) + ").innerText.includes('Really')")
	p.click(".pay", `[data-key="token USDC"]`)
	p.see("till-pay .lead", "USDC")
	k.want(201, "POST", "/v1/sales", `{}`)
	p.see("till-cart", "Tap an item")
	p.ring("200", "€2.00") // and no tenders by themselves
	p.shows("sell")
	p.key("7")
	k.want(200, "PUT", "/v1/current-sale", `{"sale":"`+first+`"}`)
	p.see("till-foot .money", "€5.00")
	p.see("till-keypad .typed", "€0.07") // what is typed stays
}

// TestPaidElsewhere pays the sale at the counter from another screen while this one types:
// that is kept, and PAID is not shown over it.
func TestPaidElsewhere(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	p := cashier(t, k)
	p.ring("500", "€5.00")
	p.key("7")
	p.see("till-keypad .typed", "€0.07")
	k.want(201, "POST", "/v1/sales/current/payments", `{"tender":"cash"}`)
	p.see("till-cart", "Tap an item")
	p.see("till-keypad .typed", "€0.07")
}

// TestChoosingLate stops the customer's choice; before the answer comes the next
// customer's network is asked for.
func TestChoosingLate(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.ring("500", "€5.00")
	p.click(".pay", `[data-key="token USDC"]`, `[data-key="choose"]`)
	answer := p.holdAnswer("/choice")
	p.click(`[data-key="stop"]`)
	p.see(`[data-key="token USDC"]`, "USDC")
	p.click(`[data-key="exact"]`)
	p.see("till-done .giant", "€5.00")
	p.ring("300", "€3.00")
	p.click(".pay", `[data-key="token USDC"]`)
	p.see("till-pay .lead", "USDC")
	answer()
	p.see("till-pay .lead", "USDC")
}

// TestCodeLate types the code of another sale before the till has answered to this one's.
func TestCodeLate(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	due(t, k, p)
	answer := p.holdAnswer("/codes")
	p.taps("111111")
	p.wait("window.held")
	p.click(`till-wait [data-key="next"]`)
	p.see("till-cart", "Tap an item")
	p.ring("300", "€3.00")
	p.click(".pay", `[data-key="tender lightning"]`)
	p.see("till-wait .ref", "#0418")
	p.taps("123")
	answer()
	p.taps("456")
	p.see("till-code .hint", "2 tries left")
	if got := codes(k); got != "111111 123456" {
		t.Errorf("the desk heard %s", got)
	}
}

// TestCodeThenPrice types the next price behind the sixth digit, before the till says
// that the code is right.
func TestCodeThenPrice(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	due(t, k, p)
	release := k.desk.Stall()
	p.taps(webtest.Code(417))
	p.see("till-code .hint", "One moment")
	p.key("300")
	release()
	p.see("till-keypad .typed", "€3.00")
	if n := len(k.desk.Done()); n != 1 {
		t.Errorf("%d sales", n)
	}
}

// TestCodeWaits taps on while a code is being checked: the pad shows that it waits, and what
// was tapped is no part of the next code.
func TestCodeWaits(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	due(t, k, p)
	release := k.desk.Stall()
	p.taps("111111")
	p.see("till-code .hint", "One moment")
	p.wait("document.querySelectorAll('till-code button:disabled').length === 12")
	p.shot("waits")
	release()
	p.see("till-code .hint", "2 tries left")
	p.wait("!document.querySelector('till-code button:disabled')")
	p.taps("123456")
	p.see("till-code .hint", "One try left")
	if got := codes(k); got != "111111 123456" {
		t.Errorf("the desk heard %s", got)
	}
}

// TestSignInAhead types behind the PIN before the till has said that it is right.
func TestSignInAhead(t *testing.T) {
	k := serve(t)
	p := tabOf(t, k, "/", 800, 480)
	p.click(`[data-key="p1"]`)
	answer := p.holdAnswer("/v1/sessions")
	p.pin(ownerPIN)
	p.see("till-sign-in .hint", "One moment")
	p.wait("!document.querySelector('till-sign-in .hint').classList.contains('wrong')") // nothing is wrong yet
	p.key("500")
	answer()
	p.see("till-keypad .typed", "€5.00")
}

// TestPINMeanwhile types the next PIN while the till looks at the first one; and another
// person taps her name before the answer: she must not be signed in as somebody else.
func TestPINMeanwhile(t *testing.T) {
	k := serve(t)
	p := tabOf(t, k, "/", 800, 480)
	p.expect("403")
	p.click(`[data-key="p2"]`)
	answer := p.holdAnswer("/v1/sessions")
	p.pin("9999")
	p.see("till-sign-in .hint", "One moment")
	p.click(pinKey('2'), pinKey('2'))
	answer()
	p.see("till-sign-in .hint.wrong", "Wrong PIN")
	p.wait("document.querySelectorAll('till-pin .full').length === 2")
	p.click(pinKey('2'), pinKey('2'))
	answer = p.holdAnswer("/v1/sessions")
	p.click("till-pin .go")
	p.see("till-sign-in .hint", "One moment")
	p.click(`[data-key="p1"]`)
	answer()
	p.see("till-sign-in .hint", "Your PIN")
	p.signIn("p1", ownerPIN)
	p.see(".who", "Anna")
	if gone := k.staff.Gone(); len(gone) != 1 || gone[0].Name != "Ben" {
		t.Errorf("signed out: %+v", gone)
	}
}

// TestLockWithoutLine locks a page whose line is down: it is locked at once, and the till
// is told when the line is back, before the next one signs in.
func TestLockWithoutLine(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	eval[bool](p, `(f => { window.fetch = (...a) => a[1]?.method === "DELETE" ? Promise.reject(new TypeError("line")) : f(...a); window.mend = () => { window.fetch = f; return true; }; return true; })(window.fetch)`)
	p.click(".who")
	p.see("till-sign-in .hint", "")
	p.wait("!document.querySelector('till-foot')")
	p.click(`[data-key="p2"]`)
	p.pin("2222")
	p.see("till-sign-in .hint", "One moment")
	if gone := k.staff.Gone(); len(gone) != 0 {
		t.Errorf("signed out already: %+v", gone)
	}
	eval[bool](p, "window.mend()")
	p.see(".who", "Ben")
	if gone := k.staff.Gone(); len(gone) != 1 || gone[0].Name != "Anna" {
		t.Errorf("signed out: %+v", gone)
	}
}

// TestLockWhileAsked locks the page while the till does not answer: the next one's PIN is
// taken at once, and no answer to the former one's button does anything to it.
func TestLockWhileAsked(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.ring("500", "€5.00")
	p.click(".pay")
	p.wait("document.querySelector('[data-key=exact]')")
	answer := p.holdAnswer("/payments")
	release := k.desk.Stall()
	p.click(`[data-key="exact"]`)
	p.key("12")
	p.click(".who")
	p.click(`[data-key="p2"]`)
	p.key("22")
	p.wait("document.querySelectorAll('till-pin .full').length === 2")
	release()
	answer()
	p.wait("document.querySelectorAll('till-pin .full').length === 2")
	p.key("22\r")
	p.see(".who", "Ben")
	p.see("till-done .giant", "€5.00")
}

// TestTapsOnALine taps + and − of a line faster than the till answers: each tap counts.
func TestTapsOnALine(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.ring("500", "€5.00")
	release := k.desk.Stall()
	for range 4 {
		p.click(`[data-key="plus"]`)
	}
	p.see("till-cart .count", "5")
	p.click(`[data-key="minus"]`)
	p.see("till-cart .count", "4")
	release()
	p.see("till-foot .money", "€20.00")
	p.see("till-cart .qty", "4 ×")
}

// TestSheetInTime opens the sheet of receipts at once: one that came late would lie over
// what the cashier is at by then, or over the names of who may sign in.
func TestSheetInTime(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.ring("500", "€5.00")
	p.click(".pay", `[data-key="exact"]`, `till-done [data-key="next"]`)
	answer := p.holdAnswer("/v1/sales?limit=12")
	p.click(`[data-key="more"]`, "dialog .menu button:nth-child(2)")
	p.see("dialog h2", "Receipts")
	p.click("dialog header button")
	p.wait("!document.querySelector('dialog')")
	answer()
	if eval[bool](p, "!!document.querySelector('dialog')") {
		t.Error("a sheet came late")
	}
}

// TestNextPersonTyped adds somebody, and types the next one's name before the answer.
func TestNextPersonTyped(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.click(`[data-key="more"]`)
	p.wait("document.querySelector('dialog .people')")
	eval[bool](p, `[...document.querySelectorAll("dialog .menu button")].find(b => b.querySelector(".people")).click() ?? true`)
	p.see("dialog .rows", "Ben")
	p.run(setValue("dialog .field input:not([type])", "Carla"), setValue("dialog input[type=password]", "3333"))
	answer := p.holdAnswer("/v1/staff")
	p.click("dialog form .go")
	p.see("dialog .hint", "One moment")
	p.run(setValue("dialog .field input:not([type])", "Dora"))
	answer()
	p.see("dialog .rows", "Carla")
	p.see("dialog .hint", "Carla")
	if got := eval[string](p, `document.querySelector("dialog .field input:not([type])").value + document.querySelector("dialog input[type=password]").value`); got != "Dora" {
		t.Errorf("the form holds %q", got)
	}
}

// TestSetUpUnanswered makes an owner whom the till then does not sign in: his PIN typed
// again is enough.
func TestSetUpUnanswered(t *testing.T) {
	k := serve(t, func(o *Options) { o.Staff = webtest.NewStaff() })
	p := tabOf(t, k, "/setup", 800, 480)
	p.see("h1", "Set up this till")
	eval[bool](p, `(f => { window.fetch = (...a) => a[0] === "/v1/sessions" ? Promise.reject(new TypeError("line")) : f(...a); window.mend = () => { window.fetch = f; return true; }; return true; })(window.fetch)`)
	p.key("1234\r")
	p.see(".hint", "PIN once more")
	p.key("1234\r")
	p.see(".hint", "did not answer")
	eval[bool](p, "window.mend()")
	p.key("1234\r")
	p.see(".hint", "PIN once more")
	p.key("1234\r")
	p.see("h1", "head office")
}

// TestChoiceRefusedLate refuses what a customer chose when the next one is asked already.
func TestChoiceRefusedLate(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	sale := k.basket()
	k.invite(200)
	d := tabOf(t, k, "/display", 1024, 600)
	d.expect("409")
	answer := d.holdAnswer("/v1/choices")
	d.click(`[data-key="choose USDC"]`)
	k.desk.Refuse(pos.E("do", pos.Conflict, "this network is busy"))
	d.click(`[data-key="choose Base"]`)
	d.wait("window.held")
	k.desk.Refuse(nil)
	k.want(200, "PUT", "/v1/sales/"+sale+"/choice", `{"open":false}`)
	d.wait("document.querySelector('.choice').hidden")
	k.invite(200)
	d.see(".choice h1", "What do you pay with?")
	d.wait(`!document.querySelector('[data-key="choose USDC"]').disabled`)
	answer()
	if got := eval[string](d, "document.querySelector('.choice').innerText"); strings.Contains(got, "busy") {
		t.Errorf("the next customer reads %s", fmt.Sprintf("%q", got))
	}
}
