package pos_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// TestLostGaps adds gaps in and out of order, beside and into each other.
func TestLostGaps(t *testing.T) {
	gap := func(first, last uint64) pos.Gap { return pos.Gap{First: first, Last: last} }
	for _, x := range []struct {
		name string
		add  []pos.Gap
		want []pos.Gap
	}{
		{"one", []pos.Gap{gap(5, 5)}, []pos.Gap{gap(5, 5)}},
		{"neighbours", []pos.Gap{gap(5, 5), gap(6, 8)}, []pos.Gap{gap(5, 8)}},
		{"apart", []pos.Gap{gap(5, 5), gap(7, 8)}, []pos.Gap{gap(5, 5), gap(7, 8)}},
		{"backwards", []pos.Gap{gap(7, 8), gap(2, 3)}, []pos.Gap{gap(2, 3), gap(7, 8)}},
		{"between", []pos.Gap{gap(2, 3), gap(7, 8), gap(4, 6)}, []pos.Gap{gap(2, 8)}},
		{"known", []pos.Gap{gap(2, 8), gap(3, 3)}, []pos.Gap{gap(2, 8)}},
		{"over both", []pos.Gap{gap(3, 3), gap(5, 5), gap(2, 9)}, []pos.Gap{gap(2, 9)}},
	} {
		var l pos.RecordsLost
		for _, g := range x.add {
			before := append([]pos.Gap(nil), l.Gaps...)
			next := l.With(g)
			if len(before) > 0 && !reflect.DeepEqual(before, l.Gaps) {
				t.Errorf("%s: the old list was changed to %v", x.name, l.Gaps)
			}
			l = next
		}
		if !reflect.DeepEqual(l.Gaps, x.want) {
			t.Errorf("%s: got %v, want %v", x.name, l.Gaps, x.want)
		}
	}
	var many pos.RecordsLost
	for n := range uint64(pos.MaxGaps + 50) {
		many = many.With(gap(2*n+1, 2*n+1))
	}
	if n := len(many.Gaps); n != pos.MaxGaps || many.Gaps[n-1].Last != 2*(pos.MaxGaps+49)+1 {
		t.Errorf("%d gaps, the last %v", n, many.Gaps[n-1])
	}
}

// TestLostText names what is gone in every language, and says nothing of nothing.
func TestLostText(t *testing.T) {
	l := pos.RecordsLost{
		Gaps: []pos.Gap{{First: 17, Last: 17}, {First: 20, Last: 25}, {First: 30, Last: 30}, {First: 40, Last: 41}},
		Tail: 99, Sales: 2, Doubtful: []string{"#0012"},
	}
	for _, lang := range pos.Languages {
		text := l.Text(lang)
		for _, want := range []string{"17, 20-25, 30, …", "99", "2", "#0012"} {
			if !strings.Contains(text, want) || strings.ContainsAny(text, "{}") {
				t.Errorf("%s: %q lacks %q", lang, text, want)
			}
		}
		if none := (pos.RecordsLost{Count: 3}).Text(lang); none != "" {
			t.Errorf("%s: nothing is lost, and said %q", lang, none)
		}
	}
}

// TestLostFits holds the worst that can be lost to the size of a record.
func TestLostFits(t *testing.T) {
	var l pos.RecordsLost
	for n := range uint64(pos.MaxGaps) {
		l = l.With(pos.Gap{First: 1<<63 + 2*n, Last: 1<<63 + 2*n, Why: strings.Repeat("why ", 1000)})
	}
	for range pos.MaxDoubtful {
		l.Doubtful = append(l.Doubtful, "#0000")
	}
	if n := len(pos.NewBody(l)); n > pos.MaxLine/2 {
		t.Errorf("a record of it has %d bytes", n)
	}
}
