// Package fb shows pictures on a Linux framebuffer, /dev/fbN: an HDMI or DSI
// display, or a small TFT that the kernel drives.
//
// Promise. Draw writes inside the visible pixels and nowhere else, whatever the
// driver says about itself: Open refuses a device whose lines or screen do not fit
// into its memory. While a Dev is open the kernel's console does not write over
// the picture (its log text over a QR makes the code unreadable); Halt gives the
// console back. A display that is unplugged is an error from Draw, not the end of
// the program.
//
// Limits. Packed true colour pixels of 16, 24 or 32 bits in any order of red,
// green and blue. The mode is taken as it is: DRM's emulation cannot change it
// (fb(4), raspberrypi/linux#3391). A program that is killed leaves the console in
// graphics mode, until the next one halts properly.
package fb

import (
	"fmt"
	"image"
	"image/color"
	"os"
	"runtime/debug"
	"sync"
	"unsafe"

	"github.com/tillwright/tillwright/pos"
)

// Requests of linux/fb.h and linux/kd.h.
const (
	getVar  = 0x4600 // FBIOGET_VSCREENINFO
	getFix  = 0x4602 // FBIOGET_FSCREENINFO
	setMode = 0x4B3A // KDSETMODE
	text    = 0      // KD_TEXT
	graphic = 1      // KD_GRAPHICS
)

// system is what the kernel does for a Dev.
type system interface {
	// Open opens a device for reading and writing.
	Open(path string) (*os.File, error)

	// Read makes an ioctl that fills a structure. into is at least as long as it.
	Read(f *os.File, request uintptr, into []byte) error

	// Set makes an ioctl whose argument is a number.
	Set(f *os.File, request, value uintptr) error

	// Map maps the first n bytes of f, to be read and written.
	Map(f *os.File, n int) ([]byte, error)

	// Unmap ends a mapping.
	Unmap(b []byte) error
}

// Dev is an open framebuffer. Make one with Open. It is safe for concurrent use.
type Dev struct {
	sys     system
	format  format
	console *os.File // nil: none is held

	mu  sync.Mutex
	mem []byte // the device's memory; nil after Halt
}

// Open opens the framebuffer at path ("/dev/fb0") and puts the virtual terminal at
// console ("/dev/tty1") into graphics mode; an empty console leaves the terminals
// alone. It fails with Unavailable when either cannot be opened or does not
// answer, and with Invalid when the device's pixels are of a kind that Dev does
// not draw.
func Open(path, console string) (*Dev, error) {
	return open(kernel{}, path, console, int(unsafe.Sizeof(uintptr(0))))
}

// open is Open for a machine with words of word bytes: a structure of fb.h holds
// an unsigned long. A 32-bit program gets 32-bit structures from a 64-bit kernel.
func open(sys system, path, console string, word int) (*Dev, error) {
	d := &Dev{sys: sys}
	if err := d.openScreen(path, word); err != nil {
		return nil, err
	}
	if console == "" {
		return d, nil
	}
	if err := d.holdConsole(console); err != nil {
		_ = d.Halt()
		return nil, err
	}
	return d, nil
}

func (d *Dev) openScreen(path string, word int) error {
	f, err := d.sys.Open(path)
	if err != nil {
		return pos.Wrap("open display", pos.Unavailable, err, "there is no display at %s", path)
	}
	defer f.Close() // the mapping stays
	varInfo, fixInfo := make([]byte, infoMax), make([]byte, infoMax)
	if err := d.sys.Read(f, getVar, varInfo); err != nil {
		return pos.Wrap("open display", pos.Unavailable, err, "%s is not a display", path)
	}
	if err := d.sys.Read(f, getFix, fixInfo); err != nil {
		return pos.Wrap("open display", pos.Unavailable, err, "%s is not a display", path)
	}
	var length int
	if d.format, length, err = parse(varInfo, fixInfo, word); err != nil {
		return pos.Wrap("open display", pos.Invalid, err, "the display at %s is of a kind that cannot be used", path)
	}
	if d.mem, err = d.sys.Map(f, length); err != nil {
		return pos.Wrap("open display", pos.Unavailable, err, "the display at %s cannot be drawn on", path)
	}
	return nil
}

func (d *Dev) holdConsole(path string) error {
	f, err := d.sys.Open(path)
	if err != nil {
		return pos.Wrap("open display", pos.Unavailable, err, "there is no console at %s", path)
	}
	if err := d.sys.Set(f, setMode, graphic); err != nil {
		_ = f.Close()
		return pos.Wrap("open display", pos.Unavailable, err, "the console at %s would write over the picture", path)
	}
	d.console = f
	return nil
}

// Bounds returns the visible pixels, from 0,0.
func (d *Dev) Bounds() image.Rectangle { return image.Rect(0, 0, d.format.width, d.format.height) }

// ColorModel returns the colours that src should have to be drawn fastest.
func (d *Dev) ColorModel() color.Model { return color.RGBAModel }

// String names the device and its mode.
func (d *Dev) String() string {
	return fmt.Sprintf("framebuffer %d×%d, %d bits", d.format.width, d.format.height, 8*d.format.depth)
}

// Draw copies src, from sp on, into r. Pixels outside of Bounds or of src are left
// out. It costs about a memory copy (*image.RGBA; other images are slower), and
// the picture is visible when it returns, except for the kernel's own delay on a
// TFT. Draw fails with Unavailable after Halt or when the device is gone.
func (d *Dev) Draw(r image.Rectangle, src image.Image, sp image.Point) (err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mem == nil {
		return pos.E("draw", pos.Unavailable, "the display is closed")
	}
	// Memory of a display that was pulled out faults when it is written.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = pos.Wrap("draw", pos.Unavailable, fmt.Errorf("framebuffer: %v", p), "the display is gone")
		}
	}()
	r, sp = clip(r, d.Bounds(), src.Bounds(), sp)
	row := rowOf(src)
	for y := range r.Dy() {
		d.format.write(d.mem, r.Min.Add(image.Pt(0, y)), row(sp.Add(image.Pt(0, y)), r.Dx()))
	}
	return nil
}

// clip cuts r to what dst and src both have, and moves sp along.
func clip(r, dst, src image.Rectangle, sp image.Point) (image.Rectangle, image.Point) {
	shift := sp.Sub(r.Min)
	r = r.Intersect(dst).Intersect(src.Sub(shift))
	return r, r.Min.Add(shift)
}

// rowOf returns what reads n pixels of src, from a point to the right, as bytes of
// red, green, blue and alpha. They are good until the next call.
func rowOf(src image.Image) func(from image.Point, n int) []byte {
	if src, ok := src.(*image.RGBA); ok {
		return func(from image.Point, n int) []byte {
			return src.Pix[src.PixOffset(from.X, from.Y):][:4*n]
		}
	}
	var row []byte
	return func(from image.Point, n int) []byte {
		row = row[:0]
		for i := range n {
			c := color.RGBAModel.Convert(src.At(from.X+i, from.Y)).(color.RGBA)
			row = append(row, c.R, c.G, c.B, c.A)
		}
		return row
	}
}

// Halt gives the console and the memory back. The picture stays until somebody
// draws. It may be called again.
func (d *Dev) Halt() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var first error
	keep := func(err error) {
		if err != nil && first == nil {
			first = pos.Wrap("close display", pos.Internal, err, "the display was not closed cleanly")
		}
	}
	if d.console != nil {
		keep(d.sys.Set(d.console, setMode, text))
		keep(d.console.Close())
		d.console = nil
	}
	if d.mem != nil {
		keep(d.sys.Unmap(d.mem))
		d.mem = nil
	}
	return first
}
