package lnd

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"gopkg.in/macaroon.v2"

	"github.com/tillwright/tillwright/pos"
)

// Verdict judges what a macaroon allows.
type Verdict uint8

// Verdicts, from the careful one on.
const (
	CanSpend Verdict = iota // moves money, makes keys, or nobody knows what: never used
	TooWide                 // cannot spend, but shows or changes more than a till needs
	Fine
)

// String returns the verdict in words.
func (v Verdict) String() string {
	switch v {
	case Fine:
		return "fine"
	case TooWide:
		return "too wide"
	}
	return "can spend"
}

// Right is one thing that a macaroon allows: an entity and an action, or "uri" and
// the path of one call.
type Right struct {
	Entity, Action string
	Verdict        Verdict
}

// String returns the right as lncli writes it.
func (r Right) String() string { return r.Entity + ":" + r.Action }

// Rights are what a macaroon allows, read offline. Its caveats can only narrow that.
type Rights struct {
	Verdict Verdict   // the worst of all rights; CanSpend when there is none
	All     []Right   // as listed in the macaroon
	Missing []string  // calls that the till makes and the macaroon does not allow
	RootKey string    // what "lncli deletemacaroonid" takes to revoke it
	Ends    time.Time // of the earliest time-before caveat; zero if it has none
	Caveats []string  // all of them
}

// Worst returns the first right with the worst verdict, for a message; "" if there is none.
func (r Rights) Worst() string {
	for _, x := range r.All {
		if x.Verdict == r.Verdict {
			return x.String()
		}
	}
	return ""
}

// calls are the five calls of the till, each with the broad right that also covers
// it (lnd v0.21, rpcserver.go MainRPCServerPermissions and invoicesrpc macPermissions).
var calls = []struct{ path, broad string }{
	{"/lnrpc.Lightning/AddInvoice", "invoices:write"},
	{"/lnrpc.Lightning/LookupInvoice", "invoices:read"},
	{"/invoicesrpc.Invoices/SubscribeSingleInvoice", "invoices:read"},
	{"/invoicesrpc.Invoices/CancelInvoice", "invoices:write"},
	{"/lnrpc.Lightning/GetInfo", "info:read"},
}

// verdicts of the broad rights. What is not here, nor one of the five calls, counts
// as CanSpend. invoices:write also grants SettleInvoice, AddHoldInvoice and
// HtlcModifier: too wide, though none of them moves money out.
var verdicts = map[string]Verdict{
	"info:read":      Fine,
	"invoices:read":  Fine,
	"invoices:write": TooWide,
	"address:read":   TooWide,
	"address:write":  TooWide,
	"onchain:read":   TooWide,
	"offchain:read":  TooWide,
}

func judgeRight(entity, action string) Verdict {
	if entity != "uri" {
		return verdicts[entity+":"+action] // unknown: the zero Verdict, CanSpend
	}
	for _, c := range calls {
		if c.path == action {
			return Fine
		}
	}
	return CanSpend
}

const inspectMacaroon = "inspect macaroon"

// bakeryV3 is the first byte of the identifiers that lnd makes.
const bakeryV3 = 3

// Inspect reads a binary macaroon offline. It cannot tell a genuine macaroon from
// a forged one (only the node can), but it reads the same rights that the node
// will. It fails with Invalid for what it cannot read whole: a macaroon of litd or
// Lightning Node Connect, another version, third-party caveats, bytes left over.
// Such a macaroon must be treated like one that can spend.
func Inspect(b []byte) (Rights, error) {
	var m macaroon.Macaroon
	if len(b) > maxMacaroon {
		return Rights{}, pos.E(inspectMacaroon, pos.Invalid, "this is too long to be a macaroon of lnd")
	}
	if err := m.UnmarshalBinary(b); err != nil {
		return Rights{}, pos.E(inspectMacaroon, pos.Invalid, "this is not a macaroon")
	}
	if again, err := m.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
		return Rights{}, pos.E(inspectMacaroon, pos.Invalid, "this macaroon has more to it than can be read; copy it again")
	}
	id := m.Id()
	if m.Version() != macaroon.V2 || len(id) == 0 || id[0] != bakeryV3 {
		return Rights{}, pos.E(inspectMacaroon, pos.Invalid, "this macaroon was not baked by lnd itself; bake one with lncli bakemacaroon")
	}
	r, err := readIdentifier(id[1:])
	if err != nil {
		return Rights{}, pos.Wrap(inspectMacaroon, pos.Invalid, err, "this macaroon's rights cannot be read; bake one with lncli bakemacaroon")
	}
	for _, c := range m.Caveats() {
		if len(c.VerificationId) > 0 || c.Location != "" {
			return Rights{}, pos.E(inspectMacaroon, pos.Invalid, "this macaroon depends on a third party, which lnd cannot ask")
		}
		r.caveat(string(c.Id))
	}
	r.judge()
	return r, nil
}

