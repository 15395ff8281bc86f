package main

import (
	"errors"
	"os"
	"strings"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/rpc"
	"github.com/tillwright/tillwright/pos/rail/tron"
)

const (
	// maxEndpoints bounds those of one chain.
	maxEndpoints = 6
	// maxEndpointFile bounds a file with an endpoint's address.
	maxEndpointFile = 4 << 10
)

// endpointConfig is one operator's way into a chain. The address is secret: it often
// holds a key.
type endpointConfig struct {
	operator, url string

	// Of Tron's operators alone: how they are spoken to, their key, and how often a day.
	kind, key string
	daily     int
}

func readEndpoints(p *reader) (out []endpointConfig) {
	list := p.tables("endpoint")
	if len(list) == 0 || len(list) > maxEndpoints {
		p.bad("endpoint", "write 1 to %d parts [[stablecoins.accept.endpoint]] with operator and url_file", maxEndpoints)
	}
	for _, t := range list {
		e := endpointConfig{operator: t.need("operator", "Alchemy")}
		e.readURL(t)
		e.readTron(t)
		out = append(out, e)
	}
	return out
}

// readURL reads an endpoint's address. It is nobody else's business: a message never
// repeats it.
func (e *endpointConfig) readURL(t *reader) {
	before := len(*t.faults)
	e.url = t.text("url", "")
	file, key := t.path("url_file", ""), "url"
	switch {
	case !t.silent(before):
		return
	case (e.url == "") == (file == ""):
		t.bad("url_file", "write either url_file (a file with the endpoint's address, safer: it holds a key) or url, and not both")
		return
	case file == "" && !strings.Contains(e.url, "://"):
		t.bad("url", "is no address that begins with https://; if it is a file's name, write url_file = %q", e.url)
		return
	case file == "":
		t.warn("url", "a secret belongs in a file that only the till's user reads, and this address may hold a key: write url_file = \"…\" with that file's name")
	case isAddress(t.text("url_file", "")):
		t.bad("url_file", "is an address and no file's name: a secret belongs in a file. Put the address into a file, and write url_file = \"…\" with that file's name")
		return
	default:
		key = "url_file"
		if e.url = t.secret(key, file, "the endpoint's address"); e.url == "" {
			return
		}
	}
	if e.operator == "" {
		return // it was said
	}
	if err := (rpc.Endpoint{Operator: e.operator, URL: e.url}).Check(); err != nil {
		t.bad(key, "%s", message(err))
	}
}

// isAddress reports what stands where a file's name should, and is none.
func isAddress(s string) bool { return strings.HasPrefix(s, "https:") || strings.HasPrefix(s, "http:") }

// secret reads a file that holds what, and nothing else.
func (r *reader) secret(key, file, what string) string {
	text, err := readBounded(file, maxEndpointFile)
	s := strings.TrimSpace(string(text))
	switch {
	case errors.Is(err, os.ErrNotExist):
		r.bad(key, "there is no file %s: it must be a file with %s and nothing else", file, what)
	case err != nil:
		r.bad(key, "%v: it must be a file with %s and nothing else", err, what)
	case s == "" || !pos.IsPlain(s):
		r.bad(key, "%s must be a file with %s and nothing else", file, what)
	default:
		return s
	}
	return ""
}

// readTron reads what only Tron's operators need.
func (e *endpointConfig) readTron(t *reader) {
	e.kind = t.oneOf("kind", "", "", string(tron.JSONRPC), string(tron.TronGrid))
	e.daily = int(t.number("daily", 0, 0, 1e9))
	if file := t.path("key_file", ""); file != "" {
		e.key = t.secret("key_file", file, "the operator's key")
	}
}

// voices counts the operators who are asked: two endpoints of one are one voice.
func (a *acceptConfig) voices() int {
	seen := map[string]bool{}
	for _, e := range a.endpoints {
		seen[e.operator] = true
	}
	return len(seen)
}
