package pos

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// countries are the rules of cash as they are meant to be configured: the step,
// and where a sum ends up, by its remainder.
var countries = []struct {
	name string
	rule Rounding
	// from → to, in minor units, of what is due and of change
	due, change string
}{
	{"no rounding", Rounding{}, "0→0 1→1 249→249", "7→7"},
	{"step one", Rounding{Step: 1}, "0→0 1→1 249→249", "7→7"},
	{"CH, 5 Rappen", Rounding{Step: 5}, "1000→1000 1001→1000 1002→1000 1003→1005 1004→1005 1006→1005 1007→1005 1008→1010 1009→1010", "3→5 2→0"},
	{"FI NL BE IE IT SK EE LT, 5 cent", Rounding{Step: 5}, "1→0 2→0 3→5 4→5 6→5 7→5 8→10 9→10", "2→0 3→5"},
	{"CA, 5 cents", Rounding{Step: 5}, "1.01=101→100 102→100 103→105 104→105 106→105 107→105 108→110", "7→5 8→10"},
	{"AU, 5 cents", Rounding{Step: 5}, "0→0 1→0 2→0 3→5 7→5 8→10 9→10", "2→0 3→5"},
	{"NZ, 10 cents, five goes down", Rounding{Step: 10, TieDown: true, TieDown2: true}, "101→100 104→100 105→100 106→110 109→110", "5→0 6→10"},
	{"NZ, 10 cents, five goes up", Rounding{Step: 10}, "104→100 105→110 106→110", "5→10"},
	{"SE, 1 krona", Rounding{Step: 100, TieDown2: true}, "1000→1000 1049→1000 1050→1100 1099→1100", "0→0 50→0 51→100 99→100"},
	{"NO, 1 krone", Rounding{Step: 100}, "1049→1000 1050→1100", "49→0 50→100"},
	{"DK, 50 øre", Rounding{Step: 50, TieDown2: true}, "0→0 24→0 25→50 49→50 50→50 74→50 75→100", "24→0 25→0 26→50 50→50 75→50 76→100"},
	{"HU, 5 forint", Rounding{Step: 500}, "100000→100000 100200→100000 100249→100000 100300→100500 100700→100500 100800→101000", "200→0 300→500"},
	{"CZ, 1 koruna", Rounding{Step: 100}, "1049→1000 1050→1100", "49→0 50→100"},
	{"US, 5 cents when it comes", Rounding{Step: 5}, "101→100 102→100 103→105 104→105", "2→0 3→5"},
}

func TestRounding(t *testing.T) {
	for _, tt := range countries {
		t.Run(tt.name, func(t *testing.T) {
			check := func(what string, f func(Amount) Amount, cases string) {
				for c := range strings.FieldsSeq(cases) {
					if i := strings.IndexByte(c, '='); i >= 0 {
						c = c[i+1:]
					}
					var from, to int64
					if _, err := fmt.Sscanf(strings.Replace(c, "→", " ", 1), "%d %d", &from, &to); err != nil {
						t.Fatal(c, err)
					}
					if got := f(eur.Of(from)); got != eur.Of(to) {
						t.Errorf("%s %d: got %v, want %d", what, from, got, to)
					}
				}
			}
			check("due", tt.rule.Due, tt.due)
			check("change", tt.rule.Change, tt.change)
		})
	}
}

// FuzzRounding: a rounded sum is a multiple of the step, never more than half a
// step away, never negative, and rounding it again changes nothing.
func FuzzRounding(f *testing.F) {
	f.Add(int64(105), int64(10), true)
	f.Add(int64(math.MaxInt64), int64(10), false) // a rest of 7 would go up, past the end
	f.Add(int64(math.MaxInt64), int64(100), false)
	f.Add(int64(math.MaxInt64), int64(math.MaxInt64-1), false)
	f.Fuzz(func(t *testing.T, minor, step int64, down bool) {
		r := Rounding{Step: step, TieDown: down, TieDown2: !down}
		for _, round := range []func(Amount) Amount{r.Due, r.Change} {
			got := round(eur.Of(minor))
			if step <= 1 || minor < 0 {
				if got != eur.Of(minor) {
					t.Errorf("%d by %d became %v", minor, step, got)
				}
				continue
			}
			diff := got.Minor - minor
			if got.Minor%step != 0 || got.Minor < 0 || diff >= step || diff <= -step || round(got) != got {
				t.Errorf("%d by %d became %v", minor, step, got)
			}
			if fits := minor <= math.MaxInt64-step; fits && (diff > step-diff || -diff > step+diff) {
				t.Errorf("%d by %d moved by %d", minor, step, diff)
			}
		}
		if r.Due(eur.Of(minor)).Currency != eur {
			t.Error("another currency")
		}
	})
}

func sale(t testing.TB, lines ...Line) Sale {
	t.Helper()
	for i := range lines {
		lines[i].ID = i + 1
	}
	return Sale{ID: "s1", Ref: "#0001", State: Awaiting, Currency: "EUR", Opened: t0, By: Actor{"u1", "Ana", Cashier}, Lines: lines, NextLine: len(lines) + 1}
}

