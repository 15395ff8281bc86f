package evm

import (
	"math/big"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

// payment is what is known of one request. Watcher.mu guards it; the fields of the
// first group never change.
type payment struct {
	id    pos.PaymentID
	ref   reference
	token Token
	units *big.Int // asked for, in all

	coin.Open
	claims  map[claimKey]*claim
	code    map[uint64]bool // chains where its forwarder stands: something was swept
	dumb    bool            // its token gave no balance in the last round
	sweptAt time.Time       // when the factory's events were asked for last
	told    bool            // the till was told that it is paid
	taken   *big.Int        // how much it was told of
	left    *big.Int        // how much of that still lies at the address: none after a sweep
	ended   bool            // a block that is final lies past its end and coin.WatchFor: nothing came
	settled bool            // what was told of is final
	gone    bool            // what was told of is not there any more: a reorg took it back
	past    past            // of a request made unseen
}

// Watched returns what is the same of all requests.
func (p *payment) Watched() *coin.Open { return &p.Open }

// Asks returns what the till's record keeps of p.
func (p *payment) Asks() (reference string, units *big.Int, end uint64) {
	return p.ref.String(), p.units, p.ref.end
}

// claimKey names what can be at an address: one token of one chain.
type claimKey struct {
	chain uint64
	token Address
}

// claim is what was seen of one token at a payment's address.
type claim struct {
	token  Token
	units  *big.Int // at the newest block that was read; never nil
	proved *big.Int // what lies as deep as the policy wants, said by as many as it wants; nil: nothing yet
	time   uint64   // of the block of the proof
	swept  *big.Int // what left for the treasury, as deep as the policy wants; nil: nothing
	why    string   // why it could not be proved: operators differ

	// The block that was read last to prove it, and what units was then.
	tried      [32]byte
	triedUnits *big.Int
}

// own returns the claim that was asked for; nil while nothing was seen.
func (p *payment) own() *claim { return p.claims[claimKey{p.token.Chain, p.token.Contract}] }

// received returns what is certain to have come of what was asked for.
func (p *payment) received() *big.Int {
	n := new(big.Int)
	if c := p.own(); c != nil {
		if c.proved != nil {
			n.Add(n, c.proved)
		}
		if c.swept != nil {
			n.Add(n, c.swept)
		}
	}
	return n
}

// here returns how much of what was asked for is proved to lie at the address.
func (p *payment) here() *big.Int {
	if c := p.own(); c != nil && c.proved != nil {
		return c.proved
	}
	return new(big.Int)
}

// arriving returns what the newest block shows of what was asked for.
func (p *payment) arriving() *big.Int {
	n := new(big.Int)
	if c := p.own(); c != nil {
		n.Add(n, c.units)
		if c.swept != nil {
			n.Add(n, c.swept)
		}
	}
	return n
}

// see notes what one round of a chain showed. It reports whether anything changed.
func (p *payment) see(chain uint64, now map[Address]found1) (changed bool) {
	for key, c := range p.claims {
		if _, still := now[key.token]; key.chain == chain && !still && c.units.Sign() != 0 {
			c.units, changed = new(big.Int), true
		}
	}
	for at, f := range now {
		key := claimKey{chain, at}
		c := p.claims[key]
		if c == nil {
			c = &claim{token: f.token, units: new(big.Int)}
			p.claims[key] = c
		}
		if f.units.Cmp(c.units) != 0 {
			c.units, changed = f.units, true
		}
	}
	return changed
}

// found1 is a balance and whose it is.
type found1 struct {
	token Token
	units *big.Int
}

// How often requests are read while nobody waits for them.
const (
	// afterEvery is for one that is paid, while its customer may be there: a reorg, or a
	// second payment, is news for the owner. oldEvery is for later.
	afterEvery = 10 * time.Second
	oldEvery   = 60 * time.Second
)

// young reports that a customer may be standing there: it is read in every round.
func (p *payment) young(now time.Time) bool { return !p.told && now.Sub(p.Made) < coin.YoungFor }

// every is how often p is read while nobody waits for it.
func (p *payment) every(now time.Time) time.Duration {
	switch {
	case p.young(now):
		return 0
	case now.Sub(p.Made) < coin.YoungFor:
		return afterEvery
	}
	return oldEvery
}
