package web

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/web/webtest"
)

// TestCoinInThreeTaps takes USDC on Base: Pay, the token, the network. The cashier goes
// through the forms that the display shows, and withdraws the request.
func TestCoinInThreeTaps(t *testing.T) {
	k := serve(t)
	p := tabOf(t, k, "/", 1024, 600)
	p.signIn("p1", ownerPIN)
	p.key("1695\r")
	p.see("till-foot .money", "€16.95")
	p.click(".pay", `[data-key="token USDC"]`, `[data-key="tender usdc-base"]`)
	p.see("till-wait .state", "Waiting for USDC on Base")
	p.see("till-wait .sum", "€16.95")
	p.see("till-wait .of", "18.3061 USDC on Base")
	p.see("till-wait .soft", "Address ends in d8976F")
	for _, row := range []struct{ button, shows, form string }{
		{"Wallet does not read it? Show the address only", "the address only. The customer types exactly 18.3061 USDC.", "address"},
		{"The customer has MetaMask? Show its code", "MetaMask's code, for the phone's camera.", "metamask"},
		{"The customer has Trust Wallet? Show its code", "Trust Wallet's code, for the phone's camera.", "trust"},
		{"Show the usual code again", "the usual code.", "standard"},
	} {
		p.see(`[data-key="form"]`, row.button)
		p.click(`[data-key="form"]`)
		p.see("till-wait .words", "On the display: "+row.shows)
		if c := k.desk.View().Customer; c.Form != row.form {
			t.Errorf("%s: the customer sees %s", row.button, c.Form)
		}
	}
	p.click(`[data-key="cancel"]`)
	p.see("till-pay .why", "withdrawn")
	p.see(`[data-key="token USDC"]`, "Base, Solana")
	if ps := k.desk.View().Counter.Current.Payments; len(ps) != 1 || ps[0].Tender != "usdc-base" || ps[0].State != pos.Cancelled {
		t.Errorf("got %+v", ps)
	}
}

// TestCoinGrey greys what cannot be had: a network with its reason, a token when none of
// its networks is ready; a token with one network is taken at once.
func TestCoinGrey(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.key("500\r")
	p.see("till-foot .money", "€5.00")
	k.desk.Grey("usdc-solana", "Solana does not answer. Check the internet.")
	k.desk.Grey("usdt-polygon", "No exchange rate now")
	k.desk.Peg("EURC", "EURC is charged at 0.9931")
	p.click(".pay")
	p.see(`[data-key="token USDT"]`, "No exchange rate now")
	p.wait(`document.querySelector('[data-key="token USDT"]').disabled`)
	p.see(`[data-key="token EURC"]`, "charged at 0.9931")
	p.click(`[data-key="token USDC"]`)
	p.see("till-pay .lead", "USDC on which network? Ask the customer.")
	p.see(`[data-key="tender usdc-base"]`, "lowest fee")
	p.see(`[data-key="tender usdc-solana"]`, "Solana does not answer. Check the internet.")
	p.wait(`document.querySelector('[data-key="tender usdc-solana"]').disabled`)
	if got := eval[string](p, `[...document.querySelectorAll("till-pay .tenders b")].map(e => e.innerText).join(" ")`); got != "Base Solana Polygon Ethereum" {
		t.Errorf("the order is %s", got)
	}
	k.desk.Grey("usdc-solana", "")
	p.wait(`!document.querySelector('[data-key="tender usdc-solana"]').disabled`)
	p.click(`[data-key="back"]`, `[data-key="token EURC"]`)
	p.see("till-wait .state", "Waiting for EURC on Base")
	p.click(`[data-key="cancel"]`)
	for _, c := range webtest.Coins {
		k.desk.Grey(c.Tender, "no line to "+c.Chain)
	}
	p.see(`[data-key="token *"]`, "No network ready")
	p.wait(`document.querySelector('[data-key="token *"]').disabled`)
}

