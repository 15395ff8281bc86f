package offline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/pos/rail/lnd"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
	"github.com/tillwright/tillwright/sync/backoffice/web"
	"github.com/tillwright/tillwright/sync/wire"
)

const (
	host     = "pay.example.com"
	currency = 978
)

// bubble runs body where waiting costs nothing.
func bubble(t *testing.T, body func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, body)
}

// price is a source of rates that a test can change.
type price struct {
	mu   sync.Mutex
	text string
}

func (p *price) set(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
}

func (p *price) Rate(a pos.Asset) (pos.Rate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.text == "" {
		return pos.Rate{}, pos.E("rate", pos.Unavailable, "no price")
	}
	eur, _ := pos.CurrencyOf("EUR")
	return pos.RateOf(eur, a, p.text, "test", time.Now())
}

// kit is a shop: a node made of code, a database, an office or two, and a till with a
// key.
type kit struct {
	t     *testing.T
	fake  *lndtest.Node
	node  *lnd.Node
	price *price
	path  string
	o     Options
	till  *tilltest.Till
	store.Till

	db     *store.DB
	office *Office
	app    *fiber.App
	stop   func() // of Run

	grant offpay.Grant
	keys  *offpay.Keys
}

func newKit(t *testing.T, change ...func(*Options)) *kit {
	t.Helper()
	k := &kit{t: t, fake: lndtest.New(t, lndtest.Options{}), price: &price{text: "50000"}, path: filepath.Join(t.TempDir(), "office.db")}
	text := k.fake.Connection()
	var err error
	if k.node, err = lnd.NewNode(lnd.Options{Source: func() (string, string) { return text, "" }, Network: "simnet", Dial: k.fake.Dial}); err != nil {
		t.Fatal(err)
	}
	stop := k.goes(k.node.Run)
	synctest.Wait()
	stop() // it is well, and says so on: days pass in these tests
	k.o = Options{
		Node: k.node, Rates: k.price, Secret: bytes.Repeat([]byte{7}, 32), Host: host, Shop: "Café Süd", Currency: "EUR",
		Limits: offpay.DefaultLimits(), KeyAge: 30 * 24 * time.Hour, Action: ActionURL, Language: "en", Log: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&k.o)
	}
	k.db, k.office, k.app = k.another()
	k.enrol()
	k.newGrant()
	return k
}

