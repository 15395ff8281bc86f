package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
	"github.com/tillwright/tillwright/sync/wire"
)

// offlineToml is the part of a configuration that a shop with a toy node has.
func offlineToml(connection string) string {
	return fmt.Sprintf("[lightning]\nconnection = %q\nnetwork = \"simnet\"\n[rates]\ncurrency = \"EUR\"\nfixed = \"50000\"\n[offline]\nenabled = true\n", connection)
}

// TestOfflineConfig reads the three parts with faults. Goal: all at once, each with
// its line and its remedy.
func TestOfflineConfig(t *testing.T) {
	const base = "data = \"/x\"\nshop = \"x\"\npublic_url = \"https://shop.example\"\n"
	const good = "[lightning]\nconnection_file = \"/x/lnd\"\n[rates]\ncurrency = \"EUR\"\n[offline]\nenabled = true\n"
	tests := map[string]struct {
		text string
		want []string
	}{
		"good":           {base + good, nil},
		"off":            {base + "[rates]\ncurrency = \"X\"\nleast = 9\n[offline]\nper_sale = \"much\"\n", nil},
		"nothing":        {base + "[offline]\nenabled = true\n", []string{"lightning.connection_file is missing", "rates.currency is missing"}},
		"plain http":     {strings.Replace(base, "https://shop.example", "http://192.168.1.2:8081", 1) + good, []string{":3: public_url must begin with https://"}},
		"loopback":       {strings.Replace(base, "https://shop.example", "http://127.0.0.1:8081", 1) + good, nil},
		"host":           {base + good + "host = \"https://pay.example\"\n", []string{":10: offline.host cannot be used"}},
		"both":           {base + "[lightning]\nconnection = \"x\"\n" + good[len("[lightning]\n"):], []string{":5: lightning.connection and connection_file"}},
		"connection":     {base + strings.Replace(good, "connection_file = \"/x/lnd\"", "connection = \"x\"", 1), []string{":5: lightning.connection cannot be used"}},
		"relative":       {base + strings.Replace(good, "/x/lnd", "lnd", 1), []string{":5: lightning.connection_file must be the full path"}},
		"real money":     {base + strings.Replace(good, "[offline]", "fixed = \"50000\"\n[offline]", 1), []string{":8: rates.fixed is for trying out"}},
		"sources":        {base + strings.Replace(good, "[offline]", "sources = [\"mtgox\"]\n[offline]", 1), []string{":8: rates.sources must be different ones"}},
		"one source":     {base + strings.Replace(good, "[offline]", "sources = [\"kraken\"]\n[offline]", 1), []string{"rates.least is missing; it must be from 2"}},
		"rate age":       {base + strings.Replace(good, "[offline]", "max_age = \"2h\"\n[offline]", 1), []string{":8: rates.max_age must be"}},
		"amounts":        {base + good + "per_sale = \"1.234\"\ntotal = \"-5\"\n", []string{":10: offline.per_sale must be an amount", ":11: offline.total must be an amount"}},
		"less than one":  {base + good + "per_sale = \"100\"\ntotal = \"50\"\n", []string{":11: offline.total cannot be used"}},
		"sales":          {base + good + "sales = 0\n", []string{":10: offline.sales cannot be used"}},
		"age":            {base + good + "age = \"1000h\"\n", []string{":10: offline.age cannot be used"}},
		"ttl":            {base + good + "ttl = 256\n", []string{":10: offline.ttl must be from 1 to 255"}},
		"action, key":    {base + good + "success_action = \"message\"\nkey_age = \"1h\"\n", []string{":10: offline.success_action", ":11: offline.key_age"}},
		"a duration":     {base + good + "age = \"soon\"\n", []string{":10: "}},
		"no such":        {base + good + "per_sal = \"1\"\n", []string{":10: offline.per_sal is no setting"}},
		"network":        {base + strings.Replace(good, "[rates]", "network = \"moon\"\n[rates]", 1), []string{":6: lightning.network must be one of"}},
		"a large amount": {base + good + "per_sale = \"99999999999\"\n", []string{":10: offline.per_sale cannot be used"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "c.toml")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := load(path)
			if len(tt.want) == 0 && err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not named in: %v", want, err)
				}
			}
			if err != nil && strings.Count(err.Error(), path) != len(tt.want) {
				t.Errorf("want %d faults:\n%v", len(tt.want), err)
			}
		})
	}
}

// TestOfflineDefaults reads the least that works.
func TestOfflineDefaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.toml")
	text := "data = \"/x\"\nshop = \"x\"\npublic_url = \"https://shop.example:8443\"\n[lightning]\nconnection_file = \"/x/lnd\"\n[rates]\ncurrency = \"EUR\"\n[offline]\nenabled = true\nper_sale = \"80\"\nage = \"12h\"\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := load(path)
	want := offpay.DefaultLimits()
	want.PerSale, want.Age = 8000, 12*time.Hour
	if err != nil || c.Offline.limits != want || c.payHost() != "shop.example:8443" || c.Lightning.Network != "mainnet" || c.Offline.Action != "url" || len(c.Rates.Sources) != 3 {
		t.Errorf("got %+v, %v", c, err)
	}
}

