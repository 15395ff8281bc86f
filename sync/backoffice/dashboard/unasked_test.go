package dashboard

import (
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

// TestUnasked: money that no sale asked for is a list of its own, with what became of it,
// and asks for a person until it was decided about; dust is a sum, and asks for nobody.
func TestUnasked(t *testing.T) {
	o := newOffice(t, "en")
	till := tilltest.New(1, "01", "EUR", midnight)
	usdc := pos.Asset{ID: "a", Symbol: "USDC", Decimals: 6, Shown: 4}
	came := func(key string, n int64) pos.Unasked {
		u := pos.Unasked{Key: key, Came: usdc.UnitsOf(n)}
		p := pos.Payment{ID: u.ID(), State: pos.Settled, Amount: till.Currency.Zero(), Received: u.Came, Over: u.Came, Owed: true, Final: true, Network: "USDC on Base"}
		till.Add(pos.KindUnasked, pos.UnaskedCame{Unasked: u, Payment: p, By: pos.Till})
		return u
	}
	decided := func(u pos.Unasked, note string) {
		till.Add(pos.KindRefundDecided, pos.RefundDecided{
			Payment: u.ID(), As: pos.GivenBack, Note: note, Amount: till.Currency.Zero(), Beside: true, Unasked: true, Came: u.Came, Network: "USDC on Base", By: carla,
		})
	}
	till.Sell()
	open, back := came("1", 5_000_000), came("2", 7_000_000)
	decided(back, "sent back")
	till.Add(pos.KindDust, pos.DustCame{Dust: pos.Dust{Sum: usdc.UnitsOf(4200), Count: 60}, By: pos.Till})
	till.Wait(midnight.AddDate(0, 0, 1).Add(9 * 3600e9))
	decided(open, "kept")
	o.take(till, "Till 1")
	o.signIn()
	_, page := o.do("GET", "/days/2026-11-22", nil)
	const title = "Money that no sale asked for"
	rows := rowsOf(t, page, title)
	if len(rows) != 2 || !strings.Contains(rows[0], "5.0000 USDC USDC on Base") || !strings.Contains(rows[0], "not decided that day") || !strings.Contains(rows[1], "given back by Carla: sent back") {
		t.Errorf("the list has %q", rows)
	}
	if strings.Contains(page, "<h2>Paid on another network, or with another coin</h2>") {
		t.Error("it is called money on another network")
	}
	look := strings.Join(rowsOf(t, page, "Worth a look"), "\n")
	if !strings.Contains(look, title+" 2") || !strings.Contains(look, "60 0.0042 USDC") {
		t.Errorf("worth a look: %s", look)
	}
	_, page = o.do("GET", "/days/2026-11-23", nil)
	if rows := rowsOf(t, page, title); len(rows) != 1 || !strings.Contains(rows[0], "given back by Carla: kept") {
		t.Errorf("the next day has %q", rows)
	}
}
