package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// coinsShop is a shop that takes tokens and cash; a token is 0.80 EUR.
const coinsShop = `
data      = "data"
listen    = "127.0.0.1:0"
catalogue = "catalogue.toml"
[shop]
name     = "Café Süd"
currency = "EUR"
[[tax]]
code    = "A"
percent = "10"
[[tax]]
code    = "B"
percent = "20"
[printer]
connect = "paper"
columns = 42
[rates]
fixed = "50000"
[rates.fixed_tokens]
USDC = "0.80"
DAI  = "0.80"
[stablecoins]
treasury = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
tolerance = "0.5"
links = ["metamask"]
registry = "tokens.json"
`

// writeCoinsShop writes the files of a shop in a market.
func writeCoinsShop(t testing.TB, dir string, m *market) string {
	t.Helper()
	text := coinsShop
	for i, a := range m.chains {
		text += fmt.Sprintf("[[stablecoins.accept]]\nchain = \"lab%d\"\ntokens = [\"USDC\", \"DAI\"]\n[[stablecoins.accept.endpoint]]\noperator = \"Lab %d\"\nurl_file = \"lab%d.url\"\n", i+1, i+1, i+1)
		writeIn(t, dir, fmt.Sprintf("lab%d.url", i+1), a.URL+"\n")
	}
	writeIn(t, dir, "catalogue.toml", demoCatalogue)
	writeIn(t, dir, "tokens.json", m.registry())
	return writeIn(t, dir, "till.toml", text)
}

