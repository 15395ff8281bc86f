package main

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/tillwright/tillwright/printer/models"
	"github.com/tillwright/tillwright/printer/port"
)

// Bounds of what is listed: names in /sys are outside text, and more devices are no
// shop's.
const (
	foundMost  = 32
	foundRunes = 64
)

// find lists what is plugged in, from a tree like /sys, as lines of configuration:
// what is sure stands as it is, the rest as a comment. Nothing is touched.
func find(w io.Writer, sys fs.FS) error {
	found, err := port.Find(sys)
	if err != nil {
		return fmt.Errorf("look for printers: %w", err)
	}
	var b strings.Builder
	b.WriteString("# What is plugged in. Paste what you use into the configuration, and take the # away.\n")
	findPrinters(&b, found)
	findFrames(&b, sys)
	findBuses(&b, sys)
	findPoles(&b, found)
	findHands(&b, sys)
	_, err = io.WriteString(w, b.String())
	return err
}

// findPrinters proposes the first printer that says that it is one for receipts, and
// those after it for a kitchen or a bar.
func findPrinters(b *strings.Builder, found []port.Found) {
	title(b, "Printers", len(found))
	sure := 0
	for _, f := range found {
		fmt.Fprintf(b, "\n# %s\n", nameOf(f))
		text := models.Propose(f)
		switch {
		case f.Serial || f.Note != "":
			text = comment(text)
		case sure > 0:
			text = comment(second(text, sure))
		}
		if !f.Serial && f.Note == "" {
			sure++
		}
		b.WriteString(text)
	}
	b.WriteString("\n# A printer on the network is not found from here: its own test page has its address.\n# [printer]\n# connect = \"tcp://192.168.1.50\"\n")
}

// stations are what shops have second printers for, with goods that may go there.
var stations = [][2]string{{"Kitchen", "Food"}, {"Bar", "Drinks"}}

// second makes a receipt printer's part one of the shop's second printer n, from 1.
func second(text string, n int) string {
	at := [2]string{fmt.Sprint("Printer ", n+1), fmt.Sprint("Goods ", n+1)}
	if n <= len(stations) {
		at = stations[n-1]
	}
	return strings.Replace(text, "[printer]\n", fmt.Sprintf(
		"[[printer.second]] # if it stands in a kitchen or a bar\nname = %q\ncategories = [%q] # what it is told of: categories of the catalogue\n", at[0], at[1]), 1)
}

func nameOf(f port.Found) string {
	name := strings.TrimSpace(f.Maker + " " + f.Model)
	if name == "" && f.Serial {
		name = "a serial line"
	} else if name == "" {
		name = "a printer without a name"
	}
	if f.Device != "" {
		name += ", " + f.Device
	}
	if f.Socket != "" {
		name += ", socket " + f.Socket
	}
	return name
}

// findFrames proposes every display that the kernel drives.
func findFrames(b *strings.Builder, sys fs.FS) {
	names := dir(sys, "class/graphics", "fb")
	names = slices.DeleteFunc(names, func(s string) bool { _, err := strconv.Atoi(s[2:]); return err != nil }) // fbcon is none
	title(b, "Displays that the kernel drives", len(names))
	for _, n := range names {
		at := path.Join("class/graphics", n)
		fmt.Fprintf(b, "\n[[display.panel]]\ndriver = \"framebuffer\" # %s, %s pixels\ndevice = \"/dev/%s\"\n",
			text(sys, at, "name"), strings.Replace(text(sys, at, "virtual_size"), ",", " × ", 1), n)
	}
}

// findBuses lists the buses that a panel may hang on: who hangs there nobody can
// tell.
func findBuses(b *strings.Builder, sys fs.FS) {
	spis, i2cs := dir(sys, "class/spidev", "spidev"), dir(sys, "class/i2c-dev", "i2c-")
	title(b, "Buses", len(spis)+len(i2cs))
	for _, n := range spis {
		fmt.Fprintf(b, "\n%s", comment(fmt.Sprintf("[[display.panel]]\ndriver = \"mipi\" # or \"epaper\", \"oled\", if one hangs there\nmodel = \"ili9341\" # as it is sold\nbus = %q\ndc = \"GPIO25\" # as it is wired\nreset = \"GPIO27\"\nbacklight = \"GPIO18\"\n",
			"SPI"+strings.TrimPrefix(n, "spidev"))))
	}
	for _, n := range i2cs {
		name := text(sys, path.Join("class/i2c-dev", n), "name")
		fmt.Fprintf(b, "\n%s", comment(fmt.Sprintf("[[display.panel]]\ndriver = \"oled\" # if one hangs on this bus (%s)\nbus = %q\nheight = 64\n", name, "I2C"+strings.TrimPrefix(n, "i2c-"))))
	}
	if len(spis) == 0 {
		b.WriteString("# no SPI: dtparam=spi=on in config.txt switches it on\n")
	}
	if len(i2cs) == 0 {
		b.WriteString("# no I²C: dtparam=i2c_arm=on in config.txt, and the module i2c-dev, switch it on\n")
	}
}

// findPoles says that a serial line may as well lead to a display.
func findPoles(b *strings.Builder, found []port.Found) {
	for _, f := range found {
		if f.Serial && f.Note == "" {
			fmt.Fprintf(b, "\n%s", comment(fmt.Sprintf("[[display.panel]]\ndriver = \"pole\" # if it is a customer's display and no printer\nport = %q\ndialect = \"escpos\"\n", f.Connect+"?baud=9600")))
		}
	}
}

func title(b *strings.Builder, what string, n int) {
	fmt.Fprintf(b, "\n# --- %s", what)
	if n == 0 {
		b.WriteString(": none found")
	}
	b.WriteByte('\n')
}

// comment puts a # before every line.
func comment(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("# " + strings.TrimPrefix(line, "# "))
	}
	return b.String()
}

// dir returns the names in a directory that begin with prefix, by their numbers;
// none of one that is not there.
func dir(sys fs.FS, at, prefix string) []string {
	list, err := fs.ReadDir(sys, at)
	if err != nil {
		return nil // a board without such devices
	}
	var names []string
	for _, e := range list {
		if strings.HasPrefix(e.Name(), prefix) && plainName(e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return len(a) - len(b) }) // event2 before event10
	return names[:min(len(names), foundMost)]
}

// plainName reports a name that can stand in a line of configuration.
func plainName(s string) bool {
	return len(s) <= foundRunes && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && r != '.' && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	})
}

// text reads an attribute; "?" when it has none. What a device says of itself must
// not end its comment.
func text(sys fs.FS, at, name string) string {
	file, err := sys.Open(path.Join(at, name))
	if err != nil {
		return "?"
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, 4*foundRunes))
	if err != nil {
		return "?"
	}
	s := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return -1
	}, strings.TrimSpace(string(b)))
	if r := []rune(s); len(r) > foundRunes {
		s = string(r[:foundRunes])
	}
	if s == "" {
		return "?"
	}
	return s
}
