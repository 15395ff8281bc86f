package dashboard

import (
	"fmt"
	"html"
	"html/template"
	"math/big"
	"strings"
)

// Drawings are SVG with classes that the style sheet colours; the policy of these
// pages allows no style of their own. Every bar says its figure when it is pointed
// at, and the whole drawing has a name for those who hear it.

// thousandths returns part of whole in 1/1000, rounded half up; 0 for no whole.
func thousandths(part, whole int64) int {
	if whole <= 0 || part <= 0 {
		return 0
	}
	n := new(big.Int).Mul(big.NewInt(part), big.NewInt(2000))
	n.Add(n, big.NewInt(whole)).Quo(n, new(big.Int).Mul(big.NewInt(whole), big.NewInt(2)))
	if !n.IsInt64() || n.Int64() > 1_000_000 {
		return 1_000_000
	}
	return int(n.Int64())
}

// bar draws a share as a bar.
func bar(of int) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true"><rect class="rail" width="1000" height="10"/><rect class="fill" width="%d" height="10"/></svg>`, min(max(of, 0), 1000)))
}

// columns draws one column a value.
type column struct {
	label, title string
	of           int // of the highest, in thousandths
	strong       bool
	quiet        bool // no label below it
}

// Measures of a drawing, in its own units; it is scaled to the page's width.
const (
	chartHeight = 150
	chartBase   = 128 // where columns stand; labels are below
	columnWidth = 30
	columnGap   = 8
	crowded     = 16 // columns; of more, a narrow screen has no room to name each
)

func draw(name string, cols []column) template.HTML {
	var b strings.Builder
	width := len(cols)*(columnWidth+columnGap) - columnGap
	class := "chart"
	if len(cols) > crowded {
		class = "chart many"
	}
	fmt.Fprintf(&b, `<svg class="%s" viewBox="0 0 %d %d" role="img" aria-label="%s">`, class, width, chartHeight, html.EscapeString(name))
	for _, y := range []int{chartBase / 3, 2 * chartBase / 3} {
		fmt.Fprintf(&b, `<line class="grid" x1="0" x2="%d" y1="%d" y2="%d"/>`, width, y, y)
	}
	fmt.Fprintf(&b, `<line class="base" x1="0" x2="%d" y1="%d" y2="%d"/>`, width, chartBase, chartBase)
	for i, c := range cols {
		x, h := i*(columnWidth+columnGap), c.of*(chartBase-4)/1000
		class := "column"
		if c.strong {
			class = "column strong"
		}
		if c.of > 0 {
			h = max(h, 2)
		}
		fmt.Fprintf(&b, `<g><title>%s</title><rect class="hit" x="%d" y="0" width="%d" height="%d"/>`, html.EscapeString(c.title), x, columnWidth, chartBase)
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="3"/>`, class, x, chartBase-h, columnWidth, h)
		if !c.quiet {
			fmt.Fprintf(&b, `<text class="%s" x="%d" y="%d" text-anchor="middle">%s</text>`, []string{"even", "odd"}[i%2], x+columnWidth/2, chartBase+16, html.EscapeString(c.label))
		}
		b.WriteString(`</g>`)
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

// hours draws the sales of a day by the hour, from the first with sales to the
// last, fourteen hours at least.
func (s *server) hours(p part) template.HTML {
	first, last, top := 24, -1, int64(0)
	for h, t := range p.Hours {
		if t.Count > 0 {
			first, last = min(first, h), max(last, h)
		}
		top = max(top, t.Amount.Minor)
	}
	if last < 0 {
		first, last = 8, 19
	}
	for last-first < trendDays-1 { // as wide as the other drawing beside it
		if first > 0 {
			first--
		}
		if last < 23 {
			last++
		}
	}
	var cols []column
	for h := first; h <= last; h++ {
		t := p.Hours[h]
		cols = append(cols, column{
			label: fmt.Sprintf("%02d", h), of: thousandths(t.Amount.Minor, top),
			title: fmt.Sprintf("%02d:00–%02d:59 · %s · %s", h, h, s.money(t.Amount), s.salesWord(t.Count)),
		})
	}
	return draw(s.word("bo_by_hour"), cols)
}

// trend draws the totals of the last days; the page's own day is the strong one.
func (s *server) trend(p part) template.HTML {
	top := int64(0)
	for _, d := range p.Trend {
		top = max(top, d.Total.Minor)
	}
	var cols []column
	for _, d := range p.Trend {
		cols = append(cols, column{
			label: fmt.Sprintf("%d", d.Date.Day()), of: thousandths(d.Total.Minor, top), strong: d.Here,
			title: s.dayName(d.Date) + " " + d.Date.Format("2006-01-02") + " · " + s.money(d.Total),
		})
	}
	return draw(s.word("bo_last_days"), cols)
}

// salesWord counts sales, in a language's own form for one; in French none is one too.
func (s *server) salesWord(n int64) string {
	if n == 1 {
		return s.word("bo_one_sale")
	}
	if n == 0 && s.Language == "fr" {
		return strings.Replace(s.word("bo_one_sale"), "1", "0", 1)
	}
	return s.word("bo_n_sales", "n", s.number(n))
}
