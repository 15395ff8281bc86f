package offline

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

type noNode struct{ Node }

func (noNode) Health() pos.Health { return pos.Health{Ready: true} }

// BenchmarkOpen judges tokens: what a stranger's costs beside a customer's. The first
// three must not be told apart by their time.
func BenchmarkOpen(b *testing.B) {
	db, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "office.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	till := tilltest.New(1, "01", "EUR", time.Now())
	g := till.Genesis
	code := store.Code{Hash: []byte(g.Till), Made: time.Now(), Ends: time.Now().Add(time.Hour)}
	err = errors.Join(db.AddCode(b.Context(), code), db.UseCode(b.Context(), code.Hash, store.Till{ID: g.Till, Key: g.Key, Name: "Till", Series: "01", Currency: "EUR", Enrolled: time.Now()}))
	if err != nil {
		b.Fatal(err)
	}
	o, err := New(Options{Store: db, Node: noNode{}, Rates: &price{text: "50000"}, Secret: bytes.Repeat([]byte{7}, 32), Host: host, Shop: "x", Currency: "EUR",
		Limits: offpay.DefaultLimits(), KeyAge: 30 * 24 * time.Hour, Action: ActionURL})
	if err != nil {
		b.Fatal(err)
	}
	grant, err := o.Grant(b.Context(), store.Till{ID: g.Till, Currency: "EUR"}, nil, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	seal := func(key offpay.Key, d offpay.Device, epoch uint8) string {
		t, err := offpay.Derive(key, d, epoch).Seal(offpay.Request{Counter: 1, Amount: 1250, Currency: currency, Issued: uint32(time.Now().Unix()), TTL: 255})
		if err != nil {
			b.Fatal(err)
		}
		return t.String()
	}
	for _, bb := range []struct{ name, token string }{
		{"unknown device", seal(grant.Key, offpay.Device{1}, 0)}, {"unknown epoch", seal(grant.Key, grant.Device, 9)},
		{"known device, forged", seal(offpay.Key{1}, grant.Device, 0)}, {"good", seal(grant.Key, grant.Device, 0)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				_, _ = o.open(context.Background(), bb.token, time.Now())
			}
		})
	}
}
