package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/cmd/internal/outage"
	"github.com/tillwright/tillwright/pos"
)

// inBubble runs body with a shop on a fake clock.
func inBubble(t *testing.T, o setting, body func(*testing.T, *world)) {
	t.Helper()
	warm()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, o)
		defer w.closeInBubble()
		body(t, w)
	})
}

// expectLink demands a state and, by the key of its word, a reason.
func (w *world) expectLink(name, state, word string) {
	w.t.Helper()
	want := pos.Link{Name: name, State: state}
	if word != "" {
		want.Detail = pos.Word("en", word)
	}
	if got := w.linkNamed(name); got != want {
		w.t.Errorf("the screen says %+v, want %+v", got, want)
	}
}

// TestCauses breaks internet and backoffice in every way. Goal: within two minutes
// the counter's screen names each, with the cause that a person can do something
// about; and within the outbox's longest pause of their end both are well again.
func TestCauses(t *testing.T) {
	tests := []struct {
		mode             outage.Mode
		internet, office string // keys of words
	}{
		{outage.Cut, "internet_silent", "sync_offline"},
		{outage.Unreachable, "internet_silent", "sync_offline"},
		{outage.Nameless, "internet_names", "sync_offline"},
		{outage.HalfOpen, "internet_silent", "sync_offline"},
		{outage.Portal, "internet_sign_in", "sync_sign_in"},
		{outage.Redirect, "internet_sign_in", "sync_sign_in"},
		{outage.Impostor, "internet_sign_in", "sync_sign_in"}, // its certificate is nobody's
	}
	for _, tt := range tests {
		t.Run(tt.mode.String(), func(t *testing.T) {
			inBubble(t, setting{}, func(t *testing.T, w *world) {
				w.enrol()
				time.Sleep(2 * time.Minute)
				w.expectLink("internet", "online", "")
				w.expectLink("backoffice", "online", "")
				w.internet.Set(tt.mode)
				w.officeLine.Set(tt.mode)
				time.Sleep(2 * time.Minute)
				w.expectLink("internet", "offline", tt.internet)
				w.expectLink("backoffice", "offline", tt.office)
				time.Sleep(10 * time.Minute)
				w.expectLink("internet", "offline", tt.internet)
				w.internet.Set(outage.Whole)
				w.officeLine.Set(outage.Whole)
				time.Sleep(90 * time.Second)
				w.expectLink("internet", "online", "")
				time.Sleep(5 * time.Minute)
				w.expectLink("backoffice", "online", "")
			})
		})
	}
}

// TestOneLineIsEnough breaks the exchanges alone, then the backoffice alone. Goal:
// whoever else answers proves that the internet is there, and each outage is named
// as its own.
func TestOneLineIsEnough(t *testing.T) {
	inBubble(t, setting{}, func(t *testing.T, w *world) {
		w.enrol()
		time.Sleep(2 * time.Minute)
		w.internet.Set(outage.HalfOpen)
		time.Sleep(7 * time.Minute)
		w.expectLink("internet", "online", "")
		if l := w.linkNamed("rates"); l.State != "offline" || l.Detail == "" {
			t.Errorf("no exchange answers, and the screen says %+v", l)
		}
		w.internet.Set(outage.Whole)
		w.officeLine.Set(outage.Cut)
		time.Sleep(7 * time.Minute)
		w.expectLink("internet", "online", "")
		w.expectLink("backoffice", "offline", "sync_offline")
	})
}

// TestDeadConnection lets the lines fall silent under connections that are kept
// open, HTTP/2 ones among them, and mends them. Goal: the till does not hold on to
// a connection that is dead: prices and backoffice are back within minutes, not
// when the kernel gives up.
func TestDeadConnection(t *testing.T) {
	inBubble(t, setting{}, func(t *testing.T, w *world) {
		w.enrol()
		time.Sleep(2 * time.Minute)
		for _, l := range w.links() {
			l.Set(outage.HalfOpen)
			l.Set(outage.Whole) // at once: only what was connected is dead
		}
		time.Sleep(3 * time.Minute)
		for _, name := range []string{"internet", "rates", "backoffice", "lightning"} {
			w.expectLink(name, "online", "")
		}
	})
}

