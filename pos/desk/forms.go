package desk

import (
	"math/big"
	"slices"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// shownForm is the form of a payment's request that the customer sees. Only one request
// is on the screen at a time; another payment begins with its first form.
type shownForm struct {
	payment pos.PaymentID
	name    string
}

// showForm shows the open payment's request in another of its forms.
func (d *Desk) showForm(t *turn, do pos.ShowForm) error {
	s, err := d.meant(t, do.Sale)
	if err != nil {
		return err
	}
	p := s.OpenPayment()
	if p == nil || !slices.ContainsFunc(p.Forms, func(f pos.Form) bool { return f.Name == do.Form }) {
		return pos.E("show request", pos.Conflict, "this sale's code has no such form")
	}
	d.form = shownForm{p.ID, do.Form}
	t.answer, t.again = pos.Answer{Sale: s.ID, Payment: p.ID}, true
	return nil
}

// formOf returns the form of p that is shown; there must be one. d.mu is held.
func (d *Desk) formOf(p pos.Payment) pos.Form {
	for _, f := range p.Forms {
		if d.form == (shownForm{p.ID, f.Name}) {
			return f
		}
	}
	return p.Forms[0]
}

// showToken fills in what a token's customer needs besides the code. d.mu is held.
func (d *Desk) showToken(out *pos.Customer, p pos.Payment) {
	if len(p.Forms) == 0 {
		return
	}
	f := d.formOf(p)
	out.QR, out.Caption, out.Tail = f.Payload, f.Caption, tailOf(p.Forms)
	if len(p.Forms) > 1 {
		out.Form = f.Name
	}
	if first := p.Forms[0].Payload; strings.Contains(first, ":") { // an address alone opens no wallet
		out.Link = first
	}
	if p.Part.IsZero() {
		return
	}
	rest := p.Quantity.Minus(p.Part)
	out.Part, out.Quantity, out.Due = p.Part.String(), rest.String(), dueFor(p, rest)
}

// dueFor returns what rest is of p's amount, rounded up: what is not there is owed.
func dueFor(p pos.Payment, rest pos.Quantity) pos.Amount {
	asked := p.Quantity.Int()
	n := new(big.Int).Mul(big.NewInt(p.Amount.Minor), rest.Int())
	n.Add(n, asked).Sub(n, big.NewInt(1)).Quo(n, asked)
	return p.Amount.Currency.Of(min(n.Int64(), p.Amount.Minor)) // rest is at most asked: it fits
}

// tailLetters is how much of an address people compare.
const tailLetters = 6

// tailOf returns the end of the address that forms pay to: of the one that shows the
// address alone, else of what stands before a link's parameters.
func tailOf(forms []pos.Form) string {
	f := forms[0]
	if i := slices.IndexFunc(forms, func(f pos.Form) bool { return f.Typed }); i >= 0 {
		f = forms[i]
	}
	at, _, _ := strings.Cut(f.Payload, "?")
	if _, after, linked := strings.Cut(at, ":"); linked {
		at = after
	}
	return at[max(0, len(at)-tailLetters):]
}

// maxForm bounds one form: the longest link of a wallet and its caption have 400 bytes.
const maxForm = 1024

// checkAsked holds a rail to what it may ask for: what was to be asked for, or a little
// more of the same; and forms that can be kept.
func checkAsked(p pos.Payment, a pos.Asked) error {
	bad := func() error {
		return pos.E("make payment request", pos.Corrupt, "the payment request is not what was asked for; take another tender")
	}
	if q := a.Quantity; !q.IsZero() {
		most := new(big.Int).Add(p.Quantity.Int(), hundredth(p.Quantity))
		if q.Asset.ID != p.Quantity.Asset.ID || q.Cmp(p.Quantity) < 0 || q.Int().Cmp(most) > 0 {
			return bad()
		}
	}
	return checkForms(a.Forms, bad)
}

// hundredth bounds what a rail may add: a hundredth of a whole token, or of the sum when
// that is more.
func hundredth(q pos.Quantity) *big.Int {
	one := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(q.Asset.Decimals)), nil)
	if n := q.Int(); n.Cmp(one) > 0 {
		one = n
	}
	return one.Quo(one, big.NewInt(100))
}

func checkForms(forms []pos.Form, bad func() error) error {
	if len(forms) > pos.MaxForms {
		return bad()
	}
	names := map[string]bool{}
	for _, f := range forms {
		if f.Name == "" || f.Payload == "" || names[f.Name] || len(f.Name)+len(f.Payload)+len(f.Caption) > maxForm {
			return bad()
		}
		names[f.Name] = true
	}
	return nil
}
