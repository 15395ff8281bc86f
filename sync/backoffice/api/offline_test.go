package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/api"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/wire"
)

// offlineOffice stands for offline.Office.
type offlineOffice struct {
	have   *wire.Held
	claims []offpay.Claim
	till   string
	fail   error
}

// offline returns o's office as the API takes it.
func (o *office) offline() api.Offline {
	if o.off == nil {
		return nil
	}
	return o.off
}

var device = offpay.Device{1, 2, 3, 4, 5}

func (f *offlineOffice) Grant(_ context.Context, till store.Till, have *wire.Held, _ time.Time) (offpay.Grant, error) {
	f.have, f.till = have, till.ID
	return offpay.Grant{Device: device, Epoch: 4, Key: offpay.Key{31: 1}, Host: "pay.example.com", Highest: 17, Limits: offpay.DefaultLimits(), Enabled: true}, f.fail
}

func (f *offlineOffice) Outcomes(_ context.Context, till store.Till, claims []offpay.Claim, at time.Time) ([]offpay.Outcome, error) {
	f.claims, f.till = claims, till.ID
	eur, _ := pos.CurrencyOf("EUR")
	rate, err := pos.RateOf(eur, pos.Bitcoin, "58123.40", "test", at)
	if err != nil {
		return nil, err
	}
	out := []offpay.Outcome{}
	for i, c := range claims {
		o := offpay.Outcome{Counter: c.Counter, State: offpay.Open}
		if i == 0 {
			o = offpay.Outcome{Counter: c.Counter, State: offpay.Paid, Asked: pos.Bitcoin.UnitsOf(1000), Received: pos.Bitcoin.UnitsOf(2000), Rate: &rate, At: at.UTC(), Why: "why"}
		}
		out = append(out, o)
	}
	return out, f.fail
}

// TestOffline makes both calls as a till does. Goal: what was said arrives whole, on
// both sides, and fits the schema that the document promises.
func TestOffline(t *testing.T) {
	o := newOffice(t)
	till := newTill(1)
	client := o.enrol(till)
	g, err := client.Grant(t.Context(), &wire.Held{Device: device, Epoch: 3})
	if err != nil || g.Device != device || g.Epoch != 4 || g.Key != (offpay.Key{31: 1}) || g.Highest != 17 || g.Limits != offpay.DefaultLimits() || o.off.till != till.Genesis.Till {
		t.Errorf("got %v, %v", g, err)
	}
	if o.off.have == nil || *o.off.have != (wire.Held{Device: device, Epoch: 3}) {
		t.Errorf("it has %+v", o.off.have)
	}
	if _, err := client.Grant(t.Context(), nil); err != nil || o.off.have != nil {
		t.Errorf("without a key: %+v, %v", o.off.have, err)
	}
	claims := []offpay.Claim{{Token: "t", Counter: 5, Accepted: true}, {Token: "u", Counter: 6, Void: true}}
	out, err := client.Outcomes(t.Context(), claims)
	if err != nil || len(out) != 2 || out[0].State != offpay.Paid || out[0].Received.Int().Int64() != 2000 || out[0].Rate.Price() != "1 BTC = 58123.40 EUR" || out[1].State != offpay.Open {
		t.Errorf("got %+v, %v", out, err)
	}
	if len(o.off.claims) != 2 || o.off.claims[0] != claims[0] || o.off.claims[1] != claims[1] {
		t.Errorf("it was told %+v", o.off.claims)
	}
	o.off.fail = pos.E("x", pos.Unavailable, "no")
	if _, err := client.Outcomes(t.Context(), claims); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("a fault: %v", err)
	}
}

// TestOfflineSchemas holds the very bytes against the document.
func TestOfflineSchemas(t *testing.T) {
	o := newOffice(t)
	till := newTill(1)
	o.enrol(till)
	counter := int64(100)
	for id, body := range map[string]string{
		"grant-offline":  `{"have":{"device":"0102030405","epoch":255}}`,
		"settle-offline": `{"claims":[{"token":"x","counter":1,"accepted":true},{"token":"y","counter":4294967295,"void":true}]}`,
	} {
		path := map[string]string{"grant-offline": wire.OfflineGrantsPath(till.Genesis.Till), "settle-offline": wire.OfflineOutcomesPath(till.Genesis.Till)}[id]
		counter++
		req := wire.Request{Method: "POST", Path: path, To: officePublic(), Counter: counter, Body: []byte(body)}
		status, head, answer := o.call("POST", path, body, "Content-Type", "application/json", wire.HeaderCounter, itoa(counter), wire.HeaderSignature, req.Sign(till.Key))
		if err := (wire.Answer{Path: path, Counter: counter, Body: []byte(answer)}).Verify(officePublic(), head.Get(wire.HeaderSignature)); err != nil || status != 200 {
			t.Fatalf("%s: %d %s %v", id, status, answer, err)
		}
		for _, item := range o.api.OpenAPI().Paths {
			if item.Post != nil && item.Post.OperationID == id {
				schema := item.Post.Responses["200"].Content["application/json"].Schema
				var v any
				if err := json.Unmarshal([]byte(answer), &v); err != nil {
					t.Fatal(err)
				}
				res := &huma.ValidateResult{}
				huma.Validate(o.api.OpenAPI().Components.Schemas, schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, res)
				if err := errors.Join(res.Errors...); err != nil {
					t.Errorf("%s does not fit: %v\n%s", id, err, answer)
				}
			}
		}
	}
}

