package keypad

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// treasury is what a manager decides about the shop's own addresses, and about tokens
// that are off their value.
func (m *machine) treasury() (out []item) {
	for _, d := range m.view.Counter.Destinations {
		out = append(out, item{text: m.word("ui.confirm_destination", "network", d.Network), why: d.Why, do: func(context.Context) { m.list = m.address(d) }})
	}
	var known []string
	for _, t := range m.view.Counter.Tenders {
		if t.Peg.Price == "" || slices.Contains(known, t.Token) {
			continue
		}
		known = append(known, t.Token)
		out = append(out, m.offPeg(t))
	}
	return out
}

const listAddress = "address"

// address asks whether a changed address is the shop's own.
func (m *machine) address(d pos.DestinationView) *list {
	ask := m.word("ui.confirm_destination_why")
	l := newList(listAddress, m.word("ui.confirm_destination", "network", d.Network), func() []item {
		return []item{{text: m.word("ui.confirm_address", "address", pos.ShortAddress(d.Address)), why: d.Why, do: func(ctx context.Context) {
			m.list = nil
			m.agreed(ctx, d.Why+" "+ask, pos.ConfirmDestination{Name: d.Name, Address: d.Address})
		}}}
	})
	l.why, l.back = d.Why+" "+ask, func() { m.list = m.menu() }
	return l
}

// offPeg takes a token at its market's price, or stops that.
func (m *machine) offPeg(t pos.TenderView) item {
	price := t.Peg.Price + " " + t.Peg.In
	do, key, why := pos.AllowToken{Token: t.Token, Price: t.Peg.Price}, "ui.allow_token", m.word("ui.allow_token_why", "token", t.Token, "price", price, "hours", strconv.Itoa(int(pos.TokenAllowedFor/time.Hour)))
	if !t.Peg.Until.IsZero() {
		do, key, why = pos.AllowToken{Token: t.Token, Off: true}, "ui.disallow_token", t.Notice
	}
	return item{text: m.word(key, "token", t.Token, "price", price), why: why, do: func(ctx context.Context) { m.agreed(ctx, why, do) }}
}
