package dashboard

import (
	"html"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

// TestAlarmsSpeak raises what this office finds out by itself: each alarm is in the owner's
// language. What a till says in its own words stands as it said it, also when it looks like
// a word of ours.
func TestAlarmsSpeak(t *testing.T) {
	for _, language := range pos.Languages {
		o := newOffice(t, language)
		o.signIn()
		till := tilltest.New(1, "01", "EUR", midnight)
		till.Sell()
		copied := till.Clone(2)
		till.Sell()
		till.Add(pos.KindSaleCompleted, []string{"not", "a", "sale"})
		o.take(till, "Counter")
		copied.Sell()
		last := copied.Records()
		if _, err := o.in.Take(t.Context(), till.Genesis.Till, last[len(last)-1].Line, time.Now()); err == nil {
			t.Fatal("the copy was not noticed")
		}
		if _, err := o.in.Take(t.Context(), till.Genesis.Till, []byte("no record\n"), time.Now()); err == nil {
			t.Fatal("nonsense was taken")
		}
		said := `["bo_al_fork"] said by a till`
		if err := o.db.Alarm(t.Context(), store.Alarm{Till: till.Genesis.Till, Kind: store.AlarmLoss, N: 9, Why: store.Sentence(said)}, time.Now()); err != nil {
			t.Fatal(err)
		}
		_, page := o.do("GET", "/tills", nil)
		text := html.UnescapeString(page)
		for _, key := range []string{"bo_al_fork", "bo_al_body", "bo_al_line"} {
			want, _, _ := strings.Cut(pos.Word(language, key), "{")
			english, _, _ := strings.Cut(pos.Word("en", key), "{")
			if !strings.Contains(text, want) || language != "en" && key == "bo_al_fork" && strings.Contains(text, english) {
				t.Errorf("%s: no %q among the alarms, or in English", language, want)
			}
		}
		if !strings.Contains(text, said) {
			t.Errorf("%s: a till's own words are changed", language)
		}
	}
}
