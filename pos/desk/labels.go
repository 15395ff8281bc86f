package desk

import (
	"slices"

	"github.com/tillwright/tillwright/pos"
)

// item finds what a command names: an item by its SKU, else by a code on the goods.
// do comes back with what their label says of quantity and price.
func (d *Desk) item(do pos.AddItem) (pos.Item, pos.AddItem, error) {
	if it, ok := d.items[do.SKU]; ok {
		return it, do, nil
	}
	if d.o.Label == nil {
		return pos.Item{}, do, pos.E("add item", pos.NotFound, "there is no item %q in the catalogue", do.SKU)
	}
	read, err := d.o.Label(do.SKU)
	if err != nil {
		return pos.Item{}, do, err
	}
	it, ok := d.items[read.SKU]
	if !ok {
		return it, do, pos.E("add item", pos.NotFound, "there is no item %q in the catalogue", read.SKU)
	}
	read.Sale = do.Sale
	if do.Qty == 0 || do.Qty == one {
		return it, read, nil
	}
	if read.Qty != one || read.Minor != 0 { // three times a label is not what the scale weighed
		return it, do, pos.E("add item", pos.Invalid, "%s", pos.Word(d.o.Shop.Language, "scan_one_label"))
	}
	read.Qty = do.Qty
	return it, read, nil
}

// one piece, in thousandths.
const one = 1000

// Notify shows n to the cashier on top of the list, in the place of an older notice of
// its kind: something that repeats must not push the others off it. Without a text the
// older one only goes. It waits for the command under way: for a disk at most.
func (d *Desk) Notify(n pos.Notice) {
	_, _ = d.turn(pos.Command{By: pos.Till}, func(t *turn) error { // fails when the till is over: then nobody reads it
		had := len(d.notices)
		d.notices = slices.DeleteFunc(slices.Clone(d.notices), func(old pos.Notice) bool { return old.Kind == n.Kind })
		if t.again = n.Text != "" || len(d.notices) < had; n.Text != "" {
			t.notice = &n
		}
		return nil
	})
}
