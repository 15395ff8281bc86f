package pos

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the files that tests compare with")

// events are all that can happen to a payment, in the order of a life.
var events = []Event{Request, See, Accept, Settle, Cancel, Expire, Fail, Doubt}

// states are all of them, in the order of a life.
func states() []State {
	return []State{Intended, Requested, Seen, Accepted, Settled, Unknown, Cancelled, Expired, Failed}
}

// reach returns every payment that some history leads to from p, one of each
// state, with how it came there.
func reach(p Payment) map[State][]Event {
	found := map[State][]Event{}
	var walk func(Payment, []Event)
	walk = func(p Payment, way []Event) {
		if old, ok := found[p.State]; ok && len(old) <= len(way) {
			return
		}
		found[p.State] = slices.Clone(way)
		for _, ev := range events {
			if next := p; next.Apply(ev, t0) == nil {
				walk(next, append(way, ev))
			}
		}
	}
	walk(p, nil)
	return found
}

// TestMoneyIsNeverRefused walks every state that a payment can reach once the
// customer may have seen it. In each of them money must still be taken.
func TestMoneyIsNeverRefused(t *testing.T) {
	for st, way := range reach(Payment{State: Intended}) {
		p := Payment{State: st}
		if err := p.Apply(Settle, t0); (err == nil) != (st != Settled) {
			t.Errorf("a payment that is %s after %v: %v", st, way, err)
		}
	}
}

// TestMoves checks the table itself: every state is in it and can be reached, no
// state or event is misspelled, and the rules that its comment states hold.
func TestMoves(t *testing.T) {
	reached := reach(Payment{State: Intended})
	for _, st := range states() {
		if _, ok := moves[st]; !ok {
			t.Errorf("%s has no row", st)
		}
		if _, ok := reached[st]; !ok {
			t.Errorf("%s cannot be reached", st)
		}
	}
	if len(moves) != len(states()) {
		t.Errorf("%d rows for %d states", len(moves), len(states()))
	}
	for from, row := range moves {
		for ev, to := range row {
			if !slices.Contains(events, ev) || !slices.Contains(states(), to) {
				t.Errorf("%s: %s leads to %s", from, ev, to)
			}
			if (ev == Doubt) != (to == Unknown) {
				t.Errorf("%s: %s leads to %s, doubt must lead to unknown and nowhere else", from, ev, to)
			}
			if ev == Settle && to != Settled || ev != Settle && to == Settled {
				t.Errorf("%s: %s leads to %s, only settling settles", from, ev, to)
			}
			if to == Intended || (to == Requested && from != Intended) {
				t.Errorf("%s: %s leads back to %s", from, ev, to)
			}
			if from.Open() == false && to.Open() && to != Seen && to != Accepted {
				t.Errorf("%s: %s opens it again as %s", from, ev, to)
			}
		}
	}
	if len(moves[Settled]) != 0 {
		t.Errorf("settled is not the end: %v", moves[Settled])
	}
	for _, ev := range []Event{Request, Doubt} { // only the rail's answer leads out of doubt
		if _, ok := moves[Unknown][ev]; ok {
			t.Errorf("%s leads out of doubt", ev)
		}
	}
}

// TestForbiddenMovesChangeNothing tries every pair of state and event, and some
// that do not exist.
func TestForbiddenMovesChangeNothing(t *testing.T) {
	for _, st := range append(states(), "", "paid", "SETTLED") {
		for _, ev := range append(slices.Clone(events), "", "pay", "Settle") {
			for _, aside := range []bool{false, true} {
				p := Payment{ID: "s-1", State: st, Moved: t0, Aside: aside}
				before := p
				err := p.Apply(ev, t0.Add(time.Hour))
				to, allowed := moves[st][ev]
				switch {
				case allowed && (err != nil || p.State != to || !p.Moved.Equal(t0.Add(time.Hour))):
					t.Errorf("%s %s: %+v, %v", st, ev, p, err)
				case !allowed && (KindOf(err) != Conflict || err == nil || !reflect.DeepEqual(p, before)):
					t.Errorf("%s %s is forbidden, yet %+v, %v", st, ev, p, err)
				}
			}
		}
	}
}

// TestLate tells histories. Money that came after the till had stopped waiting is
// late, whatever detour the rail's answers took.
func TestLate(t *testing.T) {
	tests := []struct {
		way  string
		want bool
	}{
		{"request settle", false},
		{"request see accept settle", false},
		{"settle", false},
		{"request doubt settle", false},
		{"request doubt see accept settle", false},
		{"request cancel settle", true},
		{"request expire settle", true},
		{"request fail settle", true},
		{"request expire see settle", true},
		{"request expire see accept settle", true},
		{"request cancel accept settle", true},
		{"request expire see doubt settle", true},
		{"request doubt expire accept settle", true},
		{"request doubt ASIDE settle", true},
		{"request doubt ASIDE see settle", true},
		{"request expire", false},
		{"request cancel", false},
	}
	for _, tt := range tests {
		p := Payment{State: Intended}
		for ev := range strings.FieldsSeq(tt.way) {
			if ev == "ASIDE" {
				p.Aside = true
			} else if err := p.Apply(Event(ev), t0); err != nil {
				t.Fatalf("%s: %v", tt.way, err)
			}
		}
		if p.Late != tt.want {
			t.Errorf("%s: late is %v", tt.way, p.Late)
		}
	}
}

func TestOpen(t *testing.T) {
	want := map[State]bool{Intended: true, Requested: true, Seen: true, Accepted: true, Unknown: true}
	for _, st := range append(states(), "", "paid") {
		if st.Open() != want[st] {
			t.Errorf("%q is open: %v", st, st.Open())
		}
	}
}

// TestDiagram draws the life of a payment from moves and compares it with
// payment.md; -update writes it.
func TestDiagram(t *testing.T) {
	got := diagram()
	if *update {
		if err := os.WriteFile("payment.md", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("payment.md")
	if err != nil || string(want) != got {
		t.Errorf("payment.md does not show moves (%v); run this test with -update", err)
	}
}

func diagram() string {
	var b strings.Builder
	b.WriteString("# The life of a payment\n\nDrawn from `moves` in payment.go by `go test ./pos -run TestDiagram -update`.\n\n```mermaid\nstateDiagram-v2\n    [*] --> intended\n")
	for _, from := range states() {
		by := map[State][]string{}
		for _, ev := range events {
			if to, ok := moves[from][ev]; ok {
				by[to] = append(by[to], string(ev))
			}
		}
		for _, to := range slices.SortedFunc(maps.Keys(by), func(a, b State) int { return slices.Index(states(), a) - slices.Index(states(), b) }) {
			fmt.Fprintf(&b, "    %s --> %s: %s\n", from, to, strings.Join(by[to], ", "))
		}
	}
	b.WriteString("    settled --> [*]\n```\n\n| from | " + strings.Join(names(events), " | ") + " |\n|---" + strings.Repeat("|---", len(events)) + "|\n")
	for _, from := range states() {
		fmt.Fprintf(&b, "| **%s** |", from)
		for _, ev := range events {
			fmt.Fprintf(&b, " %s |", moves[from][ev])
		}
		b.WriteString("\n")
	}
	b.WriteString("\nAn empty field is forbidden. Money is taken in every state: the column *settle* has one empty field, that of a\npayment that has settled already. What settles after cancelled, expired or failed, or after a manager set it aside,\nis marked late.\n")
	return b.String()
}

func names(list []Event) []string {
	var out []string
	for _, e := range list {
		out = append(out, string(e))
	}
	return out
}
