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
	depth            int // bytes a pixel: 2, 3 or 4
	stride           int // bytes from a line to the next

	// A pixel is the or of these: each channel's bits for each of its values.
	red, green, blue [256]uint32
	opaque           uint32 // all bits of the transparency channel
}

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
		depth: u(v, 24) / 8, stride: u(fix, lineLength),
	}
	length = u(fix, smemLen)
	switch bits := u(v, 24); {
	case bits != 16 && bits != 24 && bits != 32:
		return format{}, 0, fmt.Errorf("%d bits a pixel", bits)
	case u(fix, kind) != 0:
		return format{}, 0, fmt.Errorf("pixels of type %d are not packed", u(fix, kind))
	case u(fix, visual) != 2 && u(fix, visual) != 4: // true colour, direct colour
		return format{}, 0, fmt.Errorf("visual %d is not true colour", u(fix, visual))
	case f.width < 1 || f.width > sideMax || f.height < 1 || f.height > sideMax:
		return format{}, 0, fmt.Errorf("%d × %d pixels", f.width, f.height)
	case length > memMax || f.xOffset > sideMax || f.yOffset > sideMax:
		return format{}, 0, fmt.Errorf("%d bytes of memory, pixels from %d, %d", length, f.xOffset, f.yOffset)
	case f.stride < (f.xOffset+f.width)*f.depth || int64(f.stride)*int64(f.yOffset+f.height) > int64(length):
		return format{}, 0, fmt.Errorf("%d lines of %d bytes do not fit into %d", f.yOffset+f.height, f.stride, length)
	}
	return f, length, f.channels(v)
}

// channels fills the tables from the four struct fb_bitfield at byte 32: offset,
// length, and whether the most significant bit is the right one.
func (f *format) channels(v []byte) error {
	for i, table := range []*[256]uint32{&f.red, &f.green, &f.blue, nil} {
		field := v[32+12*i:]
		offset, bits, mirrored := binary.NativeEndian.Uint32(field), binary.NativeEndian.Uint32(field[4:]), binary.NativeEndian.Uint32(field[8:])
		end := uint64(offset) + uint64(bits)
		switch {
		case end > uint64(8*f.depth) || bits > 16 || mirrored != 0 || (bits == 0 && table != nil):
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
	from := (f.yOffset+at.Y)*f.stride + (f.xOffset+at.X)*f.depth
	line := mem[from:][:len(row)/4*f.depth]
	switch f.depth {
	case 2:
		for ; len(row) >= 4; row, line = row[4:], line[2:] {
			binary.NativeEndian.PutUint16(line, uint16(f.pack(row)))
		}
	case 3:
		for ; len(row) >= 4; row, line = row[4:], line[3:] {
			v := f.pack(row)
			line[0], line[1], line[2] = byte(v), byte(v>>8), byte(v>>16)
		}
	case 4:
		for ; len(row) >= 4; row, line = row[4:], line[4:] {
			binary.NativeEndian.PutUint32(line, f.pack(row))
		}
	}
}

// pack makes a pixel of red, green and blue; alpha is not looked at.
func (f *format) pack(px []byte) uint32 {
	_ = px[3]
	return f.red[px[0]] | f.green[px[1]] | f.blue[px[2]] | f.opaque
}