func writeIn(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// tokenDay is a till, its counter, and the customers' market.
type tokenDay struct {
	*counter
	*market
	x *till
}

// open charges a sale of these items with a tender and returns it, with what the
// customer sees.
func (d *tokenDay) open(tender string, skus ...string) (pos.SaleID, pos.Customer) {
	d.t.Helper()
	sale := d.ring(skus...)
	return sale, d.ask(sale, tender)
}

func (d *tokenDay) ask(sale pos.SaleID, tender string) pos.Customer {
	d.t.Helper()
	d.do("POST", "/v1/sales/"+string(sale)+"/payments", object{"tender": tender}, nil)
	return d.wait("the code", func(v pos.View) bool {
		return v.Customer.Phase == pos.PhaseDue && v.Customer.Sale == sale && v.Customer.QR != ""
	}).Customer
}

// address returns where the open payment of a sale pays to.
func (d *tokenDay) address(sale pos.SaleID) string {
	d.t.Helper()
	s := d.sale(sale)
	p := s.OpenPayment()
	if p == nil {
		d.t.Fatalf("sale %s has no open payment: %+v", sale, s.Payments)
	}
	i := slices.IndexFunc(p.Forms, func(f pos.Form) bool { return f.Typed })
	return p.Forms[i].Payload
}

// paid waits until a sale is complete.
func (d *tokenDay) paid(sale pos.SaleID) {
	d.t.Helper()
	d.wait("PAID", func(v pos.View) bool { return v.Customer.Phase == pos.PhasePaid && v.Customer.Sale == sale })
}

// owed waits until the refund list has n rows and returns them.
func (d *tokenDay) owed(n int) []pos.RefundView {
	d.t.Helper()
	return d.wait(fmt.Sprint(n, " refunds"), func(v pos.View) bool { return len(v.Counter.Refunds) == n }).Counter.Refunds
}

// giveBack empties the refund list of one row, which was read.
func (d *tokenDay) giveBack(r pos.RefundView) {
	d.t.Helper()
	path, decision := "/v1/refunds/"+string(r.Payment)+"/decisions", object{"as": "given back", "note": "sent back by the owner"}
	for came, want := range map[string]int{"": http.StatusBadRequest, "1" + r.Exact: http.StatusConflict} {
		decision["came"] = came
		if status, body, err := d.call("POST", path, key(), decision); err != nil || status != want {
			d.t.Errorf("decided about %q: %d %s %v", came, status, body, err)
		}
	}
	decision["came"] = r.Exact
	d.do("POST", path, decision, nil)
}

func (d *tokenDay) cash(sale pos.SaleID) {
	d.t.Helper()
	d.do("POST", "/v1/sales/"+string(sale)+"/payments", object{"tender": "cash"}, nil)
}

// cancel withdraws the open payment.
func (d *tokenDay) cancel(sale pos.SaleID) {
	d.t.Helper()
	s := d.sale(sale)
	p := s.OpenPayment()
	d.do("POST", "/v1/sales/"+string(sale)+"/payments/"+string(p.ID)+"/cancellations", object{}, nil)
}

// noticed waits for a notice with this text in it.
func (d *tokenDay) noticed(part string) {
	d.t.Helper()
	d.wait("notice "+part, func(v pos.View) bool {
		return slices.ContainsFunc(v.Counter.Notices, func(n pos.Notice) bool { return strings.Contains(n.Text, part) })
	})
}

func tendersReady(v pos.View) bool {
	for _, t := range v.Counter.Tenders {
		if !t.Ready {
			return false
		}
	}
	return len(v.Counter.Tenders) == 5
}

// TestStablecoins holds a whole till before two real chains: everything that a
// customer can do with a token, and what becomes of it.
func TestStablecoins(t *testing.T) {
	if testing.Short() {
		t.Skip("needs anvil; leave -short out")
	}
	dir, m := t.TempDir(), newMarket(t)
	file := writeCoinsShop(t, dir, m)
	x, c, stop := runShop(t, file)
	c.found()
	d := &tokenDay{c, m, x}
	v := c.wait("tokens", tendersReady)
	for i, want := range []string{" ", "USDC Lab 1", "USDC Lab 2", "DAI Lab 1", "DAI Lab 2"} {
		if tv := v.Counter.Tenders[i]; tv.Token+" "+tv.Chain != want {
			t.Errorf("button %d is %+v, want %s", i, tv, want)
		}
	}
	for _, part := range []struct {
		name string
		run  func(*tokenDay, *testing.T)
	}{
		{"exact", (*tokenDay).testExact},
		{"short, and the rest in cash", (*tokenDay).testShort},
		{"short, then the rest", (*tokenDay).testRest},
		{"nearly all", (*tokenDay).testTolerance},
		{"over", (*tokenDay).testOver},
		{"late", (*tokenDay).testLate},
		{"twice", (*tokenDay).testTwice},
		{"another chain", (*tokenDay).testStray},
		{"another chain, taken", (*tokenDay).testStrayTaken},
		{"more than 64 bits", (*tokenDay).testLarge},
		{"taken back", (*tokenDay).testReorg},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(&tokenDay{&counter{t: t, base: c.base, token: c.token}, m, x}, t) })
	}
	d.testEndpointGone(t)
	stop()
	d.reported(t)
}

func (d *tokenDay) testExact(t *testing.T) {
	sale, see := d.open("usdc-lab1", "BRD")
	to := d.address(sale)
	if see.Token != "USDC" || see.Chain != "Lab 1" || see.Quantity != "8.0000 USDC" || see.Tail != to[len(to)-6:] || see.Form != "standard" ||
		see.Link != see.QR || !strings.HasPrefix(see.QR, "ethereum:") || see.Network != "USDC on Lab 1" {
		t.Errorf("the customer sees %+v", see)
	}
	for _, form := range []string{"address", "metamask", "standard"} {
		d.do("PUT", "/v1/sales/"+string(sale)+"/form", object{"form": form}, nil)
		now := d.wait(form, func(v pos.View) bool { return v.Customer.Form == form }).Customer
		if form == "address" && (now.QR != to || !strings.Contains(now.Caption, "8.0000 USDC on Lab 1")) {
			t.Errorf("the address alone is %+v", now)
		}
	}
	d.pay(0, to, "8000000")
	d.paid(sale)
	text := d.x.paperText(t, 1)
	for _, want := range []string{"8.0000 USDC", "USDC on Lab 1", "1 USDC = 0.80 EUR", "fixed price"} {
		if !strings.Contains(text, want) {
			t.Errorf("the receipt lacks %q:\n%s", want, text)
		}
	}
}

