package webtest

import "github.com/tillwright/tillwright/pos"

// Shop returns a café in language, with VAT at three rates. Cash is rounded to
// five cents.
func Shop(language string) pos.Shop {
	eur := pos.Currency{Code: "EUR", Decimals: 2}
	return pos.Shop{
		Name: "Café Süd", Address: []string{"Ring 1", "1010 Wien"}, TaxID: "ATU12345678", Footer: "Danke!", Till: "Till 1", Series: "01",
		Currency: eur, Language: language, Zone: "Europe/Vienna", Rounding: pos.Rounding{Step: 5}, MaxSale: eur.Of(1_000_000),
		Taxes: []pos.TaxRate{vat("A", 20_000), vat("B", 10_000), vat("C", 13_000)},
	}
}

func vat(code string, milli int64) pos.TaxRate {
	return pos.TaxRate{Code: code, Name: "VAT", Milli: milli, Included: true}
}

// Items returns a café's catalogue, 28 items in five categories.
func Items() []pos.Item {
	eur := pos.Currency{Code: "EUR", Decimals: 2}
	var out []pos.Item
	add := func(category, colour string, tax pos.TaxRate, rows ...row) {
		for _, r := range rows {
			out = append(out, pos.Item{SKU: r.sku, Name: r.name, Category: category, Price: eur.Of(r.minor), Tax: tax, Colour: colour})
		}
	}
	add("Coffee", "orange", vat("A", 20_000), row{"4001", "Espresso", 290}, row{"4002", "Double espresso", 390}, row{"4003", "Macchiato", 330},
		row{"4004", "Cappuccino", 420}, row{"4005", "Flat white", 450}, row{"4006", "Latte", 470}, row{"4007", "Filter coffee", 380}, row{"4008", "Cold brew", 490})
	add("Tea", "green", vat("A", 20_000), row{"4101", "Green tea", 360}, row{"4102", "Earl Grey", 360}, row{"4103", "Mint, fresh", 410}, row{"4104", "Chai", 440})
	add("Bakery", "red", vat("B", 10_000), row{"9001234567894", "Croissant", 260}, row{"4202", "Pain au chocolat", 310}, row{"4203", "Cinnamon roll", 340},
		row{"4204", "Sourdough loaf, 1 kg, from the wood-fired oven", 576}, row{"4205", "Banana bread", 380}, row{"4206", "Cheesecake", 480})
	add("Cold", "blue", vat("A", 20_000), row{"4301", "Still water", 250}, row{"4302", "Sparkling", 250}, row{"4303", "Lemonade", 390}, row{"4304", "Iced tea", 390}, row{"4305", "Orange, pressed", 520})
	add("Lunch", "violet", vat("B", 10_000), row{"4401", "Soup of the day", 690}, row{"4402", "Grilled cheese", 850}, row{"4403", "Falafel bowl", 1150}, row{"4404", "Caesar salad", 1090}, row{"4405", "Quiche", 790})
	return out
}

type row struct {
	sku, name string
	minor     int64
}
