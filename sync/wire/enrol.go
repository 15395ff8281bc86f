package wire

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/tillwright/tillwright/pos"
)

// Enrol makes a till known to a backoffice with the one-time code that its owner
// made there, and returns what the till must keep. It proves that the till holds
// key, which must be the one that g names. Asking again with the same code and
// key is harmless: whoever lost the answer gets it again.
//
// It fails with a pos.Error whose message a cashier can act on: Invalid for a
// mistyped code or a url it may not use, Forbidden for a code that is wrong, used
// or too old, Exhausted after too many wrong ones, Conflict when this till's name
// is taken by another key, Unavailable when nobody answers.
func Enrol(ctx context.Context, url, code string, key ed25519.PrivateKey, g pos.Genesis, hc *http.Client, opts ...Option) (pos.Enrolled, error) {
	code, err := ParseCode(code)
	if err != nil {
		return pos.Enrolled{}, err
	}
	body, err := json.Marshal(Enrolment{Code: code, Genesis: g})
	if err != nil {
		return pos.Enrolled{}, pos.Wrap("enrol", pos.Internal, err, "the till cannot say who it is")
	}
	c := newCaller(url, hc, opts)
	var w Welcome
	err = c.call(ctx, Request{Method: http.MethodPost, Path: EnrolPath, Body: body}, key, "application/json", &w)
	if p, ok := errors.AsType[*Problem](err); ok {
		return pos.Enrolled{}, &pos.Error{Op: "enrol", Kind: enrolKind(p), Msg: p.Detail}
	}
	if err != nil {
		return pos.Enrolled{}, err
	}
	if len(w.Key) != ed25519.PublicKeySize {
		return pos.Enrolled{}, pos.E("enrol", pos.Corrupt, "the backoffice's answer holds no key")
	}
	return pos.Enrolled{URL: c.base, Key: w.Key, Shop: w.Shop}, nil
}

func enrolKind(p *Problem) pos.Kind {
	switch p.Status {
	case http.StatusConflict:
		return pos.Conflict
	case http.StatusTooManyRequests:
		return pos.Exhausted
	}
	return kindOf(p)
}
