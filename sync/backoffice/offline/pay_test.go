package offline

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg"
	"github.com/lightningnetwork/lnd/zpay32"

	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// wallet pays as LUD-01, 06, 09, 10, 11 and 21 say a wallet must, and refuses what it
// must refuse. It returns what it shows its owner afterwards.
type wallet struct {
	k *kit
}

func (w wallet) pay(lnurl string) (shown string) {
	t := w.k.t
	t.Helper()
	link, err := offpay.ParseLNURL(lnurl)
	if err != nil {
		t.Fatal(err)
	}
	first := w.k.get(path(link), "Accept", "application/json")
	if first.head.Get("Access-Control-Allow-Origin") != "*" {
		t.Error("a wallet in a browser cannot read the answer")
	}
	r := first.reply(t)
	var meta [][]string
	if err := json.Unmarshal([]byte(r.Metadata), &meta); err != nil || len(meta) != 1 || meta[0][0] != "text/plain" {
		t.Fatalf("metadata %q: %v", r.Metadata, err)
	}
	if r.Tag != "payRequest" || r.MinSendable < 1 || r.MaxSendable != r.MinSendable || r.MinSendable%1000 != 0 {
		t.Fatalf("got %+v", r)
	}
	glue := "?"
	if strings.Contains(r.Callback, "?") {
		glue = "&"
	}
	second := w.k.get(path(r.Callback) + glue + "amount=" + itoa(r.MinSendable)).reply(t)
	w.check(second, r)
	w.k.pay(second.PR, r.MinSendable)
	return w.shows(second)
}

// check is what LUD-06 and LUD-09 tell a wallet to verify before it pays.
func (w wallet) check(got, offer reply) {
	t := w.k.t
	t.Helper()
	in, err := zpay32.Decode(got.PR, &chaincfg.SimNetParams)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.Sum256([]byte(offer.Metadata))
	if in.DescriptionHash == nil || *in.DescriptionHash != h || int64(*in.MilliSat) != offer.MinSendable {
		t.Errorf("the invoice is not what was offered: %v, %v", in.DescriptionHash, *in.MilliSat)
	}
	if got.Routes == nil || len(got.Routes) != 0 || !got.Disposable || in.Expiry() != 300*time.Second {
		t.Errorf("got %+v", got)
	}
	a := got.SuccessAction
	if len(a["description"]) > 144 || a["description"] == "" {
		t.Errorf("description %q", a["description"])
	}
	callback, _ := url.Parse(offer.Callback)
	switch a["tag"] {
	case "url":
		if to, err := url.Parse(a["url"]); err != nil || to.Host != callback.Host || to.Scheme != "https" {
			t.Errorf("the link leads to %q", a["url"])
		}
	case "aes":
		if len(a["iv"]) != 24 || len(a["ciphertext"]) > 4096 {
			t.Errorf("aes %+v", a)
		}
	default:
		t.Errorf("tag %q: a wallet must not pay", a["tag"])
	}
}

// shows follows the success action with the preimage that LUD-21 confirms.
func (w wallet) shows(got reply) string {
	t := w.k.t
	t.Helper()
	v := w.k.get(path(got.Verify)).reply(t)
	if v.Status != "OK" || !v.Settled || v.Preimage == nil || v.PR != got.PR {
		t.Fatalf("verify says %+v", v)
	}
	pre, err := hex.DecodeString(*v.Preimage)
	in, _ := zpay32.Decode(got.PR, &chaincfg.SimNetParams)
	if err != nil || sha256.Sum256(pre) != *in.PaymentHash {
		t.Errorf("preimage %q, %v", *v.Preimage, err)
	}
	if got.SuccessAction["tag"] == "url" {
		return w.k.get(path(got.SuccessAction["url"]), "Accept", "text/html").body
	}
	return decrypt(t, got.SuccessAction, pre)
}

