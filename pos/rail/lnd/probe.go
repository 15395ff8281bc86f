package lnd

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// Step is one thing that Probe tried.
type Step struct {
	Name   string // "macaroon", "address", "certificate", "wallet", "permissions", "chain", "channels", "clock"
	OK     bool
	Detail string // what was found; holds no secret
	Remedy string // what the owner can do; beside OK it is advice
}

// Remedies that several steps give.
const (
	remedyBake = "bake a macaroon for this till alone: lncli bakemacaroon --save_to till.macaroon --root_key_id 1007 " +
		"uri:/lnrpc.Lightning/AddInvoice uri:/lnrpc.Lightning/LookupInvoice uri:/invoicesrpc.Invoices/SubscribeSingleInvoice " +
		"uri:/invoicesrpc.Invoices/CancelInvoice uri:/lnrpc.Lightning/GetInfo"
	remedyPin = "compare with: openssl x509 -noout -fingerprint -sha256 -in tls.cert; " +
		"if the node's certificate was renewed, put its thumbprint into the connection string"
)

// Probe tries a connection step by step, for a person who sets a till up or looks
// for a fault. It makes no invoice and changes nothing at the node. Later steps are
// left out when an earlier one makes them pointless. It takes at most half a minute,
// and speaks English.
func Probe(ctx context.Context, c Connection) []Step {
	p := &prober{client: newClient(c, nil, func() bool { return false })}
	defer p.close()
	if !p.macaroon() || !p.address(ctx) || !p.wallet(ctx) {
		return p.steps
	}
	p.permissions(ctx)
	p.node(ctx)
	return p.steps
}

// prober collects steps.
type prober struct {
	*client
	steps []Step
}

func (p *prober) ok(name, detail string, args ...any) bool {
	p.steps = append(p.steps, Step{Name: name, OK: true, Detail: fmt.Sprintf(detail, args...)})
	return true
}

func (p *prober) bad(name, remedy, detail string, args ...any) bool {
	p.steps = append(p.steps, Step{Name: name, Detail: fmt.Sprintf(detail, args...), Remedy: remedy})
	return false
}

// advise notes what works and should be mended all the same.
func (p *prober) advise(name, remedy, detail string, args ...any) bool {
	p.steps = append(p.steps, Step{Name: name, OK: true, Detail: fmt.Sprintf(detail, args...), Remedy: remedy})
	return true
}

// macaroon reads the rights offline. One that can spend ends the probe: it must not
// even travel.
func (p *prober) macaroon() bool {
	r, err := Inspect(p.conn.Macaroon)
	switch {
	case err != nil:
		return p.bad("macaroon", remedyBake, "its rights cannot be read: %v", err)
	case r.Verdict == CanSpend:
		return p.bad("macaroon", remedyBake, "it can spend (%s); it was not used", clip(r.Worst()))
	case len(r.Missing) > 0:
		return p.bad("macaroon", remedyBake, "it does not allow %s", strings.Join(r.Missing, ", "))
	case r.Verdict == TooWide:
		return p.advise("macaroon", remedyBake, "it works, and allows more than a till needs (%s)", clip(r.Worst()))
	}
	return p.ok("macaroon", "the five calls and nothing else, root key %s", clip(scrub(r.RootKey)))
}

// address looks for anybody at all, so that a dead line is not taken for a wrong
// certificate.
func (p *prober) address(ctx context.Context) bool {
	u, err := url.Parse(p.conn.URL)
	if err != nil || u.Host == "" {
		return p.bad("address", "copy the connection string again", "the address is unreadable")
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), "443")
	}
	conn, err := (&net.Dialer{Timeout: callLimit}).DialContext(ctx, "tcp", host)
	if err != nil {
		return p.bad("address", "check that the node runs, that lnd.conf has restlisten on the network's address, and the firewall",
			"nobody answers at %s: %v", host, lineError(err))
	}
	_ = conn.Close()
	return p.ok("address", "%s answers", host)
}

