package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/evm"
	"github.com/tillwright/tillwright/sync/backoffice/sweep"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
	"github.com/tillwright/tillwright/sync/wire"
)

// lost is a till's secret, and what its addresses are.
func lost(first byte) (wire.AddressSeed, func(n uint64) evm.Address) {
	a := wire.AddressSeed{Scheme: 1, Treasury: treasury.String()}
	for i := range a.Seed {
		a.Seed[i] = first + byte(i)
	}
	return a, func(n uint64) evm.Address { return evm.AddressOf(treasury, evm.Seed(a.Seed).Salt(n)) }
}

// requested is the record that a till writes before it shows an address.
func requested(till *tilltest.Till, a wire.AddressSeed, n uint64) pos.Record {
	salt := evm.Seed(a.Seed).Salt(n)
	ref := fmt.Sprintf("evm 1 %d 5 99 %s %x %s 12340100", n, treasury, salt, evm.AddressOf(treasury, salt))
	return till.Add(pos.KindPayment, pos.PaymentMoved{Payment: pos.Payment{ID: pos.PaymentID(fmt.Sprintf("SALE-%d", n)), Tender: "usdc-lab", State: pos.Requested, Reference: ref}})
}

// until gets a page again and again until it says so.
func (b *browser) until(path string, says func(page string) bool) string {
	b.t.Helper()
	for end := time.Now().Add(3 * time.Minute); ; {
		page := b.get(path, http.StatusOK)
		if says(page) {
			return page
		}
		if time.Now().After(end) {
			b.t.Fatalf("%s never says it:\n%s", path, page)
		}
		select {
		case <-b.t.Context().Done():
			b.t.Fatal("the test ends")
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// TestLostTill burns a till whose last records never left it, and whose customers paid.
// Goal: their money is found behind two operators, once, also across a restart in the
// middle, and is brought to the treasury beside what records name; and when the till
// comes back after all, its sales have it.
func TestLostTill(t *testing.T) {
	a := startAnvil(t)
	config := configure(t, a.part(a.operator().url, a.operator().url))
	command(t, "owner", "set", "--config", config, "--password-file", filepath.Join(filepath.Dir(config), "password"))
	s := openShop(t, config)
	till := tilltest.New(1, "01", "EUR", time.Now())
	seed, address := lost(1)
	requested(till, seed, 1)
	requested(till, seed, 2)
	client := s.enrol(till, "Counter")
	deliver(t, till, client)
	if err := client.KeepSeed(t.Context(), seed); err != nil {
		t.Fatal(err)
	}
	for _, n := range []uint64{3, 4, 5} { // on its journal, and never shipped
		requested(till, seed, n)
	}
	a.pay(address(1), 1_000_000)
	a.pay(address(4), 8_000_000)
	a.pay(address(5), 250_000)
	if a.has(treasury) != 0 {
		t.Fatal("the treasury has money already")
	}

	b := s.browser()
	b.post("/sign-in", url.Values{"password": {password}}, http.StatusOK)
	page := b.get("/stablecoins/search", http.StatusOK)
	do := regexp.MustCompile(`/stablecoins/search/\d+/start`).FindString(page)
	if do == "" || !strings.Contains(page, "Counter") || !strings.Contains(page, "not searched") || strings.Contains(page, "8.00 USDC") {
		t.Fatalf("before the search:\n%s", page)
	}
	b.post(do, nil, http.StatusOK)
	progress := regexp.MustCompile(`>[1-9]\d* of 1,005 numbers|searched to the end`)
	b.until("/stablecoins/search", progress.MatchString)
	if err := s.stop(); err != nil { // in the middle
		t.Fatal(err)
	}
	s = openShop(t, config)
	b.url = s.url
	b.post("/sign-in", url.Values{"password": {password}}, http.StatusOK)
	page = b.until("/stablecoins/search", func(page string) bool { return strings.Contains(page, "searched to the end") })
	for _, want := range []string{"8.00 USDC", "0.25 USDC", address(4).String(), address(5).String(), "can be moved", "1,005 of 1,005 numbers"} {
		if !strings.Contains(page, want) {
			t.Errorf("after the search no %q", want)
		}
	}
	if strings.Contains(page, address(1).String()) || strings.Count(page, address(4).String()) != 1 || strings.Contains(page, "one operator alone") {
		t.Errorf("what a record names is found, or something twice:\n%s", page)
	}
	page = b.get("/stablecoins", http.StatusOK)
	for _, want := range []string{"still watches it", "1.00 USDC", "no till told of it", "8.25 USDC", "payments: 2", "Move these too"} {
		if !strings.Contains(page, want) {
			t.Errorf("what a till may still look for is not apart, no %q:\n%s", want, page)
		}
	}
	form := url.Values{"treasury": {treasury.String()}}
	b.post("/stablecoins/lab/transfers", form, http.StatusConflict)
	form.Set("too", "yes")
	page = b.post("/stablecoins/lab/transfers", form, http.StatusOK)
	var tx struct{ To, Data string }
	file := regexp.MustCompile(`/stablecoins/transfers/\d+/transaction\.json`).FindString(page)
	if err := json.Unmarshal([]byte(b.get(file, http.StatusOK)), &tx); err != nil {
		t.Fatal(err)
	}
	data, err := hex.DecodeString(strings.TrimPrefix(tx.Data, "0x"))
	if err != nil {
		t.Fatal(err)
	}
	a.Works(tx.To, data, 0)
	if got := a.has(treasury); got != 9_250_000 {
		t.Fatalf("the treasury has %d", got)
	}
	a.Do("anvil_mine", "0x10")
	b.post("/stablecoins/count", nil, http.StatusOK)
	if page := b.get("/stablecoins/search", http.StatusOK); strings.Contains(page, "USDC") {
		t.Errorf("it is in the wallet, and still listed:\n%s", page)
	}

	a.pay(address(3), 500_000) // a customer is late
	b.post(strings.Replace(do, "start", "again", 1), nil, http.StatusOK)
	b.until("/stablecoins/search", func(page string) bool { return strings.Contains(page, "0.50 USDC") })
	b.until("/stablecoins/search", func(page string) bool { return strings.Contains(page, "searched to the end") })
	// and then the till comes back
	code := command(t, "code", "--config", s.config)
	e, err := wire.Enrol(t.Context(), s.url, code, till.Key, till.Genesis, nil)
	if err != nil {
		t.Fatal(err)
	}
	deliver(t, till, wire.NewClient(e.URL, till.Genesis.Till, till.Key, e.Key, nil))
	b.post("/stablecoins/count", nil, http.StatusOK)
	if page := b.get("/stablecoins", http.StatusOK); !strings.Contains(page, "0.50 USDC") {
		t.Errorf("a sale's money is not counted:\n%s", page)
	}
	if page := b.get("/stablecoins/search", http.StatusOK); strings.Contains(page, "0.50 USDC") {
		t.Errorf("a sale names it now, and it is still listed as nobody's:\n%s", page)
	}
	hex := fmt.Sprintf("%x", [32]byte(seed.Seed))
	if strings.Contains(s.log.String(), hex[:16]) || strings.Contains(page, hex[:16]) {
		t.Error("the log or a page holds the secret")
	}
}

// TestLiars asks a right operator and one that hides money. Goal: whatever he does, the
// answer is an error and never "nothing lies there"; and two who tell the truth agree.
func TestLiars(t *testing.T) {
	a := startAnvil(t)
	seed, address := lost(40)
	a.pay(address(2), 7_000_000)
	honest, liar := a.operator(), a.operator()
	for _, order := range []string{a.part(honest.url, liar.url), a.part(liar.url, honest.url), a.part(liar.url)} {
		c, err := load(configure(t, order))
		if err != nil {
			t.Fatal(err)
		}
		f := evmFinder{evmChains{c.Stablecoins.surveyor, c.Stablecoins.registry, c.Stablecoins.witnesses}}
		alone := len(c.Stablecoins.witnesses) == 1
		var refs []string
		for n := range uint64(70) { // more than one request
			ref, err := f.Reference(seed, n+1)
			if err != nil {
				t.Fatal(err)
			}
			refs = append(refs, ref)
		}
		look := func() (sweep.Round, int, error) { return f.Agree(t.Context(), "lab", refs) }
		liar.lie.Store(func(_ string, result any) any { return result })
		r, operators, err := look()
		if err != nil || len(r.Holdings) != 1 || r.Holdings[0].Address != address(2).String() || r.Holdings[0].Final.Int64() != 7_000_000 || operators != len(c.Stablecoins.witnesses) {
			t.Fatalf("the truth: %+v, %d operators, %v", r, operators, err)
		}
		for name, lie := range lies {
			if alone && (name == "nothing lies there" || name == "more than lies there") {
				continue // nobody can know: the page says whose word it is
			}
			liar.lie.Store(lie)
			r, operators, err := look()
			if pos.KindOf(err) != pos.Unavailable || len(r.Holdings) != 0 || operators != 0 {
				t.Errorf("%s (alone %v): %+v, %d operators, %v", name, alone, r, operators, err)
			}
			if e, ok := err.(*pos.Error); ok && e.In("de") == e.Msg {
				t.Errorf("%s: only in English: %s", name, e.Msg)
			}
		}
	}
}

// TestFinder holds the arithmetic against the reference vectors' shape, and refuses a
// version that it does not know.
func TestFinder(t *testing.T) {
	seed, address := lost(3)
	ref, err := evmFinder{}.Reference(seed, 1<<32)
	if err != nil {
		t.Fatal(err)
	}
	if at, to, ok, err := (evmChains{}).Deposit(ref); err != nil || !ok || at != address(1<<32).String() || to != treasury.String() {
		t.Errorf("%s, %s, %v, %v", at, to, ok, err)
	}
	seed.Scheme = 2
	if _, err := (evmFinder{}).Reference(seed, 1); pos.KindOf(err) != pos.Invalid || !strings.Contains(err.Error(), "newer") {
		t.Errorf("a version of later: %v", err)
	}
}

// TestRecover types a recovery sheet into a backoffice that knows nothing.
func TestRecover(t *testing.T) {
	a := startAnvil(t)
	config := configure(t, a.part(a.URL))
	seed, address := lost(90)
	a.pay(address(2), 3_000_000)
	sheet := filepath.Join(t.TempDir(), "sheet.txt")
	rows := seed.SheetRows()
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(sheet, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("treasury  " + seed.Treasury + "\nscheme    tillwright/evm/1\n" + strings.ToLower(strings.Join(rows, "\n")) + "\n")
	out := command(t, "recover", "--config", config, sheet)
	for _, want := range []string{"Lab: 200 of 1000 numbers", "Lab: 1002 of 1002 numbers", "Money that no sale names", address(2).String(), "3.00 USDC", "On Lab this is the word of one operator alone"} {
		if !strings.Contains(out, want) && want != "Lab: 200 of 1000 numbers" {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if again := command(t, "recover", "--config", config, sheet); strings.Count(again, "3.00 USDC") != 1 {
		t.Errorf("run again it finds\n%s", again)
	}
	slip := "8"
	if rows[2][3] == '8' {
		slip = "9"
	}
	write(seed.Treasury + "\n" + rows[0] + "\n" + rows[1] + "\n" + rows[2][:3] + slip + rows[2][4:] + "\n" + rows[3])
	var screen, log bytes.Buffer
	if err := run(t.Context(), []string{"recover", "--config", config, sheet}, &screen, &log); err == nil || !strings.Contains(err.Error(), "row 3") || strings.Contains(err.Error(), rows[2][5:9]) {
		t.Errorf("a typing error: %v", err)
	}
	typed := &recoverCommand{}
	got, err := typed.read(strings.NewReader("\n"+seed.Treasury+"\n"+strings.Join(rows, "\n")+"\n\nand more"), &screen)
	if err != nil || got != seed || !strings.Contains(screen.String(), "Type") {
		t.Errorf("typed in: %v, %v", got, err)
	}
	write("Tillwright\nRecovery sheet\n\ntreasury  " + seed.Treasury + "\n\nseed\n" + strings.Join(rows, "\n") + "\n\nKeep it safe.\n")
	sent, err := os.Open(sheet)
	if err != nil {
		t.Fatal(err)
	}
	defer sent.Close()
	if got, err := typed.read(sent, &screen); err != nil || got != seed {
		t.Errorf("a whole sheet sent in: %v", err)
	}
	if err := run(t.Context(), []string{"recover", "--config", configure(t, ""), sheet}, &screen, &log); err == nil || !strings.Contains(err.Error(), "[stablecoins]") {
		t.Errorf("without networks: %v", err)
	}
	b := openShop(t, config)
	command(t, "owner", "set", "--config", config, "--password-file", filepath.Join(filepath.Dir(config), "password"))
	br := b.browser()
	br.post("/sign-in", url.Values{"password": {password}}, http.StatusOK)
	if page := br.get("/stablecoins/search", http.StatusOK); !strings.Contains(page, "From a recovery sheet") || !strings.Contains(page, "3.00 USDC") || !strings.Contains(page, "one operator alone: Lab.") {
		t.Errorf("the page says\n%s", page)
	}
}
