package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

//go:embed page
var pageFiles embed.FS

// API is the control interface and the wallet page, on one listener.
//
// Whoever reaches it can spend the play money, so a web site that the user has
// open elsewhere must not: requests are taken only under a loopback name (a
// foreign name that resolves here is refused), and those that change something
// only from this page or from a program (no foreign Origin).
type API struct {
	nodes  *Nodes
	wallet *Wallet
	shown  func(ctx context.Context) string // the QR on the till's display, or ""; nil: no till
	line   *Line                            // the shop's internet; nil: no till
	coins  *coinsAPI                        // nil: no chains
}

const (
	bodyLimit   = 16 << 10 // a request is an invoice or an LNURL, and a number
	blocksMax   = 1000     // at once; they take a second
	controlTime = 2 * time.Minute
)

// Handler returns the whole of it.
func (a *API) Handler() http.Handler {
	page, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // embedded at build time
	}
	mux := http.NewServeMux()
	files := http.FileServerFS(page)
	for _, path := range []string{"/{$}", "/wallet.css", "/wallet.js", "/coins.js", "/parts.js", "/icon.svg"} {
		mux.Handle("GET "+path, files)
	}
	mux.HandleFunc("GET /v1/status", a.status)
	mux.HandleFunc("GET /v1/connection", a.ready(a.connection))
	mux.HandleFunc("GET /v1/wallet", a.ready(a.balance))
	mux.HandleFunc("GET /v1/invoices", a.ready(a.invoices))
	mux.HandleFunc("POST /v1/invoices/decode", a.ready(a.decode))
	mux.HandleFunc("POST /v1/payments", a.ready(a.pay))
	mux.HandleFunc("POST /v1/blocks", a.ready(a.blocks))
	mux.HandleFunc("POST /v1/line", a.turn)
	mux.HandleFunc("POST /v1/nodes/{node}/{action}", a.ready(a.control))
	if a.coins != nil {
		a.coins.routes(mux)
	}
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusForbidden, "another web site may not do this")
	}))
	return guard(origin.Handler(known(mux)))
}

// known answers what mux has no handler for with a problem: 404, or 405 with the
// methods that exist.
func known(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		no := &muted{header: http.Header{}}
		h.ServeHTTP(no, r)
		if allow := no.header.Get("Allow"); allow != "" {
			w.Header().Set("Allow", allow)
		}
		problem(w, no.status, "there is nothing under "+r.URL.Path+" for "+r.Method)
	})
}

// muted keeps status and header of an answer and drops its text.
type muted struct {
	header http.Header
	status int
}

func (m *muted) Header() http.Header         { return m.header }
func (m *muted) WriteHeader(status int)      { m.status = status }
func (m *muted) Write(b []byte) (int, error) { return len(b), nil }

// guard refuses foreign names and sets the headers of every answer.
func guard(next http.Handler) http.Handler {
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !loopbackName(r.Host) {
			problem(w, http.StatusMisdirectedRequest, "call this by a loopback name: localhost or 127.0.0.1")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
		next.ServeHTTP(w, r)
	})
}

// loopbackName reports that a host, with or without port, is this computer by a
// name that nobody else can give.
func loopbackName(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// ready answers 503 until the nodes are up.
func (a *API) ready(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s, _ := a.nodes.progress.Now(); !s.Ready {
			w.Header().Set("Retry-After", "1")
			problem(w, http.StatusServiceUnavailable, "the nodes are not ready: "+s.String())
			return
		}
		next(w, r)
	}
}

// status says how far the nodes are and, where there is a till, how its line is.
func (a *API) status(w http.ResponseWriter, _ *http.Request) {
	s, _ := a.nodes.progress.Now()
	out := struct {
		Status
		Line LineState `json:"line,omitempty"`
	}{Status: s}
	if a.line != nil {
		out.Line = a.line.State()
	}
	answer(w, out)
}

// turn switches the shop's internet, and answers when that is done.
func (a *API) turn(w http.ResponseWriter, r *http.Request) {
	var in struct {
		State LineState `json:"state"`
	}
	if !read(w, r, &in) {
		return
	}
	if a.line == nil {
		problem(w, http.StatusNotFound, "there is no till here whose line could be cut")
		return
	}
	if in.State != LineUp && in.State != LineCut && in.State != LineSilent {
		problem(w, http.StatusBadRequest, "state must be up, cut or silent")
		return
	}
	if err := a.line.Set(in.State); err != nil {
		problem(w, http.StatusConflict, err.Error())
		return
	}
	answer(w, map[string]LineState{"state": in.State})
}

func (a *API) connection(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]string{"lnd": a.nodes.TillConnection()})
}

