package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/port"
)

// receiptPrinter is what the printer without a name is called where one is asked for.
const receiptPrinter = "receipt"

// printerCalled returns the printer of that name, capitals aside; without a name the
// receipt printer, nil when there is none. An unknown name is answered with those that
// there are.
func (c config) printerCalled(name string) (*printerConfig, error) {
	if name == "" {
		return c.printer, nil
	}
	names := []string{}
	for _, s := range c.seconds {
		if names = append(names, s.route.Printer); strings.EqualFold(s.route.Printer, name) {
			return s, nil
		}
	}
	if c.printer != nil {
		names = append(names, receiptPrinter)
	}
	switch {
	case c.printer != nil && strings.EqualFold(name, receiptPrinter):
		return c.printer, nil
	case len(names) == 0:
		return nil, fmt.Errorf("there is no printer %q: the configuration has none", name)
	}
	return nil, fmt.Errorf("there is no printer %q%s; the configuration has %s", name, meant(name, names), quoted(names))
}

// quoted lists names for a sentence.
func quoted(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, strconv.Quote(n))
	}
	return strings.Join(out, ", ")
}

// print puts the paper out on the printer itself, and says what the printer said.
func (p *paperCmd) print(ctx context.Context, c config, dev *printerConfig, w io.Writer) error {
	switch {
	case p.Model != "":
		return errors.New("-model is for drawing alone: what prints is the configured printer")
	case dev == nil && len(c.seconds) > 0:
		var names []string
		for _, s := range c.seconds {
			names = append(names, s.route.Printer)
		}
		return fmt.Errorf("there is no receipt printer; write -printer NAME with one of %s", quoted(names))
	case dev == nil:
		return errors.New("the configuration has no [printer]; till doctor --find proposes its lines")
	case dev.connect == paperPrinter:
		return errors.New("this printer is made of code: its paper is at /paper while the till runs; without -print and with FILE.png it is drawn")
	}
	doc, err := p.document(c, dev, dev.model.Columns)
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, doctorWithin)
	defer stop()
	st, err := printOn(ctx, dev, doc.WithLogo(dev.logo))
	if err != nil {
		return fmt.Errorf("%s: %s: %s (a till that runs holds its printers: stop it first, or have it print with POST /v1/test-pages)", printerLink(dev), dev.connect, message(err))
	}
	said := saysPrinter(st)
	if !st.Known {
		said = "it does not say how it is, so look at the paper"
	}
	fmt.Fprintf(w, "%s: sent to %s; %s\n", printerLink(dev), dev.describe(), said)
	if p.Page {
		fmt.Fprintf(w, "Its ruler must end at the edge of the paper, in one line: if it breaks, columns = %d is too large, if it ends early, too small.\n", dev.model.Columns)
	}
	return nil
}

// printOn prints doc. It fails before the first byte when the printer says that it
// cannot.
func printOn(ctx context.Context, dev *printerConfig, doc printer.Document) (st printer.Status, err error) {
	rw, err := port.Open(ctx, dev.connect)
	if err != nil {
		return st, err
	}
	st, err = dev.model.Print(rw, doc, printer.Run{Begin: func() error { return ctx.Err() }})
	if key := st.Trouble(); err != nil && key != "" {
		err = pos.Wrap("print", pos.Unavailable, err, "%s", pos.Word("en", key))
	}
	return st, errors.Join(err, rw.Close())
}