// decrypt is LUD-10's.
func decrypt(t *testing.T, a map[string]string, pre []byte) string {
	t.Helper()
	iv, err1 := base64.StdEncoding.DecodeString(a["iv"])
	text, err2 := base64.StdEncoding.DecodeString(a["ciphertext"])
	block, err3 := aes.NewCipher(pre)
	if err1 != nil || err2 != nil || err3 != nil || len(text) == 0 || len(text)%16 != 0 {
		t.Fatal(err1, err2, err3, len(text))
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(text, text)
	pad := int(text[len(text)-1])
	if pad < 1 || pad > 16 {
		t.Fatalf("padding %d", pad)
	}
	return string(text[:len(text)-pad])
}

// TestPay is the whole way: the till's LNURL, a strict wallet, the code, the till's
// arithmetic, and the settlement when the line is back.
func TestPay(t *testing.T) {
	for _, action := range []Action{ActionURL, ActionAES} {
		t.Run(string(action), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				k := newKit(t, func(o *Options) { o.Action = action })
				k.run()
				tok := k.token(417)
				shown := wallet{k}.pay(offpay.LNURL(offpay.URL(k.grant.Host, tok)))
				code := regexp.MustCompile(`\d{3} \d{3}`).FindString(shown)
				if !k.keys.Match(tok, code) {
					t.Fatalf("the till does not take %q of %q", code, shown)
				}
				if action == ActionAES && shown != "Code "+code+"  12.50 EUR  #0417" {
					t.Errorf("the wallet shows %q", shown)
				}
				if r := k.offer(tok); r.Status != "ERROR" || r.Reason != "Already paid. https://"+host+"/o/"+tok.String() {
					t.Errorf("after it was paid: %+v", r)
				}
				if r := k.get("/o/" + tok.String() + "/cb?amount=25000000").reply(t); r.Status != "ERROR" || r.PR != "" {
					t.Errorf("after it was paid, the callback: %+v", r)
				}
				out := k.outcome(tok, 417, true, false)
				if out.State != offpay.Paid || out.Received.Int().Int64() != 25_000_000 || out.Asked.Cmp(out.Received) != 0 || out.Rate == nil || out.At.IsZero() {
					t.Errorf("outcome %+v", out)
				}
				if len(k.list(store.ListOrphans)) != 0 || len(k.alarms()) != 0 {
					t.Error("a settled payment asks for the owner")
				}
			})
		})
	}
}

// TestVector10 is LUD-10's own example, through our padding and cipher.
func TestVector10(t *testing.T) {
	pre, _ := hex.DecodeString("c0f9b692a068450e9362bf1688b1d3dd46132c7540b4f23f44047dcb49931d01")
	iv, _ := base64.StdEncoding.DecodeString("iybzJqQe9JuEah7yySQWvg==")
	a, err := sealWith([32]byte(pre), iv, "sic transit gloria mundi")
	if err != nil || a.Ciphertext != "ahj9qQxHwjZmyv+H5floPkXdXvv0cNj3KCLxPOH1Pw8=" || a.IV != "iybzJqQe9JuEah7yySQWvg==" {
		t.Errorf("got %+v, %v", a, err)
	}
	for n := range 40 { // every length of padding
		a, err := seal([32]byte(pre), strings.Repeat("x", n))
		if err != nil {
			t.Fatal(err)
		}
		if got := decrypt(t, map[string]string{"iv": a.IV, "ciphertext": a.Ciphertext}, pre); got != strings.Repeat("x", n) {
			t.Errorf("%d letters came back as %q", n, got)
		}
	}
}

