package offline

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/web"
)

// Mount adds what customers' phones ask. Everything below PathPrefix is answered
// here: nothing of a path is ever echoed or logged.
func (o *Office) Mount(app *fiber.App) {
	app.Get("/assets/pay.css", o.style)
	at := app.Group(strings.TrimSuffix(offpay.PathPrefix, "/"), cors)
	at.Get("/:token", o.token)
	at.Get("/:token/cb", o.callback)
	at.Get("/:token/verify/:hash", o.verify)
	at.Options("/*", func(c *fiber.Ctx) error { return c.SendStatus(http.StatusNoContent) })
	at.Get("/*", func(c *fiber.Ctx) error { return o.refuse(c, errRefused, time.Now()) })
}

// cors lets wallets that run in a browser read the answers: they hold nothing that
// the address does not give to everybody.
func cors(c *fiber.Ctx) error {
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	c.Set(fiber.HeaderAccessControlAllowMethods, "GET")
	c.Set("Cross-Origin-Resource-Policy", "cross-origin")
	return c.Next()
}

// enter opens the token of a request, and counts it. An error is the answer.
func (o *Office) enter(c *fiber.Ctx, now time.Time) (*sale, error) {
	s, err := o.open(c.UserContext(), c.Params("token"), now)
	if err != nil {
		return nil, err
	}
	if wait := o.good.wait(s.Device.String(), now); wait > 0 {
		return nil, &slowDown{wait}
	}
	return s, nil
}

// slowDown says that a device's tokens are asked about too often.
type slowDown struct{ wait time.Duration }

func (*slowDown) Error() string { return "Too many requests. Wait a moment." }

// isHTML tells a browser from a wallet.
func isHTML(c *fiber.Ctx) bool { return strings.Contains(c.Get(fiber.HeaderAccept), "text/html") }

// answer is what a failure says (LUD-06), and with which status. Whatever is not one
// of our own words is ours to log, and busy for the customer.
func (o *Office) answer(c *fiber.Ctx, err error, now time.Time) (status int, reason string) {
	if slow, ok := errors.AsType[*slowDown](err); ok {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(slow.wait/time.Second)+1))
		return http.StatusTooManyRequests, slow.Error()
	}
	switch err {
	case errRefused:
		if wait := o.bad.wait(web.Address(c.UserContext()), now); wait > 0 {
			return o.answer(c, &slowDown{wait}, now)
		}
		return http.StatusOK, message(err)
	case errPaid, errPrice, errBusy:
		return http.StatusOK, message(err)
	}
	if kind := pos.KindOf(err); kind != pos.NotFound && kind != pos.Conflict { // a node that forgot, a race that was lost
		o.o.Log.Error("request failed", "route", web.Route(c), "err", err)
	}
	return http.StatusOK, errBusy.Msg
}

func message(err error) string {
	if e, ok := errors.AsType[*pos.Error](err); ok {
		return e.Msg
	}
	return errBusy.Msg
}

// refusal is LUD-06's form of an error.
type refusal struct {
	Status string `json:"status"`
	Reason string `json:"reason"`
}

// refuse answers with an error, as a page or as JSON.
func (o *Office) refuse(c *fiber.Ctx, err error, now time.Time) error {
	status, reason := o.answer(c, err, now)
	if isHTML(c) {
		return o.errorPage(c, status, err)
	}
	return c.Status(status).JSON(refusal{"ERROR", reason})
}

// token answers the URL in the till's QR code.
func (o *Office) token(c *fiber.Ctx) error {
	now := time.Now()
	s, err := o.enter(c, now)
	if err != nil {
		return o.refuse(c, err, now)
	}
	if isHTML(c) {
		return o.page(c, s, now)
	}
	msat, err := o.quote(c.UserContext(), s, now)
	if err != nil {
		return o.refuseSale(c, s, err, now)
	}
	return c.JSON(payRequest{"payRequest", s.url(o.o.Host) + "/cb", msat, msat, o.metadata(s)})
}

// payRequest is LUD-06's.
type payRequest struct {
	Tag         string `json:"tag"`
	Callback    string `json:"callback"`
	MinSendable int64  `json:"minSendable"`
	MaxSendable int64  `json:"maxSendable"`
	Metadata    string `json:"metadata"`
}

// refuseSale adds to "already paid" where the code is.
func (o *Office) refuseSale(c *fiber.Ctx, s *sale, err error, now time.Time) error {
	if err == errPaid {
		return c.JSON(refusal{"ERROR", errPaid.Msg + " " + s.url(o.o.Host)})
	}
	return o.refuse(c, err, now)
}

