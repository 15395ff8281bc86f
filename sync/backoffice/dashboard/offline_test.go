package dashboard

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

// offline gives the till a key and three payments: an open one, a paid one that it
// gave up, and a paid one that it has not heard of.
func (o *office) offline(till *tilltest.Till) {
	o.t.Helper()
	now := time.Now()
	k, err := o.db.OfflineGrant(o.t.Context(), store.OfflineAsk{Till: till.Genesis.Till, MaxAge: time.Hour, NewDevice: offpay.Device{1}, NewSalt: make([]byte, 32)}, now)
	if err != nil {
		o.t.Fatal(err)
	}
	for n := uint32(1); n <= 3; n++ {
		s := store.OfflineSale{OfflineID: store.OfflineID{Device: k.Device, Counter: n}, Till: k.Till, Token: offpay.Token{byte(n)}, Minor: int64(n) * 1111, Currency: "EUR", TTL: time.Hour}
		_, err := o.db.OfflineSee(o.t.Context(), s, now)
		if n == 1 {
			err = errors.Join(err, o.db.OfflineSay(o.t.Context(), s.OfflineID, store.OfflineSaid{Void: true}, "", store.Alarm{}, now))
		}
		if n < 3 {
			i := store.OfflineInvoice{OfflineID: s.OfflineID, Attempt: 1, Hash: [32]byte{byte(n)}, Msat: 1000, Made: now, Ends: now}
			err = errors.Join(err, o.db.OfflineSettled(o.t.Context(), i, int64(n)*7_777_000, now))
		}
		if err != nil {
			o.t.Fatal(err)
		}
	}
}

// TestOfflinePage reads the page and presses its buttons.
func TestOfflinePage(t *testing.T) {
	o := newOffice(t, "en")
	till := o.sample()
	o.signIn()
	_, page := o.do("GET", "/offline", nil)
	for _, want := range []string{"150.00\u00a0EUR a sale", "1,500.00\u00a0EUR together", "To refund", "#0001", "11.11\u00a0EUR", "7777 sat", "#0002", "22.22\u00a0EUR", "15554 sat", "#0003", "33.33\u00a0EUR", "0100000000", "renewed 0 ×"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q on the page", want)
		}
	}
	if strings.Contains(page, "Never paid") {
		t.Error("a list of lies, and there is none")
	}
	press := func(path, want, not string) {
		t.Helper()
		res, page := o.do("POST", path, nil)
		if res.StatusCode != 200 || !strings.Contains(page, want) || strings.Contains(page, not) {
			t.Errorf("%s: %s, want %q and not %q", path, res.Status, want, not)
		}
	}
	id := till.Genesis.Till
	press("/offline/payments/0100000000/0/1/done", "Paid", "To refund")
	press("/offline/"+id+"/renew", "New key", "no such")
	if k, err := o.db.OfflineGrant(t.Context(), store.OfflineAsk{Till: id, MaxAge: time.Hour, NewSalt: make([]byte, 32)}, time.Now()); err != nil || k.Epoch != 1 {
		t.Errorf("a new key was asked for and the till gets %+v, %v", k, err)
	}
	press("/offline/"+id+"/off", "The owner has switched off", "pill good")
	press("/offline/"+id+"/on", "none yet", "The owner has switched off")
	if alarms, err := o.db.Alarms(t.Context()); err != nil || len(alarms) != 1 {
		t.Errorf("the owner's own button raises an alarm: %+v, %v", alarms, err)
	}
	for _, path := range []string{"/offline/" + id + "/explode", "/offline/0000000000000000/off", "/offline/payments/01/0/1/done", "/offline/payments/0100000000/256/1/done", "/offline/payments/0100000000/0/-1/done"} {
		if res, _ := o.do("POST", path, nil); res.StatusCode != 404 {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	if res, _ := o.do("POST", "/offline/"+id+"/off", nil, "Origin", "https://evil.example"); res.StatusCode != 403 {
		t.Errorf("another site switches a till off: %s", res.Status)
	}
}
