package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
)

var errDeadline = context.DeadlineExceeded

// decode reads the body into a struct: application/json alone, not compressed,
// by the rules of parse.
func decode(c *fiber.Ctx, into any) error {
	media, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || media != fiber.MIMEApplicationJSON || c.Get(fiber.HeaderContentEncoding) != "" {
		return errMedia
	}
	// c.Body would unpack a compressed body without a limit.
	return parse(c.Request().Body(), into)
}

// parse reads one JSON object into a struct. It is stricter than encoding/json,
// where money comes in: {"minor":"1","MINOR":"900"} is 900 there, and of two equal
// keys the last one counts. Here a key must be known, spelled as documented and
// there once; null, text that is no UTF-8, and anything behind the object are
// refused. It fails with Invalid.
func parse(body []byte, into any) error {
	bad := func(why string, args ...any) error { return pos.E("read request", pos.Invalid, why, args...) }
	if !utf8.Valid(body) {
		return bad("the request is no UTF-8 text")
	}
	walk := json.NewDecoder(bytes.NewReader(body))
	walk.UseNumber()
	if tok, err := walk.Token(); err != nil || tok != json.Delim('{') {
		return bad("the request must be one JSON object")
	}
	if err := walkObject(walk, 1); err != nil {
		return err
	}
	if _, err := walk.Token(); err != io.EOF {
		return bad("there is something behind the request's object")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return bad("%s", reason(err))
	}
	return nil
}

// key is how every key of ours is spelled.
var keyForm = regexp.MustCompile(`^[a-z][a-z_]{0,39}$`)

// walkObject checks keys and values up to the object's end.
func walkObject(d *json.Decoder, depth int) error {
	seen := map[string]bool{}
	for {
		tok, err := d.Token()
		if err != nil {
			return pos.E("read request", pos.Invalid, "the request is no JSON")
		}
		if tok == json.Delim('}') {
			return nil
		}
		key, _ := tok.(string)
		switch {
		case !keyForm.MatchString(key):
			return pos.E("read request", pos.Invalid, "there is no field %q", clip(key))
		case seen[key]:
			return pos.E("read request", pos.Invalid, "the field %q is there twice", key)
		}
		seen[key] = true
		if err := walkValue(d, key, depth); err != nil {
			return err
		}
	}
}

func walkValue(d *json.Decoder, key string, depth int) error {
	tok, err := d.Token()
	switch {
	case err != nil:
		return pos.E("read request", pos.Invalid, "the request is no JSON")
	case tok == nil:
		return pos.E("read request", pos.Invalid, "the field %q is null; leave it out", key)
	case tok == json.Delim('['):
		return pos.E("read request", pos.Invalid, "the field %q is no list", key)
	case tok == json.Delim('{') && depth >= maxDepth:
		return pos.E("read request", pos.Invalid, "the field %q is nested too deep", key)
	case tok == json.Delim('{'):
		return walkObject(d, depth+1)
	}
	return nil
}

// reason words what encoding/json says, without the names of Go's types.
func reason(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return "the field \"" + clip(e.Field) + "\" has the wrong type"
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return "there is no field " + clip(field)
	}
	return "the request is not understood"
}

// clip shortens outside text before it is shown in a message.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// money is an amount as it comes in. It is no pos.Amount, whose own decoder would
// let unknown fields pass.
type money struct {
	Minor    string `json:"minor"`
	Decimals int    `json:"decimals"`
	Currency string `json:"currency"`
}

// in returns minor units of c, at least one. It fails with Invalid for another
// currency, other decimals, or a number that is not written as the till writes it.
func (m *money) in(c pos.Currency, field string) (int64, error) {
	n, err := strconv.ParseInt(m.Minor, 10, 64)
	switch {
	case m.Currency != c.Code || m.Decimals != c.Decimals:
		return 0, pos.E("read amount", pos.Invalid, "%s: this till counts in %s with %d decimals", field, c.Code, c.Decimals)
	case err != nil || strconv.FormatInt(n, 10) != m.Minor:
		return 0, pos.E("read amount", pos.Invalid, "%s: %q is no number of minor units", field, clip(m.Minor))
	case n <= 0:
		return 0, pos.E("read amount", pos.Invalid, "%s must be more than nothing", field)
	}
	return n, nil
}

// idempotencyKey returns a copy of the request's key, for the ledger keeps it. A
// POST must have one. It fails with Invalid.
func idempotencyKey(c *fiber.Ctx) (string, error) {
	key := strings.Clone(c.Get("Idempotency-Key"))
	if key == "" || len(key) > pos.MaxKey || strings.IndexFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return "", pos.E("read request", pos.Invalid, "Idempotency-Key of 1 to %d letters, digits or signs required", pos.MaxKey)
	}
	return key, nil
}
