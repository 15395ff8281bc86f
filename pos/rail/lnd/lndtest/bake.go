package lndtest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"gopkg.in/macaroon.v2"
)

// TillRights are the five that a till needs.
var TillRights = []string{
	"uri:/lnrpc.Lightning/AddInvoice", "uri:/lnrpc.Lightning/LookupInvoice",
	"uri:/invoicesrpc.Invoices/SubscribeSingleInvoice", "uri:/invoicesrpc.Invoices/CancelInvoice",
	"uri:/lnrpc.Lightning/GetInfo",
}

// baked is what the node knows of a macaroon's identifier.
type baked struct {
	root   string
	rights map[string]bool
}

// Bake makes a macaroon as "lncli bakemacaroon --root_key_id root rights…" does:
// rights are "uri:/path" or "entity:action".
func (n *Node) Bake(root string, rights ...string) []byte {
	return n.BakeWith(root, nil, rights...)
}

// BakeWith is Bake with first-party caveats.
func (n *Node) BakeWith(root string, caveats []string, rights ...string) []byte {
	id := Identifier(root, rights...)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.keys[root] == nil {
		n.keys[root] = random(32)
	}
	m, err := macaroon.New(n.keys[root], id, "lnd", macaroon.V2)
	if err != nil {
		n.t.Fatalf("bake: %v", err)
	}
	for _, c := range caveats {
		if err := m.AddFirstPartyCaveat([]byte(c)); err != nil {
			n.t.Fatalf("bake: %v", err)
		}
	}
	b := baked{root, map[string]bool{}}
	for _, r := range rights {
		b.rights[r] = true
	}
	n.baked[string(id)] = b
	out, err := m.MarshalBinary()
	if err != nil {
		n.t.Fatalf("bake: %v", err)
	}
	return out
}

// Identifier makes a bakery-v3 macaroon identifier: the byte 3 and the protobuf
// {1: nonce, 2: storageId, 3: {1: entity, 2: actions}…}.
func Identifier(root string, rights ...string) []byte {
	actions, order := map[string][]string{}, []string{}
	for _, r := range rights {
		entity, action, _ := strings.Cut(r, ":")
		if actions[entity] == nil {
			order = append(order, entity)
		}
		actions[entity] = append(actions[entity], action)
	}
	id := append([]byte{3}, field(1, random(16))...)
	id = append(id, field(2, []byte(root))...)
	for _, entity := range order {
		op := field(1, []byte(entity))
		for _, a := range actions[entity] {
			op = append(op, field(2, []byte(a))...)
		}
		id = append(id, field(3, op)...)
	}
	return id
}

// field writes one length-delimited protobuf field.
func field(number byte, value []byte) []byte {
	out := []byte{number<<3 | 2}
	n := len(value)
	for ; n >= 0x80; n >>= 7 {
		out = append(out, byte(n)|0x80)
	}
	return append(append(out, byte(n)), value...)
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

// Revoke deletes a root key, as "lncli deletemacaroonid" does.
func (n *Node) Revoke(root string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.keys[root] = nil
}

// broad are the entity rights that cover a call as well as its own uri.
var broad = map[string]string{
	"/lnrpc.Lightning/AddInvoice":                  "invoices:write",
	"/lnrpc.Lightning/LookupInvoice":               "invoices:read",
	"/invoicesrpc.Invoices/SubscribeSingleInvoice": "invoices:read",
	"/invoicesrpc.Invoices/CancelInvoice":          "invoices:write",
	"/lnrpc.Lightning/GetInfo":                     "info:read",
}

// authorize returns lnd's words of refusal, or "". The order of the checks is lnd's.
func (n *Node) authorize(h http.Header, path string) string {
	text := h.Values("Grpc-Metadata-macaroon")
	if len(text) != 1 {
		return fmt.Sprintf("expected 1 macaroon, got %d", len(text))
	}
	b, err := hex.DecodeString(text[0])
	if err != nil {
		return err.Error()
	}
	var m macaroon.Macaroon
	if err := m.UnmarshalBinary(b); err != nil {
		return err.Error()
	}
	known := n.baked[string(m.Id())]
	key := n.keys[known.root]
	if key == nil {
		return fmt.Sprintf("cannot retrieve macaroon: cannot get macaroon: root key with id %s doesn't exist", known.root)
	}
	if err := m.Verify(key, n.caveat, nil); err != nil {
		if strings.HasPrefix(err.Error(), "caveat ") {
			return err.Error()
		}
		return "verification failed: signature mismatch after caveat verification"
	}
	if !known.rights["uri:"+path] && !known.rights[broad[path]] {
		return "permission denied"
	}
	return ""
}

// caveat checks one caveat; the caller holds n.mu.
func (n *Node) caveat(c string) error {
	when, ok := strings.CutPrefix(c, "time-before ")
	if !ok {
		return fmt.Errorf("caveat %q not satisfied: macaroon locked to different IP address", c)
	}
	at, err := time.Parse(time.RFC3339Nano, when)
	if err != nil || !n.now().Before(at) {
		return fmt.Errorf("caveat %q not satisfied: macaroon has expired", c)
	}
	return nil
}
