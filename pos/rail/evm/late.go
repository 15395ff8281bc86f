package evm

import "github.com/tillwright/tillwright/pos/rail/coin"

// Found returns what tells of money that no payment waits for: what came to a shared
// address and fits no request, and what came for a payment after its last word.
func (w *Watcher) Found() *coin.Unasked { return &w.found }
