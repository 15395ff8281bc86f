package lnd_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/postest"
	"github.com/tillwright/tillwright/pos/rail/lnd"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

var (
	_      postest.Rail = (*lnd.Rail)(nil)
	secret              = bytes.Repeat([]byte{7}, 32)
)

// start makes a rail before node (nil: change says where), with its health loop, until the test ends or the
// returned function is called.
func start(t testing.TB, node *lndtest.Node, change ...func(*lnd.Options)) (*lnd.Rail, func()) {
	t.Helper()
	o := lnd.Options{Secret: secret, Network: "simnet", Log: slog.New(slog.DiscardHandler)}
	if node != nil {
		text := node.Connection()
		o.Source, o.Dial = func() (string, string) { return text, "" }, node.Dial
	}
	for _, c := range change {
		c(&o)
	}
	r, err := lnd.New(o)
	if err != nil {
		t.Fatalf("new rail: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	}()
	stop := sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return r, stop
}

// harness puts a rail before a node made of code.
func harness(t testing.TB, o lndtest.Options) postest.Harness {
	node := lndtest.New(t, o)
	r, stop := start(t, node)
	return postest.Harness{
		Rail: r, Tender: "lightning", Quantity: pos.Bitcoin.UnitsOf(4_300_000), Overpays: true, Withdraws: true,
		Pay:         func(p pos.Payment, q pos.Quantity) error { return node.Pay(p.Payload, q.Int().Int64()) },
		Expire:      func(p pos.Payment) { node.Advance(301 * time.Second) },
		Break:       node.Cut,
		Mend:        node.Start,
		RestartNode: node.Restart,
		Restart: func() postest.Rail {
			stop()
			r, stop = start(t, node)
			return r
		},
		Part: func(p pos.Payment) {
			if err := node.PayPart(p.Payload, 1_000_000); err != nil {
				t.Errorf("send a part: %v", err)
			}
		},
	}
}

func TestRailInMemory(t *testing.T) {
	postest.TestRailInBubble(t, func(t testing.TB) postest.Harness { return harness(t, lndtest.Options{}) })
}

func TestRailOverSockets(t *testing.T) {
	postest.TestRail(t, func(t testing.TB) postest.Harness { return harness(t, lndtest.Options{TCP: true}) })
}