// judge fills Verdict and Missing from All.
func (r *Rights) judge() {
	r.Verdict = Fine
	has := map[string]bool{}
	for i, x := range r.All {
		r.All[i].Verdict = judgeRight(x.Entity, x.Action)
		r.Verdict = min(r.Verdict, r.All[i].Verdict)
		has[x.String()] = true
	}
	if len(r.All) == 0 {
		r.Verdict = CanSpend
	}
	for _, c := range calls {
		if !has["uri:"+c.path] && !has[c.broad] {
			r.Missing = append(r.Missing, c.path[strings.LastIndexByte(c.path, '/')+1:])
		}
	}
}

// caveat keeps a caveat, and its time if it limits time.
func (r *Rights) caveat(text string) {
	r.Caveats = append(r.Caveats, text)
	when, ok := strings.CutPrefix(text, "time-before ")
	if !ok {
		return
	}
	if at, err := time.Parse(time.RFC3339, when); err == nil && (r.Ends.IsZero() || at.Before(r.Ends)) {
		r.Ends = at
	}
}

// maxRights bounds the rights in one macaroon; lnd's admin has 19, one with every
// call of v0.21 about 170.
const maxRights = 512

// readIdentifier reads the protobuf of bakery's MacaroonId: 1 nonce, 2 storageId,
// 3 repeated Op. It is by hand because lnrpc would bring a node's server along. A
// field it does not know fails: it could change what the others mean.
func readIdentifier(b []byte) (Rights, error) {
	var r Rights
	seen := map[uint64]bool{}
	for len(b) > 0 {
		field, value, rest, err := readField(b)
		if err != nil {
			return Rights{}, err
		}
		b = rest
		if field != 3 && seen[field] {
			return Rights{}, fmt.Errorf("field %d twice", field)
		}
		seen[field] = true
		switch field {
		case 1: // nonce: says nothing about rights
		case 2:
			r.RootKey = string(value)
		case 3:
			if r.All, err = readOp(r.All, value); err != nil {
				return Rights{}, err
			}
		default:
			return Rights{}, fmt.Errorf("unknown field %d", field)
		}
	}
	return r, nil
}

// readOp reads one Op: 1 entity, 2 repeated actions.
func readOp(all []Right, b []byte) ([]Right, error) {
	var entity string
	var actions []string
	for len(b) > 0 {
		field, value, rest, err := readField(b)
		if err != nil {
			return nil, err
		}
		b = rest
		switch {
		case field == 1 && entity == "" && len(value) > 0:
			entity = string(value)
		case field == 2 && len(value) > 0:
			actions = append(actions, string(value))
		default:
			return nil, fmt.Errorf("unexpected field %d in a right", field)
		}
	}
	if entity == "" || len(actions) == 0 || len(all)+len(actions) > maxRights {
		return nil, fmt.Errorf("a right without entity or action, or more than %d rights", maxRights)
	}
	for _, a := range actions {
		all = append(all, Right{Entity: entity, Action: a})
	}
	return all, nil
}

// readField reads one length-delimited field (protobuf wire type 2, the only one
// in a MacaroonId).
func readField(b []byte) (field uint64, value, rest []byte, err error) {
	tag, b, ok := readVarint(b)
	if !ok || tag&7 != 2 || tag>>3 == 0 {
		return 0, nil, nil, fmt.Errorf("not a field of bytes")
	}
	n, b, ok := readVarint(b)
	if !ok || n > uint64(len(b)) {
		return 0, nil, nil, fmt.Errorf("field %d is cut short", tag>>3)
	}
	return tag >> 3, b[:n], b[n:], nil
}

// readVarint reads at most five bytes: no length or tag here needs more.
func readVarint(b []byte) (v uint64, rest []byte, ok bool) {
	for i := 0; i < len(b) && i < 5; i++ {
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return v, b[i+1:], true
		}
	}
	return 0, nil, false
}
