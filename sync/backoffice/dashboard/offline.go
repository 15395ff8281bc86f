package dashboard

import (
	"context"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// OfflineStore is what the page about offline payments reads and changes.
type OfflineStore interface {
	OfflineTills(ctx context.Context, now time.Time) ([]store.OfflineTill, error)
	OfflineSales(ctx context.Context, list store.OfflineList, till string, now time.Time, limit int) ([]store.OfflineSale, error)
	OfflineDone(ctx context.Context, id store.OfflineID, at time.Time) error
	OfflineSwitch
}

// OfflineSwitch changes what a till may do without a line.
type OfflineSwitch interface {
	OfflineOn(ctx context.Context, till string) error
	OfflineOff(ctx context.Context, till, why string, a store.Alarm, at time.Time) error
	OfflineRenew(ctx context.Context, till string, at time.Time) error
	OfflineDropOld(ctx context.Context, till string, at time.Time) error
}

// Offline is what the page needs; the zero value says that it is not set up.
type Offline struct {
	Store    OfflineStore
	Limits   offpay.Limits
	Currency string
}

// offlineMax is how many payments a list shows; who has more deals with these first.
const offlineMax = 50

// offlineRow is a till on the page.
type offlineRow struct {
	store.OfflineTill
	Name     string
	Currency pos.Currency
}

// Open, Paid and Wait are sums for people.
func (r offlineRow) sum(s store.Sum) pos.Amount { return r.Currency.Of(s.Minor) }

// OpenSum is the amount of what is open.
func (r offlineRow) OpenSum() pos.Amount { return r.sum(r.Open) }

// PaidSum is the amount of what was paid.
func (r offlineRow) PaidSum() pos.Amount { return r.sum(r.Paid) }

// WaitSum is the amount of what the till has not heard of.
func (r offlineRow) WaitSum() pos.Amount { return r.sum(r.Wait) }

// offlineSale is a payment on the page.
type offlineSale struct {
	store.OfflineSale
	Name     string
	Amount   pos.Amount
	Received pos.Quantity
}

// Ref is the payment's number, as on the till and the wallet.
func (s offlineSale) Ref() string { return offpay.Reference(s.Counter) }

// offlineTable is a list on the page, with the columns that it has.
type offlineTable struct {
	Sales    []offlineSale
	Done     bool // a button says that it is dealt with
	Received bool
}

// offlineData is the page.
type offlineData struct {
	Set     bool
	Sale    pos.Amount // limits
	Total   pos.Amount
	Limits  offpay.Limits
	Hours   int
	Tills   []offlineRow
	Orphans []offlineSale
	Refuted []offlineSale
	Waiting []offlineSale
	Open    []offlineSale
	Paid    []offlineSale
}

// offline shows what tills take without a line, and what the owner has to do.
func (s *server) offline(c *fiber.Ctx) error {
	d := offlineData{Set: s.Offline.Store != nil}
	if d.Set {
		if err := s.fillOffline(c.UserContext(), &d, time.Now()); err != nil {
			return err
		}
	}
	return s.show(c, "offline", frame{Title: s.word("bo_off_title"), Here: "offline", Signed: true}, d)
}

func (s *server) fillOffline(ctx context.Context, d *offlineData, now time.Time) error {
	if cur, err := pos.CurrencyOf(s.Offline.Currency); err == nil {
		d.Sale, d.Total = cur.Of(s.Offline.Limits.PerSale), cur.Of(s.Offline.Limits.Total)
	}
	d.Limits, d.Hours = s.Offline.Limits, int(s.Offline.Limits.Age/time.Hour)
	tills, err := s.Store.Tills(ctx)
	if err != nil {
		return err
	}
	known := map[string]store.Till{}
	for _, t := range tills {
		known[t.ID] = t
	}
	rows, err := s.Offline.Store.OfflineTills(ctx, now)
	if err != nil {
		return err
	}
	for _, r := range rows {
		cur, err := pos.CurrencyOf(known[r.Till].Currency)
		if err != nil {
			return err
		}
		d.Tills = append(d.Tills, offlineRow{r, known[r.Till].Name, cur})
	}
	for list, to := range map[store.OfflineList]*[]offlineSale{store.ListOrphans: &d.Orphans, store.ListRefuted: &d.Refuted,
		store.ListWaiting: &d.Waiting, store.ListOpen: &d.Open, store.ListPaid: &d.Paid} {
		if *to, err = s.offlineSales(ctx, list, known, now); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) offlineSales(ctx context.Context, list store.OfflineList, tills map[string]store.Till, now time.Time) ([]offlineSale, error) {
	sales, err := s.Offline.Store.OfflineSales(ctx, list, "", now, offlineMax)
	var out []offlineSale
	for _, sale := range sales {
		cur, err := pos.CurrencyOf(sale.Currency)
		if err != nil {
			return nil, err
		}
		out = append(out, offlineSale{sale, tills[sale.Till].Name, cur.Of(sale.Minor), pos.Bitcoin.UnitsOf(sale.Received)})
	}
	return out, err
}

// offlineSwitch does what a button of a till's says.
func (s *server) offlineSwitch(c *fiber.Ctx) error {
	if s.Offline.Store == nil {
		return pos.E("switch offline", pos.NotFound, "%s", s.word("bo_off_unset"))
	}
	ctx, now := c.UserContext(), time.Now()
	till, err := s.Store.Till(ctx, c.Params("till"))
	if err != nil {
		return err
	}
	switch c.Params("do") {
	case "off":
		err = s.Offline.Store.OfflineOff(ctx, till.ID, s.word("op_off_owner"), store.Alarm{}, now)
	case "on":
		err = s.Offline.Store.OfflineOn(ctx, till.ID)
	case "renew":
		err = s.Offline.Store.OfflineRenew(ctx, till.ID, now)
	case "drop":
		err = s.Offline.Store.OfflineDropOld(ctx, till.ID, now)
	default:
		return pos.E("switch offline", pos.NotFound, "there is no such button")
	}
	if err != nil {
		return err
	}
	return c.Redirect("/offline", http.StatusSeeOther)
}

// offlineDone closes an orphan or a refuted payment.
func (s *server) offlineDone(c *fiber.Ctx) error {
	id, ok := offlineID(c.Params("device"), c.Params("epoch"), c.Params("counter"))
	if !ok || s.Offline.Store == nil {
		return pos.E("close payment", pos.NotFound, "there is no such payment")
	}
	if err := s.Offline.Store.OfflineDone(c.UserContext(), id, time.Now()); err != nil {
		return err
	}
	return c.Redirect("/offline", http.StatusSeeOther)
}

func offlineID(device, epoch, counter string) (id store.OfflineID, ok bool) {
	b, err1 := hex.DecodeString(device)
	e, err2 := strconv.ParseUint(epoch, 10, 8)
	n, err3 := strconv.ParseUint(counter, 10, 32)
	if err1 != nil || err2 != nil || err3 != nil || len(b) != offpay.DeviceBytes {
		return id, false
	}
	return store.OfflineID{Device: offpay.Device(b), Epoch: uint8(e), Counter: uint32(n)}, true
}
