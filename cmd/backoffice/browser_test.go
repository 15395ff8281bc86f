package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

// shots is where TestBrowser puts its pictures, for people to look at.
var shots = flag.String("shots", "", "directory for pictures of the owner's pages")

// TestBrowser goes through the owner's pages in a real browser that has scripts
// switched off. Goal: every page works, and nothing on it is refused by its own
// policy. It needs Chromium on the computer; with -shots it also takes pictures.
func TestBrowser(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium on this computer")
	}
	s := sampleShop(t)
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	alloc, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	listen(t, ctx)
	do := func(what string, actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		within, cancel := context.WithTimeout(ctx, pageWithin)
		defer cancel()
		if err := chromedp.Do(within, actions...); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	shot := func(name string) {
		t.Helper()
		if *shots != "" {
			take(t, ctx, do, name)
		}
	}
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	do("start", chromedp.EmulateViewport(1280, 900))
	do("ask for the day", chromedp.Navigate(s.url+"/days/2026-11-22"), chromedp.WaitVisible(chromedp.CSS(`input[name=password]`)))
	shot("sign-in")
	do("sign in", chromedp.SendKeys(chromedp.CSS(`input[name=password]`), password+"\r"), chromedp.WaitVisible(chromedp.CSS(`.figure.main`)))
	shot("day")
	if sum, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(`.figure.main strong`))); err != nil || !strings.Contains(sum, "EUR") {
		t.Errorf("the day's sum reads %q, %v", sum, err)
	}
	do("open a receipt", chromedp.Click(chromedp.CSS(`.sales a`)), chromedp.WaitVisible(chromedp.CSS(`.paper`)))
	shot("receipt")
	do("open the tills", chromedp.Navigate(s.url+"/tills"), chromedp.WaitVisible(chromedp.CSS(`.till`)))
	shot("tills")
	do("make a code", chromedp.Navigate(s.url+"/codes"), chromedp.SendKeys(chromedp.CSS(`input[name=name]`), "Terrace"), chromedp.Click(chromedp.CSS(`button.strong`)), chromedp.WaitVisible(chromedp.CSS(`.codeword`)))
	shot("code")
	do("open the alarms", chromedp.Navigate(s.url+"/tills"), chromedp.WaitVisible(chromedp.CSS(`.alarm button`)))
	form, err := chromedp.Run(ctx, chromedp.Attributes(chromedp.CSS(`.alarm form`)))
	if err != nil {
		t.Fatal(err)
	}
	settled := fmt.Sprintf(".alarm form[action=%q]", form["action"]) // the page before has the same till
	do("settle an alarm", chromedp.Click(chromedp.CSS(settled+" button")), chromedp.WaitNotPresent(chromedp.CSS(settled)), chromedp.WaitVisible(chromedp.CSS(`.till`)))
	do("sign out", chromedp.Click(chromedp.CSS(`nav button`)), chromedp.WaitVisible(chromedp.CSS(`input[name=password]`)))
}

// pageWithin bounds a step: a slow computer takes its time.
const pageWithin = 3 * time.Minute

// listen fails the test when a page breaks its own policy or misses a file.
func listen(t *testing.T, ctx context.Context) {
	t.Helper()
	if err := chromedp.Do(ctx); err != nil { // starts the browser
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, func(ev any) {
		if e, ok := ev.(*cdplog.EventEntryAdded); ok && e.Entry.Level == cdplog.EntryLevelError {
			t.Errorf("the page complains: %s %s", e.Entry.Text, e.Entry.URL)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, cdplog.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
}

// take takes a page whole, on a desk and on a telephone.
func take(t *testing.T, ctx context.Context, do func(string, ...chromedp.Action[chromedp.Void]), name string) {
	t.Helper()
	for size, width := range map[string]int64{"desk": 1280, "phone": 390} {
		do("resize", chromedp.EmulateViewport(width, 900))
		png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(*shots, name+"-"+size+".png"), png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	do("back to the desk", chromedp.EmulateViewport(1280, 900))
}

// sampleShop is a coffee shop with two weeks of sales, a fork and a red record.
func sampleShop(t *testing.T) *shop {
	t.Helper()
	config := configure(t, "")
	command(t, "owner", "set", "--config", config, "--password-file", filepath.Join(filepath.Dir(config), "password"))
	s := openShop(t, config)
	zone, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Fatal(err)
	}
	first := time.Date(2026, 11, 9, 0, 0, 0, 0, zone)
	one, two := tilltest.New(1, "01", "EUR", first), tilltest.New(2, "02", "EUR", first)
	for i := range 14 {
		date := first.AddDate(0, 0, i)
		one.Day(date, 30+(i*37)%25)
		if i%7 != 0 {
			two.Day(date, 15+(i*23)%19)
		}
	}
	one.Stray()
	two.Add(pos.KindSaleCompleted, []string{"not", "a", "sale"})
	deliver(t, one, s.enrol(one, "Counter by the door"))
	far := s.enrol(two, "Terrace")
	deliver(t, two, far)
	copied := two.Clone(3)
	two.Sell()
	deliver(t, two, far)
	copied.Sell()
	if _, err := far.Push(t.Context(), copied.Records()[len(copied.Records())-1:]); err == nil {
		t.Fatal("the copy was not noticed")
	}
	return s
}
