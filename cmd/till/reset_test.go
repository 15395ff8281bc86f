package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// TestResetCommand: a till with takings that nobody else holds is not reset, unless
// they were copied; and then nothing is gone either.
func TestResetCommand(t *testing.T) {
	dir := t.TempDir()
	_, c, stop := inProcessAt(t, dir, "")
	file, data := filepath.Join(dir, "till.toml"), filepath.Join(dir, "data")
	c.found()
	if _, err := try(t, "reset", "--config", file); err == nil {
		t.Error("a running till was reset")
	}
	sale := c.ring("BRD")
	c.do("POST", "/v1/sales/"+string(sale)+"/payments", object{"tender": "cash"}, nil)
	c.wait("sold", func(v pos.View) bool { return v.Counter.LastDone != nil })
	stop()

	_, err := try(t, "reset", "--config", file)
	if err == nil || !strings.Contains(err.Error(), "1 sales (6.40 EUR) are not at head office yet") || !strings.Contains(err.Error(), "-export") {
		t.Errorf("a till with takings: %v", err)
	}
	taken := write(t, "taken.jsonl", "")
	if _, err := try(t, "reset", "--config", file, "--export", taken); err == nil {
		t.Error("an export overwrote a file")
	}
	if _, err := os.Stat(filepath.Join(data, "till.key")); err != nil {
		t.Fatalf("refused, and yet: %v", err)
	}
	before := good(t, "export", "--config", file)
	stick := filepath.Join(t.TempDir(), "till.jsonl")
	out := good(t, "reset", "--config", file, "--export", stick)
	if text, err := os.ReadFile(stick); err != nil || !strings.HasPrefix(string(text), before) {
		t.Errorf("the copy lacks records: %v", err)
	}
	aside, err := filepath.Glob(data + ".*")
	if err != nil || len(aside) != 1 || !strings.Contains(out, aside[0]) {
		t.Errorf("set aside: %v, printed %q", aside, out)
	}
	if _, err := os.Stat(filepath.Join(aside[0], "till.key")); err != nil {
		t.Error(err)
	}

	_, c, stop = inProcessAt(t, dir, "") // a new till, with nobody in it
	c.found()
	stop()
	good(t, "reset", "--config", file) // it has sold nothing: nothing to lose
	if _, err := try(t, "reset", "--config", file); err == nil {
		t.Error("nothing there, and reset")
	}
}

// payments are what a ledger would say.
type payments struct{ watched, refunds []pos.Payment }

func (p payments) Watched() ([]pos.Payment, error) { return p.watched, nil }
func (p payments) Refunds() ([]pos.Payment, error) { return p.refunds, nil }

// TestHeldAlone names what a reset would leave nobody with.
func TestHeldAlone(t *testing.T) {
	one := func(s pos.State) []pos.Payment { return []pos.Payment{{State: s}} }
	for _, tt := range []struct {
		name string
		l    payments
		want string
	}{
		{"nothing", payments{}, ""},
		{"a wish", payments{watched: one(pos.Intended)}, ""},
		{"a payment in doubt", payments{watched: one(pos.Unknown)}, "not known"},
		{"a debt to a customer", payments{refunds: one(pos.Settled)}, "nobody has decided"},
	} {
		if got, err := heldAlone(pos.Books{}, tt.l); err != nil || (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
}
