package evm

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// A Surveyor is the owner's side of the sales' addresses: what lies there, and the
// transactions that bring it to the treasury. It has no key either: any wallet signs
// and sends them. A lying endpoint can hide money or promise some; what a transaction
// moves goes to the treasury or nowhere, so one endpoint's word is enough here.

// Deposit is where a sale's money lies, and all that a sweep of it needs.
type Deposit struct {
	Address, Treasury Address
	Salt              [32]byte
}

// DepositOf reads the deposit of a payment from its reference in the till's records. ok
// is false for a payment to the treasury itself, which needs no sweep. It fails with
// Corrupt when the reference is damaged: its address is computed anew.
func DepositOf(reference string) (d Deposit, ok bool, err error) {
	r, err := readReference(reference)
	if err != nil || r.scheme != Scheme {
		return Deposit{}, false, err
	}
	return Deposit{r.address, r.treasury, r.salt}, true, nil
}

// Holding is what one token's balance is at a deposit.
type Holding struct {
	Deposit
	Token  Token    // the zero Contract is the chain's own coin
	Newest *big.Int // at the newest block; zero: it was moved
	Final  *big.Int // at the newest block that cannot be undone; zero: it is not there for certain
}

// Round is one look at a chain.
type Round struct {
	Time     time.Time // of the newest block, by the chain
	Number   uint64    // of the newest block
	Factory  bool      // the contract that sweeps is on the chain
	GasPrice *big.Int  // in the coin's smallest unit, as the endpoint guesses
	Holdings []Holding // only what is there, in the order of the deposits
	Counted  []Address // tokens, the coin as zero, that gave their balances: what is not among Holdings of them is not there
	Made     []Address // those of the deposits whose forwarder stands: something was moved from them, ever
}

// SurveyOptions of a Surveyor.
type SurveyOptions struct {
	Registry Registry
	Accept   []Accept // Tokens are not looked at: all that the registry knows are counted
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
}

// Surveyor is safe for concurrent use.
type Surveyor struct{ grounds []ground }

type ground struct {
	chain   Chain
	tokens  []Token // the coin first
	clients []*rpc.Client
}

// NewSurveyor fails with Invalid when the options are not usable. It makes no call.
func NewSurveyor(o SurveyOptions) (*Surveyor, error) {
	const op = "set up sweeping"
	s, paces := &Surveyor{}, map[string]*rpc.Pace{}
	for _, a := range o.Accept {
		c, ok := o.Registry.Chain(a.Chain)
		if !ok || len(a.Endpoints) == 0 || slices.ContainsFunc(s.grounds, func(p ground) bool { return p.chain.ID == c.ID }) {
			return nil, pos.E(op, pos.Invalid, "chain %q is not known, is there twice, or has no endpoint", rpc.Clip(a.Chain))
		}
		p := ground{chain: c, tokens: append([]Token{{Chain: c.ID, Symbol: c.Coin, Decimals: coinDecimals}}, o.Registry.Tokens(c.ID)...)}
		for _, e := range a.Endpoints {
			if err := e.Check(); err != nil {
				return nil, err
			}
			if paces[e.Operator] == nil {
				paces[e.Operator] = &rpc.Pace{}
			}
			p.clients = append(p.clients, rpc.New(e, paces[e.Operator], o.Dial))
		}
		s.grounds = append(s.grounds, p)
	}
	return s, nil
}

// coinDecimals is what every chain here counts its own coin by.
const coinDecimals = 18

// Chains returns the chains that are surveyed; the caller owns the slice.
func (s *Surveyor) Chains() []Chain {
	var out []Chain
	for _, p := range s.grounds {
		out = append(out, p.chain)
	}
	return out
}

// Close drops idle connections.
func (s *Surveyor) Close() {
	for _, p := range s.grounds {
		for _, k := range p.clients {
			k.Close()
		}
	}
}

func (s *Surveyor) at(chain string) (ground, error) {
	i := slices.IndexFunc(s.grounds, func(p ground) bool { return p.chain.Key == chain })
	if i < 0 {
		return ground{}, pos.Say("look at chain", pos.NotFound, nil, "bo_sc_no_network")
	}
	return s.grounds[i], nil
}

