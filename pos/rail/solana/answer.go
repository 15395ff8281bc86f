package solana

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strconv"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// errAnswer is an answer that no honest node gives.
var errAnswer = errors.New("the answer cannot be read")

// number53 reads a whole number that is not negative. What nodes count fits 53 bits;
// the top stays free, so that sums do not overflow.
func number53(raw json.RawMessage) (uint64, bool) {
	if len(raw) == 0 || len(raw) > 16 || raw[0] < '0' || raw[0] > '9' || len(raw) > 1 && raw[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(raw), 10, 53)
	return n, err == nil
}

// list reads a JSON array of at most limit things.
func list(raw json.RawMessage, limit int) ([]json.RawMessage, bool) {
	var all []json.RawMessage
	if len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &all) != nil || len(all) > limit {
		return nil, false
	}
	return all, true
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// account is what stands at an address.
type account struct {
	there bool
	owner Key // the program that it belongs to
	data  []byte
	runs  bool // it is a program
}

// inContext reads the slot beside a value: what the answer is of.
func inContext(raw json.RawMessage) (slot uint64, value json.RawMessage, err error) {
	f, err := rpc.Fields(raw)
	if err != nil {
		return 0, nil, err
	}
	c, err := rpc.Fields(f["context"])
	slot, ok := number53(c["slot"])
	if err != nil || !ok || slot == 0 || f["value"] == nil {
		return 0, nil, errAnswer
	}
	return slot, f["value"], nil
}

// readAccounts reads the answer to getMultipleAccounts about n accounts.
func readAccounts(raw json.RawMessage, n int) (slot uint64, out []account, err error) {
	slot, value, err := inContext(raw)
	if err != nil {
		return 0, nil, err
	}
	all, ok := list(value, n)
	if !ok || len(all) != n {
		return 0, nil, errAnswer
	}
	for _, one := range all {
		a, ok := readAccount(one)
		if !ok {
			return 0, nil, errAnswer
		}
		out = append(out, a)
	}
	return slot, out, nil
}

func readAccount(raw json.RawMessage) (a account, ok bool) {
	if isNull(raw) {
		return a, true
	}
	f, err := rpc.Fields(raw)
	data, ok1 := list(f["data"], 2)
	if err != nil || !ok1 || len(data) != 2 || string(data[1]) != `"base64"` {
		return a, false
	}
	packed, ok2 := rpc.Text(data[0], accountLimit*4/3+4)
	owner, ok3 := rpc.Text(f["owner"], 44)
	bytes, err := base64.StdEncoding.Strict().DecodeString(packed)
	by, err2 := ParseKey(owner)
	if !ok2 || !ok3 || err != nil || err2 != nil {
		return a, false
	}
	runs := string(f["executable"])
	return account{true, by, bytes, runs == "true"}, runs == "true" || runs == "false"
}

// listed is one line of getSignaturesForAddress.
type listed struct {
	sig   string
	slot  uint64
	bad   bool // the transaction failed: nothing moved
	final bool
}

// readList reads the answer to getSignaturesForAddress: the newest first, no
// signature twice.
func readList(raw json.RawMessage) ([]listed, error) {
	all, ok := list(raw, listLimit)
	if !ok {
		return nil, errAnswer
	}
	out := make([]listed, 0, len(all))
	seen := map[string]bool{}
	for _, one := range all {
		f, err := rpc.Fields(one)
		if err != nil {
			return nil, err
		}
		sig, ok1 := rpc.Text(f["signature"], 88)
		slot, ok2 := number53(f["slot"])
		if !ok1 || !ok2 || !plainSignature(sig) || f["err"] == nil || seen[sig] || len(out) > 0 && slot > out[len(out)-1].slot {
			return nil, errAnswer
		}
		seen[sig] = true
		out = append(out, listed{sig, slot, !isNull(f["err"]), string(f["confirmationStatus"]) == `"finalized"`})
	}
	return out, nil
}

// status is what a node says of a signature.
type status struct {
	there bool
	slot  uint64
	bad   bool
	final bool
}

// readStatuses reads the answer to getSignatureStatuses about n signatures.
func readStatuses(raw json.RawMessage, n int) (slot uint64, out []status, err error) {
	slot, value, err := inContext(raw)
	if err != nil {
		return 0, nil, err
	}
	all, ok := list(value, n)
	if !ok || len(all) != n {
		return 0, nil, errAnswer
	}
	for _, one := range all {
		var s status
		if !isNull(one) {
			f, err := rpc.Fields(one)
			at, ok := number53(f["slot"])
			if err != nil || !ok || f["err"] == nil {
				return 0, nil, errAnswer
			}
			by := string(f["confirmationStatus"])
			// "processed" may be skipped yet: that is not there.
			s = status{by == `"confirmed"` || by == `"finalized"`, at, !isNull(f["err"]), by == `"finalized"`}
		}
		out = append(out, s)
	}
	return slot, out, nil
}

