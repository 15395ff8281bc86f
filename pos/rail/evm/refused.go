package evm

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// A sweep of many holdings leaves where it is what cannot be moved, and its transaction
// succeeds all the same: no wallet tells. So the chain is asked, before and after: what
// would come of each holding now, without a transaction; and what transactions left where
// it is, by the factory's events. One endpoint's word is enough here, too: a lie costs a
// transfer, and no money.

// Verdict is what would come of moving a holding at the newest block.
type Verdict string

// Verdicts.
const (
	Free   Verdict = "free"
	Empty  Verdict = "empty"    // nothing lies there
	Paused Verdict = "paused"   // the token's issuer stopped it for everybody
	Shut   Verdict = "treasury" // the issuer froze the treasury: nothing of the token reaches it
	Frozen Verdict = "frozen"   // the issuer froze the address
	Refuse Verdict = "refused"  // it cannot be moved, and nothing asked for says why
)

// Selectors of what issuers' tokens tell of themselves: Circle's and Tether's.
var (
	selectorPaused  = unhex("5c975abb") // paused()
	selectorsFrozen = [][]byte{
		unhex("fe575a87"), // isBlacklisted(address), Circle's
		unhex("e47d6060"), // isBlackListed(address), Tether's
	}
)

// Bounds of an attempt: a call that is never mined.
const (
	// attemptGas of one call: a sweep's item takes 68,400 at worst; see gasAnItem.
	attemptGas = 500_000
	// maxAttempts of one eth_call: if each burns all it gets, 15 million gas, a third of
	// what nodes give.
	maxAttempts = 30
)

// attempt is a call to a contract.
type attempt struct {
	to   Address
	data []byte
}

// result is what came of an attempt: whether it went through, and the first word of what
// it returned, or zero.
type result struct {
	ok   bool
	word *big.Int
}

func (r result) yes() bool { return r.ok && r.word.Cmp(big.NewInt(1)) == 0 }

// attemptCode returns creation code that makes every call, the next one on what the last
// one left, and returns two words for each: whether it went through, and the first word
// that it returned. Its data stands behind its instructions, of which each call has a
// fixed length.
func attemptCode(list []attempt) []byte {
	const each, end = 53, 6
	words := 64 * len(list) // from here on memory is for arguments
	push := func(out []byte, n int) []byte { return append(out, 0x61, byte(n>>8), byte(n)) }
	var code, data []byte
	for i, a := range list {
		at, size, answer := each*len(list)+end+len(data), len(a.data), 64*i
		code = append(push(push(push(code, size), at), words), 0x39)                   // CODECOPY
		code = push(push(push(append(code, 0x60, 32), answer+32), size), words)        // returned words, arguments
		code = append(append(append(code, 0x60, 0, 0x73), a.to[:]...), 0x62)           // no coins, to whom
		code = append(code, attemptGas>>16, attemptGas>>8&0xff, attemptGas&0xff, 0xf1) // CALL
		code, data = append(push(code, answer), 0x52), append(data, a.data...)         // MSTORE
	}
	code = append(push(code, words), 0x60, 0, 0xf3) // RETURN
	return append(code, data...)
}

