package solana

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

// holdingOf writes a token account's record.
func holdingOf(mint, owner Key, state byte, more ...byte) []byte {
	b := make([]byte, holdingSize)
	copy(b, mint[:])
	copy(b[32:], owner[:])
	b[108] = state
	return append(b, more...)
}

// mintOf writes a mint's record.
func mintOf(decimals, initialised byte, more ...byte) []byte {
	b := make([]byte, mintSize)
	b[44], b[45] = decimals, initialised
	if len(more) > 0 {
		b = append(append(b, make([]byte, typeAt-mintSize)...), more...)
	}
	return b
}

// TestHome: the shop's account of a token can be paid into when it is of that token, of
// its program and of the shop alone, and in use. A wallet pays into whatever stands there.
func TestHome(t *testing.T) {
	l := newLab(t, small, memTokens(), cointest.BareLine(t, nil))
	w, err := New(l.options())
	if err != nil {
		t.Fatal(err)
	}
	usdc, pyusd := memTokens()[0], memTokens()[1]
	other := keyOf("somebody")
	for name, c := range map[string]struct {
		token Token
		a     account
		want  string
	}{
		"good":                         {usdc, account{true, tokenProgram, holdingOf(usdc.Mint, merchant, inUse), false}, ""},
		"good, of Token-2022":          {pyusd, account{true, token2022Program, holdingOf(pyusd.Mint, merchant, inUse, typeHolding, 0), false}, ""},
		"good, without extensions":     {pyusd, account{true, token2022Program, holdingOf(pyusd.Mint, merchant, inUse), false}, ""},
		"none":                         {usdc, account{}, w.word("sol_no_account", "token", "USDC")},
		"frozen":                       {usdc, account{true, tokenProgram, holdingOf(usdc.Mint, merchant, frozen), false}, w.word("sol_frozen", "token", "USDC")},
		"not in use":                   {usdc, account{true, tokenProgram, holdingOf(usdc.Mint, merchant, 0), false}, w.word("evm_treasury")},
		"another's":                    {usdc, account{true, tokenProgram, holdingOf(usdc.Mint, other, inUse), false}, w.word("evm_treasury")},
		"another token's":              {usdc, account{true, tokenProgram, holdingOf(pyusd.Mint, merchant, inUse), false}, w.word("evm_treasury")},
		"of Token-2022":                {usdc, account{true, token2022Program, holdingOf(usdc.Mint, merchant, inUse), false}, w.word("evm_treasury")},
		"of the old program":           {pyusd, account{true, tokenProgram, holdingOf(pyusd.Mint, merchant, inUse), false}, w.word("evm_treasury")},
		"of no token program":          {usdc, account{true, systemProgram, holdingOf(usdc.Mint, merchant, inUse), false}, w.word("evm_treasury")},
		"a mint of Token-2022":         {pyusd, account{true, token2022Program, holdingOf(pyusd.Mint, merchant, inUse, typeMint, 0), false}, w.word("evm_treasury")},
		"longer, of the old program":   {usdc, account{true, tokenProgram, holdingOf(usdc.Mint, merchant, inUse, typeHolding, 0), false}, w.word("evm_treasury")},
		"too short to say whose it is": {usdc, account{true, tokenProgram, holdingOf(usdc.Mint, merchant, inUse)[:64], false}, w.word("evm_treasury")},
	} {
		if got := w.home(c.token, c.a); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestMintIs: a mint is the token when its program and its decimals are, and it is one.
func TestMintIs(t *testing.T) {
	usdc, pyusd := memTokens()[0], memTokens()[1]
	for name, c := range map[string]struct {
		token Token
		a     account
		want  string
	}{
		"good":                       {usdc, account{true, tokenProgram, mintOf(6, 1), false}, ""},
		"good, of Token-2022":        {pyusd, account{true, token2022Program, mintOf(6, 1, typeMint, 0), false}, ""},
		"good, without extensions":   {pyusd, account{true, token2022Program, mintOf(6, 1), false}, ""},
		"none":                       {usdc, account{}, "evm_why_none"},
		"other decimals":             {usdc, account{true, tokenProgram, mintOf(9, 1), false}, "evm_why_decimals"},
		"not begun":                  {usdc, account{true, tokenProgram, mintOf(6, 0), false}, "evm_why_none"},
		"of Token-2022":              {usdc, account{true, token2022Program, mintOf(6, 1), false}, "evm_why_none"},
		"of the old program":         {pyusd, account{true, tokenProgram, mintOf(6, 1), false}, "evm_why_none"},
		"of no token program":        {usdc, account{true, systemProgram, mintOf(6, 1), false}, "evm_why_none"},
		"an account of Token-2022":   {pyusd, account{true, token2022Program, mintOf(6, 1, typeHolding, 0), false}, "evm_why_none"},
		"longer, of the old program": {usdc, account{true, tokenProgram, mintOf(6, 1, typeMint, 0), false}, "evm_why_none"},
		"a token account":            {usdc, account{true, tokenProgram, holdingOf(usdc.Mint, merchant, inUse), false}, "evm_why_none"},
	} {
		if got := c.token.differs(c.a); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestOwnerIsNoTokenAccount: what the shop is paid to is a wallet. Before there is any money
// it may be nothing at all.
func TestOwnerIsNoTokenAccount(t *testing.T) {
	for name, c := range map[string]struct {
		a     any
		ready bool
	}{
		"a wallet":                   {memAccount(systemProgram, nil), true},
		"nothing yet":                {nil, true},
		"a token account":            {memAccount(tokenProgram, holdingOf(keyOf("usdc"), merchant, inUse)), false},
		"a token account, 2022":      {memAccount(token2022Program, holdingOf(keyOf("usdc"), merchant, inUse, typeHolding)), false},
		"a mint":                     {memAccount(tokenProgram, mintOf(6, 1)), false},
		"a program":                  {obj{"data": []string{"", "base64"}, "owner": systemProgram.String(), "executable": true, "lamports": 1, "rentEpoch": 0, "space": 0}, false},
		"an account of some program": {memAccount(keyOf("multisig"), []byte{1}), true}, // a multisig's vault is one
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, small, 1)
				b, _ := json.Marshal(c.a)
				w.lines[0].Lies(func(method string, params []json.RawMessage, r json.RawMessage) json.RawMessage {
					var keys []Key
					if method != "getMultipleAccounts" || json.Unmarshal(params[0], &keys) != nil || !slices.Contains(keys, merchant) {
						return r
					}
					var v struct {
						Context json.RawMessage   `json:"context"`
						Value   []json.RawMessage `json:"value"`
					}
					_ = json.Unmarshal(r, &v) // the fake wrote it
					v.Value[slices.Index(keys, merchant)] = b
					out, _ := json.Marshal(v)
					return out
				})
				w.start()
				time.Sleep(time.Minute)
				h := w.Rail("usdc-solana").Health()
				if h.Ready != c.ready || !h.Ready && !strings.Contains(h.Reason, "must be the owner's own wallet") {
					t.Errorf("%+v", h)
				}
				w.Stop()
			})
		})
	}
}

