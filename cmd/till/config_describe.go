package main

import (
	"fmt"
	"strings"

	"github.com/tillwright/tillwright/firmware/input"
)

// describeHands is what the counter is worked with in a few words; "" for a screen alone.
func (c config) describeHands() string {
	var out []string
	if c.headless.on {
		out = append(out, "sold with a keypad")
	}
	for _, d := range c.hands.devices {
		who := d.Match
		if d.ID != (input.ID{}) {
			who = strings.TrimSpace(d.ID.String() + " " + d.Match)
		}
		out = append(out, fmt.Sprintf("%s (%s)", d.Name, who))
	}
	for _, b := range c.hands.buttons {
		out = append(out, "button on "+b.line)
	}
	if b := c.hands.buzzer; b != nil {
		out = append(out, "buzzer on "+b.line)
	}
	for _, l := range c.hands.lights {
		out = append(out, "light on "+l.line+l.led)
	}
	if n := len(c.hands.scale); n > 0 {
		out = append(out, fmt.Sprintf("%d kind(s) of scales' labels", n))
	}
	return strings.Join(out, ", ")
}
