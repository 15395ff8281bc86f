package display

import (
	"image"
	"image/color"
	"strconv"

	"github.com/tillwright/tillwright/pos"
)

// basket shows what is being rung up: the newest line large, the others below it
// from new to old, the total always in the same place.
func (c *canvas) basket(s scene) {
	page := c.page()
	band := c.p(92)
	if !c.wide() {
		band = c.p(120) // the sum stands below its label
	}
	foot := image.Rect(c.area.Min.X, page.Max.Y-band, c.area.Max.X, c.area.Max.Y)
	page.Max.Y = foot.Min.Y - c.p(8)
	c.total(foot, s)

	head := top(&page, c.p(28))
	count := c.word("items") + " " + strconv.Itoa(pieces(s.customer.Lines))
	right := head
	right.Min.X = head.Max.X - head.Dx()*2/5
	head.Max.X = right.Min.X - c.p(12)
	c.text(head, s.shop.Name, set{max: c.p(20), min: c.least(), y: middle, col: quiet})
	c.text(right, count, set{max: c.p(20), min: c.least(), x: end, y: middle, col: quiet, whole: true})

	lines := s.customer.Lines
	if len(lines) == 0 {
		return
	}
	top(&page, c.p(12))
	c.newest(top(&page, c.p(96)), lines[len(lines)-1])
	top(&page, c.p(8))
	c.earlier(page, lines[:len(lines)-1])
}

// total is the band at the foot.
func (c *canvas) total(band image.Rectangle, s scene) {
	c.fill(band, shade)
	c.fill(image.Rect(band.Min.X, band.Min.Y, band.Max.X, band.Min.Y+max(c.p(4), 1)), accent)
	in := image.Rect(band.Min.X+c.p(32), band.Min.Y+c.p(12), band.Max.X-c.p(32), band.Max.Y-c.p(10))
	sum := set{bold: true, max: c.p(72), min: c.least(), x: end, y: middle, col: ink, whole: true}
	label := set{bold: true, max: c.p(36), min: c.least(), y: middle, col: ink}
	note := set{max: c.p(18), min: c.least(), lines: 2, col: quiet, whole: true}
	tax := c.taxNote(s.customer.Tax)
	if !c.wide() {
		head := top(&in, in.Dy()*36/100)
		word := head
		word.Max.X = head.Min.X + head.Dx()*32/100
		head.Min.X = word.Max.X + c.p(12)
		note.x, note.y, note.lines = end, middle, 1
		c.text(word, c.word("total"), label)
		c.text(head, tax, note)
		c.text(in, c.money(s.customer.Total), sum)
		return
	}
	words := in
	words.Max.X = in.Min.X + in.Dx()*38/100
	in.Min.X = words.Max.X + c.p(12)
	c.text(in, c.money(s.customer.Total), sum)
	if tax != "" {
		c.text(bottom(&words, words.Dy()*44/100), tax, note)
		label.y = end
	}
	c.text(words, c.word("total"), label)
}

// taxNote says how much of the total is tax. Included or added, the total holds
// it. A sum that cannot be made is left out rather than shown wrong.
func (c *canvas) taxNote(rows []pos.TaxRow) string {
	if len(rows) == 0 {
		return ""
	}
	sums := make([]pos.Amount, len(rows))
	for i, r := range rows {
		sums[i] = r.Tax
	}
	tax, err := sums[0].Currency.Sum(sums...)
	if err != nil || tax.Minor == 0 {
		return ""
	}
	return c.word("tax_included", "amount", c.money(tax))
}

// newest is the last line, at a size that is read from where the customer stands.
func (c *canvas) newest(r image.Rectangle, l pos.Line) {
	sum := c.money(l.Total)
	large := set{bold: true, max: c.p(44), min: c.least(), x: end, y: middle, col: ink, whole: true}
	left, right := c.split(top(&r, r.Dy()*64/100), sum, large)
	c.text(left, l.Name, set{bold: true, max: c.p(44), min: c.p(26), y: middle, col: ink})
	c.text(right, sum, large)
	if l.Qty != 1000 {
		c.text(r, c.times(l), set{max: c.p(22), min: c.least(), col: quiet, whole: true})
	}
}

// times tells how a line's total comes about: "2 × €1.50".
func (c *canvas) times(l pos.Line) string {
	return number(c.lang, pos.FormatQty(l.Qty)) + space + "×" + space + c.money(l.Price)
}

// earlier lists lines from the newest to the oldest, as many as there is room
// for, and tells how many more there are.
func (c *canvas) earlier(r image.Rectangle, lines []pos.Line) {
	high := max(c.p(34), 14)
	room := r.Dy() / high
	for i := range lines {
		row := top(&r, high)
		if room--; room < 0 {
			return
		}
		c.fill(image.Rect(row.Min.X, row.Min.Y, row.Max.X, row.Min.Y+1), hair)
		if rest := len(lines) - i; room == 0 && rest > 1 {
			c.text(row, c.word("more_lines", "n", strconv.Itoa(rest)), set{max: c.p(20), min: c.least(), y: middle, col: quiet})
			return
		}
		l := lines[len(lines)-1-i]
		label := l.Name
		if l.Qty != 1000 {
			label = number(c.lang, pos.FormatQty(l.Qty)) + space + "×" + space + label
		}
		c.row(row, label, c.money(l.Total), c.p(22), ink)
	}
}

// row sets a label at the left and a sum at the right.
func (c *canvas) row(r image.Rectangle, label, sum string, size int, col color.RGBA) {
	number := set{max: size, min: c.least(), x: end, y: middle, col: col, whole: true}
	left, right := c.split(r, sum, number)
	c.text(left, label, set{max: size, min: max(size, c.least()), y: middle, col: col})
	c.text(right, sum, number)
}

// split parts a row into the room of a label and of a sum. The sum gets what it
// takes as t sets it, up to half and a little more: the name can be cut.
func (c *canvas) split(r image.Rectangle, sum string, t set) (left, right image.Rectangle) {
	left, right = r, r
	right.Min.X = r.Max.X - min(c.width(sum, t), r.Dx()*55/100)
	left.Max.X = right.Min.X - c.p(16)
	return left, right
}

// pieces counts what is in the basket: each piece, and one for what is weighed.
func pieces(lines []pos.Line) int {
	n := int64(0)
	for _, l := range lines {
		if l.Qty%1000 == 0 {
			n += l.Qty / 1000
		} else {
			n++
		}
	}
	return int(n)
}
