package evm

import (
	"encoding/binary"
	"math/bits"
)

// Keccak-256 as Ethereum has it: the sponge of FIPS 202 with the padding of the
// competition (0x01 instead of 0x06), which the standard library does not offer.
// Nothing hashed here is a secret.

// keccakRate is how many bytes one permutation takes in.
const keccakRate = 136

// rounds holds ι of FIPS 202 §3.2.5.
var rounds = [24]uint64{
	0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
	0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
	0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
	0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
}

// spin and place hold ρ and π of §3.2.2 and §3.2.3, along the path that π takes
// through the lanes from lane 1 on.
var (
	spin  = [24]int{1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44}
	place = [24]int{10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1}
)

// keccak returns the hash of the parts, one after the other.
func keccak(parts ...[]byte) (h [32]byte) {
	var state [25]uint64
	var block [keccakRate]byte
	n := 0
	for _, p := range parts {
		for len(p) > 0 {
			k := copy(block[n:], p)
			if n, p = n+k, p[k:]; n == keccakRate {
				absorb(&state, &block)
				n = 0
			}
		}
	}
	clear(block[n:])
	block[n] = 0x01
	block[keccakRate-1] |= 0x80
	absorb(&state, &block)
	for i := range 4 {
		binary.LittleEndian.PutUint64(h[8*i:], state[i])
	}
	return h
}

func absorb(state *[25]uint64, block *[keccakRate]byte) {
	for i := range keccakRate / 8 {
		state[i] ^= binary.LittleEndian.Uint64(block[8*i:])
	}
	for _, round := range rounds {
		permute(state, round)
	}
}

// permute is one round: θ, ρ with π, χ, ι.
func permute(a *[25]uint64, round uint64) {
	var c [5]uint64
	for x := range 5 {
		c[x] = a[x] ^ a[x+5] ^ a[x+10] ^ a[x+15] ^ a[x+20]
	}
	for x := range 5 {
		d := c[(x+4)%5] ^ bits.RotateLeft64(c[(x+1)%5], 1)
		for y := 0; y < 25; y += 5 {
			a[x+y] ^= d
		}
	}
	lane := a[1]
	for i, to := range place {
		a[to], lane = bits.RotateLeft64(lane, spin[i]), a[to]
	}
	for y := 0; y < 25; y += 5 {
		row := [5]uint64(a[y : y+5])
		for x := range 5 {
			a[y+x] = row[x] ^ (^row[(x+1)%5] & row[(x+2)%5])
		}
	}
	a[0] ^= round
}
