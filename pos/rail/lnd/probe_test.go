package lnd

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

// tell writes steps as a doctor would print them.
func tell(steps []Step) string {
	var b strings.Builder
	for _, s := range steps {
		mark := "ok  "
		switch {
		case !s.OK:
			mark = "BAD "
		case s.Remedy != "":
			mark = "note"
		}
		fmt.Fprintf(&b, "%s %s: %s\n", mark, s.Name, s.Detail)
	}
	return b.String()
}

// TestProbe looks at a node in each trouble through the doctor's eyes. It must name
// the trouble, give a remedy, and leave the node as it was.
func TestProbe(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(n *lndtest.Node, c *Connection)
		want  []string
	}{
		{"well", func(*lndtest.Node, *Connection) {}, []string{
			"ok   macaroon: the five", "ok   address", "ok   certificate", "ok   wallet", "ok   permissions", "ok   chain: simnet", "ok   channels: 2", "ok   clock"}},
		{"can spend", func(n *lndtest.Node, c *Connection) { c.Macaroon = n.Bake("0", "offchain:write") }, []string{"BAD  macaroon: it can spend (offchain:write)"}},
		{"not a macaroon", func(_ *lndtest.Node, c *Connection) { c.Macaroon = Secret("x") }, []string{"BAD  macaroon"}},
		{"incomplete", func(n *lndtest.Node, c *Connection) { c.Macaroon = n.Bake("1", lndtest.TillRights[:3]...) }, []string{"BAD  macaroon: it does not allow CancelInvoice, GetInfo"}},
		{"wide", func(n *lndtest.Node, c *Connection) {
			c.Macaroon = n.Bake("1", "invoices:read", "invoices:write", "info:read")
		}, []string{"note macaroon", "ok   permissions"}},
		{"nobody", func(_ *lndtest.Node, c *Connection) { c.URL = "https://127.0.0.1:1" }, []string{"BAD  address: nobody answers"}},
		{"stranger", func(n *lndtest.Node, _ *Connection) { n.RenewCertificate(1 << 60) }, []string{"ok   address", "BAD  certificate: another"}},
		{"no pin", func(_ *lndtest.Node, c *Connection) { c.Pins = nil }, []string{"BAD  certificate: no public authority"}},
		{"hangs up", func(n *lndtest.Node, _ *Connection) { n.Cut() }, []string{"ok   address", "BAD  wallet: no answer"}},
		{"locked", func(n *lndtest.Node, _ *Connection) { n.SetState("LOCKED") }, []string{"BAD  wallet: its state is LOCKED"}},
		{"proxy", func(n *lndtest.Node, _ *Connection) { n.Always("GetState", lndtest.HTML) }, []string{"BAD  wallet: no answer from lnd"}},
		{"revoked", func(n *lndtest.Node, _ *Connection) { n.Revoke("1007") }, []string{"BAD  permissions: LookupInvoice"}},
		{"denied in one", func(n *lndtest.Node, _ *Connection) {
			n.Always("SubscribeSingleInvoice", lndtest.Refuse(500, 2, "permission denied"))
		}, []string{"BAD  permissions: SubscribeSingleInvoice"}},
		{"no channels", func(n *lndtest.Node, _ *Connection) { n.SetInfo("num_active_channels", 0) }, []string{"BAD  channels"}},
		{"no info", func(n *lndtest.Node, _ *Connection) { n.Always("GetInfo", lndtest.HTML) }, []string{"BAD  chain"}},
		{"clock", func(n *lndtest.Node, _ *Connection) { n.Advance(1 << 42) }, []string{"note clock"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // each waits a second for a refusal
			node := lndtest.New(t, lndtest.Options{TCP: true})
			c, err := ParseConnection(node.Connection())
			if err != nil {
				t.Fatal(err)
			}
			tt.spoil(node, &c)
			steps := Probe(t.Context(), c)
			got := tell(steps)
			for _, w := range tt.want {
				if !strings.Contains(got, w) {
					t.Errorf("want %q in\n%s", w, got)
				}
			}
			for _, s := range steps {
				if !s.OK && s.Remedy == "" || s.Detail == "" || strings.Contains(s.Detail, c.Macaroon.hex()[:min(40, 2*len(c.Macaroon))]) {
					t.Errorf("step %+v", s)
				}
			}
			if node.Invoices() != 0 {
				t.Error("the doctor made an invoice")
			}
		})
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if steps := Probe(ctx, Connection{URL: "https://127.0.0.1:1", Macaroon: unhex(t, tillMacaroon)}); len(steps) == 0 {
		t.Error("no steps")
	}
}
