package keypad

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// linksMax bounds the lines that a prompt names as down.
const linksMax = 3

func itoa(n int) string { return strconv.Itoa(n) }

// prompt says what the machine asks for.
func (m *machine) prompt() pos.Prompt {
	p := pos.Prompt{Who: m.actor.Name, Trouble: m.trouble, Links: m.links(), Notice: m.notice()}
	at := m.where()
	switch at {
	case atSetUp:
		m.promptSetUp(&p)
	case atPIN:
		m.promptPIN(&p)
	case atList:
		m.promptList(&p)
	case atSell:
		m.promptSell(&p)
	case atPay:
		m.promptPay(&p)
	case atWait:
		m.promptWait(&p)
	case atDoubt:
		m.promptDoubt(&p)
	case atDone:
		m.promptDone(&p)
	}
	if m.told != "" {
		p.Hint = m.told
	}
	if m.sure != "" {
		p.Trouble, p.Keys = m.note, []pos.PromptKey{{Key: m.label(m.sure), Text: m.word("kp.k.yes")}}
	}
	if m.busy {
		p.Trouble, p.Keys, p.Hint = "", nil, m.word("ui.one_moment")
	}
	if s := m.current(); s != nil && len(m.others()) > 0 && (at == atPay || at == atWait || at == atDoubt) {
		p.Title = s.Ref + " " + p.Title // there are several: which one is this?
	}
	p.Yields = m.yields(at)
	return p
}

// yields reports that the customer has more to look at than the cashier.
func (m *machine) yields(at place) bool {
	if m.sure != "" || m.trouble != "" || m.told != "" || m.busy || m.code != "" || !m.entry.empty() {
		return false
	}
	idle := at == atSell && !m.filled() // he may be another sale's
	if m.actor == (pos.Actor{}) {
		idle = (at == atPIN && m.ask.digits == "") || at == atList // the power was gone, and he still pays
	}
	switch m.view.Customer.Phase {
	case pos.PhaseChecking:
		return idle || at == atWait || at == atDone
	case pos.PhaseDue, pos.PhaseArriving:
		return idle || at == atWait
	case pos.PhasePaid, pos.PhaseChange:
		return at == atDone
	}
	return false
}

func (m *machine) label(f Function) string { return m.o.Layout.Label(f) }

// keys pairs functions with words; a function that no key has is left out.
func (m *machine) keys(pairs ...string) []pos.PromptKey {
	var out []pos.PromptKey
	for i := 0; i+1 < len(pairs); i += 2 {
		if l := m.label(Function(pairs[i])); l != "" {
			out = append(out, pos.PromptKey{Key: l, Text: m.word(pairs[i+1])})
		}
	}
	return out
}

// number names the digits, which need no key to be told apart.
func (m *machine) number(word string) []pos.PromptKey {
	return []pos.PromptKey{{Key: "0–9", Text: m.word(word)}}
}

func (m *machine) promptSetUp(p *pos.Prompt) {
	p.Kind, p.Title, p.Hint = pos.PromptSetUp, m.word("ui.setup.title"), m.word("kp.setup")
	if m.o.SetUp == nil {
		return
	}
	address, code := m.o.SetUp()
	p.Rows = []pos.PromptRow{{Label: address}}
	if code != "" {
		p.Typed.Text, p.Hint = code, m.word("kp.setup_code")
	}
}

func (m *machine) promptPIN(p *pos.Prompt) {
	p.Kind, p.Title, p.Hint = pos.PromptPIN, m.word("kp.pin_of", "name", m.ask.who.Name), m.word("kp.pin")
	p.Typed.Secret = len(m.ask.digits)
	p.Keys = m.keys(string(Enter), "kp.k.sign_in", string(Back), "kp.k.erase", string(Cancel), "kp.k.back")
}

func (m *machine) promptList(p *pos.Prompt) {
	l := m.list
	p.Kind, p.Title, p.At, p.Hint = pos.PromptChoose, l.title, l.at, l.why
	p.Typed.Text = l.typed
	for i, it := range l.items {
		p.Choices = append(p.Choices, pos.PromptChoice{Key: itoa(i + 1), Text: it.text, Off: it.off, Why: it.why})
	}
	if m.filled() && l.name != listPeople {
		p.Sum = m.due()
	}
	if p.Keys = m.keys(string(Add), "kp.k.down", string(Enter), "kp.k.choose"); m.actor != (pos.Actor{}) {
		p.Keys = append(p.Keys, m.keys(string(Cancel), "kp.k.back")...)
	}
}

// rows are the last lines of the basket.
func (m *machine) rows() (out []pos.PromptRow) {
	if !m.filled() {
		return nil
	}
	lines := m.current().Lines
	for _, l := range lines[max(0, len(lines)-pos.MaxPromptRows):] {
		out = append(out, pos.PromptRow{Label: l.Name, Qty: l.Qty, Amount: l.Total})
	}
	return out
}

// due is what the customer owes now.
func (m *machine) due() pos.PromptRow {
	s := m.current()
	if s.State == pos.PartPaid {
		return pos.PromptRow{Label: m.word("ui.still_due"), Amount: s.Due}
	}
	return pos.PromptRow{Label: m.word("to_pay"), Amount: s.Due}
}

