package rates

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// The guard's measures.
var (
	// agreeWithin is how far from the median a source may be. Liquid exchanges
	// differ by less than half a percent, thin pairs by one or two.
	agreeWithin = big.NewRat(2, 100)
	// jumpAbove is a move between two rounds that no calm market makes.
	jumpAbove = big.NewRat(20, 100)
	// levelWithin is how far a market in a crash moves from one round to the next
	// while still being the same crash.
	levelWithin = big.NewRat(10, 100)
	// leastBitcoin catches a price of 1 in the first round, when there is nothing to
	// compare with. In the dearest currency, KWD, a bitcoin costs tens of thousands.
	leastBitcoin = big.NewRat(100, 1)
)

// How many rounds must confirm a jump.
const (
	confirmAll = 3  // when every source that quotes the pair says so
	confirmFew = 10 // when some source is down
)

// quote is one source's answer in a round.
type quote struct {
	name  string
	price *big.Rat // nil when err is not
	err   error
}

// rules judge rounds. They are pure: no clock, no lock.
type rules struct {
	least    int
	coin     string
	currency string
}

// book is what the rounds so far come to.
type book struct {
	asked bool // a round has ended

	price  *big.Rat // the last accepted median; nil before the first
	source string   // "median of 3"
	at     time.Time

	level  *big.Rat // a jump that waits for confirmation: the newest median; nil when none does
	rounds int      // that confirmed it
	full   int      // of them, in how many every source took part

	silent bool // somebody did not answer in the newest round

	why string // what is wrong with the newest round, or what was left out of it
}

// next judges a round that began at at.
func (r rules) next(b book, quotes []quote, at time.Time) book {
	b.asked = true
	good, faults := r.sift(quotes)
	b.silent = len(faults.silent) > 0
	if len(good) < r.least {
		b.why = faults.String()
		return b
	}
	kept := agreeing(good)
	if len(kept) < r.least {
		b.why = "prices differ too much: " + listing(good)
		return b
	}
	for _, q := range good {
		if !slices.ContainsFunc(kept, func(k quote) bool { return k.name == q.name }) {
			faults.far = append(faults.far, q.name)
		}
	}
	all := len(kept) == len(quotes)-len(faults.notQuoted)
	m := median(kept)
	if b.price != nil && apart(m, b.price, jumpAbove) && !b.confirm(m, all) {
		b.why = fmt.Sprintf("the price of %s moved by more than 20 %%, which is being checked", r.coin)
		return b
	}
	b.price, b.at, b.level = m, at, nil
	b.source = fmt.Sprintf("median of %d", len(kept))
	if len(quotes) == 1 {
		b.source = quotes[0].name
	}
	b.why = faults.String()
	return b
}

// confirm counts a round at the new level m and reports that it may be believed.
func (b *book) confirm(m *big.Rat, all bool) bool {
	if b.level == nil || apart(m, b.level, levelWithin) {
		b.rounds, b.full = 0, 0
	}
	b.level = m
	b.rounds++
	if all {
		b.full++
	}
	return b.full >= confirmAll || b.rounds >= confirmFew
}

// sift parts the sensible prices from the rest.
func (r rules) sift(quotes []quote) (good []quote, f faults) {
	f.coin, f.currency = r.coin, r.currency
	for _, q := range quotes {
		switch {
		case q.err != nil && pos.KindOf(q.err) == pos.Invalid:
			f.notQuoted = append(f.notQuoted, q.name)
		case q.err != nil && pos.KindOf(q.err) != pos.Corrupt:
			f.silent = append(f.silent, q.name)
		case q.err != nil || q.price == nil || (r.coin == "BTC" && q.price.Cmp(leastBitcoin) < 0):
			f.nonsense = append(f.nonsense, q.name)
		default:
			good = append(good, q)
		}
	}
	return good, f
}

// agreeing returns the quotes near the median. Who is far from it is out; when
// two disagree both are, for nobody can say which is right.
func agreeing(good []quote) []quote {
	m := median(good)
	return slices.DeleteFunc(slices.Clone(good), func(q quote) bool { return apart(q.price, m, agreeWithin) })
}

// median returns the middle price, the exact mean of the two middle ones when
// their number is even. There must be one.
func median(quotes []quote) *big.Rat {
	sorted := slices.SortedFunc(slices.Values(quotes), func(a, b quote) int { return a.price.Cmp(b.price) })
	n := len(sorted)
	sum := new(big.Rat).Add(sorted[(n-1)/2].price, sorted[n/2].price)
	return sum.Quo(sum, big.NewRat(2, 1))
}

// apart reports that p is further from m than the part of m that within says.
func apart(p, m, within *big.Rat) bool {
	d := new(big.Rat).Sub(p, m)
	return d.Abs(d).Cmp(new(big.Rat).Mul(m, within)) > 0
}

// faults are the sources that were no help in a round.
type faults struct {
	coin, currency                   string
	silent, nonsense, far, notQuoted []string
}

// String says it for people: "Kraken and Coinbase do not answer".
func (f faults) String() string {
	var out []string
	say := func(names []string, one, many string) {
		switch len(names) {
		case 0:
		case 1:
			out = append(out, names[0]+" "+one)
		default:
			last := len(names) - 1
			out = append(out, strings.Join(names[:last], ", ")+" and "+names[last]+" "+many)
		}
	}
	say(f.silent, "does not answer", "do not answer")
	say(f.nonsense, "names no sensible price", "name no sensible price")
	say(f.far, "is far from the others", "are far from the others")
	pair := " quote " + f.coin + " in " + f.currency
	say(f.notQuoted, "does not"+pair, "do not"+pair)
	return strings.Join(out, ", ")
}

func listing(quotes []quote) string {
	var out []string
	for _, q := range quotes {
		out = append(out, q.name+" "+priceText(q.price))
	}
	return strings.Join(out, ", ")
}