// Look counts what lies at ds on a chain, by its key. It blocks for a request to
// an endpoint for about twenty deposits, at the operator's pace. It fails with
// NotFound for a chain that is not set up, with Unavailable when no endpoint answers.
func (s *Surveyor) Look(ctx context.Context, chain string, ds []Deposit) (Round, error) {
	p, err := s.at(chain)
	if err != nil {
		return Round{}, err
	}
	var why error
	for _, k := range p.clients {
		r, err := p.look(ctx, k, ds)
		if err == nil {
			return r, nil
		}
		why = err
	}
	return Round{}, pos.Say("look at chain", pos.Unavailable, why, "bo_sc_why_silent", "chain", p.chain.Name)
}

func (p ground) look(ctx context.Context, k *rpc.Client, ds []Deposit) (Round, error) {
	var r Round
	if err := p.head(ctx, k, &r); err != nil {
		return r, err
	}
	tokens := make([]Address, len(p.tokens))
	for i, t := range p.tokens {
		tokens[i] = t.Contract
	}
	r.Counted = slices.Clone(tokens)
	for part := range slices.Chunk(ds, peekOwners(len(tokens))) {
		owners := make([]Address, len(part))
		for i, d := range part {
			owners[i] = d.Address
		}
		if err := k.Wait(ctx); err != nil {
			return r, err
		}
		answers, err := k.Batch(ctx, peekCall(tokens, owners, "latest"), peekCall(tokens, owners, "finalized"))
		if err != nil {
			return r, err
		}
		if err := p.count(&r, part, answers); err != nil {
			return r, err
		}
	}
	return r, nil
}

// head asks what is the same for all deposits, and that it is the right chain.
func (p ground) head(ctx context.Context, k *rpc.Client, r *Round) error {
	if err := k.Wait(ctx); err != nil {
		return err
	}
	answers, err := k.Batch(ctx, rpc.To("eth_chainId"), rpc.To("eth_gasPrice"), codeCall(Factory), rpc.To("eth_getBlockByNumber", "latest", false))
	if err != nil {
		return err
	}
	for _, a := range answers {
		if a.Err != nil {
			return a.Err
		}
	}
	if id, ok := rpc.Hex64(answers[0].Result); !ok || id != p.chain.ID {
		return rpc.Failed(rpc.WrongChain, "chain %d, want %d", id, p.chain.ID)
	}
	price, ok1 := rpc.HexNumber(answers[1].Result, 128)
	code, ok2 := rpc.HexBytes(answers[2].Result, maxCode)
	b, err := readBlock(answers[3].Result)
	if !ok1 || !ok2 || err != nil {
		return rpc.Failed(rpc.Odd, "a price, code or block that cannot be read")
	}
	h := keccak(code)
	r.GasPrice, r.Factory, r.Time, r.Number = price, hex.EncodeToString(h[:]) == factoryCodeHash, time.Unix(int64(b.time), 0).UTC(), b.number
	return nil
}

// maxCode is the largest code that a contract can have (EIP-170).
const maxCode = 24_576

// count adds what two Peeks found, at the newest block and at the final one. A chain
// that does not know which block is final has nothing final.
func (p ground) count(r *Round, ds []Deposit, answers []rpc.Reply) error {
	if answers[0].Err != nil {
		return answers[0].Err
	}
	newest, err := readPeek(answers[0].Result, len(p.tokens), len(ds))
	if err != nil || newest.chain != p.chain.ID {
		return rpc.Failed(rpc.Odd, "balances that cannot be read")
	}
	var final view
	if answers[1].Err == nil {
		if final, err = readPeek(answers[1].Result, len(p.tokens), len(ds)); err != nil {
			return rpc.Failed(rpc.Odd, "balances that cannot be read")
		}
	}
	for i, d := range ds {
		if newest.code(i) {
			r.Made = append(r.Made, d.Address)
		}
		for j, t := range p.tokens {
			h := Holding{Deposit: d, Token: t, Newest: newest.balance(i, j), Final: final.balance(i, j)}
			switch {
			case h.Newest == nil || h.Final == nil: // the token gives none
				r.Counted = slices.DeleteFunc(r.Counted, func(a Address) bool { return a == t.Contract })
			case h.Newest.Sign() > 0 || h.Final.Sign() > 0:
				r.Holdings = append(r.Holdings, h)
			}
		}
	}
	return nil
}

// Sweep is a transaction that moves holdings to one treasury. Anybody may send it,
// without coins; who sends it pays the gas and can change nothing.
type Sweep struct {
	Chain uint64
	To    Address
	Data  []byte
	items []Item
	from  Address // the treasury
}

