package web

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
)

// route is one row of the API: what is served, and what the document at
// /openapi.json says of it.
type route struct {
	method, path string // fiber's spelling: /v1/sales/:sale
	handle       fiber.Handler
	about        string
	need         pos.Role // empty: everybody
	strict       bool     // tries of a PIN or a code are counted
	keyed        bool     // Idempotency-Key required
	query        []param
	in           any // the body, nil for none
	status       int
	out          any    // the answer, nil for none
	media        string // of an answer that is no JSON
}

type param struct{ name, about string }

var pageParams = []param{{"cursor", "next of the page before; none starts"}, {"limit", "at most so many"}}

// routes is the whole API.
func (a *App) routes() []route {
	const get, post, put, patch, del = fiber.MethodGet, fiber.MethodPost, fiber.MethodPut, fiber.MethodPatch, fiber.MethodDelete
	made, ok := fiber.StatusCreated, fiber.StatusOK
	answer, empty := pos.Answer{}, struct{}{}
	rs := []route{
		{method: post, path: "/v1/sessions", handle: a.signIn, about: "Sign in. A browser gets a cookie; ask for bearer to get a token.", strict: true, in: signInIn{}, status: made, out: opened{}},
		{method: del, path: "/v1/sessions/current", handle: a.signOut, about: "Sign out.", need: pos.Cashier, status: fiber.StatusNoContent},
		{method: get, path: "/v1/staff", handle: a.listStaff, about: "Who may sign in. None: the till is new. Roles are told to who is signed in.", status: ok, out: staffPage{}},
		{method: post, path: "/v1/staff", handle: a.addStaff, about: "Let somebody else use the till.", need: pos.Manager, strict: true, keyed: true, in: addStaffIn{}, status: made, out: pos.Actor{}},
		{method: post, path: "/v1/set-ups", handle: a.setUp, about: "Make the owner of a new till. From another machine it needs the code in the till's log. Refused once somebody exists.", strict: true, keyed: true, in: setUpIn{}, status: made, out: pos.Actor{}},
		{method: post, path: "/v1/enrolments", handle: a.enrol, about: "Bind the till to its head office with a one-time code.", need: pos.Owner, strict: true, keyed: true, in: enrolIn{}, status: made, out: enrolled{}},
		{method: get, path: "/v1/items", handle: a.listItems, about: "The catalogue.", need: pos.Cashier, query: pageParams, status: ok, out: itemsPage{}},
		{method: get, path: "/v1/words", handle: a.getWords, about: "The words of the screens.", query: []param{{"language", "en, es, de, fr or pt; the shop's when left out"}}, status: ok, out: wordsPage{}},
		{method: post, path: "/v1/sales", handle: a.openSale, about: "Put the current sale aside and start an empty one. sale is the one that is meant, or none where there was none: refused when another one is at the counter by now.", need: pos.Cashier, keyed: true, in: meantIn{}, status: made, out: answer},
		{method: get, path: "/v1/sales", handle: a.listSales, about: "Completed sales, newest first.", need: pos.Cashier, query: pageParams, status: ok, out: salesPage{}},
		{method: get, path: "/v1/sales/:sale", handle: a.getSale, about: "One sale, open or completed. In every path, current is the sale at the counter.", need: pos.Cashier, status: ok, out: pos.SaleView{}},
		{method: del, path: "/v1/sales/:sale", handle: a.clearSale, about: "Give a basket up, or a charged sale for which nothing was received.", need: pos.Cashier, status: ok, out: answer},
		{method: post, path: "/v1/sales/:sale/reopenings", handle: a.reopen, about: "Go back to the basket of a charged sale for which nothing was received: it is given up, and its lines are a new sale.", need: pos.Cashier, keyed: true, in: empty, status: made, out: answer},
		{method: post, path: "/v1/sales/:sale/lines", handle: a.addLine, about: "Add an item by its sku, or an amount by its price. qty counts thousandths.", need: pos.Cashier, keyed: true, in: lineIn{}, status: made, out: answer},
		{method: patch, path: "/v1/sales/:sale/lines/:line", handle: a.setLine, about: "Change a line's quantity, in thousandths; 0 removes it.", need: pos.Cashier, in: qtyIn{}, status: ok, out: answer},
		{method: put, path: "/v1/current-sale", handle: a.switchTo, about: "Go on with an open sale.", need: pos.Cashier, in: currentIn{}, status: ok, out: answer},
		{method: post, path: "/v1/sales/:sale/payments", handle: a.pay, about: "Charge the sale. given is cash handed over (exact when left out), amount the part to pay (all that is due when left out).", need: pos.Cashier, keyed: true, in: payIn{}, status: made, out: answer},
		{method: post, path: "/v1/sales/:sale/payments/:payment/cancellations", handle: a.cancelPayment, about: "Withdraw a payment after asking its rail. despite goes on without the rail's answer and needs a manager.", need: pos.Cashier, keyed: true, in: cancelIn{}, status: ok, out: answer},
		{method: post, path: "/v1/sales/:sale/payments/:payment/unverified", handle: a.takeUnverified, about: "Go on by the customer's word that he paid, while the payment's network does not answer and within the limits: the payment covers its part of the sale and counts as unverified until the network confirms or refutes it. The tender's rule says whether it needs a manager.", need: pos.Cashier, keyed: true, in: empty, status: ok, out: answer},
		{method: post, path: "/v1/tokens/:token/allowance", handle: a.allowToken, about: "Take a token that is off its value at the market's price, which is the one that was seen, for a while; or, with off, not any more.", need: pos.Manager, keyed: true, in: allowIn{}, status: ok, out: answer},
		{method: post, path: "/v1/destinations/:destination/confirmations", handle: a.confirmDestination, about: "Confirm that money goes to a changed address, which was seen. Nothing is asked for there before.", need: pos.Manager, keyed: true, in: confirmIn{}, status: ok, out: answer},
		{method: post, path: "/v1/tenders/:tender/unverified", handle: a.allowUnverified, about: "Let a tender be taken unverified again, after a payment that never came had switched that off.", need: pos.Manager, keyed: true, in: empty, status: ok, out: answer},
		{method: post, path: "/v1/sales/:sale/codes", handle: a.enterCode, about: "Try the code that a customer brings back from a request made offline: six digits, or what a scanner reads. wrong in the answer: it was wrong, and how many were.", need: pos.Cashier, keyed: true, in: codeIn{}, status: ok, out: answer},
		{method: put, path: "/v1/sales/:sale/request", handle: a.showRequest, about: "Show an offline request for a phone's camera instead of a wallet, or back.", need: pos.Cashier, in: requestIn{}, status: ok, out: answer},
		{method: put, path: "/v1/sales/:sale/form", handle: a.showForm, about: "Show the open payment's request in another of its forms, by the name that the payment gives it: no one text is read by every wallet.", need: pos.Cashier, in: formIn{}, status: ok, out: answer},
		{method: put, path: "/v1/sales/:sale/choice", handle: a.invite, about: "Let the customer choose a stablecoin and its network on their own screen: once, for two minutes, for this sale as it is. open false ends that.", need: pos.Cashier, in: inviteIn{}, status: ok, out: answer},
		{method: post, path: "/v1/choices", handle: a.choose, about: "What the customer chose, by the id of the choice that the screens are told of and a tender that is in it: it starts that payment. Refused unless a cashier has just invited to it.", keyed: true, in: chosenIn{}, status: made, out: answer},
		{method: post, path: "/v1/sales/:sale/reprints", handle: a.reprint, about: "Print a copy of a receipt; with ticket, what kitchen and bar were told, once more: all of them, or the one printer.", need: pos.Cashier, keyed: true, in: reprintIn{}, status: made, out: answer},
		{method: get, path: "/v1/sales/:sale/receipt", handle: a.getReceipt, about: "A completed sale's receipt.", need: pos.Cashier, status: ok, out: receipt{}},
		{method: post, path: "/v1/refunds/:payment/decisions", handle: a.decide, about: "Decide about money that no open sale needed, or that came astray: as \"given back\", with a note how, or \"as sale\", when its sale was given up and the goods went out after all, or when it came on another network and its sale waits for it. came is the exact of the row that was read, in base units: money that grew or changed since is refused with 409, and is to be read again.", need: pos.Manager, keyed: true, in: decisionIn{}, status: made, out: answer},
		{method: post, path: "/v1/test-pages", handle: a.printTestPage, about: "Print the test page, with its ruler, of the receipt printer, or of a second one by its name.", need: pos.Manager, keyed: true, in: testPageIn{}, status: made, out: answer},
		{method: post, path: "/v1/drawer-openings", handle: a.openDrawer, about: "Open the drawer without a sale; say why.", need: pos.Cashier, keyed: true, in: drawerIn{}, status: made, out: answer},
		{method: post, path: "/v1/next-customer", handle: a.nextCustomer, about: "End the PAID or CHANGE picture: of sale, or of the last one when it is left out. One that has ended already is fine.", need: pos.Cashier, keyed: true, in: meantIn{}, status: made, out: answer},
		{method: del, path: "/v1/notices/:notice", handle: a.dismiss, about: "Take a notice off the screens.", need: pos.Cashier, status: ok, out: answer},
		{method: get, path: "/v1/view", handle: a.getView, about: "The newest view; the counter's part for who is signed in.", status: ok, out: screen{}},
		{method: get, path: "/v1/events", handle: a.events, about: "The newest view, and each newer one, as server-sent events; beat every five seconds.", query: []param{{"part", "customer: never the counter's part"}, {"picture", "display or paper: tell of newer pictures"}}, status: ok, media: "text/event-stream"},
		{method: get, path: "/display.png", handle: picture(a.o.Display), about: "The customer's picture.", status: ok, media: "image/png"},
		{method: get, path: "/openapi.json", handle: a.document, about: "This document.", status: ok, out: map[string]any{}},
		{method: get, path: "/healthz", handle: a.health, about: "Whether the till serves.", status: ok, out: health{}},
	}
	if a.o.Paper != nil {
		rs = append(rs, route{method: get, path: "/paper.png", handle: picture(a.o.Paper), about: "The paper of a printer made of code.", need: pos.Cashier, status: ok, media: "image/png"})
	}
	return rs
}

