package solana

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"slices"
)

// Programs and accounts that the rail knows. Sources: Solana's documentation, and the
// token programs' own repositories.
var (
	systemProgram    = Key{}
	tokenProgram     = MustKey("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
	token2022Program = MustKey("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
	associated       = MustKey("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
	clockAccount     = MustKey("SysvarC1ock11111111111111111111111111111111")
)

// p25519 is 2^255 - 19; d25519 is the curve's -121665/121666.
var (
	p25519 = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	d25519 = func() *big.Int {
		d := new(big.Int).ModInverse(big.NewInt(121666), p25519)
		return d.Mod(d.Mul(d, big.NewInt(-121665)), p25519)
	}()
)

// onCurve reports that k is a point of Ed25519, so that a private key can exist. As
// Solana does, it looks at y alone: whether (y²-1)/(dy²+1) is a square (RFC 8032,
// section 5.1.3).
func onCurve(k Key) bool {
	b := k
	slices.Reverse(b[:])
	b[0] &= 0x7f // the sign of x
	yy := new(big.Int).SetBytes(b[:])
	yy.Mod(yy.Mul(yy, yy), p25519)
	u := new(big.Int).Sub(yy, big.NewInt(1))
	v := yy.Mul(yy, d25519)
	v.Add(v, big.NewInt(1))
	x := u.Mul(u, v.ModInverse(v.Mod(v, p25519), p25519)) // v is never 0: -1/d is no square
	return big.Jacobi(x.Mod(x, p25519), p25519) >= 0
}

// programAddress derives an account that no private key can have: the first hash off
// the curve, from bump 255 down. ok is false when there is none, once in 2^256.
func programAddress(program Key, seeds ...[]byte) (k Key, bump byte, ok bool) {
	head := slices.Concat(seeds...)
	for n := 255; n >= 0; n-- {
		k = sha256.Sum256(slices.Concat(head, []byte{byte(n)}, program[:], []byte("ProgramDerivedAddress")))
		if !onCurve(k) {
			return k, byte(n), true
		}
	}
	return Key{}, 0, false
}

// AccountOf returns the associated token account of owner for a mint: where wallets
// send a token to. program is the one that the mint belongs to.
func AccountOf(owner, program, mint Key) Key {
	k, _, _ := programAddress(associated, owner[:], program[:], mint[:])
	return k
}

// holding is what a token account says.
type holding struct {
	mint, owner Key
	units       uint64
	state       byte // 1: in use, 2: frozen
}

// Sizes of the token programs' records. Token-2022 appends extensions, after a byte
// that says what the record is (its sources, extension/mod.rs).
const (
	holdingSize  = 165
	mintSize     = 82
	typeAt       = 165
	typeMint     = 1
	typeHolding  = 2
	accountLimit = 16 << 10 // bytes: extensions of known tokens take less than a thousand
)

// readHolding reads a token account (spl-token, state.rs, Account).
func readHolding(a account) (h holding, ok bool) {
	b := a.data
	fits := len(b) == holdingSize || a.owner == token2022Program && len(b) > typeAt && b[typeAt] == typeHolding
	if !fits || a.owner != tokenProgram && a.owner != token2022Program {
		return h, false
	}
	return holding{Key(b[:32]), Key(b[32:64]), binary.LittleEndian.Uint64(b[64:]), b[108]}, true
}

// readMint reads a mint's decimals (spl-token, state.rs, Mint).
func readMint(a account) (decimals int, ok bool) {
	b := a.data
	fits := len(b) == mintSize || a.owner == token2022Program && len(b) > typeAt && b[typeAt] == typeMint
	if !fits || a.owner != tokenProgram && a.owner != token2022Program || b[45] != 1 {
		return 0, false
	}
	return int(b[44]), true
}

// readClock reads the cluster's clock: slot, epoch's start, epoch, leader's epoch,
// and the time in seconds since 1970.
func readClock(a account) (unix uint64, ok bool) {
	if len(a.data) != 40 {
		return 0, false
	}
	unix = binary.LittleEndian.Uint64(a.data[32:])
	return unix, unix > 0 && unix < 1<<40
}
