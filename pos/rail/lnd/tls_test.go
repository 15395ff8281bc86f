package lnd

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

// TestPins connects with each kind of pin to a node that has the certificate, and
// to one that has another.
func TestPins(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{})
	old := strings.Repeat("ab", 32)
	base := "type=lnd-rest;server=https://" + node.Address() + "/;macaroon=" + tillMacaroon
	for _, tt := range []struct {
		name, pins string
		want       fault
		ok         bool
	}{
		{"certificate", ";certthumbprint=" + node.Thumbprint(), 0, true},
		{"key", ";spkithumbprint=" + node.SPKI(), 0, true},
		{"old and present", ";certthumbprint=" + old + "," + node.Thumbprint(), 0, true},
		{"present and next", ";certthumbprint=" + node.Thumbprint() + ";certthumbprint=" + old, 0, true},
		{"another", ";certthumbprint=" + old, faultPin, false},
		{"none, self-signed", "", faultAuthority, false},
	} {
		conn, err := ParseConnection(base + tt.pins)
		if err != nil {
			t.Fatal(err)
		}
		c := newClient(conn, node.Dial, func() bool { return true })
		_, err = c.state(t.Context())
		if (err == nil) != tt.ok || err != nil && faultOf(err) != tt.want {
			t.Errorf("%s: %v (fault %d), want fault %d", tt.name, err, faultOf(err), tt.want)
		}
		if tt.ok != (c.ends.Load() != 0) {
			t.Errorf("%s: the certificate's end is %d", tt.name, c.ends.Load())
		}
		c.close()
	}
	if node.Calls("GetState") != 4 {
		t.Errorf("%d calls got through, want 4", node.Calls("GetState"))
	}
}

// TestMacaroonStaysHome: nothing is sent to who shows another certificate.
func TestMacaroonStaysHome(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{})
	r := railBefore(t, node)
	p := requested(t, r, 1)
	node.RenewCertificate(10_080 * time.Hour)
	before := node.Calls("LookupInvoice")
	f, err := r.Check(t.Context(), p)
	doubtful(t, "check", f, err)
	if e, _ := errors.AsType[*pos.Error](err); e == nil || e.Msg != pos.Word("en", "ln_pin") {
		t.Errorf("a stranger is called %v", err)
	}
	if node.Calls("LookupInvoice") != before {
		t.Error("the call reached the stranger")
	}
}

// TestStateNeedsNoMacaroon: the one call that lnd takes from anybody goes without.
func TestStateNeedsNoMacaroon(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{})
	r := railBefore(t, node)
	sent := "nothing"
	node.Next("GetState", func(w httpWriter, r *httpRequest, serve func(httpWriter, *httpRequest)) {
		sent = strings.Join(r.Header.Values("Grpc-Metadata-macaroon"), "")
		serve(w, r)
	})
	if _, err := r.node.Load().state(t.Context()); err != nil || sent != "" {
		t.Errorf("%v, sent %d bytes", err, len(sent))
	}
}

// TestEndedCertificate: the pinned certificate is past its end. With a clock to be
// believed the till says so; on a board whose clock nobody vouches for, the pin
// alone counts.
func TestEndedCertificate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		node := lndtest.New(t, lndtest.Options{})
		node.RenewCertificate(23 * time.Hour) // ended an hour ago
		trusted := false
		r := railBefore(t, node, func(o *Options) { o.ClockTrusted = func() bool { return trusted } })
		p := requested(t, r, 1)
		trusted = true
		r.node.Load().close() // the next call shakes hands anew
		f, err := r.Check(t.Context(), p)
		doubtful(t, "check", f, err)
		if faultOf(err) != faultEnded {
			t.Errorf("fault %d, %v", faultOf(err), err)
		}
		h, _ := r.examine(t.Context(), r.node.Load())
		if h.Ready || h.Reason != pos.Word("en", "ln_certificate_ended") {
			t.Errorf("%+v", h)
		}
	})
}
