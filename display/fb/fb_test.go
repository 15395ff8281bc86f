package fb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tillwright/tillwright/display/displaytest"
	"github.com/tillwright/tillwright/pos"
)

// mode is what a fake framebuffer tells about itself.
type mode struct {
	word                 int
	width, height        int
	xOffset, yOffset     int
	bits                 int
	channels             [4][2]uint32 // red, green, blue, transparency: offset, length
	kind, visual, stride int
	memory               int
	grayscale            int
}

// modes are those of real devices: vc4 and simplefb, old Pi kernels, fbtft,
// cheap PCs, and two that nobody would make but the structure allows.
var modes = map[string]mode{
	"32 bit": {word: 8, width: 64, height: 40, bits: 32,
		channels: [4][2]uint32{{16, 8}, {8, 8}, {0, 8}, {24, 8}}, visual: 2, stride: 256, memory: 256 * 40},
	"32 bit on a 32-bit machine, red first": {word: 4, width: 64, height: 40, bits: 32,
		channels: [4][2]uint32{{0, 8}, {8, 8}, {16, 8}, {0, 0}}, visual: 2, stride: 256, memory: 256 * 41},
	"24 bit, odd lines": {word: 8, width: 33, height: 17, bits: 24,
		channels: [4][2]uint32{{16, 8}, {8, 8}, {0, 8}, {}}, visual: 2, stride: 101, memory: 101 * 17},
	"16 bit 565": {word: 4, width: 48, height: 32, bits: 16,
		channels: [4][2]uint32{{11, 5}, {5, 6}, {0, 5}, {}}, visual: 2, stride: 96, memory: 96 * 32},
	"16 bit 555, padded lines": {word: 8, width: 31, height: 9, bits: 16,
		channels: [4][2]uint32{{10, 5}, {5, 5}, {0, 5}, {15, 1}}, visual: 4, stride: 71, memory: 71 * 9},
	"the visible part is in the middle": {word: 8, width: 20, height: 10, xOffset: 3, yOffset: 5, bits: 32,
		channels: [4][2]uint32{{16, 8}, {8, 8}, {0, 8}, {}}, visual: 2, stride: 100, memory: 100 * 20},
	"8 bit 332":         {word: 8, width: 20, height: 10, bits: 8, channels: [4][2]uint32{{5, 3}, {2, 3}, {0, 2}, {}}, visual: 2, stride: 24, memory: 240},
	"8 bit greys":       {word: 4, width: 21, height: 10, bits: 8, channels: [4][2]uint32{{0, 8}, {0, 8}, {0, 8}, {}}, visual: 5, stride: 21, memory: 210, grayscale: 1},
	"1 bit, 1 is white": {word: 4, width: 30, height: 9, xOffset: 3, bits: 1, channels: [4][2]uint32{{0, 1}, {0, 1}, {0, 1}, {}}, visual: 1, stride: 5, memory: 45},
	"1 bit, 1 is black": {word: 8, width: 32, height: 9, bits: 1, channels: [4][2]uint32{{0, 1}, {0, 1}, {0, 1}, {}}, visual: 0, stride: 4, memory: 36},
	"30 bit colour": {word: 8, width: 20, height: 10, bits: 32,
		channels: [4][2]uint32{{20, 10}, {10, 10}, {0, 10}, {30, 2}}, visual: 2, stride: 80, memory: 800},
}

// device is a framebuffer and a console made of files, that answers as fb(4) and
// ioctl_console(2) say. It is strict: a request it does not know is an error.
type device struct {
	mode
	t       *testing.T
	dir     string
	console uintptr
	fail    map[string]error // by "open", "0x4600", "map", …
	mapped  int
	woken   int
}

