package web

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/web/webtest"
)

// looker walks pages and holds each picture to the screens' rules.
type looker struct {
	*tab
	panel bool   // 800 × 480 at 133 pixels an inch: the sizes in millimetres hold
	fixed string // where basket and Pay stood when last looked at
	lang  string
}

// word is a word of the page's language, as see finds it.
func (l *looker) word(key string, with ...string) string {
	return strings.ReplaceAll(pos.Word(l.lang, key, with...), "\u00a0", " ")
}

// rules returns what is wrong with what the page shows now: something sticks out,
// words are cut off, text or a finger's target is too small. Sizes are those of
// the 7-inch panel, 5.25 px a millimetre.
const rules = `(panel => {
  const bad = [], seen = e => e.checkVisibility() && e.getBoundingClientRect().width > 0;
  const name = e => e.tagName.toLowerCase() + "." + e.className + " " + JSON.stringify(e.innerText.slice(0, 30));
  if (document.documentElement.scrollWidth > innerWidth) bad.push("the page is wider than the screen");
  const top = document.querySelector("dialog[open]") ?? document.querySelector("main, till-sign-in") ?? document.body;
  for (const e of top.querySelectorAll("button, h1, h2, p, output, small, b")) {
    if (!seen(e) || e.closest(".said")) continue;
    const size = parseFloat(getComputedStyle(e).fontSize);
    if (e.innerText && size < 15.9) bad.push(name(e) + " is written in " + size + " px");
    if (e.matches(".big, .huge, .giant") && size < 40) bad.push(name(e) + " is a total in " + size + " px");
    if (e.tagName === "BUTTON" && e.closest("main") && !e.matches(".tile")) {
      if (e.scrollWidth > e.clientWidth + 1) bad.push(name(e) + " is cut off by " + (e.scrollWidth - e.clientWidth) + " px");
      if (e.scrollHeight > e.clientHeight + 2) bad.push(name(e) + " is too low by " + (e.scrollHeight - e.clientHeight) + " px");
    }
    const mid = e.closest(".mid");
    if (panel && mid && mid.scrollHeight > mid.clientHeight + 1) bad.push(name(mid) + " has to be scrolled by " + (mid.scrollHeight - mid.clientHeight) + " px");
    if (e.tagName !== "BUTTON") continue;
    if (e.matches(".mid button") && e.getBoundingClientRect().right > e.parentElement.getBoundingClientRect().right + 1) bad.push(name(e) + " leaves its place");
    const { width, height } = e.getBoundingClientRect();
    const least = !panel ? [40, 44] : e.matches(".pay") ? [210, 105] : e.matches("till-keypad .digit, .tile") ? [78, 78] : [45, 52];
    if (width < least[0] - .5 || height < least[1] - .5) bad.push(name(e) + " is " + width.toFixed() + " × " + height.toFixed() + " px, want " + least.join(" × "));
  }
  return bad;
})`

// where says where the basket and Pay stand.
const where = `JSON.stringify([...document.querySelectorAll("till-cart, .pay")].map(e => { const r = e.getBoundingClientRect(); return [r.x, r.y, r.right, r.bottom]; }))`

// look takes a picture and complains about it.
func (l *looker) look(name string) {
	l.Helper()
	l.shot(name)
	for _, bad := range append(eval[[]string](l.tab, fmt.Sprintf("%s(%v)", rules, l.panel)), eval[[]string](l.tab, textRules)...) {
		l.Errorf("%s: %s", name, bad)
	}
	at := eval[string](l.tab, where)
	if l.fixed != "" && at != "[]" && at != l.fixed {
		l.Errorf("%s: basket and Pay moved from %s to %s", name, l.fixed, at)
	}
	if at != "[]" {
		l.fixed = at
	}
}

// TestLook walks the cashier's page through its states on three screens. On each
// it holds the page to its rules, and basket and Pay to their places. With
// -artifacts it leaves pictures for people to look at.
func TestLook(t *testing.T) {
	for _, screen := range []struct {
		name string
		w, h int64
	}{{"panel", 800, 480}, {"phone", 390, 844}, {"pc", 1280, 800}} {
		t.Run(screen.name, func(t *testing.T) {
			k := serve(t)
			l := &looker{tab: tabOf(t, k, "/", screen.w, screen.h), panel: screen.name == "panel"}
			lookAtSales(k, l, screen.w < 1100)
			lookAtWaiting(k, l)
			lookAtTrouble(k, l)
		})
	}
}

