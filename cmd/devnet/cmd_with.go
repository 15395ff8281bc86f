package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// addressVar tells a command where the control API is.
const addressVar = "TILLWRIGHT_DEVNET"

// errEnded ends the nodes when the command that they were started for has ended.
var errEnded = errors.New("the command ended")

// withNodes runs a command with the nodes ready, and everything ends with it. It
// returns what the command did.
func withNodes(ctx context.Context, n *Nodes, f nodesFlags, out, errs io.Writer) error {
	l, err := listen(f.listen)
	if err != nil {
		return err
	}
	var result error
	err = together(ctx,
		func(ctx context.Context) error { return serve(ctx, l, newAPI(n).Handler()) },
		n.Run,
		func(ctx context.Context) error {
			if !n.awaitReady(ctx) {
				return ctx.Err()
			}
			result = runCommand(ctx, f.command, "http://"+l.Addr().String(), out, errs)
			return errEnded
		})
	if errors.Is(err, errEnded) {
		return result
	}
	return err
}

func runCommand(ctx context.Context, command []string, address string, out, errs io.Writer) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), addressVar+"="+address)
	cmd.Stdout, cmd.Stderr = out, errs
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopGrace
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", command[0], err)
	}
	return nil
}
