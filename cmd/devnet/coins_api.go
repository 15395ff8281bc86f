package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// coinsAPI is the part of the API about stablecoins. It does not wait for the
// Lightning nodes, and they do not wait for it.
type coinsAPI struct {
	chains  *Chains
	wallet  *CoinWallet
	display func(ctx context.Context) (qr string, until time.Time) // what the till shows; nil: no till
}

func newCoinsAPI(c *Chains) *coinsAPI { return &coinsAPI{chains: c, wallet: &CoinWallet{chains: c}} }

func (a *coinsAPI) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/coins", a.status)
	mux.HandleFunc("POST /v1/coins/read", a.read)
	mux.HandleFunc("POST /v1/coins/pay", a.running(a.pay))
	mux.HandleFunc("POST /v1/coins/sign", a.running(a.sign))
	mux.HandleFunc("POST /v1/chains/{chain}/operators/{letter}", a.operator)
	mux.HandleFunc("POST /v1/chains/{chain}/undo", a.running(a.undo))
	mux.HandleFunc("POST /v1/chains/{chain}/blocks", a.running(a.blocks))
}

// ChainState is a chain as the console shows it.
type ChainState struct {
	Key       string          `json:"key"`
	Name      string          `json:"name"`
	Block     uint64          `json:"block"`
	Still     bool            `json:"still"` // blocks were stopped
	Operators []OperatorState `json:"operators"`
}

// OperatorState is one of its operators.
type OperatorState struct {
	Letter string       `json:"letter"`
	Mode   operatorMode `json:"mode"`
}

// status says how far the chains are, what they hold, and what the till asks for.
func (a *coinsAPI) status(w http.ResponseWriter, r *http.Request) {
	s, _ := a.chains.progress.Now()
	out := struct {
		Status
		Chains   []ChainState  `json:"chains"`
		Balances []CoinBalance `json:"balances"`
		Shown    *CoinRequest  `json:"shown,omitempty"`
		Activity []Activity    `json:"activity"`
	}{Status: s, Activity: a.wallet.Activity()}
	for _, c := range a.chains.ready() {
		out.Chains = append(out.Chains, a.state(r.Context(), c))
	}
	if s.Ready {
		out.Balances, _ = a.wallet.Balances(r.Context()) // a chain that died is back in a moment
		out.Shown = a.shown(r.Context())
	}
	answer(w, out)
}

func (a *coinsAPI) state(ctx context.Context, c *evmChain) ChainState {
	out := ChainState{Key: c.Key, Name: c.Name, Still: c.still.Load()}
	var n number
	if c.rpc.call(ctx, &n, "eth_blockNumber") == nil { // 0 while it is away
		out.Block = uint64(n)
	}
	for _, o := range a.chains.operators {
		if o.Key == c.Key {
			out.Operators = append(out.Operators, OperatorState{o.letter, o.Mode()})
		}
	}
	return out
}

// shown is what the till's display asks for, nil when that is nothing in coins.
func (a *coinsAPI) shown(ctx context.Context) *CoinRequest {
	if a.display == nil {
		return nil
	}
	qr, until := a.display(ctx)
	r, err := a.wallet.Look(qr)
	if err != nil {
		return nil
	}
	r.Shown, r.Until = true, until
	return &r
}

// running answers 503 until the chains are up.
func (a *coinsAPI) running(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s, _ := a.chains.progress.Now(); !s.Ready {
			w.Header().Set("Retry-After", "1")
			problem(w, http.StatusServiceUnavailable, "the chains are not ready: "+s.String())
			return
		}
		next(w, r)
	}
}

// read says what a pasted text asks for; 404 when it is nothing in coins.
func (a *coinsAPI) read(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Text string `json:"text"`
	}
	if !read(w, r, &in) {
		return
	}
	out, err := a.wallet.Look(in.Text)
	switch {
	case errors.Is(err, errNoCoin):
		problem(w, http.StatusNotFound, err.Error())
	case err != nil:
		problem(w, http.StatusUnprocessableEntity, err.Error())
	default:
		answer(w, out)
	}
}

// pay sends coins, and goes on when the caller hangs up: what was sent cannot be
// called back.
func (a *coinsAPI) pay(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Text   string `json:"text"`
		As     string `json:"as"` // "", less, fee, twice, network, token, contract, late
		Chain  string `json:"chain"`
		Token  string `json:"token"`
		Amount string `json:"amount"`
	}
	if !read(w, r, &in) {
		return
	}
	out, err := a.wallet.Pay(context.WithoutCancel(r.Context()), in.Text, in.As, Choice{in.Chain, in.Token, in.Amount})
	if err != nil {
		out = Outcome{Reason: err.Error()}
	}
	answer(w, out)
}

// operator makes an operator honest, silent, or a liar.
func (a *coinsAPI) operator(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Mode operatorMode `json:"mode"`
	}
	if !read(w, r, &in) {
		return
	}
	o := a.chains.operator(r.PathValue("chain"), r.PathValue("letter"))
	if o == nil {
		problem(w, http.StatusNotFound, "there is no such operator")
		return
	}
	if !o.Set(in.Mode) {
		problem(w, http.StatusBadRequest, "mode must be honest, cut, denies or doubles")
		return
	}
	answer(w, OperatorState{o.letter, in.Mode})
}

// undo lets a chain lose its last blocks.
func (a *coinsAPI) undo(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Depth int `json:"depth"`
	}
	c := a.chains.chain(r.PathValue("chain"))
	switch {
	case !read(w, r, &in):
	case c == nil:
		problem(w, http.StatusNotFound, "there is no such chain")
	case in.Depth < 1 || in.Depth > reorgMax:
		problem(w, http.StatusBadRequest, fmt.Sprintf("depth must be from 1 to %d", reorgMax))
	default:
		reply(w, map[string]int{"undone": in.Depth}, c.undo(r.Context(), in.Depth))
	}
}

// blocks stops a chain's blocks, or lets them come again.
func (a *coinsAPI) blocks(w http.ResponseWriter, r *http.Request) {
	var in struct {
		On bool `json:"on"`
	}
	c := a.chains.chain(r.PathValue("chain"))
	switch {
	case !read(w, r, &in):
	case c == nil:
		problem(w, http.StatusNotFound, "there is no such chain")
	default:
		reply(w, map[string]bool{"on": in.On}, c.mine(r.Context(), in.On))
	}
}
