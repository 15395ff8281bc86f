package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Wallet is the customer's phone: it decodes and pays invoices over the REST of
// the customer's node. Amounts are integers in millisatoshis; they travel as
// strings.
type Wallet struct {
	node *Node // the customer's
	shop *Node // its open invoices are listed, as a shop window

	mu       sync.Mutex
	activity []Activity // newest first, at most activityMax

	asking sync.Mutex // held while the display's request is asked for
	asked  asked
}

// Invoice is a payment request as the wallet shows it: a BOLT11 invoice, or what is
// asked at an LNURL, which has no hash, no end and no mischief.
type Invoice struct {
	Text        string    `json:"invoice"`
	Hash        string    `json:"payment_hash"`
	Sat         string    `json:"amount_sat"`
	Msat        string    `json:"amount_msat"`
	Description string    `json:"description"`
	Expires     time.Time `json:"expires,omitzero"`
	Shown       bool      `json:"shown"` // the till's customer display shows it now

	// What mischief pays: a tenth more, and one satoshi less.
	OverMsat  string `json:"over_msat,omitempty"`
	UnderMsat string `json:"under_msat,omitempty"`

	// Of an LNURL.
	URL     string  `json:"url,omitempty"`     // whom it asks; a phone's camera opens that
	Trouble string  `json:"trouble,omitempty"` // why it cannot be paid, in its server's words
	Paid    *Action `json:"paid,omitempty"`    // this wallet has paid it; what is to be shown now

	dest, address   string
	descriptionHash string // hexadecimal; "" for an invoice that holds its description
	cltv            int64
	features        []int
}

// Outcome is what became of a payment.
type Outcome struct {
	OK     bool   `json:"ok"`
	Hash   string `json:"preimage_hash,omitempty"` // the payment hash, when it was paid
	Msat   string `json:"amount_msat,omitempty"`   // what was paid
	TookMS int64  `json:"took_ms"`
	Reason string `json:"reason,omitempty"` // why not, in plain words

	Action *Action `json:"action,omitempty"` // what an LNURL's server wants to be shown

	// Of coins.
	Amount string `json:"amount,omitempty"` // "3.1522 USDC on Devnet One"
	Said   string `json:"said,omitempty"`   // "Sent"

	preimage []byte
}

// Activity is one line of the wallet's list.
type Activity struct {
	At          time.Time `json:"at"`
	OK          bool      `json:"ok"`
	Sat         string    `json:"amount_sat"`
	Amount      string    `json:"amount,omitempty"` // of coins, in place of Sat
	Description string    `json:"description"`
	Where       string    `json:"where,omitempty"` // of coins: "to …1145f1"
	Reason      string    `json:"reason,omitempty"`
	Action      *Action   `json:"action,omitempty"`

	url string // of an LNURL
}

// Balance is what the wallet holds.
type Balance struct {
	Sat      string     `json:"lightning_sat"` // what can be spent over Lightning
	Onchain  string     `json:"onchain_sat"`
	Activity []Activity `json:"activity"`
}

const (
	activityMax = 20
	payWithin   = 30 * time.Second // lnd gives up after it; a payment over one hop takes 0.1 s
	payReserve  = 10 * time.Second // for lnd's own last word, beyond payWithin
	openMax     = 8                // open invoices listed: a shop has one or two
)

// Decode asks the node what an invoice says. Errors are sentences for people.
func (w *Wallet) Decode(ctx context.Context, text string) (Invoice, error) {
	pr, err := parseInvoice(text)
	if err != nil {
		return Invoice{}, err
	}
	var d struct {
		Destination string
		Hash        string                     `json:"payment_hash"`
		Msat        int64                      `json:"num_msat,string"`
		Timestamp   int64                      `json:",string"`
		Expiry      int64                      `json:",string"`
		Description string                     `json:"description"`
		DescHash    string                     `json:"description_hash"`
		CLTV        int64                      `json:"cltv_expiry,string"`
		Address     string                     `json:"payment_addr"`
		Features    map[string]json.RawMessage `json:"features"`
	}
	if err := w.node.get(ctx, "/v1/payreq/"+url.PathEscape(pr), &d); err != nil {
		if _, ok := errors.AsType[*refusal](err); ok {
			return Invoice{}, errors.New("this invoice is damaged: its check digits do not fit")
		}
		return Invoice{}, err
	}
	in := Invoice{
		Text: pr, Hash: d.Hash, Sat: satText(d.Msat), Msat: strconv.FormatInt(d.Msat, 10), Description: d.Description,
		Expires: time.Unix(d.Timestamp+d.Expiry, 0), dest: d.Destination, address: d.Address, cltv: d.CLTV,
		descriptionHash: d.DescHash,
	}
	in.OverMsat = strconv.FormatInt((d.Msat+d.Msat/10+999)/1000*1000, 10)
	in.UnderMsat = strconv.FormatInt(max(1000, d.Msat-1000), 10)
	for bit := range d.Features {
		if n, err := strconv.Atoi(bit); err == nil {
			in.features = append(in.features, n)
		}
	}
	slices.Sort(in.features)
	return in, nil
}

