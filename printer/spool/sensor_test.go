package spool

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/printer"
)

// TestDrawerSensor: the till hears of an open drawer after a sale, and within seconds of
// its being shut, whichever level its sensor gives; of a printer that does not answer it
// hears nothing.
func TestDrawerSensor(t *testing.T) {
	for _, means := range []printer.Level{printer.High, printer.Low} {
		synctest.Test(t, func(t *testing.T) {
			var told []string
			s := open(t, func(s *shop) {
				s.p.SetSensor(means != printer.High) // shut
				s.o.DrawerOpen = means
				s.o.Drawer = func(open bool) { s.set(func() { told = append(told, fmt.Sprint(open)) }) }
			})
			want := func(texts string) {
				t.Helper()
				s.set(func() {
					if got := strings.Join(told, " "); got != texts {
						t.Errorf("%s means open: told %q, want %q", means, got, texts)
					}
				})
			}
			s.p.SetSensor(means == printer.High) // with the sale's kick
			s.sell(1, true)
			want("true")
			wait(time.Hour)
			want("true")
			s.p.SetSensor(means != printer.High)
			wait(drawerEvery)
			want("true false")
			s.p.SetSensor(means == printer.High) // by its key
			wait(probeEvery)
			want("true false true")
			s.p.SetOneWay(true)
			s.p.SetSensor(means != printer.High)
			wait(time.Hour)
			want("true false true")
		})
	}
}

// TestNoSensor: without a word about it in the configuration nobody is told anything.
func TestNoSensor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, nil)
		s.p.SetSensor(true)
		s.sell(1, true)
		wait(time.Minute)
		if s.spool.ajar {
			t.Error("the drawer is taken for open")
		}
	})
}
