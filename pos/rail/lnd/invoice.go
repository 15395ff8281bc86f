package lnd

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/btcsuite/btcd/chaincfg"
	"github.com/lightningnetwork/lnd/lnwire"
	"github.com/lightningnetwork/lnd/zpay32"

	"github.com/tillwright/tillwright/pos"
)

// nets are the chains by lnd's names.
var nets = map[string]*chaincfg.Params{
	"mainnet":  &chaincfg.MainNetParams,
	"testnet":  &chaincfg.TestNet3Params,
	"testnet4": &chaincfg.TestNet4Params,
	"signet":   &chaincfg.SigNetParams,
	"regtest":  &chaincfg.RegressionNetParams,
	"simnet":   &chaincfg.SimNetParams,
}

// toys are the chains without a market: nobody mines them on time.
var toys = map[string]bool{"regtest": true, "simnet": true}

// order is what an invoice must say, to the last millisatoshi.
type order struct {
	network  string
	payee    string // 66 hex digits
	hash     hash
	msat     int64
	memo     string
	expiry   time.Duration
	hint     bool   // at least one route hint: all channels are private
	memoHash []byte // instead of memo: the SHA-256 of a text that the wallet has already
}

// described reports that the invoice says what it is for as the order wants it.
func (o order) described(in *zpay32.Invoice) bool {
	if o.memoHash != nil {
		return in.Description == nil && in.DescriptionHash != nil && bytes.Equal(in.DescriptionHash[:], o.memoHash)
	}
	return in.DescriptionHash == nil && in.Description != nil && *in.Description == o.memo
}

// maxInvoice bounds the text of an invoice. With three route hints it has 546
// characters (QR version 15); above 1,200 no display of ours can show it.
const maxInvoice = 1200

// check decodes the very text that the customer's wallet will read and compares it
// with the order. It returns the invoice's last moment by the node's clock.
//
// Whoever can change an invoice on its way can take the money: a difference is an
// error, and the invoice is never shown.
func (o order) check(text string) (end time.Time, err error) {
	net := nets[o.network]
	switch {
	case net == nil:
		return time.Time{}, fmt.Errorf("unknown network %q", clip(o.network))
	case len(text) > maxInvoice:
		return time.Time{}, fmt.Errorf("an invoice of %d characters", len(text))
	}
	in, err := zpay32.Decode(text, net, zpay32.WithErrorOnUnknownFeatureBit())
	if err != nil {
		return time.Time{}, fmt.Errorf("decode invoice: %w", err)
	}
	if err := o.compare(in); err != nil {
		return time.Time{}, err
	}
	return in.Timestamp.Add(in.Expiry()), nil
}

// compare holds the decoded fields against the order.
func (o order) compare(in *zpay32.Invoice) error {
	switch {
	case in.MilliSat == nil || *in.MilliSat != lnwire.MilliSatoshi(o.msat):
		return errors.New("the invoice is about another amount")
	case in.PaymentHash == nil || *in.PaymentHash != [32]byte(o.hash):
		return errors.New("the invoice has another payment hash")
	case in.Destination == nil || hex.EncodeToString(in.Destination.SerializeCompressed()) != o.payee:
		return errors.New("the invoice pays another node")
	case in.Expiry() != o.expiry:
		return fmt.Errorf("the invoice lasts %v, not %v", in.Expiry(), o.expiry)
	case !o.described(in):
		return errors.New("the invoice has another description")
	case in.PaymentAddr.IsNone():
		return errors.New("the invoice has no payment address; newer wallets refuse it")
	case in.FallbackAddr != nil:
		return errors.New("the invoice offers an on-chain address")
	case len(in.BlindedPaymentPaths) > 0 || in.Features.HasFeature(lnwire.AMPRequired):
		return errors.New("the invoice needs features that many wallets lack")
	case o.hint && len(in.RouteHints) == 0:
		return errors.New("the invoice has no route hint, and all channels are private: nobody could pay it")
	}
	return nil
}

// maxMemo is as much as every wallet shows.
const maxMemo = 40

// plain spells the letters that shop names in our five languages have.
var plain = strings.NewReplacer(
	"ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "ß", "ss",
	"à", "a", "á", "a", "â", "a", "ã", "a", "å", "a", "æ", "ae", "ç", "c",
	"è", "e", "é", "e", "ê", "e", "ë", "e", "ì", "i", "í", "i", "î", "i", "ï", "i",
	"ñ", "n", "ò", "o", "ó", "o", "ô", "o", "õ", "o", "ø", "o", "œ", "oe",
	"ù", "u", "ú", "u", "û", "u", "ý", "y", "ÿ", "y",
	"À", "A", "Á", "A", "Â", "A", "Ã", "A", "Å", "A", "Æ", "Ae", "Ç", "C",
	"È", "E", "É", "E", "Ê", "E", "Ë", "E", "Ì", "I", "Í", "I", "Î", "I", "Ï", "I",
	"Ñ", "N", "Ò", "O", "Ó", "O", "Ô", "O", "Õ", "O", "Ø", "O", "Œ", "Oe",
	"Ù", "U", "Ú", "U", "Û", "U", "Ý", "Y",
	"€", "EUR", "£", "GBP", "–", "-", "—", "-", "’", "'", "‘", "'", "“", `"`, "”", `"`, "…", "...", "\u00a0", " ",
)

// memoOf makes a description that every wallet can show: printable ASCII, at most
// 40 bytes, never empty. Letters with accents lose them, all else is left out.
func memoOf(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, plain.Replace(text))
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxMemo {
		text = strings.TrimRight(text[:maxMemo], " ")
	}
	if text == "" {
		return "Sale"
	}
	return text
}

// msatPerSat: wallets pay whole satoshis, and some cut the rest off.
const msatPerSat = 1000

// maxMsat is all the bitcoin there will be.
const maxMsat = 21_000_000 * 100_000_000 * msatPerSat

// msatOf returns what p asks for. It fails with Invalid unless that is a positive
// number of whole satoshis.
func msatOf(op string, p pos.Payment) (int64, error) {
	n := p.Quantity.Int()
	if p.Quantity.Asset.ID != pos.Bitcoin.ID || p.Quantity.Asset.Decimals != pos.Bitcoin.Decimals ||
		!n.IsInt64() || n.Int64() <= 0 || n.Int64() > maxMsat || n.Int64()%msatPerSat != 0 {
		return 0, pos.E(op, pos.Invalid, "%v cannot be paid over Lightning", p.Quantity)
	}
	return n.Int64(), nil
}