func lookAtSales(k *till, l *looker, tabs bool) {
	l.see(".name", "Anna")
	l.look("01-names")
	l.click(`[data-key="p1"]`)
	l.look("02-pin")
	l.signIn("p1", ownerPIN)
	l.look("03-empty")
	if tabs {
		l.click(".tab.items")
	}
	for _, name := range []string{"Espresso", "Espresso", "Croissant", "Flat white"} {
		l.tile(name)
	}
	l.see("till-foot .money", "€12.90")
	l.look("04-items")
	if tabs {
		l.click(".tab.keypad")
	}
	l.key("3*")
	l.key("250")
	l.see(".typed", "€2.50")
	l.look("05-typing")
	l.click(".pay")
	l.see("till-pay .huge", "€20.40")
	l.look("06-pay")
	l.click(`[data-key="other"]`)
	l.key("1500")
	l.look("07-amount")
	l.click(`[data-key="back"]`)
	l.click(`[data-key="note5000"]`)
	l.see("till-done .giant", "€29.60")
	l.look("08-change")
	l.click(`till-done [data-key="next"]`)
}

func lookAtWaiting(k *till, l *looker) {
	l.key("350\r")
	l.see("till-foot .money", "€3.50")
	l.click(".pay", `[data-key="tender lightning"]`)
	l.see("till-wait .huge", "€3.50")
	l.look("09-waiting")
	k.desk.Move("", pos.See)
	l.see("till-wait .state", "on its way")
	l.look("10-arriving")
	k.desk.Move("", pos.Settle)
	l.see("till-done .giant", "€3.50")
	l.look("11-paid")

	l.key("990\r")
	l.see("till-foot .money", "€9.90")
	l.click(".pay", `[data-key="tender lightning"]`)
	k.desk.Silence(true)
	l.expect("503") // nobody answers: the pane says so
	l.click(`[data-key="cancel"]`)
	l.see("till-wait .state", "No answer")
	l.look("12-doubt")
	l.click(`[data-key="despite"]`)
	l.look("13-despite")
	l.click(`till-wait [data-key="next"]`)
	l.see("till-cart", "Tap an item")
	k.desk.Silence(false)
}

func lookAtTrouble(k *till, l *looker) {
	l.key("500\r")
	l.see("till-foot .money", "€5.00")
	l.click(".pay", `[data-key="tender lightning"]`)
	l.see("till-wait .huge", "€5.00")
	l.look("14-waiting-beside")
	l.click(`till-wait [data-key="next"]`)
	l.see("till-cart", "Tap an item")
	l.key("120\r")
	l.see("till-foot .money", "€1.20")
	l.click(".tab.open")
	l.see("till-open", "No answer")
	l.look("15-open")
	k.desk.Links([]pos.Link{{Name: "node", State: "offline", Detail: "no answer for 2 min"}, {Name: "backoffice", State: "offline"}, {Name: "rates", State: "online"}, {Name: "printer", State: "online"}},
		pos.Sync{Enrolled: true, SafeTo: 4811, Waiting: 3, Sales: 2, Amount: webtestEUR(2_390), Oldest: k.desk.Now()})
	k.desk.Grey("lightning", "The node is offline; cash works")
	k.desk.Tell("printer", "The printer is out of paper. Receipts will follow.", "")
	k.desk.Move(k.desk.View().Counter.Open[1].ID, pos.Settle)
	l.click(".tab.keypad")
	l.see(".notice", "is paid")
	l.click(".pay")
	l.see("till-pay", "The node is offline")
	l.look("16-greyed")
	l.click(`[data-key="back"]`)
	l.click(".pill")
	l.see("dialog", "Payment node")
	l.look("17-status")
	l.click("dialog header button")
	k.desk.Refuse(pos.E("do", pos.Unavailable, "the till's storage is full; call the shop's support"))
	l.expect("503")
	l.key("700\r")
	l.see(".toast", "storage is full")
	l.look("18-refused")
	k.desk.Refuse(nil)
	if l.panel {
		l.click(`till-keypad [data-key="more"]`)
		l.see("dialog", "Print last receipt")
		l.look("19-more")
	}
}

