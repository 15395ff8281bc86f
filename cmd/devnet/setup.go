package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// What a new directory gets. Each step asks first what is there already, so that
// a set-up that was cut off anywhere is finished by the next one.
const (
	firstBlocks   = 400        // simnet: segwit is active from 300 on, and coinbases ripen for 100
	confirmations = 6          // before a channel is announced
	channelSats   = 15_000_000 // the largest plain channel holds 16,777,215
	shopSats      = 3_000_000  // of them, so that both sides can send
	walletSats    = 2 * channelSats
)

// setUp brings the nodes from wherever they are to where the shop can be paid.
// The steps stand in the order of their needs.
func (n *Nodes) setUp(ctx context.Context) error {
	n.progress.Step("starting the nodes 3/4")
	for _, step := range []func(context.Context) error{
		n.writeConf, n.startChain, n.freshTip, n.startNodes, n.fund, n.awaitNodes,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	n.progress.Step("opening a channel 4/4")
	for _, step := range []func(context.Context) error{n.connect, n.openChannel, n.bake} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// writeConf chooses the ports and writes what btcd and lnd read.
func (n *Nodes) writeConf(context.Context) error {
	if err := n.mem.choosePorts(); err != nil {
		return err
	}
	chain := filepath.Join(n.dir, "chain")
	conf := func(node *Node) error {
		text := nodeConf(node.dir, node.name, *node.ports, chain, n.mem.Chain, n.pass)
		return writeFile(filepath.Join(node.dir, "lnd.conf"), []byte(text))
	}
	return errors.Join(n.mem.keep(n.memFile()), n.writeChainConf(), conf(n.shop), conf(n.cust))
}

func (n *Nodes) writeChainConf() error {
	dir := filepath.Join(n.dir, "chain")
	return writeFile(filepath.Join(dir, "btcd.conf"), []byte(chainConf(dir, n.mem.Chain, n.pass, n.mem.Mining)))
}

// startChain starts btcd and waits for its first answer.
func (n *Nodes) startChain(ctx context.Context) error {
	n.progress.Detail("Bitcoin chain")
	if err := n.chain.Start(); err != nil {
		return err
	}
	return n.chain.Await(ctx, func(ctx context.Context) error {
		c, err := n.chainClient()
		if err != nil {
			return err
		}
		return c.rpc(ctx, "getblockcount", nil)
	})
}

func (n *Nodes) chainClient() (chainClient, error) {
	return newChainClient(n.mem.Chain, filepath.Join(n.dir, "chain", "rpc.cert"), chainUser, n.pass)
}

// freshTip mines a block when the last one is old: after a night's pause neither
// btcd nor lnd would take the chain for complete.
func (n *Nodes) freshTip(ctx context.Context) error {
	c, err := n.chainClient()
	if err != nil {
		return err
	}
	height, at, err := c.tip(ctx)
	if err != nil || n.mem.Mining == "" || height == 0 || time.Since(at) < staleTip {
		return err
	}
	return c.generate(ctx, 1)
}

// startNodes starts both and waits until they answer calls.
func (n *Nodes) startNodes(ctx context.Context) error {
	n.progress.Detail("Lightning nodes")
	return n.both(func(node *Node) error {
		if err := node.child.Start(); err != nil {
			return err
		}
		return node.child.Await(ctx, node.reached(rpcActive, serverActive))
	})
}

func (n *Nodes) both(f func(*Node) error) error {
	var errs [2]error
	var wg sync.WaitGroup
	for i, node := range []*Node{n.shop, n.cust} {
		wg.Go(func() { errs[i] = f(node) })
	}
	wg.Wait()
	return errors.Join(errs[:]...)
}

// fund mines the customer's money. btcd takes the address that its blocks pay
// only when it starts, and only the customer's node can make one: so the very
// first time btcd starts twice.
func (n *Nodes) fund(ctx context.Context) error {
	if n.mem.Mining == "" {
		if err := n.chooseMiner(ctx); err != nil {
			return err
		}
	}
	c, err := n.chainClient()
	if err != nil {
		return err
	}
	height, _, err := c.tip(ctx)
	if err != nil {
		return err
	}
	return c.generate(ctx, firstBlocks-height)
}

func (n *Nodes) chooseMiner(ctx context.Context) error {
	var a struct{ Address string }
	if err := n.cust.get(ctx, "/v1/newaddress?type=WITNESS_PUBKEY_HASH", &a); err != nil {
		return err
	}
	n.mem.Mining = a.Address
	if err := errors.Join(n.mem.keep(n.memFile()), n.writeChainConf()); err != nil {
		return err
	}
	n.chain.Stop(stopGrace)
	return n.startChain(ctx)
}

// awaitNodes waits until both nodes have read the chain.
func (n *Nodes) awaitNodes(ctx context.Context) error {
	n.progress.Detail("reading the chain")
	return n.both(func(node *Node) error { return node.child.Await(ctx, node.reached(serverActive)) })
}

// connect lets the customer's node call the shop's. Being connected already is
// fine.
func (n *Nodes) connect(ctx context.Context) error {
	key, err := n.shop.key(ctx)
	if err != nil {
		return err
	}
	in := map[string]any{"addr": map[string]string{"pubkey": key, "host": fmt.Sprintf("127.0.0.1:%d", n.mem.Shop.Peer)}}
	err = n.cust.post(ctx, "/v1/peers", in, nil)
	if r, ok := errors.AsType[*refusal](err); ok && strings.Contains(r.Message, "already connected") {
		return nil
	}
	return err
}

// openChannel waits for an active channel, and opens one when there is none.
func (n *Nodes) openChannel(ctx context.Context) error {
	open, pending, err := n.channels(ctx)
	if err != nil {
		return err
	}
	if open+pending == 0 {
		if err := n.orderChannel(ctx); err != nil {
			return err
		}
	}
	if open == 0 {
		n.progress.Detail("waiting for its blocks")
		if err := n.Mine(ctx, confirmations); err != nil {
			return err
		}
	}
	return await(ctx, "the channel", n.relink)
}

// relink fails unless the customer can pay the shop, and tries to make it so. An
// active channel is not enough: for a second or so after it opens lnd's own
// pathfinding does not know it yet and says "insufficient balance" (measured).
func (n *Nodes) relink(ctx context.Context) error {
	if err := n.cust.linked(ctx); err != nil {
		return errors.Join(err, n.connect(ctx))
	}
	key, err := n.shop.key(ctx)
	if err != nil {
		return err
	}
	return n.cust.get(ctx, "/v1/graph/routes/"+key+"/1000", nil)
}

// channels counts what is open and what waits for blocks.
func (n *Nodes) channels(ctx context.Context) (open, pending int, err error) {
	var list struct{ Channels []struct{} }
	var soon struct {
		Channels []struct{} `json:"pending_open_channels"`
	}
	err = errors.Join(n.cust.get(ctx, "/v1/channels", &list), n.cust.get(ctx, "/v1/channels/pending", &soon))
	return len(list.Channels), len(soon.Channels), err
}

// orderChannel asks for a channel as soon as the customer has the money and the
// shop takes it: lnd refuses while it is still reading the chain.
func (n *Nodes) orderChannel(ctx context.Context) error {
	n.progress.Detail("waiting for the customer's money")
	if err := await(ctx, "the customer's money", n.funded); err != nil {
		return err
	}
	key, err := n.shop.key(ctx)
	if err != nil {
		return err
	}
	raw, err := hex.DecodeString(key)
	if err != nil {
		return fmt.Errorf("read the shop's key: %w", err)
	}
	in := map[string]any{
		"node_pubkey": base64.StdEncoding.EncodeToString(raw), "local_funding_amount": channelSats, "push_sat": shopSats,
	}
	return await(ctx, "a channel", func(ctx context.Context) error { return n.cust.post(ctx, "/v1/channels", in, nil) })
}

// funded fails until the customer's node sees its money.
func (n *Nodes) funded(ctx context.Context) error {
	var b struct {
		Confirmed int64 `json:"confirmed_balance,string"`
	}
	if err := n.cust.get(ctx, "/v1/balance/blockchain", &b); err != nil {
		return err
	}
	if b.Confirmed < walletSats {
		return fmt.Errorf("the customer has %d of %d satoshis", b.Confirmed, walletSats)
	}
	return nil
}

// shopRights are what till and back office get at the shop's node, and nothing else:
// none of the five moves money out.
var shopRights = []string{
	"/lnrpc.Lightning/AddInvoice", "/lnrpc.Lightning/LookupInvoice", "/lnrpc.Lightning/GetInfo",
	"/invoicesrpc.Invoices/SubscribeSingleInvoice", "/invoicesrpc.Invoices/CancelInvoice",
}

// credential is a macaroon of shopRights. Its root key is its own, so that it can be
// revoked alone.
type credential struct{ file, rootKey string }

var (
	tillCredential   = credential{"till.macaroon", "1007"}
	officeCredential = credential{"backoffice.macaroon", "1008"}
)

// bake makes the connection strings of till and back office.
func (n *Nodes) bake(ctx context.Context) error {
	print, err := thumbprint(n.shop.certFile())
	if err != nil {
		return err
	}
	line := func(c credential, server string) (string, error) {
		m, err := n.macaroon(ctx, c)
		return fmt.Sprintf("type=lnd-rest;server=%s/;macaroon=%s;certthumbprint=%s", server, m, print), err
	}
	server := n.shop.base()
	office, err := line(officeCredential, server)
	if err != nil {
		return err
	}
	if n.tillVia != "" {
		server = "https://" + n.tillVia
	}
	till, err := line(tillCredential, server)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tillConn, n.officeConn = till, office
	return nil
}

// macaroon returns a credential's macaroon in hexadecimal. It is kept, so that it
// stays the same from start to start as long as the shop's node takes it.
func (n *Nodes) macaroon(ctx context.Context, c credential) (string, error) {
	path := filepath.Join(n.shop.dir, c.file)
	kept, _ := os.ReadFile(path) // none, or unreadable: a new one
	m := strings.TrimSpace(string(kept))
	if m != "" && n.accepts(ctx, m) {
		return m, nil
	}
	m, err := n.bakeAnew(ctx, c.rootKey)
	if err != nil {
		return "", err
	}
	return m, writeFile(path, []byte(m+"\n"))
}

// accepts reports that the shop's node answers GetInfo to a macaroon.
func (n *Nodes) accepts(ctx context.Context, macaroon string) bool {
	r, err := newRemote(n.shop.base(), n.shop.certFile())
	if err != nil {
		return false
	}
	r.header.Set("Grpc-Metadata-macaroon", macaroon)
	return r.call(ctx, http.MethodGet, "/v1/getinfo", nil, nil) == nil
}

func (n *Nodes) bakeAnew(ctx context.Context, rootKey string) (string, error) {
	type right struct {
		Entity string `json:"entity"`
		Action string `json:"action"`
	}
	var rights []right
	for _, uri := range shopRights {
		rights = append(rights, right{"uri", uri})
	}
	var out struct{ Macaroon string }
	err := n.shop.post(ctx, "/v1/macaroon", map[string]any{"permissions": rights, "root_key_id": rootKey}, &out)
	return out.Macaroon, err
}

// Mine adds count blocks to the chain.
func (n *Nodes) Mine(ctx context.Context, count int) error {
	c, err := n.chainClient()
	if err != nil {
		return err
	}
	return c.generate(ctx, count)
}
