package web

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/web/webtest"
)

// due rings 12.50 up, cuts the node off and asks for a code: the request #0417.
func due(t *testing.T, k *till, p *tab) {
	t.Helper()
	k.desk.Cut(pos.AllowOffline, "")
	p.key("1250\r")
	p.see("till-foot .money", "€12.50")
	p.click(".pay", `[data-key="tender lightning"]`)
	p.see("till-wait .ref", "#0417")
}

// taps presses the pad's keys.
func (p *tab) taps(digits string) {
	p.Helper()
	for _, d := range digits {
		p.click(fmt.Sprintf(`[data-key="code%c"]`, d))
	}
}

// burst presses keys, \r for Enter, as fast as only a scanner does, however busy the
// computer is. Enter presses the button that has the focus, unless the page forbids it.
func (p *tab) burst(keys string) {
	p.Helper()
	eval[bool](p, `([...`+quote(keys)+`].map((k) => k === "\r" ? "Enter" : k).forEach((key) => {
		const at = document.activeElement ?? document.body;
		if (at.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })) && key === "Enter" && at.matches("button")) at.click();
	}), true)`)
}

// codes returns what was typed as codes and reached the desk.
func codes(k *till) string {
	var out []string
	for _, c := range k.desk.Asked() {
		if do, ok := c.Do.(pos.EnterCode); ok {
			out = append(out, do.Code)
		}
	}
	return strings.Join(out, " ")
}

// TestOfflineRightCode sells without a line: the button says what it means, the
// sixth digit sends the code, and PAID says that it is to be confirmed.
func TestOfflineRightCode(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	k.desk.Unproven(3, webtestEUR(4_120), k.desk.Now())
	k.desk.Cut(pos.AllowOffline, "")
	p.key("1250\r")
	p.see("till-foot .money", "€12.50")
	p.click(".pay")
	p.see("till-pay .why", "Offline: the customer needs signal")
	p.see(`[data-key="tender lightning"]`, "3 of 50 · €41.20 of €1,500.00 not confirmed yet")
	p.click(`[data-key="tender lightning"]`)
	p.see("till-wait .state", "Offline")
	p.see("till-wait .words", "needs signal")
	p.see("till-code .hint", "Ask for the six-digit code")
	p.see("till-wait .ref", "#0417")
	p.see("till-wait .clock", "left")
	code := webtest.Code(417)
	p.taps(code[:5])
	p.see(".boxes", code[4:5])
	if got := codes(k); got != "" {
		t.Errorf("five digits were sent: %s", got)
	}
	p.taps(code[5:])
	p.see("till-done .quantity", "Paid offline: to be confirmed")
	p.see("till-done .giant", "€12.50")
	p.click(`till-done [data-key="next"]`)
	p.see(".pill", "4 to confirm")
	p.click(".pill")
	p.see("dialog", "Lightning: 4 paid offline, €53.70, not confirmed yet")
	p.click("dialog header button", `[data-key="more"]`, "dialog .menu button:nth-child(2)")
	p.see("dialog .row", "Lightning (offline)")
	if done := k.desk.Done(); len(done) != 1 || done[0].Payments[0].State != pos.Accepted || codes(k) != code {
		t.Errorf("got %+v, codes %s", done, codes(k))
	}
}

// TestOfflineWrongCodes types three wrong codes: the cashier is told how many tries
// are left, then is locked out, and a manager types the right one.
func TestOfflineWrongCodes(t *testing.T) {
	k := serve(t)
	p := tabOf(t, k, "/", 800, 480)
	p.signIn("p2", "2222")
	due(t, k, p)
	p.taps("111111")
	p.see("till-code .hint", "Wrong code. 2 tries left.")
	p.key("22")
	p.key("\b") // taken back
	p.key("22222")
	p.see("till-code .hint", "Wrong code. One try left.")
	p.see(".boxes .next", "")
	p.taps("333333")
	p.see(".codelock", "A manager must type it")
	p.wait(`!document.querySelector(".codekeys").checkVisibility()`)
	p.shot("locked")
	p.key(webtest.Code(417)) // the keyboard is locked as well
	p.click(`.codelock [data-key="manager"]`)
	p.signIn("p1", ownerPIN)
	p.see("till-code .hint", "Read it off the phone yourself")
	p.key(webtest.Code(417))
	p.see("till-done .giant", "€12.50")
	if got := codes(k); got != "111111 222222 333333 "+webtest.Code(417) {
		t.Errorf("the desk heard %s", got)
	}
	asked := k.desk.Asked()
	if by := asked[len(asked)-1].By; by.Name != "Anna" {
		t.Errorf("%s typed the last one", by.Name)
	}
}

