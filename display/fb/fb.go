// Package fb shows pictures on a Linux framebuffer, /dev/fbN: an HDMI or DSI
// display, or a small TFT that the kernel drives.
//
// Promise. Draw writes inside the visible pixels and nowhere else, whatever the
// driver says about itself: Open refuses a device whose lines or screen do not fit
// into its memory. While a Dev is open the kernel's console does not write over
// the picture (its log text over a QR makes the code unreadable), if the program may
// hold it; if not, the picture is shown all the same, and Caution says what may
// happen to it. Halt gives the console back. A display that is unplugged is an error from Draw, not the end of
// the program, and so is one that changed its mode; the next Draw opens it again,
// in the size that it has then.
//
// Limits. Packed true colour pixels of 8 to 32 bits in any order of red, green and
// blue, and brightnesses of 8 bits or 1. No palettes. The mode is taken as it is: DRM's emulation cannot change it
// (fb(4), raspberrypi/linux#3391). A program that is killed leaves the console in
// graphics mode, until the next one halts properly.
package fb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"runtime/debug"
	"sync"
	"unsafe"

	"github.com/tillwright/tillwright/pos"
)

// Requests of linux/fb.h and linux/kd.h. KDSETMODE is for who has the terminal as his
// own or CAP_SYS_TTY_CONFIG (vt_ioctl); to open it for writing the group tty is enough.
const (
	getVar  = 0x4600 // FBIOGET_VSCREENINFO
	getFix  = 0x4602 // FBIOGET_FSCREENINFO
	blank   = 0x4611 // FBIOBLANK; 0 wakes a display that sleeps
	setMode = 0x4B3A // KDSETMODE
	getMode = 0x4B3B // KDGETMODE
	text    = 0      // KD_TEXT
	graphic = 1      // KD_GRAPHICS
)

// modeBytes are those of fb_var_screeninfo that say where pixels are and what they
// look like; timings come after them.
const modeBytes = 80

var errMode = errors.New("it has changed its mode")

// system is what the kernel does for a Dev.
type system interface {
	// Open opens a device with flags of open(2).
	Open(path string, flags int) (*os.File, error)

	// Read makes an ioctl that fills a structure. into is at least as long as it.
	Read(f *os.File, request uintptr, into []byte) error

	// Set makes an ioctl whose argument is a number.
	Set(f *os.File, request, value uintptr) error

	// Map maps the first n bytes of f, to be read and written.
	Map(f *os.File, n int) ([]byte, error)

	// Unmap ends a mapping.
	Unmap(b []byte) error
}

// Dev is an open framebuffer. Make one with Open or OpenTurned. It is safe for
// concurrent use.
type Dev struct {
	sys     system
	path    string
	word    int // bytes of the kernel's unsigned long
	degrees int
	console *os.File // nil: none is held
	caution error    // why none is

	mu     sync.Mutex
	format format
	mode   []byte   // what the kernel said of it
	file   *os.File // nil: not open
	mem    []byte   // the device's memory; nil: not open
	halted bool
}

// Open opens the framebuffer at path ("/dev/fb0") and puts the virtual terminal at
// console ("/dev/tty1") into graphics mode; an empty console leaves the terminals
// alone, and one that cannot be held is a Caution. Open fails with Unavailable when
// the device cannot be opened or does not answer, and with Invalid when its pixels are
// of a kind that Dev does not draw.
func Open(path, console string) (*Dev, error) { return OpenTurned(path, console, 0) }

// OpenTurned is Open for a display that hangs turned: degrees, 0, 90, 180 or 270,
// is how far the picture is turned clockwise on it.
func OpenTurned(path, console string, degrees int) (*Dev, error) {
	return open(kernel{}, path, console, degrees, int(unsafe.Sizeof(uintptr(0))))
}

// open is OpenTurned for a machine with words of word bytes: a structure of fb.h
// holds an unsigned long. A 32-bit program gets 32-bit structures from a 64-bit
// kernel.
func open(sys system, path, console string, degrees, word int) (*Dev, error) {
	if degrees%90 != 0 || degrees < 0 || degrees >= 360 {
		return nil, pos.E("open display", pos.Invalid, "a display is turned by 0, 90, 180 or 270 degrees, not by %d", degrees)
	}
	d := &Dev{sys: sys, path: path, word: word, degrees: degrees}
	if err := d.openScreen(); err != nil {
		return nil, err
	}
	if console != "" {
		d.console, d.caution = hold(sys, console)
	}
	return d, nil
}

