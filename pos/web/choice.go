package web

import (
	"crypto/rand"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
)

// choiceLife is how long a customer may take to choose: unlocking a phone and looking
// which coins are on it takes a minute. It is short, for whoever stands at the display
// may choose then.
const choiceLife = 2 * time.Minute

// choices lets the customer choose token and network on their own screen, where nobody
// is signed in.
//
// A cashier invites to it, for the sale at the counter as it is now. The invitation is
// good for one payment of all that is due of that sale, with a stablecoin that is ready,
// within choiceLife; it ends when the sale changes in any way. Whoever reads the screen
// or the network may use it, and reaches no more by it than the customer: which of the
// shop's codes is shown, which the cashier can withdraw. The payment is the inviting
// cashier's command.
type choices struct {
	mu    sync.Mutex
	open  *invitation
	turn  int         // counts what the cashier said: what is taken back must not outlive it
	ended *time.Timer // takes it off the screens
}

// invitation is one of them.
type invitation struct {
	id    string
	by    pos.Actor
	sale  pos.SaleID
	due   pos.Amount
	state pos.SaleState
	since uint64 // version of the view in which it was so
	until time.Time
}

// choice is what the customer's screen is told of an invitation.
type choice struct {
	ID      string         `json:"id"`
	Sale    pos.SaleID     `json:"sale"`
	Due     pos.Amount     `json:"due"`
	Tenders []choiceTender `json:"tenders"` // ready ones; of one token the cheapest first
}

type choiceTender struct {
	Tender pos.Tender `json:"tender"`
	Token  string     `json:"token"`
	Chain  string     `json:"chain"`
}

// holds reports that v still shows the sale that the customer was invited to.
func (i *invitation) holds(v pos.View, now time.Time) bool {
	s := v.Counter.Current
	return i != nil && now.Before(i.until) && s != nil && s.ID == i.sale && s.State == i.state && s.Due == i.due && !s.Waiting && !s.Doubtful && v.Customer.Sale == i.sale
}

// offered lists what the customer may choose from, nil when that is nothing.
func offered(v pos.View) (out []choiceTender) {
	for _, t := range v.Counter.Tenders {
		if t.Token != "" && t.Ready && !t.Offline.Now {
			out = append(out, choiceTender{t.Tender, t.Token, t.Chain})
		}
	}
	return out
}

// of returns what the screens show with v, nil when no invitation holds; one that does
// not hold any more has ended.
func (c *choices) of(v pos.View, now time.Time) *choice {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil || v.Version < c.open.since {
		return nil
	}
	if !c.open.holds(v, now) {
		c.open = nil
		return nil
	}
	tenders := offered(v)
	if len(tenders) == 0 {
		return nil
	}
	return &choice{c.open.id, c.open.sale, c.open.due, tenders}
}

// invite replaces what was open.
func (c *choices) invite(i *invitation, end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		c.ended.Stop()
	}
	c.open, c.ended, c.turn = i, nil, c.turn+1
	if i != nil {
		c.ended = time.AfterFunc(time.Until(i.until), end)
	}
}

// take takes the invitation called id out: a second tap finds nothing. back puts it in
// again, for a payment that could not be made.
func (c *choices) take(id string, v pos.View, now time.Time) (i *invitation, back func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i = c.open
	if i == nil || i.id != id || !i.holds(v, now) {
		return nil, nil, false
	}
	c.open = nil
	turn := c.turn
	return i, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.open == nil && c.turn == turn {
			c.open = i
		}
	}, true
}

type inviteIn struct {
	Open bool `json:"open"`
}

// invite lets the customer choose on their screen, or no more.
func (a *App) invite(c *fiber.Ctx) error {
	var in inviteIn
	id, err := saleOf(c)
	if err != nil {
		return err
	}
	if err := decode(c, &in); err != nil {
		return err
	}
	v, now := a.o.Desk.View(), time.Now()
	s := v.Counter.Current
	switch {
	case s == nil || (id != "" && s.ID != id) || v.Customer.Sale != s.ID:
		return pos.E("invite customer", pos.Conflict, "this sale is not the one on the customer's screen")
	case !in.Open:
		a.choices.invite(nil, nil)
		a.hub.retell()
		return c.JSON(pos.Answer{Sale: s.ID})
	case s.Waiting || s.Doubtful || s.Due.Minor <= 0:
		return pos.E("invite customer", pos.Conflict, "there is nothing to choose: a payment is under way, or nothing is due")
	case len(offered(v)) == 0:
		return pos.E("invite customer", pos.Unavailable, "%s", pos.Word(a.o.Shop.Language, "ui.no_network"))
	}
	i := &invitation{rand.Text(), actorOf(c), s.ID, s.Due, s.State, v.Version, now.Add(choiceLife)}
	a.choices.invite(i, a.hub.retell)
	a.hub.retell()
	return c.JSON(pos.Answer{Sale: s.ID})
}

type chosenIn struct {
	ID     string `json:"id"`
	Tender string `json:"tender"`
}

// choose is the customer's tap: it starts the payment that the cashier invited to.
func (a *App) choose(c *fiber.Ctx) error {
	var in chosenIn
	if _, err := idempotencyKey(c); err != nil {
		return err
	}
	if err := decode(c, &in); err != nil {
		return err
	}
	now := time.Now()
	if wait, ok := take(a.clients.get(addrOf(c), now).signIn, now); !ok {
		return &tooMany{wait}
	}
	in.ID, in.Tender = strings.Clone(in.ID), strings.Clone(in.Tender)
	v := a.o.Desk.View()
	i, back, ok := a.choices.take(in.ID, v, now)
	if !ok {
		return pos.E("choose", pos.Conflict, "there is nothing to choose now; ask the cashier")
	}
	fits := false
	for _, t := range offered(v) {
		fits = fits || string(t.Tender) == in.Tender
	}
	if !fits {
		back()
		return pos.E("choose", pos.Invalid, "this cannot be chosen now")
	}
	ctx, cancel := a.within(deskWithin)
	defer cancel()
	// The invitation names the command: however often it is sent, it is one payment.
	answer, err := a.o.Desk.Do(ctx, pos.Command{Key: "choice-" + i.id, By: i.by, Do: pos.Pay{Sale: i.sale, Tender: pos.Tender(in.Tender), Amount: i.due.Minor}})
	if err != nil {
		back()
		a.hub.retell()
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(pos.Answer{Sale: answer.Sale})
}
