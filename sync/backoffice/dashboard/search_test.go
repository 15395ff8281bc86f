package dashboard

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/sweep"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
	"github.com/tillwright/tillwright/sync/wire"
)

// searches is a Search with every state of one.
type searches struct {
	till  string
	did   []string
	sheet string
	quiet bool // nothing is under way
}

func (f *searches) Overview(context.Context) (sweep.SearchOverview, error) {
	net := func(base, polygon uint64, why sweep.Reason, operators int) []sweep.SearchView {
		return []sweep.SearchView{
			{Network: sweep.Network{Key: "base", Name: "Base"}, To: base, Operators: operators},
			{Network: sweep.Network{Key: "polygon", Name: "Polygon"}, To: polygon, Why: why, Operators: operators},
		}
	}
	o := sweep.SearchOverview{Seeds: []sweep.SeedView{
		{ID: 1, Till: f.till, Treasury: treasury, Kept: midnight, State: store.SearchAsked, Last: 412, To: 1412, Networks: net(600, 400, "", 2), Found: 2},
		{ID: 2, Till: f.till, Treasury: treasury, Kept: midnight, Networks: net(0, 0, "", 0), To: 1000},
		{ID: 3, Till: f.till, Treasury: treasury, Kept: midnight, State: store.SearchEnded, To: 1000, Networks: net(1000, 200, "Polygon: Alchemy and <QuickNode> do not agree about what lies there; one of them is wrong", 2)},
		{ID: 4, Treasury: treasury, Kept: midnight, State: store.SearchEnded, To: 1000, Networks: net(1000, 1000, "", 1)},
		{ID: 5, Till: f.till, Treasury: treasury, Kept: midnight, State: store.SearchStopped, To: 1000, Networks: net(200, 200, "", 2)},
		{ID: 6, Till: f.till, Treasury: treasury, Kept: midnight, Locked: "the till's secret was kept with another key file"},
	}}
	if f.quiet {
		o.Seeds = o.Seeds[1:]
	}
	holding := func(n uint64, network, newest, final string, batch int64) sweep.FoundView {
		return sweep.FoundView{Name: network, FoundHolding: store.FoundHolding{N: n, Seed: 1, Found: midnight, Holding: store.Holding{
			Network: "base", Address: "0x631B0A61165880Bf7f41Bb7f9E7afaCB50482a89", Symbol: "USDC", Decimals: 6, Newest: newest, Final: final, Batch: batch}}}
	}
	o.Found = []sweep.FoundView{holding(412, "Base", "8000000", "8000000", 0), holding(411, "Polygon", "12340100", "0", 0), holding(398, "Base", "1250000000", "1250000000", 3)}
	return o, nil
}

func (f *searches) Start(_ context.Context, id int64, how sweep.How) error {
	if id > 6 {
		return pos.E("find seed", pos.NotFound, "there is no such recovery sheet here")
	}
	f.did = append(f.did, []string{"go on", "again", "further"}[how])
	return nil
}

func (f *searches) Stop(_ context.Context, id int64) error {
	f.did = append(f.did, "stop")
	return nil
}

func (f *searches) Sheet(_ context.Context, text string) error {
	f.sheet = text
	_, err := wire.ParseSheet(text)
	return err
}

func searchOffice(t *testing.T, language string) (*office, *searches) {
	till := tilltest.New(1, "01", "EUR", midnight)
	f := &searches{till: till.Genesis.Till}
	o := newOffice(t, language, func(o *Options) { o.Sweeps, o.Searches = &coins{}, f })
	o.take(till, "Counter <1>")
	return o, f
}

