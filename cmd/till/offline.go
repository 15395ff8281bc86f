package main

import (
	"context"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/desk"
	"github.com/tillwright/tillwright/pos/offpay"
	offlinerail "github.com/tillwright/tillwright/pos/rail/offpay"
	"github.com/tillwright/tillwright/sync/wire"
)

// withOffline gives Lightning its way without a line, for a currency that has one.
func (t *till) withOffline(tender desk.Tender) (desk.Tender, error) {
	tender.Rule, tender.Limits = t.c.offline.rule, t.c.offline.limits
	if _, err := offpay.Numeric(t.c.shop.Currency.Code); err != nil {
		t.log.Warn("nothing is sold offline", "err", err)
		return tender, nil
	}
	rail, err := offlinerail.New(offlinerail.Options{
		File: t.c.grantFile(), Office: grants{t}, Tender: tender.Name,
		Currency: t.c.shop.Currency, Language: t.c.shop.Language, Log: t.log,
	})
	if err != nil {
		return tender, err
	}
	t.offline, tender.Offline = rail, rail
	t.actors.add("offline", rail.Run, nil)
	return tender, nil
}

// grants is the backoffice as the offline rail sees it: the one that the till is
// enrolled with at the time.
type grants struct{ t *till }

func (g grants) client() (*wire.Client, error) {
	if c := g.t.office.connected(); c != nil {
		return c, nil
	}
	return nil, pos.E("ask backoffice", pos.NotFound, "not enrolled with a backoffice yet")
}

// Grant asks for the newest terms.
func (g grants) Grant(ctx context.Context, held *offlinerail.Held) (offpay.Grant, error) {
	c, err := g.client()
	if err != nil {
		return offpay.Grant{}, err
	}
	return c.Grant(ctx, (*wire.Held)(held))
}

// Outcomes asks what became of payments.
func (g grants) Outcomes(ctx context.Context, claims []offpay.Claim) ([]offpay.Outcome, error) {
	c, err := g.client()
	if err != nil {
		return nil, err
	}
	return c.Outcomes(ctx, claims)
}
