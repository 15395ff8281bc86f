package rates

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

var eur = pos.Currency{Code: "EUR", Decimals: 2}

// exchange is a public ticker: it knows its one address and answers what it is
// told to.
type exchange struct {
	path   string // with query
	status int
	body   string
}

func (e exchange) serve(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.RequestURI() != e.path {
			t.Errorf("asked %s %s, want GET %s", r.Method, r.URL.RequestURI(), e.path)
		}
		if r.Header.Get("Authorization")+r.Header.Get("Cookie") != "" {
			t.Error("a public ticker was shown a credential")
		}
		w.WriteHeader(e.status)
		io.WriteString(w, e.body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func recorded(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const (
	krakenPath   = "/0/public/Ticker?pair=XBTEUR"
	coinbasePath = "/v2/prices/BTC-EUR/spot"
	bitstampPath = "/api/v2/ticker/btceur/"
)

// TestTickers gives each source what its exchange documents, and then everything
// else that can come out of a line.
func TestTickers(t *testing.T) {
	type maker func(*http.Client, string) Source
	long := strings.Repeat(" ", bodyLimit)
	tests := []struct {
		name   string
		make   maker
		path   string
		status int
		body   string
		want   string
		kind   pos.Kind // when want is empty
	}{
		{"kraken", kraken, krakenPath, 200, recorded(t, "kraken"), "58123.40000", 0},
		{"kraken new pair name", kraken, krakenPath, 200, `{"error":[],"result":{"XBTEUR":{"c":["1234.5","1"]}}}`, "1234.5", 0},
		{"kraken unknown pair", kraken, krakenPath, 200, recorded(t, "kraken-unknown"), "", pos.Invalid},
		{"kraken busy", kraken, krakenPath, 200, `{"error":["EGeneral:Too many requests"]}`, "", pos.Unavailable},
		{"kraken closed", kraken, krakenPath, 200, `{"error":["EService:Unavailable"],"result":{}}`, "", pos.Unavailable},
		{"kraken 503", kraken, krakenPath, 503, `busy`, "", pos.Unavailable},
		{"kraken other pair", kraken, krakenPath, 200, `{"error":[],"result":{"XXBTZUSD":{"c":["1234.5","1"]}}}`, "", pos.Corrupt},
		{"kraken two pairs", kraken, krakenPath, 200, `{"error":[],"result":{"XXBTZEUR":{"c":["1","1"]},"XBTEUR":{"c":["2","1"]}}}`, "", pos.Corrupt},
		{"kraken no pair", kraken, krakenPath, 200, `{"error":[],"result":{}}`, "", pos.Corrupt},
		{"kraken no error list", kraken, krakenPath, 200, `{"result":{"XXBTZEUR":{"c":["1234.5","1"]}}}`, "", pos.Corrupt},
		{"kraken number for text", kraken, krakenPath, 200, `{"error":[],"result":{"XXBTZEUR":{"c":[1234.5,1]}}}`, "", pos.Corrupt},
		{"kraken one value", kraken, krakenPath, 200, `{"error":[],"result":{"XXBTZEUR":{"c":["1234.5"]}}}`, "", pos.Corrupt},
		{"kraken capital key", kraken, krakenPath, 200, `{"error":[],"result":{"XXBTZEUR":{"C":["1234.5","1"]}}}`, "", pos.Corrupt},

		{"coinbase", coinbase, coinbasePath, 200, recorded(t, "coinbase"), "58101.255", 0},
		{"coinbase unknown pair", coinbase, coinbasePath, 404, recorded(t, "coinbase-unknown"), "", pos.Invalid},
		{"coinbase bad pair", coinbase, coinbasePath, 400, `{"errors":[{"id":"invalid_request","message":"Invalid currency (EUR)"}]}`, "", pos.Invalid},
		{"coinbase 429", coinbase, coinbasePath, 429, `{}`, "", pos.Unavailable},
		{"coinbase other currency", coinbase, coinbasePath, 200, `{"data":{"amount":"4889.53","base":"BTC","currency":"USD"}}`, "", pos.Corrupt},
		{"coinbase other coin", coinbase, coinbasePath, 200, `{"data":{"amount":"4889.53","base":"ETH","currency":"EUR"}}`, "", pos.Corrupt},
		{"coinbase no names", coinbase, coinbasePath, 200, `{"data":{"amount":"4889.53"}}`, "", pos.Corrupt},
		{"coinbase hidden second price", coinbase, coinbasePath, 200, `{"data":{"amount":"1","AMOUNT":"900","amount":"2","base":"BTC","currency":"EUR"}}`, "", pos.Corrupt},
		{"coinbase odd-case price is not read", coinbase, coinbasePath, 200, `{"data":{"amount":"58000","Amount":"1","base":"BTC","currency":"EUR"}}`, "58000", 0},

		{"bitstamp", bitstamp, bitstampPath, 200, recorded(t, "bitstamp"), "58130", 0},
		{"bitstamp names the pair", bitstamp, bitstampPath, 200, `{"last":"58130","pair":"BTC/EUR"}`, "58130", 0},
		{"bitstamp names another pair", bitstamp, bitstampPath, 200, `{"last":"58130","pair":"BTC/USD"}`, "", pos.Corrupt},
		{"bitstamp unknown pair", bitstamp, bitstampPath, 404, `<html>not found</html>`, "", pos.Invalid},
		{"bitstamp 500", bitstamp, bitstampPath, 500, ``, "", pos.Unavailable},
		{"captive portal", bitstamp, bitstampPath, 302, `<html>please log in</html>`, "", pos.Unavailable},
		{"a page for JSON", bitstamp, bitstampPath, 200, `<html>please log in</html>`, "", pos.Corrupt},
		{"nothing", bitstamp, bitstampPath, 200, ``, "", pos.Corrupt},
		{"null", bitstamp, bitstampPath, 200, `null`, "", pos.Corrupt},
		{"a list", bitstamp, bitstampPath, 200, `[{"last":"58130"}]`, "", pos.Corrupt},
		{"cut off", bitstamp, bitstampPath, 200, `{"last":"58130"`, "", pos.Corrupt},
		{"two objects", bitstamp, bitstampPath, 200, `{"last":"58130"}{"last":"1"}`, "", pos.Corrupt},
		{"price twice", bitstamp, bitstampPath, 200, `{"last":"58130","last":"1"}`, "", pos.Corrupt},
		{"no price", bitstamp, bitstampPath, 200, `{"bid":"58130"}`, "", pos.Corrupt},
		{"null price", bitstamp, bitstampPath, 200, `{"last":null}`, "", pos.Corrupt},
		{"number", bitstamp, bitstampPath, 200, `{"last":58130}`, "", pos.Corrupt},
		{"empty", bitstamp, bitstampPath, 200, `{"last":""}`, "", pos.Corrupt},
		{"zero", bitstamp, bitstampPath, 200, `{"last":"0.00"}`, "", pos.Corrupt},
		{"negative", bitstamp, bitstampPath, 200, `{"last":"-58130"}`, "", pos.Corrupt},
		{"NaN", bitstamp, bitstampPath, 200, `{"last":"NaN"}`, "", pos.Corrupt},
		{"infinity", bitstamp, bitstampPath, 200, `{"last":"Infinity"}`, "", pos.Corrupt},
		{"exponent", bitstamp, bitstampPath, 200, `{"last":"5e4"}`, "", pos.Corrupt},
		{"fraction", bitstamp, bitstampPath, 200, `{"last":"58130/3"}`, "", pos.Corrupt},
		{"comma", bitstamp, bitstampPath, 200, `{"last":"58130,00"}`, "", pos.Corrupt},
		{"two points", bitstamp, bitstampPath, 200, `{"last":"58.130.00"}`, "", pos.Corrupt},
		{"other digits", bitstamp, bitstampPath, 200, `{"last":"٥٨١٣٠"}`, "", pos.Corrupt},
		{"too long", bitstamp, bitstampPath, 200, `{"last":"5813000000000000000000000"}`, "", pos.Corrupt},
		{"endless body", bitstamp, bitstampPath, 200, long + recorded(t, "bitstamp"), "", pos.Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.make(nil, exchange{tt.path, tt.status, tt.body}.serve(t))
			got, err := s.Price(t.Context(), eur, "BTC")
			if got != tt.want || (tt.want == "") != (err != nil) || (err != nil && pos.KindOf(err) != tt.kind) {
				t.Errorf("got %q and %v, want %q or kind %v", got, err, tt.want, tt.kind)
			}
			if e, ok := errors.AsType[*pos.Error](err); ok && (!strings.HasPrefix(e.Msg, s.Name()) || strings.Contains(e.Msg, "127.0.0.1")) {
				t.Errorf("a cashier reads %q", e.Msg)
			}
		})
	}
}

// TestAddresses holds the public names: nobody may redirect a till's prices by
// configuration, and nothing but two codes ever enters an address.
func TestAddresses(t *testing.T) {
	var asked []string
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.URL.String())
		return nil, errors.New("no route")
	})}
	usd := pos.Currency{Code: "USD", Decimals: 2}
	for _, s := range []Source{Kraken(client), Coinbase(client), Bitstamp(client)} {
		if _, err := s.Price(t.Context(), usd, "USDT"); pos.KindOf(err) != pos.Unavailable {
			t.Errorf("%s without a line: %v", s.Name(), err)
		}
		for _, coin := range []string{"", "B", "btc", "BTC/../x", "BTC?x=1", "ВТС", "ABCDEFGHIJK"} {
			if _, err := s.Price(t.Context(), usd, coin); pos.KindOf(err) != pos.Invalid {
				t.Errorf("%s was asked for %q: %v", s.Name(), coin, err)
			}
		}
	}
	want := "https://api.kraken.com/0/public/Ticker?pair=USDTUSD " +
		"https://api.coinbase.com/v2/prices/USDT-USD/spot https://www.bitstamp.net/api/v2/ticker/usdtusd/"
	if got := strings.Join(asked, " "); got != want {
		t.Errorf("asked\n%s, want\n%s", got, want)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRedirectIsNotFollowed: the caller's client would, the source must not.
func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the redirect was followed")
	}))
	defer elsewhere.Close()
	portal := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer portal.Close()
	client := &http.Client{}
	if _, err := kraken(client, portal.URL).Price(t.Context(), eur, "BTC"); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("got %v", err)
	}
	if client.CheckRedirect != nil {
		t.Error("the caller's client was changed")
	}
}

