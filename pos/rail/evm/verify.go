package evm

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

const (
	// faultFactory: the factory is not on this chain.
	faultFactory rpc.Fault = 100 + iota
	// faultTreasury: what stands at the treasury is not a wallet of the merchant's.
	faultTreasury
	// faultTags: the endpoint does not know the safe or the final block, and the policy
	// wants it.
	faultTags
)

// codeLimit is the most that a contract's code can have (EIP-170), and then some.
const codeLimit = 64 << 10

// verify asks an endpoint whether it is the chain that it should be, whether the
// contracts stand there, and whether each token is what the registry says.
func (c *chain) verify(ctx context.Context, k *rpc.Client) error {
	calls := []rpc.Call{
		rpc.To("eth_chainId"), codeCall(Deployer), codeCall(Factory), codeCall(c.w.o.Treasury),
		rpc.To("eth_getTransactionCount", c.w.o.Treasury.String(), "latest"),
	}
	answers, err := k.Batch(ctx, calls...)
	if err != nil {
		return err
	}
	for _, a := range answers {
		if a.Err != nil {
			return a.Err
		}
	}
	if id, ok := rpc.Hex64(answers[0].Result); !ok || id != c.ID {
		return rpc.Failed(rpc.WrongChain, "chain %d, want %d", id, c.ID)
	}
	if !c.w.o.Shared {
		if err := checkContracts(answers[1].Result, answers[2].Result); err != nil {
			return err
		}
	}
	if err := c.checkTreasury(answers[3].Result, answers[4].Result); err != nil {
		return err
	}
	if err := c.verifyTags(ctx, k); err != nil {
		return err
	}
	return c.verifyTokens(ctx, k)
}

// verifyTags asks for the deep blocks that the chain's policy wants.
func (c *chain) verifyTags(ctx context.Context, k *rpc.Client) error {
	var calls []rpc.Call
	for _, r := range PolicyOf(c.Chain) {
		if isDeep(r.Level) {
			calls = append(calls, rpc.To("eth_getBlockByNumber", string(r.Level), false))
		}
	}
	if len(calls) == 0 {
		return nil
	}
	k.Spend()
	answers, err := k.Batch(ctx, calls...)
	if err != nil {
		return err
	}
	for i, a := range answers {
		if _, err := readBlock(a.Result); a.Err != nil || err != nil {
			return rpc.Failed(faultTags, "no block %v", calls[i].Params[0])
		}
	}
	return nil
}

func codeCall(at Address) rpc.Call { return rpc.To("eth_getCode", at.String(), "latest") }

// checkContracts compares the code at D and F with what it must be.
func checkContracts(deployer, factory json.RawMessage) error {
	d, ok1 := rpc.HexBytes(deployer, codeLimit)
	f, ok2 := rpc.HexBytes(factory, codeLimit)
	if !ok1 || !ok2 {
		return rpc.Failed(rpc.Odd, "code that cannot be read")
	}
	hd, hf := keccak(d), keccak(f)
	if hex.EncodeToString(hd[:]) != deployerCodeHash || hex.EncodeToString(hf[:]) != factoryCodeHash {
		return rpc.Failed(faultFactory, "the factory is not at %s", Factory)
	}
	return nil
}

// checkTreasury looks at what stands where the money goes. A small proxy is how
// exchanges make deposit addresses: money that a contract sends there is often
// not credited. An account that never sent anything cannot be told from one.
func (c *chain) checkTreasury(code, nonce json.RawMessage) error {
	b, ok1 := rpc.HexBytes(code, codeLimit)
	n, ok2 := rpc.Hex64(nonce)
	if !ok1 || !ok2 {
		return rpc.Failed(rpc.Odd, "an account that cannot be read")
	}
	if isClone(b) {
		return rpc.Failed(faultTreasury, "the treasury is a proxy of %d bytes", len(b))
	}
	wallet := len(b) > 0 && !isDelegated(b)
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if c.w.wallets[c.ID] = wallet; c.w.lacksWallet(c.ID) {
		return rpc.Failed(faultTreasury, "the treasury is a contract on other chains and not here")
	}
	if len(b) == 0 && n == 0 {
		c.notices.Tell("treasury", c.word("evm_treasury_new", "tail", c.w.o.Treasury.Tail()))
	}
	return nil
}

// isClone reports an EIP-1167 proxy, with or without bytes behind it.
func isClone(code []byte) bool {
	head, tail := unhex("363d3d373d3d3d363d73"), unhex("5af43d82803e903d91602b57fd5bf3")
	return len(code) >= 45 && len(code) <= 128 && slices.Equal(code[:10], head) && slices.Equal(code[30:45], tail)
}

// isDelegated reports an ordinary account that lends itself code (EIP-7702).
func isDelegated(code []byte) bool { return len(code) == 23 && slices.Equal(code[:3], unhex("ef0100")) }

// lacksWallet reports that the treasury is a contract wallet elsewhere and is not on
// this chain: whoever owns it there may not be able to move money here. w.mu is held.
func (w *Watcher) lacksWallet(chain uint64) bool {
	has, known := w.wallets[chain]
	for _, other := range w.wallets {
		if other && known && !has {
			return true
		}
	}
	return false
}

// verifyTokens compares decimals and symbols. A token that differs goes grey, the
// others do not.
func (c *chain) verifyTokens(ctx context.Context, k *rpc.Client) error {
	dead := map[Address]string{}
	for part := range slices.Chunk(c.tokens[1:], rpc.MaxBatch/2) {
		var calls []rpc.Call
		for _, t := range part {
			for _, selector := range [][]byte{selectorDecimals, selectorSymbol} {
				calls = append(calls, rpc.To("eth_call", map[string]string{"to": t.Contract.String(), "data": "0x" + hex.EncodeToString(selector)}, "latest"))
			}
		}
		k.Spend()
		answers, err := k.Batch(ctx, calls...)
		if err != nil {
			return err
		}
		for _, a := range answers { // only a word of the chain's own says something about a token
			if a.Err != nil && rpc.FaultOf(a.Err) != rpc.Refused {
				return a.Err
			}
			if _, ok := rpc.HexBytes(a.Result, codeLimit); a.Err == nil && !ok {
				return rpc.Failed(rpc.Odd, "a word about a token that cannot be read")
			}
		}
		for i, t := range part {
			if why := t.differs(answers[2*i], answers[2*i+1]); why != "" {
				dead[t.Contract] = c.word("evm_token", "token", t.Symbol, "why", c.w.word(why))
				c.log.Warn("token is not what the registry says", "token", t.Symbol, "why", why)
			}
		}
	}
	c.health.SetDead(dead)
	return nil
}

// differs says in what the chain's token is not t, as the key of a word; "" when it
// is.
func (t Token) differs(decimals, symbol rpc.Reply) string {
	b, ok := rpc.HexBytes(decimals.Result, 32)
	n, small := 0, false
	if ok && decimals.Err == nil {
		n, small = readSmall(b)
	}
	switch {
	case !small:
		return "evm_why_none"
	case n != t.Decimals:
		return "evm_why_decimals"
	case len(t.OnChain) == 0:
		return ""
	}
	b, ok = rpc.HexBytes(symbol.Result, 32*6)
	if !ok || symbol.Err != nil {
		return "evm_why_none"
	}
	if s, ok := readString(b); !ok || !slices.Contains(t.OnChain, s) {
		return "evm_why_symbol"
	}
	return ""
}
