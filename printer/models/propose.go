package models

import (
	"fmt"
	"strings"

	"github.com/tillwright/tillwright/printer/port"
)

// Makers' USB numbers (usb.org).
const (
	usbEpson    = 0x04b8
	usbStar     = 0x0519
	usbCitizen  = 0x1d90
	usbCitizen2 = 0x2730
	usbBixolon  = 0x1504
	usbSamsung  = 0x0419
	usbWincor   = 0x0aa7
)

// calls are what devices call themselves, by maker (0 for any), the more telling name
// first: letters and digits in small, anything else left out.
var calls = []struct {
	vendor uint16
	name   string
	model  string
}{
	{usbEpson, "tmt20iii", "tm-t20iii"}, {usbEpson, "tmt20", "tm-t20ii"}, {usbEpson, "tmt88iv", "tm-t88iv"}, {usbEpson, "tmt88vi", "tm-t88vi"},
	{usbEpson, "tmt88", "tm-t88v"}, {usbEpson, "tmm30", "tm-m30iii"}, {usbEpson, "tmm10", "tm-m10"}, {usbEpson, "tmu220", "tm-u220b"}, {usbEpson, "", "default"},
	{usbStar, "mcprint3", "mc-print3"}, {usbStar, "mcprint2", "mc-print2"}, {usbStar, "mpop", "mpop"}, {usbStar, "pop10", "mpop"},
	{usbStar, "tsp100iv", "tsp100iv"}, {usbStar, "tsp143iv", "tsp100iv"}, {usbStar, "tsp1", "tsp100"}, {usbStar, "tsp6", "tsp650ii"}, {usbStar, "tsp7", "tsp700ii"},
	{usbStar, "tsp8", "tsp800ii"}, {usbStar, "", "tsp100"},
	{usbCitizen, "cts651", "ct-s651"}, {usbCitizen, "", "ct-s310ii"}, {usbCitizen2, "cts651", "ct-s651"}, {usbCitizen2, "", "ct-s310ii"},
	{usbBixolon, "srps300", "srp-s300"}, {usbBixolon, "", "srp-350iii"}, {usbSamsung, "", "srp-350iii"}, {usbWincor, "th230", "th230plus"},
	{0, "nt5890k", "nt-5890k"}, {0, "zj5870", "zj-5870"}, {0, "rp326", "rp326"}, {0, "rp80", "rp326"}, {0, "xp80", "xp-n160ii"}, {0, "printer80", "xp-n160ii"},
	{0, "pos80", "xp-n160ii"}, {0, "58", "pos-5890"}, {0, "80", "xp-n160ii"},
}

// Guess returns the name of the model that something plugged in seems to be, and whether
// it said so itself: cheap machines go by many names, and what is at the end of a serial
// line nobody knows. Then the name is one that does little harm.
func Guess(f port.Found) (model string, sure bool) {
	called := plain(f.Maker + " " + f.Model)
	for _, c := range calls {
		if !f.Serial && (c.vendor == 0 || c.vendor == f.Vendor) && strings.Contains(called, c.name) {
			return c.model, c.name != "" && len(c.name) > 3
		}
	}
	return "safe", false
}

// plain is a name without what makers vary: small letters and digits.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// Propose returns the lines of configuration that make the till print on what was found,
// with the reason why it is not sure, if it is not.
func Propose(f port.Found) string {
	name, sure := Guess(f)
	m, err := ByName(name, Options{})
	if err != nil {
		panic("models: " + name + " is proposed and not there")
	}
	connect, remark := f.Connect, m.Title
	if f.Serial {
		connect += "?baud=115200"
		remark = "if a printer is at its end; baud as on the printer's own test page"
	} else if !sure {
		remark += "? compare with the printer's own test page"
	}
	text := fmt.Sprintf("[printer]\nconnect = %q\nmodel = %q # %s\n", connect, name, remark)
	if f.Note != "" {
		text = "# " + f.Note + "\n" + text
	}
	return text
}
