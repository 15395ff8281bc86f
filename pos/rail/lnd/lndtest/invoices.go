package lndtest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/lightningnetwork/lnd/lnwire"
	"github.com/lightningnetwork/lnd/zpay32"
)

// holdLimit is how long lnd holds the parts of a payment that is not whole.
const holdLimit = 120 * time.Second

// invoice is one entry of lnd's registry.
type invoice struct {
	memo     string
	memoHash []byte // goes into the text instead of the memo
	preimage []byte
	hash     [32]byte
	addr     [32]byte
	msat     int64
	created  time.Time
	settled  time.Time
	expiry   time.Duration
	request  string
	index    int
	state    string
	paid     int64
	parts    []part
	private  bool
	keysend  bool
	subs     map[chan map[string]any]bool
}

// part is one HTLC.
type part struct {
	msat  int64
	at    time.Time
	state string
}

// add makes an invoice, or says why not as lnd does.
func (n *Node) add(in *invoice) error {
	in.hash = sha256.Sum256(in.preimage)
	if n.invoices[in.hash] != nil {
		return errors.New("invoice with payment hash already exists")
	}
	if len(in.memo) > 639 {
		return fmt.Errorf("data length too big to fit within 10 bits: %d", (len(in.memo)*8+4)/5)
	}
	in.created = n.now().Truncate(time.Second)
	copy(in.addr[:], random(32))
	var err error
	if in.request, err = n.encode(in, in.private && !n.noHints); err != nil {
		return err
	}
	n.added++
	in.index, in.state, in.subs = n.added, "OPEN", map[chan map[string]any]bool{}
	n.invoices[in.hash] = in
	time.AfterFunc(in.expiry, n.tick) // by the node's clock it may be sooner or later; see Advance
	return nil
}

// encode writes and signs BOLT11 as lnd does.
func (n *Node) encode(in *invoice, hint bool) (string, error) {
	features := lnwire.NewFeatureVector(lnwire.NewRawFeatureVector(
		lnwire.TLVOnionPayloadRequired, lnwire.PaymentAddrRequired, lnwire.MPPOptional), lnwire.Features)
	about := zpay32.Description(in.memo)
	if len(in.memoHash) == 32 {
		about = zpay32.DescriptionHash([32]byte(in.memoHash))
	}
	options := []func(*zpay32.Invoice){
		about, zpay32.Expiry(in.expiry), zpay32.CLTVExpiry(80),
		zpay32.PaymentAddr(in.addr), zpay32.Features(features),
	}
	if in.msat > 0 {
		options = append(options, zpay32.Amount(lnwire.MilliSatoshi(in.msat)))
	}
	if hint {
		options = append(options, zpay32.RouteHint([]zpay32.HopHint{{NodeID: n.key.PubKey(), ChannelID: 1, CLTVExpiryDelta: 80}}))
	}
	inv, err := zpay32.NewInvoice(n.params, in.hash, in.created, options...)
	if err != nil {
		return "", err
	}
	return inv.Encode(signer(n.key))
}

// signer signs as lnd's node key does.
func signer(key *btcec.PrivateKey) zpay32.MessageSigner {
	return zpay32.MessageSigner{SignCompact: func(msg []byte) ([]byte, error) {
		return ecdsa.SignCompact(key, chainhash.HashB(msg), true), nil
	}}
}

// json writes the invoice with every field that lnd v0.21.1 gives.
func (in *invoice) json() map[string]any {
	b64 := base64.StdEncoding.EncodeToString
	num := func(v int64) string { return strconv.FormatInt(v, 10) }
	settled := int64(0)
	if !in.settled.IsZero() {
		settled = in.settled.Unix()
	}
	htlcs := []any{}
	for i, p := range in.parts {
		htlcs = append(htlcs, map[string]any{
			"chan_id": "440904162803712", "htlc_index": num(int64(i)), "amt_msat": num(p.msat), "accept_height": 406,
			"accept_time": num(p.at.Unix()), "resolve_time": "0", "expiry_height": 489, "state": p.state,
			"custom_records": map[string]any{}, "mpp_total_amt_msat": num(in.msat), "amp": nil, "custom_channel_data": "",
		})
	}
	return map[string]any{
		"memo": in.memo, "r_preimage": b64(in.preimage), "r_hash": b64(in.hash[:]), "value": num(in.msat / 1000),
		"value_msat": num(in.msat), "settled": in.state == "SETTLED", "creation_date": num(in.created.Unix()),
		"settle_date": num(settled), "payment_request": in.request, "description_hash": b64(in.memoHash),
		"expiry": num(int64(in.expiry / time.Second)), "fallback_addr": "", "cltv_expiry": "80", "route_hints": []any{},
		"private": in.private, "add_index": num(int64(in.index)), "settle_index": "0", "amt_paid": num(in.paid),
		"amt_paid_sat": num(in.paid / 1000), "amt_paid_msat": num(in.paid), "state": in.state, "htlcs": htlcs,
		"features":   map[string]any{"8": map[string]any{"name": "tlv-onion", "is_required": true, "is_known": true}},
		"is_keysend": in.keysend, "payment_addr": b64(in.addr[:]), "is_amp": false, "amp_invoice_state": map[string]any{},
		"is_blinded": false, "blinded_path_config": nil,
	}
}

