package desk

import (
	"slices"

	"github.com/tillwright/tillwright/pos"
)

// notes are the banknotes in use by currency, in units, smallest first.
var notes = map[string][]int64{
	"EUR": {5, 10, 20, 50, 100, 200},
	"USD": {1, 5, 10, 20, 50, 100},
	"GBP": {5, 10, 20, 50},
	"CHF": {10, 20, 50, 100, 200, 1000},
	"CAD": {5, 10, 20, 50, 100},
	"AUD": {5, 10, 20, 50, 100},
	"JPY": {1000, 2000, 5000, 10000},
	"MXN": {20, 50, 100, 200, 500, 1000},
	"BRL": {2, 5, 10, 20, 50, 100, 200},
	"SEK": {20, 50, 100, 200, 500, 1000},
	"NOK": {50, 100, 200, 500, 1000},
	"DKK": {50, 100, 200, 500},
	"CZK": {100, 200, 500, 1000, 2000, 5000},
	"PLN": {10, 20, 50, 100, 200, 500},
	"HUF": {500, 1000, 2000, 5000, 10000, 20000},
}

// otherNotes serves the currencies that have no row: notes come in ones, twos and
// fives nearly everywhere.
var otherNotes = []int64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000}

// cashNotes is how many plausible notes stand beside the exact sum.
const cashNotes = 3

// cashKeys returns what a customer may plausibly hand over: the exact sum first,
// then the next larger notes, or full multiples of the largest one.
func cashKeys(due pos.Amount) []pos.Amount {
	if due.Minor <= 0 {
		return []pos.Amount{}
	}
	list, ok := notes[due.Currency.Code]
	if !ok {
		list = otherNotes
	}
	unit := int64(1)
	for range due.Currency.Decimals {
		unit *= 10
	}
	out := []pos.Amount{due}
	for _, n := range list {
		if v := n * unit; v > due.Minor && len(out) <= cashNotes {
			out = append(out, due.Currency.Of(v))
		}
	}
	if len(out) == 1 { // more than the largest note: so many of the largest three
		for _, n := range list[max(0, len(list)-cashNotes):] {
			v := n * unit
			if sum := (due.Minor + v - 1) / v * v; sum > due.Minor && !slices.Contains(out, due.Currency.Of(sum)) {
				out = append(out, due.Currency.Of(sum))
			}
		}
		slices.SortFunc(out, func(a, b pos.Amount) int { return int(min(max(a.Minor-b.Minor, -1), 1)) })
	}
	return out
}
