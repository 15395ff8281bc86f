package main

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/tillwright/tillwright/display"
	"github.com/tillwright/tillwright/firmware/input"
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
	if c.headless.layout = k.layout(); !c.headless.on {
		return
	}
	panels := c.display.panels
	if len(panels) == 0 {
		t.warn("on", "no panel tells the cashier what the keys do: write a part [[display.panel]]; until then a phone or a tablet has to")
	}
	if len(panels) == 1 && panels[0].shows == "" {
		panels[0].shows = display.ShowsBoth
	}
	forCashier := func(p panelConfig) bool { return p.shows == display.ShowsCashier || p.shows == display.ShowsBoth }
	if len(panels) > 0 && !slices.ContainsFunc(panels, forCashier) {
		t.bad("on", "a keypad needs a panel with shows = %q or %q", display.ShowsCashier, display.ShowsBoth)
	}
}

// layout reads what the shop's own keys do. Each key is one that there is, and does
// something that a key can do.
func (r *reader) layout() keypad.Layout {
	own, before := map[string]string{}, len(*r.faults)
	for _, name := range slices.Sorted(maps.Keys(r.tree)) {
		refused := len(*r.faults)
		does := r.text(name, "")
		own[name] = does
		switch low := strings.TrimPrefix(strings.ToLower(name), "key_"); {
		case !r.silent(refused):
		case low != name && input.KnowsKey(low):
			r.bad(name, "is written %s here", low)
		case !input.KnowsKey(name):
			r.bad(name, "is no key%s; a key is called as the kernel calls it, without KEY_ and in small letters, such as \"kpslash\" or \"f1\"", meant(low, input.KeyNames()))
		case !slices.Contains(functions(), does):
			r.bad(name, "%q is nothing that a key can do%s; choose from %s", does, meant(does, functions()), strings.Join(functions(), ", "))
		}
	}
	if !r.silent(before) {
		return keypad.Layout{}
	}
	layout, err := keypad.NewLayout(own)
	if err != nil {
		*r.faults = append(*r.faults, fault{r.lines[parentOf(r.prefix)], parentOf(r.prefix), message(err)})
	}
	return layout
}

// functions are the words for what a key can do.
func functions() (out []string) {
	for _, f := range keypad.Functions() {
		out = append(out, string(f))
	}
	return out
}

// checkKeys says that a till with a keypad has none. It comes after the hands.
func (c *config) checkKeys(r *reader) {
	typed := func(d input.Device) bool { return d.Kind != input.Scanner }
	if c.headless.on && !slices.ContainsFunc(c.hands.devices, typed) && len(c.hands.buttons) == 0 {
		r.table("headless").warn("on", "no key reaches the till: write a part [[hands.keypad]] with the keypad's id (till doctor --find prints it)")
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
