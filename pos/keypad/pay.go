package keypad

import (
	"context"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

func (m *machine) pressPay(ctx context.Context, f Function) {
	switch digit := f.digit(); {
	case digit != "":
		m.typeDigits(digit)
	case f == Point:
		m.entry.point()
	case f == Back && !m.entry.empty():
		m.entry.back()
	case (f == Clear || f == Cancel) && !m.entry.empty():
		m.entry = entry{}
	case f == Back:
		m.basket(ctx)
	case f == Cancel && m.current().State == pos.Draft:
		m.pay = ""
	case f == Cancel:
		m.giveUp(ctx)
	case f == Enter, f == Cash:
		m.cash(ctx)
	case f == Add, f == Lightning:
		m.first(ctx)
	case f == Times:
		m.list = m.ways()
	}
}

// basket goes back to ringing up.
func (m *machine) basket(ctx context.Context) {
	s := m.current()
	m.pay = ""
	if s.State != pos.Draft {
		m.do(ctx, m.actor, pos.Reopen{Sale: s.ID})
	}
}

// cash takes what was typed as given, or the exact sum.
func (m *machine) cash(ctx context.Context) {
	s := m.current()
	given := int64(0)
	if !m.entry.empty() {
		_, minor, ok := m.entry.take(m.o.Currency)
		switch {
		case !ok:
			m.trouble = m.word("kp.not_amount")
			return
		case minor < s.CashDue.Minor && minor != s.Due.Minor:
			m.trouble = m.word("kp.less")
			return
		}
		given = minor
	}
	m.charge(ctx, pos.Cash, given)
}

// first pays with Lightning, or what else stands first beside cash.
func (m *machine) first(ctx context.Context) {
	for _, t := range m.view.Counter.Tenders {
		if t.Tender == m.lightning() {
			m.with(ctx, t)
			return
		}
	}
	m.trouble = m.word("ui.not_now")
}

// lightning is the tender that has a key of its own; empty: there is only cash.
func (m *machine) lightning() pos.Tender {
	first := pos.Tender("")
	for _, t := range m.view.Counter.Tenders {
		switch {
		case t.Tender == "lightning":
			return t.Tender
		case t.Tender != pos.Cash && first == "":
			first = t.Tender
		}
	}
	return first
}

// with pays with a tender, unless it is grey.
func (m *machine) with(ctx context.Context, t pos.TenderView) {
	if !t.Ready {
		m.trouble = t.Reason
		if t.Offline.Why != "" {
			m.trouble = strings.TrimSpace(t.Reason + " " + t.Offline.Why)
		}
		return
	}
	m.charge(ctx, t.Tender, 0)
}

// charge starts a payment of what the prompt shows, and of no more: a sum that has
// changed since is asked for again.
func (m *machine) charge(ctx context.Context, t pos.Tender, given int64) {
	shown := m.deal()
	m.settle(shown.sale) // a phone may have changed it this instant
	if !m.fresh || m.deal() != shown {
		m.trouble = m.word("kp.press_again")
		return
	}
	s := m.current()
	if _, ok := m.do(ctx, m.actor, pos.Pay{Sale: s.ID, Tender: t, Given: given, Amount: s.Due.Minor}); ok {
		m.entry = entry{}
	}
}

// ways is every way to pay: a token once, however many networks it is on.
func (m *machine) ways() *list {
	return newList(listWays, m.word("kp.how_paid"), func() []item {
		var out []item
		seen := map[string]bool{}
		for _, t := range m.view.Counter.Tenders {
			if t.Token == "" {
				out = append(out, m.way(m.tenderName(t.Tender), t))
				continue
			}
			if !seen[t.Token] {
				seen[t.Token] = true
				out = append(out, m.token(t.Token))
			}
		}
		return out
	})
}

// way is a tender in a list.
func (m *machine) way(text string, t pos.TenderView) item {
	it := item{text: text, off: !t.Ready, why: t.Notice, do: func(ctx context.Context) { m.withListed(ctx, t.Tender) }}
	if it.off || t.Offline.Now {
		it.why = strings.TrimSpace(t.Reason + " " + t.Offline.Why)
	}
	return it
}

// withListed pays with a tender as it stands now.
func (m *machine) withListed(ctx context.Context, name pos.Tender) {
	for _, t := range m.view.Counter.Tenders {
		if t.Tender == name && m.filled() {
			m.with(ctx, t)
		}
	}
}

// token is a stablecoin in the list of ways: its networks come next, unless there is
// only one.
func (m *machine) token(token string) item {
	var chains []pos.TenderView
	ready := false
	why := ""
	for _, t := range m.view.Counter.Tenders {
		if t.Token == token {
			chains, ready = append(chains, t), ready || t.Ready
			if why == "" {
				why = t.Reason
			}
		}
	}
	if len(chains) == 1 {
		return m.way(m.onChain(chains[0]), chains[0])
	}
	it := item{text: token, off: !ready, do: func(context.Context) { m.list = m.chains(token) }}
	if it.off {
		it.why = why
	}
	return it
}

// chains is where a token can be sent, cheapest first.
func (m *machine) chains(token string) *list {
	l := newList(listChains, token, func() []item {
		var out []item
		for _, t := range m.view.Counter.Tenders {
			if t.Token == token {
				out = append(out, m.way(t.Chain, t))
			}
		}
		return out
	})
	l.back = func() { m.list = m.ways() }
	return l
}

// tenderName is a tender in words.
func (m *machine) tenderName(name pos.Tender) string {
	for _, t := range m.view.Counter.Tenders {
		if t.Tender == name && t.Token != "" {
			return m.onChain(t)
		}
	}
	for _, key := range []string{string(name), "ui.tender." + string(name)} {
		if w := m.word(key); w != key {
			return w
		}
	}
	return string(name)
}

func (m *machine) onChain(t pos.TenderView) string {
	if t.Chain == "" {
		return t.Token
	}
	return m.word("evm_on", "token", t.Token, "chain", t.Chain)
}

// codeDigits is the length of the code that a customer brings back.
const codeDigits = 6

// pressWait is while the customer pays, and while nobody knows whether he has.
func (m *machine) pressWait(ctx context.Context, f Function) {
	s := m.current()
	digit := f.digit()
	switch {
	case digit != "" && !s.Offline:
	case digit != "" && len(m.code)+len(digit) <= codeDigits:
		m.code += digit
	case digit != "":
		m.trouble = m.word("kp.code_full")
	case f == Back && m.code != "":
		m.code = m.code[:len(m.code)-1]
	case (f == Clear || f == Cancel) && m.code != "":
		m.code = ""
	case f == Enter && m.code != "":
		m.enterCode(ctx)
	case f == Add:
		m.next(ctx)
	case m.where() == atDoubt:
		m.pressDoubt(ctx, f)
	case f == Enter && s.Unverified:
		if p := s.OpenPayment(); p != nil && m.twice(Enter, m.word("ui.take_unverified_why")) {
			m.do(ctx, m.actor, pos.TakeUnverified{Sale: s.ID, Payment: p.ID})
		}
	case f == Cancel:
		m.withdraw(ctx)
	case f == Times:
		m.otherCode(ctx)
	}
}

// enterCode tries the code that a customer brought back.
func (m *machine) enterCode(ctx context.Context) {
	if len(m.code) < codeDigits {
		m.trouble = m.word("ui.code_typed", "n", itoa(len(m.code)))
		return
	}
	a, ok := m.do(ctx, m.actor, pos.EnterCode{Sale: m.current().ID, Code: m.code})
	m.code = ""
	left := pos.MaxWrongCodes - a.Wrong
	switch {
	case !ok || (a.Wrong == 0 && !a.Other):
	case a.Other:
		m.trouble = m.word("ui.code_other")
	case left == 1:
		m.trouble = m.word("ui.code_wrong_last")
	case left > 1:
		m.trouble = m.word("ui.code_wrong", "n", itoa(left))
	default:
		m.trouble = m.word("ui.code_wrong_more")
	}
}

// withdraw asks the rail to take the request back. Its answer alone says what became
// of the payment.
func (m *machine) withdraw(ctx context.Context) {
	s := m.current()
	p := s.OpenPayment()
	if p == nil {
		return
	}
	m.slow(func() { m.do(ctx, m.actor, pos.CancelPayment{Sale: s.ID, Payment: p.ID}) })
	if m.where() == atDoubt {
		m.trouble = "" // the place says it, and what to do
	}
}

// pressDoubt is for when no answer came. The only way out that ends it is a manager's;
// the next customer can be served meanwhile.
func (m *machine) pressDoubt(ctx context.Context, f Function) {
	s := m.current()
	p := s.OpenPayment()
	switch {
	case p == nil:
	case f == Enter && p.Offline:
		m.do(ctx, m.actor, pos.Pay{Sale: s.ID, Tender: p.Tender, Amount: p.Amount.Minor}) // shows the same request again
	case f == Enter:
		m.withdraw(ctx)
	case f == Cancel:
		m.next(ctx)
	case f == Times && m.several():
		m.list = m.exits(p.ID)
	case f == Times && m.actor.Role.Includes(pos.Manager):
		if m.twice(Times, m.despiteWhy()) {
			m.do(ctx, m.actor, pos.CancelPayment{Sale: s.ID, Payment: p.ID, Despite: true})
		}
	case f == Times:
		m.agreed(ctx, m.despiteWhy(), pos.CancelPayment{Sale: s.ID, Payment: p.ID, Despite: true})
	}
}

// despiteWhy is what a manager reads who lets the customer pay in another way.
func (m *machine) despiteWhy() string {
	if s := m.current(); s != nil && s.Astray != nil {
		return m.word("ui.despite_astray")
	}
	return m.word("ui.despite_why")
}

// agreed does what needs a manager: he is at the till, or signs in for it. why is what he
// reads first.
func (m *machine) agreed(ctx context.Context, why string, do pos.Action) {
	if m.actor.Role.Includes(pos.Manager) {
		m.do(ctx, m.actor, do)
		return
	}
	m.list = m.people(manages, func(ctx context.Context, boss pos.Actor) { m.do(ctx, boss, do) })
	m.list.why = why
}

// seen reports that the list was on the panel when its item was chosen; else it is asked
// for again.
func (m *machine) seen() bool {
	if !m.fresh {
		m.trouble = m.word("kp.press_again")
	}
	return m.fresh
}

// several reports that there are more ways out of a doubt than one.
func (m *machine) several() bool {
	s := m.current()
	return s.Unverified || (s.Astray != nil && s.Astray.Sells)
}

// exits are the ways out of a doubt about payment id, each with what it means.
func (m *machine) exits(id pos.PaymentID) *list {
	return newList(listExits, m.word("kp.what_now"), func() []item {
		s := m.current() // as it is now: more may come while the list stands there
		if s == nil {
			return nil
		}
		p := s.OpenPayment()
		if p == nil || p.ID != id {
			return nil
		}
		var out []item
		if s.Astray != nil && s.Astray.Sells {
			read := s.Astray.Exact
			why := m.word("ui.take_as_paid_why", "on", s.Astray.Came+" ("+s.Astray.On+")")
			out = append(out, item{text: m.word("ui.take_as_paid"), why: why, do: func(ctx context.Context) {
				if m.seen() {
					m.agreed(ctx, why, pos.Decide{Payment: id, As: pos.AsSale, Came: read})
				}
			}})
		}
		if s.Unverified {
			out = append(out, item{text: m.word("ui.take_unverified"), why: m.word("ui.take_unverified_why"), do: func(ctx context.Context) {
				if m.seen() {
					m.do(ctx, m.actor, pos.TakeUnverified{Sale: s.ID, Payment: id})
				}
			}})
		}
		why := m.despiteWhy()
		return append(out, item{text: m.word("ui.despite"), why: why, do: func(ctx context.Context) {
			if m.seen() {
				m.agreed(ctx, why, pos.CancelPayment{Sale: s.ID, Payment: id, Despite: true})
			}
		}})
	})
}

// otherCode shows the request in another way: for a phone's camera, or the next of its
// forms.
func (m *machine) otherCode(ctx context.Context) {
	s := m.current()
	p := s.OpenPayment()
	c := m.view.Customer
	switch {
	case p == nil || c.Sale != s.ID:
	case p.Other != "":
		m.do(ctx, m.actor, pos.ShowOther{Sale: s.ID, On: !c.Other})
	case len(p.Forms) > 1:
		next := 0
		for i, form := range p.Forms {
			if form.Name == c.Form {
				next = (i + 1) % len(p.Forms)
			}
		}
		m.do(ctx, m.actor, pos.ShowForm{Sale: s.ID, Form: p.Forms[next].Name})
	}
}
