package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// network is a running devnet: real lnd nodes, and a customer who pays.
type network struct {
	t    *testing.T
	base string
}

// devnet returns the network that TILLWRIGHT_DEVNET names; make test starts one.
func devnet(t *testing.T) *network {
	t.Helper()
	base := os.Getenv("TILLWRIGHT_DEVNET")
	if base == "" {
		t.Skip("needs real nodes: make test starts them, or set TILLWRIGHT_DEVNET to a devnet's address")
	}
	return &network{t, base}
}

func (n *network) call(method, path string, in, out any) {
	n.t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		n.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(n.t.Context(), method, n.base+path, bytes.NewReader(b))
	if err != nil {
		n.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		n.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err = io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		n.t.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, b, err)
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			n.t.Fatalf("%s: %v in %s", path, err, b)
		}
	}
}

// pay lets the customer pay, msat of them when not "", and says how it went.
func (n *network) pay(qr, msat string) (ok bool, reason string) {
	n.t.Helper()
	var out struct {
		OK     bool   `json:"ok"`
		Reason string `json:"reason"`
	}
	n.call("POST", "/v1/payments", object{"invoice": qr, "amount_msat": msat}, &out)
	return out.OK, out.Reason
}

// charge rings up an espresso and waits for its code.
func (c *counter) charge() (pos.SaleID, pos.Customer) {
	c.t.Helper()
	id := c.ring("ESP")
	c.do("POST", "/v1/sales/"+string(id)+"/payments", object{"tender": "lightning"}, nil)
	return id, c.phase(pos.PhaseDue)
}

func (c *counter) cancel(id pos.SaleID) {
	c.t.Helper()
	s := c.sale(id)
	p := s.OpenPayment()
	if p == nil {
		return // paid in between
	}
	c.do("POST", "/v1/sales/"+string(id)+"/payments/"+string(p.ID)+"/cancellations", object{}, nil)
}

// TestDevnet sells over real nodes, in every way a payment goes.
func TestDevnet(t *testing.T) {
	n := devnet(t)
	var conn struct {
		LND string `json:"lnd"`
	}
	n.call("GET", "/v1/connection", nil, &conn)
	dir := t.TempDir()
	_, c, stop := inProcessAt(t, dir, conn.LND)
	c.found()
	c.wait("Lightning", ready)
	mustPay := func(qr, msat string) {
		t.Helper()
		if ok, why := n.pay(qr, msat); !ok {
			t.Fatalf("the customer could not pay: %s", why)
		}
	}

	t.Run("paid", func(t *testing.T) {
		id, due := c.charge()
		mustPay(due.QR, "")
		if got := c.phase(pos.PhasePaid); got.Sale != id {
			t.Errorf("paid: %+v", got)
		}
	})
	t.Run("overpaid", func(t *testing.T) {
		id, due := c.charge()
		mustPay(due.QR, "11600000") // 11,600 sat for 5,800
		c.phase(pos.PhasePaid)
		if p := c.sale(id).Payments[0]; p.Over.String() != "5800 sat" || p.Amount.Minor != 290 {
			t.Errorf("over %v, covers %v", p.Over, p.Amount)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		id, due := c.charge()
		c.cancel(id)
		c.phase(pos.PhaseRefused)
		if ok, _ := n.pay(due.QR, ""); ok {
			t.Error("a cancelled invoice was paid")
		}
		c.do("POST", "/v1/sales/"+string(id)+"/payments", object{"tender": "cash"}, nil)
		c.phase(pos.PhaseChange)
	})
	t.Run("cancelled after paying", func(t *testing.T) {
		id, due := c.charge()
		mustPay(due.QR, "")
		c.cancel(id)
		c.phase(pos.PhasePaid)
		if s := c.sale(id); s.State != pos.Completed || s.Payments[0].State != pos.Settled {
			t.Errorf("the sale is %s, %+v", s.State, s.Payments)
		}
	})
	t.Run("node restarted in mid-sale", func(t *testing.T) {
		id, due := c.charge()
		n.call("POST", "/v1/nodes/shop/restart", nil, nil)
		n.payUntil(due.QR)
		if got := c.phase(pos.PhasePaid); got.Sale != id {
			t.Errorf("paid: %+v", got)
		}
		c.wait("Lightning", ready)
	})
	t.Run("paid while the till is off", func(t *testing.T) {
		id, due := c.charge()
		stop()
		mustPay(due.QR, "")
		_, c, stop = inProcessAt(t, dir, conn.LND)
		c.signIn()
		if got := c.phase(pos.PhasePaid); got.Sale != id {
			t.Errorf("paid: %+v", got)
		}
		stop()
	})
	_, c, _ = inProcessAt(t, dir, conn.LND)
	c.signIn()
	c.wait("Lightning", ready)
	t.Run("expired, then paid late", func(t *testing.T) {
		id, due := c.charge() // for a minute, as the configuration says
		c.phase(pos.PhaseRefused)
		if p := c.sale(id).Payments[0]; p.State != pos.Expired || !p.Final {
			t.Errorf("the payment is %+v", p)
		}
		if ok, _ := n.pay(due.QR, ""); ok {
			t.Error("an expired invoice was paid: this node settles late")
		}
		c.do("POST", "/v1/sales/"+string(id)+"/payments", object{"tender": "lightning"}, nil)
		mustPay(c.phase(pos.PhaseDue).QR, "")
		c.phase(pos.PhasePaid)
	})
}

// payUntil pays as soon as the customer finds a way to the node again.
func (n *network) payUntil(qr string) {
	n.t.Helper()
	var why string
	for from := time.Now(); time.Since(from) < patience; {
		ok, reason := n.pay(qr, "")
		if ok {
			return
		}
		why = reason
	}
	n.t.Fatalf("the customer never found a way: %s", strings.TrimSpace(why))
}