func newDevice(t *testing.T, m mode) *device {
	d := &device{mode: m, t: t, dir: t.TempDir(), fail: map[string]error{}}
	for _, name := range []string{"fb0", "tty1"} {
		if err := os.WriteFile(filepath.Join(d.dir, name), make([]byte, m.memory), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func (d *device) open(console string) (*Dev, error) { return open(d, "fb0", console, 0, d.word) }

func (d *device) Open(path string, flags int) (*os.File, error) {
	if path == "tty1" && flags != unix.O_WRONLY|unix.O_NOCTTY {
		d.t.Errorf("a terminal is opened with %#x: the group tty may write alone, and it must not become ours", flags)
	}
	if err := d.fail["open "+path]; err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(d.dir, path), flags, 0)
}

func (d *device) Read(f *os.File, request uintptr, into []byte) error {
	if err := d.fail[fmt.Sprintf("%#x", request)]; err != nil {
		return err
	}
	put := func(at, v int) { binary.NativeEndian.PutUint32(into[at:], uint32(v)) }
	switch request {
	case 0x4600: // struct fb_var_screeninfo: 160 bytes
		for i, v := range []int{d.width, d.height, d.width, d.height + d.yOffset, d.xOffset, d.yOffset, d.bits, d.grayscale} {
			put(4*i, v)
		}
		for i, c := range d.channels {
			put(32+12*i, int(c[0]))
			put(36+12*i, int(c[1]))
		}
	case 0x4602: // struct fb_fix_screeninfo: 80 bytes, or 68 with 32-bit words
		copy(into, "faked fb")
		at := map[int][4]int{8: {24, 28, 36, 48}, 4: {20, 24, 32, 44}}[d.word]
		for i := 16; i < at[0]; i++ {
			into[i] = 0xa5 // smem_start
		}
		for i, v := range []int{d.memory, d.kind, d.visual, d.stride} {
			put(at[i], v)
		}
	case 0x4B3B: // an int
		if filepath.Base(f.Name()) != "tty1" {
			return unix.ENOTTY
		}
		put(0, int(d.console))
	default:
		return unix.ENOTTY
	}
	return nil
}

func (d *device) Set(f *os.File, request, value uintptr) error {
	if err := d.fail[fmt.Sprintf("%#x", request)]; err != nil {
		return err
	}
	if request == 0x4611 && filepath.Base(f.Name()) == "fb0" && value == 0 {
		d.woken++
		return nil
	}
	if request != 0x4B3A || filepath.Base(f.Name()) != "tty1" || value > 1 {
		return unix.EINVAL
	}
	d.console = value
	return nil
}

func (d *device) Map(f *os.File, n int) ([]byte, error) {
	if err := d.fail["map"]; err != nil {
		return nil, err
	}
	if n != d.memory {
		return nil, unix.EINVAL
	}
	d.mapped++
	return unix.Mmap(int(f.Fd()), 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func (d *device) Unmap(b []byte) error {
	d.mapped--
	return unix.Munmap(b)
}

// Look turns the file back into a picture, by the mode and not by our tables.
func (d *device) Look() image.Image {
	mem, err := os.ReadFile(filepath.Join(d.dir, "fb0"))
	if err != nil {
		d.t.Fatal(err)
	}
	img := image.NewRGBA(image.Rect(0, 0, d.width, d.height))
	for y := range d.height {
		for x := range d.width {
			img.Set(x, y, d.colour(mem, x, y))
		}
	}
	return img
}

// colour reads a pixel.
func (d *device) colour(mem []byte, x, y int) color.Color {
	line, x := mem[(y+d.yOffset)*d.stride:], x+d.xOffset
	if d.bits == 1 {
		bit := line[x/8] >> (x % 8) & 1
		return color.Gray{uint8(-(bit ^ uint8(1-d.visual)))}
	}
	v := uint64(0)
	for i := range d.bits / 8 {
		v |= uint64(line[x*d.bits/8+i]) << (8 * i)
	}
	channel := func(i int) uint8 {
		top := uint64(1)<<d.channels[i][1] - 1
		return uint8((v >> d.channels[i][0] & top) * 255 / top)
	}
	if d.channels[3][1] > 0 && channel(3) != 0xff {
		return color.RGBA{} // what lies behind it is seen
	}
	return color.RGBA{channel(0), channel(1), channel(2), 0xff}
}

// shown joins a Dev and the eyes on it.
type shown struct {
	*Dev
	*device
}

func (s shown) Bounds() image.Rectangle { return s.Dev.Bounds() }

// Look turns the picture back, as who hung the display up turned does.
func (s shown) Look() image.Image {
	return displaytest.Turn(s.device.Look().(*image.RGBA), 360-s.Dev.degrees)
}

func TestSuite(t *testing.T) {
	for name, m := range modes {
		for _, degrees := range []int{0, 90, 180, 270} {
			t.Run(fmt.Sprintf("%s, turned by %d", name, degrees), func(t *testing.T) {
				displaytest.Suite(t, func(t *testing.T) displaytest.Shown {
					d := newDevice(t, m)
					dev, err := open(d, "fb0", "", degrees, m.word)
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() {
						if err := dev.Halt(); err != nil || d.mapped != 0 {
							t.Errorf("Halt: %v, %d mappings left", err, d.mapped)
						}
					})
					return shown{dev, d}
				})
			})
		}
	}
}

// TestColours draws every channel's whole range: an amount must not be grey on
// grey because two channels were taken for each other.
func TestColours(t *testing.T) {
	for name, m := range modes {
		if m.bits <= 8 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			d := newDevice(t, m)
			dev, err := d.open("")
			if err != nil {
				t.Fatal(err)
			}
			defer dev.Halt()
			for _, c := range []color.RGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {15, 76, 129, 255}, {255, 255, 255, 255}, {1, 2, 254, 255}} {
				if err := dev.Draw(dev.Bounds(), image.NewUniform(c), image.Point{}); err != nil {
					t.Fatal(err)
				}
				got := d.Look().At(d.width-1, d.height-1).(color.RGBA)
				off := max(away(got.R, c.R), away(got.G, c.G), away(got.B, c.B))
				if limit := 255 / 31; off > limit/2+1 {
					t.Errorf("drew %v, shows %v", c, got)
				}
			}
		})
	}
}

