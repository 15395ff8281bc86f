package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/wire"
)

// maxClaims bounds a body of claims: a hundred of some 120 bytes.
const maxClaims = 32 << 10

// offline registers what tills ask that take payments without a line.
func (s *server) offline(api huma.API) {
	op := func(id, path, summary, about string, answer any) huma.Operation {
		o := operation(id, http.MethodPost, path, summary, about, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden,
			http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity)
		o.Security = []map[string][]string{{"till": {}}}
		schema := huma.SchemaFromType(api.OpenAPI().Components.Schemas, reflect.TypeOf(answer))
		o.Responses = map[string]*huma.Response{"200": {Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}}
		return o
	}
	huma.Register(api, op("grant-offline", "/v1/tills/{till}/offline-grants", "Ask for what a till needs to sell offline",
		"The newest key of OFFPAY-1 and the limits, or why there is none. The same key comes again until the till says that it holds it. The answer is signed.", offpay.Grant{}),
		handler(s, s.grant))
	outcomes := op("settle-offline", "/v1/tills/{till}/offline-outcomes", "Say what became of offline payments",
		"Takes what the till knows of its tokens, and says of each whether it was paid. Void cancels the invoice at the node first. The answer is signed.", wire.Outcomes{})
	outcomes.MaxBodyBytes = maxClaims
	huma.Register(api, outcomes, handler(s, s.outcomes))
}

// Signed is a till's signed request with a JSON body.
type Signed struct {
	Till      string `path:"till" pattern:"^[0-9a-f]{16}$"`
	Counter   string `header:"Tillwright-Counter" required:"true" doc:"Higher than in any request of this till before"`
	Signature string `header:"Tillwright-Signature" required:"true"`
	RawBody   []byte
}

// signedOut is an answer whose very bytes are signed.
type signedOut struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Signature   string `header:"Tillwright-Signature" doc:"Base64url Ed25519 signature, by the backoffice's key, of four lines: \"tillwright answer 1\", the request's path and counter, and the SHA-256 of the body in hex"`
	Body        []byte
}

type grantIn struct {
	Signed
	Body wire.GrantRequest
}

func (s *server) grant(ctx context.Context, in *grantIn) (*signedOut, error) {
	till, err := s.Store.Till(ctx, in.Till)
	if err != nil {
		return nil, err
	}
	path := wire.OfflineGrantsPath(till.ID)
	counter, err := s.authentic(ctx, till, signed{path, in.Counter, in.Signature, in.RawBody})
	if err != nil {
		return nil, err
	}
	g := offpay.Grant{Why: pos.Word(s.Language, "op_off_unset")}
	if s.Offline != nil {
		if g, err = s.Offline.Grant(ctx, till, in.Body.Have, time.Now()); err != nil {
			return nil, err
		}
	}
	return s.seal(path, counter, g)
}

type outcomesIn struct {
	Signed
	Body wire.OutcomesRequest
}

func (s *server) outcomes(ctx context.Context, in *outcomesIn) (*signedOut, error) {
	till, err := s.Store.Till(ctx, in.Till)
	if err != nil {
		return nil, err
	}
	path := wire.OfflineOutcomesPath(till.ID)
	counter, err := s.authentic(ctx, till, signed{path, in.Counter, in.Signature, in.RawBody})
	if err != nil {
		return nil, err
	}
	if s.Offline == nil { // it was switched off with payments open: nobody can ask the node
		return nil, pos.E("settle offline", pos.Unavailable, "%s", pos.Word(s.Language, "op_off_unset"))
	}
	out, err := s.Offline.Outcomes(ctx, till, in.Body.Claims, time.Now())
	if err != nil {
		return nil, err
	}
	return s.seal(path, counter, wire.Outcomes{Outcomes: out})
}

// seal writes and signs an answer.
func (s *server) seal(path string, counter int64, v any) (*signedOut, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return &signedOut{"application/json", s.Sign(wire.Answer{Path: path, Counter: counter, Body: b}), b}, nil
}
