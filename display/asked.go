package display

import (
	"reflect"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// restFor is how long nobody must have typed before a still panel shows an entry: each
// of its pictures takes about half a second, so it shows steps at once and numbers
// when they are whole.
const restFor = 700 * time.Millisecond

// counter is what the cashier is asked. The Display's lock guards it.
type counter struct {
	prompt  pos.Prompt
	number  uint64        // rises with every prompt
	step    uint64        // rises with every prompt that is more than a digit
	at      time.Time     // when the newest came
	changed chan struct{} // closed with the next one
}

// Prompt makes p what the cashier is asked, on panels that show it. It never blocks
// and draws nothing itself; the customer's picture does not change by it. The caller
// must not change what p refers to.
func (d *Display) Prompt(p pos.Prompt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &d.counter
	if reflect.DeepEqual(p, c.prompt) {
		return
	}
	if stepOf(p) != stepOf(c.prompt) {
		c.step++
	}
	c.prompt, c.at = p, time.Now()
	c.number++
	for f := range d.frames {
		if f.shows == ShowsCashier || f.shows == ShowsBoth {
			delete(d.frames, f)
		}
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// step is what a prompt says apart from what is being typed.
type step struct {
	kind          pos.PromptKind
	sum           pos.PromptRow
	at            int
	rows, choices int
	who, trouble  string
	yields        bool
}

func stepOf(p pos.Prompt) step {
	return step{p.Kind, p.Sum, p.At, len(p.Rows), len(p.Choices), p.Who, p.Trouble, p.Yields}
}

// showsOf returns whom display i is for.
func (d *Display) showsOf(i int) Shows {
	if i < len(d.shows) && d.shows[i] != "" {
		return d.shows[i]
	}
	return ShowsCustomer
}

// news returns the channels that tell a screen of something new: of the customer's
// picture, and of the cashier's prompt. One that does not concern it is nil.
func (d *Display) news(shows Shows) (changed, asked <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if shows != ShowsCashier {
		changed = d.changed
	}
	if shows != ShowsCustomer {
		asked = d.counter.changed
	}
	return changed, asked
}

// moment tells apart what a still panel shows: which scene, whether its time is up,
// and what the cashier is asked.
type moment struct {
	scene uint64
	over  bool
	step  uint64
	typed uint64 // number of the prompt that was shown last
}

func (d *Display) moment(s *screen) moment {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := moment{}
	if s.shows != ShowsCashier {
		m.scene, m.over = d.scenes, !d.until.IsZero() && time.Until(d.until) <= 0
	}
	if s.shows == ShowsCustomer {
		return m
	}
	m.step, m.typed = d.counter.step, s.moment.typed
	if m.step != s.moment.step || time.Since(d.counter.at) >= restFor {
		m.typed = d.counter.number
	}
	return m
}

// rest returns how long a still panel waits with what was typed; 0: it shows the
// newest.
func (d *Display) rest(s *screen) time.Duration {
	if !s.glass.Still || s.shows == ShowsCustomer {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if s.moment.typed == d.counter.number {
		return 0
	}
	return max(restFor-time.Since(d.counter.at), time.Millisecond)
}
