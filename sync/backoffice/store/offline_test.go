package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

// TestUpgrade opens a database that the first version made. Goal: what is in it
// stays, the new tables work, and a second opening changes nothing.
func TestUpgrade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	schema, err := os.ReadFile("schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	old, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	till := tilltest.New(1, "01", "EUR", t0)
	_, err = old.ExecContext(t.Context(), string(schema)+`PRAGMA user_version = 1;
		INSERT INTO tills (id, key, name, series, currency, enrolled, seen, counter, last_n, last_hash, last_at, sales, turnover)
		VALUES ('`+till.Genesis.Till+`', x'00', 'Old till', '01', 'EUR', 1, 1, 7, 3, x'00', 1, 2, 3);
		INSERT INTO alarms (till, kind, n, why, first, last, times, done) VALUES ('`+till.Genesis.Till+`', 'fork', 1, 'why', 1, 1, 1, 0);`)
	if err := errors.Join(err, old.Close()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		db := open(t, path)
		got, err := db.Till(t.Context(), till.Genesis.Till)
		alarms, err2 := db.Alarms(t.Context())
		if errors.Join(err, err2) != nil || got.Name != "Old till" || got.Head.N != 3 || len(alarms) != 1 {
			t.Errorf("got %+v, %+v, %v, %v", got, alarms, err, err2)
		}
		if _, err := db.OfflineGrant(t.Context(), ask(till.Genesis.Till, 1), t0); err != nil {
			t.Errorf("the new tables: %v", err)
		}
		if _, upTo, err := db.OfflineUnread(t.Context(), till.Genesis.Till); err != nil || upTo != 0 {
			t.Errorf("records from before are to be read: up to %d, %v", upTo, err)
		}
	}
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.ExecContext(t.Context(), "PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), path); pos.KindOf(err) != pos.Invalid {
		t.Errorf("a newer database: %v", err)
	}
}

// ask wants a key; n makes what it would be made of.
func ask(till string, n byte) store.OfflineAsk {
	return store.OfflineAsk{Till: till, MaxAge: time.Hour, NewDevice: offpay.Device{n}, NewSalt: []byte{n, 31: 0}}
}

