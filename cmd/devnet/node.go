package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
)

// Node is one lnd. Its methods may be called at any time; before it is up they
// fail.
type Node struct {
	name  string
	dir   string // lnd's own directory
	ports *nodePorts
	child *Child
}

// nodePorts are a node's three listeners, all on loopback. Peer is 0 for a node
// that only calls out.
type nodePorts struct {
	Peer int `json:"peer,omitempty"`
	RPC  int `json:"rpc"`
	REST int `json:"rest"`
}

func (n *Node) certFile() string { return filepath.Join(n.dir, "tls.cert") }

func (n *Node) macaroonFile() string {
	return filepath.Join(n.dir, "data", "chain", "bitcoin", "simnet", "admin.macaroon")
}

func (n *Node) base() string { return fmt.Sprintf("https://127.0.0.1:%d", n.ports.REST) }

// call speaks lnd's REST with the rights of its owner.
func (n *Node) call(ctx context.Context, method, path string, in, out any) error {
	r, err := n.remote()
	if err != nil {
		return err
	}
	if err := r.call(ctx, method, path, in, out); err != nil {
		return fmt.Errorf("%s's node: %w", n.name, err)
	}
	return nil
}

func (n *Node) get(ctx context.Context, path string, out any) error {
	return n.call(ctx, http.MethodGet, path, nil, out)
}

func (n *Node) post(ctx context.Context, path string, in, out any) error {
	return n.call(ctx, http.MethodPost, path, in, out)
}

// remote makes a client from the files that lnd wrote; they appear while it
// starts for the first time.
func (n *Node) remote() (*remote, error) {
	r, err := newRemote(n.base(), n.certFile())
	if err != nil {
		return nil, err
	}
	m, err := os.ReadFile(n.macaroonFile())
	if err != nil {
		return nil, fmt.Errorf("read macaroon: %w", err)
	}
	r.header.Set("Grpc-Metadata-macaroon", hex.EncodeToString(m))
	return r, nil
}

// state returns lnd's own word for how far its start is. It needs no macaroon.
func (n *Node) state(ctx context.Context) (string, error) {
	r, err := newRemote(n.base(), n.certFile())
	if err != nil {
		return "", err
	}
	var s struct{ State string }
	err = r.call(ctx, http.MethodGet, "/v1/state", nil, &s)
	return s.State, err
}

// reached returns a check that the node is at least where one of states is.
func (n *Node) reached(states ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		s, err := n.state(ctx)
		if err != nil {
			return err
		}
		for _, want := range states {
			if s == want {
				return nil
			}
		}
		return errors.New(n.name + "'s node is " + s)
	}
}

// The states of lnd's start that matter: calls are answered; everything works.
const (
	rpcActive    = "RPC_ACTIVE"
	serverActive = "SERVER_ACTIVE"
)

// key returns the node's public key in hexadecimal.
func (n *Node) key(ctx context.Context) (string, error) {
	var info struct {
		Key string `json:"identity_pubkey"`
	}
	err := n.get(ctx, "/v1/getinfo", &info)
	return info.Key, err
}

// linked fails unless the node has an active channel.
func (n *Node) linked(ctx context.Context) error {
	var list struct{ Channels []struct{ Active bool } }
	if err := n.get(ctx, "/v1/channels?active_only=true", &list); err != nil {
		return err
	}
	if len(list.Channels) == 0 {
		return errors.New("no channel is active")
	}
	return nil
}
