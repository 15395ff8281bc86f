package main

import (
	"bufio"
	"bytes"
	"image"
	"image/png"
	"io"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/tillwright/tillwright/display"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

// patience bounds what must happen, on a machine that has other things to do.
const patience = 90 * time.Second

// lines yields the lines of r until it ends or breaks.
func lines(r io.Reader) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		s := bufio.NewScanner(r)
		s.Buffer(nil, 1<<20)
		for s.Scan() && yield(s.Bytes()) {
		}
	}
}

// TestDay holds a whole till in one process: the first PIN, a sale in cash, one
// over Lightning, an expired one, a reprint, a restart. What customer, cashier and
// paper see is compared with what is written down.
func TestDay(t *testing.T) {
	dir, node := t.TempDir(), lndtest.New(t, lndtest.Options{TCP: true})
	x, c, stop := inProcess(t, dir, node)
	c.found()
	c.wait("Lightning", ready)

	cash := c.ring("ESP", "ESP", "BRD")
	c.wait("three goods", func(v pos.View) bool { return v.Customer.Phase == pos.PhaseBasket && v.Customer.Total.Minor == 1220 })
	golden(t, "basket.png", picture(t, x))
	c.do("POST", "/v1/sales/"+string(cash)+"/payments", object{"tender": "cash", "given": money(2000)}, nil)
	if got := c.phase(pos.PhaseChange); got.Change.Minor != 780 || got.Receipt != "01-000001" {
		t.Errorf("the customer sees %+v", got)
	}
	golden(t, "change.png", picture(t, x))

	coins := c.ring("BRD")
	c.do("POST", "/v1/sales/"+string(coins)+"/payments", object{"tender": "lightning"}, nil)
	due := c.phase(pos.PhaseDue)
	if due.Quantity != "12800 sat" {
		t.Errorf("the customer pays %s", due.Quantity)
	}
	if err := node.Pay(due.QR, 12_800_000); err != nil {
		t.Fatal(err)
	}
	c.phase(pos.PhasePaid)
	c.do("POST", "/v1/sales/"+string(cash)+"/reprints", object{}, nil)
	text := x.paperText(t, 3)
	golden(t, "paper.txt", []byte(scrub(text)))
	if x.paper.Drawer() != 1 {
		t.Errorf("the drawer opened %d times, want once, for cash", x.paper.Drawer())
	}

	stop()
	_, c, _ = inProcess(t, dir, node)
	c.signIn()
	if s := c.sale(coins); s.Receipt != "01-000002" || s.State != pos.Completed {
		t.Errorf("after a restart the sale is %+v", s)
	}
}

func ready(v pos.View) bool {
	return len(v.Counter.Tenders) == 2 && v.Counter.Tenders[1].Ready
}

func money(minor int) object {
	return object{"minor": strconv.Itoa(minor), "decimals": 2, "currency": "EUR"}
}

// picture waits until the display shows the newest view, which follows its event, and
// returns the picture.
func picture(t *testing.T, x *till) []byte {
	t.Helper()
	same := display.New(display.Options{Size: browserSize, Language: x.c.shop.Language})
	same.Publish(x.desk.View())
	want, _ := same.PNG()
	deadline := time.After(patience)
	for {
		changed := x.display.Changed()
		b, _ := x.display.PNG()
		if bytes.Equal(b, want) {
			return b
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatal("the display shows another picture than the newest view's")
		}
	}
}

// paperText waits until n papers are cut and returns what is on them.
func (t *till) paperText(tb testing.TB, n int) string {
	tb.Helper()
	deadline := time.After(patience)
	for {
		changed := t.paper.Changed()
		text := t.paper.Text()
		if cuts.FindAllString(text, -1) != nil && len(cuts.FindAllString(text, -1)) >= n {
			return text
		}
		select {
		case <-changed:
		case <-deadline:
			tb.Fatalf("the printer put out less than %d papers:\n%s", n, text)
		}
	}
}

var (
	cuts   = regexp.MustCompile(`(?m)^[.·-]*\s*(cut|✂|- - -|\.\.\.\.).*$`)
	chance = []struct {
		what *regexp.Regexp
		as   string
	}{
		{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), "2026-11-26 14:03:11"},
		{regexp.MustCompile(`\d\d:\d\d:\d\d`), "14:03:11"},
		{regexp.MustCompile(`[0-9a-f]{16}`), "0123456789abcdef"},
		{regexp.MustCompile(`[0-9a-f]{4} [0-9a-f]{4} [0-9a-f]{4}`), "0123 4567 89ab"},
		{regexp.MustCompile(`Record #\d+`), "Record #000000"},
	}
)

// scrub replaces what differs between two days.
func scrub(s string) string {
	for _, c := range chance {
		s = c.what.ReplaceAllString(s, c.as)
	}
	return s
}

// golden compares got with testdata/name: pictures pixel by pixel, texts as they are.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(name) == ".png" && samePicture(t, got, want) {
		return
	}
	if filepath.Ext(name) != ".png" && bytes.Equal(got, want) {
		return
	}
	out := filepath.Join(t.ArtifactDir(), name)
	if err := os.WriteFile(out, got, 0o644); err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(name) == ".txt" {
		t.Errorf("%s differs; got:\n%s\nwant:\n%s", name, got, want)
		return
	}
	t.Errorf("%s differs; see %s", name, out)
}

func samePicture(t *testing.T, a, b []byte) bool {
	t.Helper()
	decode := func(p []byte) image.Image {
		img, err := png.Decode(bytes.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	x, y := decode(a), decode(b)
	if x.Bounds() != y.Bounds() {
		return false
	}
	for py := x.Bounds().Min.Y; py < x.Bounds().Max.Y; py++ {
		for px := x.Bounds().Min.X; px < x.Bounds().Max.X; px++ {
			r1, g1, b1, _ := x.At(px, py).RGBA()
			r2, g2, b2, _ := y.At(px, py).RGBA()
			if r1 != r2 || g1 != g2 || b1 != b2 {
				return false
			}
		}
	}
	return true
}
