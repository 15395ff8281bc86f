package web

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// FuzzParse holds parse to its promise: what it accepts is one object that says
// the same to every other reader, whichever of two equal keys that one believes.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"sku":"4001","qty":1000}`, `{"price":{"minor":"1250","decimals":2,"currency":"EUR"},"name":"Tea"}`,
		`{"sku":"1","sku":"2"}`, `{"SKU":"1"}`, `{"sku":null}`, `{"qty":1e3}`, `{"qty":-0}`, `{}`, `[]`, `{"a":{"b":{"c":{"d":{}}}}}`, "{\"name\":\"\xff\"}",
		`{"name":"\ud800"}`, `{"price":{"minor":"1","minor":"2"}} `, "\ufeff{}", `{"sku":"a"}x`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var in lineIn
		if err := parse(body, &in); err != nil {
			if pos.KindOf(err) != pos.Invalid {
				t.Errorf("%v is no Invalid", err)
			}
			return
		}
		again, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var twice lineIn
		if err := parse(again, &twice); err != nil {
			t.Errorf("%s was read, and %s is not: %v", body, again, err)
		}
		if !reflect.DeepEqual(in, twice) {
			t.Errorf("%+v became %+v", in, twice)
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(body, &fields); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		for key := range fields {
			if !strings.Contains(" sku name price qty tax ", " "+key+" ") {
				t.Errorf("the unknown field %q was let through", key)
			}
		}
	})
}

// FuzzMoney accepts a number of minor units only as the till itself writes it.
func FuzzMoney(f *testing.F) {
	for _, seed := range []string{"1", "0", "-1", "+1", "01", "1.0", "9223372036854775807", "9223372036854775808", "", " 1", "１"} {
		f.Add(seed)
	}
	eur := pos.Currency{Code: "EUR", Decimals: 2}
	f.Fuzz(func(t *testing.T, minor string) {
		n, err := (&money{minor, 2, "EUR"}).in(eur, "price")
		if err == nil && (n <= 0 || eur.Of(n).Currency != eur || string(mustJSON(eur.Of(n))) != string(mustJSON(money{minor, 2, "EUR"}))) {
			t.Errorf("%q was read as %d", minor, n)
		}
	})
}
