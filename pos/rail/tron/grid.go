package tron

import (
	"context"
	"encoding/hex"
	"encoding/json"
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
	info, err := readInfo(f, t.tx)
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

// row is one entry of a list.
type row struct {
	tx       [32]byte
	contract Address
	from, to Address
	units    *big.Int
	time     uint64
	kind     string
}

// readRows reads a list, and the name of its next page, "" when there is none.
func readRows(f map[string]json.RawMessage) (rows []row, next string, err error) {
	var all []json.RawMessage
	data := f["data"]
	if string(f["success"]) != "true" || len(data) == 0 || data[0] != '[' || json.Unmarshal(data, &all) != nil || len(all) > pageSize {
		return nil, "", odd("no list of transfers")
	}
	for _, one := range all {
		f, err := rpc.Fields(one)
		if err != nil {
			return nil, "", &rpc.Error{Fault: rpc.Odd, Err: err}
		}
		r, ok := readRow(f)
		if !ok {
			return nil, "", odd("a transfer that cannot be read")
		}
		rows = append(rows, r)
	}
	meta, err := rpc.Fields(f["meta"])
	if err != nil {
		return nil, "", odd("a list without its end")
	}
	if raw, more := meta["fingerprint"]; more {
		var ok bool
		if next, ok = rpc.Text(raw, 256); !ok || next == "" {
			return nil, "", odd("a next page without a name")
		}
	}
	return rows, next, nil
}

func readRow(f map[string]json.RawMessage) (r row, fine bool) {
	info, err := rpc.Fields(f["token_info"])
	if err != nil {
		return r, false
	}
	var ok [7]bool
	r.tx, ok[0] = bareHash(f["transaction_id"])
	r.contract, ok[1] = base58(info["address"])
	r.from, ok[2] = base58(f["from"])
	r.to, ok[3] = base58(f["to"])
	r.kind, ok[4] = rpc.Text(f["type"], 32)
	r.time, ok[5] = millis(f["block_timestamp"])
	value, isText := rpc.Text(f["value"], 78)
	r.units, ok[6] = decimal(value, 0)
	return r, isText && ok == [7]bool{true, true, true, true, true, true, true}
}

// base58 reads a JSON string as an address.
func base58(raw json.RawMessage) (Address, bool) {
	s, ok := rpc.Text(raw, addressLen)
	a, err := ParseAddress(s)
	return a, ok && err == nil
}

// bareHash reads 64 digits without "0x".
func bareHash(raw json.RawMessage) (h [32]byte, ok bool) {
	b, ok := bareHex(raw, 32)
	if !ok || len(b) != 32 {
		return h, false
	}
	return [32]byte(b), true
}

// bareHex reads digits without "0x", limit bytes at most.
func bareHex(raw json.RawMessage, limit int) ([]byte, bool) {
	s, ok := rpc.Text(raw, 2*limit)
	b, err := hex.DecodeString(s)
	return b, ok && err == nil
}

// count reads a whole number of JSON that is not negative.
func count(raw json.RawMessage) (uint64, bool) {
	n, err := strconv.ParseUint(string(raw), 10, 63)
	return n, err == nil
}

// millis reads milliseconds as whole seconds.
func millis(raw json.RawMessage) (uint64, bool) {
	n, ok := count(raw)
	return n / 1000, ok
}

// readGridBlock reads a block of the HTTP API. The hash begins with the height.
func readGridBlock(f map[string]json.RawMessage) (b block, err error) {
	header, err1 := rpc.Fields(f["block_header"])
	raw, err2 := rpc.Fields(header["raw_data"])
	hash, ok := bareHash(f["blockID"])
	if err1 != nil || err2 != nil || !ok {
		return b, odd("there is no such block")
	}
	var ok1, ok2 bool
	if n, says := raw["number"]; says {
		b.number, ok1 = count(n)
	} else {
		ok1 = true // the first one's zero is left out
	}
	if t, says := raw["timestamp"]; says {
		b.time, ok2 = millis(t)
	} else {
		ok2 = b.number == 0
	}
	b.hash = hash
	if !ok1 || !ok2 || new(big.Int).SetBytes(hash[:8]).Uint64() != b.number {
		return block{}, odd("a block without hash, number or time")
	}
	return b, nil
}

// readResult reads what a contract's function returned.
func readResult(f map[string]json.RawMessage) ([]byte, error) {
	result, err := rpc.Fields(f["result"])
	if err != nil {
		return nil, odd("no result")
	}
	_, refused := result["message"]
	if string(result["result"]) != "true" || refused {
		return nil, rpc.Failed(rpc.Refused, "the contract does not answer")
	}
	var all []json.RawMessage
	if json.Unmarshal(f["constant_result"], &all) != nil || len(all) != 1 {
		return nil, odd("not one result")
	}
	b, ok := bareHex(all[0], 32*6)
	if !ok {
		return nil, odd("a result that cannot be read")
	}
	return b, nil
}

// info is what became of a transaction.
type info struct {
	number uint64
	time   uint64
	good   bool // it went well
	logs   []logEntry
}

// readInfo reads the answer to gettransactioninfobyid.
func readInfo(f map[string]json.RawMessage, want [32]byte) (i info, err error) {
	receipt, err := rpc.Fields(f["receipt"])
	tx, ok1 := bareHash(f["id"])
	var ok2, ok3 bool
	i.number, ok2 = count(f["blockNumber"])
	i.time, ok3 = millis(f["blockTimeStamp"])
	if err != nil || !ok1 || !ok2 || !ok3 || tx != want || i.number == 0 {
		return i, odd("a transaction that cannot be read")
	}
	_, failed := f["result"] // is there only when it is FAILED
	if i.good = string(receipt["result"]) == `"SUCCESS"` && !failed; !i.good {
		return i, nil
	}
	var all []json.RawMessage
	if raw, has := f["log"]; has && json.Unmarshal(raw, &all) != nil || len(all) > maxLogs {
		return i, odd("no list of events")
	}
	for _, one := range all {
		l, ok := readGridLog(one)
		if !ok {
			return i, odd("an event that cannot be read")
		}
		i.logs = append(i.logs, l)
	}
	return i, nil
}

// readGridLog reads an event of a transaction: its address has 20 bytes here.
func readGridLog(raw json.RawMessage) (l logEntry, fine bool) {
	f, err := rpc.Fields(raw)
	at, ok := bareHex(f["address"], 20)
	if err != nil || !ok || len(at) != 20 {
		return l, false
	}
	l.address = Address(at)
	var topics []json.RawMessage
	if raw, has := f["topics"]; has && json.Unmarshal(raw, &topics) != nil || len(topics) > 4 {
		return l, false
	}
	for _, t := range topics {
		h, ok := bareHash(t)
		if !ok {
			return l, false
		}
		l.topics = append(l.topics, h)
	}
	if raw, has := f["data"]; has {
		l.data, ok = bareHex(raw, 64<<10)
	}
	return l, ok
}

// accountOf returns the one account of an answer; there is none for an address that
// never received anything.
func accountOf(f map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	var all []json.RawMessage
	if string(f["success"]) != "true" || json.Unmarshal(f["data"], &all) != nil || len(all) > 1 {
		return nil, odd("no account")
	}
	if len(all) == 0 {
		return nil, nil
	}
	a, err := rpc.Fields(all[0])
	if err != nil {
		return nil, &rpc.Error{Fault: rpc.Odd, Err: err}
	}
	return a, nil
}

// readCoin reads what an account has of the native coin.
func readCoin(f map[string]json.RawMessage) (*big.Int, error) {
	a, err := accountOf(f)
	if err != nil {
		return nil, err
	}
	raw, has := a["balance"]
	n, ok := count(raw)
	if has && !ok {
		return nil, odd("a balance that cannot be read")
	}
	return new(big.Int).SetUint64(n), nil
}

// readOwner reports whether an account's own key may move its money. known is false for
// an account that is not there yet, or does not say.
func readOwner(f map[string]json.RawMessage, address Address) (own, known bool, err error) {
	a, err := accountOf(f)
	if err != nil || a["owner_permission"] == nil {
		return false, false, err
	}
	var p struct {
		Keys []struct {
			Address string `json:"address"`
		} `json:"keys"`
	}
	if json.Unmarshal(a["owner_permission"], &p) != nil || len(p.Keys) == 0 {
		return false, false, odd("permissions that cannot be read")
	}
	for _, k := range p.Keys {
		own = own || k.Address == address.String() || k.Address == address.Hex()
	}
	return own, true, nil
}
