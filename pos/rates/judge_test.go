package rates

import (
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

var (
	silent    = pos.E("ask", pos.Unavailable, "silent")
	notQuoted = pos.E("ask", pos.Invalid, "not quoted")
	nonsense  = pos.E("ask", pos.Corrupt, "nonsense")
)

// round makes quotes of A, B, C … from prices; "-" is silent, "x" does not quote,
// "?" answers nonsense.
func round(prices string) []quote {
	var out []quote
	for i, p := range strings.Fields(prices) {
		q := quote{name: string(rune('A' + i))}
		switch p {
		case "-":
			q.err = silent
		case "x":
			q.err = notQuoted
		case "?":
			q.err = nonsense
		default:
			q.price, _ = parsePrice(p)
		}
		out = append(out, q)
	}
	return out
}

var btcEUR = rules{least: 2, coin: "BTC", currency: "EUR"}

// TestFirstRound judges one round, with nothing to compare with.
func TestFirstRound(t *testing.T) {
	tests := []struct {
		name, quotes string
		price        string // empty: refused
		source, why  string
	}{
		{"three agree", "58000 58100 58300", "58100", "median of 3", ""},
		{"order does not matter", "58300 58000 58100", "58100", "median of 3", ""},
		{"mean of two, exact", "58000.01 58000.02", "58000.015", "median of 2", ""},
		{"mean of the middle two", "58000 58100 58101 58900", "58100.5", "median of 4", ""},
		{"one silent", "58000 - 58100", "58050", "median of 2", "B does not answer"},
		{"one left", "58000 - -", "", "", "B and C do not answer"},
		{"none", "- - -", "", "", "A, B and C do not answer"},
		{"not quoted", "x x 58000", "", "", "A and B do not quote BTC in EUR"},
		{"everything at once", "- ? x", "", "", "A does not answer, B names no sensible price, C does not quote BTC in EUR"},
		{"zero, negative, NaN come as no price", "0 -5 NaN", "", "", "A, B and C name no sensible price"},
		{"one wild source high", "58000 58100 580000", "58050", "median of 2", "C is far from the others"},
		{"one wild source low", "0.01 58000 58100", "58050", "median of 2", "A names no sensible price"},
		{"one, in the first round", "1 1 1", "", "", "A, B and C name no sensible price"},
		{"two disagree", "50000 58000", "", "", "prices differ too much: A 50000, B 58000"},
		{"three disagree", "50000 58000 66000", "", "", "prices differ too much: A 50000, B 58000, C 66000"},
		{"two against two", "50000 50000 58000 58000", "", "", "prices differ too much: A 50000, B 50000, C 58000, D 58000"},
		{"two lie alike, one does not", "50000 50010 58000", "50005", "median of 2", "C is far from the others"},
		{"99.99 is no bitcoin, 100 could be", "99.99 102 100", "101", "median of 2", "A names no sensible price"},
		{"just 2 % from the middle", "9800 10000 10200", "10000", "median of 3", ""},
		{"a hair more", "9799.99 10000 10200", "10100", "median of 2", "A is far from the others"},
		{"two, 4 % apart", "9800 10200", "10000", "median of 2", ""},
		{"two, a hair more", "9799.99 10200", "", "", "prices differ too much: A 9799.99, B 10200"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := btcEUR.next(book{}, round(tt.quotes), time.Time{})
			got := ""
			if b.price != nil {
				got = priceText(b.price)
			}
			if got != tt.price || b.source != tt.source || b.why != tt.why || !b.asked {
				t.Errorf("got %q, %q, %q", got, b.source, b.why)
			}
		})
	}
}