func (d *tokenDay) testShort(t *testing.T) {
	sale, _ := d.open("usdc-lab1", "BRD")
	d.pay(0, d.address(sale), "5000000")
	see := d.wait("the rest", func(v pos.View) bool { return v.Customer.Part != "" }).Customer
	if see.Phase != pos.PhaseDue || see.Part != "5.0000 USDC" || see.Quantity != "3.0000 USDC" || see.Due.Minor != 240 || !strings.HasSuffix(see.QR, "uint256=3000000") {
		t.Errorf("the customer sees %+v", see)
	}
	d.cancel(sale)
	s := d.sale(sale)
	if s.State != pos.PartPaid || s.Due.Minor != 240 {
		t.Fatalf("%s is due of a sale that is %s: %+v", s.Due, s.State, s.Payments)
	}
	d.cash(sale)
	if s := d.sale(sale); s.State != pos.Completed {
		t.Errorf("sale is %s", s.State)
	}
}

func (d *tokenDay) testRest(t *testing.T) {
	sale, _ := d.open("usdc-lab2", "BRD")
	to := d.address(sale)
	d.pay(1, to, "5000000")
	d.wait("the rest", func(v pos.View) bool { return v.Customer.Part != "" })
	d.pay(1, to, "3000000")
	d.paid(sale)
}

func (d *tokenDay) testTolerance(t *testing.T) {
	sale, _ := d.open("usdc-lab1", "BRD")
	d.pay(0, d.address(sale), "7960000")
	d.paid(sale)
	if p := d.sale(sale).Payments[0]; p.Short.String() != "0.0400 USDC" || p.Amount.Minor != 640 {
		t.Errorf("booked as %+v", p)
	}
}

func (d *tokenDay) testOver(t *testing.T) {
	sale, _ := d.open("usdc-lab1", "BRD")
	d.pay(0, d.address(sale), "10000000")
	d.paid(sale)
	row := d.owed(1)[0]
	if row.Came != "2.0000 USDC" || row.Sells {
		t.Errorf("the refund list has %+v", row)
	}
	d.giveBack(row)
	d.owed(0)
}

func (d *tokenDay) testLate(t *testing.T) {
	sale, _ := d.open("usdc-lab1", "BRD")
	to := d.address(sale)
	d.cancel(sale)
	d.cash(sale)
	d.pay(0, to, "8000000")
	row := d.owed(1)[0]
	if row.Came != "8.0000 USDC" || row.Amount.Minor != 640 {
		t.Errorf("the refund list has %+v", row)
	}
	d.giveBack(row)
	d.owed(0)
}

func (d *tokenDay) testTwice(t *testing.T) {
	sale, _ := d.open("usdc-lab1", "BRD")
	to := d.address(sale)
	d.pay(0, to, "8000000")
	d.paid(sale)
	d.pay(0, to, "8000000")
	row := d.owed(1)[0]
	if row.Came != "8.0000 USDC" {
		t.Errorf("the refund list has %+v", row)
	}
	d.noticed("16.0000 USDC in all")
	d.giveBack(row)
	d.owed(0)
}

func (d *tokenDay) testStray(t *testing.T) {
	sale, _ := d.open("usdc-lab1", "BRD")
	to := d.address(sale)
	d.pay(1, to, "8000000")
	row := d.owed(1)[0]
	if row.Came != "8.0000 USDC" || row.Kind != pos.OwedNetwork || row.On != "USDC on Lab 2" || row.Asked != "USDC on Lab 1" || !row.Sells {
		t.Errorf("the refund list has %+v", row)
	}
	d.noticed("8.0000 USDC came on Lab 2 instead of USDC on Lab 1")
	if s := d.sale(sale); !s.Doubtful || s.State != pos.Awaiting {
		t.Errorf("sale is %s with %+v", s.State, s.Payments)
	}
	d.pay(0, to, "8000000") // now the right way
	d.paid(sale)
	if row := d.owed(1)[0]; row.Sells {
		t.Errorf("its sale is paid, and the refund list has %+v", row)
	}
	d.giveBack(row)
	d.owed(0)
}

