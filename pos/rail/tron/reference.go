package tron

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// reference is what the till's record keeps of a request: everything that finds its
// money again, also after the book was lost.
type reference struct {
	from    block    // the newest block when it was asked for: its money is later
	end     uint64   // the customer's last moment, by the chain's clock
	address Address  // where the customer pays
	balance *big.Int // what the address had of the token in from
	units   *big.Int // what the customer is to send
}

// String writes the reference: version, height, hash and time of from, end, address,
// balance, units, with spaces.
func (r reference) String() string {
	return fmt.Sprintf("tron 1 %d %x %d %d %s %s %s", r.from.number, r.from.hash, r.from.time, r.end, r.address, r.balance, r.units)
}

// readReference reads what String wrote. It fails with Corrupt: a flipped bit must not
// watch for somebody else's money.
func readReference(s string) (r reference, err error) {
	f := strings.Split(s, " ")
	bad := pos.E("read payment reference", pos.Corrupt, "the record of this payment is damaged")
	if len(f) != 9 || f[0] != "tron" || f[1] != "1" {
		return r, bad
	}
	number, e1 := strconv.ParseUint(f[2], 10, 63)
	hash, e2 := hex.DecodeString(f[3])
	at, e3 := strconv.ParseUint(f[4], 10, 63)
	end, e4 := strconv.ParseUint(f[5], 10, 63)
	address, e5 := ParseAddress(f[6])
	balance, ok1 := decimal(f[7], 0)
	units, ok2 := decimal(f[8], 0)
	for _, e := range []error{e1, e2, e3, e4, e5} {
		if e != nil {
			return r, bad
		}
	}
	if len(hash) != 32 || !ok1 || !ok2 || units.Sign() <= 0 || number == 0 {
		return r, bad
	}
	r = reference{block{number, [32]byte(hash), at}, end, address, balance, units}
	if r.String() != s {
		return reference{}, bad
	}
	return r, nil
}
