package main

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// realBin returns a folder with btcd and lnd: TILLWRIGHT_BIN, else the user's
// cache, where they are built first: ten minutes, once. -short leaves it out.
func realBin(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("TILLWRIGHT_BIN"); dir != "" {
		return dir
	}
	if testing.Short() {
		t.Skip("needs real nodes: set TILLWRIGHT_BIN to a folder with btcd and lnd, or leave -short out")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(cache, "tillwright-devnet")
}

// network is a running devnet nodes.
type network struct {
	t    *testing.T
	url  string
	conn map[string]string // the connection string, taken apart
	stop func() error
}

// upWithinTest is how long real nodes may take on a busy machine.
const upWithinTest = 3 * time.Minute

// startNetwork runs devnet nodes in dir until the test stops it. It returns as
// soon as the API listens.
func startNetwork(t *testing.T, dir, bin string) *network {
	t.Helper()
	out, errs := newWords(), newWords()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, []string{"nodes", "--dir", dir, "--bin", bin}, out, errs) }()
	n := &network{t: t, stop: func() error { cancel(); return <-done }}
	t.Cleanup(func() {
		if cancel(); t.Failed() {
			t.Log(errs)
		}
	})
	out.await(t, "}")
	var first struct{ URL string }
	if err := json.Unmarshal([]byte(out.String()), &first); err != nil {
		t.Fatalf("the first line is %q: %v", out, err)
	}
	n.url = first.URL
	return n
}

// reach waits until the status satisfies ok.
func (n *network) reach(ok func(Status) bool) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), upWithinTest)
	defer cancel()
	err := await(ctx, "the nodes", func(context.Context) error {
		var s Status
		n.call("GET", "/v1/status", "", &s)
		if s.Trouble != "" {
			return final{errors.New(s.String())}
		}
		if !ok(s) {
			return errors.New(s.String())
		}
		return nil
	})
	if err != nil {
		n.t.Fatal(err)
	}
}

// ready waits until the nodes are up and takes the connection string.
func (n *network) ready() {
	n.t.Helper()
	n.reach(func(s Status) bool { return s.Ready })
	var c struct{ LND string }
	n.call("GET", "/v1/connection", "", &c)
	n.conn = map[string]string{}
	for part := range strings.SplitSeq(c.LND, ";") {
		key, value, _ := strings.Cut(part, "=")
		n.conn[key] = value
	}
}

// call speaks to the control API and demands 200.
func (n *network) call(method, path, body string, out any) {
	n.t.Helper()
	req, err := http.NewRequestWithContext(n.t.Context(), method, n.url+path, strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		n.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil || resp.StatusCode != http.StatusOK {
		n.t.Fatalf("%s %s: %d %v %v", method, path, resp.StatusCode, err, out)
	}
}

// till speaks to the shop's node with what the till gets: the macaroon, and the
// certificate by its thumbprint.
func (n *network) till(method, path string, in, out any) error {
	r := &remote{base: strings.TrimSuffix(n.conn["server"], "/"), header: http.Header{}, http: &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error {
			if got := hash(s.PeerCertificates[0].Raw); got != n.conn["certthumbprint"] {
				return fmt.Errorf("the thumbprint is %s", got)
			}
			return nil
		}},
	}}}
	r.header.Set("Grpc-Metadata-macaroon", n.conn["macaroon"])
	return r.call(n.t.Context(), method, path, in, out)
}

// invoice makes one of 1000 satoshis.
func (n *network) invoice(expiry int) (pr, hashHex string) {
	n.t.Helper()
	var out struct {
		Request string `json:"payment_request"`
		Hash    []byte `json:"r_hash"`
	}
	if err := n.till("POST", "/v1/invoices", map[string]any{"value": 1000, "memo": "Cafe Aurora #0417 2.90 EUR", "expiry": expiry}, &out); err != nil {
		n.t.Fatal(err)
	}
	return out.Request, hex.EncodeToString(out.Hash)
}

