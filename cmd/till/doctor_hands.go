package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/tillwright/tillwright/display/fb"
	"github.com/tillwright/tillwright/firmware/gpio"
	"github.com/tillwright/tillwright/pos"
)

// tryHands tries scanners, keypads, keyboards, buttons, the buzzer and the lights. It
// takes a device away from others for a moment, and drives no line.
func tryHands(_ context.Context, c config) []finding {
	return handsOf(c, thisBoard(), sysLEDs)
}

func handsOf(c config, b board, leds string) (out []finding) {
	for _, d := range c.hands.devices {
		f := finding{what: string(d.Kind), good: true}
		found, err := d.Try(b.events)
		switch {
		case pos.KindOf(err) == pos.Conflict && err != nil:
			f.detail, f.remedy = d.Name+" is there, and taken: by the till, if it runs now", "stop the till and try again to be sure"
		case err != nil:
			f.good, f.detail, f.remedy = false, message(err), "till doctor -find lists what is plugged in"
		default:
			f.detail = d.Name + ": " + found.Name + ", " + found.Path
		}
		out = append(out, f)
	}
	line := func(what, name string) {
		_, err := b.line(name)
		out = append(out, handFinding(what, name, err))
	}
	for _, x := range c.hands.buttons {
		line("button", x.line)
	}
	if z := c.hands.buzzer; z != nil {
		v, err := b.voice(*z)
		if p, ok := v.(*gpio.PWM); ok && err == nil {
			err = p.Try()
		}
		out = append(out, handFinding("buzzer", z.line, err))
	}
	for _, l := range c.hands.lights {
		if l.led == "" {
			line("light", l.line)
			continue
		}
		file, err := os.OpenFile(filepath.Join(leds, l.led, "brightness"), os.O_WRONLY, 0)
		if err == nil {
			err = file.Close()
		}
		f := handFinding("light", l.led, err)
		if err != nil {
			f.remedy = "the names are those in " + leds + "; the till's user must be allowed to write its brightness and trigger"
		}
		out = append(out, f)
	}
	return out
}

// handFinding is what came of trying one line.
func handFinding(what, name string, err error) finding {
	if err != nil {
		return finding{what: what, detail: name + ": " + message(err)}
	}
	return finding{what: what, good: true, detail: name}
}

// withConsole adds to a framebuffer's finding what its console says.
func withConsole(f finding, console string) finding {
	if console == "" || !f.good {
		return f
	}
	if err := fb.TryConsole(console); err != nil {
		f.detail += "; but " + message(err)
		f.remedy = "give the till's user the group tty and the right CAP_SYS_TTY_CONFIG (AmbientCapabilities in its systemd unit)"
	}
	return f
}
