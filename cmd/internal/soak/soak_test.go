package soak

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var (
	points = flag.Int("soak.points", 1200, "crash points to try, at least")
	within = flag.Duration("soak.within", 5*time.Minute, "time after which no more is tried, however few that were")
	told   = flag.Int("soak.lies", 240, "crash points on storage that lies")
	seed   = flag.Uint64("soak.seed", 1, "first day; the others follow")
)

// workers is how many days are lived side by side.
const workers = 2

// tally counts, over all days.
type tally struct {
	want  int
	begun time.Time
	late  atomic.Bool // the time is up

	mu        sync.Mutex
	next      uint64 // day
	days      map[string]int
	tried     int
	recovery  int // of them in the middle of a recovery
	indexes   map[string]int
	confirmed int // records promised, summed over all points
	lost      int
	doubled   int
}

func newTally() *tally { return &tally{days: map[string]int{}, indexes: map[string]int{}} }

func (t *tally) with(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f()
}

func (t *tally) point(c *crash) {
	t.with(func() {
		t.tried++
		t.indexes[c.index.kind]++
		if c.nested {
			t.recovery++
		}
	})
}

func (t *tally) confirm(n int) { t.with(func() { t.confirmed += n }) }
func (t *tally) lose()         { t.with(func() { t.lost++ }) }
func (t *tally) double()       { t.with(func() { t.doubled++ }) }

func (t *tally) points() (n int) {
	t.with(func() { n = t.tried })
	return n
}

// day returns the seed of the next day.
func (t *tally) day() (seed uint64) {
	t.with(func() { seed, t.next = t.next, t.next+1 })
	return seed
}

// enough says that no more is to be tried.
func (t *tally) enough() bool { return t.points() >= t.want || t.late.Load() }

// TestSoak is the soak.
func TestSoak(t *testing.T) {
	want := *points
	if testing.Short() {
		want = min(want, 200)
	}
	sum := newTally()
	sum.want, sum.begun, sum.next = want, time.Now(), *seed
	defer time.AfterFunc(*within, func() { sum.late.Store(true) }).Stop()
	t.Run("days", func(t *testing.T) {
		for w := range workers {
			t.Run(fmt.Sprint("worker ", w), func(t *testing.T) {
				t.Parallel()
				dir := workDir(t)
				for !sum.enough() && !t.Failed() {
					s := sum.day()
					synctest.Test(t, func(t *testing.T) { soak(t, dir, s, sum) })
				}
			})
		}
	})
	sum.print(t)
}

// depth is how many crashes in a row are tried: one in a day, then one in the
// recovery from it, then one in the recovery from that.
const depth = 2

// soak lives a day and crashes it at every call.
func soak(t *testing.T, dir string, seed uint64, sum *tally) {
	d := live(t, dir, seed, 3+int(seed%7))
	sum.with(func() { sum.days[d.kind]++ })
	rnd := rand.New(rand.NewPCG(seed, 1))
	for i, s := range d.stills {
		for _, how := range d.hows() {
			if sum.enough() || t.Failed() {
				return
			}
			deep := 0
			if ended := d.kind == diskFails && i >= len(d.stills)-2; ended || rnd.IntN(12) == 0 {
				deep = 1 + rnd.IntN(depth)
			}
			c := &crash{d: d, at: s, disk: how.crash(s.disk, rnd.Uint64()), index: d.indexAt(s.calls, rnd), how: how.name, depth: deep, rnd: rnd, tally: sum}
			c.try(t)
		}
	}
}

// print shows the table.
func (t *tally) print(tb testing.TB) {
	tb.Logf("points tried %d (asked for %d), records confirmed %d, lost %d, doubled %d", t.tried, t.want, t.confirmed, t.lost, t.doubled)
	tb.Logf("  of them in the middle of a recovery %d; took %v", t.recovery, time.Since(t.begun).Round(time.Second))
	for _, part := range []struct {
		name string
		n    map[string]int
	}{{"days lived", t.days}, {"the index", t.indexes}} {
		for _, kind := range slices.Sorted(maps.Keys(part.n)) {
			tb.Logf("  %-11s %-34s %7d", part.name, kind, part.n[kind])
		}
	}
}
