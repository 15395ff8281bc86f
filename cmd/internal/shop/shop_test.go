// Package shop proves the whole: the demo shop on real nodes, used as its
// newcomers use it, in a real browser. A cashier signs in, sells a coffee over
// Lightning, a customer pays from the wallet's page, the receipt comes out, and
// the owner finds the sale in the report of the day.
package shop

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// pictures saves what the browser shows, for the README.
var pictures = flag.String("pictures", "", "folder to save pictures in")

const (
	chromium = "/usr/bin/chromium"
	openIn   = 10 * time.Minute // nodes ready, on a machine that has other things to do: a load of 30 took five
	seeIn    = 45 * time.Second // something on a page
)

// shop is a running demo shop.
type shop struct {
	t                    *testing.T
	dir                  string
	till, office, wallet string // addresses
	closed               chan struct{}
}

// open starts the demo shop on free ports. args are for devnet.
func open(t *testing.T, args ...string) *shop {
	t.Helper()
	bin := os.Getenv("TILLWRIGHT_SHOP")
	if bin == "" {
		t.Skip("needs the built programs and nodes: make test names their folders in TILLWRIGHT_SHOP and TILLWRIGHT_BIN")
	}
	if _, err := os.Stat(chromium); err != nil {
		t.Fatalf("needs a browser: %v", err)
	}
	s := &shop{t: t, dir: t.TempDir(), till: freePort(t), office: freePort(t), wallet: freePort(t)}
	s.config()
	cmd := exec.Command(filepath.Join(bin, "devnet"), append([]string{"run", "--dir", s.dir, "--listen", s.wallet,
		"--till", filepath.Join(bin, "till"), "--backoffice", filepath.Join(bin, "backoffice"), "--bin", os.Getenv("TILLWRIGHT_BIN")}, args...)...)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.closed = make(chan struct{})
	go func() {
		defer close(s.closed)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the shop closed with %v", err)
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGINT)
		<-s.closed
	})
	return s
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// config writes the demo shop's files with these ports, as a user who edited them.
func (s *shop) config() {
	s.t.Helper()
	cafe := filepath.Join(s.dir, "cafe")
	if err := os.MkdirAll(cafe, 0o700); err != nil {
		s.t.Fatal(err)
	}
	change := strings.NewReplacer("127.0.0.1:8080", s.till, "127.0.0.1:8081", s.office, "@folder@", cafe)
	for _, name := range []string{"till.toml", "backoffice.toml", "catalogue.toml", "tokens.json"} {
		text, err := os.ReadFile(filepath.Join("../../devnet/cafe", name))
		if err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(cafe, name), []byte(change.Replace(string(text))), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// secret waits for a file that the shop writes when it opens, and reads it.
func (s *shop) secret(name string) string {
	s.t.Helper()
	var text []byte
	found := repeat(openIn, func() bool {
		select {
		case <-s.closed:
			s.t.Fatal("the shop closed by itself")
		default:
		}
		text, _ = os.ReadFile(filepath.Join(s.dir, "cafe", name)) // not there yet: empty
		return len(text) > 0
	})
	if !found {
		s.t.Fatalf("the shop never wrote %s", name)
	}
	return strings.TrimSpace(string(text))
}

// repeat asks f, of another process that tells nobody, until it says yes.
func repeat(within time.Duration, f func() bool) bool {
	tick, late := time.NewTicker(100*time.Millisecond), time.After(within)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-late:
			return false
		}
	}
	return true
}

// page is one tab.
type page struct {
	t   *testing.T
	ctx context.Context
}

// browser starts Chromium; page opens tabs in it.
func browser(t *testing.T) context.Context {
	t.Helper()
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("mute-audio", true))...)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() { cancel(); stop() })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return ctx
}

