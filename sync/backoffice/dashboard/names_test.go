package dashboard

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

// TestNamesForPeople: where people read, a token's tender is called as its payments say;
// the files keep the name that machines know, with the other beside it.
func TestNamesForPeople(t *testing.T) {
	o := newOffice(t, "de")
	till := tilltest.New(1, "01", "EUR", midnight)
	sale := till.SellToken("eurc-devnetone", "EURC on Devnet One")
	ref := till.StrayToken("eurc-devnetone", "EURC on Devnet One")
	till.Sell()
	o.take(till, "Till 1")
	o.signIn()
	_, day := o.do("GET", "/days/2026-11-22", nil)
	_, record := o.do("GET", "/tills/"+till.Genesis.Till+"/records/"+num(sale.N), nil)
	for name, page := range map[string]string{"day": day, "record": regexp.MustCompile(`(?s)<pre>.*</pre>`).ReplaceAllString(record, "")} {
		if !strings.Contains(page, "EURC on Devnet One") || strings.Contains(page, "eurc-devnetone") {
			t.Errorf("the page of a %s does not say EURC on Devnet One, or says eurc-devnetone", name)
		}
	}
	if n := strings.Count(day, "EURC on Devnet One"); n != 3 { // by tender, the list to refund, the list of sales
		t.Errorf("the day says it %d times", n)
	}
	owed := day[strings.Index(day, `<th>Beleg</th>`):] // the list to refund comes first
	if !strings.Contains(owed[:strings.Index(owed, "</table>")], "<td>"+ref+"</td>") {
		t.Errorf("the list to refund does not say %s:\n%s", ref, owed[:strings.Index(owed, "</table>")])
	}
	for file, want := range map[string]string{"sales.csv": "eurc-devnetone,", "payments.csv": ",eurc-devnetone,"} {
		_, body := o.do("GET", "/days/2026-11-22/"+file, nil)
		if !strings.Contains(body, want) || !strings.Contains(body, ",EURC on Devnet One\r\n") {
			t.Errorf("%s:\n%s", file, body)
		}
	}
}

// TestSilentSince: a till that said nothing for long is not up to date, and the page says
// since when nothing is known of it.
func TestSilentSince(t *testing.T) {
	o := newOffice(t, "en")
	till := tilltest.New(1, "01", "EUR", midnight)
	till.Sell()
	last := time.Now().Add(-50 * time.Hour)
	o.takeAt(till, "Till 1", last)
	o.signIn()
	for _, path := range []string{"/tills", "/days/2026-11-22"} {
		_, page := o.do("GET", path, nil)
		if !strings.Contains(page, "silent since "+last.UTC().Format("2006-01-02 15:04")) || strings.Contains(page, "up to date") {
			t.Errorf("%s does not say since when:\n%s", path, page[strings.Index(page, "pill"):][:200])
		}
	}
}