func (n *network) pay(pr, msat string) Outcome {
	n.t.Helper()
	var out Outcome
	n.call("POST", "/v1/payments", fmt.Sprintf(`{"invoice":%q,"amount_msat":%q}`, pr, msat), &out)
	return out
}

// settles pays an invoice and demands that the shop got exactly want.
func (n *network) settles(msat, want string) {
	n.t.Helper()
	pr, id := n.invoice(300)
	if out := n.pay(strings.ToUpper(pr), msat); !out.OK || out.Hash != id || out.Msat != want {
		n.t.Fatalf("got %+v, want %s paid", out, want)
	}
	var in struct {
		State string
		Msat  string `json:"amt_paid_msat"`
	}
	if err := n.till("GET", "/v1/invoice/"+id, nil, &in); err != nil || in.State != "SETTLED" || in.Msat != want {
		n.t.Fatalf("the shop has %+v, %v, want %s", in, err, want)
	}
}

// TestNodes lives a day with real nodes. Goal: a set-up that is cut off is
// finished by the next start; every kind of payment ends as the shop's books need
// it for a test; nodes come back from stops and hard kills; a restart changes
// neither the till's connection nor the money.
func TestNodes(t *testing.T) {
	bin, dir := realBin(t), filepath.Join(t.TempDir(), "d")
	cut := startNetwork(t, dir, bin)
	cut.reach(func(s Status) bool { return s.Detail == "reading the chain" || s.Ready })
	if err := cut.stop(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	n := startNetwork(t, dir, bin)
	n.ready()
	t.Logf("ready after %v", time.Since(began).Round(time.Millisecond))

	t.Run("the till cannot spend", n.tillRights)
	t.Run("nor can the back office", func(t *testing.T) {
		own, mine := linesOf(t, filepath.Join(dir, "shop", officeCredential.file))[0], n.conn["macaroon"]
		if own == mine {
			t.Error("both have one key")
		}
		n.conn["macaroon"] = own
		n.tillRights(t)
		n.settles("", "1000000")
		n.conn["macaroon"] = mine
	})
	t.Run("exact", func(t *testing.T) { n.settles("", "1000000") })
	t.Run("overpaid", func(t *testing.T) { n.settles("3500000", "3500000") })
	t.Run("underpaid, then exact, then again", n.underpaid)
	t.Run("late", n.late)
	t.Run("more than there is", func(t *testing.T) {
		pr, _ := n.invoice(300)
		if out := n.pay(pr, "90000000000"); out.OK || !strings.Contains(out.Reason, "not enough") {
			t.Errorf("got %+v", out)
		}
	})
	t.Run("shop away and back", n.shopAway)
	t.Run("killed hard", func(t *testing.T) { n.killed(t, dir) })
	t.Run("restart of the other two", func(t *testing.T) {
		var out map[string]any
		n.call("POST", "/v1/nodes/customer/restart", "", &out)
		n.call("POST", "/v1/nodes/chain/restart", "", &out)
		n.call("POST", "/v1/blocks", `{"count":6}`, &out)
		n.settles("", "1000000")
	})
	t.Run("next day", func(t *testing.T) { nextDay(t, n, dir, bin) })
}

func (n *network) tillRights(t *testing.T) {
	if n.conn["type"] != "lnd-rest" || !strings.HasPrefix(n.conn["server"], "https://127.0.0.1:") {
		t.Errorf("the connection is %v", n.conn)
	}
	if err := n.till("GET", "/v1/getinfo", nil, nil); err != nil {
		t.Errorf("the till may not ask how the node is: %v", err)
	}
	for path, in := range map[string]any{
		"/v1/channels": map[string]any{"local_funding_amount": 1}, "/v1/transactions": map[string]any{"addr": "sb1"},
		"/v1/macaroon": map[string]any{}, "/v2/invoices/settle": map[string]any{"preimage": ""},
	} {
		if err := n.till("POST", path, in, nil); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%s: got %v, want permission denied", path, err)
		}
	}
}

