package tron

import (
	"reflect"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

// TestOwnPolicy: a merchant's rows hold on a network that the till knows, and nowhere else;
// rows that cannot be are refused.
func TestOwnPolicy(t *testing.T) {
	old := Known()
	own := Policy{coin.UpTo(20, OneBlock, 1), coin.UpTo(0, Solidified, 2)}
	r, err := old.WithPolicy("tron", own)
	if err != nil {
		t.Fatal(err)
	}
	of := func(r Registry, key string) Policy {
		c, ok := r.Chain(key)
		if !ok {
			t.Fatal(key)
		}
		return c.policy()
	}
	if got := of(r, "tron"); !reflect.DeepEqual(got, own) {
		t.Errorf("tron has %v", got)
	}
	own[0].Operators = 2
	if got := of(r, "tron"); got[0].Operators != 1 || !reflect.DeepEqual(of(old, "tron"), Usual) || !reflect.DeepEqual(of(r, "nile"), Usual) {
		t.Errorf("it is shared: %v", got)
	}
	if _, err := r.WithPolicy("trom", nil); pos.KindOf(err) != pos.NotFound {
		t.Errorf("no such chain: %v", err)
	}
	for name, p := range map[string]Policy{
		"falling": {coin.UpTo(20, OneBlock, 1), coin.UpTo(10, OneBlock, 1), coin.UpTo(0, OneBlock, 1)}, "no last": {coin.UpTo(20, OneBlock, 1)},
		"no level": {coin.UpTo(0, "safe", 1)}, "nobody": {coin.UpTo(0, OneBlock, 0)},
	} {
		if _, err := r.WithPolicy("tron", p); pos.KindOf(err) != pos.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
