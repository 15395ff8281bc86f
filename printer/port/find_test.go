//go:build linux

package port

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tillwright/tillwright/pos"
)

// tree makes a /sys out of lines "path = content"; a path without content is a directory.
func tree(lines ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for _, l := range lines {
		name, content, isFile := strings.Cut(l, " = ")
		if isFile {
			m[name] = &fstest.MapFile{Data: []byte(content + "\n")}
		} else {
			m[name] = &fstest.MapFile{Mode: fs.ModeDir}
		}
	}
	return m
}

// usb is a printer of a USB device at a socket, with its lp number, as Linux 6 shows it.
func usb(socket, ids, serial, product string, lp int) []string {
	v, p, _ := strings.Cut(ids, ":")
	dev := "bus/usb/devices/" + socket
	out := []string{
		dev + "/idVendor = " + v, dev + "/idProduct = " + p, dev + "/product = " + product, dev + "/manufacturer = Maker",
		dev + ":1.0/bInterfaceClass = 07",
	}
	if serial != "" {
		out = append(out, dev+"/serial = "+serial)
	}
	if lp >= 0 {
		out = append(out, fmt.Sprintf("%s:1.0/usbmisc/lp%d/dev = 180:%d", dev, lp, lp))
	}
	return out
}

func join(lists ...[]string) []string {
	var out []string
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// TestFind: what a shop has plugged in, as Linux shows it.
func TestFind(t *testing.T) {
	hub := []string{"bus/usb/devices/usb1/idVendor = 1d6b", "bus/usb/devices/1-0:1.0/bInterfaceClass = 09"}
	adapter := []string{"bus/usb/devices/1-1.4/idVendor = 1a86", "bus/usb/devices/1-1.4/idProduct = 7523", "bus/usb/devices/1-1.4/product = USB Serial",
		"bus/usb/devices/1-1.4:1.0/bInterfaceClass = ff", "bus/usb/devices/1-1.4:1.0/ttyUSB0/tty/ttyUSB0/dev = 188:0"}
	acm := []string{"bus/usb/devices/1-2/idVendor = 0519", "bus/usb/devices/1-2:1.0/bInterfaceClass = 02", "bus/usb/devices/1-2:1.0/tty/ttyACM0/dev = 166:0"}
	tests := []struct {
		name string
		sys  fstest.MapFS
		want []string // connect, device, note
	}{
		{"no USB at all", tree("class/tty/tty0/dev = 4:0"), nil},
		{"a hub", tree(hub...), nil},
		{"one", tree(join(hub, usb("1-1.2", "04b8:0e28", "J4RK", "TM-T20III", 0))...), []string{"usb://04b8:0e28 /dev/usb/lp0 "}},
		{"without its driver", tree(usb("1-1", "0416:5011", "", "POS58", -1)...), []string{"usb://0416:5011  no driver has taken it: load usblp"}},
		{"two kinds", tree(join(usb("1-1.2", "04b8:0e28", "A", "x", 0), usb("1-1.3", "0519:0001", "B", "y", 1))...),
			[]string{"usb://04b8:0e28 /dev/usb/lp0 ", "usb://0519:0001 /dev/usb/lp1 "}},
		{"twins with numbers", tree(join(usb("1-1.2", "04b8:0e28", "A1", "x", 0), usb("1-1.3", "04b8:0e28", "B1", "x", 1))...),
			[]string{"usb://04b8:0e28/A1 /dev/usb/lp0 ", "usb://04b8:0e28/B1 /dev/usb/lp1 "}},
		{"twins without", tree(join(usb("1-1.2", "0416:5011", "", "x", 0), usb("1-1.3", "0416:5011", "", "x", 1))...),
			[]string{"usb://0416:5011?socket=1-1.2 /dev/usb/lp0 ", "usb://0416:5011?socket=1-1.3 /dev/usb/lp1 "}},
		{"twins with the same number", tree(join(usb("1-1.2", "0416:5011", "0", "x", 0), usb("1-1.3", "0416:5011", "0", "x", 1))...),
			[]string{"usb://0416:5011?socket=1-1.2 /dev/usb/lp0 ", "usb://0416:5011?socket=1-1.3 /dev/usb/lp1 "}},
		{"twins whose number is no word", tree(join(usb("1-1.2", "0416:5011", "a/b", "x", 0), usb("1-1.3", "0416:5011", "c d", "x", 1))...),
			[]string{"usb://0416:5011?socket=1-1.2 /dev/usb/lp0 ", "usb://0416:5011?socket=1-1.3 /dev/usb/lp1 "}},
		{"old kernel", tree("bus/usb/devices/1-1/idVendor = 04b8", "bus/usb/devices/1-1/idProduct = 0202", "bus/usb/devices/1-1:1.0/usb/lp3/dev = 180:3"),
			[]string{"usb://04b8:0202 /dev/usb/lp3 "}},
		{"adapter", tree(adapter...), []string{"serial:///dev/ttyUSB0 /dev/ttyUSB0 "}},
		{"virtual serial printer", tree(acm...), []string{"serial:///dev/ttyACM0 /dev/ttyACM0 "}},
		{"lines of the board", tree("class/tty/ttyAMA0/type = 32", "class/tty/ttyS0/type = 4", "class/tty/ttyS1/type = 0", "class/tty/tty1/dev = 4:1",
			"class/tty/console/active = tty1 ttyAMA0"), []string{"serial:///dev/ttyAMA0 /dev/ttyAMA0 the system's console is on it", "serial:///dev/ttyS0 /dev/ttyS0 "}},
		{"what lies of itself", tree(usb("1-1", "zzzz:", "\x1b[2J", strings.Repeat("x\x00\u202e", 500), 0)...), []string{"usb://0000:0000 /dev/usb/lp0 "}},
	}
	for _, tt := range tests {
		found, err := Find(tt.sys)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		var got []string
		for _, f := range found {
			got = append(got, strings.Join([]string{f.Connect, f.Device, f.Note}, " "))
			if f.Note == "" && f.Vendor != 0 && Check(f.Connect) != nil {
				t.Errorf("%s: %s is found and cannot be written: %v", tt.name, f.Connect, Check(f.Connect))
			}
			if len([]rune(f.Model)) > attrMax || strings.ContainsAny(f.Model+f.Number, "\x00\x1b\u202e") {
				t.Errorf("%s: model %q, number %q", tt.name, f.Model, f.Number)
			}
		}
		if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
			t.Errorf("%s: found\n%s\nwant\n%s", tt.name, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
	f, err := Find(tree(usb("1-1.2", "04b8:0e28", "J4RK", "TM-T20III", 0)...))
	if want := (Found{Connect: "usb://04b8:0e28", Vendor: 0x4b8, Product: 0xe28, Number: "J4RK", Maker: "Maker", Model: "TM-T20III", Device: "/dev/usb/lp0", Socket: "1-1.2"}); err != nil || len(f) != 1 || f[0] != want {
		t.Errorf("got %+v, %v", f, err)
	}
}

// TestFindHere looks at this machine: whatever is plugged in, nothing breaks.
func TestFindHere(t *testing.T) {
	if _, err := Find(os.DirFS("/sys")); err != nil {
		t.Error(err)
	}
}

// fifos makes a /dev with files that block as usblp's do when nobody takes their bytes.
func fifo(t *testing.T, dev string, lp int) *os.File {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dev, "usb"), 0o700); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dev, "usb", fmt.Sprintf("lp%d", lp))
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// TestUSBByNumbers: the printer is found wherever it is, and again under another device
// file after it was unplugged.
func TestUSBByNumbers(t *testing.T) {
	dev := t.TempDir()
	sys := tree(join(usb("1-1.1", "0519:0001", "", "other", 0), usb("1-1.2", "04b8:0e28", "A", "x", 1))...)
	spec := usbSpec{vendor: 0x4b8, product: 0xe28, sys: sys, dev: dev}
	prints := func(lp int, text string) {
		t.Helper()
		end := fifo(t, dev, lp)
		p, err := spec.open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 16)
		if n, err := end.Read(b); err != nil || string(b[:n]) != text {
			t.Errorf("lp%d: %q, %v", lp, b[:n], err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	prints(1, "first")
	spec.sys = tree(usb("1-1.1", "0519:0001", "", "other", 0)...)
	if _, err := spec.open(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("unplugged: %v", err)
	}
	spec.sys = tree(usb("1-1.2", "04b8:0e28", "A", "x", 5)...)
	prints(5, "again")
}

func TestUSBThatCannotBeOpened(t *testing.T) {
	twins := join(usb("1-1.1", "04b8:0e28", "A", "x", 0), usb("1-1.2", "04b8:0e28", "B", "x", 1))
	tests := []struct {
		name string
		spec usbSpec
		want string // of the message, or "" when it fails later, at the file
	}{
		{"two alike", usbSpec{vendor: 0x4b8, product: 0xe28, sys: tree(twins...)}, "two printers are alike"},
		{"one of two by its number", usbSpec{vendor: 0x4b8, product: 0xe28, number: "B", sys: tree(twins...)}, ""},
		{"one of two by its socket", usbSpec{vendor: 0x4b8, product: 0xe28, socket: "1-1.1", sys: tree(twins...)}, ""},
		{"no driver", usbSpec{vendor: 0x416, product: 0x5011, sys: tree(usb("1-1", "0416:5011", "", "x", -1)...)}, "load usblp"},
	}
	for _, tt := range tests {
		tt.spec.dev = t.TempDir()
		_, err := tt.spec.open(t.Context())
		e, ok := errors.AsType[*pos.Error](err)
		if err == nil || (tt.want != "") != (ok && strings.Contains(e.Msg, tt.want)) || tt.want == "" && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestWhy: a cashier is told what to do.
func TestWhy(t *testing.T) {
	for err, want := range map[error]string{
		unix.EBUSY: "in use by another program", os.ErrPermission: "groups lp", unix.ECONNREFUSED: "check cable and power", os.ErrNotExist: "check cable and power",
	} {
		if got := why(fmt.Errorf("open: %w", err)); !strings.Contains(got, want) {
			t.Errorf("%v: %q", err, got)
		}
	}
}

// TestNoPaper: what the status byte of the USB printer class says of a stalled write.
func TestNoPaper(t *testing.T) {
	stuck := os.ErrDeadlineExceeded
	tests := []struct {
		name   string
		status int
		asked  error
		paper  bool // out
	}{
		{"selected, no error, paper", 0x18, nil, false}, {"paper out", 0x38, nil, true}, {"paper out and error", 0x30, nil, true},
		{"a printer that says nothing", 0xFF, nil, false}, {"no such call", 0x38, unix.ENOTTY, false},
	}
	for _, tt := range tests {
		err := noPaper(tt.status, tt.asked, stuck)
		if errors.Is(err, unix.ENOSPC) != tt.paper || !errors.Is(err, stuck) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestStalledIsAsked: only a write that made no progress is looked into.
func TestStalledIsAsked(t *testing.T) {
	said := errors.New("no paper")
	for _, tt := range []struct {
		err  error
		want error
	}{{os.ErrDeadlineExceeded, said}, {unix.ENODEV, unix.ENODEV}} {
		w := &wire{conn: failing{tt.err}, drain: func(*wire) error { return nil }, stalled: func(error) error { return said }}
		if _, err := w.Write([]byte("x")); !errors.Is(err, tt.want) {
			t.Errorf("%v: %v", tt.err, err)
		}
	}
}

// failing is a connection whose writes fail.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error)         { return 0, f.err }
func (f failing) Write([]byte) (int, error)        { return 0, f.err }
func (f failing) Close() error                     { return nil }
func (f failing) SetReadDeadline(time.Time) error  { return nil }
func (f failing) SetWriteDeadline(time.Time) error { return nil }

// FuzzFind: a device may call itself what it likes.
func FuzzFind(f *testing.F) {
	f.Add("04b8", "0e28", "J4RK", "TM-T20III", "07")
	f.Add("\x00", "zzzzz", "a/b?c", "\x1b[2J\u202e", "")
	f.Fuzz(func(t *testing.T, vendor, product, serial, model, class string) {
		dev := "bus/usb/devices/1-1"
		sys := fstest.MapFS{}
		for name, content := range map[string]string{
			dev + "/idVendor": vendor, dev + "/idProduct": product, dev + "/serial": serial, dev + "/product": model, dev + ":1.0/bInterfaceClass": class,
		} {
			sys[name] = &fstest.MapFile{Data: []byte(content)}
		}
		found, err := Find(sys)
		if err != nil || len(found) > 1 {
			t.Fatalf("%+v, %v", found, err)
		}
		for _, x := range found {
			if strings.ContainsFunc(x.Connect+x.Model+x.Number, func(r rune) bool { return r < ' ' }) {
				t.Fatalf("%+v", x)
			}
		}
	})
}
