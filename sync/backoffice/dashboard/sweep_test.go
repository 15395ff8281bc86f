package dashboard

import (
	"context"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/sweep"
)

const treasury = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

// coins is a Sweeper with a shop's week in it.
type coins struct {
	prepared, dropped, counted int
	too                        bool // with what should wait
	none                       bool // nothing of the batch moved
	told                       []string
}

func (c *coins) Now(context.Context) error {
	c.counted++
	return nil
}

func (c *coins) batch() sweep.BatchView {
	item := func(address, units string, state store.ItemState) sweep.ItemView {
		return sweep.ItemView{BatchItem: store.BatchItem{Address: address, Symbol: "USDC", Decimals: 6, Units: units, State: state}}
	}
	b := store.Batch{ID: 3, Network: "base", Treasury: treasury, Made: midnight}
	return sweep.BatchView{Batch: b, Items: []sweep.ItemView{
		item("0x00000000000000000000000000000000000000A1", "12340100", store.ItemDone), item("0x00000000000000000000000000000000000000A2", "5000000", store.ItemWaiting),
	}, Name: "Base", Sums: []sweep.Sum{{Symbol: "USDC", Decimals: 6, Units: big.NewInt(17_340_100), Count: 2}, {Symbol: "USDT", Decimals: 6, Units: big.NewInt(24_130_500), Count: 1}}, Moved: 1, Done: 1, Stuck: 1, Gas: 190_000, Cost: "0.0000019 ETH"}
}

func (c *coins) Overview(context.Context) (sweep.Overview, error) {
	sum := func(units int64, n int) []sweep.Sum {
		return []sweep.Sum{{Symbol: "USDC", Decimals: 6, Units: big.NewInt(units), Count: n}}
	}
	done := c.batch()
	done.ID, done.Ended, done.Items[1].State, done.Done, done.Moved, done.Stuck = 2, midnight, store.ItemDone, 2, 2, 0
	return sweep.Overview{
		Networks: []sweep.NetworkView{
			{Network: sweep.Network{Key: "base", Name: "Base", Coin: "ETH"}, Looked: time.Now().Add(-3 * time.Minute), Ready: true, Heaps: []sweep.Heap{
				{Treasury: treasury, Sums: sum(1_234_560_000, 41), Early: []sweep.Early{{Why: sweep.Open, Sums: sum(17_000_000, 2)}, {Why: sweep.Young, Sums: sum(18_000_000, 3)}, {Why: sweep.Unsaid, Sums: sum(19_000_000, 4)}}, Moving: sum(5_000_000, 1), Coming: sum(2_900_000, 1), Count: 41, More: true, Oldest: midnight, Gas: 3_115_000, Cost: "0.000032 ETH"},
			}},
			{Network: sweep.Network{Key: "arbitrum", Name: "Arbitrum One", Coin: "ETH"}, Trouble: "Arbitrum One does not answer; what lies there was not counted anew"},
			{Network: sweep.Network{Key: "polygon", Name: "Polygon", Coin: "POL"}, Looked: time.Now(), Heaps: []sweep.Heap{{Treasury: treasury, Sums: sum(3_000_000, 1), Count: 1, Oldest: midnight}}},
			{Network: sweep.Network{Key: "bnb", Name: "BNB <Chain>", Coin: "BNB"}, Looked: time.Now(), Ready: true},
			{Network: sweep.Network{Key: "optimism", Name: "OP", Coin: "ETH"}, Looked: time.Now(), Ready: true, Heaps: []sweep.Heap{{Treasury: treasury, Early: []sweep.Early{{Why: sweep.Open, Sums: sum(77_000_000, 6)}}}}},
		},
		Batches: []sweep.BatchView{c.batch(), done},
	}, nil
}

func (c *coins) Prepare(_ context.Context, network, to string, too bool) (int64, error) {
	if network != "base" || to != treasury {
		return 0, pos.E("prepare transfer", pos.Conflict, "there is nothing to move now")
	}
	c.prepared, c.too = c.prepared+1, too
	return 3, nil
}

func (c *coins) Batch(_ context.Context, id int64) (sweep.BatchView, sweep.Transaction, error) {
	if id != 3 {
		return sweep.BatchView{}, sweep.Transaction{}, pos.E("find transfer", pos.NotFound, "there is no such transfer")
	}
	b := c.batch()
	if c.none {
		b.Moved, b.Done, b.Stuck = 0, 0, 0
	}
	return b, transaction(), nil
}

func transaction() sweep.Transaction {
	return sweep.Transaction{
		ChainID: 8453, To: "0x00000000000000000000000000000000000000Fa", Data: "0xd1d26af3", Gas: 190_000, JSON: []byte(`{"a":1}`), Safe: []byte(`{"s":1}`),
		Link: "ethereum:0x00000000000000000000000000000000000000Fa@8453/sweepOne?address=" + treasury,
	}
}

func (c *coins) Deploy(network string) (sweep.Transaction, error) {
	if network != "polygon" {
		return sweep.Transaction{}, pos.E("prepare contract", pos.NotFound, "this network is not set up here")
	}
	return transaction(), nil
}

func (c *coins) Tell(_ context.Context, _ int64, text string) error {
	c.told = append(c.told, text)
	return nil
}

