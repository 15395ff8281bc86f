package dashboard

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

var carla = pos.Actor{ID: "s3", Name: "Carla", Role: pos.Manager}

// astray is a payment that asked for a token on one network, of which as much came on
// another: the till's record of it is added.
func astray(till *tilltest.Till, sale pos.SaleID, currency pos.Currency) pos.Payment {
	asked := pos.Asset{ID: "a", Symbol: "USDC", Decimals: 6, Shown: 4}
	p := pos.Payment{
		ID: pos.PaymentIDOf(sale, 1), Sale: sale, Attempt: 1, Tender: "usdc-two", State: pos.Unknown, Amount: currency.Of(290), Network: "USDC on Devnet Two",
		Quantity: asked.UnitsOf(3_152_200), Owed: true, StrayOn: "USDC on Devnet One", Why: "it came elsewhere",
	}
	asked.ID = "b"
	p.Stray = asked.UnitsOf(3_152_200)
	till.Add(pos.KindPayment, pos.PaymentMoved{Payment: p, Event: pos.Doubt, By: pos.Till, Astray: p.Stray})
	return p
}

// decide adds a manager's decision about p.
func decide(till *tilltest.Till, p pos.Payment, d pos.RefundDecided) {
	d.Payment, d.Sale, d.By, d.Beside, d.Came, d.Network = p.ID, p.Sale, carla, true, p.Stray, p.StrayOn
	till.Add(pos.KindRefundDecided, d)
}

// tags are what is between < and >.
var tags = regexp.MustCompile(`<[^>]*>`)

