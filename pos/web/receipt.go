package web

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
)

// receipt is pos.Receipt as it travels.
type receipt struct {
	Shop         pos.Shop     `json:"shop"`
	Number       string       `json:"number"`
	Ref          string       `json:"ref"`
	Copy         int          `json:"copy"`
	Cashier      string       `json:"cashier"`
	At           time.Time    `json:"at"`
	Unclear      bool         `json:"time_unverified"`
	Lines        []pos.Line   `json:"lines"`
	Tax          []pos.TaxRow `json:"tax"`
	Total        pos.Amount   `json:"total"`
	ToPay        pos.Amount   `json:"to_pay"`
	CashRounding pos.Amount   `json:"cash_rounding"`
	Paid         []paid       `json:"paid"`
	Change       pos.Amount   `json:"change"`
	Record       uint64       `json:"record"`
	Seal         string       `json:"seal"`
	QR           string       `json:"qr"`
}

// paid is one tender on a receipt.
type paid struct {
	Tender    pos.Tender `json:"tender"`
	Amount    pos.Amount `json:"amount"`
	Quantity  string     `json:"quantity,omitempty"`
	Network   string     `json:"network,omitempty"`
	Rate      string     `json:"rate,omitempty"`
	Source    string     `json:"source,omitempty"`
	RateAt    time.Time  `json:"rate_at,omitzero"`
	Reference string     `json:"reference,omitempty"`
	Over      string     `json:"over,omitempty"`
	Offline   bool       `json:"offline,omitempty"`

	Unverified bool `json:"unverified,omitempty"`
}

func (a *App) getReceipt(c *fiber.Ctx) error {
	id, err := saleOf(c)
	if err != nil {
		return err
	}
	if id == "" {
		return pos.E("find receipt", pos.Conflict, "the sale at the counter is not completed")
	}
	r, err := a.o.Desk.Receipt(pos.SaleID(strings.Clone(string(id))))
	if err != nil {
		return err
	}
	out := receipt{
		Shop: r.Shop, Number: r.Number, Ref: r.Ref, Copy: r.Copy, Cashier: r.Cashier, At: r.At, Unclear: r.Unclear,
		Lines: r.Lines, Tax: r.Tax, Total: r.Total, ToPay: r.ToPay, CashRounding: r.Rounded, Change: r.Change,
		Record: r.Record, Seal: r.Seal, QR: r.QR, Paid: []paid{},
	}
	for _, p := range r.Paid {
		out.Paid = append(out.Paid, paid(p))
	}
	return c.JSON(out)
}
