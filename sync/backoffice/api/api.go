// Package api is the backoffice's HTTP interface for tills and programs.
//
// Promise. What it takes and gives is what /openapi.json says; a test compares the
// document with the running server. JSON is read strictly: one value, every name
// known, spelt exactly and given once. Refusals are problems as RFC 9457 writes
// them. Lists come in pages with a cursor. A POST that is repeated happens once:
// records and enrolments by their content, everything else by its Idempotency-Key.
//
// Who may call: a till for what it signed; a program with a key of the owner's
// ("Authorization: Bearer …"). Nobody else learns anything here.
package api

import (
	"context"
	"crypto/ed25519"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/access"
	"github.com/tillwright/tillwright/sync/backoffice/report"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/web"
	"github.com/tillwright/tillwright/sync/wire"
)

// Store is what the API reads by itself.
type Store interface {
	// Till fails with NotFound.
	Till(ctx context.Context, id string) (store.Till, error)
	Tills(ctx context.Context) ([]store.Till, error)
	// Count fails with Conflict, and returns the last counter, for a request seen before.
	Count(ctx context.Context, till string, counter int64, at time.Time) (last int64, err error)
	Since(ctx context.Context, till string, after uint64) iter.Seq2[store.Kept, error]
	Alarms(ctx context.Context) ([]store.Alarm, error)
}

// Taker takes records; see ingest.Take.
type Taker interface {
	Take(ctx context.Context, till string, body []byte, at time.Time) (pos.Checkpoint, error)
}

// Enroller makes tills known and codes for them; see access.Codes.
type Enroller interface {
	Enrol(ctx context.Context, who string, e wire.Enrolment, at time.Time) error
	Make(ctx context.Context, name, ask string, at time.Time) (code string, ends time.Time, err error)
}

// Keys knows the keys of the API; see access.Owner.
type Keys interface {
	// Key fails with NotFound.
	Key(ctx context.Context, token string, at time.Time) error
}

// Offline answers about payments that tills take without a line; see offline.Office.
type Offline interface {
	Grant(ctx context.Context, till store.Till, have *wire.Held, now time.Time) (offpay.Grant, error)
	Outcomes(ctx context.Context, till store.Till, claims []offpay.Claim, now time.Time) ([]offpay.Outcome, error)
}

// Seeds keeps what tills' addresses are made of; see sweep.Keeper.
type Seeds interface {
	Keep(ctx context.Context, till string, a wire.AddressSeed, at time.Time) (kept time.Time, err error)
}

// Options are what Mount needs.
type Options struct {
	Store   Store
	Ingest  Taker
	Seeds   Seeds
	Codes   Enroller
	Keys    Keys
	Reports *report.Reports
	Key     ed25519.PublicKey // signs checkpoints
	Shop    string
	Version string
	Log     *slog.Logger

	Offline  Offline                  // nil: no till sells anything without a line
	Sign     func(wire.Answer) string // by the key whose public half is Key
	Language string                   // of sentences for tills
}

type server struct{ Options }

// maxJSON bounds a JSON body; the largest is an enrolment of some 500 bytes.
const maxJSON = 16 << 10

// Mount adds the API's routes to app and returns its description.
func Mount(app *fiber.App, o Options) huma.API {
	c := huma.DefaultConfig("Tillwright backoffice", o.Version)
	c.Info.Description = description
	c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", nil // their pages load scripts from elsewhere
	c.RejectUnknownQueryParameters = true
	strict := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshalStrict}
	c.Formats = map[string]huma.Format{"application/json": strict, "json": strict}
	c.Transformers = append(c.Transformers, withoutValues)
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"till":  {Type: "apiKey", In: "header", Name: wire.HeaderSignature, Description: tillAuth},
		"owner": {Type: "http", Scheme: "bearer", Description: "A key made by `backoffice key`"},
	}
	alias(c.Components.Schemas)
	api := humafiber.New(app, c)
	s := &server{o}
	s.tills(api)
	s.offline(api)
	s.seeds(api)
	s.owners(api)
	return api
}

// withoutValues keeps what somebody sent out of the refusal: bodies hold codes and
// secrets, and answers are written into logs on the way.
func withoutValues(_ huma.Context, _ string, v any) (any, error) {
	if e, ok := v.(*huma.ErrorModel); ok {
		for _, d := range e.Errors {
			d.Value = nil
		}
	}
	return v, nil
}

// description stands at the head of the document.
const description = `What a shop's backoffice offers to its tills and to the owner's programs.

Money is an object whose number of minor units is a string. Times are RFC 3339, UTC. Days are days of the shop's
time zone. Refusals are problems (RFC 9457); 429 and 503 say in Retry-After when to come back.`

const tillAuth = `Base64url Ed25519 signature, by the till's key, of six lines, each ended by a newline: "tillwright request 1",
method, path, the backoffice's public key in hex (empty when enrolling), the ` + wire.HeaderCounter + ` header (0 when enrolling),
and the SHA-256 of the body in hex. The counter rises with every request of a till.`

// handler wraps f so that its errors become problems, in one place.
func handler[I, O any](s *server, f func(context.Context, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		out, err := f(ctx, in)
		if err == nil {
			return out, nil
		}
		p, report := web.Problem(err, access.Locked)
		if report {
			s.Log.Error("request failed", "err", err)
		}
		return nil, p
	}
}

// ByKey is the input of everything that needs a key.
type ByKey struct {
	Authorization string `header:"Authorization" hidden:"true"`
}

// check fails with 401 unless the caller has a key.
func (s *server) check(ctx context.Context, o ByKey) error {
	token, ok := strings.CutPrefix(o.Authorization, "Bearer ")
	if ok {
		err := s.Keys.Key(ctx, token, time.Now())
		if err == nil || pos.KindOf(err) != pos.NotFound {
			return err
		}
	}
	return &wire.Problem{Type: wire.ProblemOf(pos.Forbidden), Title: "No key", Status: http.StatusUnauthorized,
		Detail: "this needs a key: Authorization: Bearer …, made by `backoffice key`"}
}

// operation describes one operation and what it may refuse with.
func operation(id, method, path, summary, about string, errors ...int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Description: about,
		Errors: append(errors, http.StatusTooManyRequests, http.StatusServiceUnavailable), MaxBodyBytes: maxJSON,
	}
}

// isConflict tells a repeated request from other failures.
func isConflict(err error) bool {
	e, ok := errors.AsType[*pos.Error](err)
	return ok && e.Kind == pos.Conflict
}
