package web

import (
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// TestCoinUnverified goes on by the customer's word: a cashier needs a manager where the
// owner says so; the button asks twice; and nothing says that it is paid.
func TestCoinUnverified(t *testing.T) {
	k := serve(t)
	p := tabOf(t, k, "/", 800, 480)
	p.signIn("p2", "2222")
	p.key("500\r")
	p.see("till-foot .money", "€5.00")
	k.desk.CutCoins(pos.PreferOnline)
	p.click(".pay")
	p.wait(`document.querySelector('[data-key="token *"]').disabled`) // it needs a manager
	p.see(`[data-key="token *"]`, "A manager must sign in")
	k.desk.CutCoins(pos.AllowOffline)
	p.see("till-pay .why", "the customer needs signal")
	p.shot("trust-pay")
	k.desk.CutCoins("")
	p.wait(`!document.querySelector('[data-key="token EURC"]').disabled`)
	p.click(`[data-key="token EURC"]`)
	p.see("till-wait .state", "Waiting for EURC on Base")
	p.wait(`!document.querySelector('[data-key="trust"]')`)
	k.desk.CutCoins(pos.PreferOnline)
	p.see(`[data-key="trust"]`, "A manager must sign in")
	p.wait(`document.querySelector('[data-key="trust"]').disabled`)
	k.desk.CutCoins("")
	p.wait(`!document.querySelector('[data-key="trust"]')`)
	k.desk.CutCoins(pos.AllowOffline)
	p.wait(`!document.querySelector('[data-key="trust"]').disabled`)
	p.see(`[data-key="trust"]`, "Customer paid: go on, unverified")
	p.shot("trust")
	p.click(`[data-key="trust"]`)
	p.see(`[data-key="trust"]`, "Yes, I have seen it")
	p.see("till-wait .why", "the shop bears the loss")
	p.shot("trust-sure")
	p.click(`[data-key="trust"]`)
	p.see("till-done .state", "Not verified yet")
	p.see("till-done .quantity", "as soon as its network answers")
	p.shot("trust-done")
	if v := k.desk.View(); v.Customer.Phase != pos.PhaseChecking || v.Counter.LastDone == nil {
		t.Errorf("the customer sees %+v", v.Customer)
	}
}

// TestUnverifiedCall makes the call without a page.
func TestUnverifiedCall(t *testing.T) {
	k := serve(t)
	k.signIn("p2", "2222")
	k.want(404, "POST", "/v1/sales/current/payments/a%20b/unverified", `{}`)
	k.want(400, "POST", "/v1/sales/current/payments/S-1/unverified", `{"sure":true}`)
	k.want(201, "POST", "/v1/sales/current/lines", `{"price":{"minor":"500","decimals":2,"currency":"EUR"}}`)
	k.want(201, "POST", "/v1/sales/current/payments", `{"tender":"eurc-base"}`)
	id := string(k.desk.View().Counter.Current.Payments[0].ID)
	k.want(409, "POST", "/v1/sales/current/payments/"+id+"/unverified", `{}`)
	k.desk.CutCoins(pos.PreferOnline)
	k.want(403, "POST", "/v1/sales/current/payments/"+id+"/unverified", `{}`)
	k.desk.CutCoins(pos.AllowOffline)
	k.want(200, "POST", "/v1/sales/current/payments/"+id+"/unverified", `{}`)
	if s := k.desk.View().Counter.LastDone; s == nil || !s.Payments[0].OnTrust() {
		t.Errorf("the last sale is %+v", s)
	}
}
