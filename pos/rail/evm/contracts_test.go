package evm

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos/rail/evm/evmtest"
)

// TestContractsAreReproducible compiles the sources and compares every byte with
// what the till carries.
func TestContractsAreReproducible(t *testing.T) {
	t.Parallel()
	dir, out := evmtest.Tools(t), t.TempDir()
	if b, err := exec.Command("node", "contracts/build.cjs", dir, out).CombinedOutput(); err != nil {
		t.Fatalf("compile: %v\n%s", err, b)
	}
	for _, name := range []string{"pinned.json", "test/tokens.json"} {
		got, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join("contracts", name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("contracts/%s is not what its sources give (%v); run make contracts, and see what changed", name, err)
		}
	}
	var in struct{ Methods map[string]string }
	if err := json.Unmarshal(pinnedJSON, &in); err != nil || in.Methods["sweep(address,bytes32[],address[])"] != hex.EncodeToString(selectorSweep) {
		t.Errorf("methods %v, %v", in.Methods, err)
	}
}

// shop is one chain with the factory, and a sale's address.
type shop struct {
	*anvil
	treasury Address
	salt     [32]byte
	sale     Address
}

func newShop(t testing.TB) shop {
	a := startAnvil(t, 31337).ready()
	return shopOf(a, MustAddress("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"))
}

func shopOf(a *anvil, treasury Address) shop {
	salt := freshSeed().Salt(1)
	return shop{a, treasury, salt, AddressOf(treasury, salt)}
}

func (s shop) sweepOne(token Address) receipt {
	s.T.Helper()
	return s.Send(Factory.String(), append(unhex("90e596bf"), bytes.Join([][]byte{addr(s.treasury), word(s.salt), addr(token)}, nil)...), 0)
}

func (s shop) sweep(items ...Item) receipt {
	s.T.Helper()
	data, err := SweepCall(s.treasury, items)
	if err != nil {
		s.T.Fatal(err)
	}
	return s.works(Factory, data, 0)
}

// events returns what a sweep told: "swept N" or "skipped" for each item.
func (s shop) events(r receipt) (out []string) {
	for _, l := range r.Logs {
		switch {
		case MustAddress(l.Address) != Factory:
		case l.Topics[0] == "0x"+hex.EncodeToString(topicSwept[:]):
			out = append(out, "swept "+strings.TrimLeft(strings.TrimPrefix(l.Data, "0x"), "0"))
		default:
			out = append(out, "skipped")
		}
	}
	return out
}

