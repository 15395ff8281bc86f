package dashboard

import (
	"fmt"
	"math"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

// TestRebinding posts from a page whose name its owner's DNS has pointed at this
// server: to the browser both are one site. Goal: it is refused all the same, for
// nobody calls the server by that name.
func TestRebinding(t *testing.T) {
	o := newOffice(t, "en")
	port := o.url[strings.LastIndex(o.url, ":"):]
	for _, row := range []struct {
		host string
		want int
	}{
		{"evil.example.com", 403}, {"127.0.0.1.evil.example.com", 403},
		{"192.168.1.9", 200}, {"[fe80::1]", 200}, {"office", 200}, {"office.local", 200}, {"localhost", 200},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", o.url+"/sign-in", strings.NewReader(url.Values{"password": {password}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = row.host + port
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", "http://"+req.Host)
		one := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		res, err := one.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if ok := res.StatusCode == http.StatusSeeOther; ok != (row.want == 200) {
			t.Errorf("%s: %s", row.host, res.Status)
		}
	}
}

// TestElsewhere signs in with a next that leads away. Goal: the browser stays here.
func TestElsewhere(t *testing.T) {
	for _, next := range []string{
		"https://evil.example.com", "//evil.example.com", `/\evil.example.com`, `\\evil.example.com`, "/\t/evil.example.com",
		"/\n/evil.example.com", "javascript:alert(1)", " /x", "", "evil.example.com", "http:evil.example.com", "/\r\nSet-Cookie: a=b",
	} {
		to, err := url.Parse(local(next))
		if err != nil || to.IsAbs() || to.Host != "" || local(next) != "/" {
			t.Errorf("%q leads to %q", next, local(next))
		}
	}
	if local("/days/2026-11-22") != "/days/2026-11-22" {
		t.Error("a day of ours is not found again")
	}
}

// flood settles more of an asset than two of its kind add up to in 256 bits.
func flood(till *tilltest.Till) {
	q, err := pos.Bitcoin.Units(new(big.Int).Lsh(big.NewInt(1), 255))
	if err != nil {
		panic(err)
	}
	till.Add(pos.KindPayment, pos.PaymentMoved{Event: pos.Settle, Payment: pos.Payment{
		ID: "P-1", Tender: "lightning", State: pos.Settled, Refundable: true, Amount: till.Currency.Of(1), Received: q,
	}})
}

// TestLyingTills takes what tills sign that lie with all their might: sums at the
// end of what an integer holds, below nothing, and names that are no text. Goal:
// the owner still sees the day, with the honest till's figures on it.
func TestLyingTills(t *testing.T) {
	o := newOffice(t, "en")
	honest := tilltest.New(1, "01", "EUR", midnight)
	honest.Day(midnight, 10)
	o.take(honest, "Honest")
	eur := honest.Currency
	for seed, lie := range []func(till *tilltest.Till){
		func(till *tilltest.Till) { // each is fine alone; their sum is past int64
			for range 3 {
				till.Add(pos.KindSaleCancelled, pos.SaleCancelled{Total: eur.Of(math.MaxInt64), By: pos.Actor{ID: "a", Name: "A"}})
			}
		},
		func(till *tilltest.Till) {
			till.Add(pos.KindBasketCleared, pos.BasketCleared{Total: eur.Of(math.MaxInt64), By: pos.Actor{ID: "a", Name: "A"}})
		},
		func(till *tilltest.Till) {
			till.Add(pos.KindBasketCleared, pos.BasketCleared{Total: eur.Of(math.MaxInt64), By: pos.Actor{ID: "a", Name: "A"}})
		},
		func(till *tilltest.Till) {
			till.Add(pos.KindBasketCleared, pos.BasketCleared{Total: eur.Of(math.MinInt64), By: pos.Actor{ID: "b", Name: "\u202eB<script>"}})
		},
		flood, flood,
		func(till *tilltest.Till) { till.Add(pos.RecordKind("<script>alert(1)</script>"), "x") },
	} {
		till := tilltest.New(uint64(100+seed), fmt.Sprintf("9%d", seed), "EUR", midnight)
		lie(till)
		o.take(till, fmt.Sprint("Liar ", seed))
	}
	o.signIn()
	for _, path := range append(pages(honest), "/days/2026-11-22/sales.csv", "/days/2026-11-22/payments.csv") {
		res, body := o.do("GET", path, nil)
		if res.StatusCode != 200 || strings.Contains(body, "<script") {
			t.Errorf("%s: %s %.300s", path, res.Status, body)
		}
	}
	if _, body := o.do("GET", "/days/2026-11-22", nil); !strings.Contains(body, "Honest") {
		t.Error("the honest till is not on the day's page")
	}
}
