package api

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"mime"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/web"
	"github.com/tillwright/tillwright/sync/wire"
)

// tills registers what tills call.
func (s *server) tills(api huma.API) {
	enrol := operation("enrol-till", http.MethodPost, wire.EnrolPath, "Enrol a till",
		"Makes a till known by a one-time code. The request is signed by the key in the genesis. Asking again with the same code and key answers the same.",
		http.StatusBadRequest, http.StatusForbidden, http.StatusConflict, http.StatusUnprocessableEntity)
	enrol.DefaultStatus = http.StatusCreated
	enrol.Security = []map[string][]string{{"till": {}}}
	huma.Register(api, enrol, handler(s, s.enrol))

	records := operation("post-records", http.MethodPost, "/v1/tills/{till}/records", "Take a till's records",
		"Takes consecutive records, oldest first, as their exact lines. Records that are here already are a success again. An empty body asks how far the backoffice is. "+
			"409 is a gap (with the number expected), a fork, or a counter that did not rise; 422 a record that fails its check.",
		http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity)
	records.MaxBodyBytes = wire.MaxBody
	records.Security = []map[string][]string{{"till": {}}}
	records.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{}}
	huma.Register(api, records, handler(s, s.records))
	records.RequestBody.Required = false // Register sets it; an empty body is a question
}

type enrolIn struct {
	Signature string `header:"Tillwright-Signature" required:"true"`
	RawBody   []byte
	Body      wire.Enrolment
}

type enrolOut struct{ Body wire.Welcome }

func (s *server) enrol(ctx context.Context, in *enrolIn) (*enrolOut, error) {
	req := wire.Request{Method: http.MethodPost, Path: wire.EnrolPath, Body: in.RawBody}
	if err := req.Verify(in.Body.Genesis.Key, in.Signature); err != nil {
		return nil, err
	}
	if err := s.Codes.Enrol(ctx, web.Address(ctx), in.Body, time.Now()); err != nil {
		return nil, err
	}
	s.Log.Info("till enrolled", "till", in.Body.Genesis.Till)
	return &enrolOut{wire.Welcome{Key: s.Key, Shop: s.Shop}}, nil
}

type recordsIn struct {
	Till      string `path:"till" pattern:"^[0-9a-f]{16}$"`
	Type      string `header:"Content-Type" required:"true"`
	Counter   string `header:"Tillwright-Counter" required:"true" doc:"Higher than in any request of this till before"`
	Signature string `header:"Tillwright-Signature" required:"true"`
	RawBody   []byte `contentType:"application/x-ndjson"`
}

type recordsOut struct{ Body wire.Accepted }

func (s *server) records(ctx context.Context, in *recordsIn) (*recordsOut, error) {
	if media, _, err := mime.ParseMediaType(in.Type); err != nil || media != wire.ContentType {
		return nil, &wire.Problem{Type: "about:blank", Title: "Unsupported Media Type", Status: http.StatusUnsupportedMediaType,
			Detail: "records travel as " + wire.ContentType}
	}
	till, err := s.Store.Till(ctx, in.Till)
	if err != nil {
		return nil, err
	}
	if _, err := s.authentic(ctx, till, signed{wire.RecordsPath(till.ID), in.Counter, in.Signature, in.RawBody}); err != nil {
		return nil, err
	}
	body := bytes.Clone(in.RawBody) // pooled; records keep their lines
	cp, err := s.Ingest.Take(ctx, till.ID, body, time.Now())
	if err != nil {
		return nil, err
	}
	return &recordsOut{wire.Accepted{AcceptedTo: cp.N, Checkpoint: cp}}, nil
}

// signed is what a till signs of a request, as it came.
type signed struct {
	path, counter, signature string
	body                     []byte
}

// authentic checks that the till signed this very request, and only now, and returns
// its counter. The counter moves after the signature was checked, so that a stranger
// cannot push it.
func (s *server) authentic(ctx context.Context, till store.Till, in signed) (int64, error) {
	counter, err := wire.ParseCounter(in.counter)
	if err != nil {
		return 0, err
	}
	req := wire.Request{Method: http.MethodPost, Path: in.path, To: s.Key, Counter: counter, Body: in.body}
	if err := req.Verify(ed25519.PublicKey(till.Key), in.signature); err != nil {
		return 0, err
	}
	last, err := s.Store.Count(ctx, till.ID, counter, time.Now())
	if isConflict(err) {
		return 0, &wire.Problem{Type: wire.ProblemReplay, Title: "Seen before", Status: http.StatusConflict,
			Detail: "this request was seen before, or the till's counter went back", After: last}
	}
	return counter, err
}
