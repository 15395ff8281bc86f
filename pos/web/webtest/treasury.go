package webtest

import (
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Off says that a token is off its value, and at which price; "" ends that.
func (d *Desk) Off(token, price string) {
	d.change(func() {
		if d.off = nil; price != "" {
			d.off = map[string]pos.PegView{token: {Price: price, In: "USD"}}
		}
	})
}

// Moved says that money is to go to other addresses.
func (d *Desk) Moved(to ...pos.DestinationView) { d.change(func() { d.moved = to }) }

func (d *Desk) allowToken(by pos.Actor, do pos.AllowToken) (pos.Answer, error) {
	v, off := d.off[do.Token]
	switch {
	case !by.Role.Includes(pos.Manager):
		return pos.Answer{}, pos.E("allow token", pos.Forbidden, "only a manager allows a token that is off its value")
	case !off || (!do.Off && do.Price != v.Price):
		return pos.Answer{}, pos.E("allow token", pos.Conflict, "look at the price again")
	}
	if v.By, v.Until = by.Name, time.Date(2026, 7, 2, 18, 0, 0, 0, time.UTC); do.Off {
		v.By, v.Until = "", time.Time{}
	}
	d.off = map[string]pos.PegView{do.Token: v}
	return pos.Answer{Record: d.version + 1}, nil
}

func (d *Desk) confirmDestination(by pos.Actor, do pos.ConfirmDestination) (pos.Answer, error) {
	i := slices.IndexFunc(d.moved, func(m pos.DestinationView) bool { return m.Name == do.Name && m.Address == do.Address })
	switch {
	case !by.Role.Includes(pos.Manager):
		return pos.Answer{}, pos.E("confirm destination", pos.Forbidden, "only a manager confirms where money goes")
	case i < 0:
		return pos.Answer{}, pos.E("confirm destination", pos.Conflict, "no changed address waits for a manager")
	}
	d.moved = slices.Delete(slices.Clone(d.moved), i, i+1)
	return pos.Answer{Record: d.version + 1}, nil
}
