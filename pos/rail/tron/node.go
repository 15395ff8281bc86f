package tron

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// node is an endpoint of kind JSONRPC: java-tron's. It takes addresses as 20 bytes,
// says balances of the newest block only, and knows the tags latest and finalized,
// not pending and not safe.
type node struct {
	*line
	shop
}

const (
	// codeLimit is the most that a contract's code can have, and then some.
	codeLimit = 64 << 10
	// logSpan is how many blocks one request for events covers: an hour. Nodes allow
	// 5,000; a body of rpc's size holds about 1,400 events.
	logSpan = 1200
	// sinceTries bounds the requests of one look: a day and an hour of blocks, in spans
	// that were halved now and then.
	sinceTries = 40
)

func blockCall(w which) rpc.Call {
	switch {
	case w.number != 0:
		return rpc.To("eth_getBlockByNumber", fmt.Sprintf("0x%x", w.number), false)
	case w.solid:
		return rpc.To("eth_getBlockByNumber", "finalized", false)
	}
	return rpc.To("eth_getBlockByNumber", "latest", false)
}

func viewCall(t Token, data string) rpc.Call {
	return rpc.To("eth_call", map[string]string{"to": t.Contract.evm(), "data": "0x" + data}, "latest")
}

func (n *node) verify(ctx context.Context) (f facts, err error) {
	calls := []rpc.Call{rpc.To("eth_chainId"), rpc.To("eth_getCode", n.address.evm(), "latest")}
	for _, t := range n.tokens[:n.asked] {
		calls = append(calls, viewCall(t, selectorDecimals), viewCall(t, selectorSymbol))
	}
	answers, err := n.batch(ctx, calls...)
	if err != nil {
		return f, err
	}
	id, ok1 := rpc.Hex64(answers[0].Result)
	code, ok2 := rpc.HexBytes(answers[1].Result, codeLimit)
	if answers[0].Err != nil || answers[1].Err != nil || !ok1 || !ok2 {
		return f, odd("no chain, or no code at an address")
	}
	f = facts{chain: id, contract: len(code) > 0, dead: map[Address]string{}}
	for i, t := range n.tokens[:n.asked] {
		decimals, ok1 := rpc.HexBytes(answers[2+2*i].Result, 32)
		symbol, ok2 := rpc.HexBytes(answers[3+2*i].Result, 32*6)
		if !ok1 || !ok2 { // an error too: a call to what is no contract fails
			decimals, symbol = nil, nil
		}
		if why := t.differs(decimals, symbol); why != "" {
			f.dead[t.Contract] = why
		}
	}
	return f, nil
}

func (n *node) at(ctx context.Context, w which) (block, error) {
	answers, err := n.batch(ctx, blockCall(w))
	if err != nil {
		return block{}, err
	}
	return n.blockOf(answers[0], w)
}

// blockOf reads an answer to blockCall.
func (n *node) blockOf(r rpc.Reply, w which) (block, error) {
	if r.Err != nil {
		return block{}, r.Err
	}
	b, err := readBlock(r.Result)
	if err == nil && w.number != 0 && b.number != w.number {
		err = odd("another block than asked for")
	}
	return b, err
}

// balance reads between two looks at the newest block. A node answers a batch one
// after the other, in less time than a block takes.
func (n *node) balance(ctx context.Context, t Token) (b block, units *big.Int, err error) {
	w := n.address.word()
	for range bracketTries {
		answers, err := n.batch(ctx, blockCall(which{}), viewCall(t, selectorBalance+hex.EncodeToString(w[:])), blockCall(which{}))
		if err != nil {
			return block{}, nil, err
		}
		b, err1 := n.blockOf(answers[0], which{})
		after, err2 := n.blockOf(answers[2], which{})
		out, ok := rpc.HexBytes(answers[1].Result, 32)
		switch {
		case err1 != nil || err2 != nil || answers[1].Err != nil || !ok || len(out) != 32:
			return block{}, nil, odd("no balance")
		case b == after:
			return b, new(big.Int).SetBytes(out), nil
		}
	}
	return block{}, nil, rpc.Failed(rpc.Stale, "the newest block changed under a balance")
}

// bracketTries is how often a balance is read that a new block came between.
const bracketTries = 3

// logCall asks for the Transfer events of all known tokens to the address, or from it.
func (n *node) logCall(in bool, span map[string]any) rpc.Call {
	w := n.address.word()
	own := "0x" + hex.EncodeToString(w[:])
	topics := []any{"0x" + hex.EncodeToString(topicTransfer[:]), own}
	if in {
		topics = []any{topics[0], nil, own}
	}
	tokens := make([]string, len(n.tokens))
	for i, t := range n.tokens {
		tokens[i] = t.Contract.evm()
	}
	span["address"], span["topics"] = tokens, topics
	return rpc.To("eth_getLogs", span)
}

func between(from uint64, to string) map[string]any {
	return map[string]any{"fromBlock": fmt.Sprintf("0x%x", from), "toBlock": to}
}

