package web

import (
	"crypto/rand"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
)

// current is what stands in a path for the sale at the counter: the command's
// Sale stays empty, and a command that needs a basket opens one.
const current = "current"

// do hands one command to the desk and answers with what it made.
func (a *App) do(c *fiber.Ctx, code int, action pos.Action) error {
	key, err := idempotencyKey(c)
	if err != nil && c.Get("Idempotency-Key") == "" && c.Method() != fiber.MethodPost {
		key, err = rand.Text(), nil // PUT, PATCH and DELETE say the same when repeated
	}
	if err != nil {
		return err
	}
	ctx, cancel := a.within(deskWithin)
	defer cancel()
	answer, err := a.o.Desk.Do(ctx, pos.Command{Key: key, By: actorOf(c), Do: action})
	if err != nil {
		return err
	}
	if code == fiber.StatusCreated && answer.Sale != "" {
		c.Set(fiber.HeaderLocation, "/v1/sales/"+string(answer.Sale))
	}
	return c.Status(code).JSON(answer)
}

// saleOf returns a copy of the path's sale, empty for the current one. It fails
// with NotFound for what cannot be one.
func saleOf(c *fiber.Ctx) (pos.SaleID, error) {
	id := strings.Clone(c.Params("sale"))
	if id == current {
		return "", nil
	}
	if !idForm(id) {
		return "", pos.E("find sale", pos.NotFound, "there is no sale %q", clip(id))
	}
	return pos.SaleID(id), nil
}

// idForm accepts letters, digits and dashes, at most 40: longer names nothing.
func idForm(id string) bool {
	return id != "" && len(id) <= 40 && strings.IndexFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-'
	}) < 0
}

// meantIn names the sale that whoever asks has before him: what is asked late, or twice,
// must not happen to another one.
type meantIn struct {
	Sale string `json:"sale,omitempty"`
}

// meant reads it; empty is whichever is there.
func meant(c *fiber.Ctx) (pos.SaleID, error) {
	var in meantIn
	if err := decode(c, &in); err != nil {
		return "", err
	}
	if in.Sale != "" && !idForm(in.Sale) {
		return "", pos.E("find sale", pos.NotFound, "there is no sale %q", clip(in.Sale))
	}
	return pos.SaleID(in.Sale), nil
}

func (a *App) openSale(c *fiber.Ctx) error {
	id, err := meant(c)
	if err != nil {
		return err
	}
	return a.do(c, fiber.StatusCreated, pos.OpenSale{Sale: id})
}

func (a *App) listSales(c *fiber.Ctx) error {
	limit, err := limitOf(c, 20, pageLimit)
	if err != nil {
		return err
	}
	sales, next, err := a.o.Desk.Sales(strings.Clone(c.Query("cursor")), limit)
	if err != nil {
		return err
	}
	if sales == nil {
		sales = []pos.SaleView{}
	}
	return c.JSON(salesPage{sales, next})
}

type salesPage struct {
	Sales []pos.SaleView `json:"sales"`
	Next  string         `json:"next,omitempty"`
}

// limitOf reads ?limit= from 1 to most. It fails with Invalid.
func limitOf(c *fiber.Ctx, usual, most int) (int, error) {
	text := c.Query("limit")
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, pos.E("read request", pos.Invalid, "limit must be from 1 to %d", most)
	}
	return n, nil
}

func (a *App) getSale(c *fiber.Ctx) error {
	id, err := saleOf(c)
	if err != nil {
		return err
	}
	if id == "" {
		if now := a.o.Desk.View().Counter.Current; now != nil {
			return c.JSON(*now)
		}
		return pos.E("find sale", pos.NotFound, "no sale is open at the counter")
	}
	sale, err := a.o.Desk.Sale(id)
	if err != nil {
		return err
	}
	return c.JSON(sale)
}

func (a *App) clearSale(c *fiber.Ctx) error {
	id, err := saleOf(c)
	if err != nil {
		return err
	}
	return a.do(c, fiber.StatusOK, pos.ClearSale{Sale: id})
}

