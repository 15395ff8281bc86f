package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/journal"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

// TestMain lets a child be the till itself: a process that can be killed.
func TestMain(m *testing.M) {
	if os.Getenv("TILL_CHILD") != "" {
		main()
		return
	}
	code := m.Run()
	if officeBuilt != "" {
		os.RemoveAll(officeBuilt)
	}
	os.Exit(code)
}

// process is a till that runs on its own and can be killed at any instant.
type process struct {
	cmd  *exec.Cmd
	base string
	gone chan struct{}
}

var listens = regexp.MustCompile(`msg="till ready" listen=(\S+)`)

// startProcess starts the till and waits until it serves. within is a command that
// runs another, as "ip netns exec shop".
func startProcess(t testing.TB, file string, within ...string) *process {
	t.Helper()
	program := os.Args[0]
	if p := os.Getenv("TILLWRIGHT_TILL"); p != "" {
		program = p
	}
	args := append(within, program, "run", "--config", file)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "TILL_CHILD=1")
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, gone: make(chan struct{})}
	up := make(chan string, 1)
	go func() {
		defer close(p.gone)
		for s := bufio.NewScanner(out); s.Scan(); {
			fmt.Fprintln(t.Output(), s.Text())
			if m := listens.FindStringSubmatch(s.Text()); m != nil {
				up <- m[1]
			}
		}
	}()
	t.Cleanup(p.kill)
	select {
	case addr := <-up:
		p.base = "http://" + addr
	case <-p.gone:
		t.Fatal("the till did not start")
	case <-time.After(patience):
		t.Fatal("the till did not start in time")
	}
	return p
}

// kill is the power cut, short of the disk's own cache.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.gone
	p.cmd.Wait()
	http.DefaultClient.CloseIdleConnections()
}

// order is one cash sale as a screen would make it: each step under a key that is
// repeated until it is answered, across any number of power cuts.
type order struct {
	keys [3]string
	sale pos.SaleID
	step int
}

// sell goes on with the order until it is confirmed or the till is gone.
func (o *order) sell(c *counter) (done bool) {
	for o.step < 3 {
		path, in := "/v1/sales", object{}
		switch o.step {
		case 1:
			path, in = "/v1/sales/"+string(o.sale)+"/lines", object{"sku": "ESP"}
		case 2:
			path, in = "/v1/sales/"+string(o.sale)+"/payments", object{"tender": "cash"}
		}
		status, b, err := c.call("POST", path, o.keys[o.step], in)
		if err != nil || status >= 500 || status == http.StatusUnauthorized {
			return false
		}
		if status == http.StatusTooManyRequests && err == nil { // faster than any hand
			<-time.After(time.Second)
			continue
		}
		if status >= 300 {
			c.t.Errorf("step %d: %d %s", o.step, status, b)
			return false
		}
		var a pos.Answer
		if err := json.Unmarshal(b, &a); err != nil {
			return false
		}
		o.sale = a.Sale
		o.step++
	}
	return true
}

// killing is one run of TestKill.
type killing struct {
	t      *testing.T
	file   string
	till   *process
	office *officeProcess
	c      *counter

	mu        sync.Mutex
	confirmed map[pos.SaleID]bool
	open      []*order // not answered for certain yet
	kills     [2]int   // of the till, of the backoffice
}

// TestKill kills the real till and the real backoffice at random moments under load,
// through their real APIs. Whatever was confirmed is there afterwards, once; what was
// not is repeated under its keys and then there once too; receipt numbers have no
// gap; and in the end both sides hold the same records and figures.
func TestKill(t *testing.T) {
	rounds := 24
	if testing.Short() {
		rounds = 4
	}
	dir, node := t.TempDir(), lndtest.New(t, lndtest.Options{TCP: true})
	k := &killing{t: t, file: writeShop(t, dir, node.Connection()), office: newOfficeProcess(t), confirmed: map[pos.SaleID]bool{}}
	k.till = startProcess(t, k.file)
	k.c = &counter{t: t, base: k.till.base}
	k.c.found()
	k.office.enrol(k.c)
	for round := range rounds {
		k.round(round)
	}
	for _, o := range k.open {
		k.finish(o)
	}
	last := &order{keys: [3]string{key(), key(), key()}}
	k.finish(last)
	k.c.wait("everything at head office", func(v pos.View) bool {
		done, s := v.Counter.LastDone, v.Counter.Sync
		return done != nil && done.ID == last.sale && s.Waiting == 0 && s.Sales == 0
	})
	k.till.kill()
	k.office.kill()
	checkJournal(t, dir, k.confirmed)
	records := k.office.sameBooks(t, dir)
	t.Logf("%d kills of the till, %d of the backoffice, %d sales confirmed, 0 lost, 0 doubled, %d records on both sides",
		k.kills[0], k.kills[1], len(k.confirmed), records)
}

// finish goes on with an order until it is confirmed: a till that is busy says so, and is
// asked again.
func (k *killing) finish(o *order) {
	k.t.Helper()
	for end := time.Now().Add(patience); !o.sell(k.c); <-time.After(time.Second) {
		if time.Now().After(end) {
			k.t.Fatalf("an order could not be finished at step %d", o.step)
		}
	}
	k.confirmed[o.sale] = true
}

// lookAt is how many sales are looked at after each start of the till: a screen may
// ask no faster than a hand.
const lookAt = 50