func item(t testing.TB, name string, minor int64, tax TaxRate) Line {
	t.Helper()
	l, err := NewLine(name, "", 1000, eur.Of(minor), tax)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestDue(t *testing.T) {
	pay := func(state State, minor int64, mark string) Payment {
		return Payment{State: state, Amount: eur.Of(minor), Refundable: strings.Contains(mark, "refund"), Late: strings.Contains(mark, "late"), Aside: strings.Contains(mark, "aside")}
	}
	tests := []struct {
		name     string
		payments []Payment
		want     int64
	}{
		{"nothing paid", nil, 1000},
		{"all paid", []Payment{pay(Settled, 1000, "")}, 0},
		{"a part", []Payment{pay(Settled, 300, "")}, 700},
		{"two parts", []Payment{pay(Settled, 300, ""), pay(Settled, 700, "late")}, 0},
		{"what is under way does not count", []Payment{pay(Intended, 1000, ""), pay(Requested, 1000, ""), pay(Seen, 1000, ""), pay(Accepted, 1000, "")}, 1000},
		{"doubt does not count, either way", []Payment{pay(Unknown, 1000, ""), pay(Unknown, 1000, "aside")}, 1000},
		{"what ended does not count", []Payment{pay(Cancelled, 1000, ""), pay(Expired, 1000, ""), pay(Failed, 1000, "")}, 1000},
		{"a refund due does not count", []Payment{pay(Settled, 1000, "refund late")}, 1000},
	}
	for _, tt := range tests {
		s := sale(t, item(t, "tea", 1000, vat20))
		s.Payments = tt.payments
		if due, err := s.Due(); err != nil || due != eur.Of(tt.want) {
			t.Errorf("%s: got %v, %v, want %d", tt.name, due, err, tt.want)
		}
	}
	s := sale(t, item(t, "tea", 1000, vat20))
	s.Payments = []Payment{{State: Settled, Amount: jpy.Of(1000)}}
	if _, err := s.Due(); KindOf(err) != Invalid {
		t.Errorf("paid in yen: %v", err)
	}
}

func TestOpenPayment(t *testing.T) {
	for _, st := range states() {
		s := Sale{Payments: []Payment{{ID: "1", State: Expired}, {ID: "2", State: st}, {ID: "3", State: Failed}}}
		p := s.OpenPayment()
		if open := st.Open(); (p != nil) != open || (open && p != &s.Payments[1]) {
			t.Errorf("%s: open %v, got %+v", st, open, p)
		}
		s.Payments[1].Aside = true
		if p := s.OpenPayment(); p != nil {
			t.Errorf("%s, set aside: got %+v", st, p)
		}
	}
	s := Sale{Payments: []Payment{{ID: "1", State: Requested}, {ID: "2", State: Unknown}}}
	if p := s.OpenPayment(); p == nil || p.ID != "2" {
		t.Errorf("of two the last: %+v", p)
	}
	if p := s.Payment("1"); p != &s.Payments[0] || s.Payment("x") != nil || PaymentIDOf("abc", 3) != "abc-3" {
		t.Errorf("payment 1 is %+v", p)
	}
	if p := (&Sale{}).OpenPayment(); p != nil {
		t.Errorf("a sale without payments has %+v", p)
	}
}

// TestClone changes every part of a copy, and looks at the original.
func TestClone(t *testing.T) {
	s := sale(t, item(t, "tea", 440, vat20), item(t, "cake", 300, vat20))
	s.Payments = []Payment{{ID: "s1-1", State: Requested}}
	before, _ := json.Marshal(s)
	c := s.Clone()
	c.Lines[0].Name, c.Payments[0].State, c.State = "x", Settled, Completed
	c.Lines = append(c.Lines[:1], item(t, "y", 1, vat20))
	c.Payments = append(c.Payments[:0], Payment{})
	if after, _ := json.Marshal(s); string(after) != string(before) {
		t.Errorf("the original became %s", after)
	}
	if b, _ := json.Marshal(Sale{Lines: []Line{}}.Clone()); !strings.Contains(string(b), `"lines":[]`) {
		t.Errorf("an empty basket became %s", b)
	}
}

// TestSaleJSON: a sale comes back from its record as it went in.
func TestSaleJSON(t *testing.T) {
	rate, err := RateOf(eur, Bitcoin, "58123.40", "median of 3", t0)
	if err != nil {
		t.Fatal(err)
	}
	s := sale(t, item(t, "Café Süd & <co>", 440, vat20), item(t, "cake", 300, nyc))
	s.Payments = []Payment{
		{ID: "s1-1", Sale: "s1", Attempt: 1, Tender: Cash, State: Settled, Amount: eur.Of(100), Given: eur.Of(200), Change: eur.Of(100), At: t0, Moved: t0},
		{ID: "s1-2", Sale: "s1", Attempt: 2, Tender: "lightning", State: Expired, Amount: eur.Of(640), Quantity: Bitcoin.UnitsOf(11012000), Rate: &rate, Expires: t0.Add(time.Minute)},
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var got Sale
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(got); string(again) != string(b) {
		t.Errorf("got  %s\nwant %s", again, b)
	}
	for _, absent := range []string{`"over"`, `"received"`, `"rounding"`, `"receipt"`, `"completed"`} {
		if strings.Contains(string(b), absent) {
			t.Errorf("%s is written though it is not set", absent)
		}
	}
}