// testStrayTaken: the owner takes what came on another chain as payment. It is watched
// there: what comes on top is owed, and once.
func (d *tokenDay) testStrayTaken(t *testing.T) {
	sale, _ := d.open("usdc-lab1", "BRD")
	to := d.address(sale)
	d.pay(1, to, "8000000")
	row := d.owed(1)[0]
	d.wait("what the customer sees", func(v pos.View) bool { return v.Customer.Reason == "other_network" })
	d.do("POST", "/v1/refunds/"+string(row.Payment)+"/decisions", object{"as": "as sale", "came": row.Exact}, nil)
	d.paid(sale)
	d.owed(0)
	ps := d.sale(sale).Payments
	if len(ps) != 2 || ps[1].Tender != "usdc-lab2" || ps[1].State != pos.Settled || ps[1].Network != "USDC on Lab 2" || ps[1].Received.String() != "8.0000 USDC" || !ps[0].Aside {
		t.Errorf("paid by %+v", ps)
	}
	d.pay(1, to, "1000000")
	row = d.owed(1)[0]
	if row.Payment != ps[1].ID || row.Came != "1.0000 USDC" || row.Kind != pos.OwedOver || row.Sells {
		t.Errorf("the refund list has %+v", row)
	}
	d.giveBack(row)
	d.owed(0)
}

func (d *tokenDay) testLarge(t *testing.T) {
	sale, see := d.open("dai-lab1", "BRD", "BRD", "BRD")
	if see.Quantity != "24.0000 DAI" {
		t.Errorf("the customer sees %+v", see)
	}
	d.chains[0].mint(d.dai[0], d.address(sale), "24000000000000000000")
	d.paid(sale)
	if p := d.sale(sale).Payments[0]; p.Received.Int().String() != "24000000000000000000" || p.Amount.Minor != 1920 {
		t.Errorf("booked as %+v", p)
	}
}

func (d *tokenDay) testReorg(t *testing.T) {
	sale, _ := d.open("usdc-lab2", "BRD")
	d.pay(1, d.address(sale), "8000000")
	d.paid(sale)
	before := d.sale(sale)
	d.chains[1].Do("anvil_reorg", 1, []any{})
	d.chains[1].Do("anvil_mine", "0x6", "0x1e") // beyond the time of the block that is gone
	d.noticed("ALARM: 8.0000 USDC")
	if after := d.sale(sale); after.State != pos.Completed || after.Receipt != before.Receipt || after.Payments[0].State != pos.Settled {
		t.Errorf("the sale became %+v", after)
	}
}

// testEndpointGone takes one chain away: its tokens go grey with the reason, the others
// and cash go on.
func (d *tokenDay) testEndpointGone(t *testing.T) {
	d.chains[1].Stop()
	v := d.wait("grey buttons", func(v pos.View) bool { return !v.Counter.Tenders[2].Ready && !v.Counter.Tenders[4].Ready })
	if v.Counter.Tenders[2].Reason != "Lab 2 does not answer. Check the internet." || !v.Counter.Tenders[1].Ready || !v.Counter.Tenders[3].Ready {
		t.Errorf("the buttons are %+v", v.Counter.Tenders)
	}
	sale, _ := d.open("usdc-lab1", "BRD")
	d.pay(0, d.address(sale), "8000000")
	d.paid(sale)
	sale = d.ring("ESP")
	d.cash(sale)
	if s := d.sale(sale); s.State != pos.Completed {
		t.Errorf("cash: %s", s.State)
	}
}

