package evm

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"golang.org/x/crypto/sha3"
)

// TestKeccak compares with an implementation of another hand, at every length
// around the ends of two blocks and in pieces.
func TestKeccak(t *testing.T) {
	data := bytes.Repeat([]byte("tillwright "), 40)
	for n := range 3 * keccakRate {
		ref := sha3.NewLegacyKeccak256()
		ref.Write(data[:n])
		if h := keccak(data[:n/3], nil, data[n/3:n]); !bytes.Equal(h[:], ref.Sum(nil)) {
			t.Fatalf("%d bytes hash to %x, want %x", n, h, ref.Sum(nil))
		}
	}
}

// TestChecksum holds String to the addresses in EIP-55 itself.
func TestChecksum(t *testing.T) {
	for _, s := range []string{
		"0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
		"0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
	} {
		a, err := ParseAddress(strings.ToLower(s))
		if err != nil || a.String() != s {
			t.Errorf("%s reads as %s, %v", s, a, err)
		}
		if b, err := ParseAddress(s); err != nil || a != b {
			t.Errorf("%s with its own checksum: %v", s, err)
		}
	}
	for name, s := range map[string]string{
		"one letter wrong": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "short": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
		"long": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed0", "no prefix": "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed00",
		"capital prefix": "0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "not hex": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg", "empty": "",
	} {
		if a, err := ParseAddress(s); err == nil {
			t.Errorf("%s: %q reads as %s", name, s, a)
		}
	}
}

// TestCreate2 holds create2 to the examples of EIP-1014.
func TestCreate2(t *testing.T) {
	const zero = "0000000000000000000000000000000000000000"
	for _, v := range []struct{ deployer, salt, code, want string }{
		{zero, "00", "00", "0x4D1A2e2bB4F88F0250f26Ffff098B0b30B26BF38"},
		{"deadbeef00000000000000000000000000000000", "00", "00", "0xB928f69Bb1D91Cd65274e3c79d8986362984fDA3"},
		{"deadbeef00000000000000000000000000000000", "000000000000000000000000feed000000000000000000000000000000000000", "00", "0xD04116cDd17beBE565EB2422F2497E06cC1C9833"},
		{zero, "00", "deadbeef", "0x70f2b2914A2a4b783FaEFb75f459A580616Fcb5e"},
		{"00000000000000000000000000000000deadbeef", "cafebabe", "deadbeef", "0x60f3f640a8508fC6a86d45DF051962668E1e8AC7"},
		{"00000000000000000000000000000000deadbeef", "cafebabe", strings.Repeat("deadbeef", 11), "0x1d8bfDC5D46DC4f61D6b6115972536eBE6A8854C"},
		{zero, "00", "", "0xE33C0C7F7df4809055C3ebA6c09CFe4BaF1BD9e0"},
	} {
		var salt [32]byte
		b := unhex(v.salt)
		copy(salt[32-len(b):], b)
		if got := create2(MustAddress("0x"+v.deployer), salt, keccak(unhex(v.code))); got.String() != v.want {
			t.Errorf("%+v: %s", v, got)
		}
	}
}

// TestScheme holds the arithmetic from a seed to an address to fixed values: a
// board that computes others could not find the money of earlier sales.
func TestScheme(t *testing.T) {
	var seed Seed
	for i := range seed {
		seed[i] = byte(i)
	}
	fill := func(b byte) (a Address) { return Address(bytes.Repeat([]byte{b}, 20)) }
	f, i, treasury := fill(0x11), fill(0x22), fill(0x33)
	init := initHash(i, treasury)
	if hex.EncodeToString(init[:]) != "c278b6b9a6fa2d37deca01d06121198d818ac640e76ccf43c0aab27c9ae8887f" {
		t.Errorf("hash of the creation code is %x", init)
	}
	if s := seed.Salt(1); hex.EncodeToString(s[:]) != "1c0382b88d9421e0d1c623e9f6d7b726a90d431ab6f742fb10939e7fbf89999e" {
		t.Errorf("first salt is %x", s)
	}
	for n, want := range map[uint64]string{
		1: "0x631B0A61165880Bf7f41Bb7f9E7afaCB50482a89", 2: "0x173BeAc2E1c234F8CB278AA66B654993C2D2221d",
		1 << 32: "0x6AC75222f7dA8E470494A4517Df4300E6f79ED07",
	} {
		if got := create2(f, seed.Salt(n), init); got.String() != want {
			t.Errorf("address %d is %s, want %s", n, got, want)
		}
	}
	if Factory.String() != factoryAt || Implementation.String() != implementationAt {
		t.Errorf("factory %s, implementation %s: another address for every sale", Factory, Implementation)
	}
	if hex.EncodeToString(topicSwept[:]) != "7b09c29f9106defeccc9ac3b823f3aad0b470d120e5df7aed033b5c43a4bf718" ||
		hex.EncodeToString(topicTransfer[:]) != "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef" {
		t.Error("topics of events")
	}
	for sig, want := range map[string][]byte{
		"balanceOf(address)": selectorBalance, "decimals()": selectorDecimals, "symbol()": selectorSymbol,
		"transfer(address,uint256)": selectorTransfer, "sweep(address,bytes32[],address[])": selectorSweep, "sweepOne(address,bytes32,address)": selectorSweepOne,
	} {
		if h := keccak([]byte(sig)); !bytes.Equal(h[:4], want) {
			t.Errorf("selector of %s is %x", sig, h[:4])
		}
	}
}

// Where the contracts of scheme 1 are, on every chain.
const (
	factoryAt        = "0x3B8DCC04a6458b67b502E0D69f28d53e9C8974b5"
	implementationAt = "0x31fcAcE06226576Ca04e5075eceF87008DdD9436"
)

func TestSeedIsNotTold(t *testing.T) {
	var s Seed
	s[0] = 0xab
	for _, text := range []string{s.String(), s.LogValue().String()} {
		if strings.Contains(text, "ab") || strings.Contains(text, "171") {
			t.Errorf("%q tells of the seed", text)
		}
	}
}

func TestReadString(t *testing.T) {
	for name, row := range map[string]struct{ in, want string }{
		"string":         {strings.Repeat("00", 31) + "20" + strings.Repeat("00", 31) + "04" + hex.EncodeToString([]byte("USDC")) + strings.Repeat("00", 28), "USDC"},
		"bytes32":        {hex.EncodeToString([]byte("MKR")) + strings.Repeat("00", 29), "MKR"},
		"odd letters":    {strings.Repeat("00", 31) + "20" + strings.Repeat("00", 31) + "07" + hex.EncodeToString([]byte("USD₮0")) + strings.Repeat("00", 25), "USD₮0"},
		"empty":          {"", ""},
		"zeros":          {strings.Repeat("00", 96), ""},
		"too long":       {strings.Repeat("00", 31) + "20" + strings.Repeat("00", 31) + "41" + strings.Repeat("41", 96), ""},
		"huge length":    {strings.Repeat("00", 31) + "20" + strings.Repeat("ff", 32) + strings.Repeat("41", 32), ""},
		"cut":            {strings.Repeat("00", 31) + "20" + strings.Repeat("00", 31) + "20" + "41", ""},
		"offset of more": {strings.Repeat("00", 31) + "40" + strings.Repeat("00", 31) + "04" + strings.Repeat("41", 32), ""},
	} {
		if got, ok := readString(unhex(row.in)); got != row.want && ok {
			t.Errorf("%s: %q, %v; want %q", name, got, ok, row.want)
		} else if ok != (row.want != "") {
			t.Errorf("%s: %v", name, ok)
		}
	}
}
