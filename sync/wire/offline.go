package wire

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
)

// OfflineGrantsPath is where a till asks for what it needs to sell offline.
func OfflineGrantsPath(till string) string { return "/v1/tills/" + till + "/offline-grants" }

// OfflineOutcomesPath is where a till asks what became of its offline payments.
func OfflineOutcomesPath(till string) string { return "/v1/tills/" + till + "/offline-outcomes" }

// Held names a key that a till holds for good: on its own disk.
type Held struct {
	Device offpay.Device `json:"device"`
	Epoch  uint8         `json:"epoch"`
}

// GrantRequest asks for a grant.
type GrantRequest struct {
	Have *Held `json:"have,omitempty" doc:"The newest key that the till holds on its own disk; absent when it has none"`
}

// OutcomesRequest asks about offline payments.
type OutcomesRequest struct {
	Claims []offpay.Claim `json:"claims" maxItems:"100" doc:"What the till says of its tokens"`
}

// Outcomes answers, a claim each and in their order.
type Outcomes struct {
	Outcomes []offpay.Outcome `json:"outcomes"`
}

// Grant asks for what the till needs to sell offline. have is the newest key that
// is on the till's disk, nil for none: the backoffice begins a new epoch when one is
// due, and gives the same key again until a Grant says that the till holds it. So
// the till keeps what it got before it asks again. Grant blocks for at most 90
// seconds.
//
// A grant that is not Enabled is no error: it says Why, and nothing may be sold
// offline. Grant fails as Push does, and with Invalid, before a byte is sent, when
// the backoffice is not reached over https and is not this very machine, whatever
// AllowPlain said: the answer holds a key.
func (c *Client) Grant(ctx context.Context, have *Held) (offpay.Grant, error) {
	var g offpay.Grant
	if !c.private() {
		return g, pos.E("ask for grant", pos.Invalid, "selling offline needs a backoffice behind https://: the till is given a key")
	}
	if err := c.ask(ctx, OfflineGrantsPath(c.till), GrantRequest{have}, &g); err != nil {
		return offpay.Grant{}, err
	}
	if err := checkGrant(g); err != nil {
		return offpay.Grant{}, err
	}
	return g, nil
}

// private reports that nobody on the line can read along.
func (c *Client) private() bool {
	u, err := url.Parse(c.base)
	return err == nil && (u.Scheme == "https" || loopback(u.Hostname()))
}

// checkGrant fails with Corrupt for a grant that no till could use.
func checkGrant(g offpay.Grant) error {
	if !g.Enabled {
		return nil
	}
	bad := errors.Join(offpay.CheckHost(g.Host), g.Limits.Check())
	if g.Device.IsZero() || g.Key.IsZero() {
		bad = errors.Join(bad, errors.New("it names no device or no key"))
	}
	if bad != nil {
		return pos.Wrap("check grant", pos.Corrupt, bad, "what the backoffice allows offline cannot be used")
	}
	return nil
}

// Outcomes tells the backoffice what the till knows of its offline payments, at
// most MaxClaims of them, and returns what became of each, in the same order. A
// claim with Void cancels its invoice at the node first; one that was paid before
// is Paid. A till asks about each payment until the state is final. Outcomes blocks
// for at most 90 seconds.
//
// It fails as Push does, Invalid for too many claims, and Corrupt for an answer that
// is not signed or not about these claims: such an answer is no outcome.
func (c *Client) Outcomes(ctx context.Context, claims []offpay.Claim) ([]offpay.Outcome, error) {
	if len(claims) > offpay.MaxClaims {
		return nil, pos.E("ask for outcomes", pos.Invalid, "%d payments are too many at once", len(claims))
	}
	if len(claims) == 0 {
		return nil, nil
	}
	var out Outcomes
	if err := c.ask(ctx, OfflineOutcomesPath(c.till), OutcomesRequest{claims}, &out); err != nil {
		return nil, err
	}
	ok := len(out.Outcomes) == len(claims)
	for i := 0; ok && i < len(claims); i++ {
		ok = out.Outcomes[i].Counter == claims[i].Counter && known(out.Outcomes[i])
	}
	if !ok {
		return nil, pos.E("check outcomes", pos.Corrupt, "the backoffice answers about other payments than it was asked")
	}
	return out.Outcomes, nil
}

// known reports that o says something that a till can book.
func known(o offpay.Outcome) bool {
	switch o.State {
	case offpay.Pending, offpay.Open, offpay.Unpaid, offpay.Conflict:
		return o.Received.IsZero()
	case offpay.Paid:
		return !o.Received.IsZero() && o.Received.Asset == pos.Bitcoin
	}
	return false
}

// ask makes a signed call and reads the signed answer.
func (c *Client) ask(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return pos.Wrap("call backoffice", pos.Internal, err, "the till cannot say what it wants")
	}
	err = c.catchingUp(func() error {
		req := Request{Method: http.MethodPost, Path: path, To: c.backoffice, Counter: c.next(time.Now()), Body: body}
		b, signature, err := c.exchange(ctx, req, c.key, "application/json")
		if err != nil {
			return err
		}
		if err := (Answer{Path: path, Counter: req.Counter, Body: b}).Verify(c.backoffice, signature); err != nil {
			return err
		}
		return decode(b, out)
	})
	if p, ok := errors.AsType[*Problem](err); ok {
		return &pos.Error{Op: "call backoffice", Kind: kindOf(p), Msg: p.Detail}
	}
	return err
}
