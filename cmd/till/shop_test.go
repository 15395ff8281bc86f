package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

var update = flag.Bool("update", false, "write golden files anew")

const pin = "4711"

// demo is a shop's configuration; %s is the data folder and the connection string.
const demo = `
data      = "data"
listen    = "127.0.0.1:0"
catalogue = "catalogue.toml"
[shop]
name     = "Café Süd"
address  = ["Hauptplatz 1", "8010 Graz"]
tax_id   = "ATU12345678"
footer   = "Danke!"
currency = "EUR"
zone     = "Europe/Vienna"
max_sale = "5000.00"
[[tax]]
code    = "A"
percent = "10"
[[tax]]
code    = "B"
percent = "20"
[lightning]
connection_file = "lnd.conn"
network = "simnet"
expiry = "1m"
[rates]
fixed = "50000"
[printer]
connect = "paper"
columns = 42
[backoffice]
url = "http://127.0.0.1:1"
`

const demoCatalogue = `
[[item]]
sku = "ESP"
name = "Espresso"
price = "2.90"
tax = "B"
[[item]]
sku = "BRD"
name = "Sourdough"
price = "6.40"
tax = "A"
`

// writeShop writes a shop's files into dir and returns the configuration's name.
func writeShop(t testing.TB, dir, connection string) string {
	t.Helper()
	for name, text := range map[string]string{"till.toml": demo, "catalogue.toml": demoCatalogue, "lnd.conn": connection + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "till.toml")
}

// counter is a cashier's screen made of code.
type counter struct {
	t     testing.TB
	base  string
	token string
}

// key returns a fresh Idempotency-Key.
func key() string { return rand.Text() }

// call makes one call and returns status and body.
func (c *counter) call(method, path, key string, in any) (int, []byte, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return 0, nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, c.base+path, body)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, b, err
}

// do makes a call that must succeed, and decodes its answer into out.
func (c *counter) do(method, path string, in, out any) {
	c.t.Helper()
	status, b, err := c.call(method, path, key(), in)
	if err != nil || status >= 300 {
		c.t.Fatalf("%s %s: %d %s %v", method, path, status, b, err)
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			c.t.Fatalf("%s %s: %v in %s", method, path, err, b)
		}
	}
}

type object = map[string]any

// found sets the till up and signs in.
func (c *counter) found() {
	c.t.Helper()
	c.do("POST", "/v1/set-ups", object{"name": "Anna", "pin": pin}, nil)
	c.signIn()
}

func (c *counter) signIn() {
	c.t.Helper()
	var list struct {
		Staff []pos.Actor `json:"staff"`
	}
	c.do("GET", "/v1/staff", nil, &list)
	var in struct {
		Token string `json:"token"`
	}
	c.do("POST", "/v1/sessions", object{"actor": list.Staff[0].ID, "pin": pin, "bearer": true}, &in)
	c.token = in.Token
}

// ring opens a sale with these items and returns it.
func (c *counter) ring(skus ...string) pos.SaleID {
	c.t.Helper()
	var a pos.Answer
	c.do("POST", "/v1/sales", object{}, &a)
	for _, sku := range skus {
		c.do("POST", "/v1/sales/"+string(a.Sale)+"/lines", object{"sku": sku}, nil)
	}
	return a.Sale
}

func (c *counter) sale(id pos.SaleID) pos.SaleView {
	c.t.Helper()
	var out pos.SaleView
	c.do("GET", "/v1/sales/"+string(id), nil, &out)
	return out
}

func (c *counter) customer() pos.Customer {
	c.t.Helper()
	var v struct {
		Customer pos.Customer `json:"customer"`
	}
	c.do("GET", "/v1/view", nil, &v)
	return v.Customer
}

// wait reads the event stream until the view is as ok wants it.
func (c *counter) wait(what string, ok func(pos.View) bool) pos.View {
	c.t.Helper()
	ctx, stop := context.WithTimeout(c.t.Context(), patience)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, "GET", c.base+"/v1/events", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatalf("events: %v", err)
	}
	defer resp.Body.Close()
	var last pos.View
	for line := range lines(resp.Body) {
		if text, found := bytes.CutPrefix(line, []byte("data: ")); found {
			var v pos.View
			if err := json.Unmarshal(text, &v); err != nil {
				c.t.Fatalf("event %s: %v", text, err)
			}
			if v.Version == 0 {
				continue // the beat of the stream's heart
			}
			if last = v; ok(v) {
				return v
			}
		}
	}
	c.t.Fatalf("never saw %s; last: %+v", what, last)
	return last
}

// phase waits until the customer sees p.
func (c *counter) phase(p pos.Phase) pos.Customer {
	c.t.Helper()
	return c.wait(string(p), func(v pos.View) bool { return v.Customer.Phase == p }).Customer
}

// inProcess runs a whole till in this process and returns its counter. stop ends
// it and waits.
func inProcess(t testing.TB, dir string, node *lndtest.Node) (*till, *counter, func()) {
	t.Helper()
	return inProcessAt(t, dir, node.Connection())
}

// inProcessAt is inProcess with the node that connection leads to.
func inProcessAt(t testing.TB, dir, connection string) (*till, *counter, func()) {
	t.Helper()
	return runShop(t, writeShop(t, dir, connection))
}

// runShop runs the till of a configuration in this process.
func runShop(t testing.TB, file string) (*till, *counter, func()) {
	t.Helper()
	cfg, err := loadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	type started struct {
		till *till
		addr net.Addr
	}
	up, done := make(chan started, 1), make(chan error, 1)
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	go func() { done <- sell(ctx, cfg, log, func(x *till, a net.Addr) { up <- started{x, a} }) }()
	select {
	case s := <-up:
		c := &counter{t: t, base: fmt.Sprintf("http://%s", s.addr)}
		stopped := false
		stop := func() {
			if stopped {
				return
			}
			stopped = true
			cancel()
			if err := <-done; err != nil {
				t.Errorf("the till stopped with %v", err)
			}
		}
		t.Cleanup(stop)
		return s.till, c, stop
	case err := <-done:
		cancel()
		t.Fatalf("the till did not start: %v", err)
		return nil, nil, nil
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func publicOf(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }
