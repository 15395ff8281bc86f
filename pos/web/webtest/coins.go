package webtest

import (
	"fmt"
	"slices"

	"github.com/tillwright/tillwright/pos"
)

// Coin is a stablecoin on one network, as a till offers it.
type Coin struct {
	Tender       pos.Tender // "usdc-base"
	Token, Chain string     // "USDC", "Base"
	ID           int        // the chain's number; 0 for Solana, which has none
	Contract     string
}

// Coins are what the desk takes at first: USDC on four networks and two tokens on one
// network each.
var Coins = []Coin{
	{"usdc-base", "USDC", "Base", 8453, "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"},
	{"usdc-solana", "USDC", "Solana", 0, "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"},
	{"usdc-polygon", "USDC", "Polygon", 137, "0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359"},
	{"usdc-ethereum", "USDC", "Ethereum", 1, "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"},
	{"usdt-polygon", "USDT", "Polygon", 137, "0xc2132D05D31c914a87C6611C10748AEb04B58e8F"},
	{"eurc-base", "EURC", "Base", 8453, "0x60a3E35Cc302bFA44Cb288Bc5a4F316Fdb1adb42"},
}

// MoreCoins are tokens beyond those that have a button of their own.
var MoreCoins = append(slices.Clone(Coins),
	Coin{"pyusd-ethereum", "PYUSD", "Ethereum", 1, "0x6c3ea9036406852006290770BEdFcAbA0e23A0e8"},
	Coin{"dai-base", "DAI", "Base", 8453, "0x50c5725949A6F0c72E6C4a641F24049A917DB0Cb"})

// Addresses that the desk asks for money at, one on each kind of network.
const (
	evmAddress    = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
	solanaAddress = "mvines9iiHiQTysrwkJjGf2gb9Ex9jXJX8ns3qwf2kN"
	reference     = "82ZJ7nbGpixjeDCmEhUcmwXYfvurzAgGdtSMuHnUgyny"
)

// Offer replaces the stablecoins that the desk takes.
func (d *Desk) Offer(coins []Coin) { d.change(func() { d.coins = coins }) }

// coin returns the coin of a tender, nil when it is none.
func (d *Desk) coin(t pos.Tender) *Coin {
	i := slices.IndexFunc(d.coins, func(c Coin) bool { return c.Tender == t })
	if i < 0 {
		return nil
	}
	return &d.coins[i]
}

// offers returns the buttons of all coins.
func (d *Desk) offers() (out []pos.TenderView) {
	for _, c := range d.coins {
		reason := d.grey[c.Tender]
		tv := pos.TenderView{Tender: c.Tender, Ready: reason == "", Reason: reason, Token: c.Token, Chain: c.Chain, Notice: d.peg[c.Token]}
		tv.Peg = d.off[c.Token]
		if d.trust != "" {
			of := d.shop.Currency.Of
			tv.Ready, tv.Reason, tv.Rule = true, c.Chain+" does not answer. Check the internet.", d.trust
			tv.Offline = pos.OfflineView{Now: true, Manager: d.trust == pos.PreferOnline, Amount: of(0), PerSale: of(2000), Total: of(10_000), Most: 5}
		}
		if tv.Offline.Off = d.loss; d.loss != "" && c.Tender == d.coins[0].Tender {
			tv.Ready, tv.Offline.Now, tv.Offline.Why = d.trust == "" && reason == "", false, pos.Word(d.shop.Language, "unverified_off")
		} else {
			tv.Offline.Off = ""
		}
		out = append(out, tv)
	}
	return out
}

// CutCoins takes the networks away from the desk, whose owner lets stablecoins be taken
// unverified by a rule; "" gives them back.
func (d *Desk) CutCoins(rule pos.OfflineRule) {
	d.change(func() {
		d.trust = rule
		if s, err := d.find(""); err == nil {
			d.customer = d.pictureOf(s)
		}
	})
}

// trusts reports that the open payment of s may be taken unverified.
func (d *Desk) trusts(s *pos.Sale) bool {
	p := s.OpenPayment()
	return p != nil && d.trust != "" && d.coin(p.Tender) != nil
}

