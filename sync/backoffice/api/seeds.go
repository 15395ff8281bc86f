package api

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tillwright/tillwright/sync/wire"
)

// seeds registers how tills say what their addresses are made of.
func (s *server) seeds(api huma.API) {
	op := operation("keep-address-seed", http.MethodPost, "/v1/tills/{till}/address-seeds", "Keep what a till's stablecoin addresses are made of",
		"With it the owner finds the money of a till that is lost. The same one again is a success again; one of before is kept beside a new one. "+
			"409 is another till's, or a counter that did not rise; 429 more than a till makes. The answer is signed.",
		http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity)
	op.Security = []map[string][]string{{"till": {}}}
	schema := huma.SchemaFromType(api.OpenAPI().Components.Schemas, reflect.TypeFor[wire.SeedKept]())
	op.Responses = map[string]*huma.Response{"200": {Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}}
	huma.Register(api, op, handler(s, s.keepSeed))
}

type seedIn struct {
	Signed
	Body wire.AddressSeed
}

func (s *server) keepSeed(ctx context.Context, in *seedIn) (*signedOut, error) {
	till, err := s.Store.Till(ctx, in.Till)
	if err != nil {
		return nil, err
	}
	path := wire.AddressSeedsPath(till.ID)
	counter, err := s.authentic(ctx, till, signed{path, in.Counter, in.Signature, in.RawBody})
	if err != nil {
		return nil, err
	}
	kept, err := s.Seeds.Keep(ctx, till.ID, in.Body, time.Now())
	if err != nil {
		return nil, err
	}
	return s.seal(path, counter, wire.SeedKept{Kept: kept})
}
