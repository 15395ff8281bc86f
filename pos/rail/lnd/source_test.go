package lnd

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

// source is a connection that changes.
type source struct {
	mu            sync.Mutex
	text, waiting string
	asked         int
}

func (s *source) get() (string, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.text, s.waiting
}

func (s *source) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *source) set(text, waiting string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text, s.waiting = text, waiting
}

// TestNewRefusesASpender: the till must not start with a macaroon that can spend,
// or whose rights nobody can read. It makes no call with it.
func TestNewRefusesASpender(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{})
	for _, mac := range [][]byte{
		unhex(t, adminMacaroon), unhex(t, readonlyMacaroon), unhex(t, routerMacaroon),
		node.Bake("0", append([]string{"offchain:write"}, lndtest.TillRights...)...),
	} {
		_, err := New(Options{Secret: tillSecret, Dial: node.Dial, Source: func() (string, string) { return node.ConnectionWith(mac), "" }})
		if pos.KindOf(err) != pos.Forbidden || err == nil {
			t.Errorf("started with %v", err)
		}
	}
	if node.Calls("GetState")+node.Calls("GetInfo") != 0 {
		t.Error("the node was called")
	}
}

// TestNewRefusesNonsense checks the options.
func TestNewRefusesNonsense(t *testing.T) {
	none := func() (string, string) { return "", "" }
	for name, o := range map[string]Options{
		"no source":    {Secret: tillSecret},
		"no secret":    {Source: none},
		"short secret": {Source: none, Secret: tillSecret[:31]},
		"long secret":  {Source: none, Secret: append(tillSecret, 1)},
		"chain":        {Source: none, Secret: tillSecret, Network: "main"},
		"too short":    {Source: none, Secret: tillSecret, Expiry: 59 * time.Second},
		"too long":     {Source: none, Secret: tillSecret, Expiry: 901 * time.Second},
		"not whole":    {Source: none, Secret: tillSecret, Expiry: 60*time.Second + 1},
	} {
		if _, err := New(o); err == nil || pos.KindOf(err) != pos.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWaitingForANode: while the connection is still being made the cashier reads
// why; once it is there the till takes payments, by itself.
func TestWaitingForANode(t *testing.T) {
	bubble(t, func(t *testing.T) {
		node := lndtest.New(t, lndtest.Options{})
		s := &source{waiting: "starting: building lnd 2/4"}
		r := railBefore(t, node, func(o *Options) { o.Source = s.get })
		if r.Health().Reason != "starting: building lnd 2/4" {
			t.Fatalf("%+v", r.Health())
		}
		_, err := r.Ask(t.Context(), intended(1), "Cafe")
		if pos.KindOf(err) != pos.Unavailable || !strings.Contains(err.Error(), "building lnd 2/4") {
			t.Fatalf("asked: %v", err)
		}
		f, err := r.Check(t.Context(), intended(1))
		doubtful(t, "check", f, err)
		f, err = r.Cancel(t.Context(), intended(1))
		doubtful(t, "cancel", f, err)
		run(t, r)
		time.Sleep(time.Minute)
		if n := s.count(); n < 29 || n > 33 {
			t.Errorf("asked %d times in a minute, want every 2 s", n)
		}
		s.set("", "starting: mining 3/4")
		time.Sleep(sourceEvery)
		synctest.Wait()
		if r.Health().Reason != "starting: mining 3/4" {
			t.Fatalf("%+v", r.Health())
		}
		s.set("", "")
		time.Sleep(sourceEvery)
		synctest.Wait()
		if r.Health().Reason != pos.Word("en", "ln_no_connection") {
			t.Fatalf("%+v", r.Health())
		}
		s.set(node.Connection(), "")
		time.Sleep(sourceEvery)
		synctest.Wait()
		if !r.Health().Ready {
			t.Fatalf("%+v", r.Health())
		}
		before := s.count()
		time.Sleep(time.Hour)
		if s.count() != before {
			t.Error("asked for a connection while all is well")
		}
		requested(t, r, 1)
	})
}

// TestLaterSpender: a macaroon that can spend turns up while the till runs. It is
// never used; the button is grey and says why.
func TestLaterSpender(t *testing.T) {
	bubble(t, func(t *testing.T) {
		node := lndtest.New(t, lndtest.Options{})
		s := &source{waiting: "soon"}
		r := railBefore(t, node, func(o *Options) { o.Source = s.get })
		run(t, r)
		s.set(node.ConnectionWith(unhex(t, adminMacaroon)), "")
		time.Sleep(time.Minute)
		if h := r.Health(); h.Ready || !strings.Contains(h.Reason, "info:write") {
			t.Errorf("%+v", h)
		}
		if _, err := r.Ask(t.Context(), intended(1), "Cafe"); err == nil {
			t.Error("asked with it")
		}
		if n := node.Calls("GetState") + node.Calls("GetInfo") + node.Calls("AddInvoice"); n != 0 {
			t.Errorf("%d calls were made", n)
		}
		s.set("type=lnd-rest;server=http://node", "") // then a slip of the owner's
		time.Sleep(sourceEvery)
		synctest.Wait()
		if h := r.Health(); h.Ready || !strings.Contains(h.Reason, "not encrypted") {
			t.Errorf("%+v", h)
		}
		s.set(node.Connection(), "")
		time.Sleep(sourceEvery)
		synctest.Wait()
		if !r.Health().Ready {
			t.Errorf("%+v", r.Health())
		}
	})
}

// TestLastWordCounts: the owner puts a string in that is no good while the node is
// away. The old connection is not used behind his back.
func TestLastWordCounts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		node := lndtest.New(t, lndtest.Options{})
		s := &source{text: node.Connection()}
		r := railBefore(t, node, func(o *Options) { o.Source = s.get })
		run(t, r)
		synctest.Wait()
		node.SetState("LOCKED")
		time.Sleep(time.Minute)
		s.set(node.ConnectionWith(unhex(t, adminMacaroon)), "")
		time.Sleep(time.Minute)
		node.SetState("SERVER_ACTIVE")
		time.Sleep(time.Minute)
		if h := r.Health(); h.Ready || !strings.Contains(h.Reason, "info:write") {
			t.Errorf("%+v", h)
		}
		if _, err := r.Ask(t.Context(), intended(1), "Cafe"); pos.KindOf(err) != pos.Unavailable {
			t.Errorf("asked: %v", err)
		}
	})
}

