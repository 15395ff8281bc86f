package keypad

import (
	"context"

	"github.com/tillwright/tillwright/pos"
)

func (m *machine) pressSell(ctx context.Context, f Function) {
	switch digit := f.digit(); {
	case digit != "":
		m.typeDigits(digit)
	case f == Point:
		m.entry.point()
	case f == Times:
		if !m.entry.multiply() {
			m.trouble = m.word("kp.times_how")
		}
	case f == Back && m.entry.empty():
		m.takeOff(ctx)
	case f == Back:
		m.entry.back()
	case f == Clear:
		m.entry = entry{}
	case f == Add:
		m.add(ctx)
	case f == Enter:
		m.total(ctx)
	case f == Cash, f == Lightning:
		m.direct(ctx, f)
	case f == Cancel && !m.entry.empty():
		m.entry = entry{}
	case f == Cancel:
		m.giveUp(ctx)
	}
}

func (m *machine) typeDigits(digit string) {
	if !m.entry.push(digit) {
		m.trouble = m.word("kp.too_long")
	}
}

// add rings the entry up. It reports that it is in the basket.
func (m *machine) add(ctx context.Context) bool {
	c := m.o.Currency
	qty, minor, ok := m.entry.take(c)
	switch {
	case m.entry.empty() || (m.entry.times && m.entry.second == ""):
		m.trouble = m.word("kp.type_amount")
		return false
	case !ok:
		m.trouble = m.word("kp.not_amount")
		return false
	case minor == 0:
		m.trouble = m.word("kp.zero")
		return false
	}
	do := pos.AddAmount{Minor: minor, Qty: qty}
	if s := m.current(); s != nil && s.State == pos.Draft {
		do.Sale = s.ID
	}
	if _, ok := m.do(ctx, m.actor, do); !ok {
		return false
	}
	m.entry = entry{}
	return true
}

// total asks how the basket is paid, the entry included.
func (m *machine) total(ctx context.Context) {
	if !m.entry.empty() && !m.add(ctx) {
		return
	}
	if s := m.current(); m.filled() && s.State == pos.Draft {
		m.pay = s.ID
		return
	}
	m.trouble = m.word("kp.type_amount")
}

// direct pays from where amounts are typed: only what is on the panel already. An
// entry is rung up first, and its total has to be seen.
func (m *machine) direct(ctx context.Context, f Function) {
	seen := m.entry.empty() && m.fresh
	m.total(ctx)
	if seen && m.where() == atPay {
		m.pressPay(ctx, f)
	}
}

// takeOff takes the newest line off the basket, at the second press.
func (m *machine) takeOff(ctx context.Context) {
	s := m.current()
	if !m.filled() {
		return
	}
	last := s.Lines[len(s.Lines)-1]
	if !m.twice(Back, m.word("kp.sure_line")) {
		return
	}
	m.do(ctx, m.actor, pos.SetQty{Sale: s.ID, Line: last.ID})
}

// giveUp gives the sale up, at the second press. One that money came for already is
// put aside: only what is asked of the desk ends it.
func (m *machine) giveUp(ctx context.Context) {
	s := m.current()
	if s == nil {
		return
	}
	if !m.filled() {
		m.do(ctx, m.actor, pos.ClearSale{Sale: s.ID})
		return
	}
	if s.State == pos.PartPaid {
		if m.twice(Cancel, m.word("kp.sure_aside")) {
			m.next(ctx)
		}
		return
	}
	if m.twice(Cancel, m.word("kp.sure_sale")) {
		m.pay = ""
		m.do(ctx, m.actor, pos.ClearSale{Sale: s.ID})
	}
}

// next puts the current sale aside, whatever it waits for, and begins another one.
func (m *machine) next(ctx context.Context) {
	m.list, m.pay, m.entry, m.code = nil, "", entry{}, ""
	if m.filled() {
		m.do(ctx, m.actor, pos.OpenSale{Sale: m.current().ID})
		return
	}
	if m.over() {
		m.do(ctx, m.actor, pos.NextCustomer{Sale: m.view.Customer.Sale})
	}
}

func (m *machine) pressDone(ctx context.Context, f Function) {
	switch digit := f.digit(); {
	case digit != "":
		m.typeDigits(digit)
	case f == Point:
		m.entry.point()
	case f == Times:
		m.reprint(ctx)
	case f == Enter, f == Add, f == Cancel, f == Back, f == Clear:
		m.next(ctx)
	}
}

func (m *machine) reprint(ctx context.Context) {
	last := m.view.Counter.LastDone
	if last == nil {
		m.trouble = m.word("ui.none_yet")
		return
	}
	if _, ok := m.do(ctx, m.actor, pos.Reprint{Sale: last.ID}); ok {
		m.told = m.word("kp.printing", "n", last.Receipt)
	}
}

func (m *machine) drawer(ctx context.Context) {
	if _, ok := m.do(ctx, m.actor, pos.OpenDrawer{Reason: m.word("kp.no_sale")}); ok {
		m.told = m.word("kp.drawer_opens")
	}
}
