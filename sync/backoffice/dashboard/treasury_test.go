package dashboard

import (
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

// TestDestination: money that goes to another address than before stands on top of the
// day and of the tills with both, and the day's report says which addresses were in use.
func TestDestination(t *testing.T) {
	o := newOffice(t, "en")
	till := tilltest.New(1, "01", "EUR", midnight)
	const old, fresh = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
	p := astray(till, "SALE000000001", till.Currency)
	p.Stray, p.State, p.To = pos.Quantity{}, pos.Settled, "EVM …1BeAed"
	till.Add(pos.KindPayment, pos.PaymentMoved{Payment: p, Event: pos.Settle, By: pos.Till})
	r := till.Add(pos.KindDestination, pos.DestinationChanged{Destination: pos.Destination{Name: "evm", Network: "EVM", Address: fresh}, Old: old, Open: true, By: pos.Till})
	o.take(till, "Till 1")
	o.signIn()
	for _, path := range []string{"/days/2026-11-22", "/tills"} {
		_, page := o.do("GET", path, nil)
		_, alarms, _ := strings.Cut(page, `<section class="alarms"`)
		alarms, _, _ = strings.Cut(alarms, "</section>")
		for _, want := range []string{store.AlarmDestination, "Money goes to another address", "EVM: " + old + " → " + fresh, "/records/" + num(r.N)} {
			if !strings.Contains(alarms, want) {
				t.Errorf("%s: the alarms have no %q:\n%s", path, want, alarms)
			}
		}
	}
	_, page := o.do("GET", "/days/2026-11-22", nil)
	if !strings.Contains(page, "Stablecoins went to EVM …1BeAed (1), EVM …d8976F (0)") {
		t.Errorf("the day does not say where the money went")
	}
}
