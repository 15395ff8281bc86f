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
	code    map[uint64]bool      // chains where its forwarder stood when they were read last: something was swept
	dumb    bool                 // its token gave no balance in the last round
	told    bool                 // the till was told that it is paid
	taken   *big.Int             // how much it was told of
	ended   bool                 // a block that is final lies past its end and coin.WatchFor: nothing came
	settled bool                 // what was told of is final
	gone    bool                 // what was told of is not there any more: a reorg took it back
	since   uint64               // the till knows of that money since then: no older block says that it is not there; 0: not known
	torn    bool                 // with a shared address: money came that another sale asks for, too
	stray   claimKey             // other money that the till has as come for p, with strayed
	strayed *big.Int             // how much of it; nil: none
	past    past                 // of a request made unseen
	mute    map[uint64]bool      // chains that did not say, when it was made, that nothing lay at its address, nor since; not kept over a restart
	elses   map[claimKey]*sweeps // the same of other money than was asked for
	done    bool                 // the till has had its last word: nobody waits for what comes now
	had     map[claimKey]*had    // what the till had then, and what was told since
	last    uint64               // with a shared address: the newest block with a transfer of its
	given   map[string]bool      // with a shared address: the transfers that the till had
	sweeps  sweeps               // what is read of the factory's events; with a shared address, when it is looked at again
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
	token Token
	units *big.Int // what lies there at the newest block that was read; never nil
	proof *proof   // what came, as deep as the policy wants, said by as many as it wants; nil: nothing yet
	time  uint64   // of the block that first proved as much
	why   string   // why it could not be proved: operators differ
	stake *big.Int // more than units, when the last look found more: it needs the policy's row for as much
	blank bool     // the till was told of it before, and nothing of it was seen since: that it is gone is to be proved

	// The block that was read last to prove it, and what units was then.
	tried      [32]byte
	triedUnits *big.Int
}

// proof is what came of one token to a payment's address, as one block has it: what lies
// there and what was swept, both at that very block. So money on its way from the one to
// the other is counted once, whichever block it is; and an older block, of a node that
// lags, can say too little and never too much.
type proof struct {
	block
	left  *big.Int
	swept *big.Int
	code  bool     // the forwarder stood; where it does not, nothing ever was swept
	of    []string // with a shared address: the transfers that it is of
}

// came returns what came in all.
func (f *proof) came() *big.Int {
	if f == nil {
		return new(big.Int)
	}
	return new(big.Int).Add(f.left, f.swept)
}

// worth is what the policy's row is chosen by.
func (k *claim) worth() *big.Int {
	if k.stake != nil && k.stake.Cmp(k.units) > 0 {
		return k.stake
	}
	return k.units
}

// own returns the claim that was asked for; nil while nothing was seen.
func (p *payment) own() *claim { return p.claims[claimKey{p.token.Chain, p.token.Contract}] }

// sweepsOf returns what is read of the factory's events about one token at p's address.
// Watcher.mu is held.
func (p *payment) sweepsOf(key claimKey) *sweeps {
	if key == (claimKey{p.token.Chain, p.token.Contract}) {
		return &p.sweeps
	}
	if p.elses == nil {
		p.elses = map[claimKey]*sweeps{}
	}
	if p.elses[key] == nil {
		p.elses[key] = &sweeps{}
	}
	return p.elses[key]
}

// received returns what is certain to have come of what was asked for: what is final is,
// also when no endpoint tells any more what was swept.
func (p *payment) received() *big.Int {
	n := new(big.Int)
	if c := p.own(); c != nil {
		n = c.proof.came()
	}
	if p.settled && p.taken != nil && p.taken.Cmp(n) > 0 {
		n.Set(p.taken)
	}
	return n
}

// arriving returns what the newest block shows of what was asked for. What left by a
// sweep that is not proved yet came all the same.
func (p *payment) arriving() *big.Int {
	c := p.own()
	if c == nil {
		return new(big.Int)
	}
	n := p.received()
	if c.proof == nil {
		return n.Set(c.units)
	}
	if now := new(big.Int).Add(c.units, c.proof.swept); now.Cmp(n) > 0 {
		return now
	}
	return n
}

// uncounted reports that something was swept from p's address, and nobody knows yet how
// much came.
func (p *payment) uncounted() bool {
	own := p.own()
	return p.code[p.token.Chain] && p.ref.scheme == Scheme && (own == nil || own.proof == nil || !own.proof.code)
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
		c.blank = false
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