// TestContracts puts the contracts before everything that is out there.
func TestContracts(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	fresh := func() shop { // the same chain, another sale
		s.salt[0]++
		s.sale = AddressOf(s.treasury, s.salt)
		return s
	}

	t.Run("own arithmetic and the chain's agree", func(t *testing.T) {
		s := fresh()
		got := s.view(Factory, append(unhex("e99718d8"), append(addr(s.treasury), word(s.salt)...)...))
		if !bytes.Equal(got, addr(s.sale)) {
			t.Fatalf("the factory says %x, we say %s", got, s.sale)
		}
		other := s
		other.treasury = MustAddress(s.From)
		usdc := s.coin("Plain", "USDC", 6)
		usdc.mint(s.sale, 500)
		if r := other.sweepOne(usdc.at); r.Status != "0x0" || usdc.balance(s.sale) != 500 {
			t.Fatal("a sweep to another treasury moved something")
		}
	})

	t.Run("paid, swept, paid late, swept again", func(t *testing.T) {
		s, usdc := fresh(), s.coin("Plain", "USDC", 6)
		usdc.mint(s.sale, 12_340_100)
		if r := s.sweepOne(usdc.at); r.Status != "0x1" || usdc.balance(s.treasury) != 12_340_100 || !s.hasCode(s.sale) {
			t.Fatalf("%+v", r)
		}
		if r := s.sweepOne(usdc.at); r.Status != "0x0" {
			t.Fatal("swept nothing, and called it done")
		}
		usdc.mint(s.sale, 7)
		if r := s.sweepOne(usdc.at); r.Status != "0x1" || usdc.balance(s.treasury) != 12_340_107 {
			t.Fatal("late money stays behind")
		}
	})

	t.Run("returns nothing", func(t *testing.T) {
		s, usdt := fresh(), s.deploy("Silent")
		usdt.mint(s.sale, 99)
		if r := s.sweepOne(usdt.at); r.Status != "0x1" || usdt.balance(s.treasury) != 99 {
			t.Fatal("Tether's own code cannot be swept")
		}
	})

	t.Run("returns false", func(t *testing.T) {
		s, lie := fresh(), s.deploy("Liar")
		lie.mint(s.sale, 99)
		if r := s.sweepOne(lie.at); r.Status != "0x0" || s.hasCode(s.sale) {
			t.Fatal("false was taken for done")
		}
	})

	t.Run("no contract at all", func(t *testing.T) {
		s := fresh()
		if r := s.sweepOne(MustAddress("0x00000000000000000000000000000000000abcde")); r.Status != "0x0" {
			t.Fatal("swept a token that is none")
		}
	})

	t.Run("18 decimals, above int64", func(t *testing.T) {
		s, dai := fresh(), s.coin("Plain", "DAI", 18)
		huge := unhex("000000000000000000000000000000000000003635c9adc5dea0000000000000")[:32]
		dai.do("mint(address,uint256)", addr(s.sale), huge)
		if r := s.sweepOne(dai.at); r.Status != "0x1" || !bytes.Equal(dai.a.view(dai.at, dai.call("balanceOf(address)", addr(s.treasury))), huge) {
			t.Fatal("not all of it arrived")
		}
	})

	t.Run("takes a fee", func(t *testing.T) {
		s, fee := fresh(), s.deploy("Fee")
		fee.mint(s.sale, 1000)
		if r := s.sweepOne(fee.at); strings.Join(s.events(r), " ") != "swept 3e8" || fee.balance(s.treasury) != 990 || fee.balance(s.sale) != 0 {
			t.Fatalf("%v, %d arrived", s.events(r), fee.balance(s.treasury))
		}
	})

	t.Run("calls back", func(t *testing.T) {
		s, re := fresh(), s.deploy("Reentrant")
		re.mint(s.sale, 1000)
		re.do("arm(address,address,bytes32)", addr(Factory), addr(s.treasury), word(s.salt))
		r := s.sweepOne(re.at)
		if r.Status != "0x1" || re.balance(s.treasury) != 1000 || re.balance(s.sale) != 0 {
			t.Fatalf("%d of 1000 arrived", re.balance(s.treasury))
		}
	})

	t.Run("one frozen of a batch", func(t *testing.T) {
		usdc := s.coin("Freezing", "USDC", 6)
		var items []Item
		var frozen shop
		for i := range 5 {
			sale := fresh()
			usdc.mint(sale.sale, 10)
			items = append(items, Item{sale.salt, usdc.at})
			if i == 2 {
				frozen = sale
			}
		}
		usdc.do("blacklist(address,bool)", addr(frozen.sale), onOff(true))
		r := s.sweep(append(items, Item{frozen.salt, Address{}})...)
		if got := strings.Join(s.events(r), ", "); got != "swept a, swept a, skipped, swept a, swept a, skipped" {
			t.Fatalf("%s", got)
		}
		if usdc.balance(s.treasury) != 40 || usdc.balance(frozen.sale) != 10 || s.hasCode(frozen.sale) {
			t.Fatalf("%d arrived", usdc.balance(s.treasury))
		}
		usdc.do("blacklist(address,bool)", addr(frozen.sale), onOff(false))
		if s.sweep(items[2]); usdc.balance(s.treasury) != 50 {
			t.Fatal("what was frozen is lost")
		}
	})

	t.Run("native coin by mistake", func(t *testing.T) {
		s := fresh()
		before := s.coins(s.treasury)
		s.works(s.sale, nil, 1234)
		if r := s.sweepOne(Address{}); r.Status != "0x1" || s.coins(s.treasury)-before != 1234 {
			t.Fatal("coins stay behind")
		}
		s.works(s.sale, nil, 5) // now there is code
		s.Deploy(7, "Bomb", addr(s.sale))
		if r := s.sweepOne(Address{}); r.Status != "0x1" || s.coins(s.treasury)-before != 1246 {
			t.Fatal("coins sent later stay behind")
		}
	})

	t.Run("a treasury that sweeps again", func(t *testing.T) {
		greedy := s.deploy("Greedy")
		s := shopOf(s.anvil, greedy.at)
		greedy.do("arm(address,bytes32)", addr(Factory), word(s.salt))
		s.works(s.sale, nil, 9)
		if r := s.sweepOne(Address{}); r.Status != "0x1" || s.coins(greedy.at) != 9 {
			t.Fatal("coins stay behind")
		}
	})

	t.Run("a treasury that takes no coins", func(t *testing.T) {
		s := shopOf(s.anvil, s.deploy("Refuses").at)
		s.works(s.sale, nil, 9)
		if r := s.sweepOne(Address{}); r.Status != "0x0" || s.coins(s.sale) != 9 {
			t.Fatal("coins are gone")
		}
	})

	t.Run("the implementation holds nothing for anybody", func(t *testing.T) {
		usdc := s.coin("Plain", "USDC", 6)
		usdc.mint(Implementation, 10)
		if r := s.Send(Implementation.String(), append(unhex("01681a62"), addr(usdc.at)...), 0); r.Status != "0x0" || usdc.balance(Implementation) != 10 {
			t.Fatal("the implementation paid somebody")
		}
	})

	t.Run("anyone may sweep, to the treasury only", func(t *testing.T) {
		s, usdc := fresh(), s.coin("Plain", "USDC", 6)
		usdc.mint(s.sale, 1)
		s.sweepOne(usdc.at)
		usdc.mint(s.sale, 10)
		s.works(s.sale, append(unhex("01681a62"), addr(usdc.at)...), 0)
		if usdc.balance(s.treasury) != 11 || usdc.balance(MustAddress(s.From)) != 0 {
			t.Fatal("it went elsewhere")
		}
	})

	t.Run("lists of two lengths", func(t *testing.T) {
		data := bytes.Join([][]byte{selectorSweep, addr(s.treasury), num(96), num(128), num(0), num(1), num(1)}, nil)
		if r := s.Send(Factory.String(), data, 0); r.Status != "0x0" {
			t.Fatal("taken")
		}
	})
}

