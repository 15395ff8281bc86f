package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// builder returns one whose go command is the test binary playing how.
func builder(t *testing.T, how string) (Builder, *words) {
	t.Helper()
	dir, told := t.TempDir(), newWords()
	link(t, dir, "go")
	t.Setenv("PATH", dir)
	t.Setenv("FAKE_GO", how)
	return Builder{Bin: filepath.Join(dir, "bin"), Work: filepath.Join(dir, "work"), Tell: told.say}, told
}

// Goal: the progress of a build is counted in packages, downloads apart, and what
// comes out is not taken for the tool unless it is the tool.
func TestBuildTells(t *testing.T) {
	b, told := builder(t, "ok")
	_, err := b.Ensure(t.Context(), lnd)
	if err == nil || !strings.Contains(err.Error(), "the result is not version v0.21.1-beta") {
		t.Errorf("got %v", err)
	}
	want := "fetching source, 1 modules so far\n0 of 3 packages\n1 of 3 packages\nlinking\nlinking\n"
	if told.String() != want {
		t.Errorf("it told\n%s", told)
	}
	if _, err := os.Stat(filepath.Join(b.Bin, "lnd")); err == nil {
		t.Error("something that is no lnd stands where lnd belongs")
	}
	mod, err := os.ReadFile(filepath.Join(b.Work, "go.mod"))
	if err != nil || string(mod) != string(goMod) {
		t.Errorf("the build's go.mod is not this module's: %v", err)
	}
}

func TestBuildFails(t *testing.T) {
	b, _ := builder(t, "fail")
	_, err := b.Ensure(t.Context(), btcd)
	if err == nil || !strings.Contains(err.Error(), "no space left on device") || strings.Count(err.Error(), "\n") > goLines {
		t.Errorf("got %v, want the end of what go said", err)
	}
}

func TestBuildWithoutGo(t *testing.T) {
	b, _ := builder(t, "ok")
	t.Setenv("PATH", t.TempDir())
	if _, err := b.Ensure(t.Context(), btcd); err == nil || !strings.Contains(err.Error(), "not on the PATH") {
		t.Errorf("got %v", err)
	}
}

// Goal: Ctrl-C ends a build at once.
func TestBuildCancelled(t *testing.T) {
	b, told := builder(t, "hang")
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	go func() {
		told.await(t, "packages")
		cancel(stop)
	}()
	if _, err := b.Ensure(ctx, btcd); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

// Goal: a program of another module, version or make is built anew.
func TestToolFits(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "lnd")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{self, text, text + "-none"} {
		if lnd.fits(path) {
			t.Errorf("%s passes for lnd", path)
		}
	}
	if lnd.version() != "v0.21.1-beta" || !strings.HasPrefix(btcd.version(), "v0.25.1-") {
		t.Errorf("go.mod says lnd %q and btcd %q", lnd.version(), btcd.version())
	}
	if bin := os.Getenv("TILLWRIGHT_BIN"); bin != "" {
		if !lnd.fits(filepath.Join(bin, "lnd")) || !btcd.fits(filepath.Join(bin, "btcd")) || lnd.fits(filepath.Join(bin, "btcd")) {
			t.Error("the programs of TILLWRIGHT_BIN are not recognised")
		}
	}
}
