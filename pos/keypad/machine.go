package keypad

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/tillwright/tillwright/pos"
)

// machine is what the keys do. It is used by one goroutine.
type machine struct {
	o    Options
	show func() // shows the prompt while a command runs that may take long

	view  pos.View
	actor pos.Actor // zero: nobody is signed in
	fresh bool      // the key was pressed when what it would pay for was shown

	entry entry
	code  string     // digits of an offline payment's code
	pay   pos.SaleID // the basket whose total was asked for
	ask   *pinAsk
	list  *list
	sure  Function // pressed once; a second time it does what cannot be undone
	note  string   // with sure: what would happen

	busy    bool
	trouble string // what did not work
	told    string // what did
}

// pinAsk is a PIN being typed.
type pinAsk struct {
	who    pos.Actor
	digits string
	then   func(ctx context.Context, a pos.Actor) // for the manager who agrees; nil: he stays
}

// place is where the cashier stands.
type place uint8

const (
	atSetUp place = iota
	atPIN
	atList
	atSell
	atPay
	atWait
	atDoubt
	atDone
)

// deal is what the next step would pay for: a key that was pressed under another one
// does not pay.
type deal struct {
	at    place
	list  string
	sale  pos.SaleID
	pay   pos.PaymentID
	due   pos.Amount
	given entry
	sure  Function
	came  string // what came astray, exactly: a manager decides about that
}

func (m *machine) deal() deal {
	d := deal{at: m.where(), sure: m.sure}
	if m.list != nil {
		d.list = m.list.name
	}
	if s := m.current(); s != nil {
		d.sale, d.due = s.ID, s.Due
		if s.Astray != nil {
			d.came = s.Astray.Exact
		}
		if p := s.OpenPayment(); p != nil {
			d.pay = p.ID
		}
	}
	if d.at == atPay {
		d.given = m.entry
	}
	return d
}

func (m *machine) word(key string, with ...string) string {
	return pos.Word(m.o.Language, key, with...)
}

// current is the sale that the keys are about, nil: none.
func (m *machine) current() *pos.SaleView { return m.view.Counter.Current }

// filled reports that the current sale has lines.
func (m *machine) filled() bool { s := m.current(); return s != nil && len(s.Lines) > 0 }

// where tells the place from the newest view and what was pressed.
func (m *machine) where() place {
	s := m.current()
	switch {
	case m.ask != nil:
		return atPIN
	case m.list != nil:
		return atList
	case m.actor == pos.Actor{}:
		return atSetUp
	case m.filled() && s.Doubtful:
		return atDoubt
	case m.filled() && s.Waiting:
		return atWait
	case m.filled() && (s.State != pos.Draft || m.pay == s.ID):
		return atPay
	case m.filled() || !m.entry.empty():
		return atSell
	}
	if m.over() {
		return atDone
	}
	return atSell
}

// over reports that the customer sees the end of a sale: it is paid, or it went on without
// its network's word.
func (m *machine) over() bool {
	c := m.view.Customer
	return c.Phase == pos.PhasePaid || c.Phase == pos.PhaseChange || (c.Phase == pos.PhaseChecking && c.Reason == "unverified")
}

// look takes in a view that is newer.
func (m *machine) look(v pos.View) {
	before := m.where()
	if v.Version >= m.view.Version {
		m.view = v
	}
	if m.actor == (pos.Actor{}) {
		m.signedOut()
	}
	if m.list != nil {
		m.list.renew()
		if m.list.name == listExits && len(m.list.items) == 0 { // the doubt is over
			m.list = nil
		}
	}
	after := m.where()
	if before == after {
		return
	}
	m.sure = ""
	if after != atSell { // an entry goes on only where it was typed for
		m.entry = entry{}
	}
	if after != atWait && after != atDoubt {
		m.code = ""
	}
	if after == atDone || after == atWait {
		m.pay = ""
	}
}

// signedOut asks who is there.
func (m *machine) signedOut() {
	names := m.o.Staff.Names()
	switch {
	case m.ask != nil && slices.Contains(names, m.ask.who):
	case len(names) == 0:
		m.ask, m.list = nil, nil
	case len(names) == 1:
		m.ask, m.list = &pinAsk{who: names[0]}, nil
	case m.list == nil || m.list.name != listPeople:
		m.ask = nil
		m.list = m.people(func(pos.Actor) bool { return true }, nil)
	}
}

// press lets a key work, at the place where the cashier stands.
func (m *machine) press(ctx context.Context, f Function) {
	m.trouble, m.told = "", ""
	if m.sure != f {
		m.sure = ""
	}
	if m.actor != (pos.Actor{}) && m.ask == nil && m.short(ctx, f) {
		return
	}
	switch m.where() {
	case atSetUp:
		m.signedOut() // somebody may have set it up meanwhile
	case atPIN:
		m.pressPIN(ctx, f)
	case atList:
		m.pressList(ctx, f)
	case atSell:
		m.pressSell(ctx, f)
	case atPay:
		m.pressPay(ctx, f)
	case atWait, atDoubt:
		m.pressWait(ctx, f)
	case atDone:
		m.pressDone(ctx, f)
	}
}