func (a *App) reopen(c *fiber.Ctx) error {
	id, err := saleOf(c)
	if err != nil {
		return err
	}
	if err := decode(c, &struct{}{}); err != nil {
		return err
	}
	return a.do(c, fiber.StatusCreated, pos.Reopen{Sale: id})
}

type lineIn struct {
	SKU   string `json:"sku,omitempty"`
	Name  string `json:"name,omitempty"`
	Price *money `json:"price,omitempty"`
	Qty   *int64 `json:"qty,omitempty"`
	Tax   string `json:"tax,omitempty"`
}

// addLine adds an item of the catalogue by its SKU, or an amount with a price.
func (a *App) addLine(c *fiber.Ctx) error {
	var in lineIn
	id, err := saleOf(c)
	if err != nil {
		return err
	}
	if err := decode(c, &in); err != nil {
		return err
	}
	qty := int64(1000)
	if in.Qty != nil {
		qty = *in.Qty
	}
	switch {
	case qty < 1 || qty > pos.MaxQty:
		return pos.E("add line", pos.Invalid, "the quantity must be from 0.001 to 9999.999")
	case (in.SKU == "") == (in.Price == nil):
		return pos.E("add line", pos.Invalid, "a line needs either a sku or a price")
	case in.SKU != "" && (in.Name != "" || in.Tax != ""):
		return pos.E("add line", pos.Invalid, "an item has its own name and tax")
	case len(in.SKU) > pos.MaxName || len(in.Name) > pos.MaxName:
		return pos.E("add line", pos.Invalid, "an item's name has at most %d letters", pos.MaxName)
	case in.SKU != "":
		return a.do(c, fiber.StatusCreated, pos.AddItem{Sale: id, SKU: in.SKU, Qty: qty})
	}
	minor, err := in.Price.in(a.o.Shop.Currency, "price")
	if err != nil {
		return err
	}
	return a.do(c, fiber.StatusCreated, pos.AddAmount{Sale: id, Name: in.Name, Minor: minor, Qty: qty, Tax: in.Tax})
}

type qtyIn struct {
	Qty int64 `json:"qty"`
}

// setLine changes a line's quantity; 0 removes the line.
func (a *App) setLine(c *fiber.Ctx) error {
	in := qtyIn{Qty: -1} // left out is not 0: that would remove the line
	id, err := saleOf(c)
	if err != nil {
		return err
	}
	line, err := strconv.Atoi(c.Params("line"))
	if err != nil || line < 1 {
		return pos.E("set quantity", pos.NotFound, "there is no such line")
	}
	if err := decode(c, &in); err != nil {
		return err
	}
	if in.Qty < 0 || in.Qty > pos.MaxQty {
		return pos.E("set quantity", pos.Invalid, "the quantity must be from 0 to 9999.999")
	}
	return a.do(c, fiber.StatusOK, pos.SetQty{Sale: id, Line: line, Qty: in.Qty})
}

type currentIn struct {
	Sale string `json:"sale"`
}

func (a *App) switchTo(c *fiber.Ctx) error {
	var in currentIn
	if err := decode(c, &in); err != nil {
		return err
	}
	if !idForm(in.Sale) {
		return pos.E("switch sale", pos.Invalid, "name the sale to go on with")
	}
	return a.do(c, fiber.StatusOK, pos.SwitchTo{Sale: pos.SaleID(in.Sale)})
}

type payIn struct {
	Tender string `json:"tender"`
	Given  *money `json:"given,omitempty"`
	Amount *money `json:"amount,omitempty"`
}