// Caution returns why text of the kernel's may come over the picture; nil when it
// may not, or when no console was named.
func (d *Dev) Caution() error { return d.caution }

// TryConsole returns what Caution would, and changes nothing on the terminal.
func TryConsole(path string) error { return try(kernel{}, path) }

func try(sys system, path string) error {
	f, err := openConsole(sys, path)
	if err != nil {
		return err
	}
	mode := make([]byte, unsafe.Sizeof(uintptr(0)))
	err = sys.Read(f, getMode, mode)
	if err == nil { // the mode that it has: only the right to set it is looked at
		err = sys.Set(f, setMode, uintptr(binary.NativeEndian.Uint32(mode)))
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return mayCover(err, path)
	}
	return nil
}

// openConsole opens a terminal to make requests of it. It must not become the till's
// own: Ctrl+C on its keyboard would then end the till.
func openConsole(sys system, path string) (*os.File, error) {
	f, err := sys.Open(path, os.O_WRONLY|noCTTY)
	if err != nil {
		return nil, mayCover(err, path)
	}
	return f, nil
}

func mayCover(err error, path string) error {
	return pos.Say("hold console", pos.Unavailable, err, "display_console", "name", path)
}

// hold puts a terminal into graphics mode.
func hold(sys system, path string) (*os.File, error) {
	f, err := openConsole(sys, path)
	if err != nil {
		return nil, err
	}
	if err := sys.Set(f, setMode, graphic); err != nil {
		return nil, mayCover(errors.Join(err, f.Close()), path)
	}
	return f, nil
}

func (d *Dev) openScreen() (err error) {
	if d.file, err = d.sys.Open(d.path, os.O_RDWR); err != nil {
		d.file = nil
		return pos.Say("open display", pos.Unavailable, err, "display_missing", "name", d.path)
	}
	if err := d.mapScreen(); err != nil {
		_ = d.file.Close()
		d.file = nil
		return err
	}
	_ = d.sys.Set(d.file, blank, 0) // drivers without sleep say that they have none
	return nil
}

func (d *Dev) mapScreen() error {
	varInfo, fixInfo := make([]byte, infoMax), make([]byte, infoMax)
	if err := d.sys.Read(d.file, getVar, varInfo); err != nil {
		return pos.Say("open display", pos.Unavailable, err, "display_kind", "name", d.path)
	}
	if err := d.sys.Read(d.file, getFix, fixInfo); err != nil {
		return pos.Say("open display", pos.Unavailable, err, "display_kind", "name", d.path)
	}
	f, length, err := parse(varInfo, fixInfo, d.word)
	if err != nil {
		return pos.Say("open display", pos.Invalid, err, "display_kind", "name", d.path)
	}
	if d.mem, err = d.sys.Map(d.file, length); err != nil {
		d.mem = nil
		return pos.Say("open display", pos.Unavailable, err, "display_kind", "name", d.path)
	}
	d.format, d.mode = f, varInfo
	return nil
}

// ready returns nil when the device is there and in the mode that is known. One
// that is gone is closed; one that was closed is opened. Another size than before
// is an error once, so that the picture is made anew.
func (d *Dev) ready() error {
	if d.halted {
		return pos.E("draw", pos.Unavailable, "the display is closed")
	}
	if d.mem == nil {
		before := d.format
		if err := d.openScreen(); err != nil {
			return err
		}
		if d.format.width != before.width || d.format.height != before.height {
			return pos.Say("draw", pos.Unavailable, fmt.Errorf("it came back with %d × %d pixels", d.format.width, d.format.height), "display_moment")
		}
		return nil
	}
	now := make([]byte, infoMax)
	if err := d.sys.Read(d.file, getVar, now); err != nil {
		_ = d.close()
		return pos.Say("draw", pos.Unavailable, err, "display_gone")
	}
	if !bytes.Equal(now[:modeBytes], d.mode[:modeBytes]) {
		_ = d.close()
		return pos.Say("draw", pos.Unavailable, errMode, "display_moment")
	}
	return nil
}