// TestReenrolled: the macaroon is revoked, or the certificate renewed; the owner
// puts in a new string, and the open payment is found through it.
func TestReenrolled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		node := lndtest.New(t, lndtest.Options{})
		s := &source{text: node.Connection()}
		r := railBefore(t, node, func(o *Options) { o.Source = s.get })
		run(t, r)
		synctest.Wait()
		p := requested(t, r, 1)
		node.RenewCertificate(10_080 * time.Hour)
		node.Revoke("1007")
		f, err := r.Check(t.Context(), p)
		doubtful(t, "check", f, err)
		time.Sleep(time.Minute)
		if r.Health().Ready {
			t.Fatal("ready with a revoked macaroon")
		}
		if err := node.Pay(p.Payload, 4_300_000); err != nil {
			t.Fatal(err)
		}
		s.set(node.ConnectionWith(node.Bake("1008", lndtest.TillRights...)), "")
		time.Sleep(sourceEvery)
		synctest.Wait()
		if !r.Health().Ready {
			t.Fatalf("%+v", r.Health())
		}
		if f := found(t, r, p); f.Event != pos.Settle {
			t.Errorf("found %+v", f)
		}
	})
}

// TestIncompleteMacaroon: what is missing is said before a customer stands there.
func TestIncompleteMacaroon(t *testing.T) {
	bubble(t, func(t *testing.T) {
		node := lndtest.New(t, lndtest.Options{})
		text := node.ConnectionWith(node.Bake("1007", lndtest.TillRights[0], lndtest.TillRights[1], lndtest.TillRights[2], lndtest.TillRights[4]))
		r := railBefore(t, node, func(o *Options) { o.Source = func() (string, string) { return text, "" } })
		run(t, r)
		synctest.Wait()
		if h := r.Health(); h.Ready || !strings.Contains(h.Reason, "CancelInvoice") {
			t.Errorf("%+v", h)
		}
	})
}
