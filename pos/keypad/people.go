package keypad

import (
	"context"

	"github.com/tillwright/tillwright/pos"
)

// maxPIN bounds the digits of a PIN that are kept; the staff knows which are right.
const maxPIN = 12

// people lets somebody choose a name, and asks for the PIN. then is for who only
// agrees to one thing; nil: he stays at the till.
func (m *machine) people(may func(pos.Actor) bool, then func(context.Context, pos.Actor)) *list {
	title := m.word("ui.who_are_you")
	if then != nil {
		title = m.word("ui.manager_signs_in")
	}
	return newList(listPeople, title, func() []item {
		var out []item
		for _, who := range m.o.Staff.Names() {
			if may(who) {
				out = append(out, item{text: who.Name, do: func(context.Context) { m.ask = &pinAsk{who: who, then: then} }})
			}
		}
		return out
	})
}

func (m *machine) pressPIN(ctx context.Context, f Function) {
	a := m.ask
	switch digit := f.digit(); {
	case f == Cancel, f == Clear, f == Back && a.digits == "":
		if a.digits != "" && f != Cancel {
			a.digits = ""
			return
		}
		m.ask = nil
		if m.actor == (pos.Actor{}) {
			m.signedOut()
		}
	case f == Back:
		a.digits = a.digits[:len(a.digits)-1]
	case f == Enter:
		m.tryPIN(ctx)
	case digit != "" && len(a.digits)+len(digit) <= maxPIN:
		a.digits += digit
	}
}

// tryPIN signs somebody in. A wrong PIN is asked for again.
func (m *machine) tryPIN(ctx context.Context) {
	a := m.ask
	if a.digits == "" {
		m.trouble = m.word("ui.your_pin")
		return
	}
	pin := a.digits
	a.digits = ""
	var who pos.Actor
	var err error
	m.slow(func() { who, err = m.o.Staff.SignIn(ctx, a.who.ID, pin) })
	switch kind := pos.KindOf(err); {
	case err == nil:
		m.signIn(ctx, a, who)
	case kind == pos.Forbidden:
		m.trouble = m.word("kp.wrong_pin")
	case kind == pos.Exhausted:
		m.trouble = m.word("kp.pin_locked")
	default:
		m.trouble = m.said(err)
	}
}

// signIn lets who work, or agree to one thing and go.
func (m *machine) signIn(ctx context.Context, a *pinAsk, who pos.Actor) {
	m.ask = nil
	if a.then == nil {
		m.actor = who
		m.settle("")
		return
	}
	a.then(ctx, who)
	if err := m.o.Staff.SignOut(ctx, who); err != nil {
		m.o.Log.Warn("manager's leaving not recorded", "by", who.ID, "err", err)
	}
}

// leave signs out. What was rung up stays; what was typed goes.
func (m *machine) leave(ctx context.Context) {
	who := m.actor
	if who == (pos.Actor{}) {
		if m.ask != nil {
			m.ask.digits = ""
		}
		return
	}
	m.actor, m.ask, m.list, m.sure, m.pay, m.code, m.entry = pos.Actor{}, nil, nil, "", "", "", entry{}
	if err := m.o.Staff.SignOut(ctx, who); err != nil { // it must still lock
		m.o.Log.Warn("sign-out not recorded", "by", who.ID, "err", err)
	}
	m.signedOut()
}
