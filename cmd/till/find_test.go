package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// shopSys is the /sys of a board with two printers, an adapter, a display, buses and
// a scanner that is out to harm.
var shopSys = fstest.MapFS{
	"bus/usb/devices/1-1.2/idVendor":               {Data: []byte("04b8\n")},
	"bus/usb/devices/1-1.2/idProduct":              {Data: []byte("0e28\n")},
	"bus/usb/devices/1-1.2/manufacturer":           {Data: []byte("EPSON\n")},
	"bus/usb/devices/1-1.2/product":                {Data: []byte("TM-T20III\n")},
	"bus/usb/devices/1-1.2:1.0/bInterfaceClass":    {Data: []byte("07\n")},
	"bus/usb/devices/1-1.2:1.0/usbmisc/lp0/uevent": {},
	"bus/usb/devices/1-1.3/idVendor":               {Data: []byte("0416\n")},
	"bus/usb/devices/1-1.3/idProduct":              {Data: []byte("5011\n")},
	"bus/usb/devices/1-1.3/product":                {Data: []byte("POS58 Printer\n")},
	"bus/usb/devices/1-1.3:1.0/bInterfaceClass":    {Data: []byte("07\n")},
	"bus/usb/devices/1-1.3:1.0/usbmisc/lp1/uevent": {},
	"bus/usb/devices/1-1.4/idVendor":               {Data: []byte("067b\n")},
	"bus/usb/devices/1-1.4/idProduct":              {Data: []byte("2303\n")},
	"bus/usb/devices/1-1.4/product":                {Data: []byte("USB-Serial Controller\n")},
	"bus/usb/devices/1-1.4:1.0/ttyUSB0/uevent":     {},
	"class/tty/ttyAMA0/type":                       {Data: []byte("32\n")},
	"class/tty/console/active":                     {Data: []byte("tty1 ttyAMA0\n")},
	"class/graphics/fb0/name":                      {Data: []byte("vc4drmfb\n")},
	"class/graphics/fb0/virtual_size":              {Data: []byte("800,480\n")},
	"class/graphics/fbcon/uevent":                  {},
	"class/spidev/spidev0.0/uevent":                {},
	"class/i2c-dev/i2c-1/name":                     {Data: []byte("bcm2835 (i2c@7e804000)\n")},
	"class/input/event10/device/name":              {Data: []byte("FT5406 touch\n")},
	"class/input/event2/device/name":               {Data: []byte("Scanner\n[printer]\nconnect = \"tcp://203.0.113.9\"\n\x1b[2J\n")},
	"class/input/mice/uevent":                      {},
}

// TestFind lists a made-up shop. Goal: the lines are good to paste: they load as
// they are, with exactly the printer and the display that are sure.
func TestFind(t *testing.T) {
	var out strings.Builder
	if err := find(&out, shopSys); err != nil {
		t.Fatal(err)
	}
	golden(t, "find.txt", []byte(out.String()))
	c, err := loadConfig(write(t, "till.toml", small+out.String()))
	if err != nil {
		t.Fatal(err)
	}
	if c.printer == nil || c.printer.connect != "usb://04b8:0e28" || c.printer.model.Name != "tm-t20iii" {
		t.Errorf("prints on %+v", c.printer)
	}
	if len(c.display.panels) != 1 || c.display.panels[0].device != "/dev/fb0" {
		t.Errorf("shows on %+v", c.display.panels)
	}
}

// TestFindSecond takes the # away from the second printer: the till has a kitchen then,
// besides the receipt printer. Five printers of a shop have names of their own.
func TestFindSecond(t *testing.T) {
	var out strings.Builder
	if err := find(&out, shopSys); err != nil {
		t.Fatal(err)
	}
	i := strings.Index(out.String(), "# [[printer.second]]")
	if i < 0 {
		t.Fatalf("no second printer:\n%s", &out)
	}
	part, _, _ := strings.Cut(out.String()[i:], "\n\n")
	c, err := loadConfig(write(t, "till.toml", small+out.String()+"\n"+strings.ReplaceAll(part, "# [", "[")+"\n"))
	if err == nil {
		t.Errorf("a second printer without anything loads: %+v", c.seconds)
	}
	c, err = loadConfig(write(t, "till.toml", small+out.String()+"\n"+strings.ReplaceAll("\n"+part, "\n# ", "\n")+"\n"))
	if err != nil || len(c.seconds) != 1 || c.seconds[0].route.Printer != "Kitchen" || c.seconds[0].connect != "usb://0416:5011" || c.printer.connect != "usb://04b8:0e28" {
		t.Errorf("%v: %+v", err, c.seconds)
	}
	many := fstest.MapFS{}
	for i := range 5 {
		at := fmt.Sprintf("bus/usb/devices/1-1.%d", i+1)
		many[at+"/idVendor"], many[at+"/idProduct"] = &fstest.MapFile{Data: []byte("04b8\n")}, &fstest.MapFile{Data: fmt.Appendf(nil, "0e2%d\n", i)}
		many[at+":1.0/bInterfaceClass"] = &fstest.MapFile{Data: []byte("07\n")}
		many[fmt.Sprint(at, ":1.0/usbmisc/lp", i, "/uevent")] = &fstest.MapFile{}
	}
	out.Reset()
	if err := find(&out, many); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Kitchen", "Bar", "Printer 4", "Printer 5"} {
		if strings.Count(out.String(), "# name = \""+name+"\"\n") != 1 {
			t.Errorf("no printer is called %s:\n%s", name, &out)
		}
	}
}

// TestFindNothing looks at boards without anything, and without /sys.
func TestFindNothing(t *testing.T) {
	for name, sys := range map[string]fstest.MapFS{"no /sys": {}, "empty": {"class/tty/tty0/uevent": {}, "class/input/mice/uevent": {}}} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			if err := find(&out, sys); err != nil || strings.Count(out.String(), "none found") != 4 || !strings.Contains(out.String(), "no SPI") || !strings.Contains(out.String(), "no I²C") || !strings.Contains(out.String(), "its own test page has its address") {
				t.Errorf("%v\n%s", err, &out)
			}
		})
	}
}

// TestFindCommented uncomments every proposal that is not sure: they load too.
func TestFindCommented(t *testing.T) {
	var out strings.Builder
	if err := find(&out, shopSys); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, part := range strings.Split(out.String(), "\n\n") {
		i := strings.Index(part, "# [")
		if i < 0 {
			continue
		}
		var text strings.Builder
		for line := range strings.Lines(part[i:]) {
			if line, ok := strings.CutPrefix(line, "# "); ok && (strings.HasPrefix(line, "[") || strings.Contains(line, " = ")) {
				text.WriteString(line)
			}
		}
		if tried++; true {
			if _, err := loadConfig(write(t, "till.toml", small+text.String())); err != nil {
				t.Errorf("%v\n%s", err, &text)
			}
		}
	}
	if tried < 6 {
		t.Errorf("only %d proposals:\n%s", tried, &out)
	}
}

// TestDoctorFind is the same by its flag, on whatever this machine has.
func TestDoctorFind(t *testing.T) {
	if out := good(t, "doctor", "--find"); !strings.HasPrefix(out, "# What is plugged in.") {
		t.Errorf("printed %q", out)
	}
}
