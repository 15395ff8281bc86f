package web

import (
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// TestAstray: what was asked for came on another network. The cashier reads that the money
// is there, and which money; only a manager takes it as payment, after a question.
func TestAstray(t *testing.T) {
	k := serve(t)
	p := tabOf(t, k, "/", 800, 480)
	p.signIn("p2", "2222")
	p.key("290\r")
	p.see("till-foot .money", "€2.90")
	p.click(".pay", `[data-key="token USDC"]`, `[data-key="tender usdc-base"]`)
	p.see("till-wait .state", "Waiting for USDC on Base")
	k.desk.Astray("USDC", "Polygon", "3.1321 USDC came on Polygon instead of USDC on Base (address …d8976F). A manager decides about it.")
	p.see("till-wait .state", "Paid on another network")
	p.see("till-wait .why", "The money did arrive")
	p.see(`[data-key="take"]`, "A manager must sign in")
	p.wait(`document.querySelector('[data-key="take"]').disabled && document.querySelector('[data-key="despite"]').disabled`)
	p.shot("1-cashier")
	p.see(`[data-key="owed"]`, "A payment waits for a decision")
	p.click(".who")
	p.signIn("p1", ownerPIN)
	p.click(`[data-key="owed"]`)
	p.see("dialog", "Money to decide about")
	p.see("dialog", "It came on another network, as USDC on Polygon. Sale #0401 asked for USDC on Base.")
	p.wait(`!document.querySelector("dialog").innerText.includes("over already")`)
	p.see(`dialog [data-key="sell"]`, "Take it as payment")
	p.shot("2-dialog")
	p.click("dialog header button", `[data-key="despite"]`)
	p.see("till-wait .why", "pays a second time")
	p.shot("3-despite")
	p.click(`[data-key="take"]`)
	p.see("till-wait .why", "The shop keeps this money, USDC on Polygon")
	p.see(`[data-key="take"]`, "Yes, the sale is paid")
	p.shot("4-sure")
	k.desk.More(k.desk.Owed()[0].Payment, "4.0000 USDC") // and he reads on
	k.desk.Tell("paid", "news", "")
	p.see(`[data-key="take"]`, "Take it as payment") // what he was asked is not so any more
	p.click(`[data-key="take"]`)
	p.see(`[data-key="take"]`, "Yes, the sale is paid")
	k.desk.More(k.desk.Owed()[0].Payment, "5.0000 USDC") // before any screen knows
	p.expect("409")
	p.click(`[data-key="take"]`)
	p.see(".toast", "This is 5.0000 USDC by now, not what you read.")
	k.desk.Tell("paid", "more news", "")
	p.see(".notice", "more news")
	p.click(`[data-key="take"]`)
	p.see(`[data-key="take"]`, "Yes, the sale is paid")
	p.click(`[data-key="take"]`)
	p.see("till-done", "PAID")
	p.wait(`!document.querySelector('[data-key="owed"]')`)
	if done := k.desk.Done(); len(done) != 1 || len(done[0].Payments) != 2 || done[0].Payments[1].Network != "USDC on Polygon" {
		t.Errorf("sold %+v", done)
	}
	var got []string
	for _, c := range k.desk.Asked() {
		if do, ok := c.Do.(pos.Decide); ok {
			got = append(got, c.By.Name+" "+string(do.As)+" "+do.Note)
		}
	}
	if len(got) != 2 || !strings.HasSuffix(got[0], " as sale ") || got[0] != got[1] {
		t.Errorf("decided %q", got)
	}
}

// TestDecisionAsRead: a decision names what was read, exactly. Without that, or when it is
// not so any more, nothing is decided, and the answer says why.
func TestDecisionAsRead(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	k.desk.Owe(pos.RefundView{Payment: "S1-1", Tender: "lightning", Amount: webtestEUR(290), Came: "5800 sat", At: k.desk.Now(), Sells: true, Of: "#0412"})
	read := k.desk.Owed()[0].Exact
	const path = "/v1/refunds/S1-1/decisions"
	body := func(came string) string { return `{"as":"given back","note":"cash","came":"` + came + `"}` }
	for came, status := range map[string]int{"": 400, "5800 sat": 409, read + " ": 409} {
		if r := k.want(status, "POST", path, body(came)); r.field("detail") == "" {
			t.Errorf("%q: nothing is said", came)
		}
	}
	k.want(400, "POST", path, `{"as":"given back","note":"cash"}`)
	k.desk.More("S1-1", "5801 sat")
	if r := k.want(409, "POST", path, body(read)); !strings.Contains(r.field("detail"), "This is 5801 sat by now") {
		t.Errorf("the answer says %q", r.field("detail"))
	}
	k.want(201, "POST", path, body(k.desk.Owed()[0].Exact))
	if left := k.desk.Owed(); len(left) != 0 {
		t.Errorf("owed still: %+v", left)
	}
}

// TestAllowUnverified: a loss is read before a manager takes the tender unverified again.
func TestAllowUnverified(t *testing.T) {
	k := serve(t)
	k.desk.Loss("Not paid: 2.90 by USDC on Base for 01-000007 was taken unverified and did not come. Tell the owner.")
	p := tabOf(t, k, "/", 800, 480)
	p.signIn("p2", "2222")
	p.click(`[data-key="more"]`)
	p.see("dialog", "Take USDC on Base unverified again")
	p.wait(`document.querySelector('dialog [data-key="allow usdc-base"]').disabled`)
	p.click("dialog header button", ".who")
	p.signIn("p1", ownerPIN)
	p.click(`[data-key="more"]`)
	p.see("dialog", "Take USDC on Base unverified again")
	p.shot("menu")
	p.click(`dialog [data-key="allow usdc-base"]`)
	p.see("dialog", "2.90 by USDC on Base for 01-000007")
	p.shot("sheet")
	p.click(`dialog [data-key="allow"]`)
	p.wait(`!document.querySelector("dialog[open]")`)
	p.click(`[data-key="more"]`)
	p.see("dialog", "Receipts")
	p.wait(`!document.querySelector("dialog").innerText.includes("unverified again")`)
}