// TestCodeLast looks for the code in every answer, at every step of a payment. Goal:
// it is nowhere before SETTLED is on disk, not in headers, links or drawings.
func TestCodeLast(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		tok := k.token(3)
		code := k.keys.Code(tok)
		inv := k.invoice(tok)
		everything := func() string {
			var all strings.Builder
			for _, p := range []string{"/o/" + tok.String(), "/o/" + tok.String() + "/cb?amount=25000000", path(inv.Verify)} {
				for _, accept := range []string{"text/html", "application/json"} {
					a := k.get(p, "Accept", accept)
					all.WriteString(a.body)
					if err := a.head.Write(&all); err != nil {
						t.Fatal(err)
					}
				}
			}
			return all.String()
		}
		leaks := func(when string) {
			t.Helper()
			all := everything()
			for _, form := range []string{code, offpay.ShowCode(code), "OP1:"} {
				if strings.Contains(all, form) {
					t.Errorf("%s: the code is told", when)
				}
			}
			if strings.Contains(all, `"settled":true`) {
				t.Errorf("%s: verify says settled", when)
			}
		}
		leaks("open")
		if err := k.fake.PayPart(inv.PR, 1_000_000); err != nil {
			t.Fatal(err)
		}
		if a := k.browse(tok); !strings.Contains(a.body, "arriving") {
			t.Error("the page does not say that a payment is arriving")
		}
		leaks("a part is held")
		time.Sleep(121 * time.Second) // the part goes back
		leaks("the part went back")
		k.fake.Pay(inv.PR, 25_000_000)
		k.office.o.Store = failing{k.db}
		leaks("paid, and the disk is full")
		k.office.o.Store = k.db
		if a := k.browse(tok); a.status != 200 || !strings.Contains(a.body, offpay.ShowCode(code)) {
			t.Errorf("paid, and no code: %d %.2000s", a.status, a.body)
		}
	})
}

// TestPage looks at the pages. Goal: no script, nothing inline but drawings, nothing
// from elsewhere, each language, and a refresh only while there is something to wait
// for.
func TestPage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		k := newKit(t)
		tok := k.token(7)
		for accept, want := range map[string]string{"": "Waiting for your payment", "de-AT,de;q=0.9,en;q=0.8": "Wartet auf Ihre Zahlung", "es": "Esperando tu pago",
			"ja, fr;q=0.4, en;q=0.3": "En attente", "en;q=0.1, pt-BR;q=0.9": "À espera", "xx": "Waiting", "de;q=nonsense": "Waiting", strings.Repeat("xx,", 500) + "de": "Waiting"} {
			if a := k.browse(tok, "Accept-Language", accept); !strings.Contains(a.body, want) {
				t.Errorf("%q: no %q", accept, want)
			}
			time.Sleep(time.Second)
		}
		waiting := k.browse(tok)
		pr := regexp.MustCompile(`lightning:(lnsb[0-9a-z]+)`).FindStringSubmatch(waiting.body)
		if pr == nil || !strings.Contains(waiting.body, `http-equiv="refresh"`) || !strings.Contains(waiting.body, "12.50\u00a0EUR") || !strings.Contains(waiting.body, "#0007") {
			t.Fatalf("the page says\n%.2000s", waiting.body)
		}
		if inv := k.invoice(tok); inv.PR != pr[1] {
			t.Error("the wallet and the page have different invoices")
		}
		k.pay(pr[1], 25_000_000)
		paid := k.browse(tok)
		if strings.Contains(paid.body, "refresh") || !strings.Contains(paid.body, offpay.ShowCode(k.keys.Code(tok))) {
			t.Errorf("the paid page says\n%.2000s", paid.body)
		}
		gone := k.browse(offpay.Token{1})
		if gone.status != 404 || strings.Contains(gone.body, "refresh") || !strings.Contains(gone.body, "not valid any more") {
			t.Errorf("%d %s", gone.status, gone.body)
		}
		for name, a := range map[string]answer{"waiting": waiting, "paid": paid, "gone": gone} {
			for what, bad := range map[string]string{"a script": `(?i)<script`, "a handler": `(?i)\son[a-z]+\s*=`, "a style": `(?i)<style|\sstyle\s*=`, "another origin": `(?i)(src|href)="?(https?:)?//`} {
				if regexp.MustCompile(bad).MatchString(a.body) {
					t.Errorf("%s has %s", name, what)
				}
			}
			if csp := a.head.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
				t.Errorf("%s: policy %q", name, csp)
			}
			if a.head.Get("Cache-Control") != "no-store" {
				t.Errorf("%s may be kept", name)
			}
		}
		if a := k.get("/assets/pay.css"); a.status != 200 || !strings.HasPrefix(a.head.Get("Content-Type"), "text/css") {
			t.Errorf("style sheet: %d", a.status)
		}
	})
}