// TestOfflineScanner reads payers' pages: of another sale, with the focus on a
// button of consequence, in a dialog, in the search. Nothing of them is taken for a
// code that somebody typed; and an item's number is none either.
func TestOfflineScanner(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.wait("document.querySelectorAll('.tile').length > 20")
	due(t, k, p)
	p.burst(webtest.Scan(9) + "\r")
	p.see("till-code .hint", "Another sale's code. Not counted.")
	p.expect("409")
	p.expect("404")
	p.burst("9001234567894\r") // an item: the sale is being paid, and thirteen digits are no code
	p.see(".toast", "being paid")
	p.burst("400123\r") // six digits, but a scanner's, which ends at once
	p.wait(`document.querySelector(".boxes").innerText.trim() === ""`)
	p.click(`[data-key="next"]`) // another customer meanwhile
	p.see("till-cart", "Tap an item")
	p.burst(webtest.Scan(417) + "\r")
	p.see(".toast", "This code belongs to #0401. Open that sale first.")
	p.burst(webtest.Scan(8) + "\r")
	p.see(".toast", "No open sale waits for this code.")
	p.wait(`document.querySelector("till-items input").value === ""`)
	p.click(".toast", ".tab.open")
	p.see("till-open .card small", "waits for the code of request #0417")
	p.click("till-open .card")
	p.see("till-wait .ref", "#0417")
	p.burst("900123456789") // an item by a scanner that sends no Enter
	eval[bool](p, `document.querySelector('[data-key="cancel"]').focus() ?? true`)
	p.click(".pill")
	p.see("dialog", "Status")
	p.burst(webtest.Scan(417) + "\r") // with the focus on the dialog's own button
	p.see("till-done .giant", "€12.50")
	if got := codes(k); got != webtest.Scan(9)+" "+webtest.Scan(417) {
		t.Errorf("the desk heard %s", got)
	}
	if n := k.desk.Done()[0].WrongCodes; n != 0 {
		t.Errorf("%d wrong codes are counted", n)
	}
}

// TestOfflineForms shows the code of a phone's camera, and the wallet's again.
func TestOfflineForms(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	due(t, k, p)
	p.see(".forms", "Wallet cannot read it? The camera code opens a web page.")
	qr := func() string { return k.desk.View().Customer.QR[:5] }
	for _, row := range []struct{ key, want string }{{"camera", "https"}, {"wallet", "LNURL"}} {
		p.click(`[data-key="` + row.key + `"]`)
		p.wait(`document.querySelector('[data-key="` + row.key + `"]').getAttribute("aria-pressed") === "true"`)
		if got := qr(); got != row.want {
			t.Errorf("%s shows %s", row.key, got)
		}
	}
}

