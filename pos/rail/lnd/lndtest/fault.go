package lndtest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

// Fault spoils one call. serve is what the node would do.
type Fault func(w http.ResponseWriter, r *http.Request, serve func(http.ResponseWriter, *http.Request))

// Next spoils the next call of that name, after those already waiting.
func (n *Node) Next(call string, f Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults[call] = append(n.faults[call], f)
}

// Always spoils every call of that name; nil ends it.
func (n *Node) Always(call string, f Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.always[call] = f
}

// LoseRequest breaks the connection before the node does anything.
func LoseRequest(http.ResponseWriter, *http.Request, func(http.ResponseWriter, *http.Request)) {
	panic(http.ErrAbortHandler)
}

// LoseAnswer lets the node do it, and breaks the connection before it can say so.
func LoseAnswer(_ http.ResponseWriter, r *http.Request, serve func(http.ResponseWriter, *http.Request)) {
	serve(&page{header: http.Header{}}, r)
	panic(http.ErrAbortHandler)
}

// Slow waits for d before the node does it.
func Slow(d time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, serve func(http.ResponseWriter, *http.Request)) {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			serve(w, r)
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
}

// Say answers with these bytes; the node does nothing.
func Say(status int, kind, body string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ func(http.ResponseWriter, *http.Request)) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// Refuse answers in lnd's form; the node does nothing.
func Refuse(status, code int, message string) Fault {
	b, err := json.Marshal(refusal(status, code, "%s", message).body)
	if err != nil {
		panic(err)
	}
	return Say(status, "application/json", string(b))
}

// HTML is what a proxy says when the node behind it is away.
var HTML = Say(http.StatusBadGateway, "text/html", "<html><h1>502 Bad Gateway</h1></html>")

// Portal is what a hotel's network says instead of anything.
var Portal = Say(http.StatusOK, "text/html", "<html>Welcome! Please log in.</html>")

// Huge is an answer without an end.
var Huge = Say(http.StatusOK, "application/json", `{"memo":"`+strings.Repeat("x", 3<<20)+`"}`)

// Tamper lets the node answer and changes the answer.
func Tamper(change func(answer map[string]any)) Fault {
	return func(w http.ResponseWriter, r *http.Request, serve func(http.ResponseWriter, *http.Request)) {
		p := &page{header: http.Header{}}
		serve(p, r)
		answer := map[string]any{}
		if err := json.Unmarshal(p.body.Bytes(), &answer); err != nil {
			panic(err)
		}
		change(answer)
		b, err := json.Marshal(answer)
		if err != nil {
			panic(err)
		}
		p.send(w, b)
	}
}

// Retype lets the node answer, and calls the answer something else.
func Retype(kind string) Fault {
	return func(w http.ResponseWriter, r *http.Request, serve func(http.ResponseWriter, *http.Request)) {
		p := &page{header: http.Header{}}
		serve(p, r)
		p.header.Set("Content-Type", kind)
		p.send(w, p.body.Bytes())
	}
}

// CutShort lets the node answer and loses the end of it.
func CutShort(w http.ResponseWriter, r *http.Request, serve func(http.ResponseWriter, *http.Request)) {
	p := &page{header: http.Header{}}
	serve(p, r)
	p.send(w, p.body.Bytes()[:p.body.Len()/2])
}

// page keeps an answer.
type page struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (p *page) Header() http.Header         { return p.header }
func (p *page) WriteHeader(status int)      { p.status = status }
func (p *page) Write(b []byte) (int, error) { return p.body.Write(b) }

func (p *page) send(w http.ResponseWriter, body []byte) {
	for k, v := range p.header {
		w.Header()[k] = v
	}
	w.WriteHeader(p.status)
	_, _ = w.Write(body) // the other end may be gone
}

// Clear takes every fault away that has not happened yet.
func (n *Node) Clear() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.faults)
	clear(n.always)
}
