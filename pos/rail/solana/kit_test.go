package solana

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net"
	"testing"

	"github.com/tillwright/tillwright/pos/postest"
	"github.com/tillwright/tillwright/pos/rail/coin"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

var _ postest.Rail = (*Rail)(nil)

var (
	merchant = MustKey("FnHyam9w4NZoWR6mKN1CuGBritdsEWZQa4Z4oawLZGxa")
	testNet  = Cluster{"solana", "Solana", "TiLLwrightTestCLusterxxxxxxxxxxxxxxxxxxxxxx"}
	small    = Policy{coin.UpTo(0, Confirmed, 1)} // one operator's word is enough for everything
	both     = Policy{coin.UpTo(0, Confirmed, 2)}
)

// keyOf makes a key out of a word.
func keyOf(word string) Key { return sha256.Sum256([]byte(word)) }

// The words of a line, for short.
type (
	line     = cointest.Line
	rpcFault = cointest.Fault
	liar     = cointest.Liar
)

// lab is a till before a cluster.
type lab struct {
	*cointest.Till[*Rail]
	tokens []Token
	lines  []*line
	policy Policy
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	log    *slog.Logger
	change func(*Options)
	w      *Watcher
}

func newLab(t testing.TB, policy Policy, tokens []Token, lines ...*line) *lab {
	return &lab{Till: cointest.NewTill[*Rail](t), policy: policy, tokens: tokens, lines: lines, log: slog.New(slog.DiscardHandler)}
}

func (l *lab) options() Options {
	r, err := Registry{}.With(l.tokens...)
	if err != nil {
		l.T.Fatal(err)
	}
	o := Options{Cluster: testNet, Registry: r, Owner: merchant, Policy: l.policy, Store: l.Store, Log: l.log, Dial: l.dial, Label: "Café Süd"}
	for _, t := range l.tokens {
		if !t.Watch {
			o.Accept = append(o.Accept, t.Symbol)
		}
	}
	for i, k := range l.lines {
		url := cmp.Or(k.URL(), fmt.Sprintf("http://127.0.0.%d", i+1))
		o.Endpoints = append(o.Endpoints, rpc.Endpoint{Operator: fmt.Sprintf("operator %d", i+1), URL: url + "/key-that-nobody-may-see"})
	}
	if l.change != nil {
		l.change(&o)
	}
	return o
}

// start makes a watcher and runs it until the test ends, or stop.
func (l *lab) start() *lab {
	l.T.Helper()
	w, err := New(l.options())
	if err != nil {
		l.T.Fatal(err)
	}
	l.w = w
	l.Run(w)
	return l
}

// restart kills the till's side.
func (l *lab) restart() *lab {
	l.Stop()
	return l.start()
}

// asks returns what the customer's wallet reads off the screen: the form's payload.
func asks(t testing.TB, payload string) sent {
	t.Helper()
	r, err := ParseURI(payload)
	if err != nil {
		t.Fatal(err)
	}
	units, ok := r.Units(6)
	if !ok {
		t.Fatalf("%s asks for %q", payload, r.Amount)
	}
	return sent{r.To, r.Token, units.Int64(), r.References}
}
