package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

// TestLinksHaveNames finds a word for everything that a running till lists under Status:
// without one the screen shows the program's own name in capitals.
func TestLinksHaveNames(t *testing.T) {
	var words map[string]map[string]string
	if err := json.Unmarshal(pos.WordsJSON(), &words); err != nil {
		t.Fatal(err)
	}
	_, c, _ := inProcess(t, t.TempDir(), lndtest.New(t, lndtest.Options{TCP: true}))
	c.found()
	v := c.wait("storage and clock", func(v pos.View) bool { return linkOf(v, "storage").Name != "" && linkOf(v, "clock").Name != "" })
	for _, l := range v.Counter.Links {
		kind, _, _ := strings.Cut(l.Name, " ")
		if words["ui.link."+kind] == nil && words["ui.tender."+kind] == nil && words[kind] == nil {
			t.Errorf("%s has no name on the screens", l.Name)
		}
	}
}