// TestCoinNoted offers a token of several networks that the cashier should know something
// of: its button names the networks, marked; the warning is read where there is room, and
// on every screen when the token is chosen. More than one line is down: the pill says so.
func TestCoinNoted(t *testing.T) {
	for _, row := range []struct {
		lang string
		w, h int64
		dark bool
	}{{"en", 800, 480, false}, {"de", 800, 480, true}, {"en", 1280, 800, false}, {"de", 390, 844, false}, {"pt", 1024, 600, false}} {
		t.Run(fmt.Sprint(row.lang, row.w), func(t *testing.T) {
			k, desk := serveIn(t, row.lang)
			l := &looker{tab: tabOf(t, k, "/", row.w, row.h), panel: row.w == 800, lang: row.lang}
			l.night(row.dark)
			l.signIn("p1", ownerPIN)
			desk.Offer(append([]webtest.Coin{{Tender: "usdt-ethereum", Token: "USDT", Chain: "Ethereum"}, {Tender: "usdt-tron", Token: "USDT", Chain: "Tron"}}, webtest.Coins...))
			desk.Peg("USDT", l.word("usdt_eu"))
			desk.Peg("EURC", l.word("peg_below", "token", "EURC", "price", "0.9931"))
			desk.Links([]pos.Link{{Name: "rates", State: "offline"}, {Name: "usdc-solana", State: "offline"}, {Name: "usdc-ethereum", State: "offline"}}, pos.Sync{Enrolled: true})
			l.see(".pill", "+2: ")
			l.key("1695\r")
			l.see("till-foot .money", "16")
			l.click(".pay")
			button := `[data-key="token USDT"]`
			l.wait("document.querySelector(" + quote(button+" .warn") + ")")
			if row.w > 900 {
				l.see(button, "Ethereum, Tron, Polygon")
				l.see(button, l.word("usdt_eu"))
				l.see(`[data-key="token EURC"]`, "Base")
			} else {
				l.see(button, l.word("ui.networks_n", "n", "3"))
			}
			l.see(`[data-key="token EURC"]`, "0.9931") // one network: it is taken at once
			l.look("1-coins")
			l.click(button)
			l.see("till-pay .why", l.word("usdt_eu"))
			l.see(`[data-key="tender usdt-ethereum"]`, l.word("ui.cheapest"))
			l.look("2-networks")
		})
	}
}

// TestManyCoins asks for the token first where there are more than fit beside each other,
// and pays a part with one.
func TestManyCoins(t *testing.T) {
	k := serve(t)
	k.desk.Offer(webtest.MoreCoins)
	p := cashier(t, k)
	p.key("2000\r")
	p.see("till-foot .money", "€20.00")
	p.click(".pay", `[data-key="token *"]`)
	p.see("till-pay .lead", "Which one does the customer have?")
	p.click(`[data-key="token USDC"]`, `[data-key="back"]`)
	p.see("till-pay .lead", "Which one")
	p.click(`[data-key="back"]`, `[data-key="other"]`)
	p.key("500")
	p.click(`.choices [data-key="token *"]`, `[data-key="token USDC"]`, `[data-key="tender usdc-polygon"]`)
	p.see("till-wait .sum", "€5.00")
	k.desk.Move("", pos.Settle)
	p.see("till-foot .label", "Still due")
	p.see("till-pay .huge", "€15.00")
}

// TestCoinPartPaid is told that a part came and the rest is asked for, and of a wallet
// that reads Solana's amounts wrongly.
func TestCoinPartPaid(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.key("1000\r")
	p.see("till-foot .money", "€10.00")
	p.click(".pay", `[data-key="token USDC"]`, `[data-key="tender usdc-solana"]`)
	p.see("till-wait .why", "Trust Wallet on Solana may ask for 1,000 times")
	p.click(`[data-key="form"]`)
	p.see("till-wait .words", "the plain code")
	p.see("till-wait .why", "Trust Wallet")
	p.click(`[data-key="form"]`)
	p.see("till-wait .words", "types exactly 10.8001 USDC")
	p.wait(`!document.querySelector("till-wait .why")`)
	k.desk.Short(50)
	p.see("till-wait .why", "5.40005 USDC came. The display asks for the rest.")
	p.see("till-wait .of", "5.40005 USDC on Solana")
	p.see("till-wait .sum", "€5.00")
	k.desk.Move("", pos.Accept)
	p.see("till-wait .state", "on its way")
	p.wait(`!document.querySelector('[data-key="form"]')`)
	k.desk.Move("", pos.Settle)
	p.see("till-done .label", "USDC on Solana")
}