// TestSearchPage reads the page and presses its buttons.
func TestSearchPage(t *testing.T) {
	o, f := searchOffice(t, "en")
	if _, page := o.do("GET", "/stablecoins/search", nil); !strings.Contains(page, "password") {
		t.Fatal("a stranger sees it")
	}
	if res, _ := o.do("POST", "/stablecoins/search/1/stop", nil); len(f.did) != 0 {
		t.Fatalf("a stranger stops it: %s", res.Status)
	}
	o.signIn()
	if _, page := o.do("GET", "/stablecoins", nil); !strings.Contains(page, `href="/stablecoins/search"`) {
		t.Error("no way to the page")
	}
	res, page := o.do("GET", "/stablecoins/search", nil)
	for _, want := range []string{
		"Counter &lt;1&gt;", "From a recovery sheet", "600 of 1,412 numbers", "not searched", "searched to the end", "not known", "&lt;QuickNode&gt; do not agree", "another key file",
		"one operator alone", "Nothing lies at addresses", "is not known yet", "8.00 USDC", "12.3401 USDC", "1250.00 USDC", "can be moved", "Not certain yet", "in a transfer", "/stablecoins/transfers/3",
		"/stablecoins/search/1/stop", "/stablecoins/search/2/start", "/stablecoins/search/3/start", "/stablecoins/search/4/further", "/stablecoins/search/4/again", "/stablecoins/search/5/start",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q on the page", want)
		}
	}
	for _, never := range []string{"/stablecoins/search/6/", "/stablecoins/search/3/further", "/stablecoins/search/1/start"} {
		if strings.Contains(page, never) {
			t.Errorf("a button for %s", never)
		}
	}
	unknown := page[strings.Index(page, "&lt;QuickNode&gt;"):]
	if unknown = unknown[:strings.Index(unknown, "</div>")]; strings.Contains(unknown, "<dd>0</dd>") || strings.Contains(unknown, "Nothing lies") || !strings.Contains(unknown, "<dd>not known</dd>") {
		t.Errorf("doubt is called nothing: %s", unknown)
	}
	if res.Header.Get("Refresh") != "5" {
		t.Error("it does not look again by itself")
	}
	f.quiet = true
	if res, _ := o.do("GET", "/stablecoins/search", nil); res.Header.Get("Refresh") != "" {
		t.Error("it looks again for nothing")
	}
	for _, path := range []string{"2/start", "4/further", "4/again", "1/stop"} {
		if res, _ := o.do("POST", "/stablecoins/search/"+path, nil); res.StatusCode != 200 {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	if got := strings.Join(f.did, ", "); got != "go on, further, again, stop" {
		t.Errorf("it did %s", got)
	}
	for path, want := range map[string]int{"9/start": 404, "x/start": 404, "1/dance": 404} {
		if res, _ := o.do("POST", "/stablecoins/search/"+path, nil); res.StatusCode != want {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	if res, _ := o.do("POST", "/stablecoins/search/1/stop", nil, "Origin", "https://evil.example"); res.StatusCode != 403 || len(f.did) != 4 {
		t.Errorf("another site stops a search: %s", res.Status)
	}
}

// TestSheetPage types a sheet in, with a slip and without. Goal: the row is named, what was
// typed is there to be mended, and it stands in no address.
func TestSheetPage(t *testing.T) {
	o, f := searchOffice(t, "en")
	o.signIn()
	a := wire.AddressSeed{Scheme: 1, Treasury: treasury, Seed: wire.Seed{9, 8, 7}}
	rows := a.SheetRows()
	form := url.Values{"treasury": {treasury}, "row1": {rows[0]}, "row2": {strings.ToLower(rows[1])}, "row3": {rows[2]}, "row4": {rows[3]}}
	form.Set("row3", "ZZZZ"+rows[2][4:])
	res, page := o.do("POST", "/stablecoins/search/sheets", form)
	if res.StatusCode != 400 || !strings.Contains(page, "typing error in row 3") || !strings.Contains(page, rows[3]) || strings.Contains(res.Request.URL.String(), rows[3][:4]) || res.Header.Get("Refresh") != "" {
		t.Errorf("%s %s\n%s", res.Status, res.Request.URL, page)
	}
	form.Set("row3", rows[2])
	if res, page := o.do("POST", "/stablecoins/search/sheets", form); res.StatusCode != 200 || res.Request.URL.Path != "/stablecoins/search" || strings.Contains(page, rows[3]) {
		t.Errorf("%s %s", res.Status, res.Request.URL)
	}
	if got, err := wire.ParseSheet(f.sheet); err != nil || got != a {
		t.Errorf("it was given %v", err)
	}
	if res, page := o.do("POST", "/stablecoins/search/sheets", url.Values{"treasury": {strings.Repeat("9", 9000)}}); res.StatusCode < 400 || strings.Contains(page, "99999999") && res.StatusCode == 500 {
		t.Errorf("a long one: %s", res.Status)
	}
}

// TestSearchUnset: a shop without stablecoins has no such page.
func TestSearchUnset(t *testing.T) {
	o := newOffice(t, "fr")
	o.signIn()
	for _, call := range [][2]string{{"GET", "/stablecoins/search"}, {"POST", "/stablecoins/search/1/start"}, {"POST", "/stablecoins/search/sheets"}} {
		if res, _ := o.do(call[0], call[1], nil); res.StatusCode != 404 {
			t.Errorf("%s %s: %s", call[0], call[1], res.Status)
		}
	}
}

// TestSearchLanguages draws the page in each language: no word is missing.
func TestSearchLanguages(t *testing.T) {
	for _, language := range pos.Languages {
		o, _ := searchOffice(t, language)
		o.signIn()
		if _, page := o.do("GET", "/stablecoins/search", nil); strings.Contains(page, "bo_se_") || strings.Contains(page, "{n}") || !strings.Contains(page, pos.Word(language, "bo_se_found")) {
			t.Errorf("%s: a word is missing", language)
		}
	}
}
