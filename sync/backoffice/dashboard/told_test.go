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
)

// followed is a Sweeper with one transfer of which nothing has moved, whose transaction the
// owner named.
type followed struct {
	coins
	state string
	doubt string // who alone says that something stayed
}

func (f *followed) Batch(context.Context, int64) (sweep.BatchView, sweep.Transaction, error) {
	b := f.batch()
	b.Moved, b.Done, b.Stuck = 0, 0, 0
	b.Items[0].State = store.ItemWaiting
	if f.state != "none" {
		b.Told = sweep.Told{Tx: "0xfeed", State: f.state, Gas: 1_090_000, Used: 1_080_000, Seen: midnight}
	}
	if f.doubt != "" {
		b.Items[0].Doubt = f.doubt
		b.Unsure = b.Items[:1]
	}
	return b, transaction(), nil
}

// TestTold: in each language the page says what became of the transaction that the owner
// named, what to do about one that failed, and nothing of one that he did not name.
func TestTold(t *testing.T) {
	for _, language := range pos.Languages {
		f := &followed{}
		o := newOffice(t, language, func(o *Options) { o.Sweeps = f })
		o.signIn()
		w := func(key string) string { return pos.Word(language, key) }
		pills := []string{"bo_sc_waiting", "bo_sc_failed", "bo_sc_sent", "bo_sc_doubt"}
		for state, pill := range map[string]string{
			"none": "bo_sc_waiting", sweep.TxAsked: "bo_sc_waiting", sweep.TxUnknown: "bo_sc_waiting", sweep.TxThrough: "bo_sc_waiting", sweep.TxOther: "bo_sc_waiting",
			sweep.TxPending: "bo_sc_sent", sweep.TxGas: "bo_sc_failed", sweep.TxFailed: "bo_sc_failed", sweep.TxDoubt: "bo_sc_doubt",
		} {
			f.state = state
			_, page := o.do("GET", "/stablecoins/transfers/3", nil)
			text := html.UnescapeString(page)
			progress := text[strings.Index(text, `class="pill`):]
			progress = progress[:strings.Index(progress, "</p>")]
			for _, p := range pills {
				if strings.Contains(progress, w(p)) != (p == pill) {
					t.Errorf("%s %q: the transfer is said to be %q", language, state, progress)
				}
			}
			if strings.Contains(text, "{n}") || strings.Contains(text, "{used}") || strings.Contains(text, "bo_sc_") {
				t.Errorf("%s %q: a word is missing", language, state)
			}
			if strings.Contains(text, "0xfeed") == (state == "none") || !strings.Contains(text, w("bo_sc_tell_label")) {
				t.Errorf("%s %q: the transaction, or the way to name one", language, state)
			}
			s := &server{Options: Options{Language: language}}
			used, least := s.number(1_080_000), s.number(190_000)
			failed := state == sweep.TxGas || state == sweep.TxFailed
			if sentence := text[strings.Index(text, "</dl>"):]; failed != strings.Contains(sentence[:strings.Index(sentence, "</section>")], used) || failed && strings.Count(text, least) < 3 {
				t.Errorf("%s %q: what it used, or what it needs: %v", language, state, failed)
			}
		}
	}
}

// TestDoubt: what one operator alone says is named as such, and not told as true.
func TestDoubt(t *testing.T) {
	f := &followed{state: "none", doubt: "Operator <2>"}
	o := newOffice(t, "en", func(o *Options) { o.Sweeps = f })
	o.signIn()
	_, page := o.do("GET", "/stablecoins/transfers/3", nil)
	if strings.Count(page, "cannot verify yet") != 3 || !strings.Contains(page, "only Operator &lt;2&gt; says so") || strings.Contains(page, "stayed where it is") || strings.Contains(page, "Left there by") {
		t.Errorf("one operator's word: %s", page)
	}
}

// TestTell: what the owner types reaches the sweep, from his own page alone.
func TestTell(t *testing.T) {
	c := &coins{none: true}
	o := newOffice(t, "en", func(o *Options) { o.Sweeps = c })
	form := url.Values{"tx": {"https://explorer.example/tx/0xfeed"}}
	if _, page := o.do("POST", "/stablecoins/transfers/3/sent", form); !strings.Contains(page, "password") || len(c.told) != 0 {
		t.Error("a stranger names a transaction")
	}
	o.signIn()
	if res, _ := o.do("POST", "/stablecoins/transfers/3/sent", form, "Origin", "https://evil.example"); res.StatusCode != 403 || len(c.told) != 0 {
		t.Errorf("another site names a transaction: %s", res.Status)
	}
	if res, page := o.do("POST", "/stablecoins/transfers/3/sent", form); res.StatusCode != 200 || len(c.told) != 1 || c.told[0] != form.Get("tx") || !strings.Contains(page, "0xd1d26af3") {
		t.Errorf("%s, %q", res.Status, c.told)
	}
	if res, _ := o.do("POST", "/stablecoins/transfers/4/sent", form); res.StatusCode != 404 || len(c.told) != 1 {
		t.Errorf("of no transfer: %s", res.Status)
	}
}
