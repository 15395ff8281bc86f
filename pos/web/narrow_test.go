package web

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/web/webtest"
)

// small are windows of small devices, in CSS pixels: old phones, a phone held upright, the
// 7-inch panel.
var small = [][2]int64{{320, 480}, {320, 568}, {360, 640}, {390, 844}, {800, 480}}

// sticksOut returns what of a page is not within its window: what the window would have to
// be scrolled for, and buttons that stick out of it. A list may be scrolled, and what is in
// it may be out of sight; so may a pane of words on the smallest window.
const sticksOut = `(() => {
  const bad = [], root = document.documentElement, lists = ".tiles, .lines, .cards, .chips, .sheet, .names, .options";
  const name = e => e.tagName.toLowerCase() + "." + e.className + " " + JSON.stringify((e.innerText ?? "").slice(0, 30));
  if (root.scrollWidth > innerWidth) bad.push("the page is " + (root.scrollWidth - innerWidth) + " px wider than its window");
  for (const e of document.body.querySelectorAll("*")) {
    const r = e.getBoundingClientRect();
    if (!r.width || !r.height || !e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || e.closest(".said")) continue;
    const wide = Math.max(r.right - innerWidth, -r.left);
    if (wide > .5 && !e.parentElement.closest(".chips")) bad.push(name(e) + " sticks out sideways by " + wide.toFixed(1) + " px");
    if (innerHeight > 500 && e.matches(".mid, .tenders, .choices") && e.scrollHeight > e.clientHeight + 1) bad.push(name(e) + " has to be scrolled by " + (e.scrollHeight - e.clientHeight) + " px");
    const high = Math.max(r.bottom - innerHeight, -r.top);
    if (high > .5 && !e.parentElement.closest(lists)) bad.push(name(e) + " sticks out by " + high.toFixed(1) + " px");
  }
  return bad;
})()`

// TestNarrow walks the cashier's page on small windows in every language: nothing is wider
// than the window, and no button is out of reach.
func TestNarrow(t *testing.T) {
	for _, lang := range pos.Languages {
		if testing.Short() && lang != "de" {
			continue // the longest words; others run the same code
		}
		t.Run(lang, func(t *testing.T) {
			k, desk := serveIn(t, lang, homemade()...)
			l := &looker{tab: tabOf(t, k, "/", 320, 480), lang: lang}
			fits := func(name string) {
				t.Helper()
				for _, s := range small {
					l.run(chromedp.EmulateViewport(s[0], s[1]))
					l.wait(fmt.Sprintf("innerWidth === %d && innerHeight === %d", s[0], s[1]))
					for _, bad := range eval[[]string](l.tab, sticksOut) {
						t.Errorf("%s, %d × %d: %s", name, s[0], s[1], bad)
					}
					if l.lang == "de" {
						l.shot(fmt.Sprintf("%s-%dx%d", name, s[0], s[1]))
					}
				}
			}
			l.see(".name", "Anna")
			fits("names")
			l.signIn("p1", ownerPIN)
			fits("empty")
			narrowSheets(desk, l, fits)
			l.key("9*98765\r") // as long as amounts get in a shop
			l.see("till-foot .money", "888")
			fits("keypad")
			l.click(".tab.items")
			fits("items")
			l.click(".pay")
			l.wait("document.querySelector('[data-key=exact]')")
			fits("pay")
			narrowPayments(desk, l, fits)
			l.key("1299\r")
			l.see("till-foot .money", "12")
			l.click(".tab.open")
			fits("open")
			desk.Cut(pos.AllowOffline, "")
			l.click(".pay", `[data-key="tender lightning"]`)
			l.see("till-code", "")
			fits("code")
			l.key(webtest.Code(417))
			l.see("till-done .quantity", l.word("ui.paid_offline"))
			fits("paid offline")
			l.key("1299\r")
			l.see("till-foot .money", "12")
			l.click(".pay", `[data-key="note5000"]`)
			l.see("till-done .giant", "37")
			fits("change")
		})
	}
}

// narrowSheets opens what lies over the page.
func narrowSheets(desk *webtest.Desk, l *looker, fits func(name string)) {
	l.Helper()
	desk.Links([]pos.Link{{Name: "printer", State: "online"}, {Name: "printer Kitchen", State: "offline", Detail: l.word("printer_unreachable")}}, pos.Sync{Enrolled: true, SafeTo: 4811, Waiting: 9, Sales: 3, Amount: webtestEUR(4_120), Oldest: desk.Now()})
	l.see(".pill", "Kitchen")
	l.click(`[data-key="more"]`)
	l.see("dialog", l.word("ui.test_page"))
	fits("more")
	l.click(`[data-key="test"]`)
	l.see("dialog", "Kitchen")
	fits("test")
	l.click("dialog header button", ".pill")
	l.see("dialog", l.word("printer_unreachable"))
	fits("status")
	l.click("dialog header button")
}

// narrowPayments walks from the ways to pay through payments that wait, to one in doubt.
func narrowPayments(desk *webtest.Desk, l *looker, fits func(name string)) {
	l.Helper()
	l.click(`[data-key="token USDC"]`)
	fits("networks")
	l.click(`[data-key="tender usdc-base"]`)
	l.wait("document.querySelector('till-wait .coin')")
	fits("coin")
	l.click(`[data-key="cancel"]`, `[data-key="other"]`)
	fits("amount")
	l.click(`[data-key="back"]`, `[data-key="tender lightning"]`)
	l.see("till-wait .huge", "888")
	fits("waiting")
	desk.Silence(true)
	l.expect("503")
	l.click(`[data-key="cancel"]`)
	l.wait(`document.querySelector('[data-key="despite"]')`)
	fits("doubt")
	desk.Silence(false)
	desk.Move("", pos.Settle)
	l.see("till-done .giant", "888")
	fits("paid")
}