// round sells until one side, the other or both are killed, and starts them again.
func (k *killing) round(round int) {
	var wg sync.WaitGroup
	ctx, stop := context.WithCancel(k.t.Context())
	defer stop()
	for range 3 {
		wg.Go(func() { k.sell(ctx) })
	}
	victims := 1 + rand.IntN(3) // bits: the till, the backoffice
	<-time.After(time.Duration(50+rand.IntN(400)) * time.Millisecond)
	if victims&2 != 0 {
		k.office.kill()
		k.kills[1]++
		<-time.After(time.Duration(rand.IntN(200)) * time.Millisecond) // the till goes on without it
	}
	if victims&1 != 0 {
		k.till.kill()
		k.kills[0]++
	}
	stop()
	wg.Wait()
	if victims&2 != 0 {
		k.office.start()
	}
	if victims&1 != 0 {
		k.till = startProcess(k.t, k.file)
		k.c = &counter{t: k.t, base: k.till.base}
		k.c.signIn()
	}
	if victims&1 == 0 {
		return
	}
	looked := 0
	for id := range k.confirmed { // in random order; the journal tells of all in the end
		if looked++; looked > lookAt {
			break
		}
		if s := k.c.sale(id); s.State != pos.Completed {
			k.t.Fatalf("round %d: sale %s was confirmed and is %s now", round, id, s.State)
		}
	}
}

// sell takes orders until the till is gone or ctx ends.
func (k *killing) sell(ctx context.Context) {
	for ctx.Err() == nil {
		k.mu.Lock()
		o := &order{keys: [3]string{key(), key(), key()}}
		if len(k.open) > 0 {
			o, k.open = k.open[0], k.open[1:]
		}
		k.mu.Unlock()
		done := o.sell(k.c)
		k.mu.Lock()
		if done {
			k.confirmed[o.sale] = true
		} else {
			k.open = append(k.open, o)
		}
		k.mu.Unlock()
		if !done {
			return
		}
	}
}

// tillAt returns the configuration and the key of the till in dir.
func tillAt(t *testing.T, dir string) (config, ed25519.PrivateKey) {
	t.Helper()
	cfg, err := loadConfig(filepath.Join(dir, "till.toml"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := tillKey(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return cfg, k
}

// checkJournal reads the journal as an auditor does: signatures, chain, numbers,
// and each confirmed sale completed exactly once.
func checkJournal(t *testing.T, dir string, confirmed map[pos.SaleID]bool) {
	t.Helper()
	cfg, k := tillAt(t, dir)
	files, err := journalFiles(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Verify(publicOf(k), files...); err != nil {
		t.Error(err)
	}
	j, err := journal.Open(cfg.journalDir(), journal.Options{Key: k})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	n, times := uint64(0), map[pos.SaleID]int{}
	for r, err := range j.Since(0) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Kind != pos.KindSaleCompleted {
			continue
		}
		var b pos.SaleCompleted
		if err := r.Decode(&b); err != nil {
			t.Fatal(err)
		}
		if n++; b.Sale.Receipt != pos.ReceiptNumber("01", n) {
			t.Errorf("record %d has receipt %s, want number %d", r.N, b.Sale.Receipt, n)
		}
		times[b.Sale.ID]++
	}
	for id := range confirmed {
		if times[id] != 1 {
			t.Errorf("sale %s was confirmed and is completed %d times", id, times[id])
		}
	}
	if len(confirmed) < 10 || len(times) < len(confirmed) {
		t.Errorf("%d sales confirmed, %d in the journal", len(confirmed), len(times))
	}
}

// TestPaidInOutage kills the till while a customer has the code on the screen. The
// customer pays while the till is dead. After the start there is one sale, booked,
// and its receipt is on paper once.
func TestPaidInOutage(t *testing.T) {
	dir, node := t.TempDir(), lndtest.New(t, lndtest.Options{TCP: true})
	file := writeShop(t, dir, node.Connection())
	p := startProcess(t, file)
	c := &counter{t: t, base: p.base}
	c.found()
	c.wait("Lightning", ready)
	sale := c.ring("BRD")
	c.do("POST", "/v1/sales/"+string(sale)+"/payments", object{"tender": "lightning"}, nil)
	due := c.phase(pos.PhaseDue)
	p.kill()
	if err := node.Pay(due.QR, 12_800_000); err != nil {
		t.Fatal(err)
	}
	p = startProcess(t, file)
	c = &counter{t: t, base: p.base}
	c.signIn()
	if got := c.phase(pos.PhasePaid); got.Sale != sale || got.Receipt != "01-000001" {
		t.Errorf("the customer sees %+v", got)
	}
	if node.Invoices() != 1 {
		t.Errorf("%d invoices were made, want 1", node.Invoices())
	}
	if s := c.sale(sale); len(s.Payments) != 1 || s.Payments[0].State != pos.Settled {
		t.Errorf("the sale is %+v", s)
	}
	p.kill()
	checkOnePrint(t, dir, sale)
}

// checkOnePrint starts the till in this process and reads its paper: nothing is
// printed a second time without saying so.
func checkOnePrint(t *testing.T, dir string, sale pos.SaleID) {
	t.Helper()
	cfg, err := loadConfig(filepath.Join(dir, "till.toml"))
	if err != nil {
		t.Fatal(err)
	}
	tl, err := openTill(cfg, quiet())
	if err != nil {
		t.Fatal(err)
	}
	j, waiting, err := tl.desk.Queue("").Next()
	if err != nil {
		t.Error(err)
	}
	if waiting && !j.Begun {
		r, err := tl.desk.JobReceipt(j)
		t.Errorf("the receipt of %s would be printed again as an original: %+v, %v", sale, strings.TrimSpace(r.Number), err)
	}
	if err := tl.shut(); err != nil {
		t.Error(err)
	}
}