func (n *node) since(ctx context.Context, from block) (v view, err error) {
	// The newest part comes with the head, and there is no more most of the time.
	first := from.number
	answers, err := n.batch(ctx, blockCall(which{}), rpc.To("eth_getBalance", n.address.evm(), "latest"))
	if err != nil {
		return v, err
	}
	if v.head, err = n.blockOf(answers[0], which{}); err != nil {
		return v, err
	}
	coin, ok := rpc.HexNumber(answers[1].Result, 128)
	if answers[1].Err != nil || !ok {
		return v, odd("no balance of the native coin")
	}
	v.coin = coin
	if first == 0 { // TronGrid's lists have no heights
		first = v.head.number - min(v.head.number, (v.head.time-min(v.head.time, from.time))/blockSeconds+1)
	}
	span := uint64(logSpan)
	for try := 0; first <= v.head.number; try++ {
		if try == sinceTries {
			return v, rpc.Failed(rpc.Refused, "too many requests for one look")
		}
		end := min(first+span-1, v.head.number)
		part, err := n.logs(ctx, first, end, v.head)
		if f := rpc.FaultOf(err); err != nil && (f == rpc.Refused || f == rpc.Odd) && span > 1 {
			span /= 2
			continue
		}
		if err != nil {
			return v, err
		}
		v.list, first = append(v.list, part...), end+1
	}
	return v, nil
}

// blockSeconds is how often a block is made; a producer that fails leaves a gap.
const blockSeconds = 3

// logs reads the events of a range of blocks.
func (n *node) logs(ctx context.Context, from, end uint64, head block) (list []transfer, err error) {
	to := fmt.Sprintf("0x%x", end)
	answers, err := n.batch(ctx, n.logCall(true, between(from, to)), n.logCall(false, between(from, to)))
	if err != nil {
		return nil, err
	}
	for _, a := range answers {
		if a.Err != nil {
			return nil, a.Err
		}
		logs, err := readLogs(a.Result)
		if err != nil {
			return nil, err
		}
		for _, l := range logs {
			if l.number < from || l.number > end {
				return nil, odd("an event that was not asked for")
			}
			t, ok, err := n.eventOf(l, head)
			if err != nil {
				return nil, err
			}
			if ok {
				list = append(list, t)
			}
		}
	}
	return numbered(list), nil
}

// eventOf makes a transfer of an event. It fails when the event was not asked for.
func (n *node) eventOf(l logEntry, head block) (t transfer, ok bool, err error) {
	from, to, units, ok := readTransfer(l.topics, l.data)
	if _, known := n.token(l.address); !ok || !known || from != n.address && to != n.address {
		return t, false, odd("an event that was not asked for")
	}
	at := block{l.number, l.block, l.time}
	if at.time == 0 { // older nodes do not say; a gap makes it earlier than this
		at.time = head.time - min(head.time, blockSeconds*(head.number-min(head.number, l.number)))
	}
	t, ok = n.transferOf(l.tx, l.address, from, to, units, at)
	return t, ok, nil
}

func (n *node) find(ctx context.Context, t transfer, solid bool) (b block, ok bool, err error) {
	answers, err := n.batch(ctx, rpc.To("eth_getTransactionReceipt", "0x"+hex.EncodeToString(t.tx[:])), blockCall(which{solid: true}))
	if err != nil {
		return b, false, err
	}
	if answers[0].Err != nil {
		return b, false, answers[0].Err
	}
	number, hash, good := readReceipt(answers[0].Result, t.tx)
	if !good {
		return b, false, nil // not there, or it failed
	}
	if solid {
		final, err := n.blockOf(answers[1], which{})
		if err != nil || final.number < number {
			return b, false, err
		}
	}
	return n.holds(ctx, t, number, hash)
}

// holds demands that a block is on the chain and holds a transfer: the block is asked
// for by its height, and the events by its hash.
func (n *node) holds(ctx context.Context, t transfer, number uint64, hash [32]byte) (b block, ok bool, err error) {
	logs := n.logCall(t.to == n.address, map[string]any{"blockHash": "0x" + hex.EncodeToString(hash[:])})
	answers, err := n.batch(ctx, blockCall(which{number: number}), logs)
	if err != nil {
		return b, false, err
	}
	if answers[0].Err != nil || answers[1].Err != nil || string(answers[0].Result) == "null" {
		return b, false, nil // a reorg, or not known yet
	}
	if b, err = n.blockOf(answers[0], which{number: number}); err != nil || b.hash != hash {
		return b, false, err
	}
	list, err := readLogs(answers[1].Result)
	if err != nil {
		return b, false, err
	}
	var there []transfer
	for _, l := range list {
		if l.block != hash || l.number != number {
			return b, false, odd("events of another block than asked for")
		}
		if o, ok, err := n.eventOf(l, b); err != nil {
			return b, false, err
		} else if ok {
			there = append(there, o)
		}
	}
	for _, o := range numbered(there) {
		if o.transferKey == t.transferKey {
			return b, true, nil
		}
	}
	return b, false, nil
}
