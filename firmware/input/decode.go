package input

import "time"

// listenAfter is the silence that a decoder waits for before it believes a device: what
// was typed before the grab, and the rest of a scan that was torn, is over by then.
const listenAfter = 200 * time.Millisecond

// gs stands between the parts of a GS1 code; scanners type it as Ctrl and a bracket.
const gs = 0x1d

// outcome is a scan, or what was wrong with one; the zero value is neither.
type outcome struct {
	text string
	why  Why
}

// decoder makes scans of one scanner's keys. It knows no clock but what it is told.
type decoder struct {
	end  End
	gap  time.Duration
	keys *layout

	text []byte
	why  Why       // of a scan that is lost already
	last time.Time // by the kernel's clock, of the key before

	held map[uint16]bool // modifiers
	caps bool
	dead bool   // the letter before was an accent
	alt  []byte // digits typed while Alt is held

	deaf  bool // until it was silent for listenAfter
	heard time.Time
}

func newDecoder(d Device, now time.Time) *decoder {
	dec := &decoder{end: d.End, gap: d.Gap, keys: layouts[d.layout()], held: map[uint16]bool{}, deaf: true, heard: now}
	if dec.end == "" {
		dec.end = EndEnter
	}
	switch {
	case dec.gap > 0:
	case dec.end == EndNone:
		dec.gap = GapNone
	default:
		dec.gap = GapStale
	}
	return dec
}

// waits reports that a scan has begun.
func (d *decoder) waits() bool { return len(d.text) > 0 || d.why != "" }

// take takes an event that arrived at now. A key that comes late ends the scan before
// it and may end its own.
func (d *decoder) take(e Event, now time.Time) (out [2]outcome) {
	if e.Type == evSyn && e.Code == synDropped {
		out[0] = d.dropped(now)
		return out
	}
	if e.Type != evKey || e.Code >= keyMax {
		return out
	}
	if d.deaf {
		silent := now.Sub(d.heard)
		if d.heard = now; silent < listenAfter {
			return out
		}
		d.deaf = false
	}
	if d.waits() && e.At.Sub(d.last) >= d.gap {
		out[0] = d.quiet()
	}
	d.last = e.At
	out[1] = d.key(e)
	return out
}

// dropped takes note that the kernel dropped events: neither the scan so far nor what
// is held can be believed.
func (d *decoder) dropped(now time.Time) outcome {
	d.reset()
	clear(d.held)
	d.deaf, d.heard = true, now
	return outcome{why: Torn}
}

// quiet ends what has begun because nothing followed.
func (d *decoder) quiet() outcome {
	if d.waits() && d.why == "" && d.end != EndNone {
		d.why = Unfinished
	}
	return d.finish()
}

// finish gives out what has begun.
func (d *decoder) finish() outcome {
	out := outcome{why: d.why}
	if d.why == "" {
		out.text = string(d.text)
	}
	d.reset()
	return out
}

func (d *decoder) reset() { d.text, d.why, d.dead, d.alt = d.text[:0], "", false, d.alt[:0] }

// key takes a key that went up or down.
func (d *decoder) key(e Event) outcome {
	switch e.Code {
	case keyLeftShift, keyRightShift, keyLeftCtrl, keyRightCtrl, keyLeftAlt, keyAltGr:
		d.held[e.Code] = e.Value != 0
		if e.Code == keyLeftAlt && e.Value == 0 {
			return d.endAlt()
		}
		return outcome{}
	case keyNumLock, keyScrollLock:
		return outcome{}
	}
	if e.Value != down {
		return outcome{}
	}
	switch e.Code {
	case keyCapsLock:
		d.caps = !d.caps
		return outcome{}
	case keyEnter, keyKPEnter:
		return d.ends(EndEnter)
	case keyTab:
		return d.ends(EndTab)
	}
	return d.press(e.Code)
}

// ends takes an end key. The wrong one ends a scan, too, but not as a good one: this
// scanner is set to another end than the till.
func (d *decoder) ends(by End) outcome {
	if d.why == "" && len(d.text) > 0 && by != d.end && d.end != EndNone {
		d.why = Unfinished
	}
	return d.finish()
}

// press takes a key that types.
func (d *decoder) press(code uint16) outcome {
	ctrl, alt := d.held[keyLeftCtrl] || d.held[keyRightCtrl], d.held[keyLeftAlt]
	shift, third := d.held[keyLeftShift] || d.held[keyRightShift], d.held[keyAltGr] || ctrl && alt
	level := plain
	switch {
	case third:
		level = altGr
	case shift:
		level = shifted
	}
	l := d.keys.of(code, level, d.caps)
	switch {
	case third:
	case alt:
		d.altDigit(l.char)
		return outcome{}
	case ctrl:
		return d.control(code, d.keys.of(code, plain, false).char)
	}
	d.add(l)
	return outcome{}
}

// add adds a letter to the scan. What follows a fault is passed over until the end.
func (d *decoder) add(l letter) {
	accent := d.dead
	d.dead = l.dead
	switch {
	case d.why != "", accent && l.char == ' ': // the space belongs to the accent
	case l.char == 0:
		d.why = OddKeys
	case len(d.text) >= MaxScan:
		d.why = TooLong
	default:
		d.text = append(d.text, l.char)
	}
}

// control takes a key with Ctrl: how scanners type what has no key. The bracket is
// often the American one, whatever else the scanner is set to.
func (d *decoder) control(code uint16, base byte) outcome {
	switch {
	case base == ']' || code == keyBracket:
		d.add(letter{char: gs})
	case base == 'm', base == 'j':
		return d.ends(EndEnter)
	case base == 'i':
		return d.ends(EndTab)
	default:
		d.add(letter{})
	}
	return outcome{}
}

// mostAlt bounds what is typed with Alt held: Windows takes 0 and three digits.
const mostAlt = 4

// altDigit takes a digit of a letter that is typed by its number, with Alt held: how
// scanners without a layout type.
func (d *decoder) altDigit(c byte) {
	if c < '0' || c > '9' || len(d.alt) >= mostAlt {
		d.add(letter{})
		return
	}
	d.alt = append(d.alt, c)
}

// endAlt takes the letter that was typed by its number.
func (d *decoder) endAlt() outcome {
	if len(d.alt) == 0 {
		return outcome{}
	}
	n := 0
	for _, c := range d.alt {
		n = n*10 + int(c-'0')
	}
	d.alt = d.alt[:0]
	switch {
	case n == '\r', n == '\n':
		return d.ends(EndEnter)
	case n == '\t':
		return d.ends(EndTab)
	case n >= ' ' && n <= '~', n == gs:
		d.add(letter{char: byte(n)})
	default:
		d.add(letter{})
	}
	return outcome{}
}
