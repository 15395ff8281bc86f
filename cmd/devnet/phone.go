package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The customer's phone as an LNURL wallet (LUD-06). It is as strict as the strictest
// real one, so that what is paid here is paid everywhere: one answer of bounded
// size, no redirects, the sum and the description that were shown, an action that
// it knows.
//
// Limits. It asks loopback addresses only, whatever a QR code says, and pays
// requests of one fixed sum.

const (
	phoneLimit  = 64 << 10         // bytes of an answer: metadata may hold a small picture
	phoneWithin = 10 * time.Second // of one question
	wordsMax    = 300              // letters of what a stranger's server may say on the page
)

// phoneRequest is a payRequest, checked.
type phoneRequest struct {
	url         *url.URL
	callback    *url.URL
	msat        int64
	metadata    string // exactly as it was signed over
	description string
}

// phoneClient is the phone's own way to the net: past the shop's line, to this
// computer alone, whatever a name resolves to.
var phoneClient = &http.Client{
	Timeout:       phoneWithin,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport: &http.Transport{
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: 16 << 10,
		DialContext: (&net.Dialer{Timeout: phoneWithin, Control: func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil || !at.Addr().Unmap().IsLoopback() {
				return errors.New("this demo wallet asks its own computer only")
			}
			return nil
		}}).DialContext,
	},
}

// spoken is a sentence of somebody else's server, shown as it is.
type spoken string

func (s spoken) Error() string { return string(s) }

// fetch asks a server and decodes its answer into out. A LUD-06 error is spoken; all
// other errors are sentences for people.
func fetch(ctx context.Context, u *url.URL, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return errors.New("this is no web address that a wallet could ask")
	}
	req.Header.Set("Accept", "application/json")
	resp, err := phoneClient.Do(req)
	if err != nil {
		return fmt.Errorf("%s does not answer", u.Host)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, phoneLimit+1))
	switch {
	case err != nil:
		return fmt.Errorf("%s broke off in the middle of its answer", u.Host)
	case len(body) > phoneLimit:
		return fmt.Errorf("%s answered far more than a payment needs", u.Host)
	case resp.StatusCode/100 == 3:
		return fmt.Errorf("%s sends the wallet somewhere else; a wallet does not follow", u.Host)
	}
	var refused struct{ Status, Reason string }
	if json.Unmarshal(body, &refused) == nil && strings.EqualFold(refused.Status, "ERROR") {
		return spoken(clip(refused.Reason, "it refused without a reason"))
	}
	if resp.StatusCode != http.StatusOK || json.Unmarshal(body, out) != nil {
		return fmt.Errorf("%s answered nothing that a wallet understands (HTTP %d)", u.Host, resp.StatusCode)
	}
	return nil
}

// clip bounds what a stranger says; otherwise stands for nothing at all.
func clip(s, otherwise string) string {
	s = strings.TrimSpace(strings.ToValidUTF8(s, "\ufffd"))
	if s == "" {
		return otherwise
	}
	if r := []rune(s); len(r) > wordsMax {
		return string(r[:wordsMax]) + "…"
	}
	return s
}

// askPhone asks what is to be paid at an address.
func askPhone(ctx context.Context, u *url.URL) (phoneRequest, error) {
	var a struct {
		Tag      string
		Callback string
		Min      int64 `json:"minSendable"`
		Max      int64 `json:"maxSendable"`
		Metadata string
	}
	if err := fetch(ctx, u, &a); err != nil {
		return phoneRequest{}, err
	}
	callback, err := phoneAddress(a.Callback)
	switch {
	case a.Tag != "payRequest":
		return phoneRequest{}, fmt.Errorf("%s asks for something else than a payment", u.Host)
	case err != nil:
		return phoneRequest{}, fmt.Errorf("%s names no address to pay at: %w", u.Host, err)
	case a.Min < 1 || a.Max < a.Min:
		return phoneRequest{}, fmt.Errorf("%s asks for an impossible sum", u.Host)
	case a.Min != a.Max:
		return phoneRequest{}, errors.New("this request leaves the sum open; the demo wallet pays fixed sums only")
	}
	text, err := describedBy(a.Metadata)
	if err != nil {
		return phoneRequest{}, err
	}
	return phoneRequest{url: u, callback: callback, msat: a.Min, metadata: a.Metadata, description: text}, nil
}

// describedBy returns the one text/plain entry of LUD-06 metadata.
func describedBy(metadata string) (string, error) {
	bad := errors.New("the request's description cannot be read")
	var entries [][]any // a JSON array of [type, content]; others may have more fields
	if json.Unmarshal([]byte(metadata), &entries) != nil {
		return "", bad
	}
	text, found := "", 0
	for _, e := range entries {
		if len(e) < 2 || e[0] != "text/plain" {
			continue
		}
		s, ok := e[1].(string)
		if !ok {
			return "", bad
		}
		text = s
		found++
	}
	if found != 1 {
		return "", bad
	}
	return clip(text, "No description"), nil
}

