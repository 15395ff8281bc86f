package lnd

import (
	"bytes"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

type (
	httpWriter  = http.ResponseWriter
	httpRequest = http.Request
)

// bubble runs body where waiting costs nothing.
func bubble(t *testing.T, body func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, body)
}

var tillSecret = bytes.Repeat([]byte{7}, secretSize)

// railBefore makes a rail whose health loop does not run.
func railBefore(t testing.TB, node *lndtest.Node, change ...func(*Options)) *Rail {
	t.Helper()
	text := node.Connection()
	o := Options{
		Source:   func() (string, string) { return text, "" },
		Secret:   tillSecret,
		Network:  "simnet",
		Language: "en",
		Dial:     node.Dial,
		Log:      slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&o)
	}
	r, err := New(o)
	if err != nil {
		t.Fatalf("new rail: %v", err)
	}
	t.Cleanup(func() {
		if n := r.node.Load(); n != nil {
			n.close()
		}
	})
	return r
}

// intended is attempt n of a sale, just chosen.
func intended(n int) pos.Payment {
	eur := pos.Currency{Code: "EUR", Decimals: 2}
	return pos.Payment{
		ID: pos.PaymentIDOf("SALE000000001", n), Sale: "SALE000000001", Attempt: n, Tender: "lightning", State: pos.Intended,
		Amount: eur.Of(250), At: time.Now(), Moved: time.Now(), Quantity: pos.Bitcoin.UnitsOf(4_300_000),
	}
}

// requested is attempt n, asked for and shown.
func requested(t testing.TB, r *Rail, n int) pos.Payment {
	t.Helper()
	p := intended(n)
	a, err := r.Ask(t.Context(), p, "Cafe #0001 2.50 EUR")
	if err != nil {
		t.Fatalf("ask: %v", err)
	}
	p.Reference, p.Payload, p.Network, p.Expires = a.Reference, a.Payload, a.Network, a.Expires
	return moved(t, p, pos.Request)
}

func moved(t testing.TB, p pos.Payment, ev pos.Event) pos.Payment {
	t.Helper()
	if err := p.Apply(ev, time.Now()); err != nil {
		t.Fatal(err)
	}
	return p
}

// found checks p and demands an answer.
func found(t testing.TB, r *Rail, p pos.Payment) pos.Finding {
	t.Helper()
	f, err := r.Check(t.Context(), p)
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	return f
}
