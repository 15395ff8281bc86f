package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
)

// problem is an error as RFC 9457 writes it. Title names the kind in the shop's
// language, Detail says what happened and what to do.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// status is the one map from what went wrong to what HTTP calls it.
var status = map[pos.Kind]int{
	pos.Internal:    http.StatusInternalServerError,
	pos.Invalid:     http.StatusBadRequest,
	pos.NotFound:    http.StatusNotFound,
	pos.Conflict:    http.StatusConflict,
	pos.Unavailable: http.StatusServiceUnavailable,
	pos.Corrupt:     http.StatusInternalServerError,
	pos.Forbidden:   http.StatusForbidden,
	pos.Exhausted:   http.StatusTooManyRequests,
}

// refusal is an answer of the web's own, before the desk is asked.
type refusal struct {
	status       int
	name, detail string
}

func (r *refusal) Error() string { return r.detail }

var (
	errStranger  = &refusal{http.StatusUnauthorized, "sign-in", "sign in first"}
	errCrossSite = &refusal{http.StatusForbidden, "cross-site", "this came from another site's page and was refused"}
	errHost      = &refusal{http.StatusMisdirectedRequest, "host", "the till does not answer to this name; use its address"}
	errBusy      = &refusal{http.StatusServiceUnavailable, "unavailable", "too many screens are open; close some"}
	errMedia     = &refusal{http.StatusUnsupportedMediaType, "media-type", "send application/json, not encoded"}
)

// tooMany refuses a client that asks too often.
type tooMany struct{ wait time.Duration }

func (t *tooMany) Error() string {
	return fmt.Sprintf("too many tries; wait %d seconds", seconds(t.wait))
}

// RetryAfter says how long to wait. An error of the desk or the staff that has
// this method sets the header of the same name.
func (t *tooMany) RetryAfter() time.Duration { return t.wait }

// seconds rounds up: a client that comes back early is refused again.
func seconds(d time.Duration) int { return max(1, int((d+time.Second-1)/time.Second)) }

// problem is the one place where an error becomes a response. The cashier sees
// Kind and Msg; the cause goes to the log and nowhere else.
func (a *App) problem(c *fiber.Ctx, err error) error {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		level := slog.LevelError // a person must come
		if p.Status == http.StatusServiceUnavailable {
			level = slog.LevelWarn // it may pass by itself
		}
		a.log.Log(context.Background(), level, "request failed", "method", strings.Clone(c.Method()), "path", strings.Clone(c.Path()), "err", err)
	}
	name := p.Type
	p.Type = "/problems/" + name
	p.Title = pos.Word(a.o.Shop.Language, "ui.problem."+name)
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(seconds(waitOf(err))))
	case http.StatusUnauthorized:
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="till"`)
	}
	c.Status(p.Status)
	return c.JSON(p, "application/problem+json")
}

// problemOf fills in all but the title; Type is still the bare name.
func problemOf(err error) problem {
	if e, ok := errors.AsType[*refusal](err); ok {
		return problem{e.name, "", e.status, e.detail}
	}
	if e, ok := errors.AsType[*tooMany](err); ok {
		return problem{pos.Exhausted.String(), "", http.StatusTooManyRequests, e.Error()}
	}
	if e, ok := errors.AsType[*pos.Error](err); ok {
		return problem{e.Kind.String(), "", status[e.Kind], orFault(e.Msg)}
	}
	if e, ok := errors.AsType[*fiber.Error](err); ok {
		return fiberProblem(e.Code)
	}
	if errors.Is(err, errDeadline) {
		return problem{pos.Unavailable.String(), "", http.StatusServiceUnavailable, "the till did not answer in time; ask again, nothing is done twice"}
	}
	return problem{pos.Internal.String(), "", http.StatusInternalServerError, orFault("")}
}

// fiberProblem words what fiber and fasthttp refuse by themselves.
func fiberProblem(code int) problem {
	details := map[int][2]string{
		http.StatusNotFound:                    {"not-found", "there is nothing at this address"},
		http.StatusMethodNotAllowed:            {"method", "this cannot be done here"},
		http.StatusRequestEntityTooLarge:       {"too-large", "the request is too large"},
		http.StatusRequestHeaderFieldsTooLarge: {"too-large", "the request's head is too large"},
		http.StatusRequestTimeout:              {"unavailable", "the request took too long to arrive"},
	}
	if d, ok := details[code]; ok {
		return problem{d[0], "", code, d[1]}
	}
	if code >= 400 && code < 500 {
		return problem{pos.Invalid.String(), "", code, "the request is not understood"}
	}
	return problem{pos.Internal.String(), "", http.StatusInternalServerError, orFault("")}
}

func orFault(msg string) string {
	if msg == "" {
		return "the till has a fault; call the shop's support"
	}
	return msg
}

// waitOf returns how long the error says to wait.
func waitOf(err error) time.Duration {
	var w interface{ RetryAfter() time.Duration }
	if errors.As(err, &w) && w.RetryAfter() > 0 {
		return w.RetryAfter()
	}
	return retryDefault
}
