package pos

import "sort"

// TaxRate is one rate of a country's sales tax or VAT, as its owner set it.
type TaxRate struct {
	Code     string `json:"code"`     // a letter on the receipt: "A"
	Name     string `json:"name"`     // "VAT", "Sales tax"
	Milli    int64  `json:"milli"`    // thousandths of a percent: 8875 is 8.875 %
	Included bool   `json:"included"` // prices contain it (Europe) or it is added (United States)
}

// maxTaxMilli is 100 %: more is a slip of the keyboard.
const maxTaxMilli = 100_000

// Percent returns the rate for people: "8.875%", "20%".
func (t TaxRate) Percent() string {
	s := decimal(Amount{Minor: t.Milli}.sign(), magnitudeString(t.Milli), 3)
	for s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	if s[len(s)-1] == '.' {
		s = s[:len(s)-1]
	}
	return s + "%"
}

// valid fails with Invalid for a rate nobody could mean.
func (t TaxRate) valid() error {
	if t.Code == "" || len(t.Code) > 4 || len(t.Name) > MaxName || !IsPlain(t.Code+t.Name) || t.Milli < 0 || t.Milli > maxTaxMilli {
		return E("check tax", Invalid, "tax rate %q must have a code of 1 to 4 letters and lie between 0%% and 100%%", clip(t.Code))
	}
	return nil
}

// TaxRow is the tax of one rate in one sale, as printed and as kept: it is
// computed once, from the sum of the rate's lines, and never summed up again
// from rounded parts. Gross = Net + Tax, exactly.
type TaxRow struct {
	Rate  TaxRate `json:"rate"`
	Net   Amount  `json:"net"`
	Tax   Amount  `json:"tax"`
	Gross Amount  `json:"gross"`
}

// split computes the row of rate for lines that sum to sum, tax rounded half up
// to a minor unit.
func (t TaxRate) split(sum Amount) (TaxRow, error) {
	whole := int64(maxTaxMilli)
	if t.Included {
		whole += t.Milli
	}
	tax, ok := mulDiv(sum.Minor, t.Milli, whole)
	row := TaxRow{Rate: t, Tax: sum.Currency.Of(tax)}
	var err error
	if t.Included {
		row.Gross = sum
		row.Net, err = sum.Sub(row.Tax)
	} else {
		row.Net = sum
		row.Gross, err = sum.Add(row.Tax)
	}
	if !ok || err != nil {
		return TaxRow{}, E("compute tax", Invalid, "the sale is too large")
	}
	return row, nil
}

// taxRows groups lines by tax code, in the order of the codes.
func taxRows(c Currency, lines []Line) ([]TaxRow, error) {
	sums, rates := map[string]Amount{}, map[string]TaxRate{}
	for _, l := range lines {
		if known, seen := rates[l.Tax.Code]; seen && known != l.Tax {
			return nil, E("compute tax", Conflict, "tax code %s has two different rates in one sale", l.Tax.Code)
		}
		rates[l.Tax.Code] = l.Tax
		old, seen := sums[l.Tax.Code]
		if !seen {
			old = c.Zero()
		}
		sum, err := old.Add(l.Total)
		if err != nil {
			return nil, err
		}
		sums[l.Tax.Code] = sum
	}
	rows := make([]TaxRow, 0, len(rates))
	for code, rate := range rates {
		row, err := rate.split(sums[code])
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].Rate.Code < rows[j].Rate.Code })
	return rows, nil
}
