package desk

import (
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Where the money of tenders goes is on record. Whoever can write the till's
// configuration could send the takings elsewhere, so an address that is not the one
// recorded before is recorded, told of, and not used until a manager confirms it by his
// PIN. What waits for a payment at the old address is not touched.

// placesOf returns where the money of tenders goes, each place once.
func placesOf(tenders []Tender) (out []pos.Destination) {
	for _, t := range tenders {
		known := slices.ContainsFunc(out, func(d pos.Destination) bool { return d.Name == t.To.Name })
		if t.To.Name != "" && !known {
			out = append(out, t.To)
		}
	}
	return out
}

// notePlaces records each address that is not the one recorded last. The first ones of a
// till need nobody's word, nor does one that was confirmed before the last.
func (d *Desk) notePlaces(t *turn) {
	first := len(t.books.Destinations) == 0
	for _, to := range d.places {
		was, known := t.books.Destinations[to.Name]
		switch {
		case known && was.Address == to.Address:
		case !known && first, known && was.Confirmed() == to.Address:
			t.record(pos.KindDestination, pos.DestinationChanged{Destination: to, Old: was.Address, By: t.by})
		default:
			t.record(pos.KindDestination, d.moving(to, was.Confirmed(), t.by))
		}
	}
	d.began = t.at
}

// moving is the record of an address that waits for a manager.
func (d *Desk) moving(to pos.Destination, old string, by pos.Actor) pos.DestinationChanged {
	key := "destination_moved"
	if old == "" {
		key = "destination_new"
	}
	why := pos.Word(d.o.Shop.Language, key, "network", to.Network, "new", pos.ShortAddress(to.Address), "old", pos.ShortAddress(old))
	return pos.DestinationChanged{Destination: to, Old: old, Open: true, Why: why, By: by}
}

// unconfirmed says, in a cashier's words, that nobody has confirmed where t's money goes;
// empty: it may be asked for.
func (d *Desk) unconfirmed(t Tender, b pos.Books) string {
	if t.To.Name == "" || b.Destinations[t.To.Name].Confirmed() == t.To.Address {
		return ""
	}
	return pos.Word(d.o.Shop.Language, "destination_open")
}

// openPlaces are the addresses that wait for a manager.
func (d *Desk) openPlaces(b pos.Books) (out []pos.DestinationView) {
	for _, to := range d.places {
		if c := b.Destinations[to.Name]; c.Open {
			out = append(out, pos.DestinationView{Name: c.Name, Network: c.Network, Address: c.Address, Old: c.Old, Why: c.Why})
		}
	}
	return out
}

// placeNotices tell of them, below all other notices, until a manager confirms: their
// numbers are the first ones.
func (d *Desk) placeNotices(b pos.Books) (out []pos.Notice) {
	for i, to := range d.places {
		if c := b.Destinations[to.Name]; c.Open {
			out = append(out, pos.Notice{ID: uint64(i + 1), At: d.began, Kind: pos.NoticeTrouble, Text: c.Why})
		}
	}
	return out
}

// withPlaces puts the notices that stay below the others, within the bound.
func (d *Desk) withPlaces(b pos.Books) []pos.Notice {
	stay := d.placeNotices(b)
	room := max(pos.MaxNotices-len(stay), 0)
	return append(slices.Clone(d.notices[:min(len(d.notices), room)]), stay...)
}

// stays reports that a notice is one that only a manager's confirmation takes away.
func (d *Desk) stays(id uint64, b pos.Books) bool {
	return slices.ContainsFunc(d.placeNotices(b), func(n pos.Notice) bool { return n.ID == id })
}

// confirmDestination lets money go to a changed address, which a manager has seen.
func (d *Desk) confirmDestination(t *turn, do pos.ConfirmDestination) error {
	const op = "confirm destination"
	c, known := t.books.Destinations[do.Name]
	switch {
	case !t.by.Role.Includes(pos.Manager):
		return pos.E(op, pos.Forbidden, "only a manager confirms where money goes")
	case !known || !c.Open:
		return pos.E(op, pos.Conflict, "no changed address waits for a manager")
	case c.Address != do.Address:
		return pos.E(op, pos.Conflict, "the address is another one by now; look at it again")
	}
	t.record(pos.KindConfirmed, pos.DestinationChanged{Destination: c.Destination, Old: c.Old, By: t.by})
	return nil
}

// Pegged is the price of a token that may come so far off its value that it is not taken
// unless a manager says so. Its methods do not block.
type Pegged interface {
	// Off returns the price of one token that is too far off, for people, and in which
	// currency. Conflict: it is taken anyway. Unavailable: there is no price.
	Off() (price, in string, err error)
	// Allow takes it at about that price for a while; 0 takes the word back.
	Allow(by pos.Actor, price string, d time.Duration) error
}

// pegged finds a token's tender that has a price; nil: there is none.
func (d *Desk) pegged(token string) Pegged {
	for _, t := range d.o.Tenders {
		if t.Peg != nil && t.Token == token {
			return t.Peg
		}
	}
	return nil
}

// allowToken takes a token that is off its value by a manager's word, or not any more.
// The word is durable before it holds.
func (d *Desk) allowToken(t *turn, do pos.AllowToken) error {
	const op = "allow token"
	if !t.by.Role.Includes(pos.Manager) {
		return pos.E(op, pos.Forbidden, "only a manager allows a token that is off its value")
	}
	peg := d.pegged(do.Token)
	if peg == nil {
		return pos.E(op, pos.NotFound, "this till does not take %.20q", do.Token)
	}
	price, in, err := peg.Off()
	if err != nil && !do.Off {
		return err
	}
	v := pos.TokenAllowed{Token: do.Token, Price: price, In: in, Until: t.at.Add(pos.TokenAllowedFor), For: pos.TokenAllowedFor, By: t.by}
	switch was := t.books.Allowed[do.Token]; {
	case do.Off && was.For == 0:
		return pos.E(op, pos.Conflict, "nobody has allowed this token")
	case do.Off:
		v.Price, v.In, v.Until, v.For = was.Price, was.In, t.at, 0
	case do.Price != price:
		return pos.E(op, pos.Conflict, "%s", pos.Word(d.o.Shop.Language, "peg_moved", "token", do.Token, "price", price+" "+in))
	}
	t.record(pos.KindTokenAllowed, v)
	t.then = func() { d.allow(v, v.For) }
	return nil
}

// allow lets a recorded word hold.
func (d *Desk) allow(v pos.TokenAllowed, left time.Duration) {
	if peg := d.pegged(v.Token); peg != nil {
		if err := peg.Allow(v.By, v.Price, left); err != nil {
			d.o.Log.Warn("token not allowed", "token", v.Token, "err", err)
		}
	}
}

// allowAgain says recorded words again, once, for the time that is left of them: a start
// forgets them. Before the clock can be believed nobody knows how long that is.
func (d *Desk) allowAgain() {
	d.mu.Lock()
	defer d.mu.Unlock()
	at, clock := d.o.Now()
	if d.said || clock != pos.ClockTrusted {
		return
	}
	d.said = true
	for _, v := range d.o.Ledger.Books().Allowed {
		if left := v.Until.Sub(at); left > 0 && left <= v.For {
			d.allow(v, left)
		}
	}
}

// pegView says how a token that is off its value stands; zero: it is not off. taken:
// it has a price that it can be charged at.
func (d *Desk) pegView(t Tender, b pos.Books, taken bool) pos.PegView {
	if t.Peg == nil {
		return pos.PegView{}
	}
	price, in, err := t.Peg.Off()
	if err != nil {
		return pos.PegView{}
	}
	v := pos.PegView{Price: price, In: in}
	if w := b.Allowed[t.Token]; taken && w.For > 0 {
		v.Until, v.By = w.Until, w.By.Name
	}
	return v
}

// pegNotice says by whose word a token is taken, and until when.
func (d *Desk) pegNotice(v pos.PegView) string {
	if v.Until.IsZero() {
		return ""
	}
	zone := d.o.Zone
	if zone == nil {
		zone = time.UTC
	}
	return pos.Word(d.o.Shop.Language, "peg_allowed", "name", v.By, "time", v.Until.In(zone).Format("15:04"))
}