func away(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }

// TestOutsideBytes fills the memory with a mark and draws: bytes between the lines
// and around the visible part belong to others.
func TestOutsideBytes(t *testing.T) {
	for name, m := range modes {
		t.Run(name, func(t *testing.T) {
			d := newDevice(t, m)
			path := filepath.Join(d.dir, "fb0")
			mem := make([]byte, m.memory)
			for i := range mem {
				mem[i] = 0x5a
			}
			if err := os.WriteFile(path, mem, 0o600); err != nil {
				t.Fatal(err)
			}
			dev, err := d.open("")
			if err != nil {
				t.Fatal(err)
			}
			defer dev.Halt()
			if err := dev.Draw(image.Rect(-100, -100, 9000, 9000), image.NewUniform(color.White), image.Pt(0, 0)); err != nil {
				t.Fatal(err)
			}
			got, _ := os.ReadFile(path)
			for i, b := range got {
				x, y := 8*(i%m.stride)-m.xOffset*m.bits, i/m.stride-m.yOffset
				visible := y >= 0 && y < m.height && x > -8 && x < m.width*m.bits
				if !visible && b != 0x5a {
					t.Fatalf("byte %d of memory, outside of the picture, was written", i)
				}
			}
		})
	}
}

// TestConsole holds that the console is taken while a Dev is open, and given back
// however that ends.
func TestConsole(t *testing.T) {
	d := newDevice(t, modes["32 bit"])
	dev, err := d.open("tty1")
	if err != nil || d.console != 1 || dev.Caution() != nil {
		t.Fatalf("console is in mode %d after %v, %v, want graphics", d.console, err, dev.Caution())
	}
	for range 2 {
		if err := dev.Halt(); err != nil || d.console != 0 {
			t.Errorf("console is in mode %d after %v, want text", d.console, err)
		}
	}
	err = dev.Draw(dev.Bounds(), image.NewUniform(color.White), image.Point{})
	if pos.KindOf(err) != pos.Unavailable {
		t.Errorf("Draw after Halt: %v", err)
	}
}

// TestNoConsole takes the right to hold the console away. The picture is shown all the
// same, with a caution that says so in words; who only tries it changes nothing.
func TestNoConsole(t *testing.T) {
	for step, cause := range map[string]error{"open tty1": unix.EACCES, "0x4b3a": unix.EPERM} {
		for _, mode := range []uintptr{0, 1} {
			d := newDevice(t, modes["32 bit"])
			d.console = mode
			if err := try(d, "tty1"); err != nil || d.console != mode {
				t.Errorf("a try: %v, the console went from %d to %d", err, mode, d.console)
			}
			d.fail[step] = cause
			dev, err := d.open("tty1")
			if err != nil {
				t.Fatalf("%s: %v", step, err)
			}
			if err := dev.Draw(dev.Bounds(), image.NewUniform(color.White), image.Point{}); err != nil || light(d) != 0xff {
				t.Errorf("%s: Draw: %v, it shows %x", step, err, light(d))
			}
			for _, err := range []error{dev.Caution(), try(d, "tty1")} {
				e, ok := errors.AsType[*pos.Error](err)
				if !ok || !errors.Is(err, cause) || e.In("de") != pos.Word("de", "display_console", "name", "tty1") {
					t.Errorf("%s: caution %v", step, err)
				}
			}
			if err := dev.Halt(); err != nil || d.mapped != 0 || d.console != mode {
				t.Errorf("%s: Halt: %v, %d mappings, console %d", step, err, d.mapped, d.console)
			}
		}
	}
}

func light(d *device) uint8 { return d.Look().At(0, 0).(color.RGBA).G }

// TestOpenFails walks through everything that can be missing. Nothing may stay
// mapped or held.
func TestOpenFails(t *testing.T) {
	for _, step := range []string{"open fb0", "0x4600", "0x4602", "map"} {
		t.Run(step, func(t *testing.T) {
			d := newDevice(t, modes["32 bit"])
			d.fail[step] = unix.ENXIO
			dev, err := d.open("tty1")
			if dev != nil || pos.KindOf(err) != pos.Unavailable || !errors.Is(err, unix.ENXIO) {
				t.Errorf("got %v, %v; want Unavailable", dev, err)
			}
			if d.mapped != 0 || d.console != 0 {
				t.Errorf("%d mappings, console in mode %d left behind", d.mapped, d.console)
			}
		})
	}
}

