package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"
)

// CoinWallet is the stablecoins of the customer's phone. It reads a request as a
// careful wallet does and sends what it asks for, or something else, as people and
// other wallets do. The chains sign for its account; it has no key.
type CoinWallet struct {
	chains *Chains

	mu       sync.Mutex
	activity []Activity // newest first, at most activityMax
}

// CoinRequest is a payment request as the wallet shows it. Sums are text, ready to
// show.
type CoinRequest struct {
	Text    string    `json:"text"`
	Token   string    `json:"token,omitempty"` // "USDC"
	Chain   string    `json:"chain,omitempty"` // its key
	Network string    `json:"network,omitempty"`
	Amount  string    `json:"amount,omitempty"`
	To      string    `json:"to"`
	Tail    string    `json:"tail"`
	Typed   bool      `json:"typed,omitempty"` // an address alone: token, network and amount are for the customer to choose
	Shown   bool      `json:"shown,omitempty"`
	Until   time.Time `json:"until,omitzero"` // the end of the request on the till's display, which no wallet can read
	Less    string    `json:"less,omitempty"` // a hundredth less
	Net     string    `json:"net,omitempty"`  // what an exchange sends of it
	Other   string    `json:"other,omitempty"`
	Wrong   string    `json:"wrong,omitempty"` // the token that "wrong token" sends
}

// coinRequest is a request as it was read.
type coinRequest struct {
	to    evmAddress
	chain place
	coin  coin
	units *big.Int // nil: an address alone
}

// uriMax bounds what is read, in bytes: with everything a request has 160.
const uriMax = 512

// errNoCoin is for texts that are no request for coins at all.
var errNoCoin = errors.New("this is no request for coins")

// readCoins reads a request: an ERC-681 link as a till shows it, the same inside a
// MetaMask link, or an address alone. It is as strict as the strictest wallet. The
// errors are sentences for people; errNoCoin says that it is something else.
func readCoins(text string) (coinRequest, error) {
	text = strings.TrimSpace(text)
	if len(text) > uriMax {
		return coinRequest{}, errNoCoin
	}
	if strings.HasPrefix(text, "0x") {
		to, err := readAddress(text)
		return coinRequest{to: to}, err
	}
	rest, ok := strings.CutPrefix(text, "ethereum:")
	if !ok {
		if rest, ok = strings.CutPrefix(text, "https://link.metamask.io/send/"); !ok {
			return coinRequest{}, errNoCoin
		}
	}
	return readTransfer(rest)
}

// readTransfer reads "TOKEN@CHAIN/transfer?address=TO&uint256=UNITS" (ERC-681).
func readTransfer(rest string) (r coinRequest, err error) {
	path, query, _ := strings.Cut(rest, "?")
	target, function, call := strings.Cut(path, "/")
	target, id, named := strings.Cut(target, "@")
	if !call || function != "transfer" {
		return r, errors.New("this asks for something else than a transfer of a token")
	}
	at := slices.IndexFunc(places, func(p place) bool { return fmt.Sprint(p.ID) == id })
	if !named || at < 0 {
		return r, fmt.Errorf("this wallet does not know network %.20q; it has the two of the devnet", id)
	}
	r.chain = places[at]
	token, err := readAddress(target)
	if err != nil {
		return r, err
	}
	at = slices.IndexFunc(r.chain.Coins, func(c coin) bool { return c.at() == token })
	if at < 0 {
		return r, fmt.Errorf("this wallet does not know the token %s on %s", token, r.chain.Name)
	}
	r.coin = r.chain.Coins[at]
	to, units, ok := "", "", true
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		switch {
		case key == "address" && to == "":
			to = value
		case key == "uint256" && units == "":
			units = value
		default:
			ok = false
		}
	}
	if r.to, err = readAddress(to); err != nil {
		return r, err
	}
	n, whole := new(big.Int).SetString("0"+units, 10)
	if !ok || units == "" || !whole || strings.Trim(units, "0123456789") != "" || n.Sign() == 0 || n.BitLen() > 256 {
		return r, errors.New("the amount of this request is not clear")
	}
	r.units = n
	return r, nil
}