// TestUpgradeRace has several processes bring one database forward at once.
func TestUpgradeRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	schema, err := os.ReadFile("schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	old, err := sql.Open("sqlite", path)
	if err == nil {
		_, err = old.ExecContext(t.Context(), string(schema)+"PRAGMA user_version = 1;")
	}
	if err := errors.Join(err, old.Close()); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			db, err := store.Open(context.Background(), path)
			if err == nil {
				err = db.Close()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestGrantRace asks for a till's first key in many processes at once. Goal: one
// device, one key.
func TestGrantRace(t *testing.T) {
	path := temp(t)
	till := tilltest.New(1, "01", "EUR", t0)
	dbs := []*store.DB{open(t, path), open(t, path)}
	enrol(t, dbs[0], till)
	var wg sync.WaitGroup
	got := make([]store.OfflineKey, 8)
	for i := range got {
		wg.Go(func() {
			var err error
			if got[i], err = dbs[i%2].OfflineGrant(t.Context(), ask(till.Genesis.Till, byte(i+1)), t0); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, k := range got {
		if k.Device != got[0].Device || k.Epoch != 0 || string(k.Salt) != string(got[0].Salt) {
			t.Errorf("got %+v and %+v", got[0], k)
		}
	}
}

// TestOfflineSale walks a sale's rows: one live invoice, steps only forward, and
// whoever is second is told so.
func TestOfflineSale(t *testing.T) {
	db := open(t, temp(t))
	till := tilltest.New(1, "01", "EUR", t0)
	enrol(t, db, till)
	key, err := db.OfflineGrant(t.Context(), ask(till.Genesis.Till, 1), t0)
	if err != nil {
		t.Fatal(err)
	}
	id := store.OfflineID{Device: key.Device, Counter: 7}
	sale := store.OfflineSale{OfflineID: id, Till: till.Genesis.Till, Token: offpay.Token{1}, Minor: 1250, Currency: "EUR", Issued: t0, TTL: 20 * time.Minute}
	kept, err := db.OfflineSee(t.Context(), sale, t0)
	if err != nil || kept.Token != sale.Token || !kept.First.Equal(t0) || kept.TTL != sale.TTL || kept.State != store.OfflineOpen {
		t.Fatalf("got %+v, %v", kept, err)
	}
	other := sale
	other.Token = offpay.Token{2}
	if kept, err := db.OfflineSee(t.Context(), other, t0.Add(time.Hour)); err != nil || kept.Token != sale.Token {
		t.Errorf("a second body under the counter: %+v, %v", kept, err)
	}
	if k, err := db.OfflineKey(t.Context(), id.Device, 0); err != nil || k.Highest != 7 || k.Held.IsZero() {
		t.Errorf("the token proves nothing: %+v, %v", k, err)
	}
	invoice := func(n int) store.OfflineInvoice {
		return store.OfflineInvoice{OfflineID: id, Attempt: n, Hash: [32]byte{byte(n)}, Msat: 1000, Rate: "r", Quoted: t0, Made: t0, Ends: t0.Add(time.Minute), State: store.InvoiceLive}
	}
	no := func(err error, what string) {
		t.Helper()
		if pos.KindOf(err) != pos.Conflict {
			t.Errorf("%s: %v", what, err)
		}
	}
	yes := func(err error, what string) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	yes(db.OfflineQuote(t.Context(), id, time.Time{}, t0, "r", 1000), "quote")
	no(db.OfflineQuote(t.Context(), id, time.Time{}, t0, "r", 1000), "quote over another's")
	no(db.OfflineBegin(t.Context(), invoice(2)), "attempt 2 first")
	yes(db.OfflineBegin(t.Context(), invoice(1)), "attempt 1")
	no(db.OfflineBegin(t.Context(), invoice(1)), "attempt 1 again")
	no(db.OfflineBegin(t.Context(), invoice(2)), "attempt 2 beside a live one")
	no(db.OfflineClose(t.Context(), id, "why", store.Alarm{}, t0), "close beside a live one")
	yes(db.OfflineMade(t.Context(), [32]byte{1}, "lnbc1", t0.Add(5*time.Minute)), "made")
	yes(db.OfflineMade(t.Context(), [32]byte{1}, "lnbc2", t0.Add(6*time.Minute)), "made again")
	if all, err := db.OfflineInvoices(t.Context(), id); err != nil || len(all) != 1 || all[0].Text != "lnbc1" || !all[0].Ends.Equal(t0.Add(5*time.Minute)) {
		t.Errorf("got %+v, %v", all, err)
	}
	yes(db.OfflineGone(t.Context(), [32]byte{1}), "gone")
	no(db.OfflineMade(t.Context(), [32]byte{1}, "lnbc3", t0), "made after it was gone")
	yes(db.OfflineSay(t.Context(), id, store.OfflineSaid{Void: true}, "", store.Alarm{}, t0), "void")
	no(db.OfflineBegin(t.Context(), invoice(2)), "attempt 2 after void")
	yes(db.OfflineClose(t.Context(), id, "why", store.Alarm{}, t0), "close")
	no(db.OfflineClose(t.Context(), id, "why", store.Alarm{}, t0), "close again")
	no(db.OfflineQuote(t.Context(), id, t0, t0, "r", 1000), "quote after the end")
	if a, err := db.Alarms(t.Context()); err != nil || len(a) != 0 {
		t.Errorf("alarms %+v, %v", a, err)
	}
	yes(db.OfflineSay(t.Context(), id, store.OfflineSaid{Accepted: true}, "off", store.Alarm{Till: sale.Till, Kind: store.AlarmRefuted, N: 7}, t0), "accepted after the end")
	if a, err := db.Alarms(t.Context()); err != nil || len(a) != 1 {
		t.Errorf("accepted after the end: alarms %+v, %v", a, err)
	}
	if _, err := db.OfflineGrant(t.Context(), ask(sale.Till, 2), t0); pos.KindOf(err) != pos.Forbidden {
		t.Errorf("accepted after the end: granted, %v", err)
	}
	yes(db.OfflineSettled(t.Context(), invoice(1), 1000, t0), "money is never turned away")
	if s, err := db.OfflineSale(t.Context(), id); err != nil || s.State != store.OfflinePaid || s.Received != 1000 || !s.Refuted.IsZero() {
		t.Errorf("got %+v, %v", s, err)
	}
	yes(db.OfflineSettled(t.Context(), invoice(1), 5000, t0.Add(time.Hour)), "settled again")
	if s, _ := db.OfflineSale(t.Context(), id); s.Received != 1000 || !s.Ended.Equal(t0) {
		t.Errorf("settled again: %+v", s)
	}
}

// TestOfflineUnread pages through records.
func TestOfflineUnread(t *testing.T) {
	db := open(t, temp(t))
	till := tilltest.New(1, "01", "EUR", t0)
	enrol(t, db, till)
	id := till.Genesis.Till
	if _, err := db.OfflineGrant(t.Context(), ask(id, 1), t0); err != nil {
		t.Fatal(err)
	}
	for i := range 1300 {
		till.Add(pos.KindPayment, pos.PaymentMoved{Payment: pos.Payment{ID: pos.PaymentID(fmt.Sprint(i))}})
	}
	all := till.Records()
	for from, head := 0, (store.Head{}); from < len(all); from += 500 {
		batch := all[from:min(from+500, len(all))]
		last := batch[len(batch)-1]
		if err := db.Append(t.Context(), id, head, headOf(last), entries(batch), t0); err != nil {
			t.Fatal(err)
		}
		head = headOf(last)
	}
	seen := map[uint64]bool{}
	for {
		records, upTo, err := db.OfflineUnread(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if upTo == 0 {
			break
		}
		for _, r := range records {
			if seen[r.N] || r.Kind != pos.KindPayment || r.N > upTo {
				t.Errorf("record %d", r.N)
			}
			seen[r.N] = true
		}
		if err := db.OfflineRead(t.Context(), id, upTo); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 1300 {
		t.Errorf("%d records", len(seen))
	}
	if err := db.OfflineRead(t.Context(), id, 5); err != nil {
		t.Fatal(err)
	}
	if _, upTo, _ := db.OfflineUnread(t.Context(), id); upTo != 0 {
		t.Error("what was read went back")
	}
}
