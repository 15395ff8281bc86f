package webtest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// RequestLife is how long a request made without a line can be paid.
const RequestLife = 20 * time.Minute

// offline is what the desk knows of selling without a line.
type offline struct {
	rule    pos.OfflineRule // empty: the node answers
	why     string          // why it cannot be all the same
	counter uint32
	taken   pos.OfflineView // Sales, Amount and Oldest of what is not proven yet
	wrong   []time.Time     // wrong codes of this till
	other   pos.PaymentID   // shown for a phone's camera
}

// firstCounter is where requests made without a line begin: "#0417".
const firstCounter = 416

// Cut takes the node away and lets Lightning be taken by rule without it; why, if
// not empty, forbids that. An empty rule gives the node back.
func (d *Desk) Cut(rule pos.OfflineRule, why string) {
	d.change(func() { d.offline.rule, d.offline.why = rule, why })
	d.Grey(Lightning, map[bool]string{true: "The node does not answer."}[rule != ""])
}

// Unproven sets what was taken without a line and is not confirmed yet.
func (d *Desk) Unproven(sales int, amount pos.Amount, oldest time.Time) {
	d.change(func() {
		d.offline.taken = pos.OfflineView{Sales: sales, Amount: amount, Oldest: oldest}
	})
}

// Code returns the six digits that a payer of the request with this counter gets.
func Code(counter uint32) string { return fmt.Sprintf("%06d", (uint64(counter)*7_919+5)%1_000_000) }

// Scan returns what a scanner reads off that payer's page.
func Scan(counter uint32) string { return fmt.Sprintf("OP1:%d:%s", counter, Code(counter)) }

// offerOffline adds to Lightning's button what it needs without a line.
func (d *Desk) offerOffline(tv *pos.TenderView) {
	c, o := d.shop.Currency, d.offline
	if o.rule == "" && o.taken.Sales == 0 {
		return
	}
	tv.Rule, tv.Offline = o.rule, o.taken
	tv.Offline.Manager, tv.Offline.Why = o.rule == pos.PreferOnline, o.why
	tv.Offline.PerSale, tv.Offline.Total, tv.Offline.Most = c.Of(15_000), c.Of(150_000), 50
	if o.taken.Sales == 0 {
		tv.Offline.Amount = c.Zero()
	}
	if o.rule != "" && o.why == "" && !d.codesLocked() {
		tv.Ready, tv.Offline.Now = true, true
	}
}

func (d *Desk) codesLocked() bool {
	n := len(d.offline.wrong)
	return n >= pos.MaxWrongCodesHour && d.Now().Sub(d.offline.wrong[n-pos.MaxWrongCodesHour]) < pos.WrongCodesWithin
}

// word is one of the shop's words.
func (d *Desk) word(key string, with ...string) string {
	return pos.Word(d.shop.Language, key, with...)
}

// again shows a request once more that can be paid still; else it is set aside, and
// a new one may be made.
func (d *Desk) again(s *pos.Sale, p *pos.Payment) (done bool, err error) {
	if d.Now().Before(p.Expires) {
		if p.State == pos.Requested {
			return true, pos.E("pay", pos.Conflict, "this sale's code is on the display already")
		}
		p.Again = true
		d.customer = d.pictureOf(s)
		return true, nil
	}
	if p.State != pos.Unknown {
		d.must(p.Apply(pos.Doubt, d.Now()))
	}
	p.Aside, p.Again = true, false
	return false, nil
}

func (d *Desk) payOffline(by pos.Actor, s *pos.Sale, p pos.Payment) (pos.Answer, error) {
	most := d.shop.Currency.Of(15_000)
	switch {
	case d.offline.why != "":
		return pos.Answer{}, pos.E("pay", pos.Unavailable, "%s %s", d.grey[Lightning], d.offline.why)
	case d.codesLocked():
		return pos.Answer{}, pos.E("pay", pos.Unavailable, "%s", d.word("offline_codes_locked"))
	case d.offline.rule == pos.PreferOnline && !by.Role.Includes(pos.Manager):
		return pos.Answer{}, pos.E("pay", pos.Forbidden, "%s", d.word("offline_manager"))
	case p.Amount.Minor > most.Minor:
		return pos.Answer{}, pos.E("pay", pos.Conflict, "%s", d.word("offline_per_sale", "amount", most.String()))
	}
	d.offline.counter++
	p.Offline, p.Counter, p.Network = true, firstCounter+d.offline.counter, "Lightning"
	p.Other = fmt.Sprintf("https://pay.example.com/o/AaGyw9TlAZdvolGdX9JlxAWZrTOA6ft33YNWcGjfNLQz%08d", p.Counter)
	p.Payload = "LNURL1DP68GURN8GHJ7URP0YHX27RPD4CXCEFWVDHK6TM09AQKZ3MEWUU4GMZPTFJ8VMMVGAJ9SW22D3UYZ466WF2Y7SFKVE6RXV6EFETKX3M2VE8YC5T625M8SE24WDK9" + strconv.Itoa(int(p.Counter))
	p.Reference, p.Expires = fmt.Sprintf("a1b2c3d4e5-1-%d", p.Counter), d.Now().Add(RequestLife)
	d.request(s, p)
	return pos.Answer{Sale: s.ID, Payment: p.ID}, nil
}

