package lnd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/postest"
	"github.com/tillwright/tillwright/pos/rail/lnd"
)

// devnetVar names the environment variable with the control address of a running devnet.
const devnetVar = "TILLWRIGHT_DEVNET"

// TestRealNode holds the rail to the contract before a real lnd, with a real wallet
// that pays over a real channel. What the fake node does is only worth what this
// test confirms.
func TestRealNode(t *testing.T) {
	base := os.Getenv(devnetVar)
	if base == "" {
		t.Skipf("needs a real node: start cmd/devnet, then %s=http://127.0.0.1:PORT go test -run TestRealNode ./pos/rail/lnd", devnetVar)
	}
	d := devnet{base}
	text := d.connection(t)
	postest.TestRail(t, func(t testing.TB) postest.Harness {
		line := &cuttable{}
		change := func(o *lnd.Options) {
			o.Source, o.Dial = func() (string, string) { return text, "" }, line.dial
			o.Network, o.Expiry = "", time.Minute
		}
		r, stop := start(t, nil, change)
		return postest.Harness{
			Rail: r, Tender: "lightning", Quantity: pos.Bitcoin.UnitsOf(1_234_000), Overpays: true, Withdraws: true,
			Pay: func(p pos.Payment, q pos.Quantity) error {
				amount := ""
				if q.Cmp(p.Quantity) != 0 {
					amount = q.Int().String()
				}
				return d.pay(strings.ToLower(p.Payload), amount)
			},
			Expire: func(p pos.Payment) { <-time.After(time.Until(p.Expires) + 2*time.Second) },
			Break:  line.cut,
			Mend:   line.mend,
			RestartNode: func() {
				if err := d.post("/v1/nodes/shop/restart", nil, nil); err != nil {
					t.Errorf("restart the shop's node: %v", err)
				}
			},
			Restart: func() postest.Rail {
				stop()
				r, stop = start(t, nil, change)
				return r
			},
		}
	})
}

// devnet is the control interface of a running cmd/devnet.
type devnet struct{ base string }

// connection waits until the network is up.
func (d devnet) connection(t *testing.T) string {
	t.Helper()
	var status struct {
		Ready bool   `json:"ready"`
		Step  string `json:"step"`
	}
	for end := time.Now().Add(15 * time.Minute); !status.Ready; <-time.After(time.Second) {
		if err := d.get("/v1/status", &status); err != nil || time.Now().After(end) {
			t.Fatalf("devnet at %s: step %q, %v", d.base, status.Step, err)
		}
	}
	var c struct {
		LND string `json:"lnd"`
	}
	if err := d.get("/v1/connection", &c); err != nil || c.LND == "" {
		t.Fatalf("devnet gives no connection: %v", err)
	}
	return c.LND
}

// pay lets the devnet's customer pay.
func (d devnet) pay(invoice, msat string) error {
	var out struct {
		OK     bool   `json:"ok"`
		Reason string `json:"reason"`
	}
	if err := d.post("/v1/payments", map[string]string{"invoice": invoice, "amount_msat": msat}, &out); err != nil {
		return err
	}
	if !out.OK {
		return errors.New(out.Reason)
	}
	return nil
}

func (d devnet) get(path string, out any) error { return d.do(http.MethodGet, path, nil, out) }
func (d devnet) post(path string, in, out any) error {
	return d.do(http.MethodPost, path, in, out)
}

func (d devnet) do(method, path string, in, out any) error {
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(d.base, "/")+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", fmt.Sprint(time.Now().UnixNano()))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
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

// cuttable is a line to the node that can be cut, with all that is on it.
type cuttable struct {
	mu    sync.Mutex
	down  bool
	conns map[net.Conn]bool
}

func (c *cuttable) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c.mu.Lock()
	down := c.down
	c.mu.Unlock()
	if down {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conns == nil {
		c.conns = map[net.Conn]bool{}
	}
	c.conns[conn] = true
	return conn, nil
}

func (c *cuttable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = true
	for conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

func (c *cuttable) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = false
}