func (d *Desk) takeUnverified(by pos.Actor, do pos.TakeUnverified) (pos.Answer, error) {
	s, err := d.find(do.Sale)
	if err != nil {
		return pos.Answer{}, err
	}
	p := s.OpenPayment()
	switch {
	case p == nil || p.ID != do.Payment || !d.trusts(s):
		return pos.Answer{}, pos.E("go on", pos.Conflict, "%s", pos.Word(d.shop.Language, "unverified_no"))
	case d.trust == pos.PreferOnline && !by.Role.Includes(pos.Manager):
		return pos.Answer{}, pos.E("go on", pos.Forbidden, "%s", pos.Word(d.shop.Language, "offline_manager"))
	}
	if p.State != pos.Unknown {
		d.must(p.Apply(pos.Doubt, d.Now()))
	}
	p.Unverified = true
	a := pos.Answer{Sale: s.ID, Payment: p.ID}
	d.settled(s, *p)
	d.customer.Phase, d.customer.Reason = pos.PhaseChecking, "unverified"
	return a, nil
}

// Peg notes that a token is charged at another price than its own; "" ends that.
func (d *Desk) Peg(token, notice string) {
	d.change(func() {
		if d.peg == nil {
			d.peg = map[string]string{}
		}
		d.peg[token] = notice
	})
}

// askCoin makes the request of a stablecoin: one euro is 1.08 of any token, and one
// ten thousandth more, which tells the sale apart.
func (c Coin) askCoin(p *pos.Payment) {
	asset := pos.Asset{ID: string(c.Tender) + ":" + c.Contract, Symbol: c.Token, Decimals: 6, Shown: 4}
	p.Quantity, p.Network = asset.UnitsOf(p.Amount.Minor*10_800+100), c.Token+" on "+c.Chain
	p.Reference = fmt.Sprintf("%s-%d", c.Tender, p.Attempt)
	p.Forms = c.forms(p.Quantity)
	p.Payload = p.Forms[0].Payload
}

// forms are the ways to ask for q, as the rails make them.
func (c Coin) forms(q pos.Quantity) []pos.Form {
	typed := func(to string) pos.Form {
		return pos.Form{Name: "address", Payload: to, Typed: true, Caption: "Address only: type exactly " + q.String() + " on " + c.Chain}
	}
	if c.ID == 0 {
		plain := "solana:" + solanaAddress + "?amount=" + q.Number() + "&spl-token=" + c.Contract
		return []pos.Form{
			{Name: "standard", Payload: plain + "&reference=" + reference + "&label=Caf%C3%A9%20S%C3%BCd"},
			{Name: "other", Payload: plain}, typed(solanaAddress),
		}
	}
	uri := fmt.Sprintf("%s@%d/transfer?address=%s&uint256=%s", c.Contract, c.ID, evmAddress, q.Int())
	return []pos.Form{
		{Name: "standard", Payload: "ethereum:" + uri, Caption: "Scan with a wallet"}, typed(evmAddress),
		{Name: "metamask", Payload: "https://link.metamask.io/send/" + uri},
		{Name: "trust", Payload: fmt.Sprintf("https://link.trustwallet.com/send?asset=c60_t%s&address=%s&amount=%s", c.Contract, evmAddress, q.Number())},
	}
}

// showForm shows the open payment's request in another of its forms.
func (d *Desk) showForm(do pos.ShowForm) (pos.Answer, error) {
	s, err := d.find(do.Sale)
	if err != nil {
		return pos.Answer{}, err
	}
	p := s.OpenPayment()
	if p == nil || !slices.ContainsFunc(p.Forms, func(f pos.Form) bool { return f.Name == do.Form }) {
		return pos.Answer{}, pos.E("show request", pos.Conflict, "this sale's code has no such form")
	}
	d.form = map[pos.PaymentID]string{p.ID: do.Form}
	d.customer = d.pictureOf(s)
	return pos.Answer{Sale: s.ID, Payment: p.ID}, nil
}

// pictureCoin is what the customer sees of a token's request.
func (d *Desk) pictureCoin(c *pos.Customer, p pos.Payment, coin Coin) {
	form, to := p.Forms[0], evmAddress
	for _, f := range p.Forms {
		if f.Name == d.form[p.ID] {
			form = f
		}
	}
	if coin.ID == 0 {
		to = solanaAddress
	}
	c.Phase, c.QR, c.Token, c.Chain, c.Tail = pos.PhaseDue, form.Payload, coin.Token, coin.Chain, to[len(to)-6:]
	c.Unchecked = d.trust != ""
	c.Form, c.Caption, c.Rate = form.Name, form.Caption, "1 "+coin.Token+" = 0.9259 EUR"
	c.Link = p.Forms[0].Payload // a phone that shows this page itself needs no other one
	if !p.Part.IsZero() {
		c.Part, c.Quantity = p.Part.String(), p.Quantity.Minus(p.Part).String()
		c.Due.Minor -= c.Due.Minor * d.short / 100
	}
}