// satText writes millisatoshis as satoshis, with decimals only where there are
// any.
func satText(msat int64) string {
	if msat%1000 == 0 {
		return strconv.FormatInt(msat/1000, 10)
	}
	return fmt.Sprintf("%d.%03d", msat/1000, msat%1000)
}

// Pay pays an invoice and waits for the end. msat 0 pays what the invoice asks,
// as every honest wallet does; any other sum is sent as told, and then the
// wallet's own check of the expiry is left out too. An LNURL is paid only if it asks
// for msat, or msat is 0. The error is for an invoice that cannot be read; what the
// network says is in the Outcome.
func (w *Wallet) Pay(ctx context.Context, text string, msat int64) (Outcome, error) {
	if u, found, err := scannedAddress(text); err != nil {
		return Outcome{}, err
	} else if found {
		return w.phonePay(ctx, u, msat), nil
	}
	in, err := w.Decode(ctx, text)
	if err != nil {
		return Outcome{}, err
	}
	out, err := w.carry(ctx, in, msat)
	if err == nil {
		w.note(in, msat, out)
	}
	return out, err
}

// carry pays an invoice and waits for the end.
func (w *Wallet) carry(ctx context.Context, in Invoice, msat int64) (Outcome, error) {
	began := time.Now()
	req := map[string]any{
		"timeout_seconds": int(payWithin / time.Second), "fee_limit_sat": 1000, "no_inflight_updates": true,
	}
	if msat == 0 {
		req["payment_request"] = in.Text
	} else if err := in.bare(req, msat); err != nil {
		return Outcome{}, err
	}
	out := w.send(ctx, req)
	out.TookMS = time.Since(began).Milliseconds()
	if out.OK {
		out.Hash = in.Hash
	}
	return out, nil
}

// cltvPadding is what lnd's own wallet adds to the last hop's time lock, so that
// blocks found meanwhile do no harm.
const cltvPadding = 3

// bare describes the payment without its invoice, so that the node does not
// compare the sum or the time.
func (in Invoice) bare(req map[string]any, msat int64) error {
	dest, err := hex.DecodeString(in.dest)
	if err != nil {
		return fmt.Errorf("read the invoice's payee: %w", err)
	}
	hash, err := hex.DecodeString(in.Hash)
	if err != nil {
		return fmt.Errorf("read the invoice's hash: %w", err)
	}
	req["dest"] = base64.StdEncoding.EncodeToString(dest)
	req["payment_hash"] = base64.StdEncoding.EncodeToString(hash)
	req["payment_addr"] = in.address
	req["amt_msat"] = strconv.FormatInt(msat, 10)
	req["final_cltv_delta"] = in.cltv + cltvPadding
	req["dest_features"] = in.features
	return nil
}

