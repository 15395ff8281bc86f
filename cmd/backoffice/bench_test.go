package main

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

// BenchmarkDrain delivers 10,000 sales, with all the records that belong to them,
// from an outbox over HTTP into a backoffice with SQLite on this computer's disk:
// what a till does after weeks without a line. To hold: 10 s. Beside the time it
// reports the processor time of both ends together, which does not depend on what
// else the computer does.
func BenchmarkDrain(b *testing.B) {
	const sales = 10_000
	midnight := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for round := uint64(1); b.Loop(); round++ {
		b.StopTimer()
		s := openShop(b, configure(b, ""))
		till := tilltest.New(round, fmt.Sprintf("%02d", round), "EUR", midnight)
		till.Day(midnight, sales)
		far := s.enrol(till, "")
		before := processor()
		b.StartTimer()
		deliver(b, till, far)
		b.StopTimer()
		b.ReportMetric((processor() - before).Seconds(), "cpu-s/op")
		b.ReportMetric(float64(len(till.Records())), "records/op")
		if err := s.stop(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// processor is the processor time that this process used so far.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