// Short lets n hundredths of what the open payment asks for arrive: the rest is due.
func (d *Desk) Short(n int64) {
	d.change(func() {
		s, err := d.find("")
		d.must(err)
		p := s.OpenPayment()
		coin := d.coin(p.Tender)
		d.must(p.Apply(pos.See, d.Now()))
		d.short = n
		p.Part = p.Quantity.Asset.UnitsOf(p.Quantity.Int().Int64() * n / 100)
		p.Forms = coin.forms(p.Quantity.Minus(p.Part))
		d.customer = d.pictureOf(s)
	})
}

// Astray lets other money come than the open payment asks for: of a token on a network;
// why says which. What is the same token can be taken as payment.
func (d *Desk) Astray(token, chain, why string) {
	d.change(func() {
		s, err := d.find("")
		d.must(err)
		p := s.OpenPayment()
		d.must(p.Apply(pos.Doubt, d.Now()))
		p.Why, p.Stray, p.Owed = why, pos.Asset{ID: "other", Symbol: token, Decimals: 6, Shown: 4}.UnitsOf(p.Quantity.Int().Int64()), true
		p.StrayOn = token + " on " + chain
		v := pos.RefundView{
			Payment: p.ID, Tender: p.Tender, Amount: p.Amount, Came: p.Stray.String(), At: d.Now(), Of: s.Ref, Kind: pos.OwedCoin,
			On: p.StrayOn, Asked: p.Network, Why: why, Sells: p.Elsewhere(),
		}
		v.Exact = exactly(v.Came)
		if p.Elsewhere() {
			v.Kind = pos.OwedNetwork
		}
		d.owed = append(slices.Clone(d.owed), v)
		d.customer = d.pictureOf(s)
	})
}

// astray is what came instead of what the open payment of s asks for; nil: nothing.
func (d *Desk) astray(s *pos.Sale) *pos.RefundView {
	p := s.OpenPayment()
	for _, v := range d.owed {
		if p != nil && p.Astray() && v.Payment == p.ID {
			return &v
		}
	}
	return nil
}

// decided lets what came astray pay, or sets its payment aside, as the real desk would.
func (d *Desk) decided(do pos.Decide) pos.Answer {
	for _, s := range d.open {
		p := s.Payment(do.Payment)
		if p == nil {
			continue
		}
		if p.Owed, p.Aside = false, true; do.As != pos.AsSale {
			d.customer = d.pictureOf(s)
			break
		}
		taken := *p
		taken.Attempt = len(s.Payments) + 1
		taken.ID, taken.State, taken.Received, taken.Network = pos.PaymentIDOf(s.ID, taken.Attempt), pos.Settled, p.Stray, p.StrayOn
		taken.Stray, taken.Aside = pos.Quantity{}, false
		s.Payments = append(s.Payments, taken)
		d.settled(s, taken)
		return pos.Answer{Sale: s.ID, Payment: taken.ID}
	}
	return pos.Answer{Payment: do.Payment}
}

// Loss says that the desk does not let coins be taken unverified any more, and why; ""
// ends that.
func (d *Desk) Loss(why string) { d.change(func() { d.loss = why }) }

func (d *Desk) allowUnverified(by pos.Actor, do pos.AllowUnverified) (pos.Answer, error) {
	switch {
	case !by.Role.Includes(pos.Manager):
		return pos.Answer{}, pos.E("allow unverified", pos.Forbidden, "only a manager lets a tender be taken unverified again")
	case d.loss == "" || d.coin(do.Tender) == nil:
		return pos.Answer{}, pos.E("allow unverified", pos.Conflict, "no loss has switched this tender off")
	}
	d.loss = ""
	return pos.Answer{Record: d.version + 1}, nil
}

// Unsure says why nobody knows what became of the open payment; "" ends that.
func (d *Desk) Unsure(why string) {
	d.change(func() {
		s, err := d.find("")
		d.must(err)
		s.OpenPayment().Why = why
	})
}
