package display

import (
	"fmt"
	"image"
	"image/color"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/qr"
)

const (
	// moduleMin is the least size of a module in pixels that readers outside of a
	// laboratory can read from glass: zbar reads 2, and not 1.
	moduleMin = 2

	// moduleGood is the size from which phones read a code at once.
	moduleGood = 3

	// hurry is the time left at which the countdown asks for attention.
	hurry = 30 * time.Second
)

// due asks for the money: amount, code, countdown.
func (c *canvas) due(s scene) {
	switch {
	case s.runs() && s.left <= 0:
		c.waiting(s, "checking", dots)
	case s.customer.QR == "":
		c.plainDue(s)
	default:
		c.codeDue(s)
	}
}

// plainDue asks for money without a code: cash, or a terminal of its own.
func (c *canvas) plainDue(s scene) {
	how := s.customer.Network
	if s.customer.Tender == pos.Cash {
		how = c.word("cash")
	}
	c.amountDue(s, how, accent)
}

// amountDue is the amount alone, and a sentence.
func (c *canvas) amountDue(s scene, sentence string, col color.RGBA) {
	page := c.page()
	h := page.Dy()
	foot := bottom(&page, h*30/100)
	c.text(top(&page, h*24/100), c.word("to_pay"), set{max: c.p(44), min: c.least(), x: middle, y: end, col: quiet})
	c.text(page, c.money(s.owed()), set{bold: true, max: c.p(160), min: c.least(), x: middle, y: middle, col: ink, whole: true})
	c.text(foot, sentence, set{max: c.p(36), min: c.least(), lines: 4, x: middle, y: middle, col: col})
}

// codeDue puts the code beside the words, or between them on an upright panel.
// The code may take more room when it would be hard to read otherwise; and where
// no reader could make it out, words stand instead of it.
func (c *canvas) codeDue(s scene) {
	if c.codeSomewhere(s) {
		return
	}
	if bare, ok := s.bare(); ok && c.codeSomewhere(bare) {
		return
	}
	c.amountDue(s, c.word("code_too_small"), ink)
}

// codeSomewhere draws the code where it is read best, and reports that it could.
func (c *canvas) codeSomewhere(s scene) bool {
	return s.asksToken() && c.codeBeside(s, 52, moduleGood) || // more words stand beside it
		c.codeBeside(s, 57, moduleGood) ||
		c.codeBeside(s, 66, moduleGood) ||
		c.codeAlone(s, moduleGood) ||
		c.codeBeside(s, 66, moduleMin) ||
		c.codeAlone(s, moduleMin)
}

// codeBeside puts the code beside the words, in share hundredths of the longer side,
// and reports that a module has smallest pixels there.
func (c *canvas) codeBeside(s scene, share, smallest int) bool {
	square, sum, guide := c.rooms(share)
	if !c.tryCode(s.customer.QR, qr.M, square, smallest) {
		return false
	}
	if s.asksToken() {
		return c.tokenBeside(sum, guide, s) || c.wipe()
	}
	side := start
	if !c.wide() {
		side = middle
	}
	c.ask(sum, s, side)
	c.guide(guide, s, side)
	return true
}

// wipe takes back what was drawn, and returns false.
func (c *canvas) wipe() bool {
	c.fill(c.img.Rect, white)
	c.code, c.module = image.Rectangle{}, 0
	return false
}

// tryCode draws the code for text into the middle of square, and reports that it
// could. What is optional in the text is left out before a module becomes smaller
// than it has to be, unless the module is good with it too.
func (c *canvas) tryCode(text string, least qr.Level, square image.Rectangle, smallest int) bool {
	m, px, err := qr.Fit(text, least, square.Dx(), smallest)
	if brief := shorten(text); brief != text && (err != nil || px < moduleGood) {
		if m2, px2, err2 := qr.Fit(brief, least, square.Dx(), smallest); err2 == nil && (err != nil || px2 > px) {
			m, px, err = m2, px2, nil
		}
	}
	if err != nil {
		return false
	}
	c.drawCode(square, m, px)
	return true
}

// rooms parts the picture: a square for the code, of at most share hundredths of
// the longer side, what is asked for, and how to pay it.
func (c *canvas) rooms(share int) (square, sum, guide image.Rectangle) {
	a := c.area
	w, h := a.Dx(), a.Dy()
	rim, gap := c.p(12), c.p(32)
	if c.wide() {
		side := min(h-2*rim, w*share/100)
		square = image.Rect(rim, (h-side)/2, rim+side, (h-side)/2+side)
		column := image.Rect(square.Max.X+c.p(16), gap, w-gap, h-gap)
		guide = bottom(&column, column.Dy()*46/100)
		return square.Add(a.Min), column.Add(a.Min), guide.Add(a.Min)
	}
	side := min(w-2*rim, h*share/100)
	rest := (h - side) / 2
	square = image.Rect((w-side)/2, rest, (w-side)/2+side, rest+side)
	sum = image.Rect(gap, rim, w-gap, rest)
	guide = image.Rect(gap, rest+side, w-gap, h-rim)
	return square.Add(a.Min), sum.Add(a.Min), guide.Add(a.Min)
}

