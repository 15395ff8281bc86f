package lnd

import (
	"context"
	"log/slog"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Options of a Rail.
type Options struct {
	Source   func() (text, waiting string) // newest connection string, or why there is none yet
	Secret   []byte                        // 32 bytes
	Network  string                        // "" takes what the node says
	Expiry   time.Duration
	Language string
	Log      *slog.Logger
}

// Rail is one lnd node.
type Rail struct{ o Options }

// New makes a Rail.
func New(o Options) (*Rail, error) { return &Rail{o: o}, nil }

// Run keeps the health known until ctx ends.
func (r *Rail) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Health returns the newest known health.
func (r *Rail) Health() pos.Health { return pos.Health{Reason: "starting", Asset: pos.Bitcoin} }

var errThin = pos.E("lightning", pos.Unavailable, "Lightning is not ready yet")

// Ask makes the invoice of p.
func (r *Rail) Ask(ctx context.Context, p pos.Payment, memo string) (pos.Asked, error) {
	return pos.Asked{}, errThin
}

// Check asks the node about p.
func (r *Rail) Check(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	return pos.Finding{}, errThin
}

// Cancel withdraws p.
func (r *Rail) Cancel(ctx context.Context, p pos.Payment) (pos.Finding, error) {
	return pos.Finding{}, errThin
}

// Watch calls wake when something may have happened to p, until ctx ends.
func (r *Rail) Watch(ctx context.Context, p pos.Payment, wake func()) { <-ctx.Done() }

// Connection says how to reach a node.
type Connection struct{}

// ParseConnection reads a connection string.
func ParseConnection(text string) (Connection, error) {
	return Connection{}, pos.E("read connection", pos.Invalid, "not a connection")
}

// Rights are what a macaroon allows.
type Rights struct{}

// Inspect reads a macaroon offline.
func Inspect(macaroon []byte) (Rights, error) {
	return Rights{}, pos.E("inspect macaroon", pos.Invalid, "not a macaroon")
}

// Finding of a Probe.
type Step struct {
	Name   string
	OK     bool
	Detail string
	Remedy string
}

// Probe tries a connection step by step.
func Probe(ctx context.Context, c Connection) []Step { return nil }
