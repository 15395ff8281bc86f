package wire_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/wire"
)

var goodGrant = offpay.Grant{Device: offpay.Device{1}, Epoch: 2, Key: offpay.Key{3}, Host: "pay.example.com", Limits: offpay.DefaultLimits(), Enabled: true}

// signedAnswer answers a request as a backoffice does, with a change to what is signed.
func (o *office) signedAnswer(w http.ResponseWriter, r *http.Request, v any, change func(*wire.Answer)) {
	b, err := json.Marshal(v)
	if err != nil {
		o.t.Fatal(err)
	}
	a := wire.Answer{Path: r.URL.Path, Counter: o.last, Body: b}
	if change != nil {
		change(&a)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set(wire.HeaderSignature, a.Sign(officeKey))
	_, _ = w.Write(b)
}

// TestGrant takes good and spoilt grants. Goal: only what the backoffice signed for
// this very request, and what a till can use.
func TestGrant(t *testing.T) {
	with := func(change func(*offpay.Grant)) offpay.Grant { g := goodGrant; change(&g); return g }
	tests := []struct {
		name   string
		grant  offpay.Grant
		change func(*wire.Answer)
		ok     bool
	}{
		{"good", goodGrant, nil, true},
		{"switched off", offpay.Grant{Why: "the owner did"}, nil, true},
		{"signed for another path", goodGrant, func(a *wire.Answer) { a.Path += "x" }, false},
		{"signed for another request", goodGrant, func(a *wire.Answer) { a.Counter-- }, false},
		{"another body signed", goodGrant, func(a *wire.Answer) { a.Body = []byte("{}") }, false},
		{"no key", with(func(g *offpay.Grant) { g.Key = offpay.Key{} }), nil, false},
		{"no device", with(func(g *offpay.Grant) { g.Device = offpay.Device{} }), nil, false},
		{"a bad host", with(func(g *offpay.Grant) { g.Host = "https://pay.example.com/x" }), nil, false},
		{"no limits", with(func(g *offpay.Grant) { g.Limits = offpay.Limits{} }), nil, false},
	}
	for _, tt := range tests {
		o, c := newOffice(t)
		o.spoil = func(w http.ResponseWriter, r *http.Request, body []byte, _ pos.Checkpoint) bool {
			if string(body) != `{"have":{"device":"0100000000","epoch":1}}` || r.URL.Path != wire.OfflineGrantsPath(o.till.Genesis.Till) {
				t.Errorf("%s: asked %s %s", tt.name, r.URL.Path, body)
			}
			o.signedAnswer(w, r, tt.grant, tt.change)
			return true
		}
		g, err := c.Grant(t.Context(), &wire.Held{Device: offpay.Device{1}, Epoch: 1})
		if tt.ok && (err != nil || g != tt.grant) || !tt.ok && (pos.KindOf(err) != pos.Corrupt || g != (offpay.Grant{})) {
			t.Errorf("%s: %v, %v", tt.name, g, err)
		}
	}
}

// TestGrantInTheClear asks over plain http. Goal: never, whatever the settings say,
// but to this very machine.
func TestGrantInTheClear(t *testing.T) {
	for _, url := range []string{"http://192.0.2.1:1", "http://shop.lan", "http://localhost.example", "ftp://x", "://"} {
		c := wire.NewClient(url, "t", keyOf('t'), public(officeKey), nil, wire.AllowPlain())
		if _, err := c.Grant(t.Context(), nil); pos.KindOf(err) != pos.Invalid {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// TestOutcomes takes good and spoilt outcomes.
func TestOutcomes(t *testing.T) {
	msat := pos.Bitcoin.UnitsOf(1000)
	claims := []offpay.Claim{{Token: "a", Counter: 1}, {Token: "b", Counter: 2, Accepted: true}}
	open := offpay.Outcome{Counter: 1, State: offpay.Open}
	paid := offpay.Outcome{Counter: 2, State: offpay.Paid, Received: msat}
	tests := []struct {
		name   string
		out    []offpay.Outcome
		change func(*wire.Answer)
		ok     bool
	}{
		{"good", []offpay.Outcome{open, paid}, nil, true},
		{"forged", []offpay.Outcome{open, paid}, func(a *wire.Answer) { a.Body = append(a.Body, ' ') }, false},
		{"one is missing", []offpay.Outcome{open}, nil, false},
		{"one too many", []offpay.Outcome{open, paid, paid}, nil, false},
		{"another order", []offpay.Outcome{paid, open}, nil, false},
		{"paid nothing", []offpay.Outcome{open, {Counter: 2, State: offpay.Paid}}, nil, false},
		{"paid in something else", []offpay.Outcome{open, {Counter: 2, State: offpay.Paid, Received: pos.Asset{ID: "X", Symbol: "X"}.UnitsOf(1)}}, nil, false},
		{"received and open", []offpay.Outcome{{Counter: 1, State: offpay.Open, Received: msat}, paid}, nil, false},
		{"a state of tomorrow", []offpay.Outcome{{Counter: 1, State: "frozen"}, paid}, nil, false},
		{"no state", []offpay.Outcome{{Counter: 1}, paid}, nil, false},
	}
	for _, tt := range tests {
		o, c := newOffice(t)
		o.spoil = func(w http.ResponseWriter, r *http.Request, _ []byte, _ pos.Checkpoint) bool {
			o.signedAnswer(w, r, wire.Outcomes{Outcomes: tt.out}, tt.change)
			return true
		}
		out, err := c.Outcomes(t.Context(), claims)
		if tt.ok != (err == nil) || !tt.ok && (pos.KindOf(err) != pos.Corrupt || out != nil) {
			t.Errorf("%s: %+v, %v", tt.name, out, err)
		}
	}
	o, c := newOffice(t)
	if out, err := c.Outcomes(t.Context(), nil); err != nil || out != nil || o.calls != 0 {
		t.Errorf("nothing to ask: %v, %v, %d calls", out, err, o.calls)
	}
	if _, err := c.Outcomes(t.Context(), make([]offpay.Claim, offpay.MaxClaims+1)); pos.KindOf(err) != pos.Invalid || o.calls != 0 {
		t.Errorf("too many: %v", err)
	}
	o.spoil = func(w http.ResponseWriter, _ *http.Request, _ []byte, _ pos.Checkpoint) bool {
		problem(w, &wire.Problem{Status: 403, Detail: "no"})
		return true
	}
	if _, err := c.Outcomes(t.Context(), claims); pos.KindOf(err) != pos.Forbidden {
		t.Errorf("refused: %v", err)
	}
}