// attempts makes calls at the newest block of one endpoint, maxAttempts at a time.
func (p ground) attempts(ctx context.Context, k *rpc.Client, list []attempt) (out []result, err error) {
	for part := range slices.Chunk(list, maxAttempts) {
		if err := k.Wait(ctx); err != nil {
			return nil, err
		}
		answers, err := k.Batch(ctx, rpc.To("eth_chainId"), rpc.To("eth_call", map[string]string{"data": "0x" + hex.EncodeToString(attemptCode(part))}, "latest"))
		if err != nil {
			return nil, err
		}
		if id, ok := rpc.Hex64(answers[0].Result); answers[0].Err != nil || !ok || id != p.chain.ID {
			return nil, rpc.Failed(rpc.WrongChain, "chain %d, want %d", id, p.chain.ID)
		}
		if answers[1].Err != nil {
			return nil, answers[1].Err
		}
		some, err := readAttempts(answers[1].Result, len(part))
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

// readAttempts reads the answer to so many attempts.
func readAttempts(raw json.RawMessage, n int) ([]result, error) {
	b, ok := rpc.HexBytes(raw, 64*n)
	if !ok || len(b) != 64*n {
		return nil, rpc.Failed(rpc.Odd, "what came of calls cannot be read")
	}
	out := make([]result, n)
	for i := range out {
		flag, ok := smallWord(b[64*i:])
		if !ok || flag > 1 {
			return nil, rpc.Failed(rpc.Odd, "what came of calls cannot be read")
		}
		out[i] = result{flag == 1, new(big.Int).SetBytes(b[64*i+32 : 64*i+64])}
	}
	return out, nil
}

// Try says what would come of moving each of hs now, in their order, as one batch would
// move them. It blocks for a request for about thirty holdings, and one for about four that
// cannot be moved. It fails with NotFound for a chain that is not set up, with Unavailable
// when no endpoint answers.
func (s *Surveyor) Try(ctx context.Context, chain string, hs []Holding) ([]Verdict, error) {
	p, err := s.at(chain)
	if err != nil {
		return nil, err
	}
	var why error
	for _, k := range p.clients {
		out, err := p.try(ctx, k, hs)
		if err == nil {
			return out, nil
		}
		why = err
	}
	return nil, pos.Wrap("try transfer", pos.Unavailable, why, "%s does not answer", p.chain.Name)
}

func (p ground) try(ctx context.Context, k *rpc.Client, hs []Holding) ([]Verdict, error) {
	var moves, asks []attempt
	for _, h := range hs {
		moves = append(moves, attempt{Factory, sweepOneCall(h.Treasury, h.Salt, h.Token.Contract)})
	}
	came, err := p.attempts(ctx, k, moves)
	if err != nil {
		return nil, err
	}
	out := make([]Verdict, len(hs))
	var left []int
	for i, h := range hs {
		switch out[i] = Free; {
		case came[i].ok:
		case h.Token.Contract == (Address{}):
			out[i] = Refuse // the treasury is a contract that takes no coins
		default:
			left, asks = append(left, i), append(asks, questions(h)...)
		}
	}
	if came, err = p.attempts(ctx, k, asks); err != nil {
		return nil, err
	}
	for at, i := range left {
		out[i] = verdict(came[at*questionsOf : (at+1)*questionsOf])
	}
	return out, nil
}

// questionsOf a holding that cannot be moved: its balance, whether the token is paused, and
// whether its treasury or its address is frozen, in two issuers' words.
const questionsOf = 6

func questions(h Holding) []attempt {
	ask := func(selector []byte, about Address) attempt {
		w := about.word()
		return attempt{h.Token.Contract, append(slices.Clone(selector), w[:]...)}
	}
	out := []attempt{ask(selectorBalance, h.Address), {h.Token.Contract, selectorPaused}}
	for _, about := range []Address{h.Treasury, h.Address} {
		for _, selector := range selectorsFrozen {
			out = append(out, ask(selector, about))
		}
	}
	return out
}

// verdict reads the answers to questions.
func verdict(came []result) Verdict {
	switch {
	case came[0].ok && came[0].word.Sign() == 0:
		return Empty
	case came[1].yes():
		return Paused
	case came[2].yes() || came[3].yes():
		return Shut
	case came[4].yes() || came[5].yes():
		return Frozen
	}
	return Refuse
}

// Skip is a transaction that named a holding and left it where it is. Anybody can send
// one, with too little gas.
type Skip struct {
	Address, Token Address
	Tx             string // "0x" and 64 digits
	Number         uint64 // of its block
}

// Bounds of one look for skips: free plans give as few as ten blocks' events at once.
const (
	skipWidth = 2048 // blocks at first; a refusal makes it a quarter
	skipTries = 10   // requests of up to sweptRanges ranges; the next look goes on
)

// Skipped returns what transactions left where it is, of hs, in blocks from a number on, the
// oldest first; and the block up to which that is known, which may be before the newest
// one: the next look goes on from there. It blocks for some requests. It fails with
// NotFound for a chain that is not set up, with Unavailable when no endpoint gives events.
func (s *Surveyor) Skipped(ctx context.Context, chain string, hs []Holding, from uint64) (skips []Skip, upTo uint64, err error) {
	p, err := s.at(chain)
	if err != nil {
		return nil, 0, err
	}
	var why error
	for _, k := range p.clients {
		skips, upTo, err := p.skipped(ctx, k, hs, max(from, 1))
		if err == nil {
			return skips, upTo, nil
		}
		why = err
	}
	return nil, 0, pos.Wrap("look for transfers", pos.Unavailable, why, "%s does not say what was sent", p.chain.Name)
}

func (p ground) skipped(ctx context.Context, k *rpc.Client, hs []Holding, from uint64) (out []Skip, upTo uint64, err error) {
	if err := k.Wait(ctx); err != nil {
		return nil, 0, err
	}
	answers, err := k.Batch(ctx, rpc.To("eth_chainId"), rpc.To("eth_blockNumber"))
	if err != nil {
		return nil, 0, err
	}
	id, ok1 := rpc.Hex64(answers[0].Result)
	head, ok2 := rpc.Hex64(answers[1].Result)
	if !ok1 || !ok2 || id != p.chain.ID {
		return nil, 0, rpc.Failed(rpc.WrongChain, "chain %d, want %d", id, p.chain.ID)
	}
	at, width, why := from, uint64(skipWidth), error(nil)
	for try := 0; try < skipTries && at <= head && width > 0; try++ {
		if err := k.Wait(ctx); err != nil {
			return nil, 0, err
		}
		var some []Skip
		some, at, why = p.skipsOf(ctx, k, hs, at, head, width)
		if out = append(out, some...); why != nil {
			width /= 4
		}
	}
	if at == from && why != nil {
		return nil, 0, why
	}
	return out, at - 1, nil
}

// skipsOf asks for the events of some ranges, and returns the block behind those it got.
func (p ground) skipsOf(ctx context.Context, k *rpc.Client, hs []Holding, from, head, width uint64) (out []Skip, next uint64, err error) {
	var ranges []span
	var calls []rpc.Call
	for at := from; at <= head && len(ranges) < sweptRanges; at += width {
		r := span{at, min(at+width-1, head)}
		ranges, calls = append(ranges, r), append(calls, skippedCall(hs, r))
	}
	answers, err := k.Batch(ctx, calls...)
	if err != nil {
		return nil, from, err
	}
	next = from
	for i, r := range ranges {
		list, err := readSkips(answers[i], hs, r)
		if err != nil {
			return out, next, err
		}
		out, next = append(out, list...), r.to+1
	}
	return out, next, nil
}

// skippedCall asks for the factory's word about addresses.
func skippedCall(hs []Holding, r span) rpc.Call {
	var addresses []string
	for _, h := range hs {
		w := h.Address.word()
		if t := "0x" + hex.EncodeToString(w[:]); !slices.Contains(addresses, t) {
			addresses = append(addresses, t)
		}
	}
	return rpc.To("eth_getLogs", map[string]any{
		"address": Factory.String(), "fromBlock": fmt.Sprintf("0x%x", r.from), "toBlock": fmt.Sprintf("0x%x", r.to),
		"topics": []any{"0x" + hex.EncodeToString(topicSkipped[:]), addresses},
	})
}

// readSkips reads the events of a range. Those of a token that was not meant are left out.
func readSkips(r rpc.Reply, hs []Holding, in span) (out []Skip, err error) {
	if r.Err != nil {
		return nil, r.Err
	}
	logs, err := readLogs(r.Result)
	if err != nil {
		return nil, &rpc.Error{Fault: rpc.Odd, Err: err}
	}
	for _, l := range logs {
		if l.address != Factory || len(l.topics) != 3 || l.topics[0] != topicSkipped || l.number < in.from || l.number > in.to {
			return nil, rpc.Failed(rpc.Odd, "an event that was not asked for")
		}
		if slices.ContainsFunc(hs, func(h Holding) bool { return l.topics[1] == h.Address.word() && l.topics[2] == h.Token.Contract.word() }) {
			out = append(out, Skip{Address(l.topics[1][12:]), Address(l.topics[2][12:]), "0x" + hex.EncodeToString(l.tx[:]), l.number})
		}
	}
	return out, nil
}
