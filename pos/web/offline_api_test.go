package web

import (
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/web/webtest"
)

// askCode charges 12.50 while the node is away and returns the sale.
func (k *till) askCode() (sale string) {
	k.Helper()
	k.desk.Cut(pos.AllowOffline, "")
	sale = k.want(201, "POST", "/v1/sales/current/lines", `{"price":`+price+`}`).field("sale")
	k.want(201, "POST", "/v1/sales/"+sale+"/payments", `{"tender":"lightning"}`)
	return sale
}

// code tries one and returns the answer.
func (k *till) code(status int, sale, code string, heads ...string) string {
	k.Helper()
	return string(k.want(status, "POST", "/v1/sales/"+sale+"/codes", `{"code":"`+code+`"}`, heads...).body)
}

// TestCodesAPI walks a code's answers: a slip, another sale's, wrong ones up to the
// lock, a manager's right one. Each is as documented.
func TestCodesAPI(t *testing.T) {
	k := serve(t)
	k.signIn("p2", "2222")
	sale := k.askCode()
	for _, slip := range []string{"12345", "1234567", "12a456", "١٢٣٤٥٦", "OP1:417:12345", "OP1::009812", "OP1:0:009812 "} {
		k.code(400, sale, slip)
	}
	if got := k.code(200, sale, webtest.Scan(9)); !strings.Contains(got, `"other":true`) || strings.Contains(got, "wrong") {
		t.Errorf("another sale's: %s", got)
	}
	for n, want := range []string{`"wrong":1`, `"wrong":2`, `"wrong":3`} {
		if got := k.code(200, "current", "11111"+string(rune('1'+n))); !strings.Contains(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := k.code(403, sale, webtest.Code(417)); strings.Contains(got, webtest.Code(417)) {
		t.Errorf("the answer tells the code: %s", got)
	}
	k.signIn("p1", ownerPIN)
	if got := k.code(200, sale, webtest.Code(417)); !strings.Contains(got, sale) || strings.Contains(got, "wrong") {
		t.Errorf("right: %s", got)
	}
	k.code(404, sale, webtest.Code(417)) // it is over
	r := k.want(200, "GET", "/v1/sales/"+sale+"/receipt", "")
	if got := string(r.body); !strings.Contains(got, `"offline":true`) || !strings.Contains(got, `"reference":"#0417"`) {
		t.Errorf("the receipt says %s", got)
	}
	k.want(200, "GET", "/v1/view", "")
}

// TestCodeOnce repeats a wrong code under its key, as a screen does whose line broke:
// it counts once.
func TestCodeOnce(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	sale := k.askCode()
	key := []string{"Idempotency-Key", "code-1"}
	first := k.code(200, sale, "111111", key...)
	for range 4 {
		if again := k.code(200, sale, "111111", key...); again != first {
			t.Errorf("%s, then %s", first, again)
		}
	}
	if n := k.desk.View().Counter.Current.WrongCodes; n != 1 {
		t.Errorf("%d wrong codes, want 1", n)
	}
	k.code(409, sale, "222222", key...)
}

// TestCodesLocked guesses until the till locks, over several sales. It says so as a
// limit is told, and a manager is refused too.
func TestCodesLocked(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	sale := k.askCode()
	for range pos.MaxWrongCodesHour {
		k.code(200, sale, "111111")
	}
	r := k.want(429, "POST", "/v1/sales/"+sale+"/codes", `{"code":"`+webtest.Code(417)+`"}`)
	if r.Header.Get("Retry-After") == "" || !strings.Contains(r.field("detail"), "an hour") {
		t.Errorf("got %s", r.body)
	}
	for _, tender := range k.desk.View().Counter.Tenders {
		if tender.Tender == webtest.Lightning && tender.Ready {
			t.Error("Lightning is offered all the same")
		}
	}
}

// TestRequestForms chooses the customer's code by the API. Only an offline request
// has two.
func TestRequestForms(t *testing.T) {
	k := serve(t)
	k.signIn("p1", ownerPIN)
	k.want(404, "PUT", "/v1/sales/current/request", `{"camera":true}`)
	sale := k.askCode()
	for camera, want := range map[string]string{"true": "https://", "false": "LNURL1"} {
		k.want(200, "PUT", "/v1/sales/"+sale+"/request", `{"camera":`+camera+`}`)
		if got := k.desk.View().Customer; !strings.HasPrefix(got.QR, want) || got.Other != (camera == "true") {
			t.Errorf("camera %s: %+v", camera, got)
		}
	}
	k.token = ""
	if got := string(k.want(200, "GET", "/v1/view", "").body); strings.Contains(got, webtest.Code(417)) || !strings.Contains(got, "#0417") {
		t.Errorf("everybody reads %s", got)
	}
	k.desk.Cut("", "")
	k.signIn("p1", ownerPIN)
	other := k.want(201, "POST", "/v1/sales", `{}`).field("sale")
	k.want(201, "POST", "/v1/sales/"+other+"/lines", `{"sku":"4001"}`)
	k.want(201, "POST", "/v1/sales/"+other+"/payments", `{"tender":"lightning"}`)
	k.want(409, "PUT", "/v1/sales/"+other+"/request", `{"camera":true}`)
	k.code(409, other, "111111")
}
