package printer_test

import (
	"strings"
	"testing"

	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/printertest"
)

// TestTokenName prints a token by the words of its payment, once, and never by the name
// that the configuration gives it; on the narrowest paper its sum is still there.
func TestTokenName(t *testing.T) {
	for _, cols := range []int{24, 32, 48} {
		r := printertest.Receipts()["lightning"]
		r.Paid[0].Tender, r.Paid[0].Network, r.Paid[0].Quantity = "eurc-devnetone", "EURC on Devnet One", "8.3000 EURC"
		text := strings.Join(strings.Fields(printer.Layout(r, cols).Text()), " ")
		if strings.Count(text, "EURC on Devnet One") != 1 || strings.Contains(text, "eurc-") || !strings.Contains(text, "EURC on Devnet One "+r.Paid[0].Amount.Number()) {
			t.Errorf("in %d columns:\n%s", cols, printer.Layout(r, cols).Text())
		}
	}
}
