package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestRunCommand runs a command as one with nodes is run: it learns the address,
// its output comes through, and how it ended is told.
func TestRunCommand(t *testing.T) {
	var out, errs bytes.Buffer
	err := runCommand(t.Context(), []string{"sh", "-c", "echo at $TILLWRIGHT_DEVNET; echo oops >&2"}, "http://127.0.0.1:9", &out, &errs)
	if err != nil || out.String() != "at http://127.0.0.1:9\n" || errs.String() != "oops\n" {
		t.Errorf("got %v, %q, %q", err, out.String(), errs.String())
	}
	err = runCommand(t.Context(), []string{"sh", "-c", "exit 3"}, "", &out, &errs)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("a command that failed: %v", err)
	}
}
