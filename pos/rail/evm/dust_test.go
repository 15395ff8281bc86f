package evm

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// amountIn returns what a customer types, off the caption of the bare address.
func amountIn(t testing.TB, forms []Form, token Token) *big.Int {
	t.Helper()
	_, text, _ := strings.Cut(forms[1].Caption, "type exactly ")
	text, _, _ = strings.Cut(text, " ")
	_, frac, _ := strings.Cut(text, ".")
	n, ok := new(big.Int).SetString(strings.Replace(text, ".", "", 1)+strings.Repeat("0", token.Decimals-len(frac)), 10)
	if !ok || len(frac) > 4 {
		t.Fatalf("nobody types %q", forms[1].Caption)
	}
	return n
}

// TestRestIsTyped: a customer's wallet pays an odd part of a token with 18 decimals.
// What he is asked for then is typed, and pays the sale exactly; dust on top of it, or
// missing from it, is nobody's business.
func TestRestIsTyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, "bnb")
		w.start()
		r, m := w.Ready("usdc-bnb"), w.chains["bnb"]
		for i, row := range []struct {
			asked, paid string
			part        string // "": not worth telling
		}{
			{"6241400000000000000", "44000000000001", ""}, // the rest was 6.241355999999999999
			{"6241400000000000000", "3000044000000000001", "3.0000"},
			{"6241400000000000000", "6241299999999999999", "6.2412"},
			{"100000000000000", "1", ""},
		} {
			p := cointest.Intended(r, fmt.Sprintf("SALE0000000%02d", i), 1)
			p.Quantity = quantityOf(r.token, big10(row.asked))
			a, err := r.Ask(t.Context(), p, "")
			if err != nil {
				t.Fatal(err)
			}
			p.Reference, p.Payload, p.Forms = a.Reference, a.Payload, a.Forms
			p = w.Moved(p, pos.Request)
			req, _ := at(t, p)
			m.pay(req.Token, req.To, big10(row.paid))
			w.Becomes(r, p, pos.See)
			p = w.Moved(p, pos.See)
			if f := w.Found(r, p); row.part != "" && (f.Rest == nil || f.Part.Number() != row.part) || row.part == "" && (f.Rest != nil || !f.Part.IsZero()) {
				t.Fatalf("%s of %s: %v is told", row.paid, row.asked, f.Part)
			} else if f.Rest != nil {
				p.Forms = f.Rest.Forms
			}
			typed := amountIn(t, p.Forms, r.token)
			if _, units := at(t, pos.Payment{Payload: p.Forms[0].Payload}); units.Cmp(typed) != 0 {
				t.Fatalf("the code asks for %v, the words for %v", units, typed)
			}
			m.pay(req.Token, req.To, typed)
			f := w.Becomes(r, p, pos.Settle)
			if f.Received.Cmp(p.Quantity) != 0 || f.Enough {
				t.Fatalf("%s of %s, and then what was asked for: %v, %+v", row.paid, row.asked, f.Received, f)
			}
			p = w.Moved(p, pos.Settle)
			p.Received = f.Received
			m.pay(req.Token, req.To, big10("99999999999")) // a swindler's
			looks(w.lab, r, p, 3)
			if f := w.Found(r, p); f.Received.Cmp(p.Received) != 0 || cointest.Told(r, "more came") {
				t.Fatalf("dust on top: %+v, %q", f, r.Health().Notices)
			}
		}

		p := cointest.Intended(r, "SALE000000010", 1)
		p.Quantity = quantityOf(r.token, big10("6241400000000000000"))
		a, err := r.Ask(t.Context(), p, "")
		if err != nil {
			t.Fatal(err)
		}
		p.Reference, p.Payload = a.Reference, a.Payload
		p = w.Moved(p, pos.Request)
		req, _ := at(t, p)
		m.pay(req.Token, req.To, big10("6241399999999999999"))
		if f := w.Becomes(r, p, pos.Settle); !f.Enough || f.Received.Int().Cmp(big10("6241399999999999999")) != 0 {
			t.Fatalf("dust is missing: %+v", f)
		}
		w.Stop()
	})
}