// rowsOf returns the text of the rows of the table below a heading.
func rowsOf(t *testing.T, page, heading string) (out []string) {
	t.Helper()
	_, below, ok := strings.Cut(page, "<h2>"+heading+"</h2>")
	if !ok {
		t.Fatalf("the page has no %q:\n%s", heading, tags.ReplaceAllString(page, " "))
	}
	_, below, _ = strings.Cut(below, "<tbody>")
	body, _, _ := strings.Cut(below, "</tbody>")
	for row := range strings.SplitSeq(body, "</tr>") {
		if text := strings.Join(strings.Fields(tags.ReplaceAllString(row, " ")), " "); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// TestAstray: money on another network is called that, with what came, what was asked for
// and what became of it; and not a payment service that gave no answer.
func TestAstray(t *testing.T) {
	o := newOffice(t, "en")
	till := tilltest.New(1, "01", "EUR", midnight)
	till.Sell()
	open := astray(till, "SALE000000001", till.Currency)
	back := astray(till, "SALE000000002", till.Currency)
	decide(till, back, pos.RefundDecided{As: pos.GivenBack, Note: "in cash", Amount: till.Currency.Zero()})
	kept := astray(till, "SALE000000003", till.Currency)
	decide(till, kept, pos.RefundDecided{As: pos.AsSale, Into: "SALE000000003-2", Amount: kept.Amount, Note: kept.Why})
	till.Wait(midnight.AddDate(0, 0, 1).Add(9 * 3600e9))
	decide(till, open, pos.RefundDecided{As: pos.GivenBack, Note: "by the owner", Amount: till.Currency.Zero()})
	o.take(till, "Till 1")
	o.signIn()
	_, page := o.do("GET", "/days/2026-11-22", nil)
	const title = "Paid on another network, or with another coin"
	rows := rowsOf(t, page, title)
	if len(rows) != 3 {
		t.Fatalf("the list has %q", rows)
	}
	for i, end := range []string{"not decided that day", "given back by Carla: in cash", "taken as payment by Carla"} {
		for _, want := range []string{"3.1522 USDC USDC on Devnet One", "USDC on Devnet Two", "2.90", end} {
			if !strings.Contains(rows[i], want) {
				t.Errorf("row %d has no %q: %q", i, want, rows[i])
			}
		}
	}
	look := strings.Join(rowsOf(t, page, "Worth a look"), "\n")
	if !strings.Contains(look, title+" 3 8.70") || strings.Contains(look, "gave no answer") {
		t.Errorf("worth a look: %s", look)
	}
	if !strings.Contains(look, "■ "+title) {
		t.Errorf("what nobody decided about is no mark: %s", look)
	}
	_, page = o.do("GET", "/days/2026-11-23", nil)
	if rows := rowsOf(t, page, title); len(rows) != 1 || !strings.Contains(rows[0], "given back by Carla: by the owner") || strings.Contains(rows[0], "2.90") {
		t.Errorf("the next day has %q", rows)
	}
}

// TestAstrayOpen: money that nobody has decided about is marked, whatever was decided that
// day about money of a day before; what is decided is not.
func TestAstrayOpen(t *testing.T) {
	o := newOffice(t, "en")
	till := tilltest.New(1, "01", "EUR", midnight)
	old := astray(till, "SALE000000001", till.Currency)
	till.Wait(midnight.AddDate(0, 0, 1).Add(9 * 3600e9))
	back := pos.RefundDecided{As: pos.GivenBack, Note: "in cash", Amount: till.Currency.Zero()}
	decide(till, old, back)
	fresh := astray(till, "SALE000000002", till.Currency)
	till.Wait(midnight.AddDate(0, 0, 2).Add(9 * 3600e9))
	decide(till, astray(till, "SALE000000003", till.Currency), back)
	decide(till, fresh, back)
	o.take(till, "Till 1")
	o.signIn()
	const title = "Paid on another network, or with another coin"
	for day, marked := range map[string]bool{"2026-11-22": true, "2026-11-23": true, "2026-11-24": false} {
		_, page := o.do("GET", "/days/"+day, nil)
		look := strings.Join(rowsOf(t, page, "Worth a look"), "\n")
		if !strings.Contains(look, title+" 1 2.90") || strings.Contains(look, "■ "+title) != marked {
			t.Errorf("%s: marked should be %v: %s", day, marked, look)
		}
	}
}

// TestLoss: a payment that was taken by a customer's word and never came stands on top of
// the day and of the tills, until the owner has dealt with it.
func TestLoss(t *testing.T) {
	o := newOffice(t, "en")
	till := tilltest.New(1, "01", "EUR", midnight)
	p := astray(till, "SALE000000001", till.Currency)
	p.Stray, p.Unverified, p.State = pos.Quantity{}, true, pos.Failed
	till.Add(pos.KindPayment, pos.PaymentMoved{Payment: p, Event: pos.Fail, Missing: p.Amount, By: pos.Till})
	const why = "Not paid: 2.90 by USDC on Devnet Two <for> 01-000007 was taken unverified and did not come."
	r := till.Add(pos.KindTrustOff, pos.TrustChanged{Tender: p.Tender, Payment: p.ID, Sale: p.Sale, Missing: p.Amount, Why: why, By: pos.Till})
	o.take(till, "Till 1")
	o.signIn()
	for _, path := range []string{"/days/2026-11-22", "/tills"} {
		_, page := o.do("GET", path, nil)
		_, alarms, _ := strings.Cut(page, `<section class="alarms"`)
		alarms, _, _ = strings.Cut(alarms, "</section>")
		for _, want := range []string{store.AlarmLoss, "Loss: payment never came", "by USDC on Devnet Two &lt;for&gt; 01-000007", "/records/" + num(r.N)} {
			if !strings.Contains(alarms, want) {
				t.Errorf("%s: the alarms have no %q:\n%s", path, want, alarms)
			}
		}
	}
	_, page := o.do("GET", "/days/2026-11-22", nil)
	if look := rowsOf(t, page, "Worth a look"); !strings.HasPrefix(look[0], "■ Loss: taken unverified, never came 1 2.90") {
		t.Errorf("worth a look: %q", look)
	}
}