// callback gives a wallet the invoice (LUD-06, with LUD-09, 11 and 21).
func (o *Office) callback(c *fiber.Ctx) error {
	now := time.Now()
	s, err := o.enter(c, now)
	if err != nil {
		return o.refuse(c, err, now)
	}
	msat, ok := amountOf(c.Query("amount"))
	if !ok {
		return o.refuse(c, errPrice, now)
	}
	inv, _, err := o.invoice(c.UserContext(), s, msat, now)
	if err != nil {
		return o.refuseSale(c, s, err, now)
	}
	action, err := o.action(s, inv)
	if err != nil {
		return o.refuse(c, err, now)
	}
	return c.JSON(payment{inv.Text, []string{}, true, s.url(o.o.Host) + "/verify/" + hex.EncodeToString(inv.Hash[:]), action})
}

// amountOf reads a positive number of millisatoshis.
func amountOf(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n > 0 && strconv.FormatInt(n, 10) == text
}

// payment is a callback's answer.
type payment struct {
	Request    string   `json:"pr"`
	Routes     []string `json:"routes"` // always empty
	Disposable bool     `json:"disposable"`
	Verify     string   `json:"verify"`
	Action     any      `json:"successAction"`
}

// sayCode is what a wallet shows above the link or the code; LUD-09 allows 144.
const sayCode = "Show the code to the cashier"

// urlAction is LUD-09's, aesAction LUD-10's.
type urlAction struct {
	Tag         string `json:"tag"`
	Description string `json:"description"`
	URL         string `json:"url"`
}

type aesAction struct {
	Tag         string `json:"tag"`
	Description string `json:"description"`
	Ciphertext  string `json:"ciphertext"`
	IV          string `json:"iv"`
}

// action is what a wallet shows once it has paid. The code is in neither kind before:
// the link leads to a page that waits for the payment, and the text opens only under
// the preimage.
func (o *Office) action(s *sale, inv store.OfflineInvoice) (any, error) {
	if o.o.Action == ActionURL {
		return urlAction{"url", sayCode, s.url(o.o.Host)}, nil
	}
	pre, hash := o.preimage(s.Token, inv.Attempt)
	if hash != inv.Hash {
		return nil, pos.E("answer", pos.Internal, "this invoice was made with another secret")
	}
	text := "Code " + offpay.ShowCode(s.keys.Code(s.Token)) + "  " + s.amount.String() + "  " + offpay.Reference(s.Counter)
	return seal(pre, text)
}

// seal encrypts a text so that only the preimage opens it.
func seal(pre [32]byte, text string) (aesAction, error) {
	iv := make([]byte, aes.BlockSize)
	_, _ = rand.Read(iv) // never fails (crypto/rand)
	return sealWith(pre, iv, text)
}

// sealWith is AES-256-CBC under the preimage, with PKCS #7 padding.
func sealWith(pre [32]byte, iv []byte, text string) (aesAction, error) {
	block, err := aes.NewCipher(pre[:])
	if err != nil {
		return aesAction{}, err
	}
	pad := aes.BlockSize - len(text)%aes.BlockSize
	out := append([]byte(text), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
	b64 := base64.StdEncoding.EncodeToString
	return aesAction{"aes", sayCode, b64(out), b64(iv)}, nil
}

// verification is LUD-21's.
type verification struct {
	Status   string  `json:"status"`
	Settled  bool    `json:"settled"`
	Preimage *string `json:"preimage"` // null until it is settled
	Request  string  `json:"pr"`
}

// verify says whether one of the sale's invoices is settled.
func (o *Office) verify(c *fiber.Ctx) error {
	now := time.Now()
	s, err := o.enter(c, now)
	if err != nil {
		return o.refuse(c, err, now)
	}
	inv, err := o.attempt(c, s, now)
	if err != nil {
		return o.refuse(c, err, now)
	}
	v := verification{Status: "OK", Request: inv.Text}
	if inv.State == store.InvoicePaid {
		pre, hash := o.preimage(s.Token, inv.Attempt)
		if hash == inv.Hash {
			text := hex.EncodeToString(pre[:])
			v.Settled, v.Preimage = true, &text
		}
	}
	return c.JSON(v)
}

// attempt finds the invoice that a verify URL names, and what the node says of it
// now. A hash that is none of the sale's gets what a bad token gets.
func (o *Office) attempt(c *fiber.Ctx, s *sale, now time.Time) (store.OfflineInvoice, error) {
	all, err := o.o.Store.OfflineInvoices(c.UserContext(), s.OfflineID)
	if err != nil {
		return store.OfflineInvoice{}, err
	}
	for i, inv := range all {
		if hex.EncodeToString(inv.Hash[:]) != c.Params("hash") || inv.Text == "" {
			continue
		}
		if inv.State != store.InvoiceLive {
			return inv, nil
		}
		if _, ended, err := o.ask(c.UserContext(), inv, now); err != nil || !ended {
			return inv, nil // not settled as far as anybody knows
		}
		if all, err = o.o.Store.OfflineInvoices(c.UserContext(), s.OfflineID); err != nil || len(all) <= i {
			return inv, err
		}
		for _, again := range all {
			if again.Hash == inv.Hash {
				return again, nil
			}
		}
	}
	return store.OfflineInvoice{}, errRefused
}
