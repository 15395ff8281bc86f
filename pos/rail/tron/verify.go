package tron

import (
	"context"
	"time"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// verify asks an endpoint once in a while whether it is the network that it should be,
// knows the solidified block, and what stands at the address and at each token. What
// the endpoint in use says of them counts.
func (c *chain) verify(ctx context.Context, k *client, inUse bool) error {
	if at, ok := c.verified[k]; ok && time.Since(at) < verifyEvery {
		return nil
	}
	f, err := k.verify(ctx)
	switch {
	case err != nil:
		return err
	case f.chain != c.chain.ID:
		return rpc.Failed(rpc.WrongChain, "network %x, want %x", f.chain, c.chain.ID)
	case f.contract:
		return rpc.Failed(addressFault, "a contract stands at the shop's address")
	}
	if _, err := k.at(ctx, which{solid: true}); err != nil {
		if rpc.FaultOf(err) == rpc.Refused {
			return rpc.Failed(tagFault, "no solidified block")
		}
		return err
	}
	c.verified[k] = time.Now()
	if inUse {
		c.setDead(f)
	}
	c.advise(f)
	return nil
}

// setDead greys the tokens that are not what the registry says.
func (c *chain) setDead(f facts) {
	dead := map[Address]string{}
	for contract, why := range f.dead {
		t, _ := c.token(contract)
		dead[contract] = c.word("evm_token", "token", t.Symbol, "why", c.w.word(why))
		c.log.Warn("token is not what the registry says", "token", t.Symbol, "why", why)
	}
	c.health.SetDead(dead)
}

// advise tells the owner what is odd about the address: it may be an exchange's, which
// no till can see for certain, or somebody else's key may move its money.
func (c *chain) advise(f facts) {
	for key, x := range map[string]struct {
		is   doubt
		word string
	}{
		"fresh":   {f.fresh, "evm_treasury_new"},
		"foreign": {f.foreign, "tron_foreign"},
	} {
		switch x.is {
		case yes:
			c.w.notices.Tell(key, c.word(x.word, "tail", c.address.Tail()))
		case no:
			c.w.notices.Untell(key)
		}
	}
}
