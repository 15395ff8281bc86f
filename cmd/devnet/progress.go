package main

import (
	"context"
	"sync"
	"time"
)

// Status says how far the nodes are. The newest replaces all older ones.
type Status struct {
	Ready   bool      `json:"ready"`
	Step    string    `json:"step"`              // "building lnd 2/4"
	Detail  string    `json:"detail,omitempty"`  // "412 of 803 packages"
	Since   time.Time `json:"since"`             // when the step began
	Trouble string    `json:"trouble,omitempty"` // what a person must do; the step does not go on
}

// String is one line for people.
func (s Status) String() string {
	text := s.Step
	if s.Detail != "" {
		text += ", " + s.Detail
	}
	if s.Trouble != "" {
		text += ": " + s.Trouble
	}
	return text
}

// Progress is where the nodes' set-up says what it does, and where console, page
// and connection file read it. Safe for concurrent use; nobody waits for a reader.
type Progress struct {
	mu      sync.Mutex
	now     Status
	changed chan struct{} // closed and replaced at each change
}

// NewProgress begins with a step of its own: what comes before the nodes.
func NewProgress() *Progress {
	return &Progress{now: Status{Step: "getting ready", Since: time.Now()}, changed: make(chan struct{})}
}

// Step begins a step.
func (p *Progress) Step(text string) { p.set(Status{Step: text}) }

// Detail says how far the present step is.
func (p *Progress) Detail(text string) {
	s, _ := p.Now()
	s.Detail, s.Trouble = text, ""
	p.set(s)
}

// Trouble says why the present step does not go on.
func (p *Progress) Trouble(text string) {
	s, _ := p.Now()
	s.Trouble = text
	p.set(s)
}

// Ready ends the set-up.
func (p *Progress) Ready() { p.set(Status{Step: "ready", Ready: true}) }

// set publishes s. A step that is already known keeps the time it began.
func (p *Progress) set(s Status) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.Step == p.now.Step {
		s.Since = p.now.Since
	} else {
		s.Since = time.Now()
	}
	if s == p.now {
		return
	}
	p.now = s
	close(p.changed)
	p.changed = make(chan struct{})
}

// Now returns the newest status and a channel that closes at the next change.
func (p *Progress) Now() (Status, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now, p.changed
}

// await returns true when it is ready, false when ctx ended first.
func (p *Progress) await(ctx context.Context) bool {
	for {
		s, changed := p.Now()
		if s.Ready {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-changed:
		}
	}
}