// NewSweep makes the transaction of holdings on one chain and of one treasury, at most
// MaxSweep of them. It fails with Invalid for others.
func NewSweep(hs []Holding) (Sweep, error) {
	s := Sweep{To: Factory}
	for i, h := range hs {
		if i > 0 && (h.Token.Chain != hs[0].Token.Chain || h.Treasury != hs[0].Treasury) || h.Address != AddressOf(h.Treasury, h.Salt) {
			return Sweep{}, pos.E("sweep", pos.Invalid, "a sweep is of one network and one treasury")
		}
		s.items = append(s.items, Item{h.Salt, h.Token.Contract})
	}
	if len(hs) > 0 {
		s.Chain, s.from = hs[0].Token.Chain, hs[0].Treasury
	}
	var err error
	if s.Data, err = SweepCall(s.from, s.items); len(s.items) == 1 { // one alone may fail: the wallet says so, and its estimate is good
		s.Data = sweepOneCall(s.from, s.items[0].Salt, s.items[0].Token)
	}
	return s, err
}

// sweepOneCall is the call of Factory that moves one balance, or fails.
func sweepOneCall(treasury Address, salt [32]byte, token Address) []byte {
	t, k := treasury.word(), token.word()
	return slices.Concat(selectorSweepOne, t[:], salt[:], k[:])
}

// NewDeploy makes the transaction that puts the factory on a chain, once and for all.
func NewDeploy(c Chain) Sweep {
	to, data := DeployCall()
	return Sweep{Chain: c.ID, To: to, Data: data}
}

// MaxSweep bounds a batch.
const MaxSweep = maxSweep

// Gas of a sweep, measured on two EVMs: a first one of an address makes its forwarder.
const (
	gasBase   = 80_000 // 55,000, with a treasury that holds none of the token yet
	gasAnItem = 95_000 // 68,400, of which each nested call keeps back 1/64 (EIP-150)
	gasDeploy = 1_000_000
	gasMost   = 1 << 24 // of a transaction (EIP-7825); 200 payments take 13.8 million
)

// Gas is the limit that the transaction is to be sent with: 1.3 times of what it takes
// at worst, up to what a network allows. With less than all of them take, the transaction
// runs out of gas and moves nothing: what is left behind the payment that failed is too
// little to go on with (measured: 396,500 moves none of five, 397,000 all).
func (s Sweep) Gas() uint64 {
	if s.To == Deployer {
		return gasDeploy
	}
	return min(gasBase+gasAnItem*uint64(len(s.items)), gasMost)
}

// Link returns an ERC-681 text that a phone's wallet reads, for a sweep of one holding
// (sweepOne); "" for others: the standard has no words for lists.
func (s Sweep) Link() string {
	if len(s.items) != 1 {
		return ""
	}
	it := s.items[0]
	return fmt.Sprintf("ethereum:%s@%d/sweepOne?address=%s&bytes32=0x%x&address=%s&gasLimit=%d", s.To, s.Chain, s.from, it.Salt, it.Token, s.Gas())
}

// JSON returns the transaction as eth_sendTransaction takes it, for tools and
// hardware wallets.
func (s Sweep) JSON() []byte {
	return indent(map[string]string{
		"chainId": fmt.Sprintf("0x%x", s.Chain), "to": s.To.String(), "value": "0x0",
		"gas": fmt.Sprintf("0x%x", s.Gas()), "data": "0x" + hex.EncodeToString(s.Data),
	})
}

// Safe returns the file that Safe's Transaction Builder opens. Its format has no field
// for gas, so its description names it.
func (s Sweep) Safe(name string, at time.Time) []byte {
	type transaction struct {
		To     string  `json:"to"`
		Value  string  `json:"value"`
		Data   string  `json:"data"`
		Method *string `json:"contractMethod"`
		Inputs *string `json:"contractInputsValues"`
	}
	return indent(map[string]any{
		"version": "1.0", "chainId": fmt.Sprint(s.Chain), "createdAt": at.UnixMilli(),
		"meta":         map[string]string{"name": strings.ToValidUTF8(name, ""), "description": fmt.Sprintf("Gas limit: at least %d, and what Safe itself takes", s.Gas()), "txBuilderVersion": "1.17.0"},
		"transactions": []transaction{{To: s.To.String(), Value: "0", Data: "0x" + hex.EncodeToString(s.Data)}},
	})
}

func indent(v any) []byte {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic("evm: " + err.Error()) // of our own types
	}
	return append(b, '\n')
}
