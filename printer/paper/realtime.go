package paper

import "strings"

// listen looks for real-time commands in the bytes as they arrive: they are
// carried out at once, whatever else the printer is doing, and even inside an
// image. It returns what goes into the buffer: everything while printing, for it
// may be part of an image; while the printer waits for somebody, real-time
// commands take no room.
func (p *Printer) listen(c byte) []byte {
	if len(p.rt) == 0 && c != p.realTimeLead() {
		return single[c : int(c)+1]
	}
	waiting := !p.ready()
	p.rt = append(p.rt, c)
	n := p.realTimeLen(p.rt)
	switch {
	case n < 0:
		in := p.rt[len(p.rt)-1:]
		if waiting {
			in = p.rt
		}
		if p.rt = nil; c == p.realTimeLead() {
			p.rt = []byte{c}
			if waiting {
				in = in[:len(in)-1]
			}
		}
		return in
	case n == len(p.rt):
		p.obey(p.rt)
		p.rt = nil
	}
	if waiting {
		return nil
	}
	return single[c : int(c)+1]
}

// single has each byte at its own place, so that one of them costs nothing.
var single = func() (b [256]byte) {
	for i := range b {
		b[i] = byte(i)
	}
	return b
}()

// realTimeLead is the byte that real-time commands begin with.
func (p *Printer) realTimeLead() byte {
	if p.dialect != ESCPOS {
		return 0x1b
	}
	return 0x10
}

// realTimeLen is the length of the real-time command that b begins with, as far as
// b tells, -1 if it is none. Star has one: ESC ACK SOH.
func (p *Printer) realTimeLen(b []byte) int {
	if p.dialect != ESCPOS {
		if strings.HasPrefix(starAsk, string(b)) {
			return len(starAsk)
		}
		return -1
	}
	return realTimeLen(b)
}

func realTimeLen(b []byte) int {
	switch {
	case b[0] != 0x10:
		return -1
	case len(b) == 1:
		return 3
	case b[1] == 0x04 || b[1] == 0x05: // DLE EOT n, DLE ENQ n
		return 3
	case b[1] != 0x14:
		return -1
	case len(b) == 2:
		return 5
	case b[2] == 0x01 || b[2] == 0x02: // DLE DC4 fn a b
		return 5
	case b[2] == 0x08: // DLE DC4 8 d1…d7
		return 10
	}
	return -1
}

func (p *Printer) obey(b []byte) {
	switch {
	case p.dialect != ESCPOS:
		p.answer([]byte(p.starStatus())...)
	case b[1] == 0x04:
		if now := p.status(b[2]); !p.deaf {
			p.answer(now)
		}
	case b[1] == 0x05 && (b[2] == 1 || b[2] == 2): // DLE ENQ: recover, 2 also forgets
		if p.cutter = false; b[2] == 2 {
			p.pend = nil
		}
	case b[1] == 0x14 && b[2] == 0x01:
		p.kick()
		p.tell()
	}
}

func (p *Printer) answer(b ...byte) {
	if !p.oneWay {
		p.answers = append(p.answers, b...)
	}
}

// report sends an automatic status if one was asked for and it has changed.
func (p *Printer) report() {
	if p.auto == 0 {
		return
	}
	if now := p.automatic(); now != p.lastASB {
		p.lastASB = now
		p.answer([]byte(now)...)
	}
}

// automatic is the frame of GS a.
func (p *Printer) automatic() string {
	b := [4]byte{0x10}
	set := func(i int, on bool, bits byte) {
		if on {
			b[i] |= bits
		}
	}
	set(0, p.sensor, 0x04)
	set(0, !p.ready(), 0x08)
	set(0, p.cover, 0x20)
	set(1, p.cutter, 0x08)
	set(1, p.hot, 0x40)
	set(2, p.near || p.left == 0, 0x03)
	set(2, p.left == 0, 0x0C)
	return string(b[:])
}

// status is the answer to DLE EOT n.
func (p *Printer) status(n byte) byte {
	b := byte(0x12)
	set := func(on bool, bits byte) {
		if on {
			b |= bits
		}
	}
	switch n {
	case 1:
		set(p.sensor, 0x04)
		set(!p.ready(), 0x08)
	case 2:
		set(p.cover, 0x04)
		set(p.left == 0, 0x20)
		set(p.cutter || p.hot, 0x40)
	case 3:
		set(p.cutter, 0x08)
		set(p.hot, 0x40)
	case 4:
		set(p.near || p.left == 0, 0x0C)
		set(p.left == 0, 0x60)
	default:
		p.wrong("DLE EOT %d does not exist", n)
	}
	return b
}