// TestCustomerChooses lets the customer choose on their own screen: token, network, done.
// The cashier may stop it; a basket that changes ends it.
func TestCustomerChooses(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	d := tabOf(t, k, "/display", 1024, 600)
	invite := func() {
		t.Helper()
		p.click(".pay", `[data-key="token USDC"]`, `[data-key="choose"]`)
		p.see("till-pay .why", "The customer is choosing on their screen")
		d.see(".choice h1", "What do you pay with?")
	}
	p.key("1250\r")
	p.see("till-foot .money", "€12.50")
	d.wait(`document.querySelector(".choice").hidden`)
	invite()
	d.shot("1-token")
	p.click(`[data-key="stop"]`)
	p.see(`[data-key="token USDC"]`, "4 networks")
	d.wait(`document.querySelector(".choice").hidden`)
	p.click(`till-pay [data-key="back"]`)
	invite()
	p.click(`till-pay [data-key="back"]`)
	p.key("100\r") // one thing more: another sale than the customer was asked about
	p.see("till-foot .money", "€13.50")
	d.wait(`document.querySelector(".choice").hidden`)
	invite()
	d.see(".choice .money", "€13.50")
	d.click(`[data-key="choose USDC"]`)
	d.see(".choice h1", "USDC: on which network?")
	d.shot("2-network")
	d.click(".choice .back", `[data-key="choose USDC"]`, `[data-key="choose Polygon"]`)
	p.see("till-wait .state", "Waiting for USDC on Polygon")
	d.wait(`document.querySelector(".choice").hidden`)
	d.wait(`document.querySelector(".said").textContent.includes("USDC on Polygon only")`)
	asked := k.desk.Asked()
	last := asked[len(asked)-1]
	if pay, ok := last.Do.(pos.Pay); !ok || pay.Tender != "usdc-polygon" || last.By.Name != "Anna" || len(k.desk.View().Counter.Current.Payments) != 1 {
		t.Errorf("got %+v", last)
	}
}

// TestCoinOnThePhone offers the wallet on a phone that shows the customer's page itself,
// and where only the address is shown, the address as text.
func TestCoinOnThePhone(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	p := tabOf(t, k, "/display", 390, 844)
	sale := k.want(201, "POST", "/v1/sales/current/lines", `{"sku":"4001"}`).field("sale")
	k.want(201, "POST", "/v1/sales/"+sale+"/payments", `{"tender":"usdc-base"}`)
	p.wait("document.querySelector('.wallet').href.startsWith('ethereum:0x833589') && document.querySelector('.wallet').href.includes('/transfer?address=0x71C7')")
	p.wait("document.querySelector('.address').hidden")
	k.want(200, "PUT", "/v1/sales/current/form", `{"form":"metamask"}`)
	p.wait("document.querySelector('.said').textContent.includes('USDC on Base only')")
	p.wait("document.querySelector('.address').hidden")
	k.want(200, "PUT", "/v1/sales/current/form", `{"form":"address"}`)
	p.see(".address", "0x71C7656EC7ab88b098defB751B7401B5f6d8976F")
	p.see(".wallet", "Pay with my wallet app") // it can do more than copy
	p.shot("address")
}

