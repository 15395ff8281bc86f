package fb

import (
	"encoding/binary"
	"fmt"
	"image"
)

// infoMax is room for either structure of linux/fb.h: the larger takes 160 bytes.
const infoMax = 192

// Bounds of what is believed of a driver: an 8K screen, a quarter of a gigabyte.
const (
	sideMax = 8192
	memMax  = 256 << 20
)

// format says where the pixels are and how they are packed.
type format struct {
	width, height    int // visible
	xOffset, yOffset int // of the visible part in memory, in pixels and lines
	bits             int // a pixel: 1, 8, 16, 24 or 32
	stride           int // bytes from a line to the next

	// A pixel is the or of these: each channel's bits for each of its values.
	red, green, blue [256]uint32
	opaque           uint32 // all bits of the transparency channel

	gray    bool // a pixel is a brightness: of one bit, or of eight
	inverse bool // and of one bit: 1 is dark
}

// Visuals of linux/fb.h.
const (
	mono01       = 0 // 1 is black
	mono10       = 1 // 1 is white
	trueColour   = 2
	directColour = 4
	fixed        = 5 // a palette that cannot be changed
)

// parse reads struct fb_var_screeninfo and struct fb_fix_screeninfo, and returns
// the bytes of memory to map. It refuses what is not a packed true colour format
// and what does not fit into the device's own memory.
func parse(v, fix []byte, word int) (f format, length int, err error) {
	u := func(b []byte, at int) int { return int(min(binary.NativeEndian.Uint32(b[at:]), memMax+1)) }
	// In fb_fix_screeninfo smem_start at 16 is a word; what follows moves with it.
	// line_length stands after three uint16, so it is aligned to 4 in both.
	smemLen, kind, visual, lineLength := 16+word, 20+word, 28+word, 40+word
	f = format{
		width: u(v, 0), height: u(v, 4), xOffset: u(v, 16), yOffset: u(v, 20),
		bits: u(v, 24), stride: u(fix, lineLength),
	}
	length = u(fix, smemLen)
	if err := f.kind(u(fix, kind), u(fix, visual), u(v, 28) == 1); err != nil {
		return format{}, 0, err
	}
	switch {
	case f.width < 1 || f.width > sideMax || f.height < 1 || f.height > sideMax:
		return format{}, 0, fmt.Errorf("%d × %d pixels", f.width, f.height)
	case length > memMax || f.xOffset > sideMax || f.yOffset > sideMax:
		return format{}, 0, fmt.Errorf("%d bytes of memory, pixels from %d, %d", length, f.xOffset, f.yOffset)
	case 8*f.stride < (f.xOffset+f.width)*f.bits || int64(f.stride)*int64(f.yOffset+f.height) > int64(length):
		return format{}, 0, fmt.Errorf("%d lines of %d bytes do not fit into %d", f.yOffset+f.height, f.stride, length)
	}
	if f.gray {
		return f, length, nil
	}
	return f, length, f.channels(v)
}

// kind takes what it can draw: packed pixels of true colour, of a brightness in
// eight bits, or of one bit. A palette that has to be set is none of them; no panel
// of the last twenty years has one.
func (f *format) kind(layout, visual int, grayscale bool) error {
	switch {
	case layout != 0:
		return fmt.Errorf("pixels of type %d are not packed", layout)
	case f.bits == 1 && (visual == mono01 || visual == mono10):
		f.gray, f.inverse = true, visual == mono01
	case f.bits == 8 && grayscale && (visual == trueColour || visual == directColour || visual == fixed):
		f.gray = true
	case f.bits != 8 && f.bits != 16 && f.bits != 24 && f.bits != 32:
		return fmt.Errorf("%d bits a pixel", f.bits)
	case visual != trueColour && visual != directColour:
		return fmt.Errorf("visual %d is not true colour", visual)
	}
	return nil
}

// channels fills the tables from the four struct fb_bitfield at byte 32: offset,
// length, and whether the most significant bit is the right one.
func (f *format) channels(v []byte) error {
	for i, table := range []*[256]uint32{&f.red, &f.green, &f.blue, nil} {
		field := v[32+12*i:]
		offset, bits, mirrored := binary.NativeEndian.Uint32(field), binary.NativeEndian.Uint32(field[4:]), binary.NativeEndian.Uint32(field[8:])
		end := uint64(offset) + uint64(bits)
		switch {
		case end > uint64(f.bits) || bits > 16 || mirrored != 0 || (bits == 0 && table != nil):
			return fmt.Errorf("channel %d has %d bits at %d", i, bits, offset)
		case table == nil:
			f.opaque = (1<<bits - 1) << offset
		default:
			for c := range table {
				table[c] = (uint32(c)*(1<<bits-1) + 127) / 255 << offset
			}
		}
	}
	return nil
}

// write packs a row of pixels, four bytes each, into mem, from at to the right.
// They lie within the visible part.
func (f *format) write(mem []byte, at image.Point, row []byte) {
	from := (f.yOffset + at.Y) * f.stride
	if f.bits == 1 {
		f.writeBits(mem[from:][:f.stride], f.xOffset+at.X, row)
		return
	}
	depth := f.bits / 8
	line := mem[from+(f.xOffset+at.X)*depth:][:len(row)/4*depth]
	switch {
	case f.gray:
		for ; len(row) >= 4; row, line = row[4:], line[1:] {
			line[0] = gray(row)
		}
	case depth == 1:
		for ; len(row) >= 4; row, line = row[4:], line[1:] {
			line[0] = byte(f.pack(row))
		}
	case depth == 2:
		for ; len(row) >= 4; row, line = row[4:], line[2:] {
			binary.NativeEndian.PutUint16(line, uint16(f.pack(row)))
		}
	case depth == 3:
		for ; len(row) >= 4; row, line = row[4:], line[3:] {
			v := f.pack(row)
			line[0], line[1], line[2] = byte(v), byte(v>>8), byte(v>>16)
		}
	default:
		for ; len(row) >= 4; row, line = row[4:], line[4:] {
			binary.NativeEndian.PutUint32(line, f.pack(row))
		}
	}
}

// writeBits packs pixels of one bit, the first in the lowest bit, as the kernel's
// ssd1307fb takes them.
func (f *format) writeBits(line []byte, x int, row []byte) {
	for ; len(row) >= 4; row, x = row[4:], x+1 {
		bit := byte(1) << (x % 8)
		if light := gray(row) >= 0x80; light != f.inverse {
			line[x/8] |= bit
		} else {
			line[x/8] &^= bit
		}
	}
}

// gray returns the brightness of red, green and blue, as image/color does.
func gray(px []byte) byte {
	return byte((19595*uint32(px[0]) + 38470*uint32(px[1]) + 7471*uint32(px[2]) + 1<<15) >> 16)
}

// pack makes a pixel of red, green and blue; alpha is not looked at.
func (f *format) pack(px []byte) uint32 {
	_ = px[3]
	return f.red[px[0]] | f.green[px[1]] | f.blue[px[2]] | f.opaque
}
