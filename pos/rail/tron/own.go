package tron

import (
	"slices"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Levels returns all levels, the shallowest first; the caller owns the slice.
func Levels() []Level { return []Level{OneBlock, Solidified} }

// WithPolicy returns r with p in place of a network's policy, whether the till knew it
// or a merchant added it. It fails with Invalid when rows of p do not rise or say
// nothing, and with NotFound when r has no such network.
func (r Registry) WithPolicy(key string, p Policy) (Registry, error) {
	if err := p.Check(Levels()...); err != nil {
		return Registry{}, err
	}
	i := slices.IndexFunc(r.chains, func(c Chain) bool { return c.Key == key })
	if i < 0 {
		return Registry{}, pos.E("read policy", pos.NotFound, "network %q is not known", rpc.Clip(key))
	}
	out := Registry{slices.Clone(r.chains), r.tokens}
	out.chains[i].Policy = slices.Clone(p)
	return out, nil
}
