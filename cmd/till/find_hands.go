package main

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/tillwright/tillwright/firmware/input"
)

// soundsLikeScanner finds the words that scanners have in their names: what they are,
// and who makes nothing else.
var soundsLikeScanner = regexp.MustCompile(`(?i)scan|bar ?code|symbol|honeywell|metrologic|datalogic|newland|zebex|opticon|inateck|netum`)

// findHands proposes what types: a scanner by its name, as it stands; the rest as
// comments. What looks like a keyboard may be a scanner: only its owner knows.
func findHands(b *strings.Builder, sys fs.FS) {
	found, err := input.Find(sys)
	if err != nil {
		found = nil // a board without such devices
	}
	title(b, "Scanners, keypads, keyboards, touch panels", len(found))
	proposed := map[string]bool{}
	for _, f := range found {
		name := f.Name
		if name == "" {
			name = "?"
		}
		who := fmt.Sprintf("id = %q", f.ID)
		if f.ID == (input.ID{}) {
			who = fmt.Sprintf("match = %q", f.Name)
		}
		if !f.Digits || proposed[who] || f.ID == (input.ID{}) && f.Name == "" {
			fmt.Fprintf(b, "# %-8s %s (nothing to configure)\n", strings.TrimPrefix(f.Path, "/dev/input/"), name)
			continue
		}
		proposed[who] = true
		fmt.Fprintf(b, "\n# %s, %s\n%s", name, f.Path, proposal(f, who))
	}
}

// proposal is the part of a configuration for f, which is told apart by who.
func proposal(f input.Found, who string) string {
	scanner := fmt.Sprintf("[[hands.scanner]]\n%s\nlayout = \"us\" # the keyboard that it is set to\n", who)
	switch {
	case !f.Letters:
		return comment("[[hands.keypad]] # for a till that is worked with it alone\n" + who + "\n")
	case soundsLikeScanner.MatchString(f.Name):
		return scanner
	}
	return comment(strings.Replace(scanner, "]]\n", "]] # if it is one; a keyboard needs no setting\n", 1))
}
