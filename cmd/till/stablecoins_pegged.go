package main

import (
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/token"
)

// pegged is one token's price, for the desk.
type pegged struct {
	peg   *token.Peg
	asset pos.Asset
}

// Off returns the price of a token that is too far off its value.
func (p pegged) Off() (price, in string, err error) {
	price, c, err := p.peg.Off(p.asset)
	return price, c.Code, err
}

// Allow takes it at about that price for a while, by a manager's word.
func (p pegged) Allow(by pos.Actor, price string, d time.Duration) error {
	return p.peg.Allow(by, p.asset.Symbol, price, d)
}