// TestDeadline hangs in the two places where a line can: before the answer and in
// the middle of it.
func TestDeadline(t *testing.T) {
	hang := map[string]roundTrip{
		"no answer": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"half an answer": func(r *http.Request) (*http.Response, error) {
			pr, pw := io.Pipe()
			context.AfterFunc(r.Context(), func() { pw.CloseWithError(r.Context().Err()) })
			return &http.Response{StatusCode: 200, Body: pr, Request: r}, nil
		},
	}
	for name, rt := range hang {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, err := Coinbase(&http.Client{Transport: rt}).Price(t.Context(), eur, "BTC")
				if took := time.Since(began); pos.KindOf(err) != pos.Unavailable || took != askWithin {
					t.Errorf("%v after %v", err, took)
				}
			})
		})
	}
}

// endless is a body without an end; it counts what is taken of it.
type endless struct{ taken int }

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	e.taken += len(b)
	return len(b), nil
}

func (*endless) Close() error { return nil }

// TestEndlessBody: no more is taken than an answer may have.
func TestEndlessBody(t *testing.T) {
	body := &endless{}
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: body, Request: r}, nil
	})}
	if _, err := Kraken(client).Price(t.Context(), eur, "BTC"); pos.KindOf(err) != pos.Unavailable || body.taken > 2*bodyLimit {
		t.Errorf("%d bytes taken, %v", body.taken, err)
	}
}

