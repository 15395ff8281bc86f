package main

import (
	"regexp"

	"github.com/tillwright/tillwright/firmware/gpio"
)

// buzzerConfig is the buzzer. An active one makes its own tone and works on any line; a
// passive one needs a line on which the board makes tones, or a channel of the kernel's.
type buzzerConfig struct {
	line   string // "GPIO18"; of a passive one also "pwmchip0/1"
	active bool
}

// isChannel is a channel of a chip, which is named by its number or its device.
var isChannel = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.@-]{0,31}/[0-9]{1,2}$`)

func (r *reader) buzzer(used taken) *buzzerConfig {
	if !r.has("buzzer") {
		r.table("buzzer")
		return nil
	}
	b := r.table("buzzer")
	c := &buzzerConfig{active: b.oneOf("kind", "active", "passive", "active") == "active"}
	if c.line = b.text("line", ""); !c.active && isChannel.MatchString(c.line) {
		used.claim(b, "line", c.line)
		return c
	}
	if c.line = b.line(used); !c.active && isLine.MatchString(c.line) && !gpio.MakesTones(c.line) {
		b.bad("line", "a passive buzzer needs GPIO12, GPIO13, GPIO18 or GPIO19, where a Raspberry Pi makes tones, or another board's channel such as \"pwmchip0/1\"; with kind = \"active\", for one that makes its own tone, any line will do")
	}
	return c
}

// voice returns what the buzzer sounds with.
func (b board) voice(c buzzerConfig) (gpio.Voice, error) {
	switch {
	case isChannel.MatchString(c.line):
		return gpio.NewPWM("", c.line), nil
	case !c.active:
		return gpio.NewPWM(c.line, ""), nil // never opened as a line: that would take the wire away
	}
	pin, err := b.line(c.line)
	if err != nil {
		return nil, err
	}
	return gpio.OnOff(pin), nil
}
