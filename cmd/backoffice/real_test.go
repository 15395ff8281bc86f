package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

// devnetVar names the environment variable with the control address of a running devnet.
const devnetVar = "TILLWRIGHT_DEVNET"

// TestRealOffline takes payments of a till without a line at a real lnd, from a real
// wallet over a real channel. What the toy node does is only worth what this test
// confirms: the description hash, the preimage of ours, cancel against settle, a
// node that is restarted in the middle.
func TestRealOffline(t *testing.T) {
	base := os.Getenv(devnetVar)
	if base == "" {
		t.Skipf("needs real nodes: cmd/devnet nodes --dir D go test -run TestRealOffline ./cmd/backoffice, or start cmd/devnet and set %s", devnetVar)
	}
	d := devnet{strings.TrimRight(base, "/")}
	config := configure(t, offlineToml(d.connection(t)))
	command(t, "owner", "set", "--config", config, "--password-file", filepath.Join(filepath.Dir(config), "password"))
	s := &offlineShop{shop: openShop(t, config), till: tilltest.New(1, "01", "EUR", time.Now())}
	s.client = s.enrol(s.till, "Counter")
	deliver(t, s.till, s.client)
	g, err := s.client.Grant(t.Context(), nil)
	if err != nil || !g.Enabled {
		t.Fatalf("grant %v, %v", g, err)
	}
	s.grant, s.keys = g, offpay.Derive(g.Key, g.Device, g.Epoch)

	t.Run("paid", func(t *testing.T) {
		s.t = t
		tok, url := s.token(1)
		inv := s.realInvoice(url)
		if settled, _ := s.verify(inv.Verify); settled {
			t.Error("settled before it was paid")
		}
		d.pay(t, inv.PR, "", true)
		settled, pre := s.verify(inv.Verify)
		b, err := hex.DecodeString(pre)
		if !settled || err != nil || fmt.Sprintf("%x", sha256.Sum256(b)) != inv.Verify[len(inv.Verify)-64:] {
			t.Errorf("verify: %t %q %v", settled, pre, err)
		}
		if _, body := s.get(url, "text/html"); !strings.Contains(body, offpay.ShowCode(s.keys.Code(tok))) {
			t.Error("no code")
		}
		s.outcomeIs(tok, 1, true, false, offpay.Paid)
		d.pay(t, inv.PR, "", false) // one hash cannot be paid twice
	})
	t.Run("withdrawn", func(t *testing.T) {
		s.t = t
		tok, url := s.token(2)
		inv := s.realInvoice(url)
		s.outcomeIs(tok, 2, false, true, offpay.Unpaid)
		d.pay(t, inv.PR, "", false)
		if _, body := s.get(url, "application/json"); !strings.Contains(body, "not valid any more") {
			t.Errorf("after it was withdrawn: %s", body)
		}
	})
	t.Run("withdrawn too late", func(t *testing.T) {
		s.t = t
		tok, url := s.token(3)
		d.pay(t, s.realInvoice(url).PR, "", true)
		s.outcomeIs(tok, 3, false, true, offpay.Paid)
	})
	t.Run("the node restarts", func(t *testing.T) {
		s.t = t
		tok, url := s.token(4)
		inv := s.realInvoice(url)
		if err := d.do("POST", "/v1/nodes/shop/restart", nil, nil); err != nil {
			t.Fatal(err)
		}
		d.connection(t)
		for end := time.Now().Add(2 * time.Minute); ; <-time.After(2 * time.Second) {
			if again := s.realInvoice(url); again.PR == inv.PR {
				break
			} else if time.Now().After(end) {
				t.Fatalf("another invoice: %+v", again)
			}
		}
		d.payPatiently(t, inv.PR)
		s.outcomeIs(tok, 4, true, false, offpay.Paid)
	})
}

type realInvoice struct{ PR, Verify string }

// realInvoice goes the wallet's way.
func (s *offlineShop) realInvoice(url string) realInvoice {
	s.t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; <-time.After(time.Second) {
		var offer struct {
			Callback    string
			MinSendable int64
		}
		_, body := s.get(url, "application/json")
		_ = json.Unmarshal([]byte(body), &offer) // empty when it is none
		var inv realInvoice
		if offer.Callback != "" {
			_, body = s.get(fmt.Sprintf("%s?amount=%d", offer.Callback, offer.MinSendable), "application/json")
			_ = json.Unmarshal([]byte(body), &inv)
		}
		if inv.PR != "" {
			return inv
		}
		if time.Now().After(end) {
			s.t.Fatalf("no invoice: %s", body)
		}
	}
}

func (s *offlineShop) verify(url string) (settled bool, preimage string) {
	s.t.Helper()
	var v struct {
		Settled  bool
		Preimage string
	}
	_, body := s.get(url, "application/json")
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		s.t.Fatal(err)
	}
	return v.Settled, v.Preimage
}

// outcomeIs claims until the node has said its word.
func (s *offlineShop) outcomeIs(tok offpay.Token, counter uint32, accepted, void bool, want offpay.OutcomeState) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); ; <-time.After(time.Second) {
		out, err := s.client.Outcomes(s.t.Context(), []offpay.Claim{{Token: tok.String(), Counter: counter, Accepted: accepted, Void: void}})
		if err != nil {
			s.t.Fatal(err)
		}
		if out[0].State == want {
			return
		}
		if out[0].State.Final() || time.Now().After(end) {
			s.t.Fatalf("outcome %+v, want %s", out[0], want)
		}
	}
}

// devnet is the control interface of running nodes.
type devnet struct{ base string }

// connection waits until the network is up.
func (d devnet) connection(t *testing.T) string {
	t.Helper()
	var status struct {
		Ready bool   `json:"ready"`
		Step  string `json:"step"`
	}
	for end := time.Now().Add(15 * time.Minute); !status.Ready; <-time.After(time.Second) {
		if err := d.do("GET", "/v1/status", nil, &status); err != nil || time.Now().After(end) {
			t.Fatalf("devnet at %s: step %q, %v", d.base, status.Step, err)
		}
	}
	var c struct {
		LND string `json:"lnd"`
	}
	if err := d.do("GET", "/v1/connection", nil, &c); err != nil || c.LND == "" {
		t.Fatalf("devnet gives no connection: %v", err)
	}
	return c.LND
}

// pay lets the devnet's customer pay, or find that nobody can.
func (d devnet) pay(t *testing.T, invoice, msat string, want bool) {
	t.Helper()
	if err := d.tryPay(invoice, msat); (err == nil) != want {
		t.Errorf("the customer pays: %v", err)
	}
}

func (d devnet) payPatiently(t *testing.T, invoice string) {
	t.Helper()
	var err error
	for range 30 { // the channel comes back some seconds after the node
		if err = d.tryPay(invoice, ""); err == nil {
			return
		}
		<-time.After(2 * time.Second)
	}
	t.Fatalf("the customer cannot pay: %v", err)
}

func (d devnet) tryPay(invoice, msat string) error {
	var out struct {
		OK     bool   `json:"ok"`
		Reason string `json:"reason"`
	}
	if err := d.do("POST", "/v1/payments", map[string]string{"invoice": invoice, "amount_msat": msat}, &out); err != nil {
		return err
	}
	if !out.OK {
		return errors.New(out.Reason)
	}
	return nil
}

func (d devnet) do(method, path string, in, out any) error {
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, d.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", fmt.Sprint(time.Now().UnixNano()))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: status %d, %.200s", method, path, resp.StatusCode, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}