// TestOfflineCancel withdraws a request that nobody can withdraw: the cashier reads
// why, shows it again, and a manager goes on. The customer comes back with the code
// all the same.
func TestOfflineCancel(t *testing.T) {
	k := serve(t)
	p := tabOf(t, k, "/", 800, 480)
	p.signIn("p2", "2222")
	due(t, k, p)
	p.expect("503")
	p.click(`[data-key="cancel"]`)
	p.see("till-wait .state", "Not stopped")
	p.see("till-wait .words", "nobody can stop the customer from paying")
	p.see(`[data-key="despite"]`, "A manager must sign in")
	p.wait(`!document.querySelector(".toast").innerText`)
	p.click(`till-wait [data-key="again"]`)
	p.see("till-wait .clock", "left")
	if c := k.desk.View().Customer; c.Counter != "#0417" || c.Phase != pos.PhaseDue {
		t.Errorf("the customer sees %+v", c)
	}
	p.click(`[data-key="cancel"]`)
	p.see("till-wait .state", "Not stopped")
	p.click(".who")
	p.signIn("p1", ownerPIN)
	p.click(`[data-key="despite"]`, `[data-key="despite"]`)
	p.click(`till-pay [data-key="code"]`)
	p.see("till-wait .ref", "#0417")
	p.click(`till-wait [data-key="back"]`, `till-pay [data-key="code"]`)
	p.key(webtest.Code(417))
	p.see("till-done .giant", "€12.50")
	if ps := k.desk.Done()[0].Payments; len(ps) != 1 || !ps[0].Taken {
		t.Errorf("got %+v", ps)
	}
}

// TestOfflineEnded lets a request's time pass: the old code is still taken, and a
// new request may be made.
func TestOfflineEnded(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	due(t, k, p)
	k.desk.Later(webtest.RequestLife)
	p.see("till-wait .words", "The time is up")
	p.click(`till-wait [data-key="again"]`)
	p.see("till-wait .ref", "#0418")
	p.key(webtest.Code(417)) // for the first one
	p.see("till-done .giant", "€12.50")
}

// TestOfflineRefused greys the button where a manager has to agree, where the sale
// is too large, and where it cannot be, each with its reason.
func TestOfflineRefused(t *testing.T) {
	k := serve(t)
	p := tabOf(t, k, "/", 800, 480)
	p.signIn("p2", "2222")
	p.key("1250\r")
	p.see("till-foot .money", "€12.50")
	p.click(".pay")
	button := `[data-key="tender lightning"]`
	grey := func(why string) {
		t.Helper()
		p.see(button, why)
		p.wait(fmt.Sprintf("document.querySelector(%q).disabled", button))
	}
	k.desk.Cut(pos.PreferOnline, "")
	grey("A manager must sign in")
	k.desk.Cut(pos.AllowOffline, "The limit is reached.")
	grey("The node does not answer. The limit is reached.")
	k.desk.Cut("", "")
	p.see(button, "Lightning")
	k.desk.Cut(pos.AllowOffline, "")
	p.see(".tender.off b", "Lightning")
	p.click(`till-pay [data-key="back"]`)
	p.key("20000\r")
	p.see("till-foot .money", "€212.50")
	p.click(".pay")
	grey("at most €150.00")
	p.click(".who")
	p.click(`[data-key="p2"]`)
	p.burst(webtest.Scan(417) + "\r") // nobody is signed in: no PIN is tried
	p.see("till-sign-in .hint", "Your PIN")
	p.wait(`!document.querySelector("till-pin .full")`)
	p.click(`[data-key="p1"]`) // a manager may what a cashier may not
	p.signIn("p1", ownerPIN)
	k.desk.Cut(pos.PreferOnline, "")
	p.click(".pay", `[data-key="other"]`)
	p.key("1000")
	p.click(`.choices [data-key="tender lightning"]`)
	p.see("till-wait .sum", "€10.00")
}

// TestCodeUnanswered loses the till's answer to a code. Typed again it goes out
// under the same key, so that a wrong one counts once.
func TestCodeUnanswered(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	due(t, k, p)
	eval[bool](p, `(f => { window.fetch = async (...a) => { await f(...a); if (String(a[0]).endsWith("/codes")) throw new TypeError("line"); return f(...a); }; window.back = () => { window.fetch = f; }; return true; })(window.fetch)`)
	eval[bool](p, "(now => { Date.now = () => now; return true; })(Date.now())") // it is once for half a minute, in which a slow driver does not type it again
	p.taps("111111")
	p.see("till-code .hint", "Type it again: it counts once.")
	eval[bool](p, "window.back() ?? true")
	p.taps("111111")
	p.see("till-code .hint", "Wrong code. 2 tries left.")
	if n := k.desk.View().Counter.Current.WrongCodes; n != 1 {
		t.Errorf("%d wrong codes, want 1", n)
	}
}

