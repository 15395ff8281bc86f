package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/cmd/internal/outage"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/access"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
	"github.com/tillwright/tillwright/sync/outbox"
	"github.com/tillwright/tillwright/sync/wire"
)

// TestRedRecordThroughOutbox lets a till sign a sale whose sums are wrong, among good
// ones, and deliver them over a line that comes and goes. Goal: the bad sale is at the
// backoffice byte for byte and on the owner's red list with its reason; those behind
// it are there too; the till waits for nothing.
func TestRedRecordThroughOutbox(t *testing.T) {
	inBubble(t, setting{}, func(t *testing.T, w *world) {
		mine := tilltest.New(5, "05", "EUR", time.Now())
		key := ed25519.NewKeyFromSeed([]byte("a backoffice's key of 32 bytes!!"))
		code, _, err := access.NewCodes(w.office, key).Make(t.Context(), "Stand", "", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		hc := &http.Client{Transport: outside{dial: w.dial, roots: w.roots.Pool()}.transport(), Timeout: officeWithin}
		defer hc.CloseIdleConnections()
		e, err := wire.Enrol(t.Context(), w.url(), code, mine.Key, mine.Genesis, hc)
		if err != nil {
			t.Fatal(err)
		}
		box := outbox.New(outbox.Options{Source: mine, Backoffice: wire.NewClient(w.url(), mine.Genesis.Till, mine.Key, e.Key, hc)})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- box.Run(ctx) }()
		var bad pos.Record
		for n := range 20 {
			mine.Sell()
			if n == 7 {
				bad = mine.Add(pos.KindSaleCompleted, map[string]any{"sale": 7})
			}
			w.officeLine.Set([]outage.Mode{outage.Cut, outage.Whole, outage.HalfOpen, outage.Whole}[n%4])
			box.Wake()
			time.Sleep(time.Duration(n*7%50) * time.Second)
		}
		w.officeLine.Set(outage.Whole)
		time.Sleep(7 * time.Minute)
		synctest.Wait()
		stop()
		<-done
		held, all := 0, mine.Records()
		for k, err := range w.office.Since(t.Context(), mine.Genesis.Till, 0) {
			if err != nil {
				t.Fatal(err)
			}
			if held >= len(all) || !bytes.Equal(k.Line, all[held].Line) {
				t.Fatalf("record %d differs", held+1)
			}
			held++
		}
		if held != len(all) || mine.Acked() != uint64(len(all)) {
			t.Errorf("the backoffice holds %d records and the till knows of %d, want %d", held, mine.Acked(), len(all))
		}
		alarms, err := w.office.Alarms(t.Context())
		if err != nil || len(alarms) != 1 || alarms[0].Kind != store.AlarmRed || alarms[0].N != bad.N || strings.TrimSpace(string(alarms[0].Why)) == "" {
			t.Errorf("alarms %+v, %v; want record %d on the red list with its reason", alarms, err, bad.N)
		}
	})
}
