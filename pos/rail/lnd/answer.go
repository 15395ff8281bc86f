package lnd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Answers are read strictly, because money is in them. encoding/json takes the last
// of two equal keys and lets "STATE" stand for "state"; decode refuses both. The
// preimage, which lnd sends along even while an invoice is unpaid, has no field
// here: what is never decoded cannot leak.

// number is one of lnd's 64-bit numbers: a string in its answers. Negative ones are
// refused; none of those read here can be.
type number int64

// UnmarshalJSON reads "123" or 123.
func (n *number) UnmarshalJSON(b []byte) error {
	text := string(b)
	if len(text) > 1 && text[0] == '"' {
		text = text[1 : len(text)-1]
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v < 0 || strconv.FormatInt(v, 10) != text {
		return errors.New("not one of lnd's numbers")
	}
	*n = number(v)
	return nil
}

// States of an invoice.
const (
	stateOpen     = "OPEN"
	stateSettled  = "SETTLED"
	stateCanceled = "CANCELED"
	stateAccepted = "ACCEPTED" // hold invoices only; the till makes none
)

// invoice is the part of lnrpc.Invoice that the till reads.
type invoice struct {
	Hash      []byte  `json:"r_hash"`
	Request   string  `json:"payment_request"`
	State     string  `json:"state"`
	PaidMsat  *number `json:"amt_paid_msat"`
	CreatedAt number  `json:"creation_date"` // unix seconds, the node's clock
	SettledAt number  `json:"settle_date"`
	Expiry    number  `json:"expiry"` // seconds
	HTLCs     []htlc  `json:"htlcs"`
	Keysend   bool    `json:"is_keysend"`
	AMP       bool    `json:"is_amp"`
}

// htlc is one part of a payment.
type htlc struct {
	State string `json:"state"`
	Msat  number `json:"amt_msat"`
}

// maxExpiry is lnd's own bound, a year: what is longer is damaged.
const maxExpiry = 366 * 24 * 60 * 60

// check reports what makes the answer useless: another invoice than h, an unknown
// state, money without an amount.
func (i invoice) check(h hash) error {
	switch {
	case !bytes.Equal(i.Hash, h[:]):
		return errors.New("the node answered about another invoice")
	case i.State != stateOpen && i.State != stateSettled && i.State != stateCanceled && i.State != stateAccepted:
		return fmt.Errorf("unknown state %q", clip(i.State))
	case i.State == stateSettled && (i.PaidMsat == nil || *i.PaidMsat == 0):
		return errors.New("settled, but with no amount")
	case i.CreatedAt == 0 || i.Expiry == 0 || i.Expiry > maxExpiry:
		return errors.New("an invoice without beginning or end")
	}
	return nil
}

// arriving reports that parts of a payment are held. lnd sends no event for it.
func (i invoice) arriving() bool {
	for _, h := range i.HTLCs {
		if h.State == stateAccepted {
			return true
		}
	}
	return i.State == stateAccepted
}

// added is the answer to AddInvoice.
type added struct {
	Hash    []byte `json:"r_hash"`
	Request string `json:"payment_request"`
}

// info is the part of GetInfo that the till reads.
type info struct {
	Identity       string `json:"identity_pubkey"` // 66 hex digits: who signs the invoices
	Version        string `json:"version"`
	Synced         bool   `json:"synced_to_chain"`
	ActiveChannels int    `json:"num_active_channels"`
	BestHeader     number `json:"best_header_timestamp"`
	Chains         []struct {
		Network string `json:"network"`
	} `json:"chains"`
}

// network returns the chain that the node works on, "" if it does not say.
func (i info) network() string {
	if len(i.Chains) != 1 {
		return ""
	}
	return i.Chains[0].Network
}

// failure is lnd's refusal, bare or, from a stream, wrapped in "error".
type failure struct {
	Code    *int     `json:"code"`
	Message string   `json:"message"`
	Error   *failure `json:"error"`
}

// readRefusal reads the body of a status other than 200. ok is false when lnd did
// not write it.
func readRefusal(status int, body []byte) (r *refusal, ok bool) {
	var f failure
	if decode(body, &f) != nil {
		return nil, false
	}
	if f.Error != nil {
		f = *f.Error
	}
	if f.Code == nil {
		return nil, false
	}
	return &refusal{status, *f.Code, f.Message}, true
}

// maxDepth bounds how deep an answer is nested; lnd's deepest has six levels.
const maxDepth = 32

// decode reads exactly one JSON object into out, with no key twice and none in
// capitals. Its errors hold nothing of the answer.
func decode(b []byte, out any) error {
	if b = bytes.TrimLeft(b, " \t\r\n"); len(b) == 0 || b[0] != '{' {
		return errors.New("the answer is no JSON object")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := walk(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one answer at once")
	}
	if err := json.Unmarshal(b, out); err != nil {
		return errors.New("the answer has not lnd's form")
	}
	return nil
}

// walk reads one value and checks the keys in it.
func walk(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return errors.New("the answer is no JSON")
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxDepth {
		return errors.New("the answer is nested too deep")
	}
	keys := map[string]bool{}
	for d.More() {
		if open == '{' {
			if err := walkKey(d, keys); err != nil {
				return err
			}
		}
		if err := walk(d, depth+1); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return errors.New("the answer is no JSON")
	}
	return nil
}

// walkKey reads a key. Go folds letters when it looks for a field, beyond ASCII
// too, so only a key without any that could fold is let through.
func walkKey(d *json.Decoder, seen map[string]bool) error {
	t, err := d.Token()
	key, ok := t.(string)
	if err != nil || !ok {
		return errors.New("the answer is no JSON")
	}
	for _, r := range key {
		if r >= 'A' && r <= 'Z' || r > 0x7e {
			return errors.New("a key is not lnd's")
		}
	}
	if seen[key] {
		return errors.New("a key comes twice")
	}
	seen[key] = true
	return nil
}
