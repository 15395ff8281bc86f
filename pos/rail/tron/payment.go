package tron

import (
	"math/big"
	"slices"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/unique"
)

// payment is what is known of one request. Watcher.mu guards it; the fields of the
// first group never change.
type payment struct {
	id    pos.PaymentID
	ref   reference
	token Token
	units *big.Int // asked for

	coin.Open
	got    []*held  // what came with its amount, the oldest first
	wrong  *held    // another token came with its number
	taken  *big.Int // what the till was told of; nil: nothing yet
	absent int      // looks in a row that did not show what the till was told of
	gone   bool     // what the till was told of is not there any more: a reorg took it back
	ended  bool     // a solidified block lies past its end and coin.WatchFor
	closed bool     // the till heard the last word of it: what is not in that is nobody's
	money  int      // transfers that it was closed with
}

// Watched returns what is the same of all requests.
func (p *payment) Watched() *coin.Open { return &p.Open }

// Asks returns what the till's record keeps of p.
func (p *payment) Asks() (reference string, units *big.Int, end uint64) {
	return p.ref.String(), p.units, p.ref.end
}

// held is a transfer that was seen, and how sure it is.
type held struct {
	transfer
	past   bool      // its block is below those of the last look
	misses int       // looks in a row that did not show it again
	known  bool      // it belongs to a request, or the owner was told
	large  bool      // its transaction is too large to be read
	twice  bool      // two requests ask for it: neither is paid by it
	proved bool      // as deep as the policy wants, by as many as it wants
	at     block     // the block of the proof
	deep   bool      // solidified
	short  int       // how often the balance was too small for it
	why    string    // why it is not proved, in a cashier's words
	tried  time.Time // when that was last looked for

	// Of the last match: who asked for it, and, when that is nobody, who asked for as much of
	// another token.
	takers, mistakers []*payment
	counted           bool      // its payment was closed with it
	solid             bool      // nobody can take it back, though no payment needs it
	loose             time.Time // since when it is money that nobody asked for
	done              bool      // the till was told that it is
	told              bool      // the same, before it was read this time
}

// takes reports that a transfer pays p: the token and the very amount, to the shop,
// after p was asked for, and while nobody else may have the amount.
func (p *payment) takes(t transfer) bool {
	return t.to == p.ref.address && t.contract == p.token.Contract && t.units.Cmp(p.units) == 0 && p.during(t.block)
}

// mistakes reports that another token came with p's number: 12.3401 of it.
func (p *payment) mistakes(t transfer) bool {
	if t.to != p.ref.address || t.contract == p.token.Contract || !p.during(t.block) {
		return false
	}
	ours := new(big.Int).Mul(p.units, unique.Step(t.token.Decimals, 0))
	theirs := new(big.Int).Mul(t.units, unique.Step(p.token.Decimals, 0))
	return ours.Cmp(theirs) == 0
}

// during reports that a block is later than p, and not past the time for which its
// amount is held. A block of the same height as the newest one when p was asked for is
// later when it is another one: the chain turned back meanwhile.
func (p *payment) during(b block) bool {
	later := p.ref.from.before(b) || b.number == p.ref.from.number && b.number != 0 && b.hash != p.ref.from.hash
	return later && b.time <= p.ref.end+uint64(unique.Hold/time.Second)
}

// all returns what is to be proved of p.
func (p *payment) all() []*held {
	if p.wrong == nil {
		return p.got
	}
	return append(slices.Clone(p.got), p.wrong)
}

// received returns what is certain to have come.
func (p *payment) received() *big.Int {
	n := new(big.Int)
	for _, h := range p.own() {
		if h.proved {
			n.Add(n, h.units)
		}
	}
	return n
}

// young reports that a customer may be standing there.
func (p *payment) young(now time.Time) bool { return p.taken == nil && now.Sub(p.Made) < coin.YoungFor }

// settled reports that what the till was told of can never be undone.
func (p *payment) settled() bool {
	n := new(big.Int)
	for _, h := range p.own() {
		if h.proved && h.deep {
			n.Add(n, h.units)
		}
	}
	return p.taken != nil && n.Cmp(p.taken) >= 0
}

// deep reports that nothing that is certain can be undone.
func (p *payment) deep() bool {
	return !slices.ContainsFunc(p.own(), func(h *held) bool { return h.proved && !h.deep })
}

// quantityOf counts units of t.
func quantityOf(t Token, units *big.Int) pos.Quantity { return coin.QuantityOf(t.Asset(), units) }
