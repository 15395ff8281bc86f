package main

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

// benchShop is a till in this process, with a node made of code.
func benchShop(b *testing.B) (*till, *lndtest.Node) {
	node := lndtest.New(b, lndtest.Options{TCP: true})
	x, c, _ := inProcess(b, b.TempDir(), node)
	c.found()
	c.wait("Lightning", ready)
	return x, node
}

func (t *till) must(b *testing.B, a pos.Action) pos.Answer {
	b.Helper()
	out, err := t.desk.Do(b.Context(), pos.Command{Key: key(), By: pos.Actor{ID: "b", Name: "B", Role: pos.Owner}, Do: a})
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// at returns the value that a share of all lies below.
func at(all []time.Duration, share float64) time.Duration {
	slices.Sort(all)
	return all[min(int(share*float64(len(all))), len(all)-1)]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// BenchmarkCashSale compares the confirmation of a cash sale with one bare write
// and fsync of as many bytes, in turn with it, on the same disk. To hold: 3.
func BenchmarkCashSale(b *testing.B) {
	x, _ := benchShop(b)
	f, err := os.Create(filepath.Join(x.c.data, "bare"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	block := []byte(strings.Repeat("x", 4500)) // what the three records of such a sale take
	var sale, bare []time.Duration
	for b.Loop() {
		for range 200 {
			x.must(b, pos.AddItem{SKU: "ESP"})
			x.desk.Sales("", 1) // lets the turn before end
			from := time.Now()
			x.must(b, pos.Pay{Tender: pos.Cash})
			sale = append(sale, time.Since(from))
			x.desk.Sales("", 1)
			from = time.Now()
			if _, err := f.Write(block); err != nil {
				b.Fatal(err)
			}
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
			bare = append(bare, time.Since(from))
		}
	}
	b.ReportMetric(ms(at(sale, .5)), "ms-p50")
	b.ReportMetric(ms(at(sale, .95)), "ms-p95")
	b.ReportMetric(ms(at(bare, .5)), "ms-bare")
	b.ReportMetric(float64(at(sale, .5))/float64(at(bare, .5)), "x-bare")
}

// BenchmarkCharge measures from the tap on Lightning to the drawn picture with the
// code, without the node's own time for AddInvoice. To hold: 20 ms p95.
func BenchmarkCharge(b *testing.B) {
	x, node := benchShop(b)
	var own time.Duration
	node.Always("AddInvoice", func(w http.ResponseWriter, r *http.Request, serve func(http.ResponseWriter, *http.Request)) {
		from := time.Now()
		serve(w, r)
		own = time.Since(from)
	})
	var all []time.Duration
	for b.Loop() {
		for range 60 {
			x.must(b, pos.AddItem{SKU: "ESP"})
			x.desk.Sales("", 1)
			from := time.Now()
			a := x.must(b, pos.Pay{Tender: "lightning"})
			all = append(all, x.drawn(b, pos.PhaseDue).Sub(from)-own)
			x.must(b, pos.CancelPayment{Payment: a.Payment})
			x.must(b, pos.Pay{Tender: pos.Cash})
			x.must(b, pos.NextCustomer{})
		}
	}
	b.ReportMetric(ms(at(all, .5)), "ms-p50")
	b.ReportMetric(ms(at(all, .95)), "ms-p95")
}

// drawn waits until the customer's picture shows phase, and returns when it did.
func (t *till) drawn(b *testing.B, phase pos.Phase) (at time.Time) {
	b.Helper()
	deadline := time.After(patience)
	for {
		changed := t.display.Changed()
		reached := t.desk.View().Customer.Phase == phase
		if reached && at.IsZero() {
			at = time.Now() // no earlier; the picture may have been drawn by now
		}
		select {
		case <-changed:
			at = time.Now()
		case <-time.After(15 * time.Millisecond): // nothing more is drawn
			if reached {
				return at
			}
			at = time.Time{}
		case <-deadline:
			b.Fatalf("never drew %s", phase)
		}
	}
}

// BenchmarkSettle measures from the node's settlement to PAID on the screen and to
// the first change on the paper. To hold: 100 ms p95.
func BenchmarkSettle(b *testing.B) {
	x, node := benchShop(b)
	var paid, paper []time.Duration
	for b.Loop() {
		for range 40 {
			x.must(b, pos.AddItem{SKU: "ESP"})
			x.must(b, pos.Pay{Tender: "lightning"})
			x.drawn(b, pos.PhaseDue)
			due := x.desk.View().Customer
			sat, err := strconv.ParseInt(strings.TrimSuffix(due.Quantity, " sat"), 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			printed := x.paper.Changed()
			from := time.Now()
			if err := node.Pay(due.QR, sat*1000); err != nil {
				b.Fatal(err)
			}
			first := make(chan time.Duration, 1)
			go func() {
				<-printed
				first <- time.Since(from)
			}()
			paid = append(paid, x.drawn(b, pos.PhasePaid).Sub(from))
			paper = append(paper, <-first)
		}
	}
	b.ReportMetric(ms(at(paid, .95)), "ms-PAID-p95")
	b.ReportMetric(ms(at(paper, .95)), "ms-paper-p95")
}

// BenchmarkStart starts the till's own program on a journal of 50,000 sales. To
// hold: 1 s to serving, 40 MB when idle. TILLWRIGHT_TILL names the program; without
// it this test plays it, and is a little larger.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	file := writeShop(b, dir, "# no node")
	midnight := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	t := tilltest.New(1, "01", "EUR", midnight)
	for day := range 100 {
		t.Day(midnight.AddDate(0, 0, day), 500)
	}
	writeJournal(b, filepath.Join(dir, "data"), t)
	from := time.Now()
	startProcess(b, file).kill() // folds the ledger from nothing
	rebuild := time.Since(from)
	var start []time.Duration
	var rss float64
	for b.Loop() {
		from := time.Now()
		p := startProcess(b, file)
		start = append(start, time.Since(from))
		<-time.After(3 * time.Second) // idle
		rss = residentMB(b, p.cmd.Process.Pid)
		p.kill()
	}
	b.ReportMetric(at(start, .5).Seconds(), "s-start")
	b.ReportMetric(rss, "MB-idle")
	b.ReportMetric(rebuild.Seconds(), "s-rebuild")
	b.ReportMetric(float64(len(t.Records())), "records")
}

func writeJournal(b *testing.B, data string, t *tilltest.Till) {
	b.Helper()
	if err := os.MkdirAll(filepath.Join(data, "journal"), 0o700); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "till.key"), []byte(hex.EncodeToString(t.Key.Seed())), 0o600); err != nil {
		b.Fatal(err)
	}
	const segment = 6000 // records, some 8 MB
	recs := t.Records()
	for i := 0; i < len(recs); i += segment {
		var text []byte
		for _, r := range recs[i:min(i+segment, len(recs))] {
			text = append(text, r.Line...)
		}
		name := fmt.Sprintf("journal-%08d.jsonl", recs[i].N)
		if err := os.WriteFile(filepath.Join(data, "journal", name), text, 0o600); err != nil {
			b.Fatal(err)
		}
	}
}

// residentMB reads a process's resident memory (proc(5), VmRSS).
func residentMB(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb / 1000
		}
	}
	b.Fatal("no VmRSS")
	return 0
}