func tab(t *testing.T, parent context.Context, url string, w, h int64) *page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent)
	ctx, stop := context.WithTimeout(ctx, 15*time.Minute)
	t.Cleanup(func() { stop(); cancel() })
	p := &page{t, ctx}
	p.do(chromedp.EmulateViewport(w, h))
	if !repeat(openIn, func() bool { return chromedp.Do(ctx, chromedp.Navigate(url)) == nil }) { // until it listens
		t.Fatalf("nobody answers at %s", url)
	}
	return p
}

func (p *page) do(a ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, a...); err != nil {
		p.t.Fatal(err)
	}
}

// js evaluates an expression that gives a truth value.
func (p *page) js(expr string) bool {
	p.t.Helper()
	return eval[bool](p, "Boolean("+expr+")")
}

// eval returns what an expression is.
func eval[T any](p *page, expr string) T {
	p.t.Helper()
	out, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expr))
	if err != nil {
		p.t.Fatalf("evaluate %s: %v", expr, err)
	}
	return out
}

// wait waits until expr is true. Between two pages there is no document to ask: an error
// is a no, and the last one is told.
func (p *page) wait(within time.Duration, expr string) {
	p.t.Helper()
	var last error
	if repeat(within, func() bool {
		yes, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("Boolean("+expr+")"))
		last = err
		return err == nil && yes
	}) {
		return
	}
	p.shot("stuck")
	p.t.Fatalf("never true: %s (%v); the page says:\n%s", expr, last, eval[string](p, "document.body?.innerText ?? ''"))
}

// follow clicks what leads to another page, and waits until that page is whole. What the
// old page shows as well cannot pass for the new one.
func (p *page) follow(selector string) {
	p.t.Helper()
	p.wait(seeIn, fmt.Sprintf("document.querySelector(%q)", selector))
	p.js(fmt.Sprintf("(window.left = true, document.querySelector(%q).click(), true)", selector))
	p.wait(seeIn, `!window.left && document.readyState === "complete"`)
}

// see waits until an element holds text.
func (p *page) see(within time.Duration, selector, text string) {
	p.t.Helper()
	p.wait(within, fmt.Sprintf("[...document.querySelectorAll(%q)].some(e => e.checkVisibility() && e.innerText.replaceAll('\\u00a0', ' ').includes(%q))", selector, text))
}

// tap clicks the first element that matches and holds text.
func (p *page) tap(selector, text string) {
	p.t.Helper()
	find := fmt.Sprintf("[...document.querySelectorAll(%q)].find(e => e.innerText.includes(%q) && e.checkVisibility() && !e.disabled && e.getAttribute('aria-disabled') !== 'true')", selector, text)
	p.wait(seeIn, "(e => e && (e.click(), true))("+find+")") // in one step: a page that draws itself anew comes not between
}

