package rates

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

var usd = pos.Currency{Code: "USD", Decimals: 2}

// krakenFake quotes some pairs as Kraken does: in one answer, under its own names, and
// one that it does not know is an error of the whole request.
type krakenFake struct {
	mu     sync.Mutex
	quotes map[string]string // by the name asked for
	asked  []string
}

func (k *krakenFake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := r.URL.Query().Get("pair")
	k.asked = append(k.asked, list)
	var out []string
	for _, name := range strings.Split(list, ",") {
		price, ok := k.quotes[name]
		if !ok {
			io.WriteString(w, `{"error":["EQuery:Unknown asset pair"]}`)
			return
		}
		own := map[string]string{"XBTEUR": "XXBTZEUR", "USDTUSD": "USDTZUSD"}[name]
		if own == "" {
			own = name
		}
		out = append(out, fmt.Sprintf(`%q:{"c":[%q,"1"]}`, own, price))
	}
	io.WriteString(w, `{"error":[],"result":{`+strings.Join(out, ",")+`}}`)
}

func (k *krakenFake) requests() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := k.asked
	k.asked = nil
	return out
}

// ask puts questions at once and returns the answers in their order.
func ask(t *testing.T, s Source, pairs ...pair) []string {
	t.Helper()
	out := make([]string, len(pairs))
	var wg sync.WaitGroup
	for i, p := range pairs {
		wg.Go(func() {
			c, err := pos.CurrencyOf(p.currency)
			if err == nil {
				out[i], err = s.Price(t.Context(), c, p.coin)
			}
			if err != nil {
				out[i] = pos.KindOf(err).String()
			}
		})
	}
	wg.Wait()
	return out
}

// TestGather: all pairs of a round are one request; a pair that is not quoted spoils it
// once, and not again for an hour.
func TestGather(t *testing.T) {
	k := &krakenFake{quotes: map[string]string{"XBTEUR": "58000", "USDCUSD": "0.9999", "USDCEUR": "0.86", "USDTUSD": "1.0002"}}
	srv := httptest.NewServer(k)
	t.Cleanup(srv.Close)
	s := kraken(srv.Client(), srv.URL)
	four := []pair{{"BTC", "EUR"}, {"USDC", "USD"}, {"USDC", "EUR"}, {"USDT", "USD"}}
	if got := strings.Join(ask(t, s, four...), " "); got != "58000 0.9999 0.86 1.0002" {
		t.Errorf("got %s", got)
	}
	if n := k.requests(); len(n) != 1 {
		t.Errorf("asked %q, want one request", n)
	}
	odd := append(four, pair{"PYUSD", "EUR"})
	for round, want := range []int{6, 1, 1} {
		if got := strings.Join(ask(t, s, odd...), " "); got != "58000 0.9999 0.86 1.0002 "+pos.Invalid.String() {
			t.Errorf("got %s", got)
		}
		if n := k.requests(); len(n) != want {
			t.Errorf("round %d asked %q, want %d requests", round, n, want)
		}
	}
	k.mu.Lock()
	delete(k.quotes, "XBTEUR") // what was quoted once is asked for whatever is said of it
	k.mu.Unlock()
	for range 2 {
		if got := ask(t, s, four...); got[0] != pos.Invalid.String() || got[1] != "0.9999" {
			t.Errorf("got %s", got)
		}
	}
	if n := k.requests(); len(n) != 10 {
		t.Errorf("asked %q", n)
	}
}

// TestGatherDead: a line that hangs costs the round its deadline; a later round works.
func TestGatherDead(t *testing.T) {
	hang := make(chan struct{})
	k := &krakenFake{quotes: map[string]string{"XBTEUR": "58000", "USDCEUR": "0.86"}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
			k.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(srv.Close)
	s := kraken(srv.Client(), srv.URL)
	ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	var wg sync.WaitGroup
	for _, coin := range []string{"BTC", "USDC"} {
		wg.Go(func() {
			if _, err := s.Price(ctx, eur, coin); pos.KindOf(err) != pos.Unavailable {
				t.Errorf("%s: %v", coin, err)
			}
		})
	}
	wg.Wait()
	close(hang)
	if got := strings.Join(ask(t, s, pair{"BTC", "EUR"}, pair{"USDC", "EUR"}), " "); got != "58000 0.86" {
		t.Errorf("got %s", got)
	}
}

// TestKrakenAll: what is not exactly what was asked for is no price at all.
func TestKrakenAll(t *testing.T) {
	two := []pair{{"USDC", "USD"}, {"USDC", "EUR"}}
	for name, body := range map[string]string{
		"one is missing": `{"error":[],"result":{"USDCUSD":{"c":["1","1"]}}}`,
		"another":        `{"error":[],"result":{"USDCUSD":{"c":["1","1"]},"XXBTZEUR":{"c":["1","1"]}}}`,
		"one twice":      `{"error":[],"result":{"USDCUSD":{"c":["1","1"]},"USDCZUSD":{"c":["1","1"]}}}`,
		"one too many":   `{"error":[],"result":{"USDCUSD":{"c":["1","1"]},"USDCEUR":{"c":["1","1"]},"DAIUSD":{"c":["1","1"]}}}`,
		"no trade":       `{"error":[],"result":{"USDCUSD":{"c":["1","1"]},"USDCEUR":{"c":[]}}}`,
	} {
		if got, err := readKrakenAll(200, []byte(body), two); err == nil {
			t.Errorf("%s: believed %v", name, got)
		}
	}
}

// TestRule: Coinbase's dollar for a USDC is its own rule, and no price.
func TestRule(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("asked") }))
	t.Cleanup(srv.Close)
	if _, err := coinbase(srv.Client(), srv.URL).Price(t.Context(), usd, "USDC"); pos.KindOf(err) != pos.Invalid {
		t.Errorf("got %v", err)
	}
}

// FuzzKrakenAll: whatever comes, prices are of the pairs that were asked for, all of
// them, or there are none.
func FuzzKrakenAll(f *testing.F) {
	f.Add([]byte(`{"error":[],"result":{"USDCUSD":{"c":["0.9999","1"]},"USDCEUR":{"c":["0.86","1"]}}}`))
	f.Add([]byte(`{"error":["EQuery:Unknown asset pair"]}`))
	two := []pair{{"USDC", "USD"}, {"USDC", "EUR"}}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := readKrakenAll(200, body, two)
		if err != nil {
			return
		}
		for _, p := range two {
			if _, ok := got[p]; !ok || len(got) != len(two) {
				t.Errorf("%q reads as %v", body, got)
			}
		}
	})
}
