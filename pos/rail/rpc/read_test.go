package rpc

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
)

// TestReadBatch refuses every answer that is not one to each call, exactly.
func TestReadBatch(t *testing.T) {
	const one, two = `{"jsonrpc":"2.0","id":7,"result":"0x1"}`, `{"jsonrpc":"2.0","id":8,"result":null}`
	if out, err := new(Client).readBatch([]byte("["+two+","+one+"]"), 7, 2); err != nil || string(out[0].Result) != `"0x1"` || string(out[1].Result) != "null" {
		t.Fatalf("%v, %v", out, err)
	}
	if out, err := new(Client).readBatch([]byte(`[{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"no"}}]`), 7, 1); err != nil || FaultOf(out[0].Err) != Refused {
		t.Fatalf("%v, %v", out, err)
	}
	for name, body := range map[string]string{
		"too few":              "[" + one + "]",
		"too many":             "[" + one + "," + two + "," + one + "]",
		"one twice":            "[" + one + "," + one + "]",
		"another id":           "[" + one + "," + strings.Replace(two, "8", "9", 1) + "]",
		"an id of text":        "[" + one + "," + strings.Replace(two, "8", `"8"`, 1) + "]",
		"another version":      "[" + one + "," + strings.Replace(two, "2.0", "1.0", 1) + "]",
		"a key twice":          "[" + one + `,{"jsonrpc":"2.0","id":8,"result":"0x1","result":"0x2"}]`,
		"a list of lists":      "[[" + one + "],[" + two + "]]",
		"an object":            one,
		"two lists":            "[" + one + "," + two + "][]",
		"nothing":              "",
		"a page":               "<html>",
		"cut":                  "[" + one + "," + two,
		"a thousand brackets":  strings.Repeat("[", 1000),
		"an error that is one": `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch too large"}}`,
	} {
		if out, err := new(Client).readBatch([]byte(body), 7, 2); err == nil {
			t.Errorf("%s: %v", name, out)
		}
	}
	for name, body := range map[string]string{
		"both":              `[{"jsonrpc":"2.0","id":7,"result":"0x1","error":{"code":1,"message":"no"}}]`,
		"neither":           `[{"jsonrpc":"2.0","id":7}]`,
		"an error of text":  `[{"jsonrpc":"2.0","id":7,"error":"no"}]`,
		"an error of null":  `[{"jsonrpc":"2.0","id":7,"error":null}]`,
		"RESULT":            `[{"jsonrpc":"2.0","id":7,"RESULT":"0x1"}]`,
		"an error's code":   `[{"jsonrpc":"2.0","id":7,"error":{"code":"1"}}]`,
		"an error, no code": `[{"jsonrpc":"2.0","id":7,"error":{}}]`,
	} {
		if out, err := new(Client).readBatch([]byte(body), 7, 1); err == nil && out[0].Err == nil {
			t.Errorf("%s: %s", name, out[0].Result)
		}
	}
}

// TestReadNumbers: one spelling of each number, and none that is too long.
func TestReadNumbers(t *testing.T) {
	for in, want := range map[string]uint64{`"0x0"`: 0, `"0x1"`: 1, `"0xff"`: 255, `"0x7fffffffffffffff"`: 1<<63 - 1} {
		if n, ok := Hex64(json.RawMessage(in)); !ok || n != want {
			t.Errorf("%s is %d, %v", in, n, ok)
		}
	}
	for _, in := range []string{`"0x"`, `"0x01"`, `"0x00"`, `"1"`, `1`, `null`, `""`, `"0xg"`, `"0X1"`, `"-0x1"`, `"0x-1"`, `"0x1 "`, `"0x8000000000000000"`, `"0xfffffffffffffffff"`, `"0x_1"`, `"0x1_0"`} {
		if n, ok := Hex64(json.RawMessage(in)); ok {
			t.Errorf("%s is %d", in, n)
		}
	}
}

func FuzzReadBatch(f *testing.F) {
	f.Add([]byte(`[{"jsonrpc":"2.0","id":7,"result":"0x1"},{"jsonrpc":"2.0","id":8,"result":null}]`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"limit"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := new(Client).readBatch(b, 7, 2)
		if err == nil && (len(out) != 2 || (out[0].Err == nil) == (out[0].Result == nil)) {
			t.Errorf("%s: %+v", b, out)
		}
	})
}

// TestEndpointIsNotTold: the key in an endpoint's address is in no text.
func TestEndpointIsNotTold(t *testing.T) {
	e := Endpoint{Operator: "Operator", URL: "https://rpc.example/v2/secretkey"}
	for _, s := range []string{e.String(), e.LogValue().String(), lineError(&url.Error{Op: "Post", URL: e.URL, Err: errors.New("no")}).Error()} {
		if strings.Contains(s, "secret") {
			t.Errorf("%q tells the key", s)
		}
	}
}