// mount puts the routes and the screens' files into fiber.
func (a *App) mount() {
	rs := a.routes()
	a.api = newFile(fiber.MIMEApplicationJSON, mustJSON(openAPI(rs, a.o.Version)))
	for _, r := range rs {
		var chain []fiber.Handler
		if r.need != "" {
			chain = append(chain, a.need(r.need))
		}
		if r.strict {
			chain = append(chain, a.strict)
		}
		a.fiber.Add(r.method, r.path, append(chain, r.handle)...)
	}
	for name := range a.files {
		if a.o.Paper != nil || (name != "/paper" && name != "/paper.js") {
			a.fiber.Get(name, a.static(name))
		}
	}
}

type health struct {
	Status   string `json:"status"`
	Software string `json:"software"`
}

func (a *App) health(c *fiber.Ctx) error { return c.JSON(health{"ok", a.o.Version}) }

func (a *App) document(c *fiber.Ctx) error { return send(c, a.api) }

func (a *App) getView(c *fiber.Ctx) error {
	v := a.o.Desk.View()
	out := screenOf(v, a.o.Version)
	out.Choice = a.choices.of(v, time.Now())
	if who, ok := a.sessions.use(tokenOf(c)); ok {
		counter := counterOf(v)
		out.Counter, out.Session = &counter, sessionOf(who)
	}
	return c.JSON(out)
}