// lookAtCoins walks a stablecoin's payment through its states.
func lookAtCoins(desk *webtest.Desk, l *looker) {
	l.key("1695\r")
	l.see("till-foot .money", "16")
	l.click(".pay")
	l.see(`[data-key="token USDC"]`, "USDC")
	l.look("40-coins")
	desk.Grey("usdc-solana", "Solana does not answer. Check the internet.")
	desk.Grey("usdt-polygon", l.word("ui.no_rate"))
	l.click(`[data-key="token USDC"]`)
	l.look("41-networks")
	l.click(`[data-key="choose"]`)
	l.see(`[data-key="stop"]`, "")
	l.look("42-choosing")
	l.click(`[data-key="stop"]`, `[data-key="token USDC"]`, `[data-key="tender usdc-base"]`)
	l.see(`[data-key="form"]`, "")
	l.look("43-waiting")
	l.click(`[data-key="form"]`)
	l.see("till-wait .words", l.word("ui.form_is")+" "+l.word("ui.form_is.address", "amount", exactly(l.lang)))
	l.look("44-address")
	l.click(`[data-key="cancel"]`)
	desk.Grey("usdc-solana", "")
	l.click(`[data-key="token USDC"]`, `[data-key="tender usdc-solana"]`)
	l.see("till-wait .why", "Trust")
	l.look("45-solana")
	desk.Short(60)
	l.wait(`document.querySelectorAll("till-wait .why").length === 2`)
	l.look("46-part-paid")
	l.click(`[data-key="cancel"]`)
	desk.Offer(webtest.MoreCoins)
	l.see(`[data-key="token *"]`, "PYUSD")
	l.look("47-many")
	l.click(`[data-key="token *"]`)
	l.look("48-tokens")
	l.click(`[data-key="back"]`, `[data-key="other"]`)
	desk.Offer(webtest.Coins)
	l.key("500")
	l.see(`.choices [data-key="token *"]`, "EURC")
	l.look("49-part")
}

// exactly is how 18.3061 USDC is typed in lang.
func exactly(lang string) string {
	return strings.Replace("18.3061 USDC", ".", map[bool]string{true: ".", false: ","}[lang == "en"], 1)
}

// TestCoinLook looks at stablecoins on each screen, by day and by night, and in each
// language. The basket and Pay never move.
func TestCoinLook(t *testing.T) {
	for _, row := range []struct {
		lang string
		w, h int64
		dark bool
	}{{"en", 1024, 600, false}, {"en", 800, 480, false}, {"en", 390, 844, false}, {"en", 1280, 800, true}, {"de", 1024, 600, false}, {"de", 800, 480, true}, {"de", 390, 844, false}, {"es", 800, 480, false}, {"fr", 800, 480, false}, {"pt", 800, 480, false}} {
		t.Run(fmt.Sprint(row.lang, row.w), func(t *testing.T) {
			k, desk := serveIn(t, row.lang)
			l := &looker{tab: tabOf(t, k, "/", row.w, row.h), panel: row.w == 800, lang: row.lang}
			l.night(row.dark)
			l.signIn("p1", ownerPIN)
			lookAtCoins(desk, l)
		})
	}
}

// TestOtherMoney says what is known of a payment: why nobody sees it, while it waits; and
// that other money came, which is not the same as no answer.
func TestOtherMoney(t *testing.T) {
	k := serve(t)
	p := cashier(t, k)
	p.key("1000\r")
	p.see("till-foot .money", "€10.00")
	p.click(".pay", `[data-key="token USDC"]`, `[data-key="tender usdc-base"]`)
	p.see("till-wait .state", "Waiting for USDC on Base")
	k.desk.Unsure("The operators of Base contradict each other.")
	p.see("till-wait .why", "contradict each other")
	p.shot("1-unsure")
	k.desk.Unsure("")
	p.wait(`!document.querySelector("till-wait .why")`)
	k.desk.Astray("USDT", "Base", "10.8001 USDT came on Base instead of USDC on Base. A manager decides about it.")
	p.see("till-wait .state", "Not what was asked for")
	p.see("till-wait .words", "10.8001 USDT came on Base instead")
	p.see("till-wait .why", "The money did arrive")
	p.wait(`!document.querySelector('[data-key="take"]')`)
	p.wait(`!document.querySelector("till-wait").innerText.includes("No answer")`)
	p.wait(`!document.querySelector("till-wait").innerText.includes("Look at their phone")`)
	p.shot("2-stray")
}

// TestNoCoin says once, not once a token, that no stablecoin can be had, and why.
func TestNoCoin(t *testing.T) {
	k := serve(t)
	for _, c := range webtest.Coins {
		k.desk.Grey(c.Tender, "The internet is down.")
	}
	p := cashier(t, k)
	p.key("1250\r")
	p.see("till-foot .money", "€12.50")
	p.click(".pay")
	p.see(`[data-key="token *"]:disabled`, "The internet is down.")
	p.wait(`document.querySelectorAll(".coins .tender").length === 1`)
}
