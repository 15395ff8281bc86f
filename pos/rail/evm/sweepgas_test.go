package evm

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"testing"
)

// TestSweepGas: the gas that a transfer names is enough for all of its payments, also
// into a treasury that has none of the token yet, and with a third to spare. The
// contract swallows what a payment fails of, so no estimate of a wallet's would tell.
func TestSweepGas(t *testing.T) {
	t.Parallel()
	if outside != "" {
		t.Skip("it takes blocks back")
	}
	s := newShop(t)
	usdc := s.coin("Freezing", "USDC", 6)
	for _, n := range []int{1, 3, 50} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			treasury := Address{0xaa, byte(n)} // holds nothing
			var hs []Holding
			for i := range n {
				salt := Seed{3}.Salt(uint64(i))
				d := Deposit{Treasury: treasury, Salt: salt, Address: AddressOf(treasury, salt)}
				usdc.mint(d.Address, 10)
				hs = append(hs, Holding{Deposit: d, Token: Token{Chain: 31337, Contract: usdc.at}, Newest: big.NewInt(10)})
			}
			sweep, err := NewSweep(hs)
			if err != nil {
				t.Fatal(err)
			}
			enough := func(gas uint64) bool {
				var before string
				s.Into(&before, "evm_snapshot")
				defer s.Do("evm_revert", before)
				_, err := s.Try("eth_sendTransaction", map[string]any{"from": s.From, "to": Factory.String(), "data": "0x" + hex.EncodeToString(sweep.Data), "gas": fmt.Sprintf("0x%x", gas)})
				if err != nil { // less than every transaction takes
					return false
				}
				s.Do("evm_mine")
				return usdc.balance(treasury) == int64(10*n)
			}
			if n == 1 { // an estimate is good where nothing is swallowed
				var estimate string
				s.Into(&estimate, "eth_estimateGas", map[string]any{"from": s.From, "to": Factory.String(), "data": "0x" + hex.EncodeToString(sweep.Data)})
				if gas, _ := quantity(estimate); !enough(gas) {
					t.Errorf("a wallet's estimate of %d moves nothing", gas)
				}
			}
			low, high := uint64(21_000), uint64(200_000+150_000*n)
			for high-low > 500 {
				if mid := (low + high) / 2; enough(mid) {
					high = mid
				} else {
					low = mid
				}
			}
			t.Logf("%d payments: %d gas is enough, %d are named", n, high, sweep.Gas())
			if sweep.Gas() < high*13/10 {
				t.Errorf("%d payments need %d gas, and the transfer names %d", n, high, sweep.Gas())
			}
		})
	}
}
