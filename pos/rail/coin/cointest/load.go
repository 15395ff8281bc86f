package cointest

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// CPU returns what this process has taken of it.
func CPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Bubble runs a part of a benchmark in a bubble: synctest takes tests only.
func Bubble(b *testing.B, body func(t testing.TB)) {
	b.Helper()
	ok := testing.RunTests(func(_, _ string) (bool, error) { return true, nil }, []testing.InternalTest{{
		Name: b.Name(), F: func(t *testing.T) { synctest.Test(t, func(t *testing.T) { body(t) }) },
	}})
	if !ok {
		b.Fatal("the load failed")
	}
}
