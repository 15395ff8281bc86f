package web

import (
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// TestMeantSale asks about a sale that is not the one any more: refused with a sentence, or
// done already. Who names none means what is there, as before.
func TestMeantSale(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	at := func(want string) {
		t.Helper()
		if got := k.want(200, "GET", "/v1/sales/current", "").field("id"); got != want {
			t.Errorf("at the counter is %s, want %s", got, want)
		}
	}
	first := k.want(201, "POST", "/v1/sales", `{"sale":"none"}`).field("sale")
	second := k.want(201, "POST", "/v1/sales", `{"sale":"`+first+`"}`).field("sale")
	for _, late := range []string{first, "none"} {
		if r := k.want(409, "POST", "/v1/sales", `{"sale":"`+late+`"}`); r.field("detail") != pos.Word("en", "counter_moved") {
			t.Errorf("the cashier reads %s", r.body)
		}
	}
	at(second)
	k.want(404, "POST", "/v1/sales", `{"sale":"../x"}`)
	third := k.want(201, "POST", "/v1/sales", `{}`).field("sale")
	at(third)

	k.sell()
	done := k.desk.Done()[0].ID
	k.want(201, "POST", "/v1/next-customer", `{"sale":"`+string(done)+`"}`)
	k.sell()
	k.want(201, "POST", "/v1/next-customer", `{"sale":"`+string(done)+`"}`)
	if c := k.desk.View().Customer; c.Phase != pos.PhaseChange {
		t.Errorf("the next customer sees %s", c.Phase)
	}
	k.want(404, "POST", "/v1/next-customer", `{"sale":"`+first+`"}`) // not over
	k.want(201, "POST", "/v1/next-customer", `{}`)
	if c := k.desk.View().Customer; c.Phase != pos.PhaseIdle {
		t.Errorf("the customer sees %s", c.Phase)
	}
}

// sell takes twenty for a coffee from another screen.
func (k *till) sell() {
	k.Helper()
	k.want(201, "POST", "/v1/sales/current/lines", `{"sku":"4001"}`)
	k.want(201, "POST", "/v1/sales/current/payments", `{"tender":"cash","given":{"minor":"2000","decimals":2,"currency":"EUR"}}`)
}
