package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// tap is an endpoint whose line can be cut; the chain behind it goes on.
type tap struct {
	*httptest.Server
	cut atomic.Bool
}

func newTap(t *testing.T, url string) *tap {
	w := &tap{}
	w.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if w.cut.Load() {
			panic(http.ErrAbortHandler)
		}
		resp, err := http.Post(url, "application/json", r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer func() { _ = resp.Body.Close() }()
		out.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(out, resp.Body) // the other end may be gone
	}))
	t.Cleanup(w.Close)
	return w
}

// offlineNow waits until USDC on the first chain is taken without its network, or not.
func (d *tokenDay) offlineNow(on bool) pos.View {
	d.t.Helper()
	return d.wait("how USDC is taken", func(v pos.View) bool {
		i := slices.IndexFunc(v.Counter.Tenders, func(t pos.TenderView) bool { return t.Tender == "usdc-lab1" })
		return v.Counter.Tenders[i].Ready && v.Counter.Tenders[i].Offline.Now == on
	})
}

// takes sells bread on the customer's word, with the line cut, and returns what the
// customer has to pay to.
func (d *tokenDay) takes() (pos.SaleID, string) {
	d.t.Helper()
	d.offlineNow(true)
	sale, see := d.open("usdc-lab1", "BRD")
	if !see.Unchecked || see.Quantity != "8.0000 USDC" {
		d.t.Errorf("the customer sees %+v", see)
	}
	to, p := d.address(sale), d.sale(sale).Payments[0]
	d.do("POST", "/v1/sales/"+string(sale)+"/payments/"+string(p.ID)+"/unverified", object{}, nil)
	d.wait("being checked", func(v pos.View) bool {
		if v.Customer.Phase == pos.PhasePaid {
			d.t.Errorf("the customer sees %+v", v.Customer)
		}
		return v.Customer.Phase == pos.PhaseChecking && v.Customer.Reason == "unverified"
	})
	if s := d.sale(sale); s.State != pos.Completed || s.Receipt == "" {
		d.t.Errorf("the sale is %+v", s)
	}
	return sale, to
}

// TestStablecoinsUnverified cuts a real chain off: two sales go on by the customers' word.
// One had paid, one had not.
func TestStablecoinsUnverified(t *testing.T) {
	if testing.Short() {
		t.Skip("needs anvil; leave -short out")
	}
	dir, m := t.TempDir(), newMarket(t)
	w := newTap(t, m.chains[0].URL)
	file := writeCoinsShop(t, dir, m)
	writeIn(t, dir, "lab1.url", w.URL+"\n")
	was, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(was), "[stablecoins]\n", "[stablecoins]\noffline = \"allow offline\"\noffline_per_sale = \"7.00\"\noffline_total = \"10.00\"\n", 1)
	writeIn(t, dir, "till.toml", text)
	x, c, stop := runShop(t, file)
	c.found()
	d := &tokenDay{c, m, x}
	d.wait("tokens", tendersReady)

	w.cut.Store(true)
	sale, to := d.takes()
	if paper := x.paperText(t, 1); !strings.Contains(paper, "not verified yet") || !strings.Contains(paper, "8.0000 USDC") {
		t.Errorf("the receipt:\n%s", paper)
	}
	other := d.ring("BRD") // 12.80 in all
	if status, b, err := d.call("POST", "/v1/sales/"+string(other)+"/payments", key(), object{"tender": "usdc-lab1"}); err != nil || status != 409 {
		t.Errorf("beyond the limit: %d %s %v", status, b, err)
	}
	d.cash(other)
	m.chains[0].Do("evm_increaseTime", 60) // the blocks of the preparation were ahead of the clock
	d.market.pay(0, to, "8000000")
	w.cut.Store(false)
	d.noticed("Verified: 6.40 EUR")
	if s := d.sale(sale); s.State != pos.Completed || s.Payments[0].State != pos.Unknown {
		t.Errorf("the completed sale became %+v", s)
	}

	d.offlineNow(false)
	w.cut.Store(true)
	d.takes()
	w.cut.Store(false)
	d.offlineNow(false)
	m.chains[0].Do("evm_increaseTime", 25*60*60)
	m.chains[0].Do("anvil_mine", "0xa")
	d.noticed("Not paid: 6.40 EUR")
	v := d.wait("that it is off", func(v pos.View) bool { return v.Counter.Tenders[1].Offline.Off != "" })
	if off := v.Counter.Tenders[1]; off.Tender != "usdc-lab1" || !strings.Contains(off.Offline.Off, "6.40 EUR") || v.Counter.Tenders[2].Offline.Off != "" {
		t.Errorf("after the loss: %+v", v.Counter.Tenders)
	}
	w.cut.Store(true)
	d.wait("grey", func(v pos.View) bool { return !v.Counter.Tenders[1].Ready })
	d.do("POST", "/v1/tenders/usdc-lab1/unverified", object{}, nil)
	d.offlineNow(true)
	stop()

	tl, err := openTill(x.c, quiet())
	if err != nil {
		t.Fatal(err)
	}
	r := pos.NewReport("t", x.c.shop.Currency)
	for rec, err := range tl.journal.Since(0) {
		if err == nil {
			err = r.Add(rec)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := tl.shut(); err != nil {
		t.Error(err)
	}
	u := r.Unverified
	if u.Taken.Count != 2 || u.Proven.Amount.Minor != 640 || u.Refuted.Amount.Minor != 640 || r.Unbalanced != 0 || r.Tender("usdc-lab1").Amount.Minor != 1280 {
		t.Errorf("the report: %+v of %+v", u, r.Tenders)
	}
}