// TestSameAddressEverywhere pays one sale's address on two chains.
func TestSameAddressEverywhere(t *testing.T) {
	t.Parallel()
	var where []Address
	for _, chain := range []uint64{1, 56} {
		s := shopOf(startAnvil(t, chain).ready(), MustAddress("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"))
		usdc := s.coin("Plain", "USDC", 6)
		usdc.mint(s.sale, 10)
		if r := s.sweepOne(usdc.at); r.Status != "0x1" || usdc.balance(s.treasury) != 10 {
			t.Fatalf("chain %d: not swept", chain)
		}
		where = append(where, s.sale)
	}
	if where[0] != where[1] {
		t.Fatalf("%v", where)
	}
}

// TestSweepCall bounds a batch.
func TestSweepCall(t *testing.T) {
	for n, ok := range map[int]bool{0: false, 1: true, maxSweep: true, maxSweep + 1: false} {
		if _, err := SweepCall(Address{1}, make([]Item, n)); (err == nil) != ok {
			t.Errorf("%d items: %v", n, err)
		}
	}
}

// TestGas says what a sale costs at most to sweep; it is a promise of the README.
func TestGas(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	usdc := s.coin("Plain", "USDC", 6)
	var items []Item
	for i := range 20 {
		salt := Seed{2}.Salt(uint64(i))
		usdc.mint(AddressOf(s.treasury, salt), 10)
		items = append(items, Item{salt, usdc.at})
	}
	usdc.mint(s.treasury, 1)
	r := s.sweep(items...)
	used, ok := quantity(r.GasUsed)
	if !ok || used > 20*70_000 {
		t.Errorf("a batch of 20 takes %d gas", used)
	}
	t.Logf("a batch of 20: %d gas, %d a sale", used, used/20)
}

func quantity(s string) (uint64, bool) {
	var n uint64
	for _, c := range strings.TrimPrefix(s, "0x") {
		n = n<<4 | uint64(strings.IndexRune("0123456789abcdef", c))
	}
	return n, s != "" && s != "0x"
}
