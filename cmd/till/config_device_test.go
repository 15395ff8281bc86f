package main

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/image/font/gofont/gomono"
	"periph.io/x/conn/v3/physic"
)

// TestConfigDevices gives every kind of bad printer and panel: each fault is named
// with its line, its key and what to do.
func TestConfigDevices(t *testing.T) {
	const (
		roll  = small + "[printer]\nconnect = \"paper\"\n"                                            // ends with line 8
		panel = small + "[[display.panel]]\n"                                                         // line 7
		tft   = panel + "driver = \"mipi\"\nmodel = \"ili9341\"\ndc = \"GPIO25\"\n"                   // line 10
		sheet = panel + "driver = \"epaper\"\nmodel = \"4.2\"\ndc = \"GPIO25\"\nreset = \"GPIO17\"\n" // line 11
		pole  = panel + "driver = \"pole\"\n"                                                         // line 8
		oled  = panel + "driver = \"oled\"\n"                                                         // line 8

		second = "[[printer.second]]\n"                        // line 9 behind roll
		bar    = "name = \"Bar\"\ncategories = [\"Drinks\"]\n" // lines 10 and 11
	)
	text := write(t, "notes.txt", "no picture and no font")
	for _, x := range []struct{ name, text, want string }{
		{"printer", roll + "model = \"tmt20iii\"\n", `line 9: printer.model: there is no printer "tmt20iii"; did you mean "tm-t20iii"?; "default" is most of 80 mm`},
		{"printer unlike any", roll + "model = \"laserjet 4000\"\n", `line 9: printer.model: there is no printer "laserjet 4000"; "default" is most`},
		{"columns for nobody", roll + "columns = 23\n", "line 9: printer.columns: must be from 24 to 96, not 23"},
		{"columns for wide paper", roll + "columns = 64\n", "line 9: printer.columns: the printer's profile is wrong: 64 columns do not fit 576 dots"},
		{"columns for another model", roll + "model = \"pos-5890\"\ncolumns = 48\n", "line 10: printer.columns: the printer's profile is wrong"},
		{"drawer", roll + "drawer = 3\n", "line 9: printer.drawer: must be 2 or 5"},
		{"a drawer of 33 bits", roll + "drawer = 4294967298\n", "line 9: printer.drawer: must be 2 or 5"},
		{"a height of 33 bits", oled + "height = 4294967328\n", "line 9: display.panel.0.height: must be 64 or 32, not 4294967328"},
		{"no drawer", roll + "drawer = 0\n", "line 9: printer.drawer: must be 2 or 5"},
		{"drawer in words", roll + "drawer = \"2\"\n", "line 9: printer.drawer: must be a whole number, not 2"},
		{"no logo", roll + "logo = \"none.png\"\n", "line 9: printer.logo: open "},
		{"a logo that is none", roll + "logo = \"" + text + "\"\n", "line 9: printer.logo: " + text + ": "},
		{"a logo that is a folder", roll + "logo = \"/\"\n", "line 9: printer.logo: /: "},
		{"no font", roll + "fonts = [\"none.ttf\"]\n", "line 9: printer.fonts: "},
		{"a font that is none", roll + "fonts = [\"" + text + "\"]\n", "line 9: printer.fonts: " + text + ": "},
		{"nine fonts", roll + "fonts = [" + strings.Repeat("\"x\",", 9) + "]\n", "line 9: printer.fonts: must have at most 8 files"},
		{"a drawer's level", roll + "drawer_open = \"up\"\n", "line 9: printer.drawer_open: must be one of"},
		{"a second printer without a name", roll + second + "connect = \"paper\"\ncategories = [\"Food\"]\n", "line 9: printer.second.0.name: is missing; write"},
		{"a second printer's long name", roll + second + "name = \"The kitchen in the cellar\"\nconnect = \"paper\"\ncategories = [\"Food\"]\n", "line 10: printer.second.0.name: must have at most 20 letters"},
		{"a second printer with nothing to print", roll + second + "name = \"Bar\"\nconnect = \"paper\"\n", "line 9: printer.second.0.categories: is missing; write which goods"},
		{"a second printer that is nowhere", roll + second + "name = \"Bar\"\ncategories = [\"Food\"]\n", "line 9: printer.second.0.connect: is missing; write"},
		{"a second printer's line", roll + second + bar + "connect = \"lp0\"\n", "line 12: printer.second.0.connect: "},
		{"a second printer's time", roll + second + bar + "connect = \"paper\"\nwhen = \"later\"\n", "line 13: printer.second.0.when: must be one of completed, charged, not \"later\""},
		{"too many copies", roll + second + bar + "connect = \"paper\"\ncopies = 6\n", "line 13: printer.second.0.copies: must be from 1 to 5, not 6"},
		{"a second printer's slip", roll + second + bar + "connect = \"paper\"\ncategory = \"Food\"\n", "line 13: printer.second.0.category: is not a setting of this program; did you mean"},
		{"a second printer's drawer's level", roll + second + bar + "connect = \"paper\"\ndrawer_open = \"low\"\n", "line 13: printer.second.0.drawer_open: is not a setting"},
		{"two of one name", roll + second + bar + "connect = \"paper\"\n" + second + "name = \"BAR\"\ncategories = [\"Food\"]\nconnect = \"paper\"\n", "line 14: printer.second.1.name: two printers are called \"BAR\""},
		{"goods of two printers", roll + second + bar + "connect = \"paper\"\n" + second + "name = \"Pub\"\ncategories = [\"drinks\"]\nconnect = \"paper\"\n", "line 15: printer.second.1.categories: \"drinks\" goes to Bar already: an item is printed once"},
		{"two on one line", small + "[printer]\nconnect = \"tcp://192.168.1.50\"\n" + second + bar + "connect = \"tcp://192.168.1.50\"\n", "line 12: printer.second.0.connect: tcp://192.168.1.50 is used by printer.connect already"},
		{"panel and second printer on one line", roll + second + bar + "connect = \"/dev/ttyUSB0\"\n[[display.panel]]\ndriver = \"pole\"\nport = \"/dev/ttyUSB0\"\n", "line 15: display.panel.0.port: /dev/ttyUSB0 is used by printer.second.0.connect already"},
		{"no font for the display", small + "[display]\nfonts = [\"none.ttf\"]\n", "line 8: display.fonts: open "},
		{"a font for the display that is none", small + "[display]\nfonts = [\"" + text + "\"]\n", "line 8: display.fonts: " + text + " is no font"},

		{"no driver", panel, `display.panel.0.driver: must be one of framebuffer, mipi, epaper, oled, pole, not ""`},
		{"driver", panel + "driver = \"mippi\"\nmodel = \"ili9341\"\n", `line 8: display.panel.0.driver: must be one of framebuffer, mipi, epaper, oled, pole, not "mippi"; did you mean "mipi"?`},
		{"one part for parts", small + "[display.panel]\ndriver = \"oled\"\n", "line 7: display.panel: must be parts that begin with [[display.panel]], in two brackets"},
		{"another driver's key", tft + "busy = \"GPIO24\"\n", "line 11: display.panel.0.busy: is not a setting"},
		{"panel", strings.Replace(tft, "ili9341", "ili9431", 1), `not "ili9431"; did you mean "ili9341"?`},
		{"e-paper", strings.Replace(sheet, "4.2", "4.3", 1), "line 9: display.panel.0.model: must be one of 2.13, 2.9, 2.9-uc8151, 4.2, 4.2-uc8176, 7.5"},
		{"no wire", panel + "driver = \"mipi\"\nmodel = \"ili9341\"\n", `display.panel.0.dc: is missing; write the line that it is wired to, for example dc = "GPIO25"`},
		{"no BUSY", sheet, "display.panel.0.busy: is missing"},
		{"wire", strings.Replace(tft, "GPIO25", "25", 1), `line 10: display.panel.0.dc: must name a line such as "GPIO25", not "25"`},
		{"two ends of one wire", tft + "reset = \"GPIO25\"\n", "line 11: display.panel.0.reset: GPIO25 is used by display.panel.0.dc already"},
		{"bus", tft + "bus = \"spi0\"\n", `line 11: display.panel.0.bus: must be an SPI bus and its chip select such as "SPI0.0", not "spi0"`},
		{"rotation", tft + "rotation = 45\n", "line 11: display.panel.0.rotation: must be one of 0, 90, 180, 270, not 45"},
		{"speed", tft + "speed = \"20\"\n", "line 11: display.panel.0.speed: must be from 100kHz to 125MHz"},
		{"speed of light", tft + "speed = \"3GHz\"\n", "line 11: display.panel.0.speed: must be from"},
		{"two panels on one bus", tft + strings.TrimPrefix(tft, small), "line 11: display.panel.1.bus: SPI0.0 is used by display.panel.0.bus already"},
		{"OLED upright", oled + "rotation = 90\n", "line 9: display.panel.0.rotation: must be one of 0, 180, not 90"},
		{"height", oled + "height = 48\n", "line 9: display.panel.0.height: must be 64 or 32, not 48"},
		{"address", oled + "address = 0x78\n", "line 9: display.panel.0.address: must be 0x3C or 0x3D"},
		{"OLED's bus", oled + "bus = \"I2C\"\n", `line 9: display.panel.0.bus: must be an I²C bus such as "I2C1", or an SPI bus`},
		{"two on one address", oled + strings.TrimPrefix(oled, small), "I2C1 at 0x3c is used by display.panel.0.bus already"},
		{"OLED on SPI without D/C", oled + "bus = \"SPI0.1\"\n", "display.panel.0.dc: is missing"},
		{"no port", pole, `display.panel.0.port: is missing; write for example port = "serial:///dev/ttyUSB0?baud=9600"`},
		{"port", pole + "port = \"COM1\"\n", "line 9: display.panel.0.port: "},
		{"dialect", pole + "port = \"/dev/ttyUSB0\"\ndialect = \"klingon\"\n", "line 10: display.panel.0.dialect: must be one of cd5220, dsp800, escpos"},
		{"code page", pole + "port = \"/dev/ttyUSB0\"\ncode_page = \"utf-8\"\n", "line 10: display.panel.0.code_page: must be one of"},
		{"printer and pole on one line", small + "[printer]\nconnect = \"/dev/ttyUSB0\"\n[[display.panel]]\ndriver = \"pole\"\nport = \"/dev/ttyUSB0\"\n", "line 11: display.panel.0.port: /dev/ttyUSB0 is used by printer.connect already"},
		{"one framebuffer twice", small + "[display]\nframebuffer = \"/dev/fb0\"\n[[display.panel]]\ndriver = \"framebuffer\"\n", "/dev/fb0 is used by display.framebuffer already"},
		{"nine panels", small + strings.Repeat("[[display.panel]]\ndriver = \"framebuffer\"\n", 9), "line 7: display.panel: must be at most 8"},
	} {
		t.Run(x.name, func(t *testing.T) {
			_, err := loadConfig(write(t, "till.toml", x.text))
			if err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("got  %v\nwant %s", err, x.want)
			}
			if err != nil && strings.Contains(x.name, "driver") && strings.Contains(err.Error(), "display.panel.0.model") {
				t.Errorf("a wrong driver makes its keys wrong: %v", err)
			}
		})
	}
}

