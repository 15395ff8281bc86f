package fb

import (
	"image"
	"image/color"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tillwright/tillwright/pos"
)

// TestUnplugged takes the memory away under an open device, as a USB display
// does when it is pulled out. The till must live on.
func TestUnplugged(t *testing.T) {
	m := modes["32 bit"]
	m.height, m.memory = 64, 256*64 // several pages
	d := newDevice(t, m)
	dev, err := d.open("")
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Halt()
	if err := os.Truncate(filepath.Join(d.dir, "fb0"), 0); err != nil {
		t.Fatal(err)
	}
	white := image.NewUniform(color.White)
	err = dev.Draw(dev.Bounds(), white, image.Point{})
	if pos.KindOf(err) != pos.Unavailable || d.mapped != 0 {
		t.Errorf("Draw on a device that is gone: %v, %d mappings left", err, d.mapped)
	}
	if err := os.Truncate(filepath.Join(d.dir, "fb0"), int64(m.memory)); err != nil {
		t.Fatal(err)
	}
	if err := dev.Draw(dev.Bounds(), white, image.Point{}); err != nil {
		t.Errorf("Draw on a device that came back: %v", err)
	}
}

// TestHotplug pulls the plug and puts it in again: another display is another size,
// and the console stays held all the time.
func TestHotplug(t *testing.T) {
	d := newDevice(t, modes["32 bit"])
	dev, err := d.open("tty1")
	if err != nil {
		t.Fatal(err)
	}
	white := image.NewUniform(color.White)
	draw := func() error { return dev.Draw(dev.Bounds(), white, image.Point{}) }
	for _, step := range []struct {
		name string
		do   func()
		want []pos.Kind // of the draws after it
		size image.Point
	}{
		{"nothing", func() {}, []pos.Kind{none, none}, image.Pt(64, 40)},
		{"pulled out", func() { d.fail["0x4600"], d.fail["open fb0"] = unix.ENODEV, unix.ENOENT }, []pos.Kind{pos.Unavailable, pos.Unavailable}, image.Pt(64, 40)},
		{"put in", func() { clear(d.fail) }, []pos.Kind{none, none}, image.Pt(64, 40)},
		{"another mode", func() { d.width, d.height = 48, 20 }, []pos.Kind{pos.Unavailable, pos.Unavailable, none}, image.Pt(48, 20)},
		{"scrolled", func() { d.yOffset = 3 }, []pos.Kind{pos.Unavailable, none}, image.Pt(48, 20)},
	} {
		step.do()
		for i, want := range step.want {
			if err := draw(); (err == nil) != (want == none) || (err != nil && pos.KindOf(err) != want) {
				t.Errorf("%s, draw %d: %v, want %v", step.name, i+1, err, want)
			}
		}
		if got := dev.Bounds().Size(); got != step.size || d.console != 1 {
			t.Errorf("%s: bounds %v, want %v; console in mode %d", step.name, got, step.size, d.console)
		}
	}
	if err := dev.Halt(); err != nil || d.mapped != 0 || d.console != 0 || d.woken != 4 {
		t.Errorf("Halt: %v, %d mappings, console in mode %d, woken %d times", err, d.mapped, d.console, d.woken)
	}
}

const none = pos.Kind(255)

// TestTurns refuses what is no quarter of a turn.
func TestTurns(t *testing.T) {
	for _, degrees := range []int{45, -90, 360} {
		d := newDevice(t, modes["32 bit"])
		if dev, err := open(d, "fb0", "", degrees, 8); dev != nil || pos.KindOf(err) != pos.Invalid || d.mapped != 0 {
			t.Errorf("%d degrees: %v, want Invalid", degrees, err)
		}
	}
}
