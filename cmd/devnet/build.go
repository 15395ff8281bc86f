package main

import (
	"bufio"
	"bytes"
	"context"
	"debug/buildinfo"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The versions of the nodes are those of this module. Its two files travel in the
// binary, so that devnet builds the same nodes wherever it runs.
var (
	//go:embed go.mod
	goMod []byte
	//go:embed go.sum
	goSum []byte

	// geth has a module of its own: its dependencies and lnd's are not to bend each other.
	//go:embed evm/geth.mod
	gethMod []byte
	//go:embed evm/geth.sum
	gethSum []byte
)

// buildTags are lnd's optional REST and RPC services: invoices and router are
// what a shop needs; the others are what lnd's releases carry too. Part of the
// build cache's key: other tags mean other minutes of compiling.
const buildTags = "invoicesrpc signrpc walletrpc chainrpc routerrpc peersrpc"

// Tool is a node's program, by the path of its main package, and the module that
// says in which version it is built.
type Tool struct {
	Name, Package, Module string
	tags                  string
	mod, sum              []byte
}

// The two programs of the nodes. Their command lines, btcctl and lncli, are tools
// of the module as well: go tool lncli.
var (
	btcd = Tool{"btcd", "github.com/btcsuite/btcd", "github.com/btcsuite/btcd", buildTags, goMod, goSum}
	lnd  = Tool{"lnd", "github.com/lightningnetwork/lnd/cmd/lnd", "github.com/lightningnetwork/lnd", buildTags, goMod, goSum}
)

// geth is a second kind of EVM, for the nightly tests.
var geth = Tool{"geth", "github.com/ethereum/go-ethereum/cmd/geth", "github.com/ethereum/go-ethereum", "", gethMod, gethSum}

// Builder provides the nodes' programs.
type Builder struct {
	Bin  string            // where they lie, or shall lie
	Work string            // scratch directory for the module's two files
	Tell func(text string) // takes how far a build is: "412 of 803 packages"
}

// Ensure returns the path of a tool of exactly this module's version, building it
// when Bin has none. A build of lnd takes minutes, once; then Go's cache has it.
func (b Builder) Ensure(ctx context.Context, t Tool) (string, error) {
	path := filepath.Join(b.Bin, t.Name)
	if t.fits(path) {
		return path, nil
	}
	if err := b.prepare(t); err != nil {
		return "", err
	}
	total, err := b.stale(ctx, t)
	if err != nil {
		return "", err
	}
	// Into a new file and renamed: a build cut off while it copies leaves nothing
	// that looks like a program.
	fresh := path + ".new"
	if err := b.compile(ctx, t, fresh, total); err != nil {
		return "", err
	}
	if !t.fits(fresh) {
		return "", fmt.Errorf("build %s: the result is not version %s", t.Name, t.version())
	}
	if err := os.Rename(fresh, path); err != nil {
		return "", fmt.Errorf("build %s: %w", t.Name, err)
	}
	return path, nil
}

// fits reports that a file is this tool in this module's version.
func (t Tool) fits(path string) bool {
	info, err := buildinfo.ReadFile(path)
	return err == nil && info.Path == t.Package && info.Main.Version == t.version()
}

// version returns what go.mod says of the tool's module.
func (t Tool) version() string {
	for line := range bytes.Lines(t.mod) {
		f := strings.Fields(strings.TrimPrefix(string(line), "require "))
		if len(f) > 1 && f[0] == t.Module {
			return f[1]
		}
	}
	return ""
}

// prepare lays out a module that names the tools.
func (b Builder) prepare(t Tool) error {
	return errors.Join(
		os.MkdirAll(b.Work, 0o700), os.MkdirAll(b.Bin, 0o700),
		writeFile(filepath.Join(b.Work, "go.mod"), t.mod),
		writeFile(filepath.Join(b.Work, "go.sum"), t.sum))
}

// stale counts the packages that have to be compiled. It fetches their source
// first when Go has not got it yet.
func (b Builder) stale(ctx context.Context, t Tool) (int, error) {
	n, modules := 0, 0
	err := b.goCommand(ctx, []string{"list", "-deps", "-f", "{{if .Stale}}stale{{end}}", "-trimpath", "-tags", t.tags, t.Package},
		func(line string) {
			if line == "stale" {
				n++
			}
		}, func(line string) {
			if strings.HasPrefix(line, "go: downloading ") {
				modules++
				b.Tell(fmt.Sprintf("fetching source, %d modules so far", modules))
			}
		})
	return n, err
}

// compile builds the tool and tells how many packages are through. go build -v
// names each package as it begins with it, and nothing while it links.
func (b Builder) compile(ctx context.Context, t Tool, path string, total int) error {
	n := 0
	tell := func() {
		if n+1 < total {
			b.Tell(fmt.Sprintf("%d of %d packages", n, total))
		} else {
			b.Tell("linking")
		}
	}
	tell()
	return b.goCommand(ctx, []string{"build", "-v", "-o", path, "-trimpath", "-tags", t.tags, t.Package},
		func(string) {}, func(line string) {
			if !strings.HasPrefix(line, "go: ") {
				n++
				tell()
			}
		})
}

// goLines is how many lines of the go command's own words an error carries.
const goLines = 8

// goCommand runs the go command in Work and hands over its lines as they come.
// When ctx ends it and its compilers are stopped.
func (b Builder) goCommand(ctx context.Context, args []string, out, errs func(string)) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.Work
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	ownGroup(cmd)
	cmd.Cancel = func() error { signalGroup(cmd.Process.Pid, syscall.SIGTERM); return nil }
	cmd.WaitDelay = 3 * time.Second // compilers end at once; their pipes close with them
	var last []string
	o, e := newLines(out), newLines(func(line string) {
		if last = append(last, line); len(last) > goLines {
			last = last[1:]
		}
		errs(line)
	})
	cmd.Stdout, cmd.Stderr = o, e
	err := cmd.Start()
	if err == nil {
		lowerGroup(cmd.Process.Pid)
		err = cmd.Wait()
	}
	o.close()
	e.close()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("the go command is needed to build the nodes, and is not on the PATH")
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("go %s: %w:\n    %s", args[0], err, strings.Join(last, "\n    "))
	}
	return nil
}

// lines calls back once per line written to it.
type lines struct {
	*io.PipeWriter
	done chan struct{}
}

func newLines(each func(string)) lines {
	r, w := io.Pipe()
	l := lines{w, make(chan struct{})}
	go func() {
		defer close(l.done)
		s := bufio.NewScanner(r)
		for s.Scan() {
			each(s.Text())
		}
		_, _ = io.Copy(io.Discard, r) // after a line beyond all measure
	}()
	return l
}

// close returns when the last line was handed over.
func (l lines) close() {
	_ = l.PipeWriter.Close()
	<-l.done
}
