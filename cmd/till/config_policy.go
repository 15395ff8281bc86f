package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/evm"
	"github.com/tillwright/tillwright/pos/rail/solana"
	"github.com/tillwright/tillwright/pos/rail/tron"
)

// maxRows bounds a chain's policy: three are usual.
const maxRows = 8

// readPolicy reads when a payment counts on a chain, by its size, if the owner says other
// than the till does. What rows can be is the chain's package to say.
func readPolicy(p *reader) (out coin.Policy) {
	rows := p.tables("policy")
	if p.has("policy") && (len(rows) == 0 || len(rows) > maxRows) {
		p.bad("policy", "must be 1 to %d rows such as { up_to = 50, level = …, operators = 2 }, the last one without up_to", maxRows)
	}
	for _, row := range rows {
		out = append(out, coin.Row{
			UpTo: row.number("up_to", 0, 0, 1e12), Level: coin.Level(row.need("level", "finalized")), Operators: int(row.number("operators", 2, 1, 2)),
		})
	}
	return out
}

// usualPolicy is when a payment counts on a chain unless its owner writes a policy, and
// the levels that there are, the shallowest first.
func (sc *stableConfig) usualPolicy(a acceptConfig) (coin.Policy, []coin.Level) {
	switch a.family {
	case solanaFamily:
		return solana.DefaultPolicy, []coin.Level{solana.Confirmed, solana.Finalized}
	case tronFamily:
		if c, ok := tron.Known().Chain(a.chain); ok && len(c.Policy) > 0 {
			return c.Policy, tron.Levels()
		}
		return tron.Usual, tron.Levels()
	}
	c, _ := sc.registry.Chain(a.chain)
	return evm.PolicyOf(c), evm.Levels()
}

// applyPolicy puts the owner's rows in the place of the chain's, and says what they risk.
func (sc *stableConfig) applyPolicy(p *reader, a *acceptConfig) {
	before := len(*p.faults)
	if a.policy = readPolicy(p); len(a.policy) == 0 || !p.silent(before) {
		return
	}
	usual, levels := sc.usualPolicy(*a)
	err := a.policy.Check(levels...)
	if a.family == evmFamily && err == nil {
		var r evm.Registry
		if r, err = sc.registry.WithPolicy(a.chain, a.policy); err == nil {
			sc.registry = r
		}
	}
	if err != nil {
		p.bad("policy", "%s", message(err))
		return
	}
	if text := risks(a.policy, usual, levels); text != "" {
		p.warn("policy", "%s", text)
	}
}

// risks says in a sentence where own asks for less than usual; empty: nowhere.
func risks(own, usual coin.Policy, levels []coin.Level) string {
	lies, undone := int64(-1), int64(-1) // above which sum
	for _, from := range bounds(own, usual) {
		o, u := rowAbove(own, from), rowAbove(usual, from)
		if o.Operators < u.Operators && lies < 0 {
			lies = from
		}
		if slices.Index(levels, o.Level) < slices.Index(levels, u.Level) && undone < 0 {
			undone = from
		}
	}
	var out []string
	if lies >= 0 {
		out = append(out, above(lies)+" one operator alone is believed, and if it errs or lies, goods leave for money that never came")
	}
	if undone >= 0 {
		out = append(out, above(undone)+" a payment counts while the network can still take it back, and then goods are gone and nothing is paid")
	}
	if len(out) == 0 {
		return ""
	}
	return "asks for less than this chain's own policy: " + strings.Join(out, "; ")
}

// above names the sums above a size.
func above(size int64) string {
	if size == 0 {
		return "from the smallest sum on"
	}
	return fmt.Sprintf("above %d tokens", size)
}

// bounds are the sizes at which a row of one of them ends, and 0, rising.
func bounds(ps ...coin.Policy) []int64 {
	out := []int64{0}
	for _, p := range ps {
		for _, r := range p {
			out = append(out, r.UpTo)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// rowAbove is the row of the sums just above size.
func rowAbove(p coin.Policy, size int64) coin.Row {
	for _, r := range p {
		if r.UpTo == 0 || r.UpTo > size {
			return r
		}
	}
	return p[len(p)-1] // Check: it is for any size
}

// oneVoice is the line that makes one operator enough on a chain: its own policy, as deep,
// with one operator for all.
func oneVoice(usual coin.Policy) string {
	var rows []string
	for i, r := range usual {
		if next := i + 1; next < len(usual) && usual[next].Level == r.Level {
			continue // the next row says the same
		}
		size := ""
		if r.UpTo > 0 {
			size = fmt.Sprintf("up_to = %d, ", r.UpTo)
		}
		rows = append(rows, fmt.Sprintf("{ %slevel = %q, operators = 1 }", size, r.Level))
	}
	return "policy = [" + strings.Join(rows, ", ") + "]"
}

// needsTwo says what to write where one operator is not enough.
func (sc *stableConfig) needsTwo(a acceptConfig, name string) string {
	wants, _ := sc.usualPolicy(a)
	place := "the line"
	if len(a.policy) > 0 {
		wants, place = a.policy, "in place of its policy"
	}
	return fmt.Sprintf("%s needs endpoints of two operators, who have to agree about large sales: write a second part [[stablecoins.accept.endpoint]] with another operator and its url_file; "+
		"or, if one operator's word shall be enough for any sum, write below chain = %q %s %s", name, a.chain, place, oneVoice(wants))
}
