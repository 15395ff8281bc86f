package evm

import (
	"crypto/rand"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// outside is another EVM than anvil: a development node with an account that it signs
// for, such as geth --dev. The contract of all rails, and the contracts, run on it.
var outside = os.Getenv("TILLWRIGHT_EVM_RPC")

// settling lets one test at a time bring the contracts there.
var settling sync.Mutex

func plainHex(s string) (n uint64, ok bool) {
	digits, ok := strings.CutPrefix(s, "0x")
	for _, c := range []byte(digits) {
		n = n<<4 | uint64(strings.IndexByte("0123456789abcdef", c))
	}
	return n, ok && digits != ""
}

// deployerSender pays for the deterministic deployer, by a transaction whose signature
// was chosen: nobody has the key. It is legacy, of nonce 0, at 100 gwei and 100,000 gas.
const deployerSender = "0x3fab184622dc19b6109349b94811493bf2a45362"

func deployerTx() string {
	return "0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe" +
		"7f" + strings.Repeat("ff", 31) + "e03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3" +
		"1ba0" + strings.Repeat("22", 32) + "a0" + strings.Repeat("22", 32)
}

// settle puts the deployer on the outside chain, as anvil has it from the start.
func (a *anvil) settle() {
	a.T.Helper()
	if a.hasCode(Deployer) {
		return
	}
	a.works(MustAddress(deployerSender), nil, 10_000_000_000_000_000) // 0.01 ETH
	var hash string
	a.Into(&hash, "eth_sendRawTransaction", deployerTx())
	a.until("the deployer is there", func() bool { return a.hasCode(Deployer) })
}

// outlive waits until the chain's own time is past the end of p: an outside chain
// cannot be told to hurry.
func (a *anvil) outlive(p pos.Payment) {
	a.T.Helper()
	ref, err := readReference(p.Reference)
	if err != nil {
		a.T.Fatal(err)
	}
	a.until("the request is over", func() bool {
		var head struct{ Timestamp string }
		a.Into(&head, "eth_getBlockByNumber", "latest", false)
		now, ok := plainHex(head.Timestamp)
		return ok && now > ref.end+2
	})
}

func (a *anvil) until(what string, ok func() bool) {
	a.T.Helper()
	every, late := time.NewTicker(250*time.Millisecond), time.After(4*time.Minute)
	defer every.Stop()
	for !ok() {
		select {
		case <-every.C:
		case <-late:
			a.T.Fatalf("still not true: %s", what)
		}
	}
}

// freshSeed is where a shop's addresses come from: on a chain that all tests share, each
// has its own.
func freshSeed() (s Seed) {
	s = Seed{1}
	if outside != "" {
		_, _ = rand.Read(s[:]) // never fails (crypto/rand)
	}
	return s
}
