package dashboard

import (
	"crypto/sha256"
	"encoding/hex"
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/sweep"
)

// marks are how a language writes numbers: the decimal sign, and what parts
// thousands (a narrow space where a language has one).
var marks = map[string]struct{ point, group string }{
	"en": {".", ","}, "de": {",", "."}, "es": {",", "."}, "fr": {",", "\u202f"}, "pt": {",", "."},
}

// funcs are what the pages may call.
func (s *server) funcs() template.FuncMap {
	css, _ := files.ReadFile("pages/dashboard.css") // embedded: it is there
	sum := sha256.Sum256(css)
	version := hex.EncodeToString(sum[:6])
	return template.FuncMap{
		"w":       s.word,
		"shop":    func() string { return s.Shop },
		"lang":    func() string { return s.Language },
		"sweeps":  func() bool { return s.Sweeps != nil },
		"style":   func() string { return "/assets/dashboard.css?v=" + version },
		"money":   s.money,
		"plain":   s.plain,
		"code":    func(a pos.Amount) string { return a.Currency.Code },
		"num":     s.number,
		"n":       num,
		"qty":     pos.FormatQty,
		"day":     s.dayName,
		"date":    func(t time.Time) string { return t.Format(time.DateOnly) },
		"clock":   func(t time.Time) string { return t.In(s.Reports.Zone()).Format("15:04") },
		"full":    func(t time.Time) string { return t.In(s.Reports.Zone()).Format("2006-01-02 15:04:05") },
		"ago":     s.ago,
		"change":  s.change,
		"tender":  s.tender,
		"quiet":   s.quietSince,
		"tenders": s.tenderList,
		"hours":   s.hours,
		"trend":   s.trend,
		"bar":     bar,
		"link":    recordLink,
		"about":   aboutLink,
		"sales":   func(list []offlineSale, done, received bool) offlineTable { return offlineTable{list, done, received} },
		"kind":    s.alarmKind,
		"short":   func(h pos.Hash) string { return h.String()[:12] },
		"count":   func(n int) string { return s.number(int64(n)) },
		"why":     func(r sweep.Reason) string { return r.In(s.Language) },
		"units":   sweep.Quantity,
		"told":    s.told,
		"next":    func(i int) int { return i + 1 },
	}
}

// money writes a sum with its currency, in the owner's language.
func (s *server) money(a pos.Amount) string {
	if a.Currency.Code == "" {
		return ""
	}
	return s.plain(a) + "\u00a0" + a.Currency.Code
}

// plain writes a sum without its currency.
func (s *server) plain(a pos.Amount) string {
	whole, frac, dot := strings.Cut(a.Number(), ".")
	out := s.group(whole)
	if dot {
		out += marks[s.Language].point + frac
	}
	return strings.Replace(out, "-", "\u2212", 1)
}

// number writes a count.
func (s *server) number(n any) string {
	switch n := n.(type) {
	case int64:
		return s.group(strconv.FormatInt(n, 10))
	case uint64:
		return s.group(strconv.FormatUint(n, 10))
	case int:
		return s.group(strconv.Itoa(n))
	}
	return ""
}

// group parts thousands.
func (s *server) group(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + marks[s.Language].group + digits[at:]
	}
	return sign + digits
}

func num(n uint64) string { return strconv.FormatUint(n, 10) }

// dayName is the weekday; the date stands beside it.
func (s *server) dayName(t time.Time) string {
	names := strings.Fields(s.word("bo_weekdays")) // Sunday first
	if len(names) != 7 {
		return t.Weekday().String()
	}
	return names[t.Weekday()]
}

// ago is how long ago something was, in one unit.
func (s *server) ago(t time.Time) string {
	d := time.Since(t)
	switch {
	case t.IsZero():
		return s.word("bo_never")
	case d < 2*time.Minute:
		return s.word("bo_just_now")
	case d < 2*time.Hour:
		return s.word("bo_minutes_ago", "n", strconv.Itoa(int(d.Minutes())))
	case d < 48*time.Hour:
		return s.word("bo_hours_ago", "n", strconv.Itoa(int(d.Hours())))
	}
	return s.word("bo_days_ago", "n", strconv.Itoa(int(d.Hours()/24)))
}

// change is how much more or less than before, in whole percent.
func (s *server) change(now, before pos.Amount) string {
	if before.Minor <= 0 || now.Minor < 0 {
		return ""
	}
	percent := thousandths(now.Minor, before.Minor)/10 - 100
	switch {
	case percent > 0:
		return "▲ " + strconv.Itoa(percent) + "\u202f%"
	case percent < 0:
		return "▼ " + strconv.Itoa(-percent) + "\u202f%"
	}
	return "= 0\u202f%"
}

// tender is a tender's name; network is what its payments say.
func (s *server) tender(t pos.Tender, network string) string {
	return pos.TenderName(s.Language, t, network)
}

// quietSince says since when a till is silent: the time, and the day unless it is today.
func (s *server) quietSince(t time.Time) string {
	if t.IsZero() {
		return s.word("bo_silent")
	}
	t = t.In(s.Reports.Zone())
	form := "2006-01-02 15:04"
	if t.Format(time.DateOnly) == time.Now().In(s.Reports.Zone()).Format(time.DateOnly) {
		form = "15:04"
	}
	return s.word("bo_silent_since", "time", t.Format(form))
}

// tenderList names what covers a sale.
func (s *server) tenderList(ps []pos.Payment) string {
	var names []string
	for _, p := range ps {
		if name := s.tender(p.Tender, p.Network); p.Covers() && (len(names) == 0 || names[len(names)-1] != name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " + ")
}

// aboutLink leads from an alarm to what it is about.
func aboutLink(a alarmRow) string {
	if strings.HasPrefix(a.Kind, "offline_") {
		return "/offline"
	}
	if a.Kind == store.AlarmSeeds {
		return "/stablecoins/search"
	}
	return recordLink(a.Till, a.N)
}

func (s *server) alarmKind(kind string) string { return s.word("bo_alarm_" + kind) }

// told says what became of the transaction that the owner named for a transfer.
func (s *server) told(b *sweep.BatchView) string {
	key := b.Told.State
	if key == sweep.TxAsked {
		key = "asked"
	}
	return s.word("bo_sc_tx_"+key, "network", b.Name, "used", s.number(b.Told.Used), "gas", s.number(b.Told.Gas), "n", s.number(b.Gas))
}
