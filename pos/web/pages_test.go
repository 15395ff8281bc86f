package web

import (
	"net"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/web/webtest"
)

// TestSetUp walks the first day by touch alone: owner's PIN twice, once wrong,
// no head office, first sale.
func TestSetUp(t *testing.T) {
	staff := webtest.NewStaff()
	k := serve(t, func(o *Options) { o.Staff = staff })
	l := &looker{tab: tabOf(t, k, "/", 800, 480)}
	l.see("h1", "Set up this till") // the till has nobody: the cashier's page leads here
	l.look("1-owner")
	pin := func(digits string) {
		for _, d := range digits {
			l.click(pinKey(d))
		}
		l.click("till-pin .go")
	}
	pin("1234")
	l.see(".hint", "PIN once more")
	pin("1235")
	l.see(".hint", "differ")
	pin("1234")
	l.see(".hint", "PIN once more")
	pin("1234")
	l.see("h1", "head office")
	l.look("2-office")
	l.run(sendKeys("input[type=url]", "https://office.example.com"), sendKeys(".field:nth-child(2) input", "WRONG"))
	l.expect("403")
	l.click("form .go")
	l.see(".hint", "does not know this code")
	l.run(setValue(".field:nth-child(2) input", "OFFICE"))
	l.click("form .go")
	l.see(".hint", "Connected")
	l.click("main > button")
	l.see("h1", "Ready to sell")
	l.look("3-ready")
	l.click("main > button")
	l.see("till-foot .pay", "Pay")
	if who := staff.Names(); len(who) != 1 || who[0].Role != pos.Owner || who[0].Name != "Owner" {
		t.Errorf("got %+v", who)
	}
}

// TestDisplayPage follows a sale on the customer's page: the picture changes, a
// phone is offered its wallet, and a lost till leaves no amount standing.
func TestDisplayPage(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	p := tabOf(t, k, "/display", 390, 844)
	src := func(not string) string {
		p.wait("document.querySelector('.picture')?.src.includes('?') && document.querySelector('.picture').src !== " + quote(not))
		return eval[string](p, "document.querySelector('.picture').src")
	}
	idle := src("")
	sale := k.want(201, "POST", "/v1/sales/current/lines", `{"sku":"4001"}`).field("sale")
	p.wait("document.querySelector('.said').textContent.includes('€2.90')")
	basket := src(idle)
	k.want(201, "POST", "/v1/sales/"+sale+"/payments", `{"tender":"lightning"}`)
	p.wait("document.querySelector('.wallet').href.startsWith('lightning:LNBC')")
	due := src(basket)
	p.see(".wallet", "Pay with my wallet app")
	p.shot("1-due")
	k.desk.Move("", pos.Settle)
	p.wait("document.querySelector('.said').textContent.includes('PAID')")
	src(due)
	p.wait("document.querySelector('.wallet').hidden && !document.querySelector('.wallet').href")
	p.shot("2-paid")

	p.expect("ERR_")
	k.app.hub.close() // the till goes down
	p.see(".lost", "One moment, please")
	p.wait("!document.querySelector('.picture').checkVisibility()")
	p.shot("3-lost")
}

// TestTapForSound offers sound where the browser wants a tap for it, while nobody is being
// served: over a sum or a code it would stand in the customer's way.
func TestTapForSound(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	p := tabOf(t, k, "/display", 390, 844)
	mute := `window.AudioContext = class { state = "suspended"; resume() { return new Promise(() => {}); } }`
	if _, err := chromedp.Call(p.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: mute}); err != nil {
		t.Fatal(err)
	}
	p.run(navigate(k.url + "/display"))
	p.see(".sound", "Tap for sound")
	k.want(201, "POST", "/v1/sales/current/lines", `{"sku":"4001"}`)
	p.wait("document.querySelector('.sound').hidden")
}

// TestPaperPage shows the paper to who is signed in and to nobody else.
func TestPaperPage(t *testing.T) {
	k := serve(t)
	p := tabOf(t, k, "/paper", 800, 480)
	p.see("p", "Please sign in")
	p.run(navigate(k.url + "/"))
	p.signIn("p1", ownerPIN)
	p.run(navigate(k.url + "/paper"))
	p.wait("document.querySelector('img')?.naturalWidth === 800")
	p.shot("paper")
}

// far is a listener whose clients come from another machine.
type far struct{ net.Listener }

func (f far) Accept() (net.Conn, error) {
	c, err := f.Listener.Accept()
	return from{c, "192.168.1.9"}, err
}

// TestSetUpFromElsewhere sets a new till up from another machine: without the code
// it is refused with the remedy, with it the day begins.
func TestSetUpFromElsewhere(t *testing.T) {
	staff := webtest.NewStaff()
	k := serveOn(t, func(ln net.Listener) net.Listener { return far{ln} }, func(o *Options) { o.Staff = staff })
	l := &looker{tab: tabOf(t, k, "/setup", 800, 480)}
	l.see("h1", "Set up this till")
	pin := func(digits string) {
		for range 2 {
			for _, d := range digits {
				l.click(pinKey(d))
			}
			l.click("till-pin .go")
		}
	}
	l.expect("403")
	pin("1234")
	l.see(".hint", "type the set-up code")
	l.look("1-code")
	l.run(sendKeys(".field:nth-of-type(2) input", k.app.code))
	pin("1234")
	l.see("h1", "head office")
	if who := staff.Names(); len(who) != 1 || who[0].Role != pos.Owner {
		t.Errorf("got %+v", who)
	}
}