func (m *machine) promptSell(p *pos.Prompt) {
	p.Kind, p.Title, p.Rows, p.Typed = pos.PromptSell, m.word("amount"), m.rows(), m.entry.typed(m.o.Currency)
	p.Sum = pos.PromptRow{Label: m.word("total"), Amount: m.o.Currency.Zero()}
	if m.filled() {
		p.Sum.Amount = m.current().Totals.Total
	}
	switch {
	case m.entry.empty() && !m.filled():
		p.Hint = m.word("kp.type_amount")
		p.Keys = append(m.number("kp.k.amount"), m.keys(string(Times), "kp.k.times", string(Add), "kp.k.add", string(Enter), "kp.k.total", string(Menu), "kp.k.menu")...)
	case m.entry.empty():
		p.Keys = append(m.keys(string(Enter), "kp.k.total"), m.number("kp.k.add")...)
		p.Keys = append(p.Keys, m.keys(string(Back), "kp.k.take_off", string(Cancel), "kp.k.give_up", string(Menu), "kp.k.menu")...)
	default:
		p.Keys = m.keys(string(Add), "kp.k.add", string(Enter), "kp.k.total", string(Times), "kp.k.times", string(Back), "kp.k.erase")
	}
}

func (m *machine) promptPay(p *pos.Prompt) {
	p.Kind, p.Title, p.Rows, p.Sum = pos.PromptPay, m.word("kp.how_paid"), m.rows(), m.due()
	s := m.current()
	if !m.entry.empty() {
		p.Title, p.Typed = m.word("ui.cash_given"), m.entry.typed(m.o.Currency)
		if back := p.Typed.Amount.Minor - s.CashDue.Minor; p.Typed.Text == "" && back > 0 {
			p.Back = pos.PromptRow{Label: m.word("change"), Amount: m.view.Shop.Rounding.Change(m.o.Currency.Of(back))}
		}
		p.Keys = m.keys(string(Enter), "cash", string(Back), "kp.k.erase", string(Cancel), "kp.k.clear")
		return
	}
	p.Hint = m.whyUnpaid()
	p.Keys = append(m.keys(string(Enter), "ui.exact_cash"), m.number("kp.k.given")...)
	if t := m.lightning(); t != "" {
		p.Keys = append(p.Keys, m.tenderKey(t))
		p.Keys = append(p.Keys, m.keys(string(Times), "kp.k.other")...)
	}
	last := "kp.k.back"
	if s.State != pos.Draft {
		last = "kp.k.give_up"
		if s.State == pos.Awaiting {
			p.Keys = append(p.Keys, m.keys(string(Back), "kp.k.basket")...)
		}
	}
	p.Keys = append(p.Keys, m.keys(string(Cancel), last, string(Menu), "kp.k.menu")...)
}

// tenderKey is the key of the tender that stands first, with a word when it is grey.
func (m *machine) tenderKey(t pos.Tender) pos.PromptKey {
	k := pos.PromptKey{Key: m.label(Add), Text: m.tenderName(t)}
	for _, v := range m.view.Counter.Tenders {
		switch {
		case v.Tender != t:
		case !v.Ready:
			k.Text += ": " + m.word("ui.not_now")
		case v.Offline.Now:
			k.Text += " (" + m.word("ui.offline_mark") + ")"
		}
	}
	return k
}

// whyUnpaid says what became of the last try to pay a charged sale.
func (m *machine) whyUnpaid() string {
	s := m.current()
	if len(s.Payments) == 0 {
		return ""
	}
	switch p := s.Payments[len(s.Payments)-1]; p.State {
	case pos.Expired:
		return m.word("ui.why_expired")
	case pos.Cancelled:
		return m.word("ui.why_cancelled")
	case pos.Failed:
		return strings.TrimSpace(m.word("ui.why_failed") + " " + p.Why)
	}
	return ""
}

func (m *machine) promptWait(p *pos.Prompt) {
	s := m.current()
	open := s.OpenPayment()
	p.Kind, p.Sum = pos.PromptWait, m.due()
	if open == nil {
		return
	}
	p.Title = m.word("ui.waiting_for", "tender", m.tenderName(open.Tender))
	p.Sum.Amount = open.Amount
	switch c := m.view.Customer; {
	case s.Offline:
		p.Title, p.Hint, p.Typed.Text = m.word("kp.code"), m.word("kp.code_how", "ref", pos.CounterRef(open.Counter)), m.code
	case c.Sale == s.ID && c.Part != "": // the rest is asked for
		p.Hint, p.Sum = m.word("came_so_far", "amount", c.Part), pos.PromptRow{Label: m.word("ui.still_due"), Amount: c.Due}
	case c.Sale == s.ID && c.Phase == pos.PhaseArriving:
		p.Hint = m.word("arriving")
	case c.Sale == s.ID && c.Phase == pos.PhaseChecking:
		p.Hint = m.word("checking")
	default:
		p.Hint = cmp.Or(open.Why, m.cutWhy(open.Tender), m.word("ui.customer_scans"))
	}
	if m.code != "" {
		p.Keys = m.keys(string(Enter), "kp.k.code_ok", string(Back), "kp.k.erase", string(Cancel), "kp.k.clear")
		return
	}
	if p.Keys = m.keys(string(Cancel), "kp.k.cancel", string(Add), "kp.k.next"); s.Unverified {
		p.Keys = append(m.keys(string(Enter), "kp.k.unverified"), p.Keys...)
	}
	if open.Other != "" || len(open.Forms) > 1 {
		p.Keys = append(p.Keys, m.keys(string(Times), "kp.k.code")...)
	}
}

// cutWhy says why nobody sees whether the customer has paid; empty: somebody does.
func (m *machine) cutWhy(t pos.Tender) string {
	for _, v := range m.view.Counter.Tenders {
		if v.Tender == t && v.Token != "" && (!v.Ready || v.Offline.Now) {
			return v.Reason
		}
	}
	return ""
}

func (m *machine) promptDoubt(p *pos.Prompt) {
	s := m.current()
	p.Kind, p.Title, p.Hint, p.Sum, p.Typed.Text = pos.PromptDoubt, m.word("kp.doubt"), m.word("ui.doubt_why"), m.due(), m.code
	again := "kp.k.ask"
	open := s.OpenPayment()
	if open != nil && open.Offline {
		again = "ui.show_again"
	}
	if open != nil && !open.Stray.IsZero() && open.Why != "" { // it is known what came
		p.Hint = open.Why
	}
	if s.Astray != nil {
		if p.Title = m.word("ui.other_money"); s.Astray.On != "" {
			p.Hint = m.word("kp.astray", "came", s.Astray.Came, "on", s.Astray.On, "asked", s.Astray.Asked)
		}
		if s.Astray.Kind == pos.OwedNetwork {
			p.Title = m.word("ui.other_network")
		}
	}
	if m.code != "" {
		again = "kp.k.code_ok"
	}
	decide := "kp.k.manager"
	if m.several() {
		decide = "kp.what_now"
	}
	p.Keys = m.keys(string(Enter), again, string(Cancel), "kp.k.next", string(Times), decide)
}

func (m *machine) promptDone(p *pos.Prompt) {
	c := m.view.Customer
	if p.Kind, p.Title = pos.PromptDone, m.word("paid"); c.Reason == "unverified" {
		p.Title, p.Hint = m.word("ui.unverified"), m.word("ui.unverified_then")
		if c.Change.Minor == 0 { // nothing looks like PAID
			p.Kind = pos.PromptWait
		}
	}
	p.Sum = pos.PromptRow{Label: strings.TrimSpace(m.word("receipt") + " " + c.Receipt), Amount: c.Total}
	if c.Phase == pos.PhaseChange && c.Change.Minor > 0 {
		p.Back = pos.PromptRow{Label: m.word("change"), Amount: c.Change}
		p.Rows = []pos.PromptRow{{Label: m.word("given"), Amount: c.Given}}
	}
	p.Keys = m.keys(string(Enter), "kp.k.next", string(Times), "ui.print_again", string(Menu), "kp.k.menu")
}

// links names the lines that are down.
func (m *machine) links() (out []string) {
	for _, l := range m.view.Counter.Links {
		if l.State != "offline" || len(out) == linksMax {
			continue
		}
		name := m.word("ui.link." + l.Name)
		if strings.HasPrefix(name, "ui.link.") {
			name = m.tenderName(pos.Tender(l.Name))
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// notice is the newest thing that happened by itself.
func (m *machine) notice() string {
	c := m.view.Counter
	switch {
	case m.actor == pos.Actor{}:
		return ""
	case c.Sync.Trouble != "":
		return c.Sync.Trouble
	case len(c.Notices) > 0:
		return c.Notices[0].Text
	case len(c.Refunds) > 0:
		return m.word("ui.owed_n", "n", itoa(len(c.Refunds)))
	}
	for _, l := range c.Links {
		if l.State == "open" { // the cash drawer, for too long
			return l.Detail
		}
	}
	return ""
}

// Watch is the prompt of a till without a keypad: for a cashier's panel beside a
// phone or a tablet. It tells what stands on the counter and asks for nothing.
func Watch(v pos.View) pos.Prompt {
	m := machine{o: Options{Currency: v.Shop.Currency, Language: v.Shop.Language}, view: v, actor: pos.Till}
	p := m.prompt()
	p.Who, p.Keys, p.Notice = "", nil, m.notice()
	if p.Kind == pos.PromptPay || p.Kind == pos.PromptSell {
		p.Hint = ""
	}
	if p.Kind == pos.PromptSell {
		p.Title = ""
	}
	if p.Kind == pos.PromptPay {
		for _, t := range v.Counter.Tenders {
			it := m.way(m.tenderName(t.Tender), t)
			p.Choices = append(p.Choices, pos.PromptChoice{Text: it.text, Off: it.off, Why: it.why})
		}
		p.At = -1
	}
	return p
}