// The amounts of mischief. An exchange takes its fee off what is sent: 0.30 of a
// token, or half of it when it is less than twice that.
const (
	lessPart = 100
	feeCents = 30
)

func (k coin) less(n *big.Int) *big.Int {
	return new(big.Int).Sub(n, new(big.Int).Add(new(big.Int).Div(n, big.NewInt(lessPart)), big.NewInt(1)))
}

func (k coin) afterFee(n *big.Int) *big.Int {
	fee := k.units(1)
	fee.Mul(fee, big.NewInt(feeCents)).Div(fee, big.NewInt(100))
	half := new(big.Int).Rsh(n, 1)
	if fee.Cmp(half) > 0 {
		fee = half
	}
	return new(big.Int).Sub(n, fee)
}

// elsewhere is the other chain, and the coin of that name there, or its first one.
func (r coinRequest) elsewhere() (place, coin) {
	for _, p := range places {
		if p.ID == r.chain.ID {
			continue
		}
		if k, ok := p.find(r.coin.Symbol); ok {
			return p, k
		}
		return p, p.Coins[0]
	}
	return r.chain, r.coin
}

// another is another coin of the same chain.
func (r coinRequest) another() coin {
	for _, k := range r.chain.Coins {
		if k.Symbol != r.coin.Symbol && !k.Watch {
			return k
		}
	}
	return r.coin
}

// same is an amount of one coin, in another's units.
func same(n *big.Int, from, to coin) *big.Int {
	out := new(big.Int).Mul(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(to.Decimals)), nil))
	return out.Div(out, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(from.Decimals)), nil))
}

// Look says what a text asks for.
func (w *CoinWallet) Look(text string) (CoinRequest, error) {
	r, err := readCoins(text)
	if err != nil {
		return CoinRequest{}, err
	}
	return r.shown(text), nil
}

func (r coinRequest) shown(text string) CoinRequest {
	out := CoinRequest{Text: text, To: r.to.String(), Tail: r.to.tail(), Typed: r.units == nil}
	if out.Typed {
		return out
	}
	other, _ := r.elsewhere()
	out.Token, out.Chain, out.Network, out.Amount = r.coin.Symbol, r.chain.Key, r.chain.Name, r.coin.amountText(r.units)
	out.Less, out.Net = r.coin.amountText(r.coin.less(r.units)), r.coin.amountText(r.coin.afterFee(r.units))
	out.Other, out.Wrong = other.Name, r.another().Symbol
	return out
}

// Choice is what the customer types where a request is an address alone.
type Choice struct{ Chain, Token, Amount string }

// choose completes an address by what the customer typed.
func (r coinRequest) choose(c Choice) (coinRequest, error) {
	if r.units != nil {
		return r, nil
	}
	at := slices.IndexFunc(places, func(p place) bool { return p.Key == c.Chain })
	if at < 0 {
		return r, errors.New("choose a network")
	}
	k, ok := places[at].find(c.Token)
	if !ok {
		return r, fmt.Errorf("there is no %.20s on %s", c.Token, places[at].Name)
	}
	n, err := k.unitsText(c.Amount)
	r.chain, r.coin, r.units = places[at], k, n
	return r, err
}

// transfer is one thing that the wallet sends.
type transfer struct {
	chain place
	coin  coin
	to    evmAddress
	units *big.Int
}

// as says what a wallet sends that deals with a request in some way; an unknown way
// gives nothing.
func (r coinRequest) as(way string) []transfer {
	t := transfer{r.chain, r.coin, r.to, r.units}
	switch way {
	case "", "late":
	case "less":
		t.units = r.coin.less(r.units)
	case "fee":
		t.units = r.coin.afterFee(r.units)
	case "twice":
		return []transfer{t, t}
	case "network":
		t.chain, t.coin = r.elsewhere()
		t.units = same(r.units, r.coin, t.coin)
	case "token":
		t.coin = r.another()
		t.units = same(r.units, r.coin, t.coin)
	case "contract":
		t.to = r.coin.at()
	default:
		return nil
	}
	if t.units.Sign() == 0 {
		return nil
	}
	return []transfer{t}
}

