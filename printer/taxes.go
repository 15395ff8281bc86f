package printer

import "github.com/tillwright/tillwright/pos"

// taxes is the table of rates: letter, rate, net, tax, gross. Columns are as wide
// as what stands in them and share what is left of the line; where even that is
// too little, each figure gets a line.
func (s *sheet) taxes(rows []pos.TaxRow) {
	if len(rows) == 0 {
		return
	}
	short := s.word("tax_short")
	table := [][]string{{short, s.word("rate"), s.word("net"), short, s.word("gross")}}
	for _, t := range rows {
		table = append(table, []string{t.Rate.Code, s.number(t.Rate.Percent()), s.number(t.Net.Number()), s.number(t.Tax.Number()), s.number(t.Gross.Number())})
	}
	widths, ok := share(table, s.cols)
	if !ok {
		s.stacked(table)
	} else {
		for _, row := range table {
			s.columns(row, widths)
		}
	}
	s.rule()
}

// share returns the width of each column so that all fill cols, and whether they
// fit with a space between them.
func share(table [][]string, cols int) ([]int, bool) {
	widths, used := make([]int, len(table[0])), 0
	for i := range widths {
		for _, row := range table {
			widths[i] = max(widths[i], Cells(Clean(row[i])))
		}
		used += widths[i]
	}
	free, gaps := cols-used, len(widths)-1
	if free < gaps {
		return nil, false
	}
	for i := 1; i < len(widths); i++ {
		widths[i] += (free*i)/gaps - (free*(i-1))/gaps
	}
	return widths, true
}

// columns writes the first cell from the left and the others to the right.
func (s *sheet) columns(row []string, widths []int) {
	text := left(Clean(row[0]), widths[0])
	for i := 1; i < len(row); i++ {
		text += right(Clean(row[i]), widths[i])
	}
	s.line(text, Style{})
}

func (s *sheet) stacked(table [][]string) {
	head := table[0]
	for _, row := range table[1:] {
		s.pair(head[0]+" "+row[0], row[1], Style{})
		for i := 2; i < len(row); i++ {
			s.pair("  "+head[i], row[i], Style{})
		}
	}
}