// subQueue bounds the events a stream may lag behind; an invoice has fewer.
const subQueue = 64

// tell sends the present state to every stream.
func (in *invoice) tell() {
	for c := range in.subs {
		select {
		case c <- in.json():
		default:
		}
	}
}

// tick ends what has ended.
func (n *Node) tick() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sweep()
}

// sweep cancels invoices past their end, and gives back parts held too long. Like
// lnd's it does nothing while the node is stopped. The caller holds n.mu.
func (n *Node) sweep() {
	if !n.on {
		return
	}
	for _, in := range n.invoices {
		for i, p := range in.parts {
			if p.state == "ACCEPTED" && n.now().Sub(p.at) >= holdLimit {
				in.parts[i].state = "CANCELED"
			}
		}
		if in.state == "OPEN" && !n.now().Before(in.created.Add(in.expiry)) {
			n.cancelOpen(in)
		}
	}
}

// cancelOpen gives parts back and, with gc, deletes.
func (n *Node) cancelOpen(in *invoice) {
	in.state = "CANCELED"
	for i := range in.parts {
		in.parts[i].state = "CANCELED"
	}
	in.tell()
	if n.gc {
		delete(n.invoices, in.hash)
	}
}

// cancel is CancelInvoice.
func (n *Node) cancel(hash [32]byte) error {
	in := n.invoices[hash]
	switch {
	case in == nil: // also at a node that never had one, where a lookup has other words
		return errors.New("unable to locate invoice")
	case in.state == "SETTLED":
		return errors.New("invoice already settled")
	case in.state == "OPEN":
		n.cancelOpen(in)
	}
	return nil
}

// ErrRefused is how a payment fails back to its payer. Nothing was paid.
var ErrRefused = errors.New("incorrect_or_unknown_payment_details")

// Pay sends msat to the invoice in text, as a wallet that has scanned it would. It
// fails with ErrRefused when the node does not take it.
func (n *Node) Pay(text string, msat int64) error { return n.send(text, msat, true) }

// PayPart sends a part of a payment, which the node holds until it is whole.
func (n *Node) PayPart(text string, msat int64) error { return n.send(text, msat, false) }

func (n *Node) send(text string, msat int64, whole bool) error {
	wallet, err := zpay32.Decode(text, n.params)
	if err != nil {
		return fmt.Errorf("the wallet cannot read the code: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sweep()
	in := n.invoices[*wallet.PaymentHash]
	if !n.on || in == nil || in.state != "OPEN" || whole && msat < in.msat || wallet.PaymentAddr.UnwrapOr([32]byte{}) != in.addr {
		return ErrRefused
	}
	if hex.EncodeToString(wallet.Destination.SerializeCompressed()) != n.Identity() {
		return errors.New("no route: the code names another node")
	}
	in.parts = append(in.parts, part{msat, n.now(), "ACCEPTED"})
	held := int64(0)
	for _, p := range in.parts {
		if p.state == "ACCEPTED" {
			held += p.msat
		}
	}
	if held < in.msat {
		time.AfterFunc(holdLimit, n.tick)
		return nil // held, without an event
	}
	in.state, in.paid, in.settled = "SETTLED", held, n.now()
	for i, p := range in.parts {
		if p.state == "ACCEPTED" {
			in.parts[i].state = "SETTLED"
		}
	}
	in.tell()
	return nil
}

// Keysend marks an invoice as one that came without being asked for.
func (n *Node) Keysend(hash [32]byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.invoices[hash].keysend = true
}

// Invoices returns how many invoices the node has.
func (n *Node) Invoices() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.invoices)
}
