package offline

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/wire"
)

// saltBytes is the length of an epoch's salt: that of the key that it makes.
const saltBytes = 32

// Grant gives a till what it needs to sell offline: its newest key, or the next one
// when that is due. The same key comes again until the till says that it holds it.
// A till that may not sell offline, or not just now, gets a grant that says why; it
// asks again soon. Grant fails with
// Unavailable when the store does not answer.
func (o *Office) Grant(ctx context.Context, till store.Till, have *wire.Held, now time.Time) (offpay.Grant, error) {
	if till.Currency != o.o.Currency {
		return offpay.Grant{Why: o.word("op_off_currency", "currency", till.Currency)}, nil
	}
	ask := store.OfflineAsk{Till: till.ID, MaxAge: o.o.KeyAge, NewSalt: make([]byte, saltBytes)}
	_, _ = rand.Read(ask.NewSalt) // never fails (crypto/rand)
	_, _ = rand.Read(ask.NewDevice[:])
	if have != nil {
		ask.Device, ask.Epoch, ask.Has = have.Device, have.Epoch, true
	}
	k, err := o.o.Store.OfflineGrant(ctx, ask, now)
	if e, ok := errors.AsType[*pos.Error](err); ok && e.Kind == pos.Forbidden {
		return offpay.Grant{Why: e.Msg}, nil
	}
	if err != nil {
		return offpay.Grant{}, err
	}
	g := offpay.Grant{
		Device: k.Device, Epoch: k.Epoch, Key: o.key(k.Device, k.Epoch, k.Salt), Host: o.o.Host,
		Highest: k.Highest, Limits: o.o.Limits, Enabled: true,
	}
	if !o.o.Node.Health().Ready { // customers would be sent to a page that cannot take their money
		g.Busy, g.Why = true, o.word("op_off_node")
	}
	return g, nil
}
