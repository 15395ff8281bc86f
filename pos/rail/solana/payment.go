package solana

import (
	"math/big"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

// payment is what is known of one request. Watcher.mu guards it; the fields of the
// first group never change.
type payment struct {
	id    pos.PaymentID
	ref   reference
	key   string // ref.key in base58
	token Token
	units *big.Int // asked for, in all

	coin.Open
	rests     []rest      // held for it after a part had come
	listed    time.Time   // when its reference was looked for last
	transfers []*transfer // what names it or has its amount
	told      bool        // the till was told that it is paid
	taken     *big.Int    // how much it was told of
	gone      bool        // what it was told of was taken back
	last      bool        // the till heard the last word of it, which is no money
	ended     bool        // its end and coin.WatchFor are past: nothing more is waited for
	closed    bool        // the till heard the last word of it: what is not in that is nobody's
	money     int         // transfers that it was closed with
}

// Watched returns what is the same of all requests.
func (p *payment) Watched() *coin.Open { return &p.Open }

// Asks returns what the till's record keeps of p.
func (p *payment) Asks() (reference string, units *big.Int, end uint64) {
	return p.ref.String(), p.units, p.ref.end
}

// transfer is a transaction that brought something, and what became of it.
// Watcher.mu guards it.
type transfer struct {
	*transaction
	of      []*payment       // whose it is
	torn    bool             // it named two payments or more: a manager decides, also when one of them is forgotten
	said    map[string]Level // what each operator said of it
	seen    time.Time        // when it was read first
	final   bool             // it cannot be undone
	missing int              // how often in a row the cluster did not know it
	why     string           // it cannot be proved, in a cashier's words
	after   bool             // it came after the last word of its payment, or is told
	told    bool             // it was told of as nobody's before it was read for a payment
	loose   time.Time        // since when it is money that nobody asked for
	asked   time.Time        // when somebody was asked about it last, as such money
	done    bool             // the till was told that it is
}

// brought returns what t added to p's owner of p's own token, at least 0.
func (t *transfer) brought(p *payment) *big.Int {
	if n := t.came[moved{p.ref.owner, p.token.Mint}]; n != nil && n.Sign() > 0 {
		return n
	}
	return new(big.Int)
}

// alone reports that t is p's and nobody else's.
func (t *transfer) alone(p *payment) bool { return !t.torn && len(t.of) == 1 && t.of[0] == p }

// own reports that t is p's alone, and of what the till was or will be told of as p's.
func (t *transfer) own(p *payment) bool { return t.alone(p) && !t.after }

// arriving returns all that came for p, proved or not.
func (p *payment) arriving() *big.Int { return p.sum(func(*transfer) bool { return true }) }

func (p *payment) sum(counts func(*transfer) bool) *big.Int {
	n := new(big.Int)
	for _, t := range p.transfers {
		if t.own(p) && counts(t) {
			n.Add(n, t.brought(p))
		}
	}
	return n
}

// row returns what the policy wants of p's money: by what was asked for, or by what
// comes, if that is more.
func (w *Watcher) row(p *payment) Row {
	n := p.arriving()
	if n.Cmp(p.units) < 0 {
		n = p.units
	}
	return w.o.Policy.Row(p.token.Decimals, n)
}

// counts reports that as many operators as r wants said of t what r wants.
func (t *transfer) counts(r Row) bool {
	n := 0
	for _, l := range t.said {
		if l == Finalized || l == r.Level {
			n++
		}
	}
	return n >= r.Operators
}

// received returns what is certain to have come of what was asked for.
func (w *Watcher) received(p *payment) *big.Int {
	row := w.row(p)
	return p.sum(func(t *transfer) bool { return t.counts(row) })
}

// forget takes t away from p.
func (p *payment) forget(t *transfer) {
	p.transfers = slices.DeleteFunc(p.transfers, func(o *transfer) bool { return o == t })
}

// owns reports that p holds an amount of its token for money of a slot: the one that it
// asks for, or a rest.
func (p *payment) owns(slot uint64, is func(units *big.Int) bool) bool {
	return is(p.units) || slices.ContainsFunc(p.rests, func(x rest) bool {
		n, ok := readUnits(x.Units)
		return ok && slot > x.From && is(n)
	})
}

// young reports that a customer may be standing there.
func (p *payment) young(now time.Time) bool { return !p.told && now.Sub(p.Made) < coin.YoungFor }

// listEvery is how often p's reference is looked for. What comes to the owner's usual
// accounts is found without it.
func (p *payment) listEvery(now time.Time) time.Duration {
	switch {
	case p.told:
		return coin.WatchFor
	case p.young(now):
		return 3 * time.Second
	}
	return 10 * time.Minute
}
