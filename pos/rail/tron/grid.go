package tron

import (
	"context"
	"encoding/hex"
	"math/big"
	"net/url"
	"strconv"
	"time"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// grid is an endpoint of kind TronGrid: its lists of transfers (/v1), and a node's HTTP
// API beside them (/wallet for the newest state, /walletsolidity for the solidified
// one). The lists are an index: they name a transaction, and the node is asked for it.
type grid struct {
	*line
	shop

	others int       // whose turn it is among the tokens without a button
	turned time.Time // when that was
}

const (
	// pageSize is the most that a list has at once.
	pageSize = 200
	// maxPages bounds the pages of one look: a day of 5,000 transfers.
	maxPages = 25
	// othersEvery is how often one of the tokens without a button is asked for, and the
	// native coin.
	othersEvery = 30 * time.Second
)

func (g *grid) verify(ctx context.Context) (f facts, err error) {
	first, err := g.block(ctx, "/wallet/getblock", map[string]any{"id_or_num": "0", "detail": false})
	if err != nil {
		return f, err
	}
	f = facts{chain: chainOf(first), dead: map[Address]string{}}
	contract, err := g.post(ctx, "/wallet/getcontract", map[string]any{"value": g.address.String(), "visible": true})
	if err != nil {
		return f, err
	}
	f.contract = len(contract) > 0
	for _, t := range g.tokens[:g.asked] {
		decimals, err1 := g.call(ctx, t, "decimals()", "")
		symbol, err2 := g.call(ctx, t, "symbol()", "")
		for _, err := range []error{err1, err2} {
			if err != nil && rpc.FaultOf(err) != rpc.Refused {
				return f, err
			}
		}
		if why := t.differs(decimals, symbol); why != "" {
			f.dead[t.Contract] = why
		}
	}
	return f, g.account(ctx, &f)
}

// chainOf returns what eth_chainId says of a first block.
func chainOf(first block) uint64 {
	h := first.hash
	return uint64(h[28])<<24 | uint64(h[29])<<16 | uint64(h[30])<<8 | uint64(h[31])
}

// account reads whose keys move the address's money, and whether it ever sent any.
func (g *grid) account(ctx context.Context, f *facts) error {
	a, err := g.get(ctx, "/v1/accounts/"+g.address.String(), url.Values{})
	if err != nil {
		return err
	}
	own, known, err := readOwner(a, g.address)
	if err != nil {
		return err
	}
	if known {
		f.foreign = doubtOf(!own)
	}
	sent, err := g.get(ctx, g.listPath(), url.Values{"only_from": {"true"}, "limit": {"1"}})
	if err != nil {
		return err
	}
	rows, _, err := readRows(sent)
	f.fresh = doubtOf(len(rows) == 0)
	return err
}

func (g *grid) at(ctx context.Context, w which) (b block, err error) {
	path, in := "/wallet/getblock", map[string]any{"detail": false}
	if w.solid {
		path = "/walletsolidity/getblock"
	}
	if w.number != 0 {
		in["id_or_num"] = strconv.FormatUint(w.number, 10)
	}
	b, err = g.block(ctx, path, in)
	if err == nil && w.number != 0 && b.number != w.number {
		err = odd("another block than asked for")
	}
	return b, err
}

func (g *grid) block(ctx context.Context, path string, in any) (block, error) {
	f, err := g.post(ctx, path, in)
	if err != nil {
		return block{}, err
	}
	return readGridBlock(f)
}

// balance reads between two looks at the newest block.
func (g *grid) balance(ctx context.Context, t Token) (block, *big.Int, error) {
	w := g.address.word()
	before, err := g.at(ctx, which{})
	if err != nil {
		return block{}, nil, err
	}
	for range bracketTries {
		out, err := g.call(ctx, t, "balanceOf(address)", hex.EncodeToString(w[:]))
		if err != nil {
			return block{}, nil, err
		}
		after, err := g.at(ctx, which{})
		switch {
		case err != nil:
			return block{}, nil, err
		case len(out) != 32:
			return block{}, nil, odd("no balance")
		case before == after:
			return before, new(big.Int).SetBytes(out), nil
		}
		before = after
	}
	return block{}, nil, rpc.Failed(rpc.Stale, "the newest block changed under a balance")
}

// call runs a function of a token's contract. It fails with rpc.Refused when the
// contract does not answer it.
func (g *grid) call(ctx context.Context, t Token, function, parameter string) ([]byte, error) {
	f, err := g.post(ctx, "/wallet/triggerconstantcontract", map[string]any{
		"owner_address": g.address.String(), "contract_address": t.Contract.String(),
		"function_selector": function, "parameter": parameter, "visible": true,
	})
	if err != nil {
		return nil, err
	}
	return readResult(f)
}

func (g *grid) listPath() string {
	return "/v1/accounts/" + g.address.String() + "/transactions/trc20"
}

func (g *grid) since(ctx context.Context, from block) (v view, err error) {
	if v.head, err = g.at(ctx, which{}); err != nil {
		return v, err
	}
	tokens, now := g.tokens[:g.asked:g.asked], time.Now()
	if rest := g.tokens[g.asked:]; now.Sub(g.turned) >= othersEvery {
		g.turned = now
		if len(rest) > 0 {
			tokens = append(tokens, rest[g.others%len(rest)])
			g.others++
		}
		a, err := g.get(ctx, "/v1/accounts/"+g.address.String(), url.Values{})
		if err != nil {
			return v, err
		}
		if v.coin, err = readCoin(a); err != nil {
			return v, err
		}
	}
	for i, t := range tokens {
		if i == g.asked { // it was not asked for in a while
			from.time -= min(from.time, uint64((len(g.tokens)-g.asked+1)*int(othersEvery/time.Second)))
		}
		list, err := g.list(ctx, t, from)
		if err != nil {
			return v, err
		}
		v.list = append(v.list, list...)
	}
	v.only = tokens
	return v, nil
}

// list reads all pages of one token's transfers from a time on, the oldest first.
func (g *grid) list(ctx context.Context, t Token, from block) (out []transfer, err error) {
	query := url.Values{
		"contract_address": {t.Contract.String()}, "only_confirmed": {"false"}, "limit": {strconv.Itoa(pageSize)},
		"order_by": {"block_timestamp,asc"}, "min_timestamp": {strconv.FormatUint(from.time*1000, 10)},
	}
	for range maxPages {
		f, err := g.get(ctx, g.listPath(), query)
		if err != nil {
			return nil, err
		}
		rows, next, err := readRows(f)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if r.contract != t.Contract || r.from != g.address && r.to != g.address {
				return nil, odd("a transfer that was not asked for")
			}
			if t, ok := g.transferOf(r.tx, r.contract, r.from, r.to, r.units, block{time: r.time}); ok && r.kind == "Transfer" {
				out = append(out, t)
			}
		}
		if next == "" {
			return numbered(out), nil
		}
		if next == query.Get("fingerprint") || len(rows) == 0 {
			return nil, odd("a list without an end")
		}
		query.Set("fingerprint", next)
	}
	return nil, rpc.Failed(rpc.Refused, "too many pages for one look")
}

func (g *grid) find(ctx context.Context, t transfer, solid bool) (b block, ok bool, err error) {
	path := "/wallet/gettransactioninfobyid"
	if solid {
		path = "/walletsolidity/gettransactioninfobyid"
	}
	f, err := g.post(ctx, path, map[string]any{"value": hex.EncodeToString(t.tx[:])})
	if err != nil || len(f) == 0 { // not there
		return b, false, err
	}
	info, err := readInfo(f, t.tx, func(a Address) bool { _, known := g.token(a); return known })
	if err != nil || !info.good {
		return b, false, err
	}
	var there []transfer
	for _, l := range info.logs {
		from, to, units, ok := readTransfer(l.topics, l.data)
		if !ok {
			continue
		}
		if o, ok := g.transferOf(t.tx, l.address, from, to, units, block{}); ok {
			there = append(there, o)
		}
	}
	for _, o := range numbered(there) {
		if o.transferKey == t.transferKey {
			// The block is asked for anew: what counts is the one that is on the chain now.
			b, err = g.at(ctx, which{number: info.number, solid: solid})
			return b, err == nil && b.time == info.time, err
		}
	}
	return b, false, nil
}
