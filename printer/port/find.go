package port

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Found is something plugged in that is a printer, or may have one at its other end.
type Found struct {
	Connect string // what to write in the configuration: "usb://04b8:0e28"
	Serial  bool   // a serial line: nobody knows what is at its end
	Vendor  uint16 // USB numbers; 0 for a line of the board
	Product uint16
	Number  string // serial number, "" if it has none
	Maker   string // as the device says, cleaned; often empty
	Model   string
	Device  string // "/dev/usb/lp0", "" when no driver has taken it
	Socket  string // where it is plugged in: "1-1.2"; stays the same after a power cycle
	Note    string // why it cannot be used as it is, "" if it can
}

// Limits of what is read of a device: what it says of itself is outside text.
const (
	attrMax  = 126 // characters of a USB string
	foundMax = 64  // devices: more is no shop
)

// Classes of USB (usb.org, "Defined Class Codes").
const classPrinter = "07"

// Find lists the printers and serial lines plugged in, from a tree like /sys, in the
// order of their sockets. It touches no device. It fails when the tree cannot be read;
// a board without USB has none.
func Find(sys fs.FS) ([]Found, error) {
	out, err := findUSB(sys)
	if err != nil {
		return nil, err
	}
	lines, err := findLines(sys)
	if err != nil {
		return nil, err
	}
	out = append(out, lines...)
	name(out)
	return out[:min(len(out), foundMax)], nil
}

const usbDevices = "bus/usb/devices"

func findUSB(sys fs.FS) ([]Found, error) {
	entries, err := list(sys, usbDevices)
	if err != nil {
		return nil, err
	}
	var out []Found
	for _, e := range entries {
		socket, _, isInterface := strings.Cut(e, ":")
		if !isInterface {
			continue
		}
		f, ok := interfaceAt(sys, path.Join(usbDevices, e))
		if !ok {
			continue
		}
		dev := path.Join(usbDevices, socket)
		f.Vendor, f.Product = number(attr(sys, dev, "idVendor")), number(attr(sys, dev, "idProduct"))
		f.Number, f.Maker, f.Model, f.Socket = attr(sys, dev, "serial"), attr(sys, dev, "manufacturer"), attr(sys, dev, "product"), socket
		out = append(out, f)
	}
	return out, nil
}

// interfaceAt looks at one function of a USB device: a printer, or an adapter with a
// serial line.
func interfaceAt(sys fs.FS, dir string) (Found, bool) {
	for _, sub := range []string{"usbmisc", "usb"} { // the second before Linux 3.12
		for _, lp := range children(sys, path.Join(dir, sub), "lp") {
			return Found{Device: "/dev/usb/" + lp}, true
		}
	}
	if attr(sys, dir, "bInterfaceClass") == classPrinter {
		return Found{Note: "no driver has taken it: load usblp"}, true
	}
	for _, sub := range []string{"", "tty"} {
		for _, tty := range children(sys, path.Join(dir, sub), "tty") {
			if strings.HasPrefix(tty, "ttyUSB") || strings.HasPrefix(tty, "ttyACM") {
				return Found{Serial: true, Device: "/dev/" + tty}, true
			}
		}
	}
	return Found{}, false
}

// findLines lists the board's own serial lines.
func findLines(sys fs.FS) ([]Found, error) {
	entries, err := list(sys, "class/tty")
	if err != nil {
		return nil, err
	}
	console := strings.Fields(attr(sys, "class/tty/console", "active"))
	var out []Found
	for _, e := range entries {
		if !strings.HasPrefix(e, "ttyAMA") && !strings.HasPrefix(e, "ttyS") && !strings.HasPrefix(e, "rfcomm") {
			continue
		}
		if t := attr(sys, path.Join("class/tty", e), "type"); t == "0" { // a place for a line, without one
			continue
		}
		f := Found{Serial: true, Device: "/dev/" + e}
		if slices.Contains(console, e) {
			f.Note = "the system's console is on it"
		}
		out = append(out, f)
	}
	return out, nil
}

// name says how each is written in the configuration: by its USB numbers, with its
// serial number or else its socket where two are alike.
func name(all []Found) {
	for i := range all {
		f := &all[i]
		if f.Serial {
			f.Connect = "serial://" + f.Device
			continue
		}
		f.Connect = fmt.Sprintf("usb://%04x:%04x", f.Vendor, f.Product)
		twins, same := 0, 0
		for _, g := range all {
			if !g.Serial && g.Vendor == f.Vendor && g.Product == f.Product {
				if twins++; g.Number == f.Number {
					same++
				}
			}
		}
		switch {
		case twins > 1 && same == 1 && plainNumber(f.Number):
			f.Connect += "/" + f.Number
		case twins > 1:
			f.Connect += "?socket=" + f.Socket
		}
	}
}

// plainNumber reports that a serial number can stand in an address as it is.
func plainNumber(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && (r > 0x7E || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	})
}

// list returns the names in a directory, none for one that is not there.
func list(sys fs.FS, dir string) ([]string, error) {
	entries, err := fs.ReadDir(sys, dir)
	if err != nil {
		if _, e := fs.Stat(sys, dir); e != nil {
			return nil, nil
		}
		return nil, fmt.Errorf("read %s: %w", dir, err)
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// children are the names in a directory that begin with prefix.
func children(sys fs.FS, dir, prefix string) []string {
	names, err := list(sys, dir)
	if err != nil {
		return nil // unplugged while we looked
	}
	return slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, prefix) })
}

// attr reads an attribute, "" if it has none. What is not plain text is left out.
func attr(sys fs.FS, dir, name string) string {
	f, err := sys.Open(path.Join(dir, name))
	if err != nil {
		return ""
	}
	defer f.Close()
	b := make([]byte, 4*attrMax)
	n, _ := f.Read(b) // sysfs gives all of it at once; less is as good as nothing
	s := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return -1
	}, string(b[:n]))
	if r := []rune(s); len(r) > attrMax {
		s = string(r[:attrMax])
	}
	return strings.TrimSpace(s)
}

func number(hex string) uint16 {
	n, err := strconv.ParseUint(hex, 16, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}