// pay charges the sale with one tender. Without given, cash is exact; without
// amount, all that is due is paid.
func (a *App) pay(c *fiber.Ctx) error {
	var in payIn
	id, err := saleOf(c)
	if err != nil {
		return err
	}
	if err := decode(c, &in); err != nil {
		return err
	}
	action := pos.Pay{Sale: id, Tender: pos.Tender(in.Tender)}
	switch {
	case in.Tender == "" || !idForm(strings.ReplaceAll(in.Tender, "_", "-")):
		return pos.E("pay", pos.Invalid, "name the tender")
	case in.Given != nil && action.Tender != pos.Cash:
		return pos.E("pay", pos.Invalid, "only cash is given")
	}
	if in.Given != nil {
		if action.Given, err = in.Given.in(a.o.Shop.Currency, "given"); err != nil {
			return err
		}
	}
	if in.Amount != nil {
		if action.Amount, err = in.Amount.in(a.o.Shop.Currency, "amount"); err != nil {
			return err
		}
	}
	return a.do(c, fiber.StatusCreated, action)
}

type cancelIn struct {
	Despite bool `json:"despite,omitempty"`
}

func (a *App) cancelPayment(c *fiber.Ctx) error {
	var in cancelIn
	id, err := saleOf(c)
	if err != nil {
		return err
	}
	payment := strings.Clone(c.Params("payment"))
	if !idForm(payment) {
		return pos.E("cancel payment", pos.NotFound, "there is no payment %q", clip(payment))
	}
	if err := decode(c, &in); err != nil {
		return err
	}
	if in.Despite && !actorOf(c).Role.Includes(pos.Manager) {
		return pos.E("cancel payment", pos.Forbidden, "a manager must decide this")
	}
	return a.do(c, fiber.StatusOK, pos.CancelPayment{Sale: id, Payment: pos.PaymentID(payment), Despite: in.Despite})
}

// takeUnverified goes on by the customer's word.
func (a *App) takeUnverified(c *fiber.Ctx) error {
	id, err := saleOf(c)
	if err != nil {
		return err
	}
	payment := strings.Clone(c.Params("payment"))
	if !idForm(payment) {
		return pos.E("take unverified", pos.NotFound, "there is no payment %q", clip(payment))
	}
	if err := decode(c, &struct{}{}); err != nil {
		return err
	}
	return a.do(c, fiber.StatusOK, pos.TakeUnverified{Sale: id, Payment: pos.PaymentID(payment)})
}

// allowUnverified lets a tender be taken by customers' word again.
func (a *App) allowUnverified(c *fiber.Ctx) error {
	tender := strings.Clone(c.Params("tender"))
	if !idForm(tender) {
		return pos.E("allow unverified", pos.NotFound, "there is no tender %q", clip(tender))
	}
	if err := decode(c, &struct{}{}); err != nil {
		return err
	}
	return a.do(c, fiber.StatusOK, pos.AllowUnverified{Tender: pos.Tender(tender)})
}

type codeIn struct {
	Code string `json:"code"`
}

// maxCode bounds a code: six digits, or what a scanner reads off the payer's page.
const maxCode = 40

// enterCode tries what a customer brings back from an offline request. A wrong code
// is an answer: wrong says how many there were.
func (a *App) enterCode(c *fiber.Ctx) error {
	var in codeIn
	id, err := saleOf(c)
	if err != nil {
		return err
	}
	if err := decode(c, &in); err != nil {
		return err
	}
	if in.Code == "" || len(in.Code) > maxCode {
		return pos.E("enter code", pos.Invalid, "%s", pos.Word(a.o.Shop.Language, "code_form"))
	}
	return a.do(c, fiber.StatusOK, pos.EnterCode{Sale: id, Code: in.Code})
}

type requestIn struct {
	Camera bool `json:"camera"`
}

// showRequest chooses the form of an offline request on the customer's display.
func (a *App) showRequest(c *fiber.Ctx) error {
	var in requestIn
	id, err := saleOf(c)
	if err != nil {
		return err
	}
	if err := decode(c, &in); err != nil {
		return err
	}
	return a.do(c, fiber.StatusOK, pos.ShowOther{Sale: id, On: in.Camera})
}

