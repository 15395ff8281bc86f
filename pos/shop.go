package pos

// Shop is who sells: what stands at the top of receipts and screens.
type Shop struct {
	Name     string    `json:"name"`
	Address  []string  `json:"address"`
	TaxID    string    `json:"tax_id"`
	Footer   string    `json:"footer"` // last line of a receipt: "Thank you!"
	Till     string    `json:"till"`   // "Till 1"
	Series   string    `json:"series"` // prefix of receipt numbers: "01"
	Currency Currency  `json:"-"`
	Language string    `json:"language"` // "en", "de", "es", "fr", "pt"
	Zone     string    `json:"zone"`     // of times on receipts: "Europe/Vienna"
	Rounding Rounding  `json:"-"`
	Taxes    []TaxRate `json:"-"`
	MaxSale  Amount    `json:"-"` // a sale above it is a slip; refused
}

// Colours are the names that a tile may have; the screens choose the shade.
var Colours = []string{"red", "orange", "yellow", "green", "blue", "violet"}

// Item is something with a fixed price in the catalogue.
type Item struct {
	SKU      string  `json:"sku"`
	Name     string  `json:"name"`
	Category string  `json:"category"`
	Price    Amount  `json:"price"`
	Tax      TaxRate `json:"tax"`
	Colour   string  `json:"colour,omitempty"` // of its tile: one of Colours

	// Barcodes are the codes on the goods, as printed, and the item's number on the
	// shop's scale.
	Barcodes []string `json:"barcodes,omitempty"`
}