// TestClockOfThePage sets the page's own clock an hour on and back: the countdown
// goes by the till's.
func TestClockOfThePage(t *testing.T) {
	minutes := regexp.MustCompile(`^[0-4]:\d\d`) // of five, and not an hour more or none
	k := serve(t)
	p := cashier(t, k)
	p.key("500\r")
	p.see("till-foot .money", "€5.00")
	p.click(".pay", `[data-key="tender lightning"]`)
	p.see("till-wait .clock", "left")
	for _, hour := range []string{"3600e3", "-3600e3"} {
		eval[bool](p, `(d => { const now = Date.now; Date.now = () => now.call(Date) + d; return true; })(`+hour+`)`)
		p.wait(`/^[0-5]:\d\d/.test(document.querySelector("till-wait .clock").textContent)`)
		before := eval[string](p, `document.querySelector("till-wait .clock").textContent`)
		p.wait(`document.querySelector("till-wait .clock").textContent !== ` + quote(before)) // the next second
		if got := eval[string](p, `document.querySelector("till-wait .clock").textContent`); !minutes.MatchString(got) {
			t.Errorf("the clock says %s", got)
		}
	}
}

// TestReceiptTimes lists receipts in the shop's time, wherever the page is.
func TestReceiptTimes(t *testing.T) {
	at := time.Date(2026, 7, 1, 22, 30, 0, 0, time.UTC) // half past midnight in Vienna
	k := serve(t)
	k.desk.Now = func() time.Time { return at }
	p := cashier(t, k)
	p.key("500\r")
	p.see("till-foot .money", "€5.00")
	p.click(".pay", `[data-key="exact"]`, `till-done [data-key="next"]`, `[data-key="more"]`, "dialog .menu button:nth-child(2)")
	p.see("dialog .row small", "2026-07-02 00:30")
}

// TestChip says of each link that is down what it means for selling, and no more.
func TestChip(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	down := func(names ...string) {
		var links []pos.Link
		for _, n := range names {
			links = append(links, pos.Link{Name: n, State: "offline"})
		}
		k.desk.Links(links, pos.Sync{Enrolled: true})
	}
	for _, row := range []struct{ down, want string }{
		{"clock", "Check the clock"}, {"screens", "A screen is cut off"}, {"backoffice", "Head office: offline"}, {"clock rates", "Exchange rates: offline"},
		{"usdc-base", "USDC on Base: offline"}, {"usdc-base usdc-solana clock", "Base, Solana: offline"}, {"usdc-base usdc-solana usdc-polygon", "Base, Solana +1: offline"}, {"usdc-polygon usdt-polygon", "Polygon: offline"},
		{"rates usdc-base usdc-solana", "Exchange rates +2: offline"}, {"node rates backoffice", "Payment node +2: offline"}, {"screens printer", "Printer: offline"}, {"", "All safe"},
	} {
		down(strings.Fields(row.down)...)
		p.see(".pill", row.want)
	}
	k.desk.Offer(nil)
	k.desk.Grey(webtest.Lightning, "no line")
	down("internet")
	p.see(".pill", "Offline, cash OK")
	k.desk.Cut(pos.AllowOffline, "")
	p.see(".pill", "Offline, sales OK")
}

// TestDigitsBeforeItem types before an item is tapped: one digit is its pieces, an
// amount goes into the basket first. Nothing typed is lost.
func TestDigitsBeforeItem(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.key("3")
	p.click(".tab.items")
	p.tile("Espresso")
	p.see("till-cart .qty", "3 ×")
	p.click(".tab.keypad")
	p.key("120")
	p.click(".tab.items")
	p.tile("Croissant")
	p.see("till-foot .money", "€12.50")
	var got []string
	for _, l := range k.desk.View().Counter.Current.Lines {
		got = append(got, fmt.Sprint(l.Qty/1000, l.Name, l.Total.Minor))
	}
	if s := strings.Join(got, " "); s != "3Espresso870 1Amount120 1Croissant260" && s != "3 Espresso 870 1 Amount 120 1 Croissant 260" {
		t.Errorf("got %s", s)
	}
}
