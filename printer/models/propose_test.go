package models

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tillwright/tillwright/printer/port"
)

func TestGuess(t *testing.T) {
	tests := []struct {
		name  string
		f     port.Found
		model string
		sure  bool
	}{
		{"Epson", port.Found{Vendor: 0x4b8, Maker: "EPSON", Model: "TM-T20III"}, "tm-t20iii", true},
		{"an older Epson", port.Found{Vendor: 0x4b8, Model: "TM-T20II"}, "tm-t20ii", true},
		{"six is not five", port.Found{Vendor: 0x4b8, Model: "TM-T88VI"}, "tm-t88vi", true},
		{"an Epson without a name", port.Found{Vendor: 0x4b8}, "default", false},
		{"Star of the raster kind", port.Found{Vendor: 0x519, Maker: "Star", Model: "Star TSP143IIIU"}, "tsp100", true},
		{"Star of the fourth", port.Found{Vendor: 0x519, Model: "TSP143IVUE"}, "tsp100iv", true},
		{"Star with text", port.Found{Vendor: 0x519, Model: "TSP654II (STR_T-001)"}, "tsp650ii", true},
		{"mC-Print", port.Found{Vendor: 0x519, Model: "mC-Print3"}, "mc-print3", true},
		{"Xprinter", port.Found{Vendor: 0x483, Product: 0x5743, Model: "Printer-80\x00"}, "xp-n160ii", true},
		{"58 mm of nobody", port.Found{Vendor: 0x416, Product: 0x5011, Model: "USB Portable POS58"}, "pos-5890", false},
		{"nobody at all", port.Found{Vendor: 0x1234, Model: "USB Printing Support"}, "safe", false},
		{"serial line", port.Found{Serial: true, Model: "TM-T20III"}, "safe", false},
	}
	for _, tt := range tests {
		if model, sure := Guess(tt.f); model != tt.model || sure != tt.sure {
			t.Errorf("%s: %s, sure %v, want %s and %v", tt.name, model, sure, tt.model, tt.sure)
		}
	}
	for _, c := range calls {
		if _, err := ByName(c.model, Options{}); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestPropose goes from what is plugged in to the lines that the merchant copies.
func TestPropose(t *testing.T) {
	sys := fstest.MapFS{}
	for name, content := range map[string]string{
		"1-1.2/idVendor": "04b8", "1-1.2/idProduct": "0e28", "1-1.2/product": "TM-T20III", "1-1.2/serial": "J4RK", "1-1.2:1.0/usbmisc/lp0/dev": "180:0",
		"1-1.3:1.0/ttyUSB0/dev": "188:0", "1-1.3/idVendor": "1a86",
	} {
		sys["bus/usb/devices/"+name] = &fstest.MapFile{Data: []byte(content + "\n")}
	}
	found, err := port.Find(sys)
	if err != nil || len(found) != 2 {
		t.Fatalf("%+v, %v", found, err)
	}
	got := Propose(found[0]) + Propose(found[1])
	want := `[printer]
connect = "usb://04b8:0e28"
model = "tm-t20iii" # Epson TM-T20III
[printer]
connect = "serial:///dev/ttyUSB0?baud=115200"
model = "safe" # if a printer is at its end; baud as on the printer's own test page
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	found[0].Note, found[0].Model = "no driver has taken it: load usblp", ""
	if got := Propose(found[0]); !strings.HasPrefix(got, "# no driver has taken it") || !strings.Contains(got, "compare with the printer's own test page") {
		t.Errorf("got\n%s", got)
	}
}