// payBlocks is how long the wallet waits for a block with its transaction.
const payBlocks = 10 * time.Second

// Pay sends what a text asks for, in some way. The error is for a text that cannot
// be read; what the chain says is in the Outcome.
func (w *CoinWallet) Pay(ctx context.Context, text, way string, choice Choice) (Outcome, error) {
	r, err := readCoins(text)
	if err == nil {
		r, err = r.choose(choice)
	}
	if err != nil {
		return Outcome{}, err
	}
	list := r.as(way)
	if list == nil {
		return Outcome{}, errors.New("this cannot be done with this request")
	}
	began := time.Now()
	out := w.carry(ctx, list)
	out.TookMS = time.Since(began).Milliseconds()
	for _, t := range list {
		w.note(t, out)
	}
	return out, nil
}

// carry sends transfers, the second before the first is in a block, and waits.
func (w *CoinWallet) carry(ctx context.Context, list []transfer) Outcome {
	chain := w.chains.chain(list[0].chain.Key)
	if chain == nil {
		return Outcome{Reason: "the chain is not running"}
	}
	out := Outcome{OK: true, Said: "Sent"}
	var hashes []string
	for _, t := range list {
		out.Amount += ", and " + t.String()
		hash, err := chain.rpc.send(ctx, customerAccount, t.coin.at(), transferCall(t.to, t.units))
		if err != nil {
			return Outcome{Reason: coinWords(err)}
		}
		hashes = append(hashes, hash)
	}
	out.Amount = strings.TrimPrefix(out.Amount, ", and ")
	wait, cancel := context.WithTimeout(ctx, payBlocks)
	defer cancel()
	for _, hash := range hashes {
		err := chain.worked(wait, hash)
		if wait.Err() != nil {
			out.Said = "Sent, and in no block yet"
			return out
		}
		if err != nil {
			return Outcome{Reason: err.Error()}
		}
	}
	return out
}

// String is for people: "3.1522 USDC on Devnet One".
func (t transfer) String() string {
	return t.coin.amountText(t.units) + " " + t.coin.Symbol + " on " + t.chain.Name
}

// coinWords says in plain words why nothing was sent.
func coinWords(err error) string {
	if r, ok := errors.AsType[*evmRefusal](err); ok {
		if strings.Contains(r.Message, "revert") {
			return "the token refused the transfer: there is not enough in the wallet, or the address takes none"
		}
		return "the chain refused it: " + r.Message
	}
	return "the chain does not answer"
}

func (w *CoinWallet) note(t transfer, out Outcome) {
	a := Activity{
		At: time.Now(), OK: out.OK, Amount: t.coin.amountText(t.units) + " " + t.coin.Symbol,
		Description: t.chain.Name, Where: "to …\u2060" + t.to.tail(), Reason: out.Reason,
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.activity = slices.Insert(w.activity, 0, a)
	w.activity = w.activity[:min(len(w.activity), activityMax)]
}

// CoinBalance is what the wallet has of one coin.
type CoinBalance struct {
	Token   string `json:"token"`
	Chain   string `json:"chain"`
	Network string `json:"network"`
	Amount  string `json:"amount"`
	Watch   bool   `json:"look_alike,omitempty"`
}

// Balances asks the chains what the customer has.
func (w *CoinWallet) Balances(ctx context.Context) ([]CoinBalance, error) {
	var out []CoinBalance
	for _, c := range w.chains.ready() {
		got := make([]hexBytes, len(c.Coins))
		var calls []evmCall
		for i, k := range c.Coins {
			at := map[string]any{"to": k.at().String(), "data": hexBytes(balanceCall(customerAccount))}
			calls = append(calls, evmCall{"eth_call", []any{at, "latest"}, &got[i]})
		}
		if err := c.rpc.batch(ctx, calls...); err != nil {
			return nil, err
		}
		for i, k := range c.Coins {
			n := new(big.Int).SetBytes(got[i])
			out = append(out, CoinBalance{k.Symbol, c.Key, c.Name, k.amountText(n), k.Watch})
		}
	}
	return out, nil
}

// Activity returns what was sent, newest first.
func (w *CoinWallet) Activity() []Activity {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.activity)
}
