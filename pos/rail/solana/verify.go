package solana

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// accountsCall asks for accounts, all at one slot.
func accountsCall(keys ...Key) rpc.Call {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.String()
	}
	return rpc.To("getMultipleAccounts", names, map[string]any{"encoding": "base64", "commitment": string(Confirmed)})
}

// one makes one call.
func one(ctx context.Context, k *rpc.Client, c rpc.Call) (json.RawMessage, error) {
	replies, err := k.Batch(ctx, c)
	if err != nil {
		return nil, err
	}
	return replies[0].Result, replies[0].Err
}

// verify asks an endpoint whether it is the cluster that it should be, whether the
// owner's account is a wallet, and whether each token is what the registry says.
func (w *Watcher) verify(ctx context.Context, k *rpc.Client) error {
	if err := w.sameCluster(ctx, k); err != nil {
		return err
	}
	asked := []Key{w.o.Owner}
	for _, t := range w.tokens {
		asked = append(asked, t.Mint)
	}
	k.Spend()
	raw, err := one(ctx, k, accountsCall(asked...))
	if err != nil {
		return err
	}
	_, found, err := readAccounts(raw, len(asked))
	if err != nil {
		return &rpc.Error{Fault: rpc.Odd, Err: err}
	}
	if o := found[0]; o.there && (o.runs || o.owner == tokenProgram || o.owner == token2022Program) {
		return rpc.Failed(badOwner, "the shop's wallet is a program, a token or a token account")
	}
	w.odd = map[Key]string{}
	for i, t := range w.tokens {
		if why := t.differs(found[i+1]); why != "" {
			w.odd[t.Mint] = w.word("evm_token", "token", t.Symbol, "why", w.word(why))
			w.log.Warn("token is not what the registry says", "token", t.Symbol, "why", why)
		}
	}
	return nil
}

// sameCluster compares the hash that an endpoint's cluster began with.
func (w *Watcher) sameCluster(ctx context.Context, k *rpc.Client) error {
	raw, err := one(ctx, k, rpc.To("getGenesisHash"))
	if err != nil {
		return err
	}
	if s, ok := rpc.Text(raw, 44); !ok || s != w.o.Cluster.Genesis {
		return rpc.Failed(rpc.WrongChain, "another cluster than %s", w.o.Cluster.Key)
	}
	return nil
}

// differs says in what the cluster's mint is not t, as the key of a word; "" when it
// is.
func (t Token) differs(a account) string {
	decimals, ok := readMint(a)
	switch {
	case !ok || a.owner != t.Program.key():
		return "evm_why_none"
	case decimals != t.Decimals:
		return "evm_why_decimals"
	}
	return ""
}

// inUse and frozen are states of a token account.
const (
	inUse  = 1
	frozen = 2
)

// home says whether the owner's account of t can be paid into, "" if it can: the word
// for why not.
func (w *Watcher) home(t Token, a account) string {
	h, ok := readHolding(a)
	switch {
	case !a.there:
		return w.word("sol_no_account", "token", t.Symbol)
	case ok && h.state == frozen:
		return w.word("sol_frozen", "token", t.Symbol)
	case !ok || a.owner != t.Program.key() || h.mint != t.Mint || h.owner != w.o.Owner || h.state != inUse:
		return w.word("evm_treasury") // given to somebody else
	}
	return ""
}

// glance asks for the clock and the owner's account of a token now, apart from the
// rounds.
func (w *Watcher) glance(ctx context.Context, t Token) (head headState, err error) {
	k := w.clients.Now()
	k.Spend()
	raw, err := one(ctx, k, accountsCall(clockAccount, AccountOf(w.o.Owner, t.Program.key(), t.Mint)))
	if err != nil {
		return head, err
	}
	slot, found, err := readAccounts(raw, 2)
	if err != nil {
		return head, &rpc.Error{Fault: rpc.Odd, Err: err}
	}
	unix, ok := readClock(found[0])
	known := w.headNow()
	switch {
	case !ok:
		return head, rpc.Failed(rpc.Odd, "a clock that cannot be read")
	case slot+maxBehind < known.slot || unix+uint64(clockSlack/time.Second) < known.time:
		return head, rpc.Failed(rpc.Stale, "an answer from before the newest slot")
	case slot > known.slot+maxAhead(known.moved) || unix > known.latest(time.Now()):
		return head, rpc.Failed(rpc.Odd, "a slot or a clock far ahead of the newest")
	case w.home(t, found[1]) != "":
		return head, rpc.Failed(rpc.Odd, "the owner's account is not there")
	}
	return headState{slot: slot, time: unix}, nil
}