// lookOffline walks a payment made without a line through its states.
func lookOffline(desk *webtest.Desk, l *looker) {
	desk.Cut(pos.AllowOffline, "")
	desk.Unproven(3, webtestEUR(4_120), desk.Now())
	desk.Links([]pos.Link{{Name: "node", State: "offline"}, {Name: "internet", State: "offline"}}, pos.Sync{Enrolled: true, SafeTo: 4811, Waiting: 9, Sales: 3, Amount: webtestEUR(4_120), Oldest: desk.Now()})
	l.key("1250\r")
	l.see("till-foot .money", "12")
	l.click(".pay")
	l.see(`[data-key="tender lightning"]`, "41")
	l.look("20-offline-pay")
	l.click(`[data-key="tender lightning"]`)
	l.see("till-code", "")
	l.look("21-offline-code")
	l.key("123")
	l.click(`[data-key="camera"]`)
	l.wait(`document.querySelector('[data-key="camera"]').getAttribute("aria-pressed") === "true"`)
	l.look("22-offline-typing")
	l.key("456")
	l.see("till-code .hint", l.word("ui.code_wrong", "n", "2"))
	l.look("23-offline-wrong")
	l.burst(webtest.Scan(9) + "\r")
	l.see("till-code .hint", l.word("ui.code_other"))
	l.look("24-offline-other-sale")
	l.expect("503")
	l.click(`[data-key="cancel"]`)
	l.wait(`document.querySelector("till-wait .doubt")`)
	l.look("25-offline-doubt")
	l.click(`till-wait [data-key="despite"]`)
	l.look("26-offline-despite")
	l.click(`till-wait [data-key="again"]`)
	l.wait(`document.querySelector('[data-key="camera"]')`)
	desk.Later(webtest.RequestLife)
	l.wait(`document.querySelector('till-wait [data-key="again"]')`)
	l.look("27-offline-ended")
	l.key("111111")
	l.see("till-code .hint", l.word("ui.code_wrong_last"))
	l.key("222222")
	l.see("till-code .hint", l.word("ui.code_wrong_more"))
	l.look("28-offline-third")
	l.key(webtest.Code(417))
	l.see("till-done .quantity", l.word("ui.paid_offline"))
	l.look("29-offline-paid")
	l.click(`till-done [data-key="next"]`)
	l.click(".pill")
	l.look("30-offline-status")
	l.click("dialog header button")
}

// TestOfflineLook looks at selling without a line by day and by night, on each
// screen, and in each language.
func TestOfflineLook(t *testing.T) {
	for _, row := range []struct {
		lang string
		w, h int64
		dark bool
	}{{"en", 800, 480, false}, {"en", 390, 844, true}, {"en", 1280, 800, false}, {"es", 800, 480, true}, {"de", 800, 480, true}, {"fr", 800, 480, false}, {"pt", 800, 480, false}} {
		t.Run(fmt.Sprint(row.lang, row.w), func(t *testing.T) {
			k, desk := serveIn(t, row.lang)
			l := &looker{tab: tabOf(t, k, "/", row.w, row.h), panel: row.w == 800, lang: row.lang}
			l.night(row.dark)
			l.signIn("p1", ownerPIN)
			lookOffline(desk, l)
		})
	}
}

// serveIn is serve for a shop that speaks lang and sells more than others.
func serveIn(t *testing.T, lang string, more ...pos.Item) (*till, *webtest.Desk) {
	t.Helper()
	k := serve(t, func(o *Options) {
		o.Shop, o.Items = webtest.Shop(lang), append(o.Items, more...)
		o.Desk = webtest.NewDesk(o.Shop, o.Items)
	})
	desk := k.app.o.Desk.(*webtest.Desk)
	desk.Publish = k.app.Publish
	return k, desk
}

// night makes the page dark.
func (l *looker) night(dark bool) {
	l.Helper()
	if !dark {
		return
	}
	if _, err := chromedp.Call(l.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}); err != nil {
		l.Fatal(err)
	}
}

// TestLanguages looks at the panel in each language, by night: words differ in
// length, and none may be cut off.
func TestLanguages(t *testing.T) {
	for _, lang := range pos.Languages[1:] {
		t.Run(lang, func(t *testing.T) {
			k, desk := serveIn(t, lang)
			l := &looker{tab: tabOf(t, k, "/", 800, 480), panel: true}
			l.night(true)
			l.click(`[data-key="p1"]`)
			l.look("1-pin")
			l.signIn("p1", ownerPIN)
			l.key("1234\r")
			l.see("till-foot .money", "12,34")
			l.look("2-keypad")
			l.click(".pay")
			l.look("3-pay")
			l.click(`[data-key="other"]`)
			l.look("4-amount")
			l.click(`[data-key="back"]`, `[data-key="tender lightning"]`)
			l.see("till-wait .huge", "12,34")
			l.look("5-waiting")
			desk.Silence(true)
			l.expect("503")
			l.click(`[data-key="cancel"]`, `[data-key="despite"]`)
			l.look("6-doubt")
			desk.Move("", pos.Settle)
			l.see("till-done .giant", "12,34")
			l.look("7-paid")
		})
	}
}
