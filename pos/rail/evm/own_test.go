package evm

import (
	"reflect"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin"
)

// TestOwnPolicy: a merchant's rows hold on a chain that the till knows, and nowhere else;
// rows that cannot be are refused.
func TestOwnPolicy(t *testing.T) {
	old := Known()
	own := Policy{coin.UpTo(20, Safe, 1), coin.UpTo(0, Finalized, 2)}
	r, err := old.WithPolicy("base", own)
	if err != nil {
		t.Fatal(err)
	}
	of := func(r Registry, key string) Policy {
		c, ok := r.Chain(key)
		if !ok {
			t.Fatal(key)
		}
		return PolicyOf(c)
	}
	if got := of(r, "base"); !reflect.DeepEqual(got, own) {
		t.Errorf("base has %v", got)
	}
	own[0].Operators = 2
	if got := of(r, "base"); got[0].Operators != 1 || !reflect.DeepEqual(of(old, "base"), rollups) || !reflect.DeepEqual(of(r, "optimism"), rollups) {
		t.Errorf("it is shared: %v", got)
	}
	if _, err := r.WithPolicy("basic", nil); pos.KindOf(err) != pos.NotFound {
		t.Errorf("no such chain: %v", err)
	}
	for name, p := range map[string]Policy{
		"falling": {coin.UpTo(20, Safe, 1), coin.UpTo(10, Safe, 1), coin.UpTo(0, Safe, 1)}, "no last": {coin.UpTo(20, Safe, 1)},
		"no level": {coin.UpTo(0, "solidified", 1)}, "nobody": {coin.UpTo(0, Safe, 0)},
	} {
		if _, err := r.WithPolicy("base", p); pos.KindOf(err) != pos.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