// TestStrangeModes gives Open devices that lie or that cannot be drawn on.
func TestStrangeModes(t *testing.T) {
	for name, spoil := range map[string]func(*mode){
		"8 bit palette":           func(m *mode) { m.bits, m.visual = 8, 3 },
		"2 bit":                   func(m *mode) { m.bits = 2 },
		"12 bit":                  func(m *mode) { m.bits = 12 },
		"planes":                  func(m *mode) { m.kind = 1 },
		"pseudo colour":           func(m *mode) { m.visual = 3 },
		"no pixels":               func(m *mode) { m.width = 0 },
		"a huge height":           func(m *mode) { m.height = 1 << 30 },
		"negative width":          func(m *mode) { m.width = -1 },
		"lines too short":         func(m *mode) { m.stride = 4*m.width - 1 },
		"memory too small":        func(m *mode) { m.memory-- },
		"stride past the end":     func(m *mode) { m.stride = 1<<31 - 1 },
		"scrolled out":            func(m *mode) { m.yOffset = 1 },
		"memory without end":      func(m *mode) { m.memory = 1<<31 - 1 },
		"channel past the pixel":  func(m *mode) { m.channels[0] = [2]uint32{30, 8} },
		"channel offset overflow": func(m *mode) { m.channels[1] = [2]uint32{1<<32 - 4, 8} },
		"no blue":                 func(m *mode) { m.channels[2] = [2]uint32{} },
	} {
		t.Run(name, func(t *testing.T) {
			m := modes["32 bit"]
			d := newDevice(t, m)
			spoil(&d.mode)
			if dev, err := d.open(""); dev != nil || pos.KindOf(err) != pos.Invalid || d.mapped != 0 {
				t.Errorf("got %v, %v; want Invalid", dev, err)
			}
		})
	}
}

// TestRealKernel opens what is no framebuffer with the running kernel's calls.
func TestRealKernel(t *testing.T) {
	for _, path := range []string{"/dev/null", filepath.Join(t.TempDir(), "none")} {
		if dev, err := Open(path, ""); dev != nil || pos.KindOf(err) != pos.Unavailable {
			t.Errorf("Open(%s): %v, %v; want Unavailable", path, dev, err)
		}
	}
}

// FuzzParse feeds any bytes as the driver's answer: what is accepted must stay
// inside of the memory.
func FuzzParse(f *testing.F) {
	for _, m := range modes {
		d := &device{mode: m, fail: map[string]error{}}
		v, fix := make([]byte, infoMax), make([]byte, infoMax)
		_, _ = d.Read(nil, getVar, v), d.Read(nil, getFix, fix)
		f.Add(v, fix, m.word == 8)
	}
	f.Fuzz(func(t *testing.T, v, fix []byte, wide bool) {
		word := 4
		if wide {
			word = 8
		}
		v, fix = append(v, make([]byte, infoMax)...)[:infoMax], append(fix, make([]byte, infoMax)...)[:infoMax]
		got, length, err := parse(v, fix, word)
		if err != nil || length > 1<<20 {
			return
		}
		mem := make([]byte, length)
		px := []byte{255, 255, 255, 255}
		got.write(mem, image.Pt(0, 0), px)
		got.write(mem, image.Pt(got.width-1, got.height-1), px)
	})
}

// BenchmarkDraw shows what a whole 7" picture costs, and how often a bare copy of
// the same memory would fit into that.
func BenchmarkDraw(b *testing.B) {
	m := mode{word: 8, width: 800, height: 480, bits: 32,
		channels: [4][2]uint32{{16, 8}, {8, 8}, {0, 8}, {}}, visual: 2, stride: 3200, memory: 3200 * 480}
	f := format{width: m.width, height: m.height, bits: 32, stride: m.stride}
	d := device{mode: m, fail: map[string]error{}}
	v := make([]byte, infoMax)
	if d.Read(nil, getVar, v) != nil || f.channels(v) != nil {
		b.Fatal("mode")
	}
	dev := &Dev{sys: &d, format: f, mode: v, mem: make([]byte, m.memory)}
	img := image.NewRGBA(dev.Bounds())
	for b.Loop() {
		if err := dev.Draw(img.Rect, img, image.Point{}); err != nil {
			b.Fatal(err)
		}
	}
	drawn := b.Elapsed() / time.Duration(b.N)
	start, n := time.Now(), 0
	for ; n < 200; n++ {
		copy(dev.mem, img.Pix)
	}
	b.ReportMetric(float64(drawn)/(float64(time.Since(start))/float64(n)), "×memcpy")
}