// reported folds the day's records as head office does: it adds up, with amounts that
// no int64 holds.
func (d *tokenDay) reported(t *testing.T) {
	tl, err := openTill(d.x.c, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := tl.shut(); err != nil {
			t.Error(err)
		}
	}()
	r := pos.NewReport("t", d.x.c.shop.Currency)
	for rec, err := range tl.journal.Since(0) {
		if err == nil {
			err = r.Add(rec)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if r.Unbalanced != 0 || r.PaymentDoubts != 1 || r.RefundDue.Count != 1 {
		t.Errorf("%d unbalanced, %d doubts, %+v owed", r.Unbalanced, r.PaymentDoubts, r.RefundDue)
	}
	paid := int64(0)
	for _, row := range r.Tenders {
		paid += row.Amount.Minor
	}
	if paid != r.Total.Minor {
		t.Errorf("tenders come to %d of %d", paid, r.Total.Minor)
	}
	if a := r.Astray; a.Count != 2 || a.Assets[0].String() != "16.0000 USDC" || r.AstrayBack != 1 || r.AstrayTaken.Count != 1 || r.AstrayTaken.Amount.Minor != 640 {
		t.Errorf("astray %+v, given back %d, taken %+v", a, r.AstrayBack, r.AstrayTaken)
	}
	if dai := r.Tender("dai-lab1"); dai.Amount.Minor != 1920 || dai.Assets[0].String() != "24.0000 DAI" {
		t.Errorf("DAI is %+v", dai)
	}
	if over := r.Over.Assets; len(over) == 0 {
		t.Errorf("nothing over: %+v", r.Over)
	}
}

// TestStablecoinsDoctor lets the doctor look at two chains, one of which is not what the
// configuration says; and prints the recovery sheet.
func TestStablecoinsDoctor(t *testing.T) {
	if testing.Short() {
		t.Skip("needs anvil; leave -short out")
	}
	dir, m := t.TempDir(), newMarket(t)
	file := writeCoinsShop(t, dir, m)
	if _, err := try(t, "recovery", "--config", file); err == nil {
		t.Error("a sheet without a seed")
	}
	out := good(t, "doctor", "--config", file)
	for _, want := range []string{"ok    usdc-lab1      USDC on Lab 1", "ok    dai-lab2", "make sure that it is your own wallet"} {
		if !strings.Contains(out, want) {
			t.Errorf("the doctor does not say %q", want)
		}
	}
	_, c, stop := runShop(t, file)
	c.found()
	sheet := good(t, "recovery", "--config", file) // beside the running till
	stop()
	if again := good(t, "recovery", "--config", file); again != sheet || !strings.Contains(sheet, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed") {
		t.Errorf("the sheet is\n%s", again)
	}
	writeIn(t, dir, "lab2.url", m.chains[0].URL)
	if out, err := try(t, "doctor", "--config", file); err == nil || !strings.Contains(out, "Another network answers for Lab 2") {
		t.Error("the doctor takes one chain for another")
	}
}

// TestStablecoinsKill cuts the power while a customer pays: what he was shown holds, and
// his money is found.
func TestStablecoinsKill(t *testing.T) {
	if testing.Short() {
		t.Skip("needs anvil; leave -short out")
	}
	dir, m := t.TempDir(), newMarket(t)
	file := writeCoinsShop(t, dir, m)
	p := startProcess(t, file)
	c := &counter{t: t, base: p.base}
	c.found()
	d := &tokenDay{counter: c, market: m}
	c.wait("tokens", tendersReady)
	sale, see := d.open("usdc-lab1", "BRD")
	to := d.address(sale)
	p.kill()
	m.pay(0, to, "8000000")
	p = startProcess(t, file)
	c.base = p.base
	c.signIn()
	d.paid(sale)
	if got := d.sale(sale).Payments[0]; got.Payload != see.QR || got.Received.String() != "8.0000 USDC" {
		t.Errorf("found %+v", got)
	}
}
