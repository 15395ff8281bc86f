package ledger

import (
	"maps"

	"github.com/tillwright/tillwright/pos"
)

// destination notes where money goes.
func destination(b *pos.Books, r pos.Record) error {
	var v pos.DestinationChanged
	if err := read(r, &v); err != nil {
		return err
	}
	b.Destinations = with(b.Destinations, v.Name, v)
	return nil
}

// allowed notes a manager's word about a token.
func allowed(b *pos.Books, r pos.Record) error {
	var v pos.TokenAllowed
	if err := read(r, &v); err != nil {
		return err
	}
	b.Allowed = with(b.Allowed, v.Token, v)
	return nil
}

// with returns a copy of m in which key is v.
func with[V any](m map[string]V, key string, v V) map[string]V {
	out := make(map[string]V, len(m)+1)
	maps.Copy(out, m)
	out[key] = v
	return out
}
