package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// good is what a till shows: 3.1522 USDC on Devnet One.
func good() string {
	usdc, _ := places[0].find("USDC")
	return "ethereum:" + usdc.at().String() + "@424201/transfer?address=0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359&uint256=3152200"
}

// TestReadCoins: the wallet takes what a till shows and nothing that is nearly that.
func TestReadCoins(t *testing.T) {
	w := &CoinWallet{}
	for name, text := range map[string]string{
		"as shown": good(), "with spaces": " " + good() + "\n", "MetaMask's own": "https://link.metamask.io/send/" + strings.TrimPrefix(good(), "ethereum:"),
	} {
		r, err := w.Look(text)
		if err != nil || r.Token != "USDC" || r.Network != "Devnet One" || r.Amount != "3.1522" || r.Tail != "c5d359" || r.Typed ||
			r.Less != "3.120677" || r.Net != "2.8522" || r.Other != "Devnet Two" || r.Wrong != "USDT" {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	if r, err := w.Look("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"); err != nil || !r.Typed || r.Token != "" || r.Tail != "c5d359" {
		t.Errorf("an address alone: %+v, %v", r, err)
	}
	change := func(old, now string) string { return strings.Replace(good(), old, now, 1) }
	for want, texts := range map[string][]string{
		"no request":      {"", "lnsb1q", "LNURL1DP", "http://127.0.0.1/", strings.Repeat("x", 600), "ETHEREUM:" + good()[9:]},
		"does not know n": {change("424201", "8453"), change("@424201", ""), change("424201", "0424201"), change("424201", "")},
		"does not know t": {change(good()[9:51], "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")},
		"something else":  {change("/transfer", "/approve"), change("/transfer", ""), "ethereum:0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359@424201?value=1"},
		"capitals":        {change("0xfB69", "0xFB69"), "0xFB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"},
		"no address":      {change("0xfB69", "fB69"), "0x12", change("?address=", "?to=")},
		"amount": {
			change("3152200", ""), change("3152200", "0"), change("3152200", "-1"), change("3152200", "3.1e6"), change("3152200", strings.Repeat("9", 90)),
			good() + "&uint256=1", good() + "&label=x", change("&uint256=3152200", ""),
		},
	} {
		for _, text := range texts {
			if r, err := w.Look(text); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q is read as %+v, %v; want %q", text, r, err, want)
			}
		}
	}
}

// FuzzReadCoins: whatever is pasted, what is read can be shown, and is what was written.
func FuzzReadCoins(f *testing.F) {
	for _, s := range []string{good(), "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", "ethereum:x@1/transfer?address=&uint256=", "https://link.metamask.io/send/a@b", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := readCoins(text)
		if err != nil {
			return
		}
		if s := r.shown(text); r.units != nil && (r.units.Sign() <= 0 || s.Amount == "" || s.Token == "") || s.Tail == "" {
			t.Errorf("%q is read as %+v", text, r)
		}
		for _, way := range []string{"", "less", "fee", "network", "token", "contract", "twice", "late"} {
			if r.units == nil {
				continue
			}
			for _, one := range r.as(way) {
				if one.units.Sign() <= 0 {
					t.Errorf("%q pays %s", way, one)
				}
			}
		}
	})
}

// Goal: an address alone is not paid before everything else is clear.
func TestChoose(t *testing.T) {
	r, err := readCoins("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []Choice{{}, {"devnetone", "", "1"}, {"devnettwo", "EURC", "1"}, {"devnetone", "USDC", ""}, {"devnetone", "USDC", "0.0000001"}, {"base", "USDC", "1"}} {
		if out, err := r.choose(c); err == nil {
			t.Errorf("%+v is taken for %+v", c, out)
		}
	}
}