// TestLiesMoveNoBooks has somebody else answer in the backoffice's place over plain
// HTTP, where no certificate protects the till. Goal: nothing counts as delivered,
// the cashier is told who answers, and it is all delivered afterwards.
func TestLiesMoveNoBooks(t *testing.T) {
	for mode, word := range map[outage.Mode]string{
		outage.Portal: "sync_sign_in", outage.Redirect: "sync_sign_in", outage.Impostor: "sync_stranger",
	} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, setting{plain: true}, func(t *testing.T, w *world) {
				w.enrol()
				time.Sleep(2 * time.Minute)
				d := &day{world: w}
				w.officeLine.Set(mode)
				before := w.till.desk.Acked()
				for range 5 {
					d.must(pos.AddItem{SKU: "ESP"})
					d.must(pos.Pay{Tender: pos.Cash})
					time.Sleep(2 * time.Minute)
				}
				if got := w.till.desk.Acked(); got != before {
					t.Errorf("%d records are taken for delivered, %d were", got, before)
				}
				if s := d.view().Counter.Sync; s.Sales != 5 || s.Amount.Minor != 5*290 {
					t.Errorf("five sales wait, and the screen says %+v", s)
				}
				w.expectLink("backoffice", "offline", word)
				w.officeLine.Set(outage.Whole)
				time.Sleep(7 * time.Minute)
				if s := d.view().Counter.Sync; s.Sales != 0 || s.Waiting > 1 {
					t.Errorf("the line is back, and the screen says %+v", s)
				}
			})
		})
	}
}

// must gives a command that has to succeed.
func (d *day) must(a pos.Action) pos.Answer {
	d.t.Helper()
	out, _, err := d.do(a)
	if err != nil {
		d.t.Fatal(err)
	}
	d.till.desk.Sales("", 1)
	return out
}

// TestClockBehind starts a board whose clock stands before everybody's certificates.
// Goal: cash and Lightning (pinned) go on, the cause is named where it is the cause,
// and once the clock is right everything comes by itself.
func TestClockBehind(t *testing.T) {
	inBubble(t, setting{behind: 20 * time.Minute}, func(t *testing.T, w *world) {
		time.Sleep(5 * time.Minute)
		w.expectLink("internet", "offline", "internet_clock")
		d := &day{world: w}
		d.must(pos.AddItem{SKU: "ESP"})
		d.must(pos.Pay{Tender: pos.Cash})
		if l := w.linkNamed("lightning"); l.State != "online" {
			t.Errorf("a pinned node is refused for the till's clock: %+v", l)
		}
		time.Sleep(20 * time.Minute)
		w.expectLink("internet", "online", "")
		w.enrol()
		time.Sleep(2 * time.Minute)
		w.expectLink("backoffice", "online", "")
		w.expectLink("clock", "online", "")
	})
}

// TestClockBehindEnrolled is the same for a till that has a backoffice already: it
// says that its clock is to be set, and not that head office is away.
func TestClockBehindEnrolled(t *testing.T) {
	inBubble(t, setting{}, func(t *testing.T, w *world) {
		w.enrol()
		time.Sleep(2 * time.Minute)
		w.officeTLS.Certificates = w.certificates(time.Now().Add(20*time.Minute), "office.example")
		w.officeLine.Set(outage.Cut)
		w.officeLine.Set(outage.Whole)
		time.Sleep(10 * time.Minute)
		w.expectLink("backoffice", "offline", "sync_clock")
		time.Sleep(16 * time.Minute)
		w.expectLink("backoffice", "online", "")
	})
}
