package web

import (
	"fmt"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/web/webtest"
)

// textRules returns what is wrong with the words that a page shows: cut by the box that
// they are in, a letter's tail included; broken within a word without a hyphen; a hint
// longer than its field; too faint, money above all. And a pane that has to be scrolled,
// or whose buttons stick out of it: only a list may have more than is seen.
const textRules = `(() => {
  const bad = [], lists = ".tiles, .lines, .cards, .chips, .sheet, .names, .options";
  const top = document.querySelector("dialog[open]") ?? document.body;
  const all = (s, root = top) => [...root.querySelectorAll(s)].filter(e => e.checkVisibility({ opacityProperty: true, visibilityProperty: true }));
  const range = document.createRange();
  const rects = (node, from, to) => { range.setStart(node, from); range.setEnd(node, to); return [...range.getClientRects()].filter(r => r.width > 0); };

  // inner is what e lets be seen; null where it hides nothing.
  const inner = e => {
    const s = getComputedStyle(e), r = e.getBoundingClientRect();
    if (s.clipPath !== "none" || (s.overflowX === "visible" && s.overflowY === "visible")) return null;
    const x = r.left + e.clientLeft, y = r.top + e.clientTop;
    return { top: y, left: x, bottom: y + e.clientHeight, right: x + e.clientWidth };
  };
  const cut = (node, e, say) => {
    const ellipsis = e.closest(".name, .who span");
    let seen = rects(node, 0, node.length);
    for (let box = e; box !== document.documentElement && !box.matches(lists); box = box.parentElement) {
      const b = inner(box);
      if (!b) continue;
      if (ellipsis) seen = seen.filter(r => r.top < b.bottom - 4); // what is too long gives way to an ellipsis
      const by = Math.max(...seen.map(r => Math.max(r.bottom - b.bottom, b.top - r.top, ellipsis ? 0 : r.right - b.right, ellipsis ? 0 : b.left - r.left)));
      if (by > 1) say("is cut by " + by.toFixed(1) + " px by " + box.tagName.toLowerCase() + "." + box.className);
    }
  };
  const broken = (node, e, say) => {
    if (e.closest(".address")) return; // nobody reads it
    for (const m of node.textContent.matchAll(/[^\s\u00ad\u200b\/–—-]+/g)) {
      const lines = [...m[0]].map((_, i) => rects(node, m.index + i, m.index + i + 1).at(-1)?.top).filter(y => y !== undefined);
      if (lines.some(y => Math.abs(y - lines[0]) > 4)) say("is broken within " + m[0]);
    }
  };

  // Contrast as WCAG 2.2 has it, of what no gradient lies under.
  const colour = c => { const [r, g, b, a = 1] = c.match(/-?[\d.]+(e-?\d+)?/g).map(Number), by = c.startsWith("color") ? 255 : 1; return [r * by, g * by, b * by, a]; };
  const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const ground = e => { const c = e ? colour(getComputedStyle(e).backgroundColor) : [255, 255, 255, 1]; return c[3] >= 1 ? c : over(c, ground(e.parentElement)); };
  const bright = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const faint = (e, say) => {
    if (e.closest(":disabled, .off, .offline, .tile, [aria-disabled=true]")) return;
    for (let up = e; up; up = up.parentElement) if (getComputedStyle(up).opacity < 1) return;
    const back = ground(e), [x, y] = [bright(over(colour(getComputedStyle(e).color), back)), bright(back)].sort((a, b) => b - a);
    const ratio = (x + .05) / (y + .05), least = e.closest(".money") ? 7 : 4.5;
    if (ratio < least - .05) say("has a contrast of " + ratio.toFixed(1) + ", want " + least);
  };

  const walk = document.createTreeWalker(top, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode, e = node.parentElement;
    if (!node.textContent.trim() || e.closest(".said, option") || !e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || !rects(node, 0, node.length).length) continue;
    const say = what => bad.push(JSON.stringify(node.textContent.trim().slice(0, 60)) + " in " + e.tagName.toLowerCase() + "." + e.className + " " + what);
    cut(node, e, say);
    broken(node, e, say);
    faint(e, say);
  }
  const pen = document.createElement("canvas").getContext("2d");
  for (const e of all("input[placeholder]")) {
    const s = getComputedStyle(e), room = e.clientWidth - parseFloat(s.paddingLeft) - parseFloat(s.paddingRight);
    pen.font = s.font;
    const wide = pen.measureText(e.placeholder).width;
    if (!e.value && wide > room + 1) bad.push("the hint " + JSON.stringify(e.placeholder) + " is " + wide.toFixed() + " px wide, and its field " + room.toFixed());
  }
  for (const e of all("*")) {
    const more = e.scrollHeight - e.clientHeight;
    if (/auto|scroll/.test(getComputedStyle(e).overflowY) && !e.matches(lists + ", select, textarea") && more > 1) bad.push(e.tagName.toLowerCase() + "." + e.className + " has to be scrolled by " + more + " px");
  }
  const pane = document.querySelector(".left")?.getBoundingClientRect();
  for (const e of all(".left button", document)) {
    const past = e.getBoundingClientRect().bottom - pane.bottom;
    if (past > 1 && !e.closest(lists)) bad.push(JSON.stringify(e.innerText) + " sticks out of its pane by " + past.toFixed(1) + " px");
  }
  return [...new Set(bad)];
})()`

