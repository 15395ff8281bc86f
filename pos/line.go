package pos

import "strconv"

// Limits of a line and a sale. They stop slips and hostile input; no shop's real
// sale comes near them.
const (
	MaxLines = 300       // lines in a sale: a receipt of two metres
	MaxQty   = 9_999_999 // thousandths: 9,999.999 pieces or kilograms
	MaxName  = 120       // bytes of an item's name
)

// Line is one row of a basket. It holds values, not references: renaming an item
// or changing its price later never changes what was sold.
type Line struct {
	ID    int     `json:"id"` // unique in its sale, from 1, never reused
	Name  string  `json:"name"`
	SKU   string  `json:"sku,omitempty"` // empty for an amount typed on the keypad
	Qty   int64   `json:"qty"`           // thousandths: 2000 is two pieces
	Price Amount  `json:"price"`         // of one piece
	Tax   TaxRate `json:"tax"`
	Total Amount  `json:"total"` // Qty × Price, rounded half up to a minor unit
}

// NewLine makes a line and computes its total. It fails with Invalid for an
// empty or overlong name, a name or SKU that is not plain text (a printer would
// take its control characters for commands), a quantity that is not from 1 thousandth to MaxQty, a
// negative price, or a total that overflows.
func NewLine(name, sku string, qty int64, price Amount, tax TaxRate) (Line, error) {
	switch {
	case name == "" || len(name) > MaxName || len(sku) > MaxName:
		return Line{}, E("add line", Invalid, "an item needs a name of 1 to %d letters", MaxName)
	case !IsPlain(name) || !IsPlain(sku):
		return Line{}, E("add line", Invalid, "the name of an item holds characters that cannot be printed")
	case qty < 1 || qty > MaxQty:
		return Line{}, E("add line", Invalid, "the quantity must be from 0.001 to 9999.999")
	case price.Minor < 0:
		return Line{}, E("add line", Invalid, "a price cannot be negative")
	}
	if err := tax.valid(); err != nil {
		return Line{}, err
	}
	total, ok := mulDiv(price.Minor, qty, 1000)
	if !ok {
		return Line{}, E("add line", Invalid, "%s times %s is too large", FormatQty(qty), price)
	}
	return Line{Name: name, SKU: sku, Qty: qty, Price: price, Tax: tax, Total: price.Currency.Of(total)}, nil
}

// FormatQty writes thousandths for people: 2000 is "2", 1250 is "1.25".
func FormatQty(thousandths int64) string {
	if thousandths%1000 == 0 {
		return strconv.FormatInt(thousandths/1000, 10)
	}
	s := decimal(Amount{Minor: thousandths}.sign(), magnitudeString(thousandths), 3)
	for s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	return s
}