// picturesAt writes a logo and a font into dir, and returns what a configuration says
// of them.
func picturesAt(t *testing.T, dir string) {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, "logo.png"))
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewGray(image.Rect(0, 0, 64, 32)) // black
	if err := png.Encode(file, img); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "mono.ttf"), gomono.TTF, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestConfigPrinterGood reads printers: without a model the columns decide, as they
// did before there were models.
func TestConfigPrinterGood(t *testing.T) {
	for _, x := range []struct {
		name, text, model, said string
		columns                 int
	}{
		{"nothing but a cable", "connect = \"tcp://192.168.1.50\"\n", "80mm", "tcp://192.168.1.50, 48 columns", 48},
		{"32 columns", "connect = \"paper\"\ncolumns = 32\n", "58mm", "paper, 32 columns", 32},
		{"42 columns", "connect = \"paper\"\ncolumns = 42\n", "80mm", "paper, 42 columns", 42},
		{"model", "connect = \"paper\"\nmodel = \"tsp800ii\"\n", "tsp800ii", "paper, tsp800ii, 69 columns", 69},
		{"model and columns", "connect = \"paper\"\nmodel = \"tm-t20iii\"\ncolumns = 42\n", "tm-t20iii", "paper, tm-t20iii, 42 columns", 42},
		{"all", "connect = \"paper\"\nmodel = \"tm-t20iii\"\ndrawer = 5\nlogo = \"logo.png\"\nfonts = [\"mono.ttf\"]\n", "tm-t20iii", "paper, tm-t20iii, 48 columns", 48},
	} {
		t.Run(x.name, func(t *testing.T) {
			path := write(t, "till.toml", small+"[printer]\n"+x.text)
			picturesAt(t, filepath.Dir(path))
			c, err := loadConfig(path)
			if err != nil {
				t.Fatal(err)
			}
			p := c.printer
			if p.model.Name != x.model || p.model.Columns != x.columns || p.describe() != x.said {
				t.Errorf("got %s, %d columns: %s", p.model.Name, p.model.Columns, p.describe())
			}
			if all := x.name == "all"; all != (p.logo != nil) || all != (p.options.Text != nil) || all != (p.options.Pin == 5) {
				t.Errorf("got %+v", p.options)
			}
		})
	}
	if baudOf("serial:///dev/ttyS0") != 9600 || baudOf("serial:///dev/ttyS0?flow=none&baud=115200") != 115200 || baudOf("tcp://a?baud=9600") != 0 {
		t.Error("the speed of a line is misread")
	}
}