// TestCoinsAPI is what the page may ask while there are no chains yet.
func TestCoinsAPI(t *testing.T) {
	_, a, _ := api(t)
	c := NewChains(t.TempDir(), "", func(string) {})
	a.coins = newCoinsAPI(c)
	a.coins.display = func(context.Context) (string, time.Time) { return good(), time.Unix(1795680000, 0).UTC() }
	h := a.Handler()
	for _, k := range []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"status", "GET", "/v1/coins", "", 200, `"ready":false`},
		{"read", "POST", "/v1/coins/read", `{"text":"` + good() + `"}`, 200, `"amount":"3.1522"`},
		{"read an invoice", "POST", "/v1/coins/read", `{"text":"lnsb1q"}`, 404, "no request for coins"},
		{"read nonsense", "POST", "/v1/coins/read", `{"text":"0x12"}`, 422, "40 digits"},
		{"pay", "POST", "/v1/coins/pay", `{"text":"0x12"}`, 503, "not ready"},
		{"lie", "POST", "/v1/chains/devnetone/operators/B", `{"mode":"denies"}`, 200, `"denies"`},
		{"lie how", "POST", "/v1/chains/devnetone/operators/B", `{"mode":"drunk"}`, 400, "mode must be"},
		{"nobody", "POST", "/v1/chains/devnettwo/operators/B", `{"mode":"cut"}`, 404, "no such operator"},
		{"undo", "POST", "/v1/chains/devnetone/undo", `{"depth":1}`, 503, "not ready"},
	} {
		t.Run(k.name, func(t *testing.T) {
			if w := ask(h, k.method, k.path, k.body); w.Code != k.status || !strings.Contains(w.Body.String(), k.want) {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		})
	}
	c.progress.Ready()
	for path, body := range map[string]string{"/v1/chains/base/undo": `{"depth":1}`, "/v1/chains/base/blocks": `{"on":true}`} {
		if w := ask(h, "POST", path, body); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := ask(h, "POST", "/v1/coins/pay", `{"text":"`+good()+`"}`); !strings.Contains(w.Body.String(), "not running") {
		t.Errorf("got %s", w.Body)
	}
	if w := ask(h, "GET", "/v1/coins", ""); !strings.Contains(w.Body.String(), `"shown":{"text":"ethereum:`) || !strings.Contains(w.Body.String(), "2026-11-26") {
		t.Errorf("got %s", w.Body)
	}
	a.shown = func(context.Context) string { return "https://link.metamask.io/send/" + good()[9:] }
	if w := ask(h, "GET", "/v1/invoices", ""); strings.Contains(w.Body.String(), "metamask") {
		t.Errorf("a request for coins is taken for an LNURL: %s", w.Body)
	}
}

// Goal: a user whose till.toml is of an earlier devnet is told why his till takes none.
func TestUntaken(t *testing.T) {
	c := NewChains(t.TempDir(), "", func(string) {})
	cafe := filepath.Join(c.dir, "cafe")
	if err := layCafe(cafe); err != nil || c.untaken() != "" {
		t.Fatalf("%v, %q", err, c.untaken())
	}
	path := filepath.Join(cafe, "till.toml")
	if err := os.WriteFile(path, []byte("# mine\n[shop]\n"), 0o600); err != nil || c.untaken() != path {
		t.Errorf("%v, %q", err, c.untaken())
	}
}

// Goal: the shop closes when its sign is taken away, and takes it away itself when it
// closes.
func TestOpenUntil(t *testing.T) {
	sign := filepath.Join(t.TempDir(), "open")
	put := func(ctx context.Context) chan error {
		done := make(chan error, 1)
		go func() { done <- openUntil(ctx, sign) }()
		err := await(t.Context(), "the sign", func(context.Context) error { _, err := os.Stat(sign); return err })
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	done := put(t.Context())
	if err := os.Remove(sign); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, errClosed) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done = put(ctx)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(sign); err == nil {
		t.Error("the shop is closed, and its sign says that it is open")
	}
	if err := openUntil(t.Context(), ""); err != nil {
		t.Error(err)
	}
	if err := openUntil(t.Context(), filepath.Join(sign, "no", "folder")); err == nil {
		t.Error("no sign, and no word of it")
	}
}

// TestReadPrepared reads the file that the back office gives, and refuses others.
func TestReadPrepared(t *testing.T) {
	const good = `{"chainId":"0x67909","data":"0xd1d26af3","gas":"0x1","to":"0xa0Ee7A142d267C1f36714E4a8F75612F20a79720","value":"0x0"}`
	if p, err := readPrepared(good); err != nil || p.chain != 424201 || p.gas != 1 || len(p.data) != 4 || p.to.tail() != "a79720" {
		t.Errorf("%+v, %v", p, err)
	}
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "x", "with coins": strings.Replace(good, "0x0\"", "0x1\"", 1), "no data": strings.Replace(good, "0xd1d26af3", "0x", 1),
		"Safe's": `{"meta":{"txBuilderVersion":"1"}}`, "another address": strings.Replace(good, "0xa0E", "0xa0e", 1), "no chain": strings.Replace(good, "0x67909", "x", 1), "bad gas": strings.Replace(good, "0x1\"", "much\"", 1),
	} {
		if p, err := readPrepared(text); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
