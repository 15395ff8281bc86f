package web

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/web/webtest"
)

// basket rings 12.50 up and returns the sale.
func (k *till) basket() string {
	k.Helper()
	return k.want(201, "POST", "/v1/sales/current/lines", `{"price":`+price+`}`).field("sale")
}

// invited is what a screen where nobody is signed in is told of a choice.
func (k *till) invited() *choice {
	k.Helper()
	var v struct{ Choice *choice }
	if err := json.Unmarshal(k.stranger().want(200, "GET", "/v1/view", "").body, &v); err != nil {
		k.Fatal(err)
	}
	return v.Choice
}

// stranger is the till as somebody without a session sees it.
func (k *till) stranger() *till { return &till{TB: k.TB, app: k.app, url: k.url, desk: k.desk} }

// choose taps as a stranger.
func (k *till) choose(status int, id, tender string, heads ...string) reply {
	k.Helper()
	return k.stranger().want(status, "POST", "/v1/choices", `{"id":"`+id+`","tender":"`+tender+`"}`, heads...)
}

func (k *till) invite(status int) {
	k.Helper()
	k.want(status, "PUT", "/v1/sales/current/choice", `{"open":true}`)
}

// payments counts the payments that were asked for.
func (k *till) payments() (n int) {
	for _, c := range k.desk.Asked() {
		if _, ok := c.Do.(pos.Pay); ok {
			n++
		}
	}
	return n
}

// TestChoice walks an invitation: nobody chooses before it, the customer chooses once,
// and the cashier who invited made the payment.
func TestChoice(t *testing.T) {
	k := serve(t)
	k.signIn("p2", "2222")
	k.basket()
	if c := k.invited(); c != nil {
		t.Fatalf("invited before anybody did: %+v", c)
	}
	k.desk.Grey("usdc-solana", "no line")
	k.invite(200)
	c := k.invited()
	if c == nil || c.Due.Minor != 1250 || len(c.Tenders) != len(webtest.Coins)-1 || c.Tenders[0] != (choiceTender{"usdc-base", "USDC", "Base"}) {
		t.Fatalf("got %+v", c)
	}
	for _, tender := range []string{"cash", "lightning", "usdc-solana", "", "usdc-base2"} {
		k.choose(400, c.ID, tender)
	}
	k.choose(409, c.ID[1:]+"A", "usdc-base")
	k.choose(403, c.ID, "usdc-base", "Origin", "http://elsewhere.example")
	if n := k.payments(); n != 0 {
		t.Fatalf("%d payments began", n)
	}
	k.choose(201, c.ID, "usdc-base")
	k.choose(409, c.ID, "usdc-polygon")
	k.choose(409, c.ID, "usdc-base")
	asked := k.desk.Asked()
	last := asked[len(asked)-1]
	if k.payments() != 1 || last.By.Name != "Ben" || last.Do != (pos.Pay{Sale: c.Sale, Tender: "usdc-base", Amount: 1250}) || k.invited() != nil {
		t.Errorf("%d payments, the last %+v", k.payments(), last)
	}
	k.invite(409) // a payment is under way
}

// TestChoiceNeedsCashier holds that a stranger cannot invite.
func TestChoiceNeedsCashier(t *testing.T) {
	k := serve(t)
	k.signIn("p2", "2222")
	sale := k.basket()
	k.stranger().want(401, "PUT", "/v1/sales/"+sale+"/choice", `{"open":true}`)
	if k.invited() != nil {
		t.Error("a stranger invited")
	}
}

// TestChoiceEnds ends an invitation by everything that makes the sale another one. What
// was read off the screen before is worth nothing then, and does not come back.
func TestChoiceEnds(t *testing.T) {
	for name, change := range map[string]func(k *till, sale string){
		"a line more":        func(k *till, _ string) { k.basket() },
		"a line more, taken": func(k *till, _ string) { k.basket(); k.want(200, "PATCH", "/v1/sales/current/lines/2", `{"qty":0}`) },
		"put aside":          func(k *till, _ string) { k.want(201, "POST", "/v1/sales", `{}`) },
		"put aside and back": func(k *till, sale string) {
			k.want(201, "POST", "/v1/sales", `{}`)
			k.want(200, "PUT", "/v1/current-sale", `{"sale":"`+sale+`"}`)
		},
		"given up": func(k *till, sale string) { k.want(200, "DELETE", "/v1/sales/"+sale, "") },
		"paid":     func(k *till, sale string) { k.want(201, "POST", "/v1/sales/"+sale+"/payments", `{"tender":"cash"}`) },
		"asked for": func(k *till, sale string) {
			k.want(201, "POST", "/v1/sales/"+sale+"/payments", `{"tender":"lightning"}`)
		},
		"cancelled": func(k *till, sale string) {
			p := k.want(201, "POST", "/v1/sales/"+sale+"/payments", `{"tender":"lightning"}`).field("payment")
			k.want(200, "POST", "/v1/sales/"+sale+"/payments/"+p+"/cancellations", `{}`)
		},
		"stopped":        func(k *till, _ string) { k.want(200, "PUT", "/v1/sales/current/choice", `{"open":false}`) },
		"invited anew":   func(k *till, _ string) { k.invite(200) },
		"everything off": func(k *till, _ string) { k.desk.Offer(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			k := serve(t)
			k.signIn("p1", ownerPIN)
			sale := k.basket()
			k.invite(200)
			c := k.invited()
			change(k, sale)
			before := k.payments()
			if name == "everything off" {
				k.choose(400, c.ID, "usdc-base")
			} else {
				k.choose(409, c.ID, "usdc-base")
			}
			if now := k.invited(); now != nil && now.ID == c.ID {
				t.Errorf("the screens still show %+v", now)
			}
			if k.payments() != before {
				t.Error("a payment began")
			}
		})
	}
}

