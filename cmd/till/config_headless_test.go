package main

import (
	"strings"
	"testing"
)

// TestCutOff: a till with a keypad is set up from a phone, so an address that no phone
// reaches is told when the configuration is looked at.
func TestCutOff(t *testing.T) {
	for listen, told := range map[string]bool{
		"127.0.0.1:8080": true, "localhost:80": true, "[::1]:8080": true, ":80": false, "0.0.0.0:8080": false, "[::]:80": false, "192.168.1.20:80": false,
	} {
		for on, extra := range map[bool]string{true: glassAndKeys, false: ""} {
			out := good(t, "config", "check", "-config", write(t, "till.toml", "listen = \""+listen+"\"\n"+small+extra))
			if got := strings.Contains(out, "no phone can reach this till"); got != (told && on) {
				t.Errorf("listen %s, keypad %t:\n%s", listen, on, out)
			}
		}
	}
}
