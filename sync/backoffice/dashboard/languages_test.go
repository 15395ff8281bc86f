package dashboard

import (
	"context"
	"html"
	"net/url"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/sweep"
	"github.com/tillwright/tillwright/sync/wire"
)

// doubtful is a Search in which nothing is known, for a reason each.
type doubtful struct {
	searches
	why []sweep.Reason
}

func (d *doubtful) Overview(context.Context) (o sweep.SearchOverview, err error) {
	for i, why := range d.why {
		o.Seeds = append(o.Seeds, sweep.SeedView{ID: int64(i), State: store.SearchEnded, To: 1000, Kept: midnight, Networks: []sweep.SearchView{{Network: sweep.Network{Name: "Base"}, To: 3, Why: why}}})
	}
	o.Seeds = append(o.Seeds, sweep.SeedView{ID: 99, Kept: midnight, Locked: `["bo_se_why_key"]`})
	return o, nil
}

// busy is a Sweeper that is never free, and networks that say nothing.
type busy struct{ coins }

func (*busy) Now(context.Context) error {
	return pos.Say("count stablecoins", pos.Unavailable, context.Canceled, "bo_sc_busy")
}

func (*busy) Overview(context.Context) (sweep.Overview, error) {
	return sweep.Overview{Networks: []sweep.NetworkView{
		{Network: sweep.Network{Key: "base", Name: "Base"}, Trouble: `["bo_sc_why_silent","chain","Base"]`}, {Network: sweep.Network{Key: "bnb", Name: "BNB"}, Trouble: `["bo_sc_why_fault"]`},
	}}, nil
}

func (*busy) Prepare(context.Context, string, string, bool) (int64, error) {
	return 0, pos.Say("prepare transfer", pos.Conflict, nil, "bo_sc_no_money")
}

// TestNoEnglish: whatever goes wrong on the pages about stablecoins, the owner of a shop of
// another language reads it in that one, and no English of ours beside it.
func TestNoEnglish(t *testing.T) {
	says := map[sweep.Reason]string{
		`["bo_se_why_silent","chain","Base","operator","Alchemy"]`: "bo_se_why_silent", `["bo_se_why_behind","time","2026-01-01 00:00:00"]`: "bo_se_why_behind",
		`["bo_se_why_differ","one","A","other","B"]`: "bo_se_why_differ", `["bo_se_why_version","n","2"]`: "bo_se_why_version", `["bo_se_why_liar","n","1000"]`: "bo_se_why_liar",
		`["bo_se_why_secret"]`: "bo_se_why_secret", `["bo_sc_no_network"]`: "bo_sc_no_network", `["bo_no_database"]`: "bo_no_database", `["bo_sc_why_fault"]`: "bo_sc_why_fault",
	}
	d := &doubtful{}
	for why := range says {
		d.why = append(d.why, why)
	}
	rows := wire.AddressSeed{Scheme: 1, Treasury: treasury, Seed: wire.Seed{9}}.SheetRows()
	sheet := func(treasury string, rows ...string) url.Values {
		f := url.Values{"treasury": {treasury}}
		for i, r := range rows {
			f.Set("row"+string(rune('1'+i)), r)
		}
		return f
	}
	for _, language := range pos.Languages {
		o := newOffice(t, language, func(o *Options) { o.Sweeps, o.Searches = &busy{}, d })
		o.signIn()
		look := func(method, path string, form url.Values, keys ...string) {
			t.Helper()
			_, page := o.do(method, path, form)
			page = html.UnescapeString(page)
			for _, key := range keys {
				if want := longest(language, key); !strings.Contains(page, want) {
					t.Errorf("%s %s %s: no %q in\n%s", language, method, path, want, page)
				}
				if english := longest("en", key); language != "en" && strings.Contains(page, english) {
					t.Errorf("%s %s %s: English: %q", language, method, path, english)
				}
			}
			for _, english := range []string{"Not Found", "Conflict", "Bad Request", "Service Unavailable", "Unprocessable", "does not answer", "there is no", "There is no", "cannot be read"} {
				if language != "en" && strings.Contains(page, english) {
					t.Errorf("%s %s %s: English: %q", language, method, path, english)
				}
			}
		}
		keys := []string{"bo_se_why_key"}
		for _, key := range says {
			keys = append(keys, key)
		}
		look("GET", "/stablecoins/search", nil, keys...)
		look("GET", "/stablecoins", nil, "bo_sc_why_silent", "bo_sc_why_fault")
		look("POST", "/stablecoins/count", nil, "bo_sc_busy", "bo_fault_title")
		look("POST", "/stablecoins/base/transfers", url.Values{"treasury": {treasury}}, "bo_sc_no_money")
		for _, path := range []string{"/stablecoins/transfers/x", "/stablecoins/transfers/3/keys.json"} {
			look("GET", path, nil, "bo_not_here")
		}
		for _, path := range []string{"/stablecoins/search/x/start", "/stablecoins/search/1/dance"} {
			look("POST", path, nil, "bo_not_here")
		}
		slip := "ZZZZ" + rows[2][4:]
		for _, s := range []struct {
			form url.Values
			key  string
		}{
			{sheet(treasury, rows[0], rows[1], slip, rows[3]), "bo_se_bad_row"}, {sheet(treasury, rows[0]), "bo_se_bad_rows"}, {sheet("0x1", rows...), "bo_se_bad_treasury"},
			{sheet(strings.Replace(treasury, "5a", "5b", 1), rows...), "bo_se_bad_first"},
		} {
			look("POST", "/stablecoins/search/sheets", s.form, s.key)
		}
	}
}

// longest is the longest part of a word in which nothing is filled in.
func longest(language, key string) (out string) {
	for part := range strings.SplitSeq(pos.Word(language, key), "{") {
		if _, after, ok := strings.Cut(part, "}"); ok {
			part = after
		}
		if len(part) > len(out) {
			out = part
		}
	}
	return out
}