// order asks for the invoice of a request, and for what follows the payment. The
// invoice is the request's own: this sum, this description.
func (w *Wallet) order(ctx context.Context, r phoneRequest) (Invoice, *Action, error) {
	at := *r.callback
	if at.RawQuery != "" {
		at.RawQuery += "&"
	}
	at.RawQuery += "amount=" + strconv.FormatInt(r.msat, 10)
	var a struct {
		PR     string
		Action *Action `json:"successAction"`
	}
	if err := fetch(ctx, &at, &a); err != nil {
		return Invoice{}, nil, err
	}
	if err := a.Action.check(r.callback); err != nil {
		return Invoice{}, nil, err
	}
	in, err := w.Decode(ctx, a.PR)
	if err != nil {
		return Invoice{}, nil, err
	}
	hash := sha256.Sum256([]byte(r.metadata))
	switch {
	case in.Msat != strconv.FormatInt(r.msat, 10):
		return Invoice{}, nil, fmt.Errorf("it asked for %s sat, and its invoice for %s", satText(r.msat), in.Sat)
	case in.descriptionHash != hex.EncodeToString(hash[:]):
		return Invoice{}, nil, errors.New("the invoice is for something else than what was shown")
	case !time.Now().Before(in.Expires):
		return Invoice{}, nil, errors.New("the invoice has expired before it could be paid")
	}
	return in, a.Action, nil
}

// phonePay asks again, and pays if that is still the sum which was shown; msat 0:
// whatever is asked. What the server says is in the Outcome.
func (w *Wallet) phonePay(ctx context.Context, u *url.URL, msat int64) Outcome {
	r, err := askPhone(ctx, u)
	if err != nil {
		return Outcome{Reason: err.Error()}
	}
	if msat != 0 && msat != r.msat {
		return Outcome{Reason: fmt.Sprintf("it asks for %s sat now, and not for %s", satText(r.msat), satText(msat))}
	}
	in, action, err := w.order(ctx, r)
	if err != nil {
		return Outcome{Reason: err.Error()}
	}
	out, err := w.carry(ctx, in, 0)
	if err != nil {
		return Outcome{Reason: err.Error()}
	}
	if out.OK {
		out.Action = action.opened(out.preimage)
	}
	in.Description, in.URL = r.description, u.String()
	w.note(in, 0, out)
	w.forget()
	return out
}

// Look reads what a customer scanned or pasted, and asks an LNURL's server what it
// wants. Errors are sentences for people.
func (w *Wallet) Look(ctx context.Context, text string) (Invoice, error) {
	u, found, err := scannedAddress(text)
	switch {
	case err != nil:
		return Invoice{}, err
	case !found:
		return w.Decode(ctx, text)
	}
	return w.request(ctx, text, u)
}

// request asks at u. One that this wallet has paid is not asked for again.
func (w *Wallet) request(ctx context.Context, text string, u *url.URL) (Invoice, error) {
	in := Invoice{Text: text, URL: u.String()}
	if a, ok := w.paid(in.URL); ok {
		in.Sat, in.Description, in.Paid = a.Sat, a.Description, a.Action
		if in.Paid == nil {
			in.Paid = &Action{Tag: "none"}
		}
		return in, nil
	}
	r, err := askPhone(ctx, u)
	if err != nil {
		return Invoice{}, err
	}
	in.Sat, in.Msat, in.Description = satText(r.msat), strconv.FormatInt(r.msat, 10), r.description
	return in, nil
}

// paid returns the line of an LNURL that this wallet has paid.
func (w *Wallet) paid(url string) (Activity, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.activity {
		if a.OK && a.url == url {
			return a, true
		}
	}
	return Activity{}, false
}

// The request on the display is asked for again and again while a page is open, and
// its server counts: so an answer serves for a while. A price lives five minutes.
const (
	askEvery   = 20 * time.Second
	retryEvery = 5 * time.Second // after trouble
)

// asked is the newest answer about the request on the display.
type asked struct {
	text string
	at   time.Time
	in   Invoice
}

func (a asked) fresh(text string) bool {
	every := askEvery
	if a.in.Trouble != "" {
		every = retryEvery
	}
	return a.text == text && time.Since(a.at) < every
}

// Shown returns the LNURL request on the till's display, or false when text is none.
// One that cannot be paid says why in Trouble.
func (w *Wallet) Shown(ctx context.Context, text string) (Invoice, bool) {
	u, found, err := scannedAddress(text)
	if !found {
		return Invoice{}, false
	}
	w.asking.Lock()
	defer w.asking.Unlock()
	if !w.asked.fresh(text) {
		in := Invoice{}
		if err == nil {
			in, err = w.request(ctx, text, u)
		}
		if err != nil {
			in = Invoice{Text: text, Trouble: err.Error()}
			if u != nil {
				in.URL = u.String()
			}
		}
		in.Shown = true
		w.asked = asked{text, time.Now(), in}
	}
	return w.asked.in, true
}

// forget drops the answer about the display: a payment has changed it.
func (w *Wallet) forget() {
	w.asking.Lock()
	defer w.asking.Unlock()
	w.asked = asked{}
}
