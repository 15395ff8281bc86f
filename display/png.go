package display

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
)

// encode writes img as a PNG. Pictures have fewer than 256 colours, so they go out
// with a palette: a third of the bytes to compress, and no filter to search for.
func encode(img *image.RGBA) []byte {
	var out bytes.Buffer
	out.Grow(32 << 10) // a picture with a code takes about 20 kB
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	var src image.Image = img
	if p := indexed(img); p != nil {
		src = p
	}
	if err := enc.Encode(&out, src); err != nil {
		return nil // a Buffer does not fail, and every size from 1×1 can be encoded
	}
	return out.Bytes()
}

// indexed returns img with a palette, or nil when it has more than 256 colours.
func indexed(img *image.RGBA) *image.Paletted {
	out := image.NewPaletted(img.Rect, nil)
	known := make(map[uint32]uint8, 256)
	last, index := uint32(0), uint8(0) // alpha 0: no pixel of ours
	for i := range out.Pix {
		px := binary.LittleEndian.Uint32(img.Pix[4*i:])
		if px != last {
			n, ok := known[px]
			if !ok {
				if len(known) == 256 {
					return nil
				}
				n = uint8(len(known))
				known[px] = n
				out.Palette = append(out.Palette, color.RGBA{uint8(px), uint8(px >> 8), uint8(px >> 16), uint8(px >> 24)})
			}
			last, index = px, n
		}
		out.Pix[i] = index
	}
	return out
}
