package lndtest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// route is one call of lnd's REST interface.
type route struct {
	name, method, path, uri string // path may end in "/" and an argument
	prefix                  bool
}

var routes = []route{
	{"GetState", http.MethodGet, "/v1/state", "", false},
	{"GetInfo", http.MethodGet, "/v1/getinfo", "/lnrpc.Lightning/GetInfo", false},
	{"AddInvoice", http.MethodPost, "/v1/invoices", "/lnrpc.Lightning/AddInvoice", false},
	{"LookupInvoice", http.MethodGet, "/v1/invoice/", "/lnrpc.Lightning/LookupInvoice", true},
	{"CancelInvoice", http.MethodPost, "/v2/invoices/cancel", "/invoicesrpc.Invoices/CancelInvoice", false},
	{"SubscribeSingleInvoice", http.MethodGet, "/v2/invoices/subscribe/", "/invoicesrpc.Invoices/SubscribeSingleInvoice", true},
}

// reply is the status and body of a unary call.
type reply struct {
	status int
	body   any
}

// refusal is lnd's form of an error.
func refusal(status, code int, format string, args ...any) reply {
	return reply{status, map[string]any{"code": code, "message": fmt.Sprintf(format, args...), "details": []any{}}}
}

// serve answers one request.
func (n *Node) serve(l *line, w http.ResponseWriter, r *http.Request) {
	if !n.thawed(r.Context()) {
		panic(http.ErrAbortHandler)
	}
	rt, arg, ok := find(r)
	if !ok {
		n.write(w, refusal(http.StatusNotFound, 5, "Not Found"))
		return
	}
	if rt.method != r.Method {
		n.write(w, refusal(http.StatusNotImplemented, 12, "Method Not Allowed"))
		return
	}
	handle := func(w http.ResponseWriter, r *http.Request) {
		if rt.name == "SubscribeSingleInvoice" {
			n.stream(l, w, r, arg)
			return
		}
		n.write(w, n.unary(rt, arg, r))
	}
	if f := n.fault(rt.name); f != nil {
		f(w, r, handle)
		return
	}
	handle(w, r)
}

func find(r *http.Request) (route, string, bool) {
	path := r.URL.EscapedPath()
	for _, rt := range routes {
		if arg, ok := strings.CutPrefix(path, rt.path); ok && (rt.prefix == (arg != "")) {
			return rt, arg, true
		}
	}
	return route{}, "", false
}

// fault counts the call and takes what is to go wrong with it.
func (n *Node) fault(name string) Fault {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls[name]++
	if next := n.faults[name]; len(next) > 0 {
		n.faults[name] = next[1:]
		return next[0]
	}
	return n.always[name]
}

// write sends a unary answer, dated by the node's clock.
func (n *Node) write(w http.ResponseWriter, rep reply) {
	b, err := json.Marshal(rep.body)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Date", n.Now().UTC().Format(http.TimeFormat))
	w.WriteHeader(rep.status)
	_, _ = w.Write(b) // the other end may be gone
}

// gate returns lnd's refusal while it starts, or of a macaroon. The caller holds n.mu.
func (n *Node) gate(rt route, r *http.Request) (string, bool) {
	switch n.state {
	case "LOCKED":
		return "wallet locked, unlock it to enable full RPC access", false
	case "NON_EXISTING":
		return "wallet not created, create one to enable full RPC access", false
	case "WAITING_TO_START":
		return "waiting to start, RPC services not available", false
	case "UNLOCKED":
		return "the RPC server is in the process of starting up, but not yet ready to accept calls", false
	}
	if why := n.authorize(r.Header, rt.uri); why != "" {
		return why, false
	}
	if n.state == "RPC_ACTIVE" && rt.name != "GetInfo" {
		return "server is still in the process of starting", false
	}
	return "", true
}

