package evm

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"regexp"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// A transaction that failed leaves no event behind: it cannot be found by what it was meant
// to move, and to read whole blocks for it is more than free plans give. Only the wallet that
// sent it knows its number; who is told that number can ask what became of it.

// Fate is what became of a transaction, as far as one endpoint knows.
type Fate struct {
	Known     bool     // the endpoint has it
	Named     bool     // it names one of the holdings: their salts are like no other bytes
	Block     [32]byte // that it is in; zero: none yet
	OK        bool     // of one in a block: it went through
	Gas, Used uint64   // that it was given; and took, of one in a block
}

// maxInput bounds a transaction's data: a sweep of MaxSweep has 26 KB, and whoever wraps it
// (a wallet that is a contract) adds less than that.
const maxInput = 128 << 10

var txForm = regexp.MustCompile(`^0x[0-9a-f]{64}$`)

// Fate asks what became of a transaction ("0x" and 64 digits) that should move some of hs.
// It blocks for a request. It fails with Invalid for what is no transaction's number, with
// NotFound for a chain that is not set up, with Unavailable when no endpoint answers.
func (s *Surveyor) Fate(ctx context.Context, chain, tx string, hs []Holding) (Fate, error) {
	const op = "look for transaction"
	p, err := s.at(chain)
	if err != nil {
		return Fate{}, err
	}
	if !txForm.MatchString(tx) {
		return Fate{}, pos.E(op, pos.Invalid, "a transaction has 0x and 64 digits")
	}
	var why error
	for _, k := range p.clients {
		f, err := p.fate(ctx, k, tx, hs)
		if err == nil {
			return f, nil
		}
		why = err
	}
	return Fate{}, pos.Say(op, pos.Unavailable, why, "bo_sc_why_silent", "chain", p.chain.Name)
}

func (p ground) fate(ctx context.Context, k *rpc.Client, tx string, hs []Holding) (Fate, error) {
	if err := k.Wait(ctx); err != nil {
		return Fate{}, err
	}
	answers, err := k.Batch(ctx, rpc.To("eth_chainId"), rpc.To("eth_getTransactionByHash", tx), rpc.To("eth_getTransactionReceipt", tx))
	if err != nil {
		return Fate{}, err
	}
	for _, a := range answers {
		if a.Err != nil {
			return Fate{}, a.Err
		}
	}
	if id, ok := rpc.Hex64(answers[0].Result); !ok || id != p.chain.ID {
		return Fate{}, rpc.Failed(rpc.WrongChain, "chain %d, want %d", id, p.chain.ID)
	}
	f, ok := readFate(answers[1].Result, answers[2].Result, tx, hs)
	if !ok {
		return Fate{}, rpc.Failed(rpc.Odd, "a transaction that cannot be read")
	}
	return f, nil
}

// readFate reads a transaction and its receipt, each null when the endpoint has none. Nodes
// give a receipt some moments after the block: until then the transaction is in none.
func readFate(sent, receipt json.RawMessage, tx string, hs []Holding) (f Fate, ok bool) {
	if string(sent) == "null" {
		return Fate{}, string(receipt) == "null" // a receipt alone does not say what it is of
	}
	t, err := rpc.Fields(sent)
	if err != nil || !isTx(t["hash"], tx) {
		return Fate{}, false
	}
	input, ok1 := rpc.HexBytes(t["input"], maxInput)
	gas, ok2 := rpc.Hex64(t["gas"])
	if !ok1 || !ok2 {
		return Fate{}, false
	}
	f = Fate{Known: true, Gas: gas}
	for _, h := range hs {
		f.Named = f.Named || bytes.Contains(input, h.Salt[:])
	}
	if string(receipt) == "null" {
		return f, true
	}
	r, err := rpc.Fields(receipt)
	status, ok1 := rpc.Hex64(r["status"])
	used, ok2 := rpc.Hex64(r["gasUsed"])
	block, ok3 := rpc.HexHash(r["blockHash"])
	if err != nil || !isTx(r["transactionHash"], tx) || !ok1 || !ok2 || !ok3 || status > 1 {
		return Fate{}, false
	}
	f.Block, f.OK, f.Used = block, status == 1, used
	return f, true
}

// isTx reports that raw is the number of this transaction.
func isTx(raw json.RawMessage, tx string) bool {
	h, ok := rpc.HexHash(raw)
	return ok && "0x"+hex.EncodeToString(h[:]) == tx
}
