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
