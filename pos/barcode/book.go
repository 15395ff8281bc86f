package barcode

import (
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// Bounds of a catalogue: they stop slips, no shop comes near them.
const (
	MaxCodes    = 32 // codes of one item: a maker's number for every size of pack
	MaxPatterns = 20 // layouts of labels: one for every prefix there is
)

// Book is a catalogue by the codes on its goods. It is safe for concurrent use.
type Book struct {
	items   map[string]string // canonical code: SKU
	scale   map[string]string // an item's number on the scale, without zeros before it: SKU
	layouts []layout
	lang    string
}

// Clash is a fault of a catalogue: Index is the item's place in it.
type Clash struct {
	Index int
	Err   error
}

// New makes a Book of items, whose prices are in c, and of the shop's labels. lang is
// the language of what Read fails with. It returns everything wrong with the items,
// and with each pattern by its place; with any fault there is no Book.
func New(items []pos.Item, patterns []Pattern, c pos.Currency, lang string) (*Book, []Clash, []Clash) {
	b := &Book{items: map[string]string{}, scale: map[string]string{}, lang: lang}
	bad := b.addPatterns(patterns, c)
	skus := map[string]bool{}
	for _, it := range items {
		skus[it.SKU] = true
	}
	var clashes []Clash
	for i, it := range items {
		for _, code := range it.Barcodes {
			if err := b.add(it, code, skus); err != nil {
				clashes = append(clashes, Clash{i, err})
			}
		}
		if len(it.Barcodes) > MaxCodes {
			clashes = append(clashes, Clash{i, pos.E("read catalogue", pos.Invalid, "an item has at most %d codes", MaxCodes)})
		}
	}
	if len(clashes)+len(bad) > 0 {
		return nil, clashes, bad
	}
	for _, it := range items {
		if n := number(it.SKU); n != "" && b.scale[n] == "" {
			b.scale[n] = it.SKU // many shops number their goods as their scale does
		}
	}
	return b, nil, nil
}

func (b *Book) addPatterns(patterns []Pattern, c pos.Currency) (bad []Clash) {
	for i, p := range patterns {
		l, err := p.compile(c)
		if err == nil && i >= MaxPatterns {
			err = pos.E("read pattern", pos.Invalid, "there are at most %d patterns", MaxPatterns)
		}
		for _, other := range b.layouts {
			if err == nil && l.overlaps(other) {
				err = pos.E("read pattern", pos.Invalid, "a label can be of this pattern and of %s: let them begin with different digits", other.digits)
			}
		}
		if err != nil {
			bad = append(bad, Clash{i, err})
			continue
		}
		b.layouts = append(b.layouts, l)
	}
	return bad
}

// add notes one code of an item. A code that two items have would sell the wrong one.
func (b *Book) add(it pos.Item, code string, skus map[string]bool) error {
	key, err := Canonical(code)
	switch {
	case err != nil:
		return err
	case b.items[key] != "" && b.items[key] != it.SKU:
		return pos.E("read catalogue", pos.Conflict, "the code %s is %q already", code, b.items[key])
	case code != it.SKU && skus[code]:
		return pos.E("read catalogue", pos.Conflict, "the code %s is the sku of another item", code)
	}
	b.items[key] = it.SKU
	if long := upceOf(code); long != "" && long != key { // eight digits may be either
		if b.items[long] != "" && b.items[long] != it.SKU {
			return pos.E("read catalogue", pos.Conflict, "the code %s is %q already, when it is read as UPC-E", code, b.items[long])
		}
		b.items[long] = it.SKU
	}
	n := number(code)
	if n == "" {
		return nil
	}
	if b.scale[n] != "" && b.scale[n] != it.SKU {
		return pos.E("read catalogue", pos.Conflict, "the number %s is %q already: zeros before it do not count on a scale", code, b.scale[n])
	}
	b.scale[n] = it.SKU
	return nil
}

// number returns code as an item's number on a scale, without zeros before it; "" if
// it can be none.
func number(code string) string {
	if !isDigits(code) || len(code) > mostItem {
		return ""
	}
	return strings.TrimLeft(code, "0")
}

// Read returns what a code on goods sells: an item, and what its label says of
// quantity or price. Spaces around it are dropped. It fails with Invalid for a
// misread, and with NotFound when no item has the code, each in words for the cashier.
func (b *Book) Read(text string) (pos.AddItem, error) {
	code := strings.TrimSpace(text)
	key, err := Canonical(code)
	if err != nil {
		return pos.AddItem{}, b.misread(code)
	}
	if do, ok, err := b.label(key); ok || err != nil {
		return do, err
	}
	for _, k := range []string{key, upceOf(code)} {
		if sku := b.items[k]; sku != "" {
			return pos.AddItem{SKU: sku, Qty: onePiece}, nil
		}
	}
	return pos.AddItem{}, b.unknown(code)
}

// onePiece is a quantity of one in thousandths.
const onePiece = 1000

// label takes key as a label of the scale. ok is false when it is none of the shop's,
// or of an item that the scale does not sell: then it may still be a code like any.
func (b *Book) label(key string) (do pos.AddItem, ok bool, err error) {
	if len(key) != gtin || key[0] != '0' || !isDigits(key) {
		return do, false, nil
	}
	s := key[1:]
	for _, l := range b.layouts {
		if !l.matches(s) {
			continue
		}
		sku := b.labelled(l, s)
		if sku == "" {
			return do, false, nil
		}
		_, v, err := l.read(s)
		if err != nil {
			return do, false, b.misread(s)
		}
		do = pos.AddItem{SKU: sku, Qty: v}
		if l.kind == Price {
			do.Qty, do.Minor = onePiece, v
		}
		if do.Qty > pos.MaxQty {
			return do, false, b.misread(s)
		}
		return do, true, nil
	}
	return do, false, nil
}

// labelled finds the item of a label: by the number of the scale, or by the whole
// label with zeros for the value, which is how some shop systems write it.
func (b *Book) labelled(l layout, s string) string {
	if n := strings.TrimLeft(l.item.of(s), "0"); n != "" && b.scale[n] != "" {
		return b.scale[n]
	}
	zero := []byte(s)
	for i := range ean13 - 1 {
		if i >= l.value.from && i < l.value.to || l.digits[i] == 'P' || l.digits[i] == 'X' {
			zero[i] = '0'
		}
	}
	zero[ean13-1] = CheckDigit(string(zero[:ean13-1]))
	return b.items[pad(string(zero))]
}

// misread says that a code was not read right, or makes no sense.
func (b *Book) misread(code string) error {
	return pos.E("read code", pos.Invalid, "%s", pos.Word(b.lang, "scan_misread", "code", clip(code)))
}

func (b *Book) unknown(code string) error {
	return pos.E("read code", pos.NotFound, "%s", pos.Word(b.lang, "scan_unknown", "code", clip(code)))
}

// clip bounds what is shown of a code, and keeps what no screen may show off it.
func clip(code string) string {
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, code)
	return s[:min(len(s), MaxCode)]
}