func (a *API) balance(w http.ResponseWriter, r *http.Request) {
	b, err := a.wallet.Balance(r.Context())
	reply(w, b, err)
}

// invoices lists what the shop waits for, the one on the till's display first.
func (a *API) invoices(w http.ResponseWriter, r *http.Request) {
	qr := ""
	if a.shown != nil {
		qr = a.shown(r.Context())
	}
	if _, err := readCoins(qr); !errors.Is(err, errNoCoin) {
		qr = "" // it is shown among the coins
	}
	list, err := a.wallet.Open(r.Context())
	if in, ok := a.wallet.Shown(r.Context(), qr); ok {
		list, err = append([]Invoice{in}, list...), nil // it does not come from the shop's node
	}
	markShown(list, qr)
	reply(w, map[string]any{"invoices": list}, err)
}

func markShown(list []Invoice, qr string) {
	shown, err := parseInvoice(qr)
	for i := range list {
		if err == nil && list[i].Text == shown {
			list[i].Shown = true
			list[0], list[i] = list[i], list[0]
		}
	}
}

// decode says what an invoice asks, or what is asked at an LNURL or a plain address.
func (a *API) decode(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Invoice string `json:"invoice"`
	}
	if !read(w, r, &in) {
		return
	}
	d, err := a.wallet.Look(r.Context(), in.Invoice)
	if err != nil {
		problem(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	answer(w, d)
}

// pay pays an invoice, or what an LNURL or a plain address asks for, and answers 200
// with ok true or false, and the action that an LNURL's server wants to be shown. It
// goes on when the caller hangs up: a payment that was sent cannot be called back,
// and its outcome belongs into the wallet's list.
func (a *API) pay(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Invoice string `json:"invoice"`
		Msat    string `json:"amount_msat"`
	}
	if !read(w, r, &in) {
		return
	}
	msat, err := int64(0), error(nil)
	if in.Msat != "" {
		if msat, err = strconv.ParseInt(in.Msat, 10, 64); err != nil || msat < 1 {
			problem(w, http.StatusBadRequest, "amount_msat must be a whole number of millisatoshis above 0")
			return
		}
	}
	out, err := a.wallet.Pay(context.WithoutCancel(r.Context()), in.Invoice, msat)
	if err != nil {
		out = Outcome{Reason: err.Error()}
	}
	answer(w, out)
}

func (a *API) blocks(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Count int `json:"count"`
	}
	if !read(w, r, &in) {
		return
	}
	if in.Count < 1 || in.Count > blocksMax {
		problem(w, http.StatusBadRequest, fmt.Sprintf("count must be from 1 to %d", blocksMax))
		return
	}
	reply(w, map[string]int{"mined": in.Count}, a.nodes.Mine(r.Context(), in.Count))
}

// control stops and starts a node, and answers when that is done: after start,
// when the node takes calls and, if both run, the channel is active again.
func (a *API) control(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), controlTime)
	defer cancel()
	began := time.Now()
	err := a.nodes.Control(ctx, r.PathValue("node"), r.PathValue("action"))
	if errors.Is(err, errNoSuchNode) {
		problem(w, http.StatusNotFound, err.Error())
		return
	}
	reply(w, map[string]any{"ok": true, "took_ms": time.Since(began).Milliseconds()}, err)
}

// read decodes the one JSON object of a request and nothing beside it. When it
// returns false, the answer is written.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		problem(w, http.StatusUnsupportedMediaType, "send application/json")
		return false
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, end := d.Token(); end != io.EOF {
			err = errors.New("there is more than one JSON value")
		}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		problem(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("a request may have %d bytes", bodyLimit))
		return false
	}
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return false
	}
	return true
}

// reply answers with v, or says that a node did not answer.
func reply(w http.ResponseWriter, v any, err error) {
	if err != nil {
		problem(w, http.StatusBadGateway, err.Error())
		return
	}
	answer(w, v)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the caller hung up
}

// problem writes an RFC 9457 problem.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail,
	})
}

// listen opens a loopback listener: nothing of this may be reached from elsewhere.
func listen(addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil || !loopbackName(host) {
		return nil, fmt.Errorf("--listen %s: give a loopback address and a port, such as 127.0.0.1:8082", addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--listen %s: %w", addr, err)
	}
	return l, nil
}

// serve answers requests until ctx ends, then lets those in work finish.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, WriteTimeout: controlTime + 10*time.Second,
	}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve the wallet page: %w", err)
	case <-ctx.Done():
	}
	const stopWithin = 2 * time.Second // a payment in work ends by the node's own stop
	late, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	if s.Shutdown(late) != nil {
		_ = s.Close()
	}
	return nil
}