// TestSecondElsewhere: where the policy wants two operators, the word of one that is of
// another cluster is none, though it knows the same transaction.
func TestSecondElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, both, 2)
		w.lines[1].Lies(change("getGenesisHash", func(json.RawMessage) any { return Devnet.Genesis }))
		w.start()
		r := w.Ready("usdc-solana")
		p := w.Requested(r, "SALE000000001", 5_000_000)
		w.m.pay(asks(t, p.Payload))
		named := false
		for range 20 {
			f, err := r.Check(t.Context(), p)
			if f.Event == pos.Settle || !f.Received.IsZero() {
				t.Fatalf("%+v", f)
			}
			named = named || err != nil && strings.Contains(err.Error(), "do not agree")
			time.Sleep(time.Second)
		}
		if !named {
			t.Error("nobody said that two sources do not agree")
		}
		w.lines[1].Lies(nil)
		w.Becomes(r, p, pos.Settle)
		w.Stop()
	})
}

// TestPaidToAnother: a transaction names the sale's reference and carries its very amount,
// to somebody else.
func TestPaidToAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, small, 1)
		w.start()
		r := w.Ready("usdc-solana")
		p := w.Requested(r, "SALE000000001", 5_000_000)
		x := asks(t, p.Payload)
		x.owner = keyOf("somebody")
		w.m.pay(x)
		for range 20 {
			f, err := r.Check(t.Context(), p)
			if err != nil || f.Event == pos.Settle || f.Event == pos.Accept || !f.Received.IsZero() {
				t.Fatalf("%+v, %v", f, err)
			}
			time.Sleep(time.Second)
		}
		w.m.pay(asks(t, p.Payload))
		w.Becomes(r, p, pos.Settle)
		w.Stop()
	})
}

// TestStatusSaid: "processed" may be skipped yet and is not there; a failure is said.
func TestStatusSaid(t *testing.T) {
	for said, want := range map[string]status{
		`{"slot":7,"err":null,"confirmationStatus":"processed"}`:                     {false, 7, false, false},
		`{"slot":7,"err":null,"confirmationStatus":"confirmed"}`:                     {true, 7, false, false},
		`{"slot":7,"err":null,"confirmationStatus":"finalized"}`:                     {true, 7, false, true},
		`{"slot":7,"err":{"InstructionError":[0]},"confirmationStatus":"finalized"}`: {true, 7, true, true},
		`{"slot":7,"err":null,"confirmationStatus":"rooted"}`:                        {false, 7, false, false},
		`{"slot":7,"err":null}`: {false, 7, false, false},
		`null`:                  {},
	} {
		slot, all, err := readStatuses(json.RawMessage(`{"context":{"slot":9},"value":[`+said+`]}`), 1)
		if err != nil || slot != 9 || len(all) != 1 || all[0] != want {
			t.Errorf("%s: %d, %+v, %v", said, slot, all, err)
		}
	}
}

// TestOtherForm: what is shown to wallets that stop at a reference has none, and no label,
// and asks for the same.
func TestOtherForm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, small, 1)
		w.start()
		r := w.Ready("usdc-solana")
		p := w.Requested(r, "SALE000000001", 12_340_100)
		first, err1 := ParseURI(p.Forms[0].Payload)
		other, err2 := ParseURI(p.Forms[1].Payload)
		if err1 != nil || err2 != nil || len(first.References) != 1 || first.Label == "" || len(other.References) != 0 || other.Label != "" ||
			other.To != merchant || first.To != merchant || other.Amount != first.Amount || other.Token != first.Token || p.Forms[2].Payload != merchant.String() {
			t.Errorf("%+v, %+v, %v, %v", first, other, err1, err2)
		}
		w.Stop()
	})
}