// shot saves a picture for the README, if it is asked for.
func (p *page) shot(name string) {
	p.t.Helper()
	dir := *pictures
	if dir == "" && name != "stuck" {
		return
	}
	if dir == "" {
		dir = p.t.ArtifactDir()
	}
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// calm waits, for a picture, until all can be had and every record is safe.
func (p *page) calm() {
	p.t.Helper()
	if *pictures != "" {
		p.wait(openIn, `document.querySelector(".pill.good") && !document.querySelector("till-pay .tender:disabled")`)
	}
}

// signIn signs the shop's owner in at the till and shows the items.
func (p *page) signIn(pin string) {
	p.t.Helper()
	p.see(openIn, "body", "Ada")
	for _, d := range pin {
		p.tap("till-pin button.digit", string(d))
	}
	p.tap("till-pin button.go", "")
	p.tap(".tab.items", "")
}

// ownerIn signs in at the backoffice.
func (p *page) ownerIn(password string) {
	p.t.Helper()
	p.wait(seeIn, "document.querySelector('input[name=password]')")
	p.do(chromedp.SendKeys(chromedp.CSS("input[name=password]"), password+"\r"))
	p.see(seeIn, "body", "none missing")
}

// seeSoon loads the page again until it holds text.
func (p *page) seeSoon(text string) {
	p.t.Helper()
	if !repeat(seeIn, func() bool {
		p.do(chromedp.Reload())
		return p.js(fmt.Sprintf("document.body?.innerText.includes(%q)", text))
	}) {
		p.shot("stuck")
		p.t.Fatalf("%q never came; the page says:\n%s", text, eval[string](p, "document.body.innerText"))
	}
}

// TestNewcomer sells a coffee over Lightning as the README says.
func TestNewcomer(t *testing.T) {
	var args []string
	if *pictures != "" { // show all that a shop can take
		tree, err := filepath.Abs("../../..")
		if err != nil {
			t.Fatal(err)
		}
		args = []string{"--tree", tree}
	}
	s := open(t, args...)
	b := browser(t)
	pin, password := s.secret("till-pin"), s.secret("owner-password")

	cashier := tab(t, b, "http://"+s.till+"/", 800, 480)
	cashier.see(openIn, "body", "Ada")
	cashier.shot("sign-in")
	cashier.signIn(pin)
	cashier.tap("till-items button.tile", "Cappuccino")
	cashier.tap("till-items button.tile", "Croissant")
	cashier.see(seeIn, "till-foot .money", "6.80")
	cashier.shot("cashier")

	// Cash works while the Lightning button is still grey and says why.
	cashier.tap(".pay", "")
	cashier.see(seeIn, "till-pay", "Lightning")
	cashier.tap(`[data-key="exact"]`, "")
	cashier.see(seeIn, "till-done", "6.80")

	wallet := tab(t, b, "http://"+s.wallet+"/", 390, 844)
	wallet.wait(openIn, "!document.querySelector('#pay').hidden")

	cashier.tap(`till-done [data-key="next"]`, "")
	cashier.tap("till-items button.tile", "Espresso")
	cashier.see(seeIn, "till-foot .money", "2.90")
	cashier.tap(".pay", "")
	cashier.wait(openIn, `document.querySelector('[data-key="tender lightning"]:not(:disabled)')`)
	cashier.wait(openIn, `!document.querySelector('[data-key="tender lightning"]').classList.contains("off")`) // the back office may find the node first
	cashier.calm()
	cashier.shot("tender")
	cashier.tap(`[data-key="tender lightning"]`, "")
	cashier.see(seeIn, "till-wait", "sat")
	cashier.see(seeIn, "till-wait .clock", "left")
	cashier.shot("waiting")
	customer := tab(t, b, "http://"+s.till+"/display", 800, 480)
	customer.wait(seeIn, "document.querySelector('img') && document.querySelector('img').naturalWidth === 800")
	customer.shot("due")

	wallet.wait(seeIn, "!document.querySelector('#invoice').hidden")
	wallet.shot("wallet")
	wallet.tap("#pay-now", "")
	cashier.see(seeIn, "till-done", "PAID")
	customer.wait(seeIn, "document.querySelector('img').alt.includes('PAID')")
	if *pictures != "" {
		customer.do(chromedp.Sleep(time.Second)) // until the new picture is decoded and in place
	}
	customer.shot("paid")

	paper := tab(t, b, "http://"+s.till+"/paper", 700, 900)
	paper.wait(seeIn, "document.querySelector('img') && document.querySelector('img').naturalHeight > 1000") // two receipts
	paper.shot("paper")

	phone := tab(t, b, "http://"+s.till+"/", 390, 844)
	phone.tap(`till-done [data-key="next"]`, "")
	phone.wait(seeIn, "document.querySelector('main').dataset.show === 'sell'")
	phone.calm()
	phone.shot("phone")

	owner := tab(t, b, "http://"+s.office+"/", 1280, 900)
	owner.ownerIn(password)
	owner.seeSoon("01-000002")
	owner.shot("report")
	bill := tab(t, b, "http://"+s.office+"/tills", 1280, 900)
	bill.see(seeIn, "body", "none missing")
	bill.shot("tills")
	if !owner.js("document.body.innerText.includes('9.70')") {
		t.Error("the report does not add 6.80 and 2.90 up")
	}
}