func (n *network) underpaid(t *testing.T) {
	pr, _ := n.invoice(300)
	if out := n.pay(pr, "999000"); out.OK || !strings.Contains(out.Reason, "turned it down") {
		t.Fatalf("a satoshi too little: %+v", out)
	}
	if out := n.pay(pr, ""); !out.OK {
		t.Fatalf("then exact: %+v", out)
	}
	for _, msat := range []string{"", "1000000"} {
		if out := n.pay(pr, msat); out.OK || !strings.Contains(out.Reason, "paid already") {
			t.Errorf("then again: %+v", out)
		}
	}
}

func (n *network) late(t *testing.T) {
	pr, id := n.invoice(1)
	err := await(t.Context(), "the expiry", func(context.Context) error {
		var in struct{ State string }
		if err := n.till("GET", "/v1/invoice/"+id, nil, &in); err != nil {
			return final{err}
		}
		if in.State != "CANCELED" {
			return errors.New(in.State)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if out := n.pay(pr, ""); out.OK || !strings.Contains(out.Reason, "expired") {
		t.Errorf("an honest wallet: %+v", out)
	}
	if out := n.pay(pr, "1000000"); out.OK || !strings.Contains(out.Reason, "turned it down") {
		t.Errorf("a wallet that does not look at the clock: %+v", out)
	}
}

func (n *network) shopAway(t *testing.T) {
	pr, _ := n.invoice(300)
	var done map[string]any
	n.call("POST", "/v1/nodes/shop/stop", "", &done)
	if err := n.till("GET", "/v1/getinfo", nil, nil); err == nil {
		t.Error("the stopped node answers")
	}
	if out := n.pay(pr, ""); out.OK {
		t.Errorf("paid a shop that is away: %+v", out)
	}
	n.call("POST", "/v1/nodes/shop/start", "", &done)
	n.paidSoon(t, pr)
}

// paidSoon pays until the invoice is paid. A payment that was sent in the instant
// in which the shop went away hangs, neither paid nor unpaid, until the shop is
// back; then it arrives by itself.
func (n *network) paidSoon(t *testing.T, pr string) {
	t.Helper()
	err := await(t.Context(), "the payment", func(context.Context) error {
		if out := n.pay(pr, ""); !out.OK && !strings.Contains(out.Reason, "paid already") {
			return errors.New(out.Reason)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// killed ends the shop's node without a word; devnet starts it again and links it.
func (n *network) killed(t *testing.T, dir string) {
	pid := atoi(t, linesOf(t, filepath.Join(dir, "run", "lnd-shop.pid"))[0])
	pr, _ := n.invoice(300)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	n.paidSoon(t, pr)
}

func nextDay(t *testing.T, n *network, dir, bin string) {
	var before, after Balance
	n.call("GET", "/v1/wallet", "", &before)
	pid := atoi(t, linesOf(t, filepath.Join(dir, "run", "btcd.pid"))[0])
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	if syscall.Kill(pid, 0) == nil {
		t.Error("the chain still runs")
	}
	began := time.Now()
	again := startNetwork(t, dir, bin)
	again.ready()
	t.Logf("ready again after %v", time.Since(began).Round(time.Millisecond))
	if fmt.Sprint(again.conn) != fmt.Sprint(n.conn) {
		t.Errorf("the connection was %v and is %v", n.conn, again.conn)
	}
	again.call("GET", "/v1/wallet", "", &after)
	// Less than the smallest payment: while a settled part is still in the channel's
	// newest commitment, that costs the opener 43 satoshis of fee.
	if diff := atoi(t, before.Sat) - atoi(t, after.Sat); diff <= -1000 || diff >= 1000 {
		t.Errorf("the wallet had %s and has %s", before.Sat, after.Sat)
	}
	again.settles("", "1000000")
	if err := again.stop(); err != nil {
		t.Fatal(err)
	}
}