// short handles the keys that mean the same everywhere. It reports that f is one.
func (m *machine) short(ctx context.Context, f Function) bool {
	switch f {
	case Menu:
		if m.list != nil && m.list.name == listMenu {
			m.list = nil
			return true
		}
		m.list = m.menu()
	case Reprint:
		m.reprint(ctx)
	case Drawer:
		m.drawer(ctx)
	case Next:
		m.next(ctx)
	case SignOut:
		m.leave(ctx)
	default:
		return false
	}
	return true
}

// twice reports that f was pressed before and what would happen was shown. The first
// time it asks for the second.
func (m *machine) twice(f Function, note string) bool {
	if m.sure == f && m.fresh {
		m.sure = ""
		return true
	}
	m.sure, m.note = f, note
	return false
}

// do gives the desk a command and waits until the view shows what came of it. It
// reports success; a refusal becomes the prompt's sentence.
func (m *machine) do(ctx context.Context, by pos.Actor, a pos.Action) (pos.Answer, bool) {
	out, err := m.o.Desk.Do(ctx, pos.Command{Key: key(), By: by, Do: a})
	m.settle(out.Sale)
	if err == nil {
		return out, true
	}
	m.o.Log.Debug("key refused", "by", by.ID, "err", err)
	if pos.KindOf(err) == pos.Forbidden && !by.Role.Includes(pos.Manager) {
		m.list = m.people(manages, func(ctx context.Context, boss pos.Actor) { m.do(ctx, boss, a) })
		m.list.why = m.said(err)
		return out, false
	}
	m.trouble = m.said(err)
	return out, false
}

func manages(a pos.Actor) bool { return a.Role.Includes(pos.Manager) }

// settle waits for the effects of a command: what is shown next is what it made.
func (m *machine) settle(id pos.SaleID) {
	if _, err := m.o.Desk.Sale(id); err != nil && pos.KindOf(err) != pos.NotFound {
		m.o.Log.Debug("sale not read", "sale", id, "err", err)
	}
	m.look(m.o.Desk.View())
}

// slow does what may take seconds, with a word about it on the panel.
func (m *machine) slow(f func()) {
	m.busy = true
	m.show()
	f()
	m.busy = false
}

// said puts an error into a sentence for a cashier.
func (m *machine) said(err error) string {
	if e, ok := errors.AsType[*pos.Error](err); ok && e.Msg != "" && e.Kind != pos.Internal {
		return e.Msg
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return m.word("ui.problem.unavailable")
	}
	return m.word("ui.problem." + pos.KindOf(err).String())
}

// list is something to choose from.
type list struct {
	name  string
	title string
	why   string // above it: why one has to choose
	make  func() []item
	items []item
	at    int
	typed string // digits so far, in a list of ten and more
	back  func() // what Back and Cancel lead to; nil: where one was
}

// The lists. A place in a list is known by its name.
const (
	listPeople = "people"
	listMenu   = "menu"
	listWays   = "ways"
	listChains = "chains"
	listOpen   = "open"
	listExits  = "exits"
)

// item is one of a list.
type item struct {
	text string
	why  string
	off  bool
	do   func(ctx context.Context)
}

func newList(name, title string, make func() []item) *list {
	l := &list{name: name, title: title, make: make}
	l.renew()
	return l
}

// renew makes the items anew, and keeps the mark where it is.
func (l *list) renew() {
	l.items = l.make()
	l.at = max(min(l.at, len(l.items)-1), 0)
}

// choose marks number n, from 1.
func (l *list) choose(n int) bool {
	if n < 1 || n > len(l.items) {
		return false
	}
	l.at = n - 1
	return true
}

// long reports that numbers have two digits.
func (l *list) long() bool { return len(l.items) > 9 }

func (m *machine) pressList(ctx context.Context, f Function) {
	l := m.list
	switch digit := f.digit(); {
	case f == Cancel, f == Clear, f == Back && l.typed == "":
		m.closeList()
	case f == Back:
		l.typed = l.typed[:len(l.typed)-1]
	case f == Add, f == Times:
		l.typed = ""
		if len(l.items) > 0 {
			l.at = (l.at + 1) % len(l.items)
		}
	case f == Enter:
		m.chosen(ctx)
	case digit != "":
		m.typeNumber(ctx, digit)
	}
}

// closeList goes back; where nobody is signed in there is no other place.
func (m *machine) closeList() {
	back := m.list.back
	m.list.typed, m.list.at = "", 0
	if m.actor == (pos.Actor{}) {
		return
	}
	m.list = nil
	if back != nil {
		back()
	}
}

// typeNumber chooses at once where no number is longer than a digit.
func (m *machine) typeNumber(ctx context.Context, digit string) {
	l := m.list
	n, err := strconv.Atoi(l.typed + digit)
	if err != nil || !l.choose(n) {
		m.trouble = m.word("kp.no_number", "n", l.typed+digit)
		l.typed = ""
		return
	}
	if l.long() {
		l.typed += digit
		return
	}
	m.chosen(ctx)
}

// chosen does the marked item.
func (m *machine) chosen(ctx context.Context) {
	l := m.list
	if len(l.items) == 0 {
		return
	}
	it := l.items[l.at]
	l.typed = ""
	if it.off {
		m.trouble = it.why
		return
	}
	m.list = nil
	it.do(ctx)
}
