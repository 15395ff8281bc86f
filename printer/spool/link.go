package spool

import (
	"math/rand/v2"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
)

// States of a link.
const (
	online  = "online"
	offline = "offline"
	unknown = "unknown"
)

// heard notes what a printer that was reached said of itself.
func (s *Spool) heard(st printer.Status) {
	s.status, s.answers, s.failures, s.rest = st, st.Known, 0, time.Time{}
	s.probe = time.Now().Add(probeEvery)
	switch key := st.Trouble(); {
	case key != "":
		s.probe = time.Now().Add(lookAgain)
		s.tell(offline, key)
	case !st.Known:
		s.tell(unknown, "printer_silent")
	case st.PaperLow:
		s.tell(online, "printer_low")
	default:
		s.tell(online, "")
	}
	s.look(st.Drawer)
}

// look tells of the drawer, if its sensor says anything. One that stands open is looked
// at often: somebody is about to shut it.
func (s *Spool) look(level printer.Level) {
	if s.o.DrawerOpen == "" || level == "" {
		return
	}
	open := level == s.o.DrawerOpen
	if open {
		s.probe = time.Now().Add(min(drawerEvery, time.Until(s.probe)))
	}
	if open != s.ajar {
		s.ajar = open
		s.o.Drawer(open)
	}
}

// lost notes that a printer would not print or could not be reached, and sets when
// to try again. A printer that said what is wrong is looked at often: somebody is
// changing its roll.
func (s *Spool) lost(st printer.Status, err error) {
	s.log.Info("printer does not print", "err", err)
	s.status, s.answers = st, s.answers || st.Known
	key, pause := st.Trouble(), lookAgain
	if key == "" || st.Stalled {
		pause = backoff(s.failures)
		s.failures++
	}
	if key == "" {
		key = "printer_unreachable"
	}
	if len(s.seen) > 0 && s.waitsForDrawer() {
		pause = min(pause, lookAgain)
	}
	s.rest = time.Now().Add(pause)
	s.probe = s.rest
	s.tell(offline, key)
}

// waitsForDrawer reports that a drawer should still open.
func (s *Spool) waitsForDrawer() bool {
	for _, k := range s.seen {
		if k.tried && !k.kicked && time.Since(k.at)+k.age < pos.DrawerWithin {
			return true
		}
	}
	return false
}

// backoff is the pause after n failures: doubling, bounded, a fifth of it by
// chance, so that the tills of a shop do not knock on one printer together.
func backoff(n int) time.Duration {
	d := backoffTo
	if n < 10 {
		d = min(backoffFrom<<n, backoffTo)
	}
	return d - time.Duration(rand.Int64N(int64(d)/5))
}

// tell reports a change, in the shop's language.
func (s *Spool) tell(state, key string) {
	l := pos.Link{Name: s.o.Name, State: state}
	if key != "" {
		l.Detail = pos.Word(s.o.Shop.Language, key)
	}
	if l != s.told {
		s.told = l
		s.o.Link(l)
	}
}
