package evm

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// surveyed is a chain and its surveyor.
func surveyed(t *testing.T) (*site, *Surveyor) {
	t.Helper()
	p := newPlace(t, 31337, "base", small, 1)
	r, err := Registry{}.With([]Chain{p.chain}, p.tokens())
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSurveyor(SurveyOptions{Registry: r, Accept: []Accept{p.accept()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return p, s
}

func deposits(n int) (out []Deposit) {
	for i := range n {
		salt := Seed{9}.Salt(uint64(i + 1))
		out = append(out, Deposit{AddressOf(merchant, salt), merchant, salt})
	}
	return out
}

func (p *site) survey(t *testing.T, s *Surveyor, ds []Deposit) Round {
	t.Helper()
	r, err := s.Look(t.Context(), p.chain.Key, ds)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSurvey counts what lies at addresses, moves it with the transaction that was
// made, and follows it until nothing can be undone.
func TestSurvey(t *testing.T) {
	t.Parallel()
	p, s := surveyed(t)
	ds := deposits(30) // more than one request
	p.usdc.mint(ds[0].Address, 12_340_100)
	p.usdc.mint(ds[29].Address, 7)
	p.dai.mint(ds[3].Address, 5)
	p.works(ds[4].Address, nil, 9) // a coin by mistake

	r := p.survey(t, s, ds)
	if !r.Factory || r.GasPrice.Sign() <= 0 || time.Since(r.Time).Abs() > time.Hour {
		t.Errorf("factory %v, gas price %v, time %v", r.Factory, r.GasPrice, r.Time)
	}
	var told []string
	for _, h := range r.Holdings {
		told = append(told, h.Address.Tail()+" "+h.Token.Symbol+" "+h.Newest.String())
	}
	want := []string{
		ds[0].Address.Tail() + " USDC 12340100", ds[3].Address.Tail() + " DAI 5", ds[4].Address.Tail() + " ETH 9", ds[29].Address.Tail() + " USDC 7",
	}
	if strings.Join(told, ", ") != strings.Join(want, ", ") {
		t.Fatalf("holdings %v, want %v", told, want)
	}
	if r.Holdings[0].Final.Sign() != 0 {
		t.Error("what was mined just now is final")
	}
	p.Do("anvil_mine", "0x10")
	if r = p.survey(t, s, ds); r.Holdings[0].Final.Int64() != 12_340_100 {
		t.Errorf("after 16 blocks %v is final", r.Holdings[0].Final)
	}

	before := p.usdc.balance(merchant)
	sweep, err := NewSweep(r.Holdings)
	if err != nil {
		t.Fatal(err)
	}
	got := p.Send(sweep.To.String(), sweep.Data, 0)
	used, _ := quantity(got.GasUsed)
	if got.Status != "0x1" || used > sweep.Gas() || p.usdc.balance(merchant)-before != 12_340_107 {
		t.Fatalf("status %s, gas %d of %d, treasury has %d more", got.Status, used, sweep.Gas(), p.usdc.balance(merchant)-before)
	}
	if r = p.survey(t, s, ds); len(r.Holdings) != 4 || r.Holdings[0].Newest.Sign() != 0 || r.Holdings[0].Final.Sign() == 0 {
		t.Fatalf("moved, but not for certain: %+v", r.Holdings)
	}
	p.Do("anvil_mine", "0x10")
	if r = p.survey(t, s, ds); len(r.Holdings) != 0 {
		t.Fatalf("all is moved: %+v", r.Holdings)
	}
}

// TestSweepForms executes the link and the two files as a wallet would: they say the
// same as the call.
func TestSweepForms(t *testing.T) {
	t.Parallel()
	p, s := surveyed(t)
	ds := deposits(2)
	p.usdc.mint(ds[0].Address, 10)
	p.usdc.mint(ds[1].Address, 20)
	hs := p.survey(t, s, ds).Holdings

	one, err := NewSweep(hs[:1])
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(one.Link())
	if err != nil || u.Scheme != "ethereum" {
		t.Fatalf("%q: %v", one.Link(), err)
	}
	var args [][]byte
	named := ""
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		k, v, _ := strings.Cut(pair, "=")
		if k == "gasLimit" {
			named = v
			continue
		}
		args = append(args, append(make([]byte, 32-(len(v)-2)/2), unhex(v[2:])...))
	}
	h := keccak([]byte("sweepOne(address,bytes32,address)"))
	if r := p.Send(Factory.String(), append(h[:4:4], bytes.Join(args, nil)...), 0); r.Status != "0x1" || p.usdc.balance(merchant) != 10 {
		t.Fatalf("the link moves %d", p.usdc.balance(merchant))
	}

	if named != strconv.FormatUint(one.Gas(), 10) {
		t.Errorf("the link names %q gas", named)
	}

	both, err := NewSweep(hs)
	if err != nil || both.Link() != "" {
		t.Fatalf("a link for two: %q, %v", both.Link(), err)
	}
	var plain map[string]string
	if err := json.Unmarshal(both.JSON(), &plain); err != nil {
		t.Fatal(err)
	}
	var safe struct {
		ChainID      string
		Meta         struct{ Description string }
		Transactions []struct{ To, Value, Data string }
	}
	if err := json.Unmarshal(both.Safe("Sweep 1", time.Now()), &safe); err != nil || len(safe.Transactions) != 1 {
		t.Fatalf("%v", err)
	}
	x := safe.Transactions[0]
	if safe.ChainID != "31337" || plain["chainId"] != "0x7a69" || x.Data != plain["data"] || x.To != plain["to"] || x.Value != "0" || plain["value"] != "0x0" {
		t.Fatalf("%+v and %+v", safe, plain)
	}
	if plain["gas"] != fmt.Sprintf("0x%x", both.Gas()) || !strings.Contains(safe.Meta.Description, strconv.FormatUint(both.Gas(), 10)) {
		t.Errorf("the files name %s gas and %q", plain["gas"], safe.Meta.Description)
	}
	data, err := hex.DecodeString(x.Data[2:])
	if err != nil {
		t.Fatal(err)
	}
	if r := p.Send(x.To, data, 0); r.Status != "0x1" || p.usdc.balance(merchant) != 30 {
		t.Fatalf("the file moves %d", p.usdc.balance(merchant))
	}
}

// TestSweepRefuses: no transaction is made of what does not belong together, or would
// go to an address that is not the sale's.
func TestSweepRefuses(t *testing.T) {
	good := Holding{Deposit: deposits(1)[0], Token: Token{Chain: 1}, Newest: big.NewInt(1)}
	for name, change := range map[string]func(*Holding){
		"another chain":    func(h *Holding) { h.Token.Chain = 10 },
		"another treasury": func(h *Holding) { h.Treasury[0]++; h.Address = AddressOf(h.Treasury, h.Salt) },
		"another address":  func(h *Holding) { h.Address[3]++ },
		"another salt":     func(h *Holding) { h.Salt[3]++ },
	} {
		h := good
		change(&h)
		if _, err := NewSweep([]Holding{good, h}); pos.KindOf(err) != pos.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewSweep(nil); pos.KindOf(err) != pos.Invalid {
		t.Errorf("nothing: %v", err)
	}
	if _, ok, err := DepositOf("evm 1 2 3"); ok || pos.KindOf(err) != pos.Corrupt {
		t.Errorf("a damaged reference: %v, %v", ok, err)
	}
}

// TestSurveyOfAnotherChain: an endpoint of another chain, or a broken one, says nothing
// that is believed; the next one is asked.
func TestSurveyOfAnotherChain(t *testing.T) {
	t.Parallel()
	p, _ := surveyed(t)
	ds := deposits(1)
	p.usdc.mint(ds[0].Address, 10)
	other := startAnvil(t, 31338)
	p.chain.ID = 31337
	r, err := Registry{}.With([]Chain{p.chain}, p.tokens())
	if err != nil {
		t.Fatal(err)
	}
	for name, urls := range map[string][]string{"another chain": {other.URL}, "nobody": {"http://127.0.0.1:1"}, "another, then the right one": {other.URL, p.lines[0].URL()}} {
		a := Accept{Chain: p.chain.Key}
		for i, u := range urls {
			a.Endpoints = append(a.Endpoints, Endpoint{Operator: string(rune('A' + i)), URL: u})
		}
		s, err := NewSurveyor(SurveyOptions{Registry: r, Accept: []Accept{a}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Look(t.Context(), p.chain.Key, ds)
		if good := len(urls) == 2; good != (err == nil) || good != (len(got.Holdings) == 1) || (!good && pos.KindOf(err) != pos.Unavailable) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		s.Close()
	}
	if _, err := (&Surveyor{}).Look(t.Context(), "base", ds); pos.KindOf(err) != pos.NotFound {
		t.Errorf("a chain that is not set up: %v", err)
	}
}
