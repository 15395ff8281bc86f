package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/tillwright/tillwright/firmware/gpio"
	"github.com/tillwright/tillwright/firmware/input"
	"github.com/tillwright/tillwright/pos"
)

// publish shows a new view on the lights and sounds when a sale is paid. The desk calls
// it, one view after the other; it never waits.
func (h *hands) publish(v pos.View) {
	if h.lamps != nil {
		h.lamps.Show(gpio.StateOf(v))
	}
	c := v.Customer
	if c.Phase == pos.PhasePaid || c.Phase == pos.PhaseChange {
		if h.seen && h.paid != c.Sale { // what was paid before the till was started is old news
			h.sound(gpio.PaidSound)
		}
		h.paid = c.Sale
	}
	h.seen = true
}

func (h *hands) sound(s gpio.Sound) {
	if h.buzzer != nil {
		h.buzzer.Play(s)
	}
}

// run works scans off, one after the other, until ctx ends.
func (h *hands) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case do := <-h.next:
			do(ctx)
			h.recover()
		}
	}
}

// recover takes scans again once those that waited are done, and says that some were
// left out.
func (h *hands) recover() {
	h.mu.Lock()
	missed := h.full && len(h.next) == 0
	if missed {
		h.full = false
	}
	h.mu.Unlock()
	if missed {
		h.refuse(h.word("scan_fast"))
	}
}

// queue lets do wait for its turn. It never blocks. When the queue is full all that
// follow are left out until it is empty, and never one from the middle.
func (h *hands) queue(do func(context.Context)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.full {
		select {
		case h.next <- do:
			return
		default:
			h.full = true
		}
	}
	h.sound(gpio.BadSound)
}

// scan takes what a scanner read.
func (h *hands) scan(s input.Scan) {
	h.queue(func(ctx context.Context) { h.read(ctx, s.Text) })
}

// lostWords say what was wrong with a scan.
var lostWords = map[input.Why]string{input.TooLong: "scan_long", input.OddKeys: "scan_keys", input.Unfinished: "scan_no_end", input.Torn: "scan_again"}

// lost says that a scan did not come whole.
func (h *hands) lost(l input.Lost) {
	h.queue(func(context.Context) { h.refuse(h.word(lostWords[l.Why])) })
}

func (h *hands) word(key string, with ...string) string { return pos.Word(h.lang, key, with...) }

// refuse tells the cashier that a scan did nothing. It takes the place of what was said
// of the scan before.
func (h *hands) refuse(text string) {
	h.sound(gpio.BadSound)
	h.desk.Notify(pos.Notice{Kind: scanNotice, Text: text})
}

// taken tells that a scan was good, and takes back what was said of the one before.
func (h *hands) taken() {
	h.sound(gpio.GoodSound)
	if slices.ContainsFunc(h.desk.View().Counter.Notices, func(n pos.Notice) bool { return n.Kind == scanNotice }) {
		h.desk.Notify(pos.Notice{Kind: scanNotice})
	}
}

// payerPage is what a scanner reads off the page of a customer who paid an offline
// request. A scanner that is set to another layout writes its colons otherwise.
var payerPage = regexp.MustCompile(`(?i)^OP1[^0-9]([0-9]{1,10})[^0-9]([0-9]{6})$`)

// read does what a scan means: a customer's code for an offline payment, or goods.
func (h *hands) read(ctx context.Context, text string) {
	who, ok := h.who()
	if !ok {
		h.refuse(h.word("scan_sign_in"))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, scanWithin)
	defer cancel()
	var err error
	if m := payerPage.FindStringSubmatch(text); m != nil {
		err = h.code(ctx, who, m[1], m[2])
	} else {
		err = h.goods(ctx, who, text)
	}
	if err != nil {
		h.refuse(message(err))
		return
	}
	h.taken()
}

// do gives the desk one command. Every scan is a key of its own: the same goods twice
// are two pieces.
func (h *hands) do(ctx context.Context, who pos.Actor, do pos.Action) (pos.Answer, error) {
	h.n++
	return h.desk.Do(ctx, pos.Command{Key: fmt.Sprintf("scan-%s-%d", h.begun, h.n), By: who, Do: do})
}

// goods puts what was scanned into the basket. A sale that somebody pays is left alone:
// the customer's code stays where it is. The basket is named, so that a sale which is
// charged while a scan is under way is left alone, too.
func (h *hands) goods(ctx context.Context, who pos.Actor, text string) error {
	do := pos.AddItem{SKU: text}
	switch s := h.desk.View().Counter.Current; {
	case s == nil:
	case s.State == pos.Draft:
		do.Sale = s.ID
	case s.Waiting, s.State != pos.Awaiting:
		return pos.E("scan", pos.Conflict, "%s", h.word("scan_paying", "ref", s.Ref))
	default: // nobody paid: its basket goes on
		a, err := h.do(ctx, who, pos.Reopen{Sale: s.ID})
		if err != nil {
			return err
		}
		do.Sale = a.Sale
	}
	_, err := h.do(ctx, who, do)
	return err
}

// code tries what a customer brings back from an offline request, as the screens do.
func (h *hands) code(ctx context.Context, who pos.Actor, counter, digits string) error {
	c := h.desk.View().Counter
	if c.Current == nil || !c.Current.Offline {
		n, err := strconv.ParseUint(counter, 10, 32)
		for _, s := range c.Open {
			if err == nil && waitsFor(s, uint32(n)) {
				return pos.E("scan", pos.Conflict, "%s", h.word("ui.code_elsewhere", "ref", s.Ref))
			}
		}
		return pos.E("scan", pos.NotFound, "%s", h.word("ui.code_nobody"))
	}
	a, err := h.do(ctx, who, pos.EnterCode{Sale: c.Current.ID, Code: "OP1:" + counter + ":" + digits})
	switch {
	case err != nil:
		return err
	case a.Other:
		return pos.E("scan", pos.Invalid, "%s", h.word("ui.code_other"))
	case a.Wrong > 0:
		return pos.E("scan", pos.Invalid, "%s", h.word("scan_wrong_code", "n", strconv.Itoa(a.Wrong)))
	}
	return nil
}

// waitsFor reports that a sale has an offline request of this number which a code may
// still prove.
func waitsFor(s pos.SaleView, counter uint32) bool {
	return slices.ContainsFunc(s.Payments, func(p pos.Payment) bool { return p.Offline && p.State.Open() && p.Counter == counter })
}
