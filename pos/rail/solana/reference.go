package solana

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// reference is what the till's record keeps of a request: everything that finds its
// money again, also after the book or the owner's account changed.
type reference struct {
	owner Key      // who is paid
	mint  Key      // with what
	key   Key      // the 32 bytes that the customer's wallet puts into the transaction
	units *big.Int // what the customer is to send, an amount that no other open sale has
	from  uint64   // the newest slot when it was asked for: its money is not older
	end   uint64   // the customer's last moment, by the cluster's clock
}

// String writes the reference: a version, owner, mint, key, units, from, end.
func (r reference) String() string {
	return fmt.Sprintf("solana 1 %s %s %s %s %d %d", r.owner, r.mint, r.key, r.units, r.from, r.end)
}

// readReference reads what String wrote. It fails with Corrupt.
func readReference(s string) (reference, error) {
	bad := pos.E("read payment reference", pos.Corrupt, "the record of this payment is damaged")
	f := strings.Split(s, " ")
	if len(f) != 8 || f[0] != "solana" || f[1] != "1" {
		return reference{}, bad
	}
	owner, e1 := ParseKey(f[2])
	mint, e2 := ParseKey(f[3])
	key, e3 := ParseKey(f[4])
	units, ok := readUnits(f[5])
	from, e4 := strconv.ParseUint(f[6], 10, 53)
	end, e5 := strconv.ParseUint(f[7], 10, 53)
	r := reference{owner, mint, key, units, from, end}
	if e1 != nil || e2 != nil || e3 != nil || !ok || e4 != nil || e5 != nil || key.IsZero() || r.String() != s {
		return reference{}, bad
	}
	return r, nil
}

// readUnits reads a positive number of base units, which the token programs count
// with 64 bits.
func readUnits(s string) (*big.Int, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != s {
		return nil, false
	}
	return new(big.Int).SetUint64(n), true
}