type formIn struct {
	Form string `json:"form"`
}

// showForm shows the open payment's request in another of its forms.
func (a *App) showForm(c *fiber.Ctx) error {
	var in formIn
	id, err := saleOf(c)
	if err != nil {
		return err
	}
	if err := decode(c, &in); err != nil {
		return err
	}
	if !idForm(in.Form) {
		return pos.E("show request", pos.Invalid, "name the form to show")
	}
	return a.do(c, fiber.StatusOK, pos.ShowForm{Sale: id, Form: in.Form})
}

type decisionIn struct {
	As   string `json:"as"`
	Note string `json:"note,omitempty"`
	Came string `json:"came"` // what the manager read: the row's exact
}

// maxCame bounds it: two quantities, each with its asset.
const maxCame = 512

// decide ends the debt to a customer whose money no open sale needed.
func (a *App) decide(c *fiber.Ctx) error {
	var in decisionIn
	payment := strings.Clone(c.Params("payment"))
	if !idForm(payment) {
		return pos.E("decide", pos.NotFound, "there is no payment %q", clip(payment))
	}
	if err := decode(c, &in); err != nil {
		return err
	}
	if len(in.Came) > maxCame || !pos.IsPlain(in.Came) {
		return pos.E("decide", pos.Invalid, "came has at most %d plain letters", maxCame)
	}
	return a.do(c, fiber.StatusCreated, pos.Decide{Payment: pos.PaymentID(payment), As: pos.Decision(in.As), Note: strings.TrimSpace(in.Note), Came: in.Came})
}

type reprintIn struct {
	Ticket  bool   `json:"ticket,omitempty"`
	Printer string `json:"printer,omitempty"` // of the ticket; all of its sale's when left out
}

// reprint prints a copy of a receipt, or what kitchen and bar were told, once more.
func (a *App) reprint(c *fiber.Ctx) error {
	var in reprintIn
	id, err := saleOf(c)
	if err != nil {
		return err
	}
	if err := decode(c, &in); err != nil {
		return err
	}
	if in.Printer != "" && !in.Ticket {
		return pos.E("print again", pos.Invalid, "a printer is named for a ticket only")
	}
	return a.do(c, fiber.StatusCreated, pos.Reprint{Sale: id, Ticket: in.Ticket, Printer: strings.Clone(in.Printer)})
}

type testPageIn struct {
	Printer string `json:"printer,omitempty"` // empty: the receipt printer
}

func (a *App) printTestPage(c *fiber.Ctx) error {
	var in testPageIn
	if err := decode(c, &in); err != nil {
		return err
	}
	return a.do(c, fiber.StatusCreated, pos.PrintTestPage{Printer: strings.Clone(in.Printer)})
}

type drawerIn struct {
	Reason string `json:"reason"`
}

// maxReason bounds why a drawer was opened: one line of a report.
const maxReason = 120

func (a *App) openDrawer(c *fiber.Ctx) error {
	var in drawerIn
	if err := decode(c, &in); err != nil {
		return err
	}
	in.Reason = strings.TrimSpace(in.Reason)
	if in.Reason == "" || len(in.Reason) > maxReason {
		return pos.E("open drawer", pos.Invalid, "say why, in 1 to %d letters", maxReason)
	}
	return a.do(c, fiber.StatusCreated, pos.OpenDrawer{Reason: in.Reason})
}

func (a *App) nextCustomer(c *fiber.Ctx) error {
	id, err := meant(c)
	if err != nil {
		return err
	}
	return a.do(c, fiber.StatusCreated, pos.NextCustomer{Sale: id})
}

func (a *App) dismiss(c *fiber.Ctx) error {
	id, err := strconv.ParseUint(c.Params("notice"), 10, 64)
	if err != nil {
		return pos.E("dismiss notice", pos.NotFound, "there is no such notice")
	}
	return a.do(c, fiber.StatusOK, pos.Dismiss{Notice: id})
}