// Bounds of a transaction. One of version 1 names 64 accounts, one with lookup tables
// at most 256; instructions call others.
const (
	maxAccounts     = 256
	maxInstructions = 256
	maxBalances     = 256
)

// moved names whose balance of what rose.
type moved struct{ owner, mint Key }

// nativeMint stands for the cluster's own coin.
var nativeMint = Key{}

// transaction is what the till reads of one.
type transaction struct {
	sig  string
	slot uint64
	time uint64          // seconds since 1970 by the cluster; 0: it does not say
	keys map[string]bool // every account that it names
	// came is what it added to whom, in base units: balances after less those before,
	// over all accounts of an owner.
	came map[moved]*big.Int
	// named are keys that a token's transfer carries beyond what it needs, by the
	// account that it pays into: references, ours or somebody else's.
	named map[Key][]string
	of    map[Key]Key // owners of the token accounts that it names
}

// readTransaction reads the answer to getTransaction with encoding "json": what each
// wallet and program put into it, in whatever order. ok is false for a transaction
// that the node does not have (null). A transaction that failed moved nothing.
func readTransaction(raw json.RawMessage, sig string) (t *transaction, ok bool, err error) {
	if isNull(raw) {
		return nil, false, nil
	}
	f, err := rpc.Fields(raw)
	if err != nil {
		return nil, false, err
	}
	meta, err1 := rpc.Fields(f["meta"])
	body, err2 := rpc.Fields(f["transaction"])
	slot, ok1 := number53(f["slot"])
	sigs, ok2 := list(body["signatures"], maxAccounts)
	if err1 != nil || err2 != nil || !ok1 || !ok2 || len(sigs) == 0 || string(sigs[0]) != `"`+sig+`"` || meta["err"] == nil {
		return nil, false, errAnswer
	}
	t = &transaction{sig: sig, slot: slot, keys: map[string]bool{}, came: map[moved]*big.Int{}, named: map[Key][]string{}, of: map[Key]Key{}}
	if at, ok := number53(f["blockTime"]); ok {
		t.time = at
	}
	keys, signers, ok := readKeys(body["message"], meta["loadedAddresses"])
	if !ok {
		return nil, false, errAnswer
	}
	for _, k := range keys {
		t.keys[k] = true
	}
	if !isNull(meta["err"]) {
		return t, true, nil
	}
	if !t.readTokens(meta, keys) || !t.readCoins(meta, keys) || !t.readReferences(body["message"], meta["innerInstructions"], keys, signers) {
		return nil, false, errAnswer
	}
	return t, true, nil
}

// readKeys returns the accounts that a transaction names, in the order of their
// numbers, and how many of the first have signed.
func readKeys(message, loaded json.RawMessage) (keys []string, signers int, ok bool) {
	m, err := rpc.Fields(message)
	head, err2 := rpc.Fields(m["header"])
	n, ok := number53(head["numRequiredSignatures"])
	if err != nil || err2 != nil || !ok {
		return nil, 0, false
	}
	lists := []json.RawMessage{m["accountKeys"]}
	if len(loaded) > 0 && !isNull(loaded) { // by lookup tables: those it may write first
		l, err := rpc.Fields(loaded)
		if err != nil {
			return nil, 0, false
		}
		lists = append(lists, l["writable"], l["readonly"])
	}
	for _, raw := range lists {
		all, ok := list(raw, maxAccounts)
		if !ok {
			return nil, 0, false
		}
		for _, one := range all {
			s, ok := rpc.Text(one, 44)
			if _, fine := decode58(s, 32); !ok || !fine {
				return nil, 0, false
			}
			keys = append(keys, s)
		}
	}
	return keys, int(n), len(keys) <= maxAccounts && int(n) <= len(keys)
}

// readTokens adds up what token accounts had before and after.
func (t *transaction) readTokens(meta map[string]json.RawMessage, keys []string) bool {
	for _, part := range []struct {
		key  string
		sign int64
	}{{"preTokenBalances", -1}, {"postTokenBalances", 1}} {
		if len(meta[part.key]) == 0 || isNull(meta[part.key]) {
			continue // from before balances were recorded
		}
		all, ok := list(meta[part.key], maxBalances)
		if !ok {
			return false
		}
		seen := map[uint64]bool{}
		for _, one := range all {
			index, who, units, ok := readBalance(one)
			if !ok || index >= uint64(len(keys)) || seen[index] {
				return false
			}
			seen[index] = true
			if who.owner.IsZero() {
				continue // recorded without an owner, years ago
			}
			t.of[MustKey(keys[index])] = who.owner // readKeys decoded it
			t.add(who, units.Mul(units, big.NewInt(part.sign)))
		}
	}
	return true
}

