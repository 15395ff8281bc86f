package dashboard

import (
	"fmt"
	"math"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/report"
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

// FuzzNext signs in with a next that leads away. Goal: the browser stays here.
// Browsers drop tabs and line ends, and take a backslash for a slash (URL standard,
// section 4.4).
func FuzzNext(f *testing.F) {
	for _, next := range []string{
		"/days/2026-11-22", "https://evil.example.com", "//evil.example.com", `/\evil.example.com`, `\\evil.example.com`, "/\t/evil.example.com", "/.//evil.example.com",
		"/\n/evil.example.com", "javascript:alert(1)", " /x", "", "evil.example.com", "http:evil.example.com", "/\r\nSet-Cookie: a=b", "\x00//evil.example.com",
	} {
		f.Add(next)
	}
	f.Fuzz(func(t *testing.T, next string) {
		to := local(next)
		seen := strings.NewReplacer("\t", "", "\r", "", "\n", "", `\`, "/").Replace(strings.TrimLeft(to, "\x00 "))
		if !strings.HasPrefix(to, "/") || strings.HasPrefix(seen, "//") || strings.ContainsAny(to, "\r\n") {
			t.Errorf("%q leads to %q", next, to)
		}
	})
	if local("/days/2026-11-22") != "/days/2026-11-22" {
		f.Error("a day of ours is not found again")
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

// TestCrowdingTill takes a day of a till that makes every row of the report its
// own: other people, gaps between receipts, other items. Goal: the day is still
// folded, in about the time of as many honest records.
func TestCrowdingTill(t *testing.T) {
	o := newOffice(t, "en")
	honest := tilltest.New(1, "01", "EUR", midnight)
	honest.Day(midnight, 10)
	o.take(honest, "Honest")
	liar := tilltest.New(2, "02", "EUR", midnight)
	const lies = 3000
	for n := range lies {
		liar.Add(pos.KindDrawerOpened, pos.DrawerOpened{Reason: "x", By: pos.Actor{ID: fmt.Sprint("p", n), Name: fmt.Sprint("P", n)}})
	}
	o.take(liar, "Liar")
	days, err := report.New(o.db, time.UTC).Days(t.Context(), midnight)
	if err != nil {
		t.Fatal(err)
	}
	rows, red := len(days[0].Total.People), 0
	for _, till := range days[0].Tills {
		red += till.Red
	}
	if rows > 300 || red < lies-300 || days[0].Total.Sales != 10 {
		t.Errorf("%d people, %d records on the red list, %d sales", rows, red, days[0].Total.Sales)
	}
	if missing := pos.Missing(days[0].Total.Records); len(missing) > 0 {
		t.Errorf("records count as missing: %v", missing)
	}
}
