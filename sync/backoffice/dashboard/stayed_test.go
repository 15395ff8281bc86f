package dashboard

import (
	"context"
	"html"
	"math/big"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/sweep"
)

// stayed is a Sweeper whose transfer left a payment for every reason there is.
type stayed struct {
	coins
	nothing bool // is left to sign
}

var reasons = []sweep.Why{sweep.Shut, sweep.Paused, sweep.Frozen, sweep.Refused, ""}

func (s *stayed) Batch(context.Context, int64) (sweep.BatchView, sweep.Transaction, error) {
	b := s.batch()
	b.Items[1].State = store.ItemGone
	b.Stuck, b.Gone = 0, 1
	for i, why := range reasons {
		it := b.Items[0]
		it.State, it.Address = store.ItemWaiting, "0x00000000000000000000000000000000000000B"+string(rune('0'+i))
		if it.Why = string(why); i > 1 {
			it.Tx = "0xfeed"
		}
		b.Items, b.Left = append(b.Items, it), append(b.Left, it)
	}
	if s.nothing {
		return b, sweep.Transaction{}, nil
	}
	return b, transaction(), nil
}

func (s *stayed) Overview(ctx context.Context) (sweep.Overview, error) {
	o, err := s.coins.Overview(ctx)
	for _, why := range reasons[:4] {
		p := &o.Networks[0].Heaps[0]
		p.Refused = append(p.Refused, sweep.Early{Why: why, Sums: []sweep.Sum{{Symbol: "USDC", Decimals: 6, Units: big.NewInt(1_000_000), Count: 1}}})
	}
	b, _, _ := s.Batch(ctx, 0)
	o.Batches = append(o.Batches, b)
	return o, err
}

// TestStayed: each payment that stayed is named, with its reason and what to do, in each
// language; and there is nothing to sign where nothing can be moved.
func TestStayed(t *testing.T) {
	for _, language := range pos.Languages {
		s := &stayed{}
		o := newOffice(t, language, func(o *Options) { o.Sweeps = s })
		o.signIn()
		for _, path := range []string{"/stablecoins", "/stablecoins/transfers/3"} {
			_, page := o.do("GET", path, nil)
			text := html.UnescapeString(page)
			if i := strings.Index(text, "bo_sc_"); i >= 0 || strings.Contains(text, "{n}") {
				t.Errorf("%s %s: a word is missing: %.40s", language, path, text[max(i, 0):])
			}
			for _, why := range reasons[:4] {
				if w := pos.Word(language, "bo_sc_no_"+string(why)); !strings.Contains(text, w) || !strings.Contains(text, pos.Word(language, "bo_sc_do_"+string(why))) {
					t.Errorf("%s %s: no reason %q, or not what to do", language, path, w)
				}
			}
		}
		_, page := o.do("GET", "/stablecoins/transfers/3", nil)
		text := html.UnescapeString(page)
		for _, key := range []string{"bo_sc_do_gas", "bo_sc_left", "bo_sc_by", "bo_sc_stays", "bo_sc_gone"} {
			if !strings.Contains(text, pos.Word(language, key)) {
				t.Errorf("%s: no %q", language, pos.Word(language, key))
			}
		}
		if strings.Count(text, "0xfeed") != 3 || !strings.Contains(text, "/transaction.json") || strings.Contains(text, pos.Word(language, "bo_sc_left_drop")) {
			t.Errorf("%s: %d transactions are named, or nothing can be signed", language, strings.Count(text, "0xfeed"))
		}
		s.nothing = true
		_, page = o.do("GET", "/stablecoins/transfers/3", nil)
		if text = html.UnescapeString(page); strings.Contains(text, ".json") || strings.Contains(text, `class="qr"`) || !strings.Contains(text, pos.Word(language, "bo_sc_left_drop")) || !strings.Contains(text, "/transfers/3/drop") {
			t.Errorf("%s: something can be signed, or the owner does not learn what to do", language)
		}
		if res, _ := o.do("GET", "/stablecoins/transfers/3/transaction.json", nil); res.StatusCode != 404 {
			t.Errorf("%s: a file of nothing: %s", language, res.Status)
		}
	}
}