// TestChoiceInTime lets an invitation's time pass: the screens are told, and it is over.
func TestChoiceInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := webtest.NewDesk(webtest.Shop("en"), webtest.Items())
		var c choices
		h := newHub(d.View(), "", func(v pos.View) *choice { return c.of(v, time.Now()) })
		d.Publish = h.publish
		ctx, stop := t.Context(), func() {}
		defer stop()
		_ = ctx
		eur := webtest.Shop("en").Currency
		v := d.View()
		v.Counter.Current = &pos.SaleView{Sale: pos.Sale{ID: "S1", State: pos.Draft}, Due: eur.Of(500)}
		v.Customer.Sale = "S1"
		h.publish(v)
		c.invite(&invitation{id: "i", sale: "S1", due: eur.Of(500), state: pos.Draft, until: time.Now().Add(choiceLife)}, h.retell)
		h.retell()
		f, changed, _ := h.current()
		if f.choice == nil || f.choice.ID != "i" {
			t.Fatalf("got %+v", f.choice)
		}
		time.Sleep(choiceLife - time.Second)
		synctest.Wait()
		if _, _, ok := c.take("j", v, time.Now()); ok {
			t.Error("another one's was taken")
		}
		select {
		case <-changed:
			t.Error("it ended early")
		default:
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if f, _, _ := h.current(); f.choice != nil {
			t.Errorf("after its time the screens show %+v", f.choice)
		}
		if _, _, ok := c.take("i", v, time.Now()); ok {
			t.Error("it was taken after its time")
		}
	})
}

// TestChoiceFails keeps an invitation whose payment could not be made: the customer taps
// another one.
func TestChoiceFails(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	k.basket()
	k.invite(200)
	c := k.invited()
	k.desk.Refuse(pos.E("pay", pos.Unavailable, "Base does not answer"))
	if got := k.choose(503, c.ID, "usdc-base").field("detail"); !strings.Contains(got, "Base does not answer") {
		t.Errorf("got %s", got)
	}
	k.desk.Refuse(nil)
	if now := k.invited(); now == nil || now.ID != c.ID {
		t.Fatalf("got %+v", now)
	}
	k.choose(201, c.ID, "usdc-polygon")
}

// TestChoiceTwice taps from two screens at once while the till is slow: one payment.
func TestChoiceTwice(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	k.basket()
	k.invite(200)
	c := k.invited()
	release := k.desk.Stall()
	got := make(chan int, 2)
	for _, tender := range []string{"usdc-base", "usdc-polygon"} {
		go func() {
			got <- k.stranger().ask("POST", "/v1/choices", `{"id":"`+c.ID+`","tender":"`+tender+`"}`).StatusCode
		}()
	}
	first := <-got // the one that found nothing
	release()
	both := []int{first, <-got}
	slices.Sort(both)
	if both[0] != 201 || both[1] != 409 || k.payments() != 1 {
		t.Errorf("got %v, %d payments", both, k.payments())
	}
}

// TestChoiceSlowly guesses invitations: it is slowed down as PINs are.
func TestChoiceSlowly(t *testing.T) {
	k := serve(t)
	k.slowly()
	for range signInBurst {
		k.choose(409, "guess", "usdc-base")
	}
	if r := k.choose(429, "guess", "usdc-base"); r.Header.Get("Retry-After") == "" {
		t.Error("it does not say how long to wait")
	}
}

// TestForms shows a request in its forms over the API, each as documented.
func TestForms(t *testing.T) {
	k := serve(t)
	k.signIn("p2", "2222")
	sale := k.basket()
	k.want(409, "PUT", "/v1/sales/current/form", `{"form":"address"}`)
	k.want(201, "POST", "/v1/sales/"+sale+"/payments", `{"tender":"usdc-solana"}`)
	for _, row := range []struct{ form, qr string }{{"other", "solana:"}, {"address", "mvines9"}, {"standard", "solana:"}} {
		k.want(200, "PUT", "/v1/sales/"+sale+"/form", `{"form":"`+row.form+`"}`)
		if c := k.desk.View().Customer; c.Form != row.form || !strings.HasPrefix(c.QR, row.qr) || c.Token != "USDC" || c.Chain != "Solana" {
			t.Errorf("%s: got %+v", row.form, c)
		}
	}
	k.want(409, "PUT", "/v1/sales/current/form", `{"form":"metamask"}`)
	k.want(200, "GET", "/v1/view", "") // token, chain, tail, form, forms: all in the document
	k.stranger().want(401, "PUT", "/v1/sales/current/form", `{"form":"address"}`)
}

// TestChoiceTakenBack: what a cashier withdrew while the customer tapped does not come back
// when the tap fails.
func TestChoiceTakenBack(t *testing.T) {
	var c choices
	sale := pos.SaleView{Sale: pos.Sale{ID: "s", State: pos.Draft}}
	v := pos.View{Counter: pos.Counter{Current: &sale}, Customer: pos.Customer{Sale: "s"}}
	i := &invitation{id: "x", sale: "s", state: pos.Draft, until: time.Now().Add(time.Minute)}
	for withdrawn, want := range map[bool]bool{false: true, true: false} {
		c.invite(i, func() {})
		_, back, ok := c.take("x", v, time.Now())
		if !ok {
			t.Fatal("not taken")
		}
		if withdrawn {
			c.invite(nil, nil)
		}
		back()
		if _, _, ok := c.take("x", v, time.Now()); ok != want {
			t.Errorf("withdrawn %v: taken again %v", withdrawn, ok)
		}
	}
}
