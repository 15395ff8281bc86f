package display

import (
	"slices"
	"strings"
)

// optional are the parameters of payment addresses that only tell people something,
// by scheme: BIP 21, the Solana Pay specification, and monero's URI format. What a
// wallet needs in order to pay, and what the till finds a payment by, is not here.
var optional = map[string][]string{
	"bitcoin": {"label", "message"},
	"solana":  {"label", "message"},
	"monero":  {"recipient_name", "tx_description"},
}

// shorten returns a payment's address without what is optional in it: the code
// gets smaller, and the same is paid. A text of another kind comes back unchanged.
func shorten(text string) string {
	scheme, _, ok := strings.Cut(text, ":")
	drop := optional[strings.ToLower(scheme)]
	base, query, hasQuery := strings.Cut(text, "?")
	if !ok || !hasQuery || drop == nil {
		return text
	}
	kept := make([]string, 0, 8)
	for _, part := range strings.Split(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		if !slices.Contains(drop, strings.ToLower(name)) {
			kept = append(kept, part)
		}
	}
	if len(kept) == 0 {
		return base
	}
	return base + "?" + strings.Join(kept, "&")
}
