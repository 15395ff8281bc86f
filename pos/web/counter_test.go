package web

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// TestAtCounter follows two people at one counter: a scan is theirs who did something
// last, keeps their screen open and nobody else's, and is nobody's when all have left.
func TestAtCounter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &App{sessions: newSessions()}
		want := func(name string) {
			t.Helper()
			if who, ok := a.AtCounter(); who.Name != name || ok != (name != "") {
				t.Errorf("after %v it was %q, want %q", time.Now(), who.Name, name)
			}
		}
		want("")
		anna := a.sessions.start(pos.Actor{ID: "1", Name: "Anna"})
		time.Sleep(time.Second)
		bob := a.sessions.start(pos.Actor{ID: "2", Name: "Bob"})
		want("Bob")
		time.Sleep(time.Second)
		a.sessions.peek(anna) // a screen that only watches
		want("Bob")
		time.Sleep(time.Second)
		a.sessions.use(anna)
		want("Anna")
		for range 10 { // nobody touches a screen, Anna scans
			time.Sleep(idleLock - time.Second)
			want("Anna")
		}
		if _, ok := a.sessions.peek(bob); ok {
			t.Error("Bob's screen was kept open by Anna's scans")
		}
		a.sessions.end(anna)
		want("")
		a.sessions.start(pos.Actor{ID: "3", Name: "Cem"})
		time.Sleep(idleLock)
		want("")
	})
}
