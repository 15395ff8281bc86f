package offline

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/web"
)

//go:embed pages
var files embed.FS

var pages = template.Must(template.New("pay.html").Funcs(template.FuncMap{"w": pos.Word, "style": func() string { return "/assets/pay.css?v=" + version }}).ParseFS(files, "pages/pay.html"))

// css is the style sheet, and version changes with it, so that it may be kept for
// ever.
var css, version = func() ([]byte, string) {
	b, err := files.ReadFile("pages/pay.css")
	if err != nil {
		panic(err) // embedded: it is there
	}
	sum := sha256.Sum256(b)
	return b, hex.EncodeToString(sum[:6])
}()

func (o *Office) style(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderContentType, "text/css; charset=utf-8")
	return c.Send(css)
}

// refreshEvery is how often a page that waits asks again, in seconds: 15 times a
// minute, of the 60 that a device has.
const refreshEvery = 4

// payPage is what a customer sees.
type payPage struct {
	Lang     string
	Shop     string
	State    string // "pay", "paid", "refused", "busy"
	Amount   string
	Sats     string
	Ref      string
	Link     template.URL // "lightning:lnbc…", as the phone's wallet takes it; the invoice was checked when it was made
	Invoice  string
	Code     string // "009 812"
	QR       template.HTML
	Rate     string
	Minutes  int
	Arriving bool
	Refresh  int // seconds; 0 when there is nothing to wait for
}

// page shows a sale to a phone without an LNURL wallet, and the code to everybody
// who has paid.
func (o *Office) page(c *fiber.Ctx, s *sale, now time.Time) error {
	lang := language(c.Get(fiber.HeaderAcceptLanguage))
	p := payPage{Lang: lang, Shop: o.o.Shop, Amount: local(lang, s.amount.Number()) + "\u00a0" + s.amount.Currency.Code, Ref: offpay.Reference(s.Counter)}
	inv, arriving, err := o.invoice(c.UserContext(), s, 0, now)
	if code, paid := s.code(); paid {
		return o.paidPage(c, p, s, code)
	}
	if err != nil {
		return o.refuse(c, err, now)
	}
	p.State, p.Arriving, p.Refresh, p.Invoice = "pay", arriving, refreshEvery, inv.Text
	p.Link, p.Sats = template.URL("lightning:"+inv.Text), group(pos.Bitcoin.UnitsOf(inv.Msat).Number())+"\u00a0sat"
	p.Minutes = int((inv.Ends.Sub(now) + time.Minute - 1) / time.Minute)
	if r := rateOf(inv.Rate); r != nil {
		p.Rate = r.Price()
	}
	if p.QR, err = web.Code(strings.ToUpper(inv.Text), pos.Word(lang, "op_scan")); err != nil {
		return err
	}
	return show(c, http.StatusOK, p)
}

// paidPage gives the code away.
func (o *Office) paidPage(c *fiber.Ctx, p payPage, s *sale, code string) (err error) {
	p.State, p.Code = "paid", offpay.ShowCode(code)
	if p.QR, err = web.Code(offpay.ScanCode(s.Counter, code), pos.Word(p.Lang, "op_show_code")); err != nil {
		return err
	}
	return show(c, http.StatusOK, p)
}

// errorPage says why there is nothing to pay.
func (o *Office) errorPage(c *fiber.Ctx, status int, err error) error {
	p := payPage{Lang: language(c.Get(fiber.HeaderAcceptLanguage)), Shop: o.o.Shop, State: "busy", Refresh: 2 * refreshEvery}
	switch {
	case err == errRefused && status == http.StatusOK:
		p.State, p.Refresh, status = "refused", 0, http.StatusNotFound
	case status == http.StatusOK:
		status = http.StatusServiceUnavailable
	}
	return show(c, status, p)
}

func show(c *fiber.Ctx, status int, p payPage) error {
	var out bytes.Buffer
	if err := pages.Execute(&out, p); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	c.Set(fiber.HeaderVary, "Accept, Accept-Language")
	return c.Status(status).Send(out.Bytes())
}

// language returns the language of ours that a browser wants most (RFC 9110,
// 12.5.4), English for none.
func language(accept string) string {
	best, most := "en", 0.0
	for i, part := range strings.Split(accept, ",") {
		if i == maxLanguages {
			break
		}
		tag, param, weighed := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		if weighed {
			var err error
			if q, err = strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(param), "q="), 64); err != nil || !(q >= 0 && q <= 1) {
				continue
			}
		}
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		for _, l := range pos.Languages {
			if l == base && q > most {
				best, most = l, q
			}
		}
	}
	return best
}

// maxLanguages bounds what is read of Accept-Language.
const maxLanguages = 16

// group parts the thousands of a whole number with narrow spaces.
func group(digits string) string {
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "\u202f" + digits[at:]
	}
	return digits
}

// local writes a number with the language's decimal sign.
func local(lang, number string) string {
	if lang == "en" {
		return number
	}
	return strings.Replace(number, ".", ",", 1)
}
