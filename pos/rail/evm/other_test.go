package evm

import (
	"math/big"
	"testing"
)

// TestOtherMoney: of several kinds of other money the same one is told at every look, or
// the journal would grow with each of them; and it is the first by chain and token.
func TestOtherMoney(t *testing.T) {
	own := Token{Chain: 1, Contract: Address{1}}
	p := &payment{token: own, claims: map[claimKey]*claim{{1, own.Contract}: {token: own, units: big.NewInt(9), proof: &proof{left: big.NewInt(9), swept: new(big.Int)}}}}
	if _, k := p.other(); k != nil {
		t.Fatalf("its own money: %+v", k)
	}
	for n, at := range []uint64{30, 20, 20, 40} {
		key := claimKey{uint64(2 + n), Address{byte(n)}}
		p.claims[key] = &claim{token: Token{Chain: key.chain, Contract: key.token}, units: big.NewInt(5), proof: &proof{left: big.NewInt(5), swept: new(big.Int)}, time: at}
	}
	p.claims[claimKey{7, Address{7}}] = &claim{units: big.NewInt(5), time: 1}                                                         // not proved
	p.claims[claimKey{8, Address{8}}] = &claim{units: new(big.Int), proof: &proof{left: big.NewInt(5), swept: new(big.Int)}, time: 1} // not there any more
	for range 100 {
		if key, k := p.other(); k == nil || key.chain != 2 {
			t.Fatalf("%+v, %+v", key, k)
		}
	}
}
