package evm

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// reference is what the till's record keeps of a request: everything that finds and
// sweeps its money again, also after the till's own secret and treasury changed.
type reference struct {
	scheme   int
	n        uint64   // of the attempt, from 1; 0 with a shared address
	from     uint64   // the newest block when it was asked for: its money is not older
	end      uint64   // the customer's last moment, by the chain's clock
	treasury Address  // where a sweep brings it
	salt     [32]byte // zero with a shared address
	address  Address  // where the customer pays
	units    *big.Int // what the customer is to send in all
	unseen   uint64   // not 0: the chain did not answer, and this was its time by the till's clock when it was asked for
}

// schemeShared marks an address that all sales share: the amount tells them apart.
const schemeShared = 0

// String writes the reference: scheme, n, from, end, treasury, salt, address, units,
// with spaces; and unseen, when it is not 0.
func (r reference) String() string {
	if r.unseen != 0 {
		seen := r
		seen.unseen = 0
		return fmt.Sprintf("%s %d", seen, r.unseen)
	}
	return fmt.Sprintf("evm %d %d %d %d %s %x %s %s", r.scheme, r.n, r.from, r.end, r.treasury, r.salt, r.address, r.units)
}

// readReference reads what String wrote, and computes the address anew: a flipped
// bit must not watch, or sweep, somebody else's address. It fails with Corrupt.
func readReference(s string) (r reference, err error) {
	f := strings.Split(s, " ")
	bad := pos.E("read payment reference", pos.Corrupt, "the record of this payment is damaged")
	unseen := uint64(0)
	if len(f) == 10 {
		if unseen, err = strconv.ParseUint(f[9], 10, 63); err != nil {
			return r, bad
		}
		f = f[:9]
	}
	if len(f) != 9 || f[0] != "evm" {
		return r, bad
	}
	scheme, e1 := strconv.ParseUint(f[1], 10, 8)
	n, e2 := strconv.ParseUint(f[2], 10, 64)
	from, e3 := strconv.ParseUint(f[3], 10, 63)
	end, e4 := strconv.ParseUint(f[4], 10, 63)
	treasury, e5 := ParseAddress(f[5])
	salt, e6 := hex.DecodeString(f[6])
	address, e7 := ParseAddress(f[7])
	for _, e := range []error{e1, e2, e3, e4, e5, e6, e7} {
		if e != nil {
			return r, bad
		}
	}
	units, ok := new(big.Int).SetString(f[8], 10)
	if len(salt) != 32 || !ok || units.Sign() <= 0 || units.BitLen() > 256 {
		return r, bad
	}
	r = reference{int(scheme), n, from, end, treasury, [32]byte(salt), address, units, unseen}
	switch {
	case r.String() != s, r.scheme == schemeShared && unseen != 0,
		r.scheme == Scheme && (n == 0 || address != AddressOf(treasury, r.salt)),
		r.scheme == schemeShared && (n != 0 || address != treasury || r.salt != [32]byte{}),
		r.scheme != Scheme && r.scheme != schemeShared:
		return reference{}, bad
	}
	return r, nil
}