// send hands a payment to the node and waits for its end.
func (w *Wallet) send(ctx context.Context, req map[string]any) Outcome {
	ctx, cancel := context.WithTimeout(ctx, payWithin+payReserve)
	defer cancel()
	r, err := w.node.remote()
	if err != nil {
		return Outcome{Reason: "the wallet's node is not running"}
	}
	resp, err := r.open(ctx, http.MethodPost, "/v2/router/send", req)
	if err != nil {
		return Outcome{Reason: noAnswer}
	}
	defer resp.Body.Close()
	var answer struct {
		Result struct {
			Status string
			Reason string `json:"failure_reason"`
			Msat   string `json:"value_msat"`
			// The proof, which opens what an LNURL's server hid for who has paid.
			Preimage string `json:"payment_preimage"`
		}
		Error   *refusal
		Message string
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, answerLimit)).Decode(&answer); err != nil {
		return Outcome{Reason: noAnswer}
	}
	switch {
	case answer.Error != nil:
		return Outcome{Reason: refusalWords(answer.Error.Message)}
	case answer.Message != "":
		return Outcome{Reason: refusalWords(answer.Message)}
	case answer.Result.Status == "SUCCEEDED":
		preimage, _ := hex.DecodeString(answer.Result.Preimage) // damaged: then it opens nothing
		return Outcome{OK: true, Msat: answer.Result.Msat, preimage: preimage}
	}
	return Outcome{Reason: failureWords(answer.Result.Reason)}
}

const noAnswer = "the wallet's node gave no answer: the payment may or may not arrive"

// refusalWords says in plain words why the node did not even try (texts of lnd
// v0.21.1; what is not known is shown as it is).
func refusalWords(message string) string {
	for _, w := range []struct{ part, words string }{
		{"already paid", "this invoice is paid already"},
		{"invoice expired", "this invoice has expired"},
		{"in transition", "a payment of this invoice is still on its way"},
		{"payment isn't initiated", "a payment of this invoice is still on its way"},
		{"zero-value", "this invoice names no amount"},
		{"starting", "the wallet's node is still starting"},
	} {
		if strings.Contains(message, w.part) {
			return w.words
		}
	}
	return "the wallet's node refused: " + message
}

// failureWords says in plain words why a payment did not arrive. In all these
// cases nothing was paid.
func failureWords(reason string) string {
	switch reason {
	case "FAILURE_REASON_INCORRECT_PAYMENT_DETAILS":
		return "the shop turned it down: wrong sum, expired, withdrawn or already paid"
	case "FAILURE_REASON_NO_ROUTE":
		return "there is no way to the shop: its node is away, or the channel holds too little"
	case "FAILURE_REASON_INSUFFICIENT_BALANCE":
		return "there is not enough money in the wallet"
	case "FAILURE_REASON_TIMEOUT":
		return "the shop did not take it in time; nothing was paid"
	default:
		return "it did not go through (" + reason + ")"
	}
}

// note adds to the wallet's list.
func (w *Wallet) note(in Invoice, msat int64, out Outcome) {
	a := Activity{At: time.Now(), OK: out.OK, Sat: in.Sat, Description: in.Description, Reason: out.Reason, Action: out.Action, url: in.URL}
	if msat != 0 {
		a.Sat = satText(msat)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.activity = slices.Insert(w.activity, 0, a)
	w.activity = w.activity[:min(len(w.activity), activityMax)]
}

// Balance asks the node what the wallet holds.
func (w *Wallet) Balance(ctx context.Context) (Balance, error) {
	var l struct {
		Local struct{ Sat string } `json:"local_balance"`
	}
	var c struct {
		Total string `json:"total_balance"`
	}
	if err := errors.Join(w.node.get(ctx, "/v1/balance/channels", &l), w.node.get(ctx, "/v1/balance/blockchain", &c)); err != nil {
		return Balance{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return Balance{Sat: l.Local.Sat, Onchain: c.Total, Activity: slices.Clone(w.activity)}, nil
}

// Open lists the shop's invoices that wait for money, newest first. Those that belong
// to an LNURL say nothing of their own, and are not listed.
func (w *Wallet) Open(ctx context.Context) ([]Invoice, error) {
	var list struct {
		Invoices []struct {
			Request string `json:"payment_request"`
			State   string `json:"state"`
		}
	}
	path := fmt.Sprintf("/v1/invoices?pending_only=true&reversed=true&num_max_invoices=%d", openMax)
	if err := w.shop.get(ctx, path, &list); err != nil {
		return nil, err
	}
	out := []Invoice{}
	for _, i := range slices.Backward(list.Invoices) {
		if in, err := w.Decode(ctx, i.Request); err == nil && in.descriptionHash == "" && time.Now().Before(in.Expires) {
			out = append(out, in)
		}
	}
	return out, nil
}