// goes runs f until the test ends, or the returned function is called.
func (k *kit) goes(f func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := f(ctx); err != nil {
			k.t.Errorf("run: %v", err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	k.t.Cleanup(stop)
	return stop
}

// another opens the same database once more, with an office before it: another
// server process.
func (k *kit) another() (*store.DB, *Office, *fiber.App) {
	k.t.Helper()
	db, err := store.Open(context.Background(), k.path)
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() {
		if err := db.Check(context.Background()); err != nil && !strings.Contains(err.Error(), "closed") {
			k.t.Error(err)
		}
		_ = db.Close()
	})
	o := k.o
	if o.Store == nil {
		o.Store = db
	}
	office, err := New(o)
	if err != nil {
		k.t.Fatal(err)
	}
	app := web.New(web.Options{Log: k.o.Log, Proxies: []netip.Addr{netip.MustParseAddr("0.0.0.0")}, HTTPS: true})
	office.Mount(app)
	return db, office, app
}

// restart ends the process, as a kill would, and begins another.
func (k *kit) restart() {
	k.t.Helper()
	if k.stop != nil {
		k.stop()
	}
	if err := k.db.Close(); err != nil {
		k.t.Error(err)
	}
	k.db, k.office, k.app = k.another()
	k.run()
}

// run starts the standing work.
func (k *kit) run() { k.stop = k.goes(k.office.Run) }

func (k *kit) enrol() {
	k.t.Helper()
	k.till = tilltest.New(1, "01", "EUR", time.Now())
	g := k.till.Genesis
	code := store.Code{Hash: []byte(g.Till), Made: time.Now(), Ends: time.Now().Add(time.Hour)}
	err := errors.Join(k.db.AddCode(k.t.Context(), code),
		k.db.UseCode(k.t.Context(), code.Hash, store.Till{ID: g.Till, Key: g.Key, Name: "Till 1", Series: "01", Currency: "EUR", Enrolled: time.Now()}))
	if err != nil {
		k.t.Fatal(err)
	}
	if k.Till, err = k.db.Till(k.t.Context(), g.Till); err != nil {
		k.t.Fatal(err)
	}
}

// newGrant asks for a key, keeps it, and says so.
func (k *kit) newGrant() offpay.Grant {
	k.t.Helper()
	for range 2 {
		var have *wire.Held
		if !k.grant.Key.IsZero() {
			have = &wire.Held{Device: k.grant.Device, Epoch: k.grant.Epoch}
		}
		g, err := k.office.Grant(k.t.Context(), k.Till, have, time.Now())
		if err != nil {
			k.t.Fatal(err)
		}
		if !g.Enabled {
			return g
		}
		k.grant, k.keys = g, offpay.Derive(g.Key, g.Device, g.Epoch)
	}
	return k.grant
}

// token seals a request of 12.50 EUR.
func (k *kit) token(counter uint32, change ...func(*offpay.Request)) offpay.Token {
	k.t.Helper()
	r := offpay.Request{Counter: counter, Amount: 1250, Currency: currency, Issued: uint32(time.Now().Unix()), TTL: 20}
	for _, c := range change {
		c(&r)
	}
	tok, err := k.keys.Seal(r)
	if err != nil {
		k.t.Fatal(err)
	}
	return tok
}

// answer is a response.
type answer struct {
	status int
	head   http.Header
	body   string
}

// get asks app as a wallet does.
func (k *kit) get(path string, head ...string) answer { return k.getFrom(k.app, path, head...) }

func (k *kit) getFrom(app *fiber.App, path string, head ...string) answer {
	k.t.Helper()
	req := httptest.NewRequest(http.MethodGet, "https://"+host+path, nil)
	for i := 0; i+1 < len(head); i += 2 {
		req.Header.Set(head[i], head[i+1])
	}
	res, err := app.Test(req, -1)
	if err != nil {
		k.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

// browse asks as a browser does.
func (k *kit) browse(t offpay.Token, head ...string) answer {
	return k.get("/o/"+t.String(), append([]string{"Accept", "text/html,application/xhtml+xml,*/*;q=0.8"}, head...)...)
}

// reply is any of the JSON answers.
type reply struct {
	Status, Reason, Tag, Callback, Metadata string
	MinSendable, MaxSendable                int64
	PR                                      string
	Verify                                  string
	Disposable                              bool
	Routes                                  []string
	SuccessAction                           map[string]string
	Settled                                 bool
	Preimage                                *string
}

func (a answer) reply(t *testing.T) reply {
	t.Helper()
	var r reply
	if err := json.Unmarshal([]byte(a.body), &r); err != nil || !strings.HasPrefix(a.head.Get("Content-Type"), "application/json") {
		t.Fatalf("%d %s %q: %v", a.status, a.head.Get("Content-Type"), a.body, err)
	}
	return r
}

// offer asks for the price, and invoice for the invoice that is to be paid.
func (k *kit) offer(t offpay.Token) reply { return k.get("/o/" + t.String()).reply(k.t) }

func (k *kit) invoice(t offpay.Token) reply {
	k.t.Helper()
	r := k.offer(t)
	if r.Tag != "payRequest" {
		k.t.Fatalf("no offer: %+v", r)
	}
	return k.get(path(r.Callback) + "?amount=" + itoa(r.MinSendable)).reply(k.t)
}

func (k *kit) pay(pr string, msat int64) {
	k.t.Helper()
	if err := k.fake.Pay(pr, msat); err != nil {
		k.t.Fatal(err)
	}
}

// outcome claims one token.
func (k *kit) outcome(t offpay.Token, counter uint32, accepted, void bool) offpay.Outcome {
	k.t.Helper()
	out, err := k.office.Outcomes(k.t.Context(), k.Till, []offpay.Claim{{Token: t.String(), Counter: counter, Accepted: accepted, Void: void}}, time.Now())
	if err != nil || len(out) != 1 {
		k.t.Fatalf("outcomes %+v, %v", out, err)
	}
	return out[0]
}

func (k *kit) alarms() (kinds []string) {
	k.t.Helper()
	all, err := k.db.Alarms(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	for _, a := range all {
		kinds = append(kinds, a.Kind)
	}
	return kinds
}

func (k *kit) list(l store.OfflineList) []store.OfflineSale {
	k.t.Helper()
	out, err := k.db.OfflineSales(k.t.Context(), l, "", time.Now(), 100)
	if err != nil {
		k.t.Fatal(err)
	}
	return out
}

func path(url string) string { return strings.TrimPrefix(url, "https://"+host) }

func itoa(n int64) string { b, _ := json.Marshal(n); return string(b) }

const refusedJSON = `{"status":"ERROR","reason":"This request is not valid any more. Ask the cashier for a new one."}`

func (k *kit) refused(what string, a answer) {
	k.t.Helper()
	if a.status != 200 || a.body != refusedJSON {
		k.t.Errorf("%s: %d %s", what, a.status, a.body)
	}
}

type heldKey = wire.Held

func contains(s, part string) bool { return strings.Contains(s, part) }
