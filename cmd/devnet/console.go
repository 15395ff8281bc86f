package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// console writes for a person: lines that stay, and one line of progress that on
// a terminal rewrites itself.
type console struct {
	mu   sync.Mutex
	w    io.Writer
	live bool   // a terminal
	last string // the line that can be rewritten
}

func newConsole(w io.Writer) *console {
	c := &console{w: w}
	if f, ok := w.(*os.File); ok {
		i, err := f.Stat()
		c.live = err == nil && i.Mode()&os.ModeCharDevice != 0
	}
	return c
}

// Line prints a line that stays.
func (c *console) Line(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wipe()
	fmt.Fprintln(c.w, text)
}

// wipe takes the line of progress away.
func (c *console) wipe() {
	if c.last != "" {
		fmt.Fprint(c.w, "\r\x1b[K")
		c.last = ""
	}
}

// show makes text the line of progress; without a terminal it is a line.
func (c *console) show(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wipe()
	if !c.live {
		fmt.Fprintln(c.w, text)
		return
	}
	fmt.Fprint(c.w, text)
	c.last = text
}

// On a terminal the running minutes move each second; in a log file a line every
// fifteen seconds is enough.
const (
	liveEvery = time.Second
	logEvery  = 15 * time.Second
)

// follow shows the progress until the returned function is called or it is ready.
func (c *console) follow(p *Progress) (stop func()) {
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		c.followUntil(p, end)
	}()
	return sync.OnceFunc(func() { close(end); <-done })
}

func (c *console) followUntil(p *Progress, end chan struct{}) {
	every := logEvery
	if c.live {
		every = liveEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	step, trouble := "", ""
	for ticked := false; ; {
		s, changed := p.Now()
		if s.Step != step && step != "" && c.live {
			c.Line("  " + step + ", done")
		}
		if s.Ready {
			return
		}
		// In a log file: each step, each trouble, and a sign of life in between.
		if c.live || s.Step != step || s.Trouble != trouble || ticked && s.Trouble == "" {
			c.show("  " + s.String() + c.elapsed(s))
		}
		step, trouble, ticked = s.Step, s.Trouble, false
		select {
		case <-end:
			c.mu.Lock()
			c.wipe()
			c.mu.Unlock()
			return
		case <-tick.C:
			ticked = true
		case <-changed:
		}
	}
}

// elapsed says how long a step has been running, once that is worth saying.
func (c *console) elapsed(s Status) string {
	d := time.Since(s.Since).Round(time.Second)
	if d < 10*time.Second {
		return ""
	}
	return fmt.Sprintf(" (%v)", d)
}