// close gives the device back, but not the console: the picture may come again.
func (d *Dev) close() (err error) {
	if d.mem != nil {
		err = d.sys.Unmap(d.mem)
		d.mem = nil
	}
	if d.file != nil {
		err = errors.Join(err, d.file.Close())
		d.file = nil
	}
	return err
}

// Bounds returns the visible pixels, turned, from 0,0. They change with a Draw that
// failed, and with no other.
func (d *Dev) Bounds() image.Rectangle {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bounds()
}

func (d *Dev) bounds() image.Rectangle {
	if d.degrees%180 != 0 {
		return image.Rect(0, 0, d.format.height, d.format.width)
	}
	return image.Rect(0, 0, d.format.width, d.format.height)
}

// ColorModel returns the colours that src should have to be drawn fastest.
func (d *Dev) ColorModel() color.Model { return color.RGBAModel }

// Mono reports a display of one bit a pixel.
func (d *Dev) Mono() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.format.bits == 1
}

// String names the device and its mode.
func (d *Dev) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return fmt.Sprintf("framebuffer %d×%d, %d bits", d.format.width, d.format.height, d.format.bits)
}

// Draw copies src, from sp on, into r. Pixels outside of Bounds or of src are left
// out. It costs about a memory copy (*image.RGBA, not turned; others are slower),
// and the picture is visible when it returns, except for the kernel's own delay on
// a TFT. Draw fails with Unavailable after Halt, when the device is gone, and once
// when it has changed its mode.
func (d *Dev) Draw(r image.Rectangle, src image.Image, sp image.Point) (err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ready(); err != nil {
		return err
	}
	// Memory of a display that was pulled out faults when it is written.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			_ = d.close()
			err = pos.Say("draw", pos.Unavailable, fmt.Errorf("framebuffer: %v", p), "display_gone")
		}
	}()
	r, sp = clip(r, d.bounds(), src.Bounds(), sp)
	if d.degrees != 0 {
		d.turned(r, src, sp)
		return nil
	}
	row := rowOf(src)
	for y := range r.Dy() {
		d.format.write(d.mem, r.Min.Add(image.Pt(0, y)), row(sp.Add(image.Pt(0, y)), r.Dx()))
	}
	return nil
}

// turned draws a row of the display at a time, of pixels that lie elsewhere in src.
func (d *Dev) turned(r image.Rectangle, src image.Image, sp image.Point) {
	if r.Empty() {
		return
	}
	pixel := rowOf(src)
	at := d.place(r)
	row := make([]byte, 0, 4*at.Dx())
	for v := at.Min.Y; v < at.Max.Y; v++ {
		row = row[:0]
		for u := at.Min.X; u < at.Max.X; u++ {
			p := d.origin(u, v).Sub(r.Min).Add(sp)
			row = append(row, pixel(p, 1)...)
		}
		d.format.write(d.mem, image.Pt(at.Min.X, v), row)
	}
}

// place returns where a part of the picture lies on the display.
func (d *Dev) place(r image.Rectangle) image.Rectangle {
	w, h := d.format.width, d.format.height
	switch d.degrees {
	case 90:
		return image.Rect(w-r.Max.Y, r.Min.X, w-r.Min.Y, r.Max.X)
	case 180:
		return image.Rect(w-r.Max.X, h-r.Max.Y, w-r.Min.X, h-r.Min.Y)
	default:
		return image.Rect(r.Min.Y, h-r.Max.X, r.Max.Y, h-r.Min.X)
	}
}

// origin returns the pixel of the picture that the display shows at u, v.
func (d *Dev) origin(u, v int) image.Point {
	w, h := d.format.width, d.format.height
	switch d.degrees {
	case 90:
		return image.Pt(v, w-1-u)
	case 180:
		return image.Pt(w-1-u, h-1-v)
	default:
		return image.Pt(h-1-v, u)
	}
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
	d.halted = true
	var err error
	if d.console != nil {
		err = errors.Join(d.sys.Set(d.console, setMode, text), d.console.Close())
		d.console = nil
	}
	if err = errors.Join(err, d.close()); err != nil {
		return pos.Wrap("close display", pos.Internal, err, "the display was not closed cleanly")
	}
	return nil
}