// TestJumps plays rounds one after the other. Each step is the quotes, and what
// the book says after it: a price, "held" while a jump waits, or "same" when the
// round was no help and the old price lives on.
func TestJumps(t *testing.T) {
	type step struct{ quotes, want string }
	calm := step{"60000 60000 60000", "60000"}
	tests := []struct {
		name  string
		steps []step
	}{
		{"20 % is no jump", []step{calm, {"48000 48000 48000", "48000"}, {"57600 57600 57600", "57600"}}},
		{"a crash, confirmed by all", []step{calm, {"45000 45100 45200", "held"}, {"44000 44100 44200", "held"}, {"43000 43100 43200", "43100"}}},
		{"a rise, confirmed by all", []step{calm, {"80000 80000 80000", "held"}, {"81000 81000 81000", "held"}, {"82000 82000 82000", "82000"}, {"82000 82000 82000", "82000"}}},
		{"back to normal", []step{calm, {"45000 45000 45000", "held"}, {"59000 59000 59000", "59000"}, {"45000 45000 45000", "held"}, {"45000 45000 45000", "held"}, {"45000 45000 45000", "45000"}}},
		{"a crash that goes on", []step{calm, {"45000 45000 45000", "held"}, {"41000 41000 41000", "held"}, {"37500 37500 37500", "37500"}}},
		{"no level to confirm", []step{calm, {"45000 45000 45000", "held"}, {"30000 30000 30000", "held"}, {"45000 45000 45000", "held"}, {"30000 30000 30000", "held"}, {"30000 30000 30000", "held"}, {"30000 30000 30000", "30000"}}},
		{"one wild source for ever", []step{calm, {"1 60000 60000", "60000"}, {"1 60100 60100", "60100"}, {"1 60200 60200", "60200"}, {"1 60200 60200", "60200"}}},
		{"two sources, one wild for ever", []step{{"60000 60000", "60000"}, {"30000 60000", "same"}, {"30000 60000", "same"}, {"30000 60000", "same"}, {"30000 60000", "same"}}},
		{"silence neither confirms nor forgets", []step{calm, {"45000 45000 45000", "held"}, {"- - -", "held"}, {"45000 45000 45000", "held"}, {"- 45000 -", "held"}, {"45000 45000 45000", "45000"}}},
		{"not all, so more rounds", append([]step{calm}, append(repeat(9, step{"45000 45000 -", "held"}), step{"45000 45000 -", "45000"})...)},
		{"one source does not quote: the others are all", []step{{"60000 60000 x", "60000"}, {"45000 45000 x", "held"}, {"45000 45000 x", "held"}, {"45000 45000 x", "45000"}}},
		{"two join in a lie, the third holds", append([]step{calm}, repeat(3, step{"45000 45000 60000", "held"})...)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b book
			for i, s := range tt.steps {
				before := b
				b = btcEUR.next(b, round(s.quotes), time.Time{}.Add(time.Duration(i)))
				got := priceText(b.price)
				switch {
				case b.level != nil:
					got = "held"
				case b.price == before.price && b.at == before.at:
					got = "same"
				}
				if got != s.want {
					t.Fatalf("round %d, %s: got %s, want %s (%s)", i, s.quotes, got, s.want, b.why)
				}
			}
		})
	}
}

func repeat[T any](n int, v T) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// TestMedianNeverLeavesTheHonest draws rounds at random: with at most one liar
// among three sources that otherwise agree within 1 %, an accepted price lies
// between the honest ones.
func TestMedianNeverLeavesTheHonest(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	accepted := 0
	for range 20_000 {
		a := int64(1_000_000 + rng.IntN(9_000_000))
		b := a + int64(rng.IntN(int(a/100)))
		lie := int64(1 + rng.IntN(20_000_000))
		quotes := []quote{{name: "A", price: big.NewRat(a, 100)}, {name: "B", price: big.NewRat(b, 100)}, {name: "C", price: big.NewRat(lie, 100)}}
		rng.Shuffle(3, func(i, j int) { quotes[i], quotes[j] = quotes[j], quotes[i] })
		got := btcEUR.next(book{}, quotes, time.Time{})
		if got.price == nil {
			t.Fatalf("refused %d %d %d: %s", a, b, lie, got.why)
		}
		if got.price.Cmp(big.NewRat(a, 100)) < 0 || got.price.Cmp(big.NewRat(b, 100)) > 0 {
			t.Fatalf("honest %d to %d, liar %d: %v", a, b, lie, got.price)
		}
		accepted++
	}
	if accepted == 0 {
		t.Error("nothing was accepted")
	}
}