func TestFixed(t *testing.T) {
	if got, err := Fixed("60000.5").Price(t.Context(), eur, "BTC"); got != "60000.5" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for _, bad := range []string{"", "0", "-1", "x", "1.", ".5", "NaN"} {
		if _, err := Fixed(bad).Price(t.Context(), eur, "BTC"); pos.KindOf(err) != pos.Corrupt {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// fuzzReader throws anything at a decoder. Whatever comes out without an error
// and passes parsePrice is a positive number that one string value of the answer
// spells, digit for digit.
func fuzzReader(f *testing.F, read func(int, []byte, string, string) (string, error), seeds ...string) {
	for _, s := range seeds {
		f.Add(200, []byte(s))
	}
	f.Add(404, []byte(`{}`))
	f.Add(200, []byte(`{"error":[],"result":{"XBTEUR":{"c":["1","2"],"c":["3","4"]}}}`))
	f.Add(200, []byte("{\"last\":\"1\\u0030\"}"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		price, err := read(status, body, "BTC", "EUR")
		if err != nil && price != "" {
			t.Errorf("%q comes with %v", price, err)
		}
		r, ok := parsePrice(price)
		if err != nil || !ok {
			return
		}
		if status != 200 || r.Sign() <= 0 {
			t.Errorf("status %d, price %v", status, r)
		}
		if plain := !strings.Contains(string(body), `\`); plain && !strings.Contains(string(body), `"`+price+`"`) {
			t.Errorf("%q is not in %q", price, body)
		}
	})
}

func FuzzKraken(f *testing.F) {
	fuzzReader(f, readKraken, recorded(f, "kraken"), recorded(f, "kraken-unknown"))
}

func FuzzCoinbase(f *testing.F) {
	fuzzReader(f, readCoinbase, recorded(f, "coinbase"), recorded(f, "coinbase-unknown"))
}

func FuzzBitstamp(f *testing.F) { fuzzReader(f, readBitstamp, recorded(f, "bitstamp")) }

// FuzzPrice checks parsePrice: what it takes is written back as the same number.
func FuzzPrice(f *testing.F) {
	for _, s := range []string{"58123.40", "0.00000001", "1", "1e5", "+1", "0x10", "1_000", "01.10", "."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, ok := parsePrice(s)
		if !ok {
			return
		}
		again, ok := parsePrice(priceText(r))
		if !ok || again.Cmp(r) != 0 || strings.Trim(s, "0123456789.") != "" {
			t.Errorf("%q is %v is %q", s, r, priceText(r))
		}
	})
}
