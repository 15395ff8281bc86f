package desk

import (
	"errors"

	"github.com/tillwright/tillwright/pos"
)

// unsureAfter is how many questions in a row must stay without an answer before the
// cashier is told why: one may be lost.
const unsureAfter = 2

// unsure is why a rail cannot say what became of a payment. It is of this moment: no
// record has it.
type unsure struct {
	why   string
	times int
}

// reasonOf returns what a rail says to the cashier; empty when it says nothing.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*pos.Error](err); ok {
		return e.Msg
	}
	return ""
}

// noteUnsure keeps why the rail cannot say what became of p; nil: it can. Screens are
// told of a change at once.
func (d *Desk) noteUnsure(p pos.Payment, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.unsure[p.ID]
	if err == nil {
		delete(d.unsure, p.ID)
	} else {
		d.unsure[p.ID] = unsure{reasonOf(err), old.times + 1}
	}
	if now := d.unsure[p.ID]; d.broken == nil && now.said() != old.said() {
		at, _ := d.o.Now()
		d.publish(at)
	}
}

// said is what the cashier reads of it.
func (u unsure) said() string {
	if u.times < unsureAfter {
		return ""
	}
	return u.why
}

// explain puts why nothing is known of an open payment into what screens are shown.
// d.mu is held.
func (d *Desk) explain(p *pos.Payment) {
	if p.State.Open() && p.Why == "" {
		p.Why = d.unsure[p.ID].said()
	}
}

// noAnswer is what somebody is told who withdraws p while the rail cannot say whether it
// was paid, and why that is; the latter is empty when nobody knows.
func noAnswer(p pos.Payment, err error) (refused *pos.Error, why string) {
	const op = "cancel payment"
	switch why = reasonOf(err); {
	case !p.Stray.IsZero() && p.Why != "": // the truth is known, and it is not what was asked for
		return pos.E(op, pos.Unavailable, "%s", p.Why), p.Why
	case why == "":
		return pos.E(op, pos.Unavailable,
			"the payment network does not answer: it is not known whether this was paid. Wait a moment, or let a manager go on"), ""
	}
	return pos.E(op, pos.Unavailable, "%s It is not known whether this was paid. Wait a moment, or let a manager go on", sentence(why)), why
}

// sentence ends s with a full stop.
func sentence(s string) string {
	if last := s[len(s)-1]; last == '.' || last == '!' || last == '?' {
		return s
	}
	return s + "."
}
