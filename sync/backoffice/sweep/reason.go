package sweep

import (
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// Reason is why something is not known, as it is kept.
type Reason = store.Reason

// reasonOf is err's, or that of a fault which only the log explains.
func reasonOf(err error) Reason {
	if e, ok := err.(*pos.Error); ok && e.Msg != "" {
		return store.ReasonOf(e)
	}
	return store.Say("bo_sc_why_fault")
}
