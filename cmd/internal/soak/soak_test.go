package soak

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	points = flag.Int("soak.points", 1200, "crash points to try, at least")
	within = flag.Duration("soak.within", 5*time.Minute, "time after which no further day is begun")
	told   = flag.Int("soak.lies", 240, "crash points on storage that lies")
	seed   = flag.Uint64("soak.seed", 1, "first day; the others follow")
)

// workers is how many days are lived side by side.
const workers = 2

// tally counts, over all days.
type tally struct {
	mu        sync.Mutex
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

// TestSoak is the soak.
func TestSoak(t *testing.T) {
	want := *points
	if testing.Short() {
		want = min(want, 200)
	}
	sum, begun := newTally(), time.Now()
	var next sync.Mutex
	day := *seed
	t.Run("days", func(t *testing.T) {
		for w := range workers {
			t.Run(fmt.Sprint("worker ", w), func(t *testing.T) {
				t.Parallel()
				dir := workDir(t)
				for sum.points() < want && time.Since(begun) < *within && !t.Failed() {
					next.Lock()
					s := day
					day++
					next.Unlock()
					synctest.Test(t, func(t *testing.T) { soak(t, dir, s, sum, want) })
				}
			})
		}
	})
	sum.print(t, time.Since(begun), want)
}

// depth is how many crashes in a row are tried: one in a day, then one in the
// recovery from it, then one in the recovery from that.
const depth = 2

// soak lives a day and crashes it at every call.
func soak(t *testing.T, dir string, seed uint64, sum *tally, want int) {
	d := live(t, dir, seed, 8+int(seed%9))
	sum.with(func() { sum.days[d.kind]++ })
	rnd := rand.New(rand.NewPCG(seed, 1))
	for _, s := range d.stills {
		for _, how := range hows {
			if sum.points() >= want || t.Failed() {
				return
			}
			deep := 0
			if rnd.IntN(12) == 0 {
				deep = 1 + rnd.IntN(depth)
			}
			c := &crash{d: d, at: s, disk: how.crash(s.disk, rnd.Uint64()), index: d.indexAt(s.calls, rnd), how: how.name, depth: deep, rnd: rnd, tally: sum}
			c.try(t)
		}
	}
}

// print shows the table.
func (t *tally) print(tb testing.TB, took time.Duration, want int) {
	tb.Logf("points tried %d (%d of them in a recovery; %d asked for), records confirmed %d, lost %d, doubled %d, %v",
		t.tried, t.recovery, want, t.confirmed, t.lost, t.doubled, took.Round(time.Second))
	for kind, n := range t.days {
		tb.Logf("  days: %-34s %d", kind, n)
	}
	for kind, n := range t.indexes {
		tb.Logf("  index: %-33s %d", kind, n)
	}
}
