package pole

// dialect is a command set.
type dialect struct {
	start  func(p page) []byte // into a known state: empty, overwriting, no cursor
	clear  []byte
	at     func(row, col int) []byte // move the cursor; both from 1
	cursor func(on bool) []byte      // nil: not there
	scroll func(on bool) []byte      // nil: not there
	bright func(level int) []byte    // 1 to 4
}

var dialects = map[string]dialect{
	"escpos": {
		// ESC @, ESC t n, MD1 (overwrite), US C 0, CLR.
		start: func(p page) []byte {
			return []byte{0x1B, 0x40, 0x1B, 0x74, p.escpos, 0x1F, 0x01, 0x1F, 0x43, 0x00, 0x0C}
		},
		clear:  []byte{0x0C},
		at:     func(row, col int) []byte { return []byte{0x1F, 0x24, byte(col), byte(row)} },
		cursor: func(on bool) []byte { return []byte{0x1F, 0x43, number(on)} },
		scroll: func(on bool) []byte { return []byte{0x1F, 0x01 + number(on)} },
		bright: func(level int) []byte { return []byte{0x1F, 0x58, byte(level)} },
	},
	"cd5220": {
		// ESC @, ESC DC1 (overwrite), ESC _ 0, CLR.
		start:  func(page) []byte { return []byte{0x1B, 0x40, 0x1B, 0x11, 0x1B, 0x5F, 0x00, 0x0C} },
		clear:  []byte{0x0C},
		at:     func(row, col int) []byte { return []byte{0x1B, 0x6C, byte(col), byte(row)} },
		cursor: func(on bool) []byte { return []byte{0x1B, 0x5F, number(on)} },
		scroll: func(on bool) []byte { return []byte{0x1B, 0x11 + number(on)} },
		bright: func(level int) []byte { return []byte{0x1B, 0x2A, byte(level)} },
	},
	"dsp800": {
		// EOT SOH command, arguments from 31h, ETB; all else is text. Positions run from
		// 31h, the upper left, to 58h. Clearing a range leaves the cursor at its start.
		start:  func(page) []byte { return []byte{0x04, 0x01, 'C', 0x31, 0x58, 0x17, 0x04, 0x01, 'P', 0x31, 0x17} },
		clear:  []byte{0x04, 0x01, 'C', 0x31, 0x58, 0x17, 0x04, 0x01, 'P', 0x31, 0x17},
		at:     func(row, col int) []byte { return []byte{0x04, 0x01, 'P', byte(0x30 + (row-1)*cols + col), 0x17} },
		bright: func(level int) []byte { return []byte{0x04, 0x01, 'A', byte(0x30 + level), 0x17} },
	},
}

func number(on bool) byte {
	if on {
		return 1
	}
	return 0
}