// offlineShop is a running backoffice with a toy node behind it, and a till that
// holds a key.
type offlineShop struct {
	*shop
	node   *lndtest.Node
	client *wire.Client
	till   *tilltest.Till
	grant  offpay.Grant
	keys   *offpay.Keys
}

func openOffline(t *testing.T) *offlineShop {
	t.Helper()
	node := lndtest.New(t, lndtest.Options{TCP: true})
	config := configure(t, offlineToml(node.Connection()))
	command(t, "owner", "set", "--config", config, "--password-file", filepath.Join(filepath.Dir(config), "password"))
	s := &offlineShop{shop: openShop(t, config), node: node, till: tilltest.New(1, "01", "EUR", time.Now())}
	s.client = s.enrol(s.till, "Counter")
	deliver(t, s.till, s.client)
	g, err := s.client.Grant(t.Context(), nil)
	if err != nil || !g.Enabled || g.Host != s.url {
		t.Fatalf("grant %v, %v", g, err)
	}
	s.grant, s.keys = g, offpay.Derive(g.Key, g.Device, g.Epoch)
	return s
}

func (s *offlineShop) token(counter uint32) (offpay.Token, string) {
	s.t.Helper()
	tok, err := s.keys.Seal(offpay.Request{Counter: counter, Amount: 1250, Currency: 978, Issued: uint32(time.Now().Unix()), TTL: 20})
	if err != nil {
		s.t.Fatal(err)
	}
	return tok, offpay.URL(s.grant.Host, tok)
}

