package keypad_test

import (
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
)

// off is a token that is off its value.
type off struct{ told []string }

func (o *off) Off() (string, string, error) { return "0.9750", "USD", nil }

func (o *off) Allow(by pos.Actor, price string, d time.Duration) error {
	o.told = append(o.told, by.Name+" "+price+" "+d.String())
	return nil
}

// choose presses the number of a choice that has this text.
func (s *shop) choose(text string) {
	s.t.Helper()
	l := s.want(pos.PromptChoose)
	for i, c := range l.Choices {
		if strings.Contains(c.Text, text) {
			s.press(string(rune('1' + i)))
			return
		}
	}
	s.t.Fatalf("no %q among %+v", text, l.Choices)
}

// TestTreasury: from the menu a manager says by PIN that a changed address is the shop's,
// after he has read it, and takes a token that is off its value.
func TestTreasury(t *testing.T) {
	o := &off{}
	to := func(address string) pos.Destination {
		return pos.Destination{Name: "evm", Network: "EVM", Address: address}
	}
	set := func(s *shop) {
		c := &coins{rail: s.rail, asset: coin}
		s.pins.names, s.skip = []pos.Actor{anna, bea}, true
		s.tenders = []desk.Tender{{Name: "usdc-lab", Rail: c, Token: "USDC", Chain: "Lab", To: to("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"), Peg: o, Notice: func() string { return "" }}}
		// The till of before had another address.
		g := pos.Genesis{Till: "t", Key: s.journal.key.Public().(ed25519.PublicKey), Currency: "EUR", Series: "01"}
		r := pos.DestinationChanged{Destination: to("0x71C7656EC7ab88b098defB751B7401B5f6d8976F"), By: pos.Till}
		if _, err := s.journal.Append(time.Now(), pos.ClockTrusted, pos.Entry{Kind: pos.KindGenesis, Body: pos.NewBody(g)}, pos.Entry{Kind: pos.KindDestination, Body: pos.NewBody(r)}); err != nil {
			t.Fatal(err)
		}
	}
	bubbleOf(t, set, func(t *testing.T, s *shop) {
		s.press("1 4 7 1 1 enter")
		if p := s.want(pos.PromptSell); !strings.Contains(p.Notice, "0x5aAeb6…1BeAed") {
			t.Errorf("selling: %+v", p)
		}
		s.press("/")
		s.choose("New address for EVM money")
		p := s.want(pos.PromptChoose)
		if !strings.Contains(p.Hint, "0x5aAeb6…1BeAed, until now to 0x71C765…d8976F") || len(p.Choices) != 1 || p.Choices[0].Text != "It is ours: 0x5aAeb6…1BeAed" {
			t.Errorf("the address: %+v", p)
		}
		s.press("1")
		if p := s.want(pos.PromptChoose); len(p.Choices) != 1 || p.Choices[0].Text != "Bea" {
			t.Errorf("who confirms: %+v", p)
		}
		s.press("1 4 7 1 1 enter")
		if got := bodies[pos.DestinationChanged](t, s.journal, pos.KindConfirmed); len(got) != 1 || got[0].By != bea || got[0].Address != "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed" {
			t.Errorf("confirmed: %+v", got)
		}
		s.press("/")
		s.choose("Take USDC at 0.9750 USD")
		if p := s.want(pos.PromptChoose); len(p.Choices) != 1 || !strings.Contains(p.Hint, "one is worth 0.9750 USD") {
			t.Errorf("who allows: %+v", p)
		}
		s.press("1 4 7 1 1 enter")
		if got := bodies[pos.TokenAllowed](t, s.journal, pos.KindTokenAllowed); len(got) != 1 || got[0].By != bea || got[0].Price != "0.9750" || len(o.told) != 1 {
			t.Errorf("allowed: %+v %q", got, o.told)
		}
		s.press("/")
		s.choose("Stop taking USDC")
		s.press("1 4 7 1 1 enter")
		if got := bodies[pos.TokenAllowed](t, s.journal, pos.KindTokenAllowed); len(got) != 2 || got[1].For != 0 {
			t.Errorf("stopped: %+v", got)
		}
	})
}
