package evm

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Trace says by which transaction money came, and from whom: for the receipt and for
// a refund ticket. It proves nothing, and a refund is never sent to From by itself:
// it may be an exchange's wallet that belongs to thousands.
type Trace struct {
	Tx    string // "0x" and 64 digits
	From  Address
	Units *big.Int // by the event; what counts is what arrived
}

// traceSpan is how many blocks one request for events may cover; free plans allow
// as few as five, then it is halved.
const traceSpan = 512

// Trace looks for the transactions that paid p, the newest first. It blocks for some
// requests. It fails with NotFound when p was not asked for here, and with Unavailable
// when the endpoint gives no events.
func (r *Rail) Trace(ctx context.Context, p pos.Payment) ([]Trace, error) {
	const op = "find transaction"
	e, ok, err := r.known(p)
	if err != nil || !ok {
		return nil, pos.Wrap(op, pos.NotFound, err, "%s", r.w.word("evm_over"))
	}
	k := r.c.clients.Now()
	head := r.c.headNow().number
	from, span, tries := e.ref.from, uint64(traceSpan), 0
	var out []Trace
	for from <= head && tries < 2*sweptTries {
		tries++
		end := min(from+span, head)
		k.Spend()
		answers, err := k.Batch(ctx, incomingCall(r.token.Contract, e.ref.address, from, end))
		if err != nil {
			return nil, r.Unknown(op, err)
		}
		logs, err := readLogs(answers[0].Result)
		if answers[0].Err != nil || err != nil {
			if span == 0 {
				return nil, r.Unknown(op, rpc.Failed(rpc.Refused, "no events"))
			}
			span /= 2
			continue
		}
		for _, l := range logs {
			if t, ok := traceOf(l, r.token.Contract, e.ref.address); ok {
				out = append([]Trace{t}, out...)
			}
		}
		from = end + 1
	}
	return out, nil
}

// incomingCall asks for the transfers of one token to one address.
func incomingCall(token, to Address, from, end uint64) rpc.Call {
	w := to.word()
	return rpc.To("eth_getLogs", map[string]any{
		"address": token.String(), "fromBlock": fmt.Sprintf("0x%x", from), "toBlock": fmt.Sprintf("0x%x", end),
		"topics": []any{"0x" + hex.EncodeToString(topicTransfer[:]), nil, "0x" + hex.EncodeToString(w[:])},
	})
}

// traceOf reads a transfer; those of nothing, and of other tokens, are none.
func traceOf(l logEntry, token, to Address) (t Trace, ok bool) {
	if l.address != token || len(l.topics) != 3 || l.topics[0] != topicTransfer || l.topics[2] != to.word() || len(l.data) != 32 {
		return t, false
	}
	t = Trace{Tx: "0x" + hex.EncodeToString(l.tx[:]), From: Address(l.topics[1][12:]), Units: new(big.Int).SetBytes(l.data)}
	return t, t.Units.Sign() > 0
}
