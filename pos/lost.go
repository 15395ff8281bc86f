package pos

import (
	"fmt"
	"strconv"
	"strings"
)

// KindRecordsLost says what the till's storage lost; its body is RecordsLost. A
// journal that holds one has been damaged, and from there on says so itself.
const KindRecordsLost RecordKind = "records_lost"

// Gap is a run of records that cannot be read any more.
type Gap struct {
	First uint64 `json:"first"` // number of the first one
	Last  uint64 `json:"last"`  // and of the last, First for a single one
	Why   string `json:"why,omitempty"`
}

// RecordsLost is everything that the till's storage has lost so far, and where its
// numbers go on: behind every one that a lost record may have given out.
type RecordsLost struct {
	Gaps []Gap `json:"gaps,omitempty"` // rising, at most MaxGaps; neighbours are one

	// Tail is the highest number of a record that the index knew of and the journal
	// does not hold: its end was lost, or it is an old copy. 0 for none.
	Tail uint64 `json:"tail,omitempty"`

	// Sales counts completed sales that no readable record tells of, as far as later
	// records tell.
	Sales uint64 `json:"sales,omitempty"`

	// Doubtful are references of sales that were open when records were lost, so that
	// nobody knows whether they were completed. They are not open any more: a second
	// receipt for one sale would be worse. Money that comes for them is booked as owed
	// to the customer.
	Doubtful []string `json:"doubtful,omitempty"` // at most MaxDoubtful

	Count    uint64 `json:"count"`             // receipt numbers used, or perhaps used, so far
	Turnover Amount `json:"turnover,omitzero"` // as far as it is known
	Refs     uint64 `json:"refs"`              // references used, or perhaps used, so far
	Counter  uint32 `json:"counter,omitempty"` // of offline requests, likewise
}

// MaxGaps bounds Gaps; a journal with more damage is not opened. What lies beyond
// is counted in the last one.
const MaxGaps = 1000

// Bounds that keep the record of it all within MaxLine.
const (
	MaxDoubtful = 500 // references; a till has some forty open sales
	maxReasons  = 100 // gaps whose Why is kept
	maxWhy      = 200 // bytes of a Why
)

// shownRuns is how many runs and references a sentence for a screen names.
const shownRuns = 3

// With returns l with g among its gaps; neighbours become one, and one that is
// named already changes nothing. The slice of l is not written to.
func (l RecordsLost) With(g Gap) RecordsLost {
	for _, k := range l.Gaps {
		if k.First <= g.First && g.Last <= k.Last {
			return l
		}
	}
	if g.Why = g.Why[:min(len(g.Why), maxWhy)]; len(l.Gaps) >= maxReasons {
		g.Why = ""
	}
	gaps := append([]Gap{}, l.Gaps...)
	i := len(gaps)
	for i > 0 && gaps[i-1].First > g.First {
		i--
	}
	gaps = append(gaps[:i], append([]Gap{g}, gaps[i:]...)...)
	l.Gaps = joinGaps(gaps)
	return l
}

// joinGaps makes neighbours one, and what is beyond MaxGaps a part of the last.
func joinGaps(gaps []Gap) []Gap {
	out := gaps[:1]
	for _, g := range gaps[1:] {
		last := &out[len(out)-1]
		if g.First <= last.Last+1 || len(out) == MaxGaps {
			last.Last = max(last.Last, g.Last)
			continue
		}
		out = append(out, g)
	}
	return out
}

// Text says in lang what was lost and what to do, in a few sentences; empty when
// nothing was.
func (l RecordsLost) Text(lang string) string {
	var said []string
	say := func(key string, with ...string) { said = append(said, Word(lang, key, with...)) }
	if len(l.Gaps) > 0 {
		say("lost_records", "numbers", gapsText(l.Gaps))
	}
	if l.Tail > 0 {
		say("lost_tail", "n", strconv.FormatUint(l.Tail, 10))
	}
	if l.Sales > 0 {
		say("lost_sales", "n", strconv.FormatUint(l.Sales, 10))
	}
	if n := len(l.Doubtful); n > 0 {
		refs := strings.Join(l.Doubtful[:min(n, shownRuns)], ", ")
		if n > shownRuns {
			refs += ", …"
		}
		say("lost_doubtful", "refs", refs)
	}
	if len(said) > 0 {
		say("lost_advice")
	}
	return strings.Join(said, " ")
}

// gapsText writes the first few runs: "17, 20-25, …".
func gapsText(gaps []Gap) string {
	var out []string
	for _, g := range gaps[:min(len(gaps), shownRuns)] {
		if g.First == g.Last {
			out = append(out, strconv.FormatUint(g.First, 10))
		} else {
			out = append(out, fmt.Sprintf("%d-%d", g.First, g.Last))
		}
	}
	if len(gaps) > shownRuns {
		out = append(out, "…")
	}
	return strings.Join(out, ", ")
}