// drawCode draws m in the middle of square, px pixels a module, pure black on
// pure white with its quiet zone.
func (c *canvas) drawCode(square image.Rectangle, m qr.Matrix, px int) {
	side := (m.Size() + 2*qr.Quiet) * px
	c.code, c.module = place(square, side, side, middle, middle), px
	c.fillPure(c.code, white)
	at := c.code.Min.Add(image.Pt(qr.Quiet*px, qr.Quiet*px))
	for y := range m.Size() {
		for x := 0; x < m.Size(); x++ {
			from := x
			for m.Dark(x, y) {
				x++
			}
			if x > from {
				c.fillPure(image.Rect(at.X+from*px, at.Y+y*px, at.X+x*px, at.Y+(y+1)*px), black)
			}
		}
	}
}

// ask says how much: in the shop's money as large as there is room, in what the
// wallet sends, and at which rate.
func (c *canvas) ask(r image.Rectangle, s scene, side align) {
	small, h := c.least(), r.Dy()
	if h > 5*lineHeight(small) {
		c.text(top(&r, max(h*15/100, lineHeight(small))), c.word("to_pay"), set{max: c.p(26), min: small, x: side, y: middle, col: quiet})
		c.text(bottom(&r, h*13/100), price(c.lang, s.customer.Rate),
			set{max: c.p(18), min: small, x: side, y: middle, col: quiet, spare: true})
	}
	coins := bottom(&r, r.Dy()*31/100)
	if s.customer.Offline { // the satoshis are the phone's business; the number tells that it is this sale
		c.text(r, c.money(s.owed()), set{bold: true, max: c.p(96), min: small, x: side, y: middle, col: ink, whole: true})
		c.text(coins, c.second(s), set{bold: true, max: c.p(52), min: small, x: side, y: middle, col: accent, whole: true})
		return
	}
	c.text(r, c.money(s.owed()), set{bold: true, max: c.p(96), min: small, x: side, y: middle, col: ink, whole: true})
	c.text(coins, quantity(c.lang, s.customer.Quantity), set{bold: true, max: c.p(36), min: small, x: side, y: middle, col: accent, whole: true})
}

// guide says how to pay, and how long that is possible.
func (c *canvas) guide(r image.Rectangle, s scene, side align) {
	small, h := c.least(), r.Dy()
	if h > 5*lineHeight(small) {
		c.foot(bottom(&r, h*13/100), s, side)
	}
	if s.whole > 0 && !c.glass.Still {
		left := bottom(&r, max(h*18/100, lineHeight(small)))
		c.countdown(bottom(&r, h*9/100), left, s, side)
		bottom(&r, c.p(4))
	}
	how, t := c.how(s), set{bold: true, max: c.p(26), min: small, lines: 4, x: side, y: middle, col: ink}
	if _, ok := c.tryText(r, how, t, 0); s.customer.Offline && !ok {
		how = c.word("offline_short")
	}
	c.text(r, how, t)
}

// foot says whose code it is, and which sale's. Where there is no room for both it says
// which sale's: a name that fills the line would cut off the number, by which the
// cashier's screen calls the sale.
func (c *canvas) foot(r image.Rectangle, s scene, side align) {
	ref, t := s.customer.Ref, set{max: c.p(18), min: c.least(), x: side, y: end, col: quiet, spare: true}
	if s.customer.Offline {
		ref = "" // another number beside the code's would only puzzle
	}
	text := strings.TrimSuffix(strings.TrimPrefix(s.shop.Name+" – "+ref, " – "), " – ")
	if _, ok := c.tryText(r, text, t, 0); !ok && ref != "" {
		text = ref
	}
	c.text(r, text, t)
}

// countdown draws the time left as a bar that drains and as minutes and seconds.
func (c *canvas) countdown(bar, words image.Rectangle, s scene, side align) {
	line := place(bar, bar.Dx(), max(c.p(10), 3), start, middle)
	if !c.glass.Mono {
		c.pill(line, hair)
	}
	full := line
	full.Max.X = line.Min.X + max(int(int64(line.Dx())*int64(s.left)/int64(s.whole)), line.Dy())
	col := accent
	if s.left <= hurry {
		col = bad
	}
	c.pill(full, col)
	c.text(words, c.word("time_left", "time", clock(s.left)), set{bold: s.left <= hurry, max: c.p(24), min: c.least(), x: side, y: middle, col: col, whole: true})
}

// clock writes d as m:ss, rounded up: 0:00 is over.
func clock(d time.Duration) string {
	secs := int(max(d+time.Second-1, 0) / time.Second)
	return fmt.Sprintf("%d:%02d", secs/60, secs%60)
}

// how says what to scan with. A code that is a web address is for the phone's
// camera, Lightning is called by its name, and all else by its network's.
func (c *canvas) how(s scene) string {
	text := strings.ToLower(s.customer.QR)
	switch {
	case s.typed():
		return c.word("scan_address")
	case s.customer.Offline && s.customer.Other:
		return c.word("offline_camera")
	case s.customer.Offline:
		return c.word("offline_scan")
	case strings.HasPrefix(text, "https:") || strings.HasPrefix(text, "http:"):
		return c.word("scan_camera")
	case s.asksToken() && s.customer.Caption != "":
		return s.customer.Caption // what its form needs to be told
	case s.asksToken():
		return c.word("evm_form_standard")
	case s.customer.Network == "" || s.customer.Network == c.word("lightning"):
		return c.word("scan_to_pay")
	default:
		return c.word("scan_with", "network", s.customer.Network)
	}
}