// get asks until the answer is not "busy": the node's health takes a moment.
func (s *offlineShop) get(url, accept string) (status int, body string) {
	s.t.Helper()
	for end := time.Now().Add(pageWithin); ; {
		req, err := http.NewRequestWithContext(s.t.Context(), "GET", url, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			s.t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil {
			s.t.Fatal(err)
		}
		if !strings.Contains(string(b), "right now") || time.Now().After(end) {
			return res.StatusCode, string(b)
		}
		<-time.After(200 * time.Millisecond)
	}
}

// TestOfflineShop is the whole line over real sockets, with a restart of the server
// between invoice and code: till, phone, node, code, settlement, the owner's page.
func TestOfflineShop(t *testing.T) {
	s := openOffline(t)
	tok, url := s.token(1)
	var offer struct {
		Callback    string
		MinSendable int64
	}
	_, body := s.get(url, "application/json")
	if err := json.Unmarshal([]byte(body), &offer); err != nil || offer.MinSendable != 25_000_000 {
		t.Fatalf("offer %s, %v", body, err)
	}
	_, body = s.get(fmt.Sprintf("%s?amount=%d", offer.Callback, offer.MinSendable), "application/json")
	var inv struct{ PR string }
	if err := json.Unmarshal([]byte(body), &inv); err != nil || inv.PR == "" {
		t.Fatalf("invoice %s, %v", body, err)
	}
	if err := s.node.Pay(inv.PR, offer.MinSendable); err != nil {
		t.Fatal(err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.shop = openShop(t, s.config)
	if _, body := s.get(s.url+"/o/"+tok.String(), "text/html"); !strings.Contains(body, offpay.ShowCode(s.keys.Code(tok))) {
		t.Errorf("no code after the restart: %.300s", body)
	}
	s.client = s.clientAt()
	out, err := s.client.Outcomes(t.Context(), []offpay.Claim{{Token: tok.String(), Counter: 1, Accepted: true}})
	if err != nil || out[0].State != offpay.Paid || out[0].Received.Int().Int64() != 25_000_000 {
		t.Errorf("outcome %+v, %v", out, err)
	}
	if status, body := s.get(s.url+"/assets/pay.css", "*/*"); status != 200 || len(body) == 0 {
		t.Errorf("style sheet: %d", status)
	}
	if log := s.log.String(); strings.Contains(log, tok.String()) || strings.Contains(log, s.keys.Code(tok)) {
		t.Error("the log holds a token or a code")
	}
}

// clientAt is the till's client at the server's new address.
func (s *offlineShop) clientAt() *wire.Client {
	s.t.Helper()
	o, err := open(s.t.Context(), s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	key := o.key.Public()
	if err := o.close(); err != nil {
		s.t.Fatal(err)
	}
	return wire.NewClient(s.url, s.till.Genesis.Till, s.till.Key, key.(ed25519.PublicKey), nil)
}

// TestOfflineSecret loses, opens and damages the secret. Goal: the server does not
// start with another one while tills hold keys of the first.
func TestOfflineSecret(t *testing.T) {
	s := openOffline(t)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(filepath.Dir(s.config), "data", "offline.secret")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("secret: %v, %v", info.Mode(), err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	starts := func(what, want string) {
		t.Helper()
		err := run(t.Context(), []string{"run", "--config", s.config}, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), string(bytes.TrimSpace(good))) {
			t.Errorf("%s: %v", what, err)
		}
	}
	write := func(b []byte, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, b, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	starts("lost", "restore it from the backup")
	write(good[:40], 0o600)
	starts("cut short", "holds no secret")
	write(good, 0o644)
	starts("open to all", "chmod 600")
	write(good, 0o600)
	s.shop = openShop(t, s.config)
	if status, _ := s.get(s.url+"/sign-in", "text/html"); status != http.StatusOK {
		t.Errorf("with its secret back: %d", status)
	}
}

// TestPayPage opens the customer's page on a phone, and the owner's beside it. Goal:
// the code that is drawn is read by an outside reader as the very invoice, the code
// of the paid page as OP1, and the browser refuses nothing.
func TestPayPage(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium on this computer")
	}
	s := openOffline(t)
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)
	alloc, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	listen(t, ctx)
	visit := func(url, name string) []byte {
		t.Helper()
		within, cancel := context.WithTimeout(ctx, pageWithin)
		defer cancel()
		if err := chromedp.Do(within, chromedp.EmulateViewport(phoneWidth, 640), chromedp.Navigate(url)); err != nil {
			t.Fatal(err)
		}
		pic, err := chromedp.Run(within, chromedp.FullScreenshot(100))
		if err != nil {
			t.Fatal(err)
		}
		if *shots != "" {
			if err := os.WriteFile(filepath.Join(*shots, "pay-"+name+".png"), pic, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return pic
	}
	tok, url := s.token(7)
	_, page := s.get(url, "text/html")
	_, rest, _ := strings.Cut(page, "lightning:")
	invoice, _, _ := strings.Cut(rest, `"`)
	if got := readQR(t, visit(url, "waiting")); got != strings.ToUpper(invoice) {
		t.Errorf("the code says %q, the page %q", got, invoice)
	}
	if err := s.node.Pay(invoice, 25_000_000); err != nil {
		t.Fatal(err)
	}
	if got := readQR(t, visit(url, "paid")); got != offpay.ScanCode(7, s.keys.Code(tok)) {
		t.Errorf("the paid page's code says %q", got)
	}
	s.owner(ctx, tok)
}

// owner makes an orphan and a refuted payment, looks at them, deals with one, and
// switches the till on again.
func (s *offlineShop) owner(ctx context.Context, paid offpay.Token) {
	t := s.t
	t.Helper()
	refuted, _ := s.token(8)
	if _, err := s.client.Outcomes(ctx, []offpay.Claim{{Token: paid.String(), Counter: 7, Void: true}, {Token: refuted.String(), Counter: 8, Accepted: true}}); err != nil {
		t.Fatal(err)
	}
	do := func(what string, actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		within, cancel := context.WithTimeout(ctx, pageWithin)
		defer cancel()
		if err := chromedp.Do(within, actions...); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	do("sign in", chromedp.EmulateViewport(1280, 900), chromedp.Navigate(s.url+"/offline"), chromedp.SendKeys(chromedp.CSS(`input[name=password]`), password),
		chromedp.Click(chromedp.CSS(`main button`)), chromedp.WaitVisible(chromedp.CSS(".owed")), chromedp.WaitVisible(chromedp.CSS(".till.bad")))
	if *shots != "" {
		take(t.(*testing.T), ctx, do, "offline")
	}
	do("deal with the orphan", chromedp.Click(chromedp.CSS(".owed button")), chromedp.WaitNotPresent(chromedp.CSS(".owed")))
	do("switch the till on", chromedp.Click(chromedp.CSS(".till .buttons button")), chromedp.WaitVisible(chromedp.CSS(".pill.good")))
	if g, err := s.client.Grant(ctx, nil); err != nil || !g.Enabled || g.Device == s.grant.Device {
		t.Errorf("on again: %v, %v", g, err)
	}
}

// phoneWidth is that of the smallest phones in use.
const phoneWidth = 320

func readQR(t *testing.T, pic []byte) string {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(pic))
	if err != nil {
		t.Fatal(err)
	}
	if w := img.Bounds().Dx(); w != phoneWidth {
		t.Errorf("the page is %d wide: something sticks out", w)
	}
	bmp, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	res, err := qrcode.NewQRCodeReader().Decode(bmp, map[gozxing.DecodeHintType]interface{}{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		t.Fatalf("the picture cannot be read: %v", err)
	}
	return res.GetText()
}
