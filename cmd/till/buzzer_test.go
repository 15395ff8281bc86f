package main

import (
	"strings"
	"testing"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"
)

// TestBuzzerConfig: what works on every board is what stands there when nothing is
// written, and a tone is asked for only where one can be made.
func TestBuzzerConfig(t *testing.T) {
	pin := &gpiotest.Pin{N: "GPIO5"}
	asked := ""
	b := board{line: func(name string) (gpio.PinIO, error) { asked += name; return pin, nil }}
	for _, x := range []struct{ name, text, want, asked string }{
		{"one that makes its own", `line = "GPIO5"`, "GPIO5", "GPIO5"},
		{"and says so", "line = \"GPIO5\"\nkind = \"active\"", "GPIO5", "GPIO5"},
		{"passive", "line = \"GPIO18\"\nkind = \"passive\"", "GPIO18", ""},
		{"another board's", "line = \"pwmchip0/1\"\nkind = \"passive\"", "pwmchip0/1", ""},
		{"by its device", "line = \"1f00098000.pwm/2\"\nkind = \"passive\"", "1f00098000.pwm/2", ""},
		{"passive where no tone is", "line = \"GPIO5\"\nkind = \"passive\"", "line 8: hands.buzzer.line: a passive buzzer needs GPIO12, GPIO13, GPIO18 or GPIO19", ""},
		{"a channel for one that makes its own", `line = "pwmchip0/1"`, `line 8: hands.buzzer.line: must name a line such as "GPIO17", not "pwmchip0/1"`, ""},
		{"a path", "line = \"../x/1\"\nkind = \"passive\"", "line 8: hands.buzzer.line: must name a line", ""},
		{"passive without a line", `kind = "passive"`, "hands.buzzer.line: is missing", ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			asked = ""
			c, err := loadConfig(write(t, "till.toml", small+"[hands.buzzer]\n"+x.text+"\n"))
			if err != nil {
				if !strings.Contains(err.Error(), x.want) {
					t.Errorf("got %v, want %q", err, x.want)
				}
				return
			}
			v, err := b.voice(*c.hands.buzzer)
			if err != nil || v.String() != x.want || asked != x.asked {
				t.Errorf("got %v, %v, and asked for %q", v, err, asked)
			}
		})
	}
}