// wallet makes the first call, and judges the certificate on the way.
func (p *prober) wallet(ctx context.Context) bool {
	state, err := p.state(ctx)
	switch f := faultOf(err); {
	case err == nil:
	case f == faultPin:
		return p.bad("certificate", remedyPin, "another certificate than the pinned one answers")
	case f == faultAuthority || f == faultEnded:
		return p.bad("certificate", remedyPin, "no public authority vouches for it, or it has ended: %v", lineError(err))
	default:
		return p.bad("wallet", "is this the REST port (usually 8080) of lnd?", "no answer from lnd: %v", err)
	}
	p.certificate()
	if f, up := stateFault(state); !up {
		remedy := "wait until lnd has started"
		if f == faultLocked {
			remedy = "unlock the wallet: lncli unlock, or wallet-unlock-password-file in lnd.conf"
		}
		return p.bad("wallet", remedy, "its state is %s", clip(scrub(state)))
	}
	return p.ok("wallet", "open")
}

func (p *prober) certificate() {
	end := time.Unix(p.ends.Load(), 0)
	days := int(time.Until(end) / (24 * time.Hour))
	if days < certificateDays[len(certificateDays)-1] {
		p.advise("certificate", "delete tls.cert and tls.key, restart lnd, and put the new thumbprint into the connection string",
			"it ends on %s, in %d days", end.UTC().Format(time.DateOnly), days)
		return
	}
	p.ok("certificate", "as pinned, until %s", end.UTC().Format(time.DateOnly))
}

// permissions uses each right on something that cannot be: a hash that nobody has,
// a preimage of the wrong length. What lnd says to that shows whether it let the
// call through.
func (p *prober) permissions(ctx context.Context) {
	var nobody hash
	_, _ = rand.Read(nobody[:]) // never fails (crypto/rand)
	_, _, look := p.lookup(ctx, nobody)
	_, _, add := p.add(ctx, addInvoice{Value: "1", Memo: "till doctor", Expiry: "60", Preimage: base64.StdEncoding.EncodeToString(nobody[:1])})
	for _, try := range []struct {
		call string
		err  error
	}{
		{"LookupInvoice", look},
		{"CancelInvoice", p.cancel(ctx, nobody)},
		{"AddInvoice", add},
		{"SubscribeSingleInvoice", p.trySubscribe(ctx, nobody)},
	} {
		if f := faultOf(try.err); try.err != nil && (f.permanent() || !answered(try.err)) {
			p.bad("permissions", remedyBake, "%s: %v", try.call, try.err)
			return
		}
	}
	p.ok("permissions", "all calls are let through")
}

// subscribeTry is how long a refusal may take; silence is consent.
const subscribeTry = time.Second

func (p *prober) trySubscribe(ctx context.Context, h hash) error {
	_, err := p.call(ctx, subscribeTry, pathSubscribe+base64.URLEncoding.EncodeToString(h[:]), nil, &struct{}{})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil
	}
	return err
}

// node reads GetInfo.
func (p *prober) node(ctx context.Context) {
	in, s, err := p.info(ctx)
	if err != nil {
		p.bad("chain", remedyBake, "GetInfo: %v", err)
		return
	}
	if in.Synced || toys[in.network()] {
		p.ok("chain", "%s, lnd %s", clip(scrub(in.network())), clip(scrub(in.Version)))
	} else {
		p.bad("chain", "wait until lnd has caught up; check its Bitcoin node", "%s, not synced", clip(scrub(in.network())))
	}
	if in.ActiveChannels > 0 {
		p.ok("channels", "%d active; whether they have room to receive, only the owner's own tools can tell", in.ActiveChannels)
	} else {
		p.bad("channels", "open a channel with inbound liquidity, or reconnect the peer", "none is active: nobody can pay")
	}
	if s.ahead.Abs() > clockTolerance {
		p.advise("clock", "set both clocks by the network", "this computer is %v ahead of the node", s.ahead)
	} else {
		p.ok("clock", "as the node's")
	}
}
