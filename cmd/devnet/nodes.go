package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Nodes is the chain and the two Lightning nodes on it.
type Nodes struct {
	dir      string
	bin      string
	progress *Progress
	report   func(string)

	mem        memory
	pass       string
	chain      *Child
	shop, cust *Node

	// tillVia is the host and port under which the till finds the shop's node; "" for
	// the node's own. Set before Run.
	tillVia string

	mu                   sync.Mutex
	tillConn, officeConn string // connection strings; "" until they are ready
}

// NewNodes makes the nodes that live under dir. bin is where their programs lie
// or shall be built. report takes messages for the console. Nothing runs yet.
func NewNodes(dir, bin string, p *Progress, report func(string)) (*Nodes, error) {
	n := &Nodes{dir: dir, bin: bin, progress: p, report: report}
	for _, d := range []string{"run", "log", "chain", "shop", "customer"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, fmt.Errorf("make the nodes' directory: %w", err)
		}
	}
	var err error
	if n.mem, err = recall(n.memFile()); err != nil {
		return nil, err
	}
	if n.pass, err = secret(filepath.Join(dir, "chain", "rpc-password"), 16); err != nil {
		return nil, err
	}
	n.chain = n.childOf("btcd", "btcd", "--configfile="+filepath.Join(dir, "chain", "btcd.conf"))
	n.shop = n.node("shop", &n.mem.Shop)
	n.cust = n.node("customer", &n.mem.Customer)
	return n, nil
}

func (n *Nodes) memFile() string { return filepath.Join(n.dir, "nodes.json") }

func (n *Nodes) node(name string, p *nodePorts) *Node {
	dir := filepath.Join(n.dir, name)
	return &Node{name: name, dir: dir, ports: p, child: n.childOf("lnd-"+name, "lnd", "--lnddir="+dir)}
}

func (n *Nodes) childOf(name, tool string, args ...string) *Child {
	return NewChild(Spec{Name: name, Path: filepath.Join(n.bin, tool), Args: args, Dir: n.dir}, n.report)
}

// Build provides the two programs.
func (n *Nodes) Build(ctx context.Context) error {
	for i, t := range []Tool{btcd, lnd} {
		n.progress.Step(fmt.Sprintf("building %s %d/4", t.Name, i+1))
		b := Builder{Bin: n.bin, Work: filepath.Join(n.dir, "build"), Tell: n.progress.Detail}
		if _, err := b.Ensure(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// How the set-up deals with its own failures: a port taken in the instant between
// choosing and using it is worth another try, a full disk is not worth ten.
const (
	setUpTries = 3
	setUpPause = 2 * time.Second
	setUpLimit = 5 * time.Minute // of one try; 15 s on two cores of a small server
)

// Run builds the programs, brings the nodes up, and keeps them linked and the
// chain moving until ctx ends. It then stops what it started. It returns nil
// after ctx ended, or the reason why the nodes cannot be brought up.
func (n *Nodes) Run(ctx context.Context) error {
	defer n.stop()
	err := n.Build(ctx)
	for try := 1; err == nil; try++ {
		one, cancel := context.WithTimeoutCause(ctx, setUpLimit, errors.New("it took too long"))
		err = n.setUp(one)
		cancel()
		if err == nil {
			n.progress.Ready()
			return n.keep(ctx)
		}
		if try == setUpTries || ctx.Err() != nil {
			break
		}
		n.report(fmt.Sprintf("the nodes are started once more: %v", err))
		n.stop()
		select {
		case <-ctx.Done():
		case <-time.After(setUpPause):
		}
		err = nil
	}
	if ctx.Err() != nil {
		return nil
	}
	n.progress.Trouble(err.Error())
	return err
}

// stop ends the nodes, those that use the chain before the chain.
func (n *Nodes) stop() {
	var wg sync.WaitGroup
	for _, c := range []*Child{n.shop.child, n.cust.child} {
		wg.Go(func() { c.Stop(stopGrace) })
	}
	wg.Wait()
	n.chain.Stop(stopGrace)
}

// TillConnection returns the till's connection string, or "" before it exists.
func (n *Nodes) TillConnection() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.tillConn
}

// OfficeConnection returns the back office's connection string, or "" before it
// exists.
func (n *Nodes) OfficeConnection() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.officeConn
}

// ShopREST returns where the shop's node takes calls, host and port, or "" before it
// is ready.
func (n *Nodes) ShopREST() string {
	if s, _ := n.progress.Now(); !s.Ready {
		return ""
	}
	return fmt.Sprintf("127.0.0.1:%d", n.shop.ports.REST)
}

const (
	linkEvery  = time.Second      // how soon a restarted node has its channel again
	blockEvery = 10 * time.Minute // as on the real chain
	// staleTip is the age from which on a tip gets a successor before the nodes
	// start: at 2 hours lnd takes its chain for not synced, at 24 btcd does.
	staleTip = 30 * time.Minute
)

// keep links the nodes again when one of them was away, and mines.
func (n *Nodes) keep(ctx context.Context) error {
	link, block := time.NewTicker(linkEvery), time.NewTicker(blockEvery)
	defer link.Stop()
	defer block.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-link.C:
			if n.shop.child.Running() && n.cust.child.Running() && n.cust.linked(ctx) != nil {
				_ = n.connect(ctx) // the next tick tries again
			}
		case <-block.C:
			if err := n.Mine(ctx, 1); err != nil && ctx.Err() == nil && n.chain.Running() {
				n.report(fmt.Sprintf("no new block: %v", err))
			}
		}
	}
}

// awaitReady returns true when the nodes are ready, false when ctx ended first.
func (n *Nodes) awaitReady(ctx context.Context) bool { return n.progress.await(ctx) }
