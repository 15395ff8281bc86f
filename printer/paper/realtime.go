package paper

// listen looks for real-time commands in the bytes as they arrive: they are
// carried out at once, whatever else the printer is doing, and even inside an
// image. It returns what goes into the buffer: everything while printing, for it
// may be part of an image; while the printer waits for somebody, real-time
// commands take no room.
func (p *Printer) listen(c byte) []byte {
	waiting := !p.ready()
	p.rt = append(p.rt, c)
	n := realTimeLen(p.rt)
	switch {
	case n < 0:
		in := p.rt[len(p.rt)-1:]
		if waiting {
			in = p.rt
		}
		if p.rt = nil; c == 0x10 {
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
	return []byte{c}
}

// realTimeLen is the length of the real-time command that b begins with, as far as
// b tells, -1 if it is none.
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
	case b[1] == 0x04:
		p.answer(p.status(b[2]))
	case b[1] == 0x14 && b[2] == 0x01:
		p.kick()
		p.tell()
	} // DLE ENQ recovers from errors of the knife, which this machine never has
}

func (p *Printer) answer(b byte) {
	if !p.oneWay {
		p.answers = append(p.answers, b)
	}
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
		set(!p.ready(), 0x08)
	case 2:
		set(p.cover, 0x04)
		set(p.left == 0, 0x20)
	case 3:
	case 4:
		set(p.near || p.left == 0, 0x0C)
		set(p.left == 0, 0x60)
	default:
		p.wrong("DLE EOT %d does not exist", n)
	}
	return b
}