// homemade are names as long as they get: two words, one that fills two lines, letters
// with tails in the last line.
func homemade() (out []pos.Item) {
	for i, name := range []string{"Schwarzwälder Kirschtorte", "Rhabarberstreuselkuchen", "Cappuccino mit Hafermilch", "Apfel-Zimt-Schnecke", "Gemüselasagne groß", "Pain au chocolat géant", "Jausenplatte Gasthof Ygl", "Spaghetti aglio, jung"} {
		it := webtest.Items()[i]
		it.SKU, it.Name, it.Category = fmt.Sprint("77", i), name, "Hausgemachtes"
		out = append(out, it)
	}
	return out
}

// TestTextLook walks a page through what shows most words, on small and large screens, by
// day and by night: long names, a basket of forty lines, every sheet, and trouble.
func TestTextLook(t *testing.T) {
	for _, row := range []struct {
		lang string
		w, h int64
		dark bool
	}{{"de", 1024, 600, false}, {"de", 800, 480, true}, {"de", 390, 844, false}, {"de", 1280, 900, true}, {"en", 1024, 600, true}, {"en", 360, 640, false}} {
		t.Run(fmt.Sprint(row.lang, row.w), func(t *testing.T) {
			k, desk := serveIn(t, row.lang, homemade()...)
			l := &looker{tab: tabOf(t, k, "/", row.w, row.h), panel: row.w == 800, lang: row.lang}
			l.night(row.dark)
			lookAtNames(l, row.w < 1100)
			desk.Links([]pos.Link{{Name: "printer", State: "online"}, {Name: "printer Kitchen", State: "online"}}, pos.Sync{Enrolled: true, SafeTo: 4811})
			lookAtSheets(l)
			lookAtOwed(desk, l)
			lookAtTrust(desk, l)
		})
	}
}

