package keypad

import (
	"context"

	"github.com/tillwright/tillwright/pos"
)

// menu is what is needed less often than a sale.
func (m *machine) menu() *list {
	return newList(listMenu, m.word("ui.more"), func() []item {
		out := []item{
			m.copy(),
			{text: m.word("ui.open_drawer"), do: m.drawer},
			{text: m.word("ui.next_customer"), do: m.next},
		}
		others := len(m.others())
		if others > 0 {
			out = append(out, item{text: m.word("kp.open_sales", "n", itoa(others)), do: func(context.Context) { m.list = m.open() }})
		}
		if n := m.view.Counter.Notices; len(n) > 0 {
			id := n[0].ID
			out = append(out, item{text: m.word("kp.seen"), why: n[0].Text, do: func(ctx context.Context) { m.do(ctx, m.actor, pos.Dismiss{Notice: id}) }})
		}
		for _, t := range m.view.Counter.Tenders {
			if t.Offline.Off != "" {
				word := m.word("ui.allow_unverified", "tender", m.tenderName(t.Tender))
				out = append(out, item{text: word, why: t.Offline.Off, do: func(ctx context.Context) {
					m.agreed(ctx, t.Offline.Off+" "+m.word("ui.allow_unverified_why"), pos.AllowUnverified{Tender: t.Tender})
				}})
			}
		}
		out = append(out, m.treasury()...)
		return append(out, item{text: m.word("kp.sign_out"), do: m.leave})
	})
}

// copy prints the last receipt again.
func (m *machine) copy() item {
	last := m.view.Counter.LastDone
	if last == nil {
		return item{text: m.word("ui.print_again"), off: true, why: m.word("ui.none_yet")}
	}
	return item{text: m.word("ui.print_again"), why: last.Receipt, do: m.reprint}
}

// others are the open sales that are not the current one, oldest first.
func (m *machine) others() []pos.SaleView {
	var out []pos.SaleView
	now := m.current()
	for _, s := range m.view.Counter.Open {
		if now == nil || s.ID != now.ID {
			out = append(out, s)
		}
	}
	return out
}

// open goes on with another sale.
func (m *machine) open() *list {
	l := newList(listOpen, m.word("ui.open_sales"), func() []item {
		var out []item
		for _, s := range m.others() {
			why := m.word("ui.basket")
			switch {
			case s.Astray != nil && s.Astray.Kind == pos.OwedNetwork:
				why = m.word("ui.other_network")
			case s.Doubtful:
				why = m.word("ui.no_answer")
			case s.Waiting:
				why = m.word("ui.awaiting")
			case s.State == pos.PartPaid:
				why = m.word("ui.part_paid")
			case s.State == pos.Awaiting:
				why = m.word("ui.not_paid")
			}
			out = append(out, item{text: s.Ref + "  " + s.Due.Number(), why: why, do: func(ctx context.Context) {
				m.entry, m.code, m.pay = entry{}, "", ""
				m.do(ctx, m.actor, pos.SwitchTo{Sale: s.ID})
			}})
		}
		return out
	})
	l.back = func() { m.list = m.menu() }
	return l
}