// unary makes one call that is not a stream.
func (n *Node) unary(rt route, arg string, r *http.Request) reply {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return refusal(http.StatusBadRequest, 3, "%v", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sweep()
	if rt.name == "GetState" {
		return reply{http.StatusOK, map[string]any{"state": n.state}}
	}
	if rt.name == "AddInvoice" || rt.name == "CancelInvoice" { // the gateway reads the body before lnd sees it
		if why := unknownField(rt.name, body); why != "" {
			return refusal(http.StatusBadRequest, 3, "%s", why)
		}
	}
	if why, ok := n.gate(rt, r); !ok {
		return refusal(http.StatusInternalServerError, 2, "%s", why)
	}
	switch rt.name {
	case "GetInfo":
		return reply{http.StatusOK, n.getInfo()}
	case "AddInvoice":
		return n.addInvoice(body)
	case "LookupInvoice":
		return n.lookupInvoice(arg)
	}
	return n.cancelInvoice(body)
}

// fields that lnd's requests have, as far as the node knows what to do with them.
var fields = map[string]map[string]bool{
	"AddInvoice":    {"value": true, "value_msat": true, "memo": true, "expiry": true, "r_preimage": true, "private": true, "description_hash": true},
	"CancelInvoice": {"payment_hash": true},
}

func unknownField(call string, body []byte) string {
	var in map[string]json.RawMessage
	if err := json.Unmarshal(body, &in); err != nil {
		return "proto: syntax error (line 1:1): unexpected token"
	}
	for k := range in {
		if !fields[call][k] {
			return fmt.Sprintf("proto: (line 1:2): unknown field %q", k)
		}
	}
	return ""
}

// getInfo has the fields of v0.21.1 that anybody may rely on.
func (n *Node) getInfo() map[string]any {
	out := map[string]any{
		"version": "0.21.1-beta commit=", "identity_pubkey": n.Identity(), "alias": "shop", "num_pending_channels": 0,
		"num_active_channels": 2, "num_inactive_channels": 0, "num_peers": 1, "block_height": 406,
		"best_header_timestamp": strconv.FormatInt(n.now().Add(-10*time.Minute).Unix(), 10), "synced_to_chain": true,
		"synced_to_graph": true, "testnet": false, "uris": []any{}, "wallet_synced": true,
		"chains":   []any{map[string]any{"chain": "bitcoin", "network": n.network}},
		"features": map[string]any{"14": map[string]any{"name": "payment-addr", "is_required": true, "is_known": true}},
	}
	for k, v := range n.info {
		out[k] = v
	}
	return out
}

// whole reads a 64-bit number, which may be a string or a number in a request.
func whole(b json.RawMessage) (int64, error) {
	if len(b) == 0 {
		return 0, nil
	}
	return strconv.ParseInt(strings.Trim(string(b), `"`), 10, 64)
}

func (n *Node) addInvoice(body []byte) reply {
	var in struct {
		Value    json.RawMessage `json:"value"`
		Msat     json.RawMessage `json:"value_msat"`
		Expiry   json.RawMessage `json:"expiry"`
		Memo     string          `json:"memo"`
		Preimage []byte          `json:"r_preimage"`
		Private  bool            `json:"private"`
		MemoHash []byte          `json:"description_hash"`
	}
	err := json.Unmarshal(body, &in)
	sat, err1 := whole(in.Value)
	msat, err2 := whole(in.Msat)
	expiry, err3 := whole(in.Expiry)
	if err := errors.Join(err, err1, err2, err3); err != nil {
		return refusal(http.StatusBadRequest, 3, "proto: (line 1:2): invalid value: %v", err)
	}
	switch {
	case sat != 0 && msat != 0:
		return refusal(http.StatusInternalServerError, 2, "sat and msat arguments are mutually exclusive")
	case len(in.Preimage) != 32:
		return refusal(http.StatusInternalServerError, 2, "payment preimage must be exactly 32 bytes, is instead %d", len(in.Preimage))
	case len(in.MemoHash) != 0 && len(in.MemoHash) != 32:
		return refusal(http.StatusInternalServerError, 2, "description hash is %d bytes, must be 32", len(in.MemoHash))
	case expiry < 0 || expiry > 31536000:
		return refusal(http.StatusInternalServerError, 2, "expiry of %ds greater than max expiry of 8760h0m0s", expiry)
	case expiry == 0:
		expiry = 86400
	}
	inv := &invoice{memo: in.Memo, preimage: in.Preimage, msat: sat*1000 + msat, expiry: time.Duration(expiry) * time.Second, private: in.Private, memoHash: in.MemoHash}
	if err := n.add(inv); err != nil {
		return refusal(http.StatusInternalServerError, 2, "%s", err)
	}
	b64 := base64.StdEncoding.EncodeToString
	return reply{http.StatusOK, map[string]any{"r_hash": b64(inv.hash[:]), "payment_request": inv.request,
		"add_index": strconv.Itoa(inv.index), "payment_addr": b64(inv.addr[:])}}
}

func (n *Node) lookupInvoice(arg string) reply {
	b, err := hex.DecodeString(arg)
	switch {
	case err != nil:
		return refusal(http.StatusInternalServerError, 2, "%v", err)
	case len(b) != 32:
		return refusal(http.StatusInternalServerError, 2, "payment hash must be exactly 32 bytes, is instead %d", len(b))
	case len(n.invoices) == 0:
		return refusal(http.StatusNotFound, 5, "there are no existing invoices")
	}
	in := n.invoices[[32]byte(b)]
	if in == nil {
		return refusal(http.StatusNotFound, 5, "unable to locate invoice")
	}
	return reply{http.StatusOK, in.json()}
}

func (n *Node) cancelInvoice(body []byte) reply {
	var in struct {
		Hash []byte `json:"payment_hash"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return refusal(http.StatusBadRequest, 3, "proto: (line 1:17): invalid value for bytes field payment_hash")
	}
	if len(in.Hash) != 32 {
		return refusal(http.StatusInternalServerError, 2, "invalid hash length of %d, want 32", len(in.Hash))
	}
	if err := n.cancel([32]byte(in.Hash)); err != nil {
		return refusal(http.StatusInternalServerError, 2, "%s", err)
	}
	return reply{http.StatusOK, map[string]any{}}
}

// stream serves SubscribeSingleInvoice. Nothing is sent, not even headers, before
// the first event; for an unknown hash there is none.
func (n *Node) stream(l *line, w http.ResponseWriter, r *http.Request, arg string) {
	text, err := url.PathUnescape(arg)
	if err == nil {
		arg = text
	}
	b, err := base64.URLEncoding.DecodeString(arg)
	if err != nil || len(b) != 32 {
		n.write(w, refusal(http.StatusBadRequest, 3, "type mismatch, parameter: r_hash, error: %v", err))
		return
	}
	rt, _, _ := find(r)
	n.mu.Lock()
	n.sweep()
	why, ok := n.gate(rt, r)
	in := n.invoices[[32]byte(b)]
	events := make(chan map[string]any, subQueue)
	if ok && in != nil {
		in.subs[events] = true
		events <- in.json()
	}
	n.mu.Unlock()
	if !ok {
		n.write(w, reply{http.StatusInternalServerError, map[string]any{"error": refusal(0, 2, "%s", why).body}})
		return
	}
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if in != nil {
			delete(in.subs, events)
		}
	}()
	n.follow(l, w, r, events)
}

// follow sends events until the last state, the node's stop, or the client's end.
func (n *Node) follow(l *line, w http.ResponseWriter, r *http.Request, events chan map[string]any) {
	begun := false
	for {
		select {
		case e := <-events:
			if !n.thawed(r.Context()) {
				panic(http.ErrAbortHandler)
			}
			if !begun {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Date", n.Now().UTC().Format(http.TimeFormat))
				begun = true
			}
			var line bytes.Buffer
			if err := json.NewEncoder(&line).Encode(map[string]any{"result": e}); err != nil {
				panic(err)
			}
			_, _ = w.Write(line.Bytes()) // the client may be gone
			_ = http.NewResponseController(w).Flush()
			if e["state"] == "SETTLED" || e["state"] == "CANCELED" {
				return
			}
		case <-l.stop:
			if !begun {
				panic(http.ErrAbortHandler) // no headers were ever sent
			}
			return // a clean EOF
		case <-r.Context().Done():
			return
		}
	}
}
