package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/tillwright/tillwright/display"
	"github.com/tillwright/tillwright/firmware/clock"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd"
	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/port"
)

const (
	// doctorWithin bounds each of the doctor's tries.
	doctorWithin = 10 * time.Second
	// diskLow is when the doctor warns: a month of a busy shop is some 30 MB.
	diskLow = 200 << 20
	// diskNone is when selling is about to end.
	diskNone = 20 << 20
)

type doctorCmd struct {
	configFlag
	Find    bool
	Printer string
}

func (d *doctorCmd) flags(f *flag.FlagSet) {
	d.configFlag.flags(f)
	f.StringVar(&d.Printer, "printer", "", "ask the printer of this `name` alone, a second one's or \"receipt\"; it prints nothing (till paper -print does)")
	f.BoolVar(&d.Find, "find", false, "list what is plugged in, and print the configuration's lines for it; no configuration is read")
}

// finding is one line of the doctor's.
type finding struct {
	what   string
	good   bool
	detail string
	remedy string
}

// Run tries everything that the till depends on. It fails when anything is not
// well.
func (d *doctorCmd) Run(ctx context.Context, args []string, s streams) error {
	if err := exactly(args, 0, "nothing but flags"); err != nil {
		return err
	}
	if d.Find {
		return find(s.out, os.DirFS("/sys"))
	}
	cfg, err := loadConfig(d.Config)
	if err != nil {
		return err
	}
	if d.Printer != "" {
		return d.onePrinter(ctx, cfg, s.out)
	}
	list := []finding{{what: "configuration", good: true, detail: d.Config}}
	for _, w := range cfg.warnings {
		list = append(list, finding{what: "configuration", good: true, detail: "but " + w.String()})
	}
	for _, try := range []func(context.Context, config) []finding{
		tryDisk, tryClock, tryNode, tryStablecoins, tryRates, tryTokenRates, tryPrinter, tryPanels, tryHands, tryOffice,
	} {
		within, stop := context.WithTimeout(ctx, doctorWithin)
		list = append(list, try(within, cfg)...)
		stop()
	}
	return report(s.out, list)
}

// onePrinter asks one printer how it is.
func (d *doctorCmd) onePrinter(ctx context.Context, c config, w io.Writer) error {
	dev, err := c.printerCalled(d.Printer)
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, doctorWithin)
	defer stop()
	return report(w, tryPrinters(ctx, c, dev))
}

