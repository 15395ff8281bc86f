package port

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/tillwright/tillwright/pos"
)

// usbSpec is a printer named by what it is, not by the number that it got when it was
// switched on: each open looks it up anew.
type usbSpec struct {
	vendor, product uint16
	number, socket  string
	sys             fs.FS
	dev             string // /dev
}

// parseUSB reads usb://VVVV:PPPP, then /SERIAL or ?socket=1-1.2. It is no URL: the
// second number would be a port.
func parseUSB(spec string) (opener, error) {
	s := usbSpec{sys: os.DirFS("/sys"), dev: "/dev"}
	rest, query, asked := strings.Cut(strings.TrimPrefix(spec, "usb://"), "?")
	ids, serial, _ := strings.Cut(rest, "/")
	v, p, _ := strings.Cut(ids, ":")
	s.vendor, s.product, s.number = number(v), number(p), serial
	if asked {
		socket, ok := strings.CutPrefix(query, "socket=")
		if !ok || !plainNumber(socket) {
			return nil, bad(spec, "a USB printer has a socket such as ?socket=1-1.2, nothing else")
		}
		s.socket = socket
	}
	if len(v) != 4 || len(p) != 4 || s.vendor == 0 || serial != "" && !plainNumber(serial) {
		return nil, bad(spec, "a USB printer is usb:// and its two numbers of four digits, as in usb://04b8:0e28")
	}
	return s, nil
}

// open finds the printer and opens its device file.
func (s usbSpec) open(context.Context) (Port, error) {
	all, err := Find(s.sys)
	if err != nil {
		return nil, err
	}
	var here []Found
	for _, f := range all {
		if !f.Serial && f.Vendor == s.vendor && f.Product == s.product && (s.number == "" || f.Number == s.number) && (s.socket == "" || f.Socket == s.socket) {
			here = append(here, f)
		}
	}
	switch {
	case len(here) == 0:
		return nil, fmt.Errorf("no USB printer %04x:%04x: %w", s.vendor, s.product, os.ErrNotExist)
	case len(here) > 1:
		return nil, pos.E("open printer", pos.Unavailable, "two printers are alike: name one by its serial number or its socket; till doctor --find shows them")
	case here[0].Device == "":
		return nil, pos.E("open printer", pos.Unavailable, "the printer is there, but %s", here[0].Note)
	}
	f := here[0]
	return fileSpec(filepath.Join(s.dev, strings.TrimPrefix(f.Device, "/dev"))).openAs(fmt.Sprintf("%04x:%04x/%s at %s", f.Vendor, f.Product, f.Number, f.Socket))
}

// why turns the reason that a port did not open into a sentence for a cashier.
func why(err error) string {
	switch {
	case errors.Is(err, syscall.EBUSY):
		return "the printer is in use by another program"
	case errors.Is(err, os.ErrPermission):
		return "the till may not use the printer: its user must be in the groups lp and dialout"
	}
	return "the printer is not reachable: check cable and power"
}
