package main

import (
	"os"
	"strings"
)

const (
	// maxConnection bounds a connection file: a string with a whole certificate in it
	// has some 2 KB.
	maxConnection = 16 << 10
	noConnection  = "waiting for the node's connection file"
)

// connectionSource returns where the Lightning rail gets its connection string. A
// file may come later, or be replaced: while it only holds a line that begins with
// "#", that line is what the cashier reads.
func connectionSource(c lightningConfig) func() (text, waiting string) {
	if c.connection != "" {
		return func() (string, string) { return c.connection, "" }
	}
	return func() (string, string) {
		text, err := os.ReadFile(c.file)
		if err != nil || len(text) > maxConnection {
			return "", noConnection
		}
		waiting := noConnection
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			why, comment := strings.CutPrefix(line, "#")
			switch {
			case comment:
				waiting = strings.TrimSpace(why)
			case line != "":
				return line, ""
			}
		}
		return "", waiting
	}
}