// provable returns the payments of s that a code may still prove.
func provable(s *pos.Sale) (out []*pos.Payment) {
	for i := range s.Payments {
		if p := &s.Payments[i]; p.Offline && p.State.Open() && !p.Covers() {
			out = append(out, p)
		}
	}
	return out
}

var (
	six  = regexp.MustCompile(`^[0-9]{6}$`)
	read = regexp.MustCompile(`^OP1:([1-9][0-9]{0,9}):([0-9]{6})$`)
)

func (d *Desk) enterCode(by pos.Actor, do pos.EnterCode) (pos.Answer, error) {
	s, err := d.find(do.Sale)
	if err != nil {
		return pos.Answer{}, err
	}
	open := provable(s)
	scan := read.FindStringSubmatch(do.Code)
	typed := strings.NewReplacer(" ", "", "-", "").Replace(do.Code)
	switch {
	case len(open) == 0:
		return pos.Answer{}, pos.E("enter code", pos.Conflict, "this sale waits for no code")
	case d.codesLocked():
		return pos.Answer{}, pos.E("enter code", pos.Exhausted, "%s", d.word("offline_codes_locked"))
	case s.WrongCodes >= pos.MaxWrongCodes && !by.Role.Includes(pos.Manager):
		return pos.Answer{}, pos.E("enter code", pos.Forbidden, "%s", d.word("code_locked"))
	case scan == nil && !six.MatchString(typed):
		return pos.Answer{}, pos.E("enter code", pos.Invalid, "%s", d.word("code_form"))
	}
	ours := scan == nil
	for _, p := range open {
		if scan != nil {
			if fmt.Sprint(p.Counter) != scan[1] {
				continue
			}
			ours, typed = true, scan[2]
		}
		if Code(p.Counter) == typed {
			return d.accept(s, p)
		}
	}
	if !ours {
		return pos.Answer{Sale: s.ID, Other: true}, nil
	}
	s.WrongCodes++
	d.offline.wrong = append(d.offline.wrong, d.Now())
	return pos.Answer{Sale: s.ID, Wrong: s.WrongCodes}, nil
}

func (d *Desk) accept(s *pos.Sale, p *pos.Payment) (pos.Answer, error) {
	due, err := s.Due()
	d.must(err)
	d.must(p.Apply(pos.Accept, d.Now()))
	p.Taken, p.Aside, p.Again, p.Why = true, false, false, ""
	p.Amount.Minor = min(p.Amount.Minor, due.Minor)
	t := &d.offline.taken
	if t.Sales++; t.Sales == 1 {
		t.Amount, t.Oldest = d.shop.Currency.Zero(), p.At
	}
	t.Amount, err = t.Amount.Add(p.Amount)
	d.must(err)
	d.settled(s, *p)
	return pos.Answer{Sale: s.ID, Payment: p.ID}, nil
}

func (d *Desk) showOther(do pos.ShowOther) (pos.Answer, error) {
	s, err := d.find(do.Sale)
	if err != nil {
		return pos.Answer{}, err
	}
	p := s.OpenPayment()
	if p == nil || p.Other == "" {
		return pos.Answer{}, pos.E("show request", pos.Conflict, "this sale's code has no other form")
	}
	if d.offline.other = ""; do.On {
		d.offline.other = p.ID
	}
	d.customer = d.pictureOf(s)
	return pos.Answer{Sale: s.ID, Payment: p.ID}, nil
}

// pictureOffline is what the customer sees of a request made without a line.
func (d *Desk) pictureOffline(c *pos.Customer, p pos.Payment) {
	if !d.Now().Before(p.Expires) {
		c.Phase = pos.PhaseChecking
		return
	}
	c.Phase, c.QR, c.Quantity, c.Offline, c.Counter = pos.PhaseDue, p.Payload, "", true, pos.CounterRef(p.Counter)
	if c.Other = d.offline.other == p.ID; c.Other {
		c.QR = p.Other
	}
}

// Later moves the desk's clock on, and shows what has ended by then.
func (d *Desk) Later(by time.Duration) {
	d.change(func() {
		before := d.Now
		d.Now = func() time.Time { return before().Add(by) }
		if s, err := d.find(""); err == nil {
			d.customer = d.pictureOf(s)
		}
	})
}
