package web

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromium is where Debian puts the browser that the screens are tested in.
const chromium = "/usr/bin/chromium"

const (
	browserWithin = 5 * time.Minute  // one test: a slow computer takes its time
	waitWithin    = 45 * time.Second // for something to appear; fifteen were too few under a load of 30
)

// browser is one Chromium for all tests; each opens a profile of its own in it.
var browser = sync.OnceValues(func() (context.Context, error) {
	dir, err := os.MkdirTemp("", "till-browser-")
	if err != nil {
		return nil, err
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(dir), chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"), chromedp.Flag("mute-audio", true))...)
	ctx, cancel := chromedp.NewContext(alloc)
	closeBrowser = func() {
		cancel()
		stop()
		_ = os.RemoveAll(dir) // a leftover in the temporary directory harms nobody
	}
	return ctx, chromedp.Do(ctx)
})

var closeBrowser = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	closeBrowser()
	os.Exit(code)
}

// tab is one page in the browser. What the page complains of fails the test.
type tab struct {
	testing.TB
	ctx context.Context

	mu     sync.Mutex
	errors []string
	fine   []string // complaints that the test expects
}

// tabOf opens a page of k in a profile of its own, w × h pixels.
func tabOf(t testing.TB, k *till, path string, w, h int64) *tab {
	t.Helper()
	if _, err := os.Stat(chromium); err != nil {
		t.Skip("needs " + chromium + " (apt-get install chromium)")
	}
	parent, err := browser()
	if err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	ctx, cancel := chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	p := &tab{TB: t}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatalf("open a page: %v", err)
	}
	var stop context.CancelFunc
	p.ctx, stop = context.WithTimeout(ctx, browserWithin)
	t.Cleanup(func() {
		defer stop()
		defer cancel()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, e := range p.errors {
			if !slices.ContainsFunc(p.fine, func(f string) bool { return strings.Contains(e, f) }) {
				t.Errorf("the page complains: %s", e)
			}
		}
	})
	if _, err := chromedp.Call(p.ctx, cdplog.Enable, cdp.Empty{}); err != nil {
		t.Fatalf("hear the page's log: %v", err)
	}
	p.run(chromedp.EmulateViewport(w, h), chromedp.Navigate(k.url+path))
	return p
}

// hear keeps exceptions, console errors, and refusals of the policy.
func (p *tab) hear(ev any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		p.errors = append(p.errors, fmt.Sprintf("%+v", e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			p.errors = append(p.errors, fmt.Sprintf("console: %s", e.Args[0].Value))
		}
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError {
			p.errors = append(p.errors, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

// expect lets complaints pass that contain text.
func (p *tab) expect(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fine = append(p.fine, text)
}

func (p *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.shot("failed")
		p.Fatalf("browser: %v", err)
	}
}

// click waits for each element and taps it. Between the look at where it is and the tap
// a page may have moved it: then it is tapped again. A tap counts when what the selector
// says has felt it, also when that was drawn anew meanwhile.
func (p *tab) click(selectors ...string) {
	p.Helper()
	for _, s := range selectors {
		for late := time.Now().Add(waitWithin); ; {
			p.wait(fmt.Sprintf(`((e, s) => {
				if (!e || !e.checkVisibility() || e.disabled) return false;
				window.feels ?? window.addEventListener("click", (c) => { window.felt ||= !!c.target.closest?.(window.feels); }, true);
				window.feels = s;
				window.felt = false;
				return true;
			})(document.querySelector(%[1]q), %[1]q)`, s))
			err := chromedp.Do(p.ctx, chromedp.Click(chromedp.CSS(s)))
			missed, gone := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("window.felt === false"))
			if err == nil && (gone != nil || !missed) { // gone: the tap has led to another page
				break
			}
			if time.Now().After(late) {
				p.shot("failed")
				p.Fatalf("browser: click %s: %v", s, err)
			}
		}
	}
}

// wait holds on until the JavaScript expression is true.
func (p *tab) wait(expression string) {
	p.Helper()
	// chromedp.Poll makes its predicate from text, which the page's policy forbids.
	promise := fmt.Sprintf("new Promise((done) => { const look = () => ((%s) ? done(true) : setTimeout(look, 20)); look(); })", expression)
	ctx, stop := context.WithTimeout(p.ctx, waitWithin)
	defer stop()
	for {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](promise, func(e *runtime.EvaluateParams) { e.AwaitPromise = new(true) }))
		if err == nil {
			return
		}
		if ctx.Err() != nil || strings.Contains(err.Error(), "SyntaxError") {
			p.shot("failed")
			p.Fatalf("wait for %s: %v", expression, err)
		}
	}
}

// see waits until the element shows text.
func (p *tab) see(selector, text string) {
	p.Helper()
	p.wait(fmt.Sprintf("[...document.querySelectorAll(%q)].some(e => e.checkVisibility() && e.innerText.replaceAll('\\u00a0', ' ').includes(%q))", selector, text))
}

// key presses keys as a keyboard or a scanner does.
func (p *tab) key(keys string) {
	p.Helper()
	p.run(chromedp.KeyEvent(keys))
}

// eval returns what the expression is.
func eval[T any](p *tab, expression string) T {
	p.Helper()
	out, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.Fatalf("evaluate %s: %v", expression, err)
	}
	return out
}

// shot keeps a picture of the page among the test's artifacts.
func (p *tab) shot(name string) {
	p.Helper()
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.Logf("no picture: %v", err)
		return
	}
	file := filepath.Join(p.ArtifactDir(), name+".png")
	if err := os.WriteFile(file, png, 0o600); err != nil {
		p.Logf("no picture: %v", err)
	}
}

// signIn taps a name and types the PIN.
func (p *tab) signIn(id, pin string) {
	p.Helper()
	p.click(`[data-key="` + id + `"]`)
	p.pin(pin)
	p.see("till-foot .pay", "")
}

// pin types a PIN on its pad.
func (p *tab) pin(digits string) {
	p.Helper()
	for _, d := range digits {
		p.click(pinKey(d))
	}
	p.click("till-pin .go")
}

// tile taps an item of the catalogue by its name.
func (p *tab) tile(name string) {
	p.Helper()
	tile := fmt.Sprintf("[...document.querySelectorAll('.tile')].find(e => e.checkVisibility() && e.querySelector('.name').textContent.replaceAll('\\u00ad', '') === %q)", name)
	p.wait(tile)
	eval[bool](p, tile+".click() ?? true")
}

func sendKeys(selector, keys string) chromedp.Action[chromedp.Void] {
	return chromedp.SendKeys(chromedp.CSS(selector), keys)
}

func setValue(selector, text string) chromedp.Action[chromedp.Void] {
	return chromedp.SetValue(chromedp.CSS(selector), text)
}

func navigate(url string) chromedp.Action[chromedp.Void] { return chromedp.Navigate(url) }

// quote writes text as a JavaScript string.
func quote(text string) string { return strconv.Quote(text) }

// pinKey selects a key of the PIN pad.
func pinKey(d rune) string {
	place := int(d - '0') // the pad's keys stand in their order, erase and 0 last
	if d == '0' {
		place = 11
	}
	return fmt.Sprintf("till-pin .keys button:nth-child(%d)", place)
}
