package offline

import (
	"context"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// failing is a store whose disk is full: it reads, and keeps nothing.
type failing struct{ Store }

var errFull = pos.E("write", pos.Unavailable, "the disk is full")

func (failing) OfflineSettled(context.Context, store.OfflineInvoice, int64, time.Time) error {
	return errFull
}

// late is a store whose first reading comes before somebody else's writing.
type late struct {
	Store
	blind bool
}

func (l *late) OfflineSale(ctx context.Context, id store.OfflineID) (store.OfflineSale, error) {
	if l.blind {
		l.blind = false
		return store.OfflineSale{}, pos.E("read", pos.NotFound, "not yet")
	}
	return l.Store.OfflineSale(ctx, id)
}
