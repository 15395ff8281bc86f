package lnd

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestDecode feeds what encoding/json would let through.
func TestDecode(t *testing.T) {
	tests := []struct {
		name, in string
		ok       bool
	}{
		{"plain", `{"state":"OPEN"}`, true},
		{"spaced, as lnd writes", `{"state":"OPEN", "htlcs":[]}` + "\n", true},
		{"unknown keys", `{"state":"OPEN","blinded_path_config":null,"features":{"9":{"name":"x"}}}`, true},
		{"same key in two objects", `{"state":"OPEN","htlcs":[{"state":"ACCEPTED"},{"state":"SETTLED"}]}`, true},
		{"nothing", ``, false},
		{"white", " \n ", false},
		{"null", `null`, false},
		{"string", `"SETTLED"`, false},
		{"array", `[{"state":"SETTLED"}]`, false},
		{"cut", `{"state":"SETT`, false},
		{"cut after key", `{"state"`, false},
		{"two values", `{"state":"OPEN"}{"state":"SETTLED"}`, false},
		{"rubbish behind", `{"state":"OPEN"}x`, false},
		{"key twice", `{"state":"OPEN","state":"SETTLED"}`, false},
		{"key twice, escaped", `{"state":"OPEN","\u0073tate":"SETTLED"}`, false},
		{"key in capitals", `{"STATE":"SETTLED"}`, false},
		{"long s", `{"ſtate":"SETTLED"}`, false},
		{"kelvin", `{"is_` + "\u212a" + `eysend":true}`, false},
		{"twice, deep down", `{"a":{"b":[{"c":1,"c":2}]}}`, false},
		{"too deep", strings.Repeat(`{"a":`, maxDepth+1) + "1" + strings.Repeat("}", maxDepth+1), false},
		{"amount as float", `{"amt_paid_msat":1.5}`, false},
		{"amount with exponent", `{"amt_paid_msat":"1e3"}`, false},
		{"amount negative", `{"amt_paid_msat":"-1"}`, false},
		{"amount with zeros", `{"amt_paid_msat":"007"}`, false},
		{"amount with plus", `{"amt_paid_msat":"+7"}`, false},
		{"amount past int64", `{"amt_paid_msat":"9223372036854775808"}`, false},
		{"amount as number", `{"amt_paid_msat":3500000}`, true},
		{"hash is no base64", `{"r_hash":"zz!"}`, false},
		{"flag is a string", `{"is_amp":"true"}`, false},
	}
	for _, tt := range tests {
		var in invoice
		if err := decode([]byte(tt.in), &in); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// FuzzAnswer: an answer that passes decode and check is about our hash, has a state
// that lnd knows, and no money comes out of it without an amount. Go's own decoder
// reads the same from it: nothing hides behind a second key.
func FuzzAnswer(f *testing.F) {
	var h hash
	f.Add([]byte(`{"r_hash":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","state":"SETTLED","amt_paid_msat":"3500000","creation_date":"1","expiry":"300","htlcs":[{"state":"SETTLED","amt_msat":"1"}]}`))
	f.Add([]byte(`{"r_hash":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","state":"OPEN","creation_date":"1","expiry":"300"}`))
	f.Add([]byte(`{"code":2,"message":"invoice already settled","details":[]}`))
	f.Add([]byte(`{"error":{"code":2,"message":"permission denied"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, ok := readRefusal(500, b); ok && len(r.Error()) > 2*maxMessage {
			t.Fatalf("refusal %+v", r)
		}
		var in invoice
		if decode(b, &in) != nil || in.check(h) != nil {
			return
		}
		p := intended(1)
		found := finding(p, in, stamp{})
		if found.Event == "settle" && (in.State != stateSettled || found.Received.IsZero()) {
			t.Fatalf("%q is %+v", b, found)
		}
		var plain map[string]any
		if err := json.Unmarshal(b, &plain); err != nil || plain["state"] != in.State {
			t.Fatalf("%q has another state for others: %v, %v", b, plain["state"], err)
		}
	})
}
