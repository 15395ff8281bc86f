package main

import (
	"fmt"
	"net"
	"slices"

	"github.com/tillwright/tillwright/display"
	"github.com/tillwright/tillwright/pos/keypad"
)

// headlessConfig is a till that is worked with a numeric keypad.
type headlessConfig struct {
	on     bool
	layout keypad.Layout
}

// panelShows are what a panel may show.
var panelShows = []string{string(display.ShowsCustomer), string(display.ShowsCashier), string(display.ShowsBoth)}

// shows reads for whom a panel is; empty where nothing is written.
func (r *reader) shows() display.Shows {
	if !r.has("shows") {
		return display.Shows(r.text("shows", ""))
	}
	return display.Shows(r.oneOf("shows", string(display.ShowsCustomer), panelShows...))
}

// readHeadless reads the keypad. It comes after the displays: a keypad without a
// panel for its prompts would be of no use. The only panel is for both people, unless
// it is written otherwise.
func (c *config) readHeadless(r *reader) {
	t := r.table("headless")
	c.headless.on = t.yes("on")
	k := t.table("keys")
	own := map[string]string{}
	for name := range k.tree {
		own[name] = k.text(name, "")
	}
	layout, err := keypad.NewLayout(own)
	if err != nil {
		t.bad("keys", "%s", message(err))
	}
	if c.headless.layout = layout; !c.headless.on {
		return
	}
	panels := c.display.panels
	if len(panels) == 1 && panels[0].shows == "" {
		panels[0].shows = display.ShowsBoth
	}
	forCashier := func(p panelConfig) bool { return p.shows == display.ShowsCashier || p.shows == display.ShowsBoth }
	if len(panels) > 0 && !slices.ContainsFunc(panels, forCashier) {
		t.bad("on", "a keypad needs a panel with shows = %q or %q", display.ShowsCashier, display.ShowsBoth)
	}
}

// cutOff says, in plain words, that a till without a screen can be set up by nobody:
// that is done from a phone. Empty: it can.
func (c config) cutOff() string {
	host, _, err := net.SplitHostPort(c.listen)
	if ip := net.ParseIP(host); !c.headless.on || err != nil || (host != "localhost" && (ip == nil || !ip.IsLoopback())) {
		return ""
	}
	return fmt.Sprintf("no phone can reach this till: listen is %q, which is this computer alone, and a till with a keypad is set up from a phone. Write listen = %q", c.listen, ":80")
}
