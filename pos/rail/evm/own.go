package evm

import (
	"slices"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Levels returns all levels, the shallowest first; the caller owns the slice.
func Levels() []Level { return []Level{OneBlock, TwoBlocks, Safe, Finalized} }

// WithPolicy returns r with p in place of a chain's policy, whether the till knew that
// chain or a merchant added it. It fails with Invalid when rows of p do not rise or say
// nothing, and with NotFound when r has no such chain.
func (r Registry) WithPolicy(key string, p Policy) (Registry, error) {
	if err := checkPolicy(p); err != nil {
		return Registry{}, err
	}
	i := slices.IndexFunc(r.chains, func(c Chain) bool { return c.Key == key })
	if i < 0 {
		return Registry{}, pos.E("read policy", pos.NotFound, "chain %q is not known", rpc.Clip(key))
	}
	out := Registry{slices.Clone(r.chains), r.tokens}
	out.chains[i].Policy = slices.Clone(p)
	return out, nil
}