// TestConfigPanelsGood reads what the old keys say, and every key of a panel.
func TestConfigPanelsGood(t *testing.T) {
	c, err := loadConfig(write(t, "till.toml", small+`[display]
framebuffer = "/dev/fb1"
console = ""
[[display.panel]]
driver = "mipi"
model = "ili9341"
bus = "SPI0.1"
dc = "GPIO5"
speed = "20MHz"
negative = true
swap_red = true
no_cs = true
[[display.panel]]
driver = "oled"
address = 0x3D
`))
	if err != nil {
		t.Fatal(err)
	}
	p := c.display.panels
	if len(p) != 3 || p[0].driver != driverFrame || p[0].device != "/dev/fb1" || p[0].console != "" {
		t.Fatalf("got %+v", p)
	}
	if p[1].speed != 20*physic.MegaHertz || !p[1].negative || !p[1].swapRed || !p[1].noCS || p[1].lines["dc"] != "GPIO5" || p[1].bus != "SPI0.1" {
		t.Errorf("got %+v", p[1])
	}
	if p[2].address != 0x3D || p[2].bus != "I2C1" || p[2].height != 64 {
		t.Errorf("got %+v", p[2])
	}
}

// TestConfigOfReadmes loads what the two READMEs tell to write: all of it is true.
func TestConfigOfReadmes(t *testing.T) {
	for _, name := range []string{"display", "printer"} {
		readme, err := os.ReadFile(filepath.Join("../..", name, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, code := range regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllSubmatch(readme, -1) {
			text := regexp.MustCompile(`"/[^"]*/([^"/]*)\.(ttf|otf)"`).ReplaceAllString(string(code[1]), `"mono.ttf"`)
			text = regexp.MustCompile(`(?m)^# ([a-z_]+ *= )`).ReplaceAllString(text, "$1") // what may be written
			for i, part := range strings.Split(text, "[[") {                               // each panel is one of several
				if found++; i > 0 {
					part = "[[" + part
				}
				path := write(t, "till.toml", small+part)
				picturesAt(t, filepath.Dir(path))
				if _, err := loadConfig(path); err != nil {
					t.Errorf("%s/README.md: %v\n%s", name, err, part)
				}
			}
		}
		if found == 0 {
			t.Errorf("%s/README.md has no configuration", name)
		}
	}
}

// TestConfigCheckDevices says what the file means: panels in the order of their
// links, those of text last.
func TestConfigCheckDevices(t *testing.T) {
	file := write(t, "till.toml", small+"[[display.panel]]\ndriver = \"pole\"\nport = \"/dev/ttyUSB0\"\n[[display.panel]]\ndriver = \"oled\"\n[[display.panel]]\ndriver = \"framebuffer\"\n")
	if out := good(t, "config", "check", "--config", file); !strings.HasSuffix(out, "printer: none\ndisplay: oled on I2C1; "+tooSmall+"\ndisplay 2: framebuffer on /dev/fb0\ndisplay 3: pole on /dev/ttyUSB0; it tells amounts and states, and is no place for a payment's code\n") {
		t.Errorf("printed %q", out)
	}
}
