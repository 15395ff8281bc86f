package lnd

import "context"

// Step is one thing that Probe tried.
type Step struct {
	Name   string // "address", "macaroon", "wallet" …
	OK     bool
	Detail string // what was found; holds no secret
	Remedy string // what the owner can do; empty when OK
}

// Probe tries a connection step by step.
func Probe(ctx context.Context, c Connection) []Step { return nil }