func lookAtNames(l *looker, tabs bool) {
	l.see(".name", "Anna")
	l.look("50-names")
	l.signIn("p1", ownerPIN)
	l.look("51-empty")
	if tabs {
		l.click(".tab.items")
	}
	l.look("52-items")
	l.click(`[data-key="chip Hausgemachtes"]`)
	l.look("53-category")
	for n := range 5 {
		for _, it := range homemade() {
			l.tile(it.Name)
		}
		l.wait(fmt.Sprintf(`document.querySelectorAll(".line:not(.ghost)").length === %d`, 8*(n+1)))
	}
	l.look("54-forty")
	l.click(".searchbox input")
	l.key("spa")
	l.look("55-search")
	l.key("zz")
	l.look("56-none")
	l.key("\x1b")
	l.click(".pay")
	l.look("57-pay")
	l.click(`[data-key="other"]`)
	l.key("15000")
	l.look("58-amount")
	l.click(`[data-key="back"]`, `[data-key="exact"]`)
	l.see("till-done .giant", "")
	l.look("59-done")
	l.click(`till-done [data-key="next"]`)
	l.wait(`document.querySelector("main").dataset.show === "sell"`)
	l.wait(`document.querySelector('[data-key="chip "]').ariaPressed === "true"`) // the next customer's first tile is the first one
	if tabs {
		l.click(".tab.keypad")
	}
}

func lookAtSheets(l *looker) {
	for i := range 8 {
		l.click(`till-keypad [data-key="more"]`)
		l.wait(`document.querySelectorAll("dialog .menu button").length === 9`)
		if i == 0 {
			l.look("60-more")
			l.click("dialog header button")
			continue
		}
		if i == 3 {
			l.click("dialog header button") // the customer's screen is another page
			continue
		}
		eval[bool](l.tab, fmt.Sprintf(`document.querySelectorAll("dialog .menu button")[%d].click() ?? true`, i))
		l.wait(`document.querySelector("dialog[open]") && document.querySelectorAll("dialog .menu button").length !== 9`)
		l.look(fmt.Sprint("6", i, "-sheet"))
		l.click("dialog header button")
	}
}

func lookAtOwed(desk *webtest.Desk, l *looker) {
	desk.Owe(pos.RefundView{Payment: "x1", Came: l.word("owed.late"), Of: "#0412", Tender: "lightning", Amount: webtestEUR(1_250), At: desk.Now(), Sells: true})
	desk.Owe(pos.RefundView{Payment: "x2", Came: l.word("owed.over"), Of: "#0413", Tender: "usdc-base", Amount: webtestEUR(250), At: desk.Now()})
	l.click(`[data-key="owed"]`)
	l.see("dialog", "#0412")
	l.look("70-owed")
	l.click("dialog header button")
}

// lookAtTrust walks through a day whose lines are all down.
func lookAtTrust(desk *webtest.Desk, l *looker) {
	desk.Cut(pos.AllowOffline, "")
	desk.Unproven(3, webtestEUR(4_120), desk.Now())
	desk.CutCoins(pos.AllowOffline)
	desk.Links([]pos.Link{{Name: "node", State: "offline"}, {Name: "internet", State: "offline"}}, pos.Sync{Enrolled: true, SafeTo: 4811, Waiting: 9, Sales: 3, Amount: webtestEUR(4_120), Oldest: desk.Now()})
	l.key("1250\r")
	l.see("till-foot .money", "12")
	l.click(".pay")
	l.see(`[data-key="tender lightning"]`, "41")
	l.look("71-pay")
	l.click(`[data-key="other"]`)
	l.key("500")
	l.look("72-amount")
	l.click(`[data-key="back"]`, `[data-key="token USDC"]`)
	l.look("73-networks")
	l.click(`[data-key="tender usdc-base"]`)
	l.see("till-wait .why", "")
	l.look("74-waiting")
	l.click(`[data-key="trust"]`)
	l.look("75-sure")
	l.click(`[data-key="cancel"]`)
	desk.CutCoins("")
	l.wait(`document.querySelector("main").dataset.show === "pay"`)
	l.look("76-withdrawn")
	l.click(`[data-key="token USDC"]`, `[data-key="tender usdc-base"]`)
	l.see("till-wait .sum", "12")
	desk.Short(60)
	l.see("till-wait .why", "")
	l.look("77-rest")
	desk.Astray("USDT", "Polygon", "1.00 USDT on Polygon came, but USDC on Base is due.")
	l.see("till-wait .doubt", "USDT")
	l.look("78-astray")
}
