package web

import (
	"encoding/json"
	"sync"

	"github.com/tillwright/tillwright/pos"
)

// hub tells every connected screen the newest state of the till.
//
// It is level-triggered: a screen that was slow, asleep, or away gets the newest
// state and none of the ones it missed, so a hub never queues and never blocks
// publish. A screen needs no history to draw itself.
type hub struct {
	software string
	choice   func(pos.View) *choice // what the customer may choose with a view

	mu      sync.Mutex
	newest  *frame
	changed chan struct{} // closed and replaced by publish
	closed  bool
}

func newHub(v pos.View, software string, choice func(pos.View) *choice) *hub {
	return &hub{software: software, choice: choice, newest: &frame{view: v, software: software}, changed: make(chan struct{})}
}

func (h *hub) publish(v pos.View) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || v.Version < h.newest.view.Version {
		return
	}
	h.tell(v)
}

// retell tells the newest view again: what the customer may choose has changed.
func (h *hub) retell() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.tell(h.newest.view)
	}
}

// tell replaces the newest frame. h.mu is held.
func (h *hub) tell(v pos.View) {
	h.newest = &frame{view: v, software: h.software, choice: h.choice(v)}
	close(h.changed)
	h.changed = make(chan struct{})
}

// current returns the newest frame and a channel that is closed when there is a
// newer one or the hub ends.
func (h *hub) current() (f *frame, changed <-chan struct{}, open bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.newest, h.changed, !h.closed
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		close(h.changed)
	}
}

// frame is one view, written as JSON at most once and only if a screen wants it.
type frame struct {
	view     pos.View
	software string
	choice   *choice

	once           sync.Once
	public, counts []byte // the customer's part, its brace left open; the counter's part
}

// screen is what a screen is told: the view, the counter's part only to who is
// signed in.
type screen struct {
	Version  uint64       `json:"version"`
	Software string       `json:"software"` // a page that was loaded from another version loads itself anew
	Shop     pos.Shop     `json:"shop"`
	Currency string       `json:"currency"`
	Decimals int          `json:"decimals"`
	Customer pos.Customer `json:"customer"`
	Choice   *choice      `json:"choice,omitempty"` // the customer is invited to choose
	Counter  *pos.Counter `json:"counter,omitempty"`
	Session  *session     `json:"session,omitempty"`
}

// session says who is signed in on this screen.
type session struct {
	Actor pos.Actor `json:"actor"`
	Idle  int       `json:"idle_lock_seconds"`
}

func sessionOf(who pos.Actor) *session { return &session{who, int(idleLock.Seconds())} }

func screenOf(v pos.View, software string) screen {
	return screen{
		Version: v.Version, Software: software, Shop: v.Shop,
		Currency: v.Shop.Currency.Code, Decimals: v.Shop.Currency.Decimals, Customer: v.Customer,
	}
}

// bytes returns the frame as a JSON object for who, or for everybody when who is
// nil. The parts that all screens share are written once.
func (f *frame) bytes(who *pos.Actor) []byte {
	f.once.Do(func() {
		public := screenOf(f.view, f.software)
		public.Choice = f.choice
		f.public = mustJSON(public)
		f.public = f.public[:len(f.public)-1]
		f.counts = mustJSON(counterOf(f.view))
	})
	out := append([]byte(nil), f.public...)
	if who != nil {
		out = append(append(out, `,"counter":`...), f.counts...)
		out = append(append(out, `,"session":`...), mustJSON(sessionOf(*who))...)
	}
	return append(out, '}')
}

// counterOf returns the counter's part with empty lists where there is nothing:
// a script that walks a list should not meet null.
func counterOf(v pos.View) pos.Counter {
	c := v.Counter
	c.Actor = nil // each screen has its own, in session
	if c.Open == nil {
		c.Open = []pos.SaleView{}
	}
	if c.Tenders == nil {
		c.Tenders = []pos.TenderView{}
	}
	if c.Links == nil {
		c.Links = []pos.Link{}
	}
	if c.Notices == nil {
		c.Notices = []pos.Notice{}
	}
	return c
}

// mustJSON writes one of our own types, which always can be written.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("web: " + err.Error())
	}
	return b
}
