package raster

import (
	"image"
	"image/color"
	_ "image/gif"  // logos come as any of these
	_ "image/jpeg" // …
	_ "image/png"  // …
	"io"
	"math"
	"reflect"
	"strings"
	"sync"

	"github.com/tillwright/tillwright/pos"
)

const (
	// logoBytes and logoSide bound a merchant's logo file: a phone's photograph, not
	// a decompression bomb. 4,096 × 4,096 pixels are 64 MB while it is read, once.
	logoBytes = 8 << 20
	logoSide  = 4096
	// pictureRows bounds what is printed of a picture: 15 cm of paper.
	pictureRows = 1200
	// lift brightens a picture before it is burnt: dots on paper spread, and greys
	// come out too dark without it.
	lift = 1.6
	// nearly is how close to black or white a pixel is made so: the soft edges of a
	// drawing stay sharp.
	nearly = 40
)

// Logo reads a picture in PNG, JPEG or GIF. It fails with Invalid for anything
// else, for a file above 8 MB and for a side above 4,096 pixels.
func Logo(r io.Reader) (image.Image, error) {
	var head strings.Builder
	limited := io.LimitReader(r, logoBytes+1)
	cfg, _, err := image.DecodeConfig(io.TeeReader(limited, &head))
	switch {
	case err != nil:
		return nil, pos.Wrap("read logo", pos.Invalid, err, "the logo is no PNG, JPEG or GIF picture")
	case cfg.Width < 1 || cfg.Height < 1 || cfg.Width > logoSide || cfg.Height > logoSide:
		return nil, pos.E("read logo", pos.Invalid, "the logo is %d × %d pixels; at most %d × %d", cfg.Width, cfg.Height, logoSide, logoSide)
	}
	img, _, err := image.Decode(io.MultiReader(strings.NewReader(head.String()), limited))
	if err != nil {
		return nil, pos.Wrap("read logo", pos.Invalid, err, "the logo is damaged or larger than 8 MB")
	}
	return img, nil
}

// brighten maps what an eye sees to what the printer must be told.
var brighten = func() (t [256]int) {
	for i := range t {
		t[i] = int(math.Round(255 * math.Pow(float64(i)/255, 1/lift)))
		switch {
		case i < nearly:
			t[i] = 0
		case i > 255-nearly:
			t[i] = 255
		}
	}
	return t
}()

// Dither makes dots of a picture, smaller where it is wider than dots or higher
// than 15 cm, never larger. What is transparent is paper. Greys become dots by
// Floyd and Steinberg's error diffusion, in rows that run to and fro. The newest few
// are kept, for a shop prints one logo all day: img must not change, nor the result.
func Dither(img image.Image, dots int) Bitmap {
	k := ditherKey{img, dots}
	if !reflect.TypeOf(img).Comparable() {
		return dither(img, dots)
	}
	if b, ok := dithered.get(k); ok {
		return b
	}
	b := dither(img, dots)
	dithered.put(k, b)
	return b
}

// ditherMax bounds the pictures kept: a logo on each of a shop's printers.
const ditherMax = 4

type ditherKey struct {
	img  image.Image
	dots int
}

// dithered keeps the newest pictures.
var dithered ditherCache

type ditherCache struct {
	mu   sync.Mutex
	keys [ditherMax]ditherKey
	bits [ditherMax]Bitmap
	next int
}

func (c *ditherCache) get(k ditherKey) (Bitmap, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.keys {
		if c.keys[i] == k {
			return c.bits[i], true
		}
	}
	return Bitmap{}, false
}

func (c *ditherCache) put(k ditherKey, b Bitmap) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys[c.next], c.bits[c.next] = k, b
	c.next = (c.next + 1) % ditherMax
}

func dither(img image.Image, dots int) Bitmap {
	w, h := fit(img.Bounds().Dx(), img.Bounds().Dy(), dots)
	b := New(w, h)
	grey := shrink(img, w, h)
	for y := range h {
		row, next := grey[y*w:(y+1)*w], grey[(y+1)*w:]
		for i := range w {
			x, step := i, 1
			if y%2 == 1 {
				x, step = w-1-i, -1
			}
			v := row[x]
			if v < 128 {
				b.Set(x, y)
			} else {
				v -= 255
			}
			spread(row, x+step, v*7/16)
			if len(next) >= w {
				spread(next[:w], x-step, v*3/16)
				spread(next[:w], x, v*5/16)
				spread(next[:w], x+step, v/16)
			}
		}
	}
	return b
}

func spread(row []int, x, v int) {
	if x >= 0 && x < len(row) {
		row[x] += v
	}
}

// fit returns the size at which a picture is printed.
func fit(w, h, dots int) (int, int) {
	if w < 1 || h < 1 || dots < 1 {
		return 0, 0
	}
	if w > dots {
		w, h = dots, max(h*dots/w, 1)
	}
	if h > pictureRows {
		w, h = max(w*pictureRows/h, 1), pictureRows
	}
	return w, h
}

// shrink averages the pixels of img that fall on each of w × h dots.
func shrink(img image.Image, w, h int) []int {
	r := img.Bounds()
	out := make([]int, w*h)
	for y := range h {
		y0, y1 := r.Min.Y+y*r.Dy()/h, r.Min.Y+(y+1)*r.Dy()/h
		for x := range w {
			x0, x1 := r.Min.X+x*r.Dx()/w, r.Min.X+(x+1)*r.Dx()/w
			sum, n := 0, 0
			for sy := y0; sy < max(y1, y0+1); sy++ {
				for sx := x0; sx < max(x1, x0+1); sx++ {
					sum += light(img.At(sx, sy))
					n++
				}
			}
			out[y*w+x] = brighten[sum/n]
		}
	}
	return out
}

// light is how bright c is on paper, 0 to 255.
func light(c color.Color) int {
	r, g, b, a := c.RGBA()
	l := (299*r+587*g+114*b)/1000 + (0xFFFF - a)
	return int(min(l, 0xFFFF) >> 8)
}