func (t *transaction) add(who moved, units *big.Int) {
	if t.came[who] == nil {
		t.came[who] = new(big.Int)
	}
	t.came[who].Add(t.came[who], units)
}

// readBalance reads one token balance.
func readBalance(raw json.RawMessage) (index uint64, who moved, units *big.Int, ok bool) {
	f, err := rpc.Fields(raw)
	amount, err2 := rpc.Fields(f["uiTokenAmount"])
	if err != nil || err2 != nil {
		return 0, who, nil, false
	}
	index, ok1 := number53(f["accountIndex"])
	mint, ok2 := rpc.Text(f["mint"], 44)
	digits, ok3 := rpc.Text(amount["amount"], 20)
	who.mint, err = ParseKey(mint)
	n, err2 := strconv.ParseUint(digits, 10, 64)
	if !ok1 || !ok2 || !ok3 || err != nil || err2 != nil || strconv.FormatUint(n, 10) != digits {
		return 0, who, nil, false
	}
	if owner, said := rpc.Text(f["owner"], 44); said && owner != "" {
		if who.owner, err = ParseKey(owner); err != nil {
			return 0, who, nil, false
		}
	}
	return index, who, new(big.Int).SetUint64(n), true
}

// readCoins notes what the native coin did: somebody may send it instead of a token.
func (t *transaction) readCoins(meta map[string]json.RawMessage, keys []string) bool {
	before, ok1 := list(meta["preBalances"], maxAccounts)
	after, ok2 := list(meta["postBalances"], maxAccounts)
	if !ok1 || !ok2 || len(before) != len(keys) || len(after) != len(keys) {
		return false
	}
	for i, k := range keys {
		b, err := strconv.ParseUint(string(before[i]), 10, 64)
		a, err2 := strconv.ParseUint(string(after[i]), 10, 64)
		if err != nil || err2 != nil {
			return false
		}
		if a > b && t.of[MustKey(k)] == (Key{}) { // a new token account holds coins, too
			t.add(moved{MustKey(k), nativeMint}, new(big.Int).SetUint64(a-b))
		}
	}
	return true
}

// Instructions of the token programs that move tokens, by their first byte, and how
// many accounts they need: source, (mint,) destination, authority.
const (
	tokenTransfer        = 3
	tokenTransferChecked = 12
	tokenTransferWithFee = 26 // Token-2022; its second byte is 1
)

// readReferences finds the keys that transfers carry beyond what they need. Those who
// signed are a multisig's; the others are references (SPEC.md, "Reference").
func (t *transaction) readReferences(message, inner json.RawMessage, keys []string, signers int) bool {
	m, err := rpc.Fields(message)
	outer, ok := list(m["instructions"], maxInstructions)
	if err != nil || !ok {
		return false
	}
	all := outer
	if len(inner) > 0 && !isNull(inner) {
		groups, ok := list(inner, maxInstructions)
		if !ok {
			return false
		}
		for _, g := range groups {
			f, err := rpc.Fields(g)
			ins, ok := list(f["instructions"], maxInstructions)
			if err != nil || !ok {
				return false
			}
			all = append(all, ins...)
		}
	}
	for _, one := range all {
		if !t.readInstruction(one, keys, signers) {
			return false
		}
	}
	return true
}

func (t *transaction) readInstruction(raw json.RawMessage, keys []string, signers int) bool {
	f, err := rpc.Fields(raw)
	program, ok := number53(f["programIdIndex"])
	accounts, ok2 := list(f["accounts"], maxAccounts)
	if err != nil || !ok || !ok2 || program >= uint64(len(keys)) {
		return false
	}
	if by := keys[program]; by != tokenProgram.String() && by != token2022Program.String() {
		return true
	}
	text, ok := rpc.Text(f["data"], 4096)
	needs, to := transferShape(text)
	if !ok || needs == 0 || len(accounts) < needs {
		return ok
	}
	var at []uint64
	for _, a := range accounts {
		n, ok := number53(a)
		if !ok || n >= uint64(len(keys)) {
			return false
		}
		at = append(at, n)
	}
	into := MustKey(keys[at[to]])
	for _, n := range at[needs:] {
		if n >= uint64(signers) {
			t.named[into] = append(t.named[into], keys[n])
		}
	}
	return true
}

// transferShape says how many accounts a token instruction needs, and which of them
// is paid into; 0 for one that moves nothing. Its data is base58, and short.
func transferShape(data string) (needs, to int) {
	for n := 9; n <= 19; n++ { // 1 + 8 bytes, + 1, + 1 + 8
		b, ok := decode58(data, n)
		switch {
		case !ok:
		case n == 9 && b[0] == tokenTransfer:
			return 3, 1
		case n == 10 && b[0] == tokenTransferChecked:
			return 4, 2
		case n == 19 && b[0] == tokenTransferWithFee && b[1] == 1:
			return 4, 2
		}
	}
	return 0, 0
}
