package keypad

import (
	"context"

	"github.com/tillwright/tillwright/pos"
)

// Place is a moment of a sale, for pictures of panels.
type Place struct {
	Name  string
	Phase pos.Phase // of the customer's picture meanwhile
}

// Places are the moments that Sample knows, in the order of a sale.
var Places = []Place{
	{"set-up", pos.PhaseIdle}, {"people", pos.PhaseIdle}, {"pin", pos.PhaseIdle}, {"ready", pos.PhaseIdle}, {"amount", pos.PhaseBasket},
	{"pieces", pos.PhaseBasket}, {"basket", pos.PhaseBasket}, {"pay", pos.PhaseBasket}, {"given", pos.PhaseBasket}, {"ways", pos.PhaseBasket},
	{"waiting", pos.PhaseDue}, {"code", pos.PhaseDue}, {"doubt", pos.PhaseChecking}, {"done", pos.PhasePaid}, {"change", pos.PhaseChange},
	{"menu", pos.PhaseIdle}, {"trouble", pos.PhaseBasket}, {"sure", pos.PhaseBasket},
}

// Sample returns the prompt at a place of a made-up sale: the goods and the shop are
// those of v, which should be in the place's phase. ok is false when there is no such
// place.
func Sample(l Layout, place string, v pos.View) (p pos.Prompt, ok bool) {
	m := machine{
		o:     Options{Staff: team{"Anna", "Bea", "Christoph"}, Currency: v.Shop.Currency, Language: v.Shop.Language, Layout: l},
		actor: pos.Actor{ID: "1", Name: "Anna", Role: pos.Cashier},
	}
	m.view = sampleView(v)
	for _, x := range Places {
		if x.Name == place {
			m.stand(place)
			return m.prompt(), true
		}
	}
	return pos.Prompt{}, false
}

// stand brings a machine to a place.
func (m *machine) stand(place string) {
	s := m.view.Counter.Current
	switch place {
	case "set-up", "people", "pin":
		m.actor = pos.Actor{}
		switch place {
		case "set-up":
			m.o.Staff, m.o.SetUp = team{}, func() (string, string) { return "192.168.1.20:8080/setup", "K7QM-2WXD" }
		case "pin":
			m.o.Staff = team{"Anna"}
		}
		m.view.Counter.Current = nil
		if m.signedOut(); m.ask != nil {
			m.ask.digits = "4711"
		}
	case "ready", "menu", "done", "change":
		m.view.Counter.Current = nil
		if place == "menu" {
			m.list = m.menu()
		}
	case "amount":
		m.entry = entry{first: "420"}
	case "pieces":
		m.entry = entry{first: "3", times: true, second: "250"}
	case "pay", "given", "ways":
		m.pay = s.ID
		switch place {
		case "given":
			m.entry.push(itoa(int(s.Due.Minor/1000+1) * 1000))
		case "ways":
			m.list = m.ways()
			m.list.at = 1
		}
	case "waiting", "code", "doubt":
		s.State, s.Waiting = pos.Awaiting, true
		s.Payments = []pos.Payment{{Tender: "lightning", State: pos.Requested, Amount: s.Due, Counter: 417}}
		if place == "code" {
			s.Offline, m.code = true, "4711"
		}
		if place == "doubt" {
			s.Doubtful, s.Payments[0].State = true, pos.Unknown
		}
	case "trouble":
		m.pay, m.trouble = s.ID, m.word("kp.press_again")
	case "sure":
		m.sure, m.note = Cancel, m.word("kp.sure_sale")
	}
}

// sampleView puts a counter beside the customer's picture.
func sampleView(v pos.View) pos.View {
	c := v.Customer
	s := pos.SaleView{
		Sale:   pos.Sale{ID: "sample", Ref: "#0417", State: pos.Draft, Lines: c.Lines},
		Totals: pos.Totals{Total: c.Total}, Due: c.Due, CashDue: c.Due,
	}
	v.Counter = pos.Counter{
		Current: &s, LastDone: &s,
		Tenders: []pos.TenderView{
			{Tender: pos.Cash, Ready: true}, {Tender: "lightning", Ready: true},
			{Tender: "usdc-base", Ready: true, Token: "USDC", Chain: "Base"}, {Tender: "usdc-polygon", Ready: true, Token: "USDC", Chain: "Polygon"},
			{Tender: "usdt-tron", Token: "USDT", Chain: "Tron", Reason: pos.Word(v.Shop.Language, "evm_unreachable", "chain", "Tron")},
		},
	}
	return v
}

// team is a staff that cannot sign in.
type team []string

// SignIn refuses.
func (team) SignIn(context.Context, string, string) (pos.Actor, error) {
	return pos.Actor{}, pos.E("sign in", pos.Forbidden, "nobody signs in to a picture")
}

// SignOut does nothing.
func (team) SignOut(context.Context, pos.Actor) error { return nil }

// Names returns the team.
func (t team) Names() (out []pos.Actor) {
	for i, name := range t {
		out = append(out, pos.Actor{ID: itoa(i + 1), Name: name, Role: pos.Cashier})
	}
	return out
}
