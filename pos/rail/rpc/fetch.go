package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
)

// Secret is an operator's key. It is written nowhere: what prints it prints a blank.
type Secret string

const redacted = "[redacted]"

// String hides it.
func (Secret) String() string { return redacted }

// GoString hides it.
func (Secret) GoString() string { return redacted }

// Format hides it from every verb.
func (Secret) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// LogValue hides it.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides it.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Get asks for path and query under the endpoint's URL and returns the JSON object of a
// good answer, no key twice. An error is a *Error. It blocks for at most CallLimit, or
// until ctx ends. It is for operators with an API of their own.
func (c *Client) Get(ctx context.Context, path string, query url.Values) (map[string]json.RawMessage, error) {
	at := c.under(path)
	if len(query) > 0 {
		at += "?" + query.Encode()
	}
	return c.object(ctx, http.MethodGet, at, nil)
}

// Post sends in as JSON to path under the endpoint's URL, and is otherwise like Get.
func (c *Client) Post(ctx context.Context, path string, in any) (map[string]json.RawMessage, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, Failed(Odd, "the request cannot be written")
	}
	return c.object(ctx, http.MethodPost, c.under(path), body)
}

// under returns an address below the endpoint's URL.
func (c *Client) under(path string) string { return strings.TrimRight(c.URL, "/") + path }

func (c *Client) object(ctx context.Context, method, at string, body []byte) (map[string]json.RawMessage, error) {
	answer, err := c.send(ctx, method, at, body)
	if err != nil {
		return nil, err
	}
	f, err := Fields(answer)
	if err != nil {
		return nil, &Error{Odd, err}
	}
	return f, nil
}

// send makes one request and returns the body of a good answer.
func (c *Client) send(ctx context.Context, method, at string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, CallLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, at, bytes.NewReader(body))
	if err != nil {
		return nil, Failed(Odd, "the endpoint cannot be called")
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	if c.KeyHeader != "" {
		req.Header.Set(c.KeyHeader, string(c.Key))
	}
	req.Header["Idempotency-Key"] = nil // all calls may be repeated: net/http replaces a connection that died idle
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, &Error{Unreachable, lineError(err)}
	}
	defer func() { _ = resp.Body.Close() }() // read to its end or given up on purpose
	answer, err := io.ReadAll(io.LimitReader(resp.Body, bodyLimit+1))
	switch {
	case err != nil:
		return nil, &Error{Unreachable, lineError(err)}
	case len(answer) > bodyLimit:
		return nil, &Error{Odd, ErrLarge}
	}
	return answer, judge(resp, answer)
}