func report(w io.Writer, list []finding) error {
	bad := 0
	for _, f := range list {
		mark := "ok  "
		if !f.good {
			mark = "FAIL"
			bad++
		}
		fmt.Fprintf(w, "%s  %-14s %s\n", mark, f.what, f.detail)
		if f.remedy != "" {
			fmt.Fprintf(w, "%20s → %s\n", "", f.remedy)
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d things are not well", bad, len(list))
	}
	return nil
}

func tryDisk(_ context.Context, c config) []finding {
	f := finding{what: "storage"}
	if err := os.MkdirAll(c.data, 0o700); err != nil {
		f.detail, f.remedy = err.Error(), "give the till's user the right to write there, or choose another data folder"
		return []finding{f}
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(c.data, &st); err != nil {
		f.detail = err.Error()
		return []finding{f}
	}
	free := st.Bavail * uint64(st.Bsize)
	f.good, f.detail = free > diskNone, fmt.Sprintf("%d MB free in %s", free>>20, c.data)
	if free < diskLow {
		f.remedy = "make room: the till needs it to record sales"
	}
	return []finding{f}
}

func tryClock(_ context.Context, _ config) []finding {
	f := finding{what: "clock", good: true, detail: time.Now().Format(time.RFC3339)}
	if clock.Trust() != pos.ClockTrusted {
		f.detail += ", not confirmed by a time server"
		f.remedy = "receipts say \"time unverified\" until the backoffice answers; switch a time service on (NTP)"
	}
	return []finding{f}
}

func tryNode(ctx context.Context, c config) []finding {
	if c.lightning == nil {
		return []finding{{what: "lightning", good: true, detail: "not offered"}}
	}
	text, waiting := connectionSource(*c.lightning)()
	if text == "" {
		return []finding{{what: "lightning", detail: waiting, remedy: "put the node's connection string into " + c.lightning.file}}
	}
	conn, err := lnd.ParseConnection(text)
	if err != nil {
		return []finding{{what: "lightning", detail: message(err), remedy: "copy the connection string again, whole"}}
	}
	var out []finding
	for _, s := range lnd.Probe(ctx, conn) {
		out = append(out, finding{"node " + s.Name, s.OK, s.Detail, s.Remedy})
	}
	return out
}

func tryRates(ctx context.Context, c config) []finding {
	t := &till{c: c}
	if c.lightning == nil {
		return nil
	}
	sources, _ := t.sources()
	good := 0
	var out []finding
	for _, s := range sources {
		f := finding{what: "rate " + s.Name()}
		price, err := s.Price(ctx, c.shop.Currency, pos.Bitcoin.Coin)
		if f.good = err == nil; f.good {
			good++
			f.detail = "1 BTC = " + price + " " + c.shop.Currency.Code
		} else {
			f.detail, f.remedy = message(err), "one source may fail; the till needs "+fmt.Sprint(c.rates.least)
		}
		out = append(out, f)
	}
	return out
}

// tryPrinter asks every printer how it is.
func tryPrinter(ctx context.Context, c config) []finding { return tryPrinters(ctx, c, nil) }

// tryPrinters asks one printer, or all of them.
func tryPrinters(ctx context.Context, c config, only *printerConfig) []finding {
	if c.printer == nil && len(c.seconds) == 0 {
		return []finding{{what: "printer", good: true, detail: "none"}}
	}
	var out []finding
	if c.printer != nil && (only == nil || only == c.printer) {
		out = append(out, askPrinter(ctx, c.printer, c.printer.describe()))
	}
	for i, s := range c.seconds {
		if only != nil && only != s {
			continue
		}
		f := askPrinter(ctx, s, c.describeSecond(i))
		if f.good && c.told(i) == 0 && len(c.items) > 0 {
			f.good, f.remedy = false, "it will never print: write its categories as the catalogue does"
		}
		out = append(out, f)
	}
	return out
}

func askPrinter(ctx context.Context, p *printerConfig, detail string) finding {
	f := finding{what: printerLink(p), good: true, detail: detail}
	if p.connect == paperPrinter {
		f.detail = "made of code (" + p.model.Title + "); its paper is at /paper"
		return f
	}
	rw, err := port.Open(ctx, p.connect)
	if err == nil {
		st, serr := p.model.Status(rw)
		f.detail += ": " + saysPrinter(st)
		err = errors.Join(serr, rw.Close())
	}
	if err != nil {
		f.good, f.detail, f.remedy = false, p.connect+": "+message(err), "check cable, power and paper; look up its address on its own test page; a till that runs may hold it"
	}
	return f
}

// saysPrinter is what a printer said of itself.
func saysPrinter(st printer.Status) string {
	if !st.Known {
		return "does not say how it is"
	}
	text := "well"
	switch key := st.Trouble(); {
	case key != "":
		text = pos.Word("en", key)
	case st.PaperLow:
		text = pos.Word("en", "printer_low")
	}
	if st.Drawer != "" {
		text += "; the drawer's sensor is " + string(st.Drawer)
	}
	return text
}

// tryPanels opens each panel as the till would, draws nothing, and gives it back. A
// framebuffer's console is left to the till that may be running.
func tryPanels(_ context.Context, c config) []finding {
	if len(c.display.panels) == 0 {
		return []finding{{what: "display", good: true, detail: "in the browser, at /display"}}
	}
	b := thisBoard()
	var out []finding
	for i, p := range c.display.panels {
		f := tryPanel(b, p)
		f.what = panelName(i)
		out = append(out, f)
	}
	return out
}

// tooSmall is what to do about a panel that carries no payment's code: a module of less
// than two pixels would be read by nobody.
const tooSmall = "too small for a payment's code: the customer needs another screen for it, a phone or paper"

func tryPanel(b board, p panelConfig) finding {
	if p.driver == driverPole {
		w, err := b.port(p.port)
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			return finding{detail: p.describe() + ": " + message(err), remedy: "check cable and power, and give the till's user the group dialout"}
		}
		return finding{good: true, detail: p.describe() + ": tells amounts and states; it never answers, so look at it"}
	}
	console := p.console
	p.console = ""
	panel, shut, err := b.open(p)
	if err != nil {
		return finding{detail: p.describe() + ": " + message(err), remedy: "check its wires and its driver; the till's user needs the groups video, spi, i2c and gpio; a till that runs holds its lines"}
	}
	g := display.GlassOf(panel)
	f := finding{good: true, detail: fmt.Sprintf("%s: %d × %d, shows payment codes", p.describe(), g.Size.X, g.Size.Y)}
	if !g.Carries() {
		f.detail = fmt.Sprintf("%s: %d × %d, tells amounts and states", p.describe(), g.Size.X, g.Size.Y)
		f.remedy = tooSmall
	}
	if p.driver == driverFrame {
		err = panel.Halt()
	}
	if err = errors.Join(err, shut()); err != nil {
		f.good, f.detail = false, p.describe()+": "+message(err)
	}
	return withConsole(f, console)
}

func tryOffice(ctx context.Context, c config) []finding {
	f := finding{what: "backoffice", detail: c.office.url}
	if c.office.url == "" {
		return []finding{{what: "backoffice", good: true, detail: "none"}}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.office.url+"/openapi.json", nil)
	if err == nil {
		var resp *http.Response
		if resp, err = http.DefaultClient.Do(req); err == nil {
			f.good = resp.StatusCode == http.StatusOK
			f.detail += ": " + resp.Status
			err = resp.Body.Close()
		}
	}
	if err != nil {
		f.good, f.detail = false, c.office.url+": "+strings.TrimSpace(err.Error())
		f.remedy = "check the line and the address; sales are kept and sent later"
	}
	return []finding{f}
}
