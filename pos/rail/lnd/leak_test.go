package lnd

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

// paper keeps everything that is written.
type paper struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) { p.mu.Lock(); defer p.mu.Unlock(); return p.all.Write(b) }

// TestNothingLeaks runs a rail through good and bad days with the log wide open,
// and looks for the macaroon and the preimages in log, errors, answers and health.
func TestNothingLeaks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log := &paper{}
		node := lndtest.New(t, lndtest.Options{})
		mac := node.Bake("1007", lndtest.TillRights...)
		s := &source{text: node.ConnectionWith(mac)}
		r := railBefore(t, node, func(o *Options) {
			o.Source = s.get
			o.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
		})
		run(t, r)
		synctest.Wait()
		note := func(v any, err error) { fmt.Fprintf(log, "%+v %v %+v %#v\n", v, err, err, r.Health()) }
		echo := lndtest.Refuse(500, 2, fmt.Sprintf("bad macaroon %x with preimage %x", mac, mac))
		raw := lndtest.Say(500, "text/html", fmt.Sprintf("%x", mac))
		for i, spoil := range []lndtest.Fault{nil, echo, raw, lndtest.HTML, lndtest.CutShort, lndtest.Huge, lndtest.LoseAnswer,
			lndtest.Tamper(func(a map[string]any) { a["state"] = a["r_preimage"] }), lndtest.Tamper(func(a map[string]any) { a["payment_request"] = a["r_preimage"] })} {
			for _, call := range []string{"AddInvoice", "LookupInvoice", "CancelInvoice", "GetInfo", "SubscribeSingleInvoice"} {
				if spoil != nil {
					node.Next(call, spoil)
				}
			}
			p := intended(i + 1)
			a, err := r.Ask(t.Context(), p, "Cafe #0001 2.50 EUR")
			note(a, err)
			f, err := r.Check(t.Context(), p)
			note(f, err)
			f, err = r.Cancel(t.Context(), p)
			note(f, err)
			time.Sleep(healthEvery)
			node.Clear()
		}
		s.set("type=lnd-rest;server=http://x;macaroon="+fmt.Sprintf("%x", mac), "")
		node.Cut()
		time.Sleep(time.Minute)
		note(r.Health(), nil)
		conn, err := ParseConnection(node.ConnectionWith(mac))
		note(conn, err)
		note(&conn, err)
		js, err := json.Marshal(conn)
		note(string(js), err)
		slog.New(slog.NewJSONHandler(log, nil)).Info("conn", "conn", conn, "macaroon", conn.Macaroon)

		text := strings.ToLower(log.all.String())
		for i := range 9 {
			pre, _ := preimage(tillSecret, intended(i+1))
			for name, secret := range map[string][]byte{"preimage": pre, "macaroon": mac, "macaroon's signature": mac[len(mac)-32:], "till's secret": tillSecret} {
				for _, form := range []string{fmt.Sprintf("%x", secret), base64.StdEncoding.EncodeToString(secret),
					base64.RawURLEncoding.EncodeToString(secret), strings.Trim(fmt.Sprint(secret), "[]")} {
					if strings.Contains(text, strings.ToLower(form)) {
						t.Errorf("the %s of payment %d is in the log", name, i+1)
					}
				}
			}
		}
		if len(text) < 2000 || !strings.Contains(text, "[redacted]") {
			t.Errorf("the log is suspiciously short: %d bytes", len(text))
		}
	})
}

// TestSecretPrints holds the type to its promise, verb by verb.
func TestSecretPrints(t *testing.T) {
	s := Secret("hunter2")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c", "%U"} {
		if got := fmt.Sprintf(verb, s); got != redacted {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if s.String() != redacted || s.LogValue().String() != redacted {
		t.Error("printed")
	}
	if b, err := json.Marshal(struct{ M Secret }{s}); err != nil || string(b) != `{"M":"[redacted]"}` {
		t.Errorf("marshalled as %s", b)
	}
}
