package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Chains is the two Ethereum-like chains of the shop, and their operators: what a
// till asks is an operator, never a chain itself.
type Chains struct {
	dir       string
	tree      string // the source tree, whose program fetches anvil; "": there are no chains
	report    func(string)
	progress  *Progress
	operators []*operator // of all chains; there before the chains are

	mu     sync.Mutex
	chains []*evmChain // nil until all are ready
}

// NewChains makes the chains that live under dir. Nothing runs yet.
func NewChains(dir, tree string, report func(string)) *Chains {
	c := &Chains{dir: dir, tree: tree, report: report, progress: NewProgress()}
	for _, p := range places {
		for n := range p.Operators {
			c.operators = append(c.operators, &operator{place: p, letter: string('A' + rune(n)), chain: c.chain, mode: opHonest})
		}
	}
	return c
}

// chain returns a running chain by its key, nil while there is none.
func (c *Chains) chain(key string) *evmChain {
	for _, k := range c.ready() {
		if k.Key == key {
			return k
		}
	}
	return nil
}

// ready returns the chains, none until all are.
func (c *Chains) ready() []*evmChain {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.chains
}

// operator returns a chain's operator by its letter, nil when there is none.
func (c *Chains) operator(chain, letter string) *operator {
	for _, o := range c.operators {
		if o.Key == chain && o.letter == letter {
			return o
		}
	}
	return nil
}

// urlFile is where an operator's address is written for the till.
func urlFile(cafe string, o *operator) string {
	return filepath.Join(cafe, fmt.Sprintf("%s-%s.url", o.Key, strings.ToLower(o.letter)))
}

// connect writes the operators' addresses for the till. at is the host and port
// under which it reaches them.
func (c *Chains) connect(cafe, at string) error {
	var errs []error
	for _, o := range c.operators {
		errs = append(errs, writeFile(urlFile(cafe, o), []byte("http://"+at+o.path()+"\n")))
	}
	return errors.Join(errs...)
}

const (
	// chainsLimit bounds the chains' start, without the fetching: five blocks or so.
	chainsLimit = 2 * time.Minute
	// fetchLimit bounds the fetching: 60 MB over a slow line.
	fetchLimit = 15 * time.Minute
)

// Run fetches anvil if it is not there, brings the chains up, and keeps them until
// ctx ends. It returns nil after ctx ended, or the reason why there are none.
func (c *Chains) Run(ctx context.Context) error {
	chains, err := c.make(ctx)
	if err == nil {
		defer stopAll(chains)
		err = c.startAll(ctx, chains)
	}
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		c.progress.Trouble(err.Error())
		return err
	}
	c.mu.Lock()
	c.chains = chains
	c.mu.Unlock()
	c.progress.Ready()
	<-ctx.Done()
	return nil
}

// make provides the program, and the chains that it will run.
func (c *Chains) make(ctx context.Context) ([]*evmChain, error) {
	c.progress.Step("fetching the chains’ program")
	anvil, err := c.anvil(ctx)
	if err != nil {
		return nil, err
	}
	var out []*evmChain
	for _, p := range places {
		chain, err := newEVMChain(p, anvil, c.dir, c.report)
		if err != nil {
			return nil, err
		}
		out = append(out, chain)
	}
	return out, nil
}

func (c *Chains) startAll(ctx context.Context, chains []*evmChain) error {
	c.progress.Step("starting the chains")
	ctx, cancel := context.WithTimeoutCause(ctx, chainsLimit, errors.New("it took too long"))
	defer cancel()
	errs := make([]error, len(chains))
	var wg sync.WaitGroup
	for i, k := range chains {
		wg.Go(func() { errs[i] = k.start(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func stopAll(chains []*evmChain) {
	var wg sync.WaitGroup
	for _, k := range chains {
		wg.Go(func() { k.child.Stop(stopGrace) })
	}
	wg.Wait()
}

// installer is the program of the source tree that brings anvil, in the version of
// its lock file.
const installer = "./pos/rail/evm/contracts/install"

// anvil returns the chains' program. The installer leaves alone what is there already.
func (c *Chains) anvil(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, fetchLimit, errors.New("fetching took too long"))
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "run", installer)
	cmd.Dir = c.tree
	cmd.Env = append(os.Environ(), "GOWORK=off")
	ownGroup(cmd)
	cmd.Cancel = func() error { signalGroup(cmd.Process.Pid, syscall.SIGTERM); return nil }
	cmd.WaitDelay = 3 * time.Second
	var out, errs bytes.Buffer
	told := newLines(func(line string) { c.tell(&errs, line) })
	cmd.Stdout, cmd.Stderr = &out, told
	err := cmd.Run()
	told.close()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", errors.New("the go command is needed to fetch the chains’ program, and is not on the PATH")
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "", errors.New(firstLine(errs.String()))
	}
	path := filepath.Join(lastLine(out.String()), "node_modules", "@foundry-rs", "anvil-"+runtime.GOOS+"-"+runtime.GOARCH, "bin", "anvil")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("there is no anvil for %s on %s", runtime.GOOS, runtime.GOARCH)
	}
	return path, nil
}

// fetching is what people read while the installer works.
const fetching = "anvil, which runs the networks of stablecoins, by npm (about 60 MB, once)"

// tell says that the installer has something to do, and keeps its other words for an
// error.
func (c *Chains) tell(errs *bytes.Buffer, line string) {
	if strings.HasPrefix(line, "installing ") {
		c.progress.Detail(fetching)
		c.report("Fetching " + fetching + ".")
		return
	}
	fmt.Fprintln(errs, line)
}

func firstLine(s string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return first
}

func lastLine(s string) (last string) {
	for scan := bufio.NewScanner(strings.NewReader(s)); scan.Scan(); {
		last = scan.Text()
	}
	return strings.TrimSpace(last)
}
