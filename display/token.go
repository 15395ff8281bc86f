package display

import (
	"image"
	"image/color"
	"slices"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// A token is asked for by more words than other money: how much of which one, on
// which network, and that every other network loses it. They are notes in a column,
// and where there is little room the ones of least rank are left out.

// note is one text of such a column.
type note struct {
	s     string
	size  int // type size in pixels to begin with
	lines int
	bold  bool
	whole bool // an amount, never cut
	rank  int  // mustSay is always there; of the others the highest goes first
	space int  // pixels above it, when there is room to spare
	col   color.RGBA
	label string // not empty: label and s stand on a band of their own
}

// asksToken reports a request for a stablecoin with a code.
func (s scene) asksToken() bool { return s.customer.Token != "" && s.customer.QR != "" }

// typed reports that the code holds an address and no amount: who scans it types that.
func (s scene) typed() bool { return s.asksToken() && !strings.Contains(s.customer.QR, "?") }

// bare returns s with the address alone in its code: a small code, that fits where the
// one with the amount does not. ok is false when the code's text is of no known kind, or
// when the address in it does not end as the view says: better none than a wrong one.
func (s scene) bare() (out scene, ok bool) {
	to := addressIn(s.customer.QR)
	if !s.asksToken() || s.typed() || s.customer.Tail == "" || !strings.HasSuffix(to, s.customer.Tail) {
		return s, false
	}
	s.customer.QR = to
	return s, true
}

// addressIn finds who is paid in a payment's address: ERC-681 and the links of wallets
// name it, Solana Pay begins with it. It returns "" when there is none.
func addressIn(text string) string {
	base, query, _ := strings.Cut(text, "?")
	for part := range strings.SplitSeq(query, "&") {
		if to, ok := strings.CutPrefix(part, "address="); ok {
			return to
		}
	}
	to, ok := strings.CutPrefix(base, "solana:")
	if !ok {
		return ""
	}
	return to
}

// chain says on which network.
func (c *canvas) chain(s scene) string {
	return c.word("on_chain", "chain", strings.ReplaceAll(s.customer.Chain, " ", space))
}

// toPay is the word above the sum.
func (c *canvas) toPay(s scene) string {
	if s.customer.Part != "" {
		return c.word("remaining")
	}
	return c.word("to_pay")
}

// typable writes a quantity as it is typed into a wallet: without the marks between
// thousands, which many take for a decimal point.
func typable(lang, q string) string {
	num, unit, _ := strings.Cut(q, " ")
	m, ok := marks[lang]
	if !ok {
		m = marks["en"]
	}
	return strings.TrimSuffix(strings.Replace(num, ".", m[0], 1)+space+unit, space)
}

// sums are the notes of how much, of what, and where: what nobody may miss.
func (c *canvas) sums(s scene, typed bool) []note {
	q := quantity(c.lang, s.customer.Quantity)
	out := []note{
		{s: c.toPay(s), size: c.p(24), rank: 4, col: quiet},
		{s: c.money(s.owed()), size: c.p(68), bold: true, whole: true, col: ink},
		{s: q, size: c.p(38), bold: true, whole: true, space: c.p(4), col: accent},
		{s: c.chain(s), size: c.p(38), bold: true, whole: true, col: accent},
	}
	if typed {
		out[2] = note{s: typable(c.lang, s.customer.Quantity), label: c.word("type_exactly"), size: c.p(36), bold: true, whole: true, space: c.p(8), col: white}
		out[3].space = c.p(6)
	}
	if s.customer.Part != "" {
		out[0].rank = 0
		came := c.word("came_so_far", "amount", quantity(c.lang, s.customer.Part))
		out = append(out, note{s: came, size: c.p(22), rank: 2, lines: 2, col: good})
	}
	return out
}

// ways are the notes of how to pay, and of what must not be done.
func (c *canvas) ways(s scene) []note {
	only := c.word("evm_only", "token", s.customer.Token, "chain", s.customer.Chain)
	out := []note{
		{s: c.how(s), size: c.p(23), bold: true, lines: 2, rank: 3, space: c.p(16), col: ink},
		{s: only, size: c.p(22), lines: 4, rank: 1, space: c.p(8), col: bad},
	}
	if s.customer.Unchecked {
		out = append(out, note{s: c.word("unchecked"), size: c.p(22), bold: true, lines: 3, rank: 3, space: c.p(8), col: ink})
	}
	if s.customer.Tail != "" {
		out = append(out, note{s: c.word("address_ends", "tail", s.customer.Tail), size: c.p(20), lines: 2, rank: 2, space: c.p(8), col: ink})
	}
	return out
}

// tokenBeside sets a token's words around its code. On a lying panel they are one
// column beside it.
func (c *canvas) tokenBeside(sum, guide image.Rectangle, s scene) bool {
	side := middle
	if c.wide() {
		side = start
	}
	foot := guide
	if c.wide() {
		foot = sum.Union(guide)
	}
	small, h := c.least(), foot.Dy()
	if min(c.area.Dx(), c.area.Dy()) >= 400 {
		c.foot(bottom(&foot, c.p(24)), s, side)
	}
	if s.whole > 0 && !c.glass.Still {
		left := bottom(&foot, max(c.p(34), lineHeight(small)))
		c.countdown(bottom(&foot, max(c.p(14), h*4/100)), left, s, side)
		bottom(&foot, c.p(4))
	}
	sums, strict := c.sums(s, s.typed()), strictness{mustWarn, c.least()}
	if c.wide() {
		return c.stack(foot, append(sums, c.ways(s)...), side, strict)
	}
	for i := range sums {
		sums[i].size = sums[i].size * 5 / 4 // a line of an upright panel has nothing beside it
	}
	sum.Max.Y, foot.Min.Y = c.code.Min.Y-2, c.code.Max.Y+2
	return c.stack(sum, sums, side, strict) && c.stack(foot, c.ways(s), side, strict)
}

// strictness is how much must be there, and in which type size at least.
type strictness struct{ keep, least int }

// tokenAlone gives a code as much of a small glass as leaves room for a token's words;
// the code gives way before they do.
func (c *canvas) tokenAlone(s scene, side, smallest int) bool {
	tries := []strictness{{mustWarn, c.least()}, {mustSay, c.least()}, {mustSay, tiniest}}
	if smallest > moduleMin {
		tries = tries[:1] // the smaller code is tried before the words get worse
	}
	for _, try := range tries {
		was := 0
		for share := 100; share > 20; share -= 6 {
			m, px, ok := c.fit(s.customer.QR, side*share/100, smallest)
			if !ok {
				break
			}
			if was == m.Size()*px {
				continue // the same code left no room before
			}
			was = m.Size() * px
			words := c.place(s, m, px)
			if c.glass.Round && c.discToken(s, try) || !c.glass.Round && c.tokenSmall(words, s, try) {
				return true
			}
			c.wipe()
		}
	}
	return false
}

// tokenSmall sets the words of a token into what a code leaves of a small glass. It
// reports whether what nobody may miss is there.
func (c *canvas) tokenSmall(r image.Rectangle, s scene, try strictness) bool {
	x := middle
	if c.wide() {
		x = start
	}
	h, small := r.Dy(), c.least()
	notes := c.smallSums(r, s, s.typed())
	if left := c.timeLeft(s); left != "" {
		notes = append(notes, note{s: left, size: max(h/8, small), whole: true, rank: 3, col: accent})
	}
	for _, n := range c.ways(s)[1:] {
		n.size, n.space = max(h/10, small), 2
		notes = append(notes, n)
	}
	return c.stack(r, notes, x, try) || c.stack(r, joined(notes, s.typed()), x, try)
}

// smallSums are sums in sizes for r.
func (c *canvas) smallSums(r image.Rectangle, s scene, typed bool) []note {
	h, small := r.Dy(), c.least()
	notes := c.sums(s, typed)
	for i := range notes {
		notes[i].size, notes[i].space = max(h/6, small), 0
	}
	notes[0].size, notes[1].size = max(h/9, small), max(h/4, small)
	return notes
}

// smallToken is a token's request on a glass that its code does not fit on: the
// address alone, or where that does not fit either how much of what and where.
func (c *canvas) smallToken(page image.Rectangle, s scene) {
	if bare, ok := s.bare(); ok && c.codeAlone(bare, moduleMin) {
		return
	}
	notes := c.smallSums(page, s, false)
	if !c.low() {
		notes = append(notes, note{s: c.word("code_too_small"), size: max(page.Dy()/10, c.least()), lines: 6, rank: 1, space: 4, col: ink})
	}
	if !c.stack(page, notes, middle, strictness{mustSay, tiniest}) {
		c.amount(page, c.money(s.owed()), middle, set{col: ink})
	}
}

// discToken sets a token's words into the segments of a disc, above and below a code.
func (c *canvas) discToken(s scene, try strictness) bool {
	above, below := c.segments()
	notes := c.smallSums(below, s, s.typed())
	for i := range notes {
		notes[i].size = below.Dy() / 2
	}
	if left := c.timeLeft(s); left != "" {
		notes = append(notes, note{s: left, size: below.Dy() / 3, whole: true, rank: 1, col: accent})
	}
	c.amount(above, c.money(s.owed()), middle, set{col: ink})
	return c.stack(below, notes[2:], middle, strictness{mustSay, try.least})
}

// What stays when there is little room: amounts and network, and the warning too.
const (
	mustSay  = 0
	mustWarn = 1
)

// tiniest is the least type size in pixels that is legible at all.
const tiniest = 7

// joined sets what and where in one line.
func joined(notes []note, typed bool) []note {
	if typed || len(notes) < 4 {
		return notes
	}
	notes = slices.Clone(notes)
	notes[2].s += " " + notes[3].s
	return slices.Delete(notes, 3, 4)
}

// stack sets notes below each other into r. Of those above rank try.keep it leaves out
// what there is no room for, and makes the rest smaller, but not below try.least. It
// reports false, and draws nothing, when that does not do.
func (c *canvas) stack(r image.Rectangle, notes []note, x align, try strictness) bool {
	notes = slices.Clone(notes)
	high := c.heights(r, notes, try.least)
	for total(high) > r.Dy() {
		drop := -1
		for i, n := range notes {
			if n.rank > try.keep && (drop < 0 || n.rank >= notes[drop].rank || high[i] >= noRoom) {
				drop = i
			}
		}
		if drop < 0 {
			break
		}
		notes, high = slices.Delete(notes, drop, drop+1), slices.Delete(high, drop, drop+1)
	}
	for range shrinks {
		if total(high) <= r.Dy() {
			break
		}
		for i := range notes {
			notes[i].size = max(notes[i].size*9/10, try.least)
		}
		high = c.heights(r, notes, try.least)
	}
	if total(high) > r.Dy() {
		return false
	}
	free, spaces := r.Dy()-total(high), 0
	for _, n := range notes {
		spaces += n.space
	}
	top(&r, max(free-spaces, 0)/2)
	for i, n := range notes {
		if i > 0 && spaces > 0 {
			top(&r, n.space*min(free, spaces)/spaces)
		}
		c.note(top(&r, high[i]), n, x)
	}
	return true
}

// shrinks bounds how often a column is made smaller: 0.9 to the 24th is a twelfth.
const shrinks = 24

// noRoom is the height of a note that cannot be set as it must be.
const noRoom = 1 << 12

// heights returns how high each note is set in r's width, noRoom where it would be cut
// or smaller than least.
func (c *canvas) heights(r image.Rectangle, notes []note, least int) []int {
	out := make([]int, len(notes))
	for i, n := range notes {
		box, pad := image.Rect(0, 0, r.Dx(), noRoom), 0
		if n.label != "" {
			pad = c.pad(n)
			box.Max.X -= 2 * pad
			label, ok := c.tryText(box, n.label, n.head(c), tiniest)
			if out[i] = label + 2*pad; !ok {
				out[i] = noRoom
			}
		}
		sum, ok := c.tryText(box, n.s, n.set(c), least)
		if out[i] += sum; !ok {
			out[i] = noRoom
		}
	}
	return out
}

// tryText returns how high text would set s in box, and whether whole and no smaller
// than least.
func (c *canvas) tryText(box image.Rectangle, s string, t set, least int) (high int, ok bool) {
	typeset.Lock()
	defer typeset.Unlock()
	wt := c.weight(t)
	s = wt.clean(s)
	f := wt.fit(s, box.Dx(), box.Dy(), t)
	return lineHeight(f.size) * len(f.lines), f.size >= least && strings.Join(f.lines, " ") == s
}

// pad is the room around the words on a band.
func (c *canvas) pad(n note) int { return max(n.size/5, 2) }

func (n note) set(c *canvas) set {
	return set{bold: n.bold, max: max(n.size, tiniest), min: min(c.least(), n.size), lines: n.lines, whole: n.whole, x: middle, y: middle, col: n.col}
}

// head is how a band's label is set.
func (n note) head(c *canvas) set {
	return set{bold: true, max: max(n.size*6/10, c.least()), min: 5, x: middle, y: middle, col: n.col, whole: true}
}

// note draws one note into r.
func (c *canvas) note(r image.Rectangle, n note, x align) {
	t := n.set(c)
	t.x = x
	if n.label == "" {
		c.text(r, n.s, t)
		return
	}
	c.fill(r, accent)
	pad := c.pad(n)
	in := r.Inset(pad)
	t.x = middle
	label := n.head(c)
	c.text(top(&in, c.height(in, n.label, label)), n.label, label)
	c.text(in, n.s, t)
}

func total(high []int) int {
	sum := 0
	for _, h := range high {
		sum += h
	}
	return sum
}

// tokenLines tells a token's request in lines of text.
func (s scene) tokenLines(sh sheet, word func(string) string) []string {
	c, lang := s.customer, s.shop.Language
	label := word("to_pay")
	if c.Part != "" {
		label = word("remaining")
	}
	sum, q := money(lang, s.owed()), quantity(lang, c.Quantity)
	where := pos.Word(lang, "evm_on", "token", c.Token, "chain", c.Chain)
	switch {
	case sh.rows >= 3:
		return sh.page(sh.pair(label, sum), sh.pair("", q), sh.pair(where, s.clock()))
	case sh.both(q, sum):
		return sh.page(sh.pair(q, sum), sh.pair(pos.Word(lang, "on_chain", "chain", c.Chain), s.clock()))
	default:
		return sh.page(sh.pair(label, sum), sh.pair(where, s.clock()))
	}
}

// both reports that two amounts fit into one line, with a space between them.
func (sh sheet) both(a, b string) bool {
	return len([]rune(sh.plain(a)))+len([]rune(sh.plain(b))) < sh.cols
}
