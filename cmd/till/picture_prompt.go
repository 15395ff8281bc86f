package main

import (
	"fmt"
	"image"
	"slices"
	"strings"

	"github.com/tillwright/tillwright/display"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/keypad"
)

// scene is what a picture is drawn of: what the customer sees, and what the cashier is
// asked.
type scene struct {
	view   pos.View
	prompt pos.Prompt
}

// on draws the scene for whom a panel is.
func (s scene) on(g display.Glass, shows display.Shows) *image.RGBA {
	return g.Counter(s.view, s.prompt, shows, sampleAt)
}

func placeNames() string {
	var names []string
	for _, p := range keypad.Places {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

// phase returns what the customer sees in the picture.
func (s *screenshotCmd) phase() (pos.Phase, error) {
	if s.Prompt != "" {
		i := slices.IndexFunc(keypad.Places, func(p keypad.Place) bool { return p.Name == s.Prompt })
		if i < 0 {
			return "", fmt.Errorf("there is no moment %q; there are %s", s.Prompt, placeNames())
		}
		return keypad.Places[i].Phase, nil
	}
	phase := pos.Phase(s.Phase)
	if !slices.Contains(phases, phase) {
		return "", fmt.Errorf("there is no phase %q; there are %s", s.Phase, phaseNames())
	}
	return phase, nil
}
