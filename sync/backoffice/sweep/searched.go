package sweep

import (
	"context"
	"strings"
	"time"

	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// SearchOverview is what the owner sees of searches.
type SearchOverview struct {
	Seeds []SeedView
	Found []FoundView
}

// Busy reports that a search is under way.
func (o SearchOverview) Busy() bool {
	for _, s := range o.Seeds {
		if s.State == store.SearchAsked {
			return true
		}
	}
	return false
}

// SeedView is one secret of a till, and its search. It holds no secret.
type SeedView struct {
	ID       int64
	Till     string // empty: it came from paper
	Treasury string
	Kept     time.Time
	State    store.SearchState
	Changed  time.Time
	Last     uint64 // highest number in use
	To       uint64 // the number that the search goes to
	Networks []SearchView
	Found    int    // addresses where searches found money, ever
	Locked   Reason // why it cannot be searched
}

// Known reports that every network was searched to the end.
func (v SeedView) Known() bool {
	for _, n := range v.Networks {
		if n.Why != "" || n.To < v.To {
			return false
		}
	}
	return len(v.Networks) > 0
}

// Alone reports that some of it rests on the word of one operator alone.
func (v SeedView) Alone() bool {
	for _, n := range v.Networks {
		if n.Operators == 1 {
			return true
		}
	}
	return false
}

// Single names the networks of Alone: "Base, Polygon".
func (v SeedView) Single() string {
	var names []string
	for _, n := range v.Networks {
		if n.Operators == 1 {
			names = append(names, n.Name)
		}
	}
	return strings.Join(names, ", ")
}

// SearchView is a search on one network.
type SearchView struct {
	Network
	To        uint64 // every number up to this one is known
	Why       Reason // no more is
	Operators int    // whose word it is; 0: nobody had to be asked
}

// FoundView is money that no sale names.
type FoundView struct {
	store.FoundHolding
	Name string // of the network
}

// Overview returns all secrets, how far their searches are, and what they found. It
// fails as the store does.
func (s *Search) Overview(ctx context.Context) (SearchOverview, error) {
	seeds, err := s.store.Seeds(ctx)
	if err != nil {
		return SearchOverview{}, err
	}
	var o SearchOverview
	for _, x := range seeds {
		v := s.view(x)
		if v.Found, err = s.store.SearchCount(ctx, x.ID); err != nil {
			return SearchOverview{}, err
		}
		o.Seeds = append(o.Seeds, v)
	}
	o.Found, err = s.Found(ctx, 0)
	return o, err
}

// Found returns the money that no sale names, of one secret or, with 0, of all. It fails
// as the store does.
func (s *Search) Found(ctx context.Context, seed int64) ([]FoundView, error) {
	found, err := s.store.SearchFound(ctx, seed, listMax)
	if err != nil {
		return nil, err
	}
	var out []FoundView
	for _, f := range found {
		v := FoundView{f, f.Network}
		for _, n := range s.sweeper.chains.Networks() {
			if n.Key == f.Network {
				v.Name = n.Name
			}
		}
		out = append(out, v)
	}
	return out, nil
}

func (s *Search) view(x store.Seed) SeedView {
	v := SeedView{ID: x.ID, Till: x.Till, Treasury: x.Treasury, Kept: x.Kept, State: x.State, Changed: x.Changed, Last: x.Last, To: limit(x)}
	if _, err := s.keeper.open(x); err != nil {
		v.Locked = reasonOf(err)
	}
	for _, n := range s.sweeper.chains.Networks() {
		at := networkOf(x, n.Key)
		v.Networks = append(v.Networks, SearchView{n, min(at.Next-1, v.To), Reason(at.Why), at.Operators})
	}
	return v
}