func itoa(n int64) string { b, _ := json.Marshal(n); return string(b) }

// TestOfflineRefused spoils requests. Goal: nobody but the till gets its key, or moves
// its payments, and nothing happens twice.
func TestOfflineRefused(t *testing.T) {
	o := newOffice(t)
	till, stranger := newTill(1), newTill(1)
	stranger.Key = officeKey
	o.enrol(till)
	id, counter := till.Genesis.Till, int64(100)
	tests := []struct {
		name, path, body string
		spoil            func(r *wire.Request, h map[string]string)
		want             int
	}{
		{"good", wire.OfflineGrantsPath(id), `{}`, nil, 200},
		{"the same again", wire.OfflineGrantsPath(id), `{}`, func(r *wire.Request, h map[string]string) { r.Counter--; h[wire.HeaderCounter] = itoa(r.Counter) }, 409},
		{"another key", wire.OfflineGrantsPath(id), `{}`, func(r *wire.Request, h map[string]string) { h[wire.HeaderSignature] = r.Sign(officeKey) }, 403},
		{"signed for records", wire.OfflineGrantsPath(id), `{}`, func(r *wire.Request, _ map[string]string) { r.Path = wire.RecordsPath(id) }, 403},
		{"signed for outcomes", wire.OfflineGrantsPath(id), `{}`, func(r *wire.Request, _ map[string]string) { r.Path = wire.OfflineOutcomesPath(id) }, 403},
		{"another body signed", wire.OfflineOutcomesPath(id), `{"claims":[]}`, func(r *wire.Request, _ map[string]string) { r.Body = []byte(`{}`) }, 403},
		{"not enrolled", wire.OfflineGrantsPath("0011223344556677"), `{}`, nil, 404},
		{"no till", wire.OfflineGrantsPath("x"), `{}`, nil, 422},
		{"an unknown name", wire.OfflineGrantsPath(id), `{"haves":1}`, nil, 422},
		{"a name in capitals", wire.OfflineOutcomesPath(id), `{"Claims":[]}`, nil, 422},
		{"no claims", wire.OfflineOutcomesPath(id), `{}`, nil, 422},
		{"a device too long", wire.OfflineGrantsPath(id), `{"have":{"device":"010203040506","epoch":1}}`, nil, 422},
		{"an epoch too high", wire.OfflineGrantsPath(id), `{"have":{"device":"0102030405","epoch":256}}`, nil, 422},
		{"too many claims", wire.OfflineOutcomesPath(id), `{"claims":[` + strings.Repeat(`{"token":"x","counter":1},`, 100) + `{"token":"x","counter":1}]}`, nil, 422},
		{"a hundred claims", wire.OfflineOutcomesPath(id), `{"claims":[` + strings.Repeat(`{"token":"`+strings.Repeat("x", 52)+`","counter":1},`, 99) + `{"token":"x","counter":1}]}`, nil, 200},
		{"a large body", wire.OfflineOutcomesPath(id), `{"claims":[` + strings.Repeat(" ", 40<<10) + `]}`, nil, 413},
	}
	for _, tt := range tests {
		counter++
		r := wire.Request{Method: "POST", Path: tt.path, To: officePublic(), Counter: counter, Body: []byte(tt.body)}
		h := map[string]string{wire.HeaderCounter: itoa(counter)}
		if tt.spoil != nil {
			tt.spoil(&r, h)
		}
		if h[wire.HeaderSignature] == "" {
			h[wire.HeaderSignature] = r.Sign(till.Key)
		}
		status, head, body := o.call("POST", tt.path, tt.body, "Content-Type", "application/json", wire.HeaderCounter, h[wire.HeaderCounter], wire.HeaderSignature, h[wire.HeaderSignature])
		if status != tt.want {
			t.Errorf("%s: %d, want %d: %.300s", tt.name, status, tt.want, body)
		}
		if status >= 400 {
			problem(t, status, head, body)
			if strings.Contains(body, "AAAAAAA") || head.Get(wire.HeaderSignature) != "" {
				t.Errorf("%s: a refusal holds a key or a signature", tt.name)
			}
		}
	}
}

// TestOfflineUnset asks a backoffice that answers for nobody.
func TestOfflineUnset(t *testing.T) {
	o := newOfficeWith(t, nil)
	client := o.enrol(newTill(1))
	if g, err := client.Grant(t.Context(), nil); err != nil || g.Enabled || g.Why == "" || !g.Key.IsZero() {
		t.Errorf("got %v, %v", g, err)
	}
	if _, err := client.Outcomes(t.Context(), []offpay.Claim{{Token: "x", Counter: 1}}); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("got %v", err)
	}
	if status, _, _ := o.call(http.MethodGet, "/o/x", ""); status != 404 {
		t.Errorf("got %d", status)
	}
}