func (c *coins) Drop(_ context.Context, id int64) error {
	c.dropped++
	return nil
}

// TestStablecoins reads the pages and presses their buttons.
func TestStablecoins(t *testing.T) {
	c := &coins{}
	o := newOffice(t, "en", func(o *Options) { o.Sweeps = c })
	if _, page := o.do("GET", "/stablecoins", nil); !strings.Contains(page, "password") {
		t.Fatal("a stranger sees the money")
	}
	o.signIn()
	_, page := o.do("GET", "/stablecoins", nil)
	for _, want := range []string{"1234.56 USDC", "payments: 41", "0.000032 ETH", "5.00 USDC", "2.90 USDC", treasury, "more than fits", "does not answer", "/stablecoins/polygon/contract", "BNB &lt;Chain&gt;", "Nothing lies here", "still watches it", "17.00 USDC", "less than a day ago", "18.00 USDC", "Found by a search", "19.00 USDC", "Move these too", "take longer to find these payments", "1 of 2 moved", "in your wallet"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q on the page", want)
		}
	}
	if strings.Count(page, "Prepare transfer") != 2 {
		t.Error("a network without the contract, or without money, can be swept")
	}
	if strings.Count(page, `name="too" value="yes"`) != 2 || strings.Count(page, `value="yes" required`) != 1 || strings.Contains(page, "checked") {
		t.Error("the box is there where something should wait, is empty, and must be ticked where nothing else can be moved")
	}
	if res, page := o.do("POST", "/stablecoins/base/transfers", url.Values{"treasury": {treasury}}); res.StatusCode != 200 || c.prepared != 1 || c.too || !strings.Contains(page, "0xd1d26af3") || !strings.Contains(page, "<svg class=\"qr\"") {
		t.Errorf("prepared %d, %s", c.prepared, res.Status)
	}
	if res, _ := o.do("POST", "/stablecoins/base/transfers", url.Values{"treasury": {treasury}, "too": {"yes"}}); res.StatusCode != 200 || c.prepared != 2 || !c.too {
		t.Errorf("ticked: %+v, %s", c, res.Status)
	}
	for path, want := range map[string]string{
		"/stablecoins/transfers/3/safe.json": `{"s":1}`, "/stablecoins/transfers/3/transaction.json": `{"a":1}`, "/stablecoins/polygon/contract/safe.json": `{"s":1}`,
	} {
		if res, body := o.do("GET", path, nil); res.StatusCode != 200 || body != want || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %s %q", path, res.Status, body)
		}
	}
	for _, path := range []string{"/stablecoins/transfers/4", "/stablecoins/transfers/x", "/stablecoins/transfers/3/keys.json", "/stablecoins/base/contract"} {
		if res, _ := o.do("GET", path, nil); res.StatusCode != 404 {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	if res, _ := o.do("POST", "/stablecoins/base/transfers", url.Values{"treasury": {"0x1"}}); res.StatusCode != 409 {
		t.Errorf("another treasury: %s", res.Status)
	}
	if res, page := o.do("POST", "/stablecoins/count", nil); res.StatusCode != 200 || c.counted != 1 || !strings.Contains(page, "1234.56 USDC") {
		t.Errorf("counted %d times, %s", c.counted, res.Status)
	}
	if res, _ := o.do("POST", "/stablecoins/transfers/3/drop", nil, "Origin", "https://evil.example"); res.StatusCode != 403 || c.dropped != 0 {
		t.Errorf("another site gives a transfer up: %s", res.Status)
	}
	if res, _ := o.do("POST", "/stablecoins/transfers/3/drop", nil); res.StatusCode != 200 || c.dropped != 1 {
		t.Errorf("given up: %s", res.Status)
	}
}

// TestTransferSaysGas: the page names the gas limit, and what to do when too little was
// given, whether some payments moved or none; sums of two tokens stand apart.
func TestTransferSaysGas(t *testing.T) {
	c := &coins{}
	o := newOffice(t, "en", func(o *Options) { o.Sweeps = c })
	o.signIn()
	for _, none := range []bool{false, true} {
		c.none = none
		_, page := o.do("GET", "/stablecoins/transfers/3", nil)
		want := []string{"no less than 190,000", "payments: 2</span><br><strong class=\"big\">24.1305 USDT"}
		if none {
			want = append(want, "leaves nothing to find it by", `action="/stablecoins/transfers/3/sent"`)
		} else {
			want = append(want, "stayed where they are: 1. There was too little gas")
		}
		for _, w := range want {
			if !strings.Contains(page, w) {
				t.Errorf("nothing moved %v: no %q on the page", none, w)
			}
		}
	}
}

// TestStablecoinsUnset: a shop without them has no such page, and no link to one.
func TestStablecoinsUnset(t *testing.T) {
	o := newOffice(t, "de")
	o.signIn()
	if _, page := o.do("GET", "/codes", nil); strings.Contains(page, "/stablecoins") {
		t.Error("a link to nothing")
	}
	if res, page := o.do("GET", "/stablecoins", nil); res.StatusCode != 200 || !strings.Contains(page, "nicht eingerichtet") {
		t.Errorf("%s", res.Status)
	}
	if res, _ := o.do("GET", "/stablecoins/transfers/1", nil); res.StatusCode != 404 {
		t.Errorf("%s", res.Status)
	}
}
