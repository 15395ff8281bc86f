package pos

import (
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strings"
	"time"
)

// Unasked is money that lies at an address of the shop's own and belongs to no payment
// that the till still asks about: no request asked for it, or its payment was final.
type Unasked struct {
	// Key names it for good, whoever tells of it and how often: the chain, the hash of its
	// transaction, and the place of its event there. Of an address whose balance alone is
	// known, the address and what has come there in all. At most MaxUnaskedKey letters.
	Key     string    `json:"key"`
	Came    Quantity  `json:"came"`
	Network string    `json:"network,omitempty"` // in words: "USDC on Base"
	Tx      string    `json:"tx,omitempty"`      // for an explorer, as far as known
	Of      PaymentID `json:"of,omitempty"`      // that was final; empty: nobody asked for it
	At      time.Time `json:"at,omitzero"`       // when it came, by the chain's clock
}

// MaxUnaskedKey bounds a key, in bytes: two hashes in digits and then some.
const MaxUnaskedKey = 200

// maxNetwork bounds the words for a network, in bytes: a token's name and a chain's, of 32
// each in a merchant's registry, and what any language writes between them.
const maxNetwork = 80

// Valid reports that u can be booked.
func (u Unasked) Valid() bool {
	short := len(u.Network) <= maxNetwork && len(u.Tx) <= MaxUnaskedKey && len(u.Of) <= MaxKey
	return u.Key != "" && len(u.Key) <= MaxUnaskedKey && !u.Came.IsZero() && short
}

// ID is the name by which people decide about u, and the ledger knows it.
func (u Unasked) ID() PaymentID {
	h := sha256.Sum256([]byte(u.Key))
	return PaymentID(unaskedID + hex.EncodeToString(h[:12]))
}

const unaskedID = "unasked-"

// Unasked reports that id names money that no payment waited for.
func (id PaymentID) Unasked() bool { return strings.HasPrefix(string(id), unaskedID) }

// Dust reports that u is less than one whole token. Anybody can send a thousand such for
// little: they are counted and summed, and nobody is asked about each.
func (u Unasked) Dust() bool { return u.Came.Int().Cmp(pow10(u.Came.Asset.Decimals)) < 0 }

// Dust is unasked money of one asset that came in parts of less than one whole token.
type Dust struct {
	Sum   Quantity    `json:"sum"`
	Count int64       `json:"count"`
	IDs   []PaymentID `json:"ids,omitempty"` // of the first MaxDust of them
}

// MaxDust bounds the names that are kept with dust: what came beyond them is counted, and
// may count twice when a rail tells of it again after a restart.
const MaxDust = 128

// Plus returns d with u, which must be of its asset. One that it names is not added again.
func (d Dust) Plus(u Unasked) Dust {
	id := u.ID()
	for _, known := range d.IDs {
		if known == id {
			return d
		}
	}
	sum, err := u.Came.Asset.Units(new(big.Int).Add(d.Sum.Int(), u.Came.Int()))
	if err != nil { // beyond all bounds
		return d
	}
	d.Sum, d.Count = sum, d.Count+1
	if len(d.IDs) < MaxDust {
		d.IDs = append(d.IDs[:len(d.IDs):len(d.IDs)], id)
	}
	return d
}

// UnaskedCame says that unasked money came. It is in Payment as its ledger keeps it: that
// is decided about as any other that is owed.
type UnaskedCame struct {
	Unasked Unasked `json:"unasked"`
	Payment Payment `json:"payment"`
	By      Actor   `json:"by"`
}

// DustCame says how much dust came since the last such record.
type DustCame struct {
	Dust Dust  `json:"dust"`
	By   Actor `json:"by"`
}
