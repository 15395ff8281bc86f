package solana

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

// goodTransaction is one that pays merchant 5 USDC with a reference.
func goodTransaction() (raw json.RawMessage, sig string) {
	k := keyOf("signature")
	sig = encode58(append(k[:], k[:]...))
	b, err := json.Marshal(txOf(memPaid{77, sig, []sent{{merchant, keyOf("usdc"), 5_000_000, []Key{keyOf("reference")}}}}, func(Key) Program { return SPLToken }))
	if err != nil {
		panic(err)
	}
	return b, sig
}

// TestReadTransaction reads a good one whole, and refuses each that is damaged in one
// place: a damaged one must not pay.
func TestReadTransaction(t *testing.T) {
	raw, sig := goodTransaction()
	tx, ok, err := readTransaction(raw, sig)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	home := AccountOf(merchant, tokenProgram, keyOf("usdc"))
	if n := tx.came[moved{merchant, keyOf("usdc")}]; n == nil || n.Int64() != 5_000_000 || tx.slot != 77 || !tx.keys[keyOf("reference").String()] {
		t.Errorf("%+v", tx)
	}
	if got := tx.named[home]; len(got) != 1 || got[0] != keyOf("reference").String() || tx.of[home] != merchant {
		t.Errorf("named %v", tx.named)
	}
	if tx, ok, err := readTransaction(json.RawMessage("null"), sig); tx != nil || ok || err != nil {
		t.Errorf("null is %v, %v, %v", tx, ok, err)
	}
	for name, change := range map[string][2]string{
		"another signature":       {sig, encode58(make([]byte, 64))},
		"no error":                {`"err":null,`, ``},
		"a slot of text":          {`"slot":77`, `"slot":"77"`},
		"a negative slot":         {`"slot":77`, `"slot":-77`},
		"an exponent":             {`"slot":77`, `"slot":7e7`},
		"a key twice":             {`"slot":77`, `"slot":77,"slot":78`},
		"an account beyond":       {`"accountIndex":5`, `"accountIndex":50`},
		"a negative amount":       {`"amount":"7"`, `"amount":"-7"`},
		"an amount that is no 7":  {`"amount":"7"`, `"amount":"07"`},
		"an amount of 65 bits":    {`"amount":"7"`, `"amount":"18446744073709551616"`},
		"an amount as a number":   {`"amount":"7"`, `"amount":7`},
		"an owner that is none":   {`"owner":"` + merchant.String(), `"owner":"x`},
		"a program beyond":        {`"programIdIndex":1`, `"programIdIndex":99`},
		"more signers than keys":  {`"numRequiredSignatures":1`, `"numRequiredSignatures":100`},
		"a key that is none":      {`"accountKeys":["`, `"accountKeys":["!`},
		"fewer coins than keys":   {`"postBalances":[0,`, `"postBalances":[`},
		"no message":              {`"message":{`, `"massage":{`},
		"an instruction's letter": {`"accounts":[`, `"accounts":["a",`},
	} {
		bad := strings.Replace(string(raw), change[0], change[1], 1)
		if bad == string(raw) {
			t.Errorf("%s: nothing changed in %s", name, raw)
		}
		if tx, ok, err := readTransaction(json.RawMessage(bad), sig); err == nil {
			t.Errorf("%s: %+v, %v", name, tx, ok)
		}
	}
	failed := strings.Replace(string(raw), `"err":null`, `"err":{"InstructionError":[0,"x"]}`, 1)
	if tx, ok, err := readTransaction(json.RawMessage(failed), sig); err != nil || !ok || len(tx.came) != 0 {
		t.Errorf("a failed one moved %+v, %v", tx, err)
	}
}

// TestReferencesOfTransfers: only what is beyond a transfer's own accounts is one, and
// only if it did not sign.
func TestReferencesOfTransfers(t *testing.T) {
	amount := []byte{1, 0, 0, 0, 0, 0, 0, 0}
	for name, c := range map[string]struct {
		data      []byte
		needs, to int
	}{
		"transfer":          {append([]byte{3}, amount...), 3, 1},
		"checked":           {append(append([]byte{12}, amount...), 6), 4, 2},
		"with fee":          {append(append(append([]byte{26, 1}, amount...), 6), amount...), 4, 2},
		"fee, another kind": {append(append(append([]byte{26, 2}, amount...), 6), amount...), 0, 0},
		"mint":              {append([]byte{7}, amount...), 0, 0},
		"short":             {[]byte{3, 1}, 0, 0},
		"nothing":           {nil, 0, 0},
	} {
		if needs, to := transferShape(encode58(c.data)); needs != c.needs || to != c.to {
			t.Errorf("%s needs %d, pays into %d", name, needs, to)
		}
	}
	var keys []string
	for i := range 8 {
		keys = append(keys, keyOf(fmt.Sprint(i)).String())
	}
	keys[7] = tokenProgram.String()
	tx := &transaction{named: map[Key][]string{}}
	raw := fmt.Sprintf(`{"programIdIndex":7,"accounts":[2,3,4,5,1,0,6],"data":%q}`, encode58(append(append([]byte{12}, amount...), 6)))
	if !tx.readInstruction(json.RawMessage(raw), keys, 2) {
		t.Fatal("it cannot be read")
	}
	if got := tx.named[keyOf("4")]; len(got) != 1 || got[0] != keys[6] {
		t.Errorf("references %v", tx.named)
	}
}

func FuzzTransaction(f *testing.F) {
	raw, sig := goodTransaction()
	f.Add([]byte(raw))
	f.Add([]byte("null"))
	f.Add([]byte(strings.Replace(string(raw), `"innerInstructions":[]`, `"innerInstructions":[{"index":0,"instructions":[{"programIdIndex":1,"accounts":[1,2,3,4,5],"data":"3DdGGhkhJbjm"}]}]`, 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		tx, ok, err := readTransaction(b, sig)
		if err != nil || !ok {
			if tx != nil {
				t.Errorf("nothing, and %+v", tx)
			}
			return
		}
		limit := new(big.Int).Lsh(big.NewInt(maxBalances), 64)
		for who, n := range tx.came {
			if n.CmpAbs(limit) > 0 {
				t.Errorf("%v got %v", who, n)
			}
		}
	})
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"context":{"slot":5},"value":[null,{"data":["AA==","base64"],"owner":"11111111111111111111111111111111","executable":false,"lamports":1}]}`))
	f.Add([]byte(`[{"signature":"` + encode58(make([]byte, 64)) + `","slot":5,"err":null,"confirmationStatus":"finalized"}]`))
	f.Add([]byte(`{"context":{"slot":5},"value":[{"slot":4,"confirmations":null,"err":null,"confirmationStatus":"processed"},null]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if slot, all, err := readAccounts(b, 2); err == nil && (len(all) != 2 || slot == 0) {
			t.Errorf("%s: %v", b, all)
		} else if err == nil {
			for _, a := range all {
				_, _ = readHolding(a)
				_, _ = readMint(a)
				_, _ = readClock(a)
			}
		}
		if items, err := readList(b); err == nil {
			for _, l := range items {
				if !plainSignature(l.sig) || l.slot >= 1<<53 {
					t.Errorf("%s: %+v", b, l)
				}
			}
		}
		if _, all, err := readStatuses(b, 2); err == nil && len(all) != 2 {
			t.Errorf("%s: %v", b, all)
		}
	})
}

// TestReadRecords: what stands in accounts is read by its shape, and nothing else.
func TestReadRecords(t *testing.T) {
	m := memTokens()
	good := newMem(t, m)
	read := func(k Key) account {
		b, err := json.Marshal(good.account(k, 1000))
		if err != nil {
			t.Fatal(err)
		}
		a, ok := readAccount(b)
		if !ok {
			t.Fatalf("%s", b)
		}
		return a
	}
	h, ok := readHolding(read(good.homes[m[0].Mint]))
	if !ok || h.owner != merchant || h.mint != m[0].Mint || h.state != inUse {
		t.Errorf("%+v, %v", h, ok)
	}
	if n, ok := readMint(read(m[0].Mint)); !ok || n != 6 {
		t.Errorf("%d decimals", n)
	}
	mint := read(m[1].Mint)
	mint.data = append(mint.data, make([]byte, 200)...) // an extension of Token-2022
	mint.data[typeAt] = typeMint
	if n, ok := readMint(mint); !ok || n != 6 {
		t.Errorf("%d decimals with an extension", n)
	}
	if _, ok := readHolding(mint); ok {
		t.Error("a mint is taken for an account")
	}
	mint.owner = tokenProgram
	if _, ok := readMint(mint); ok {
		t.Error("SPL Token has no extensions")
	}
	stranger := read(m[0].Mint)
	stranger.owner = keyOf("somebody's program")
	if _, ok := readMint(stranger); ok {
		t.Error("a stranger's program is taken for a token's")
	}
	if _, ok := readHolding(account{}); ok {
		t.Error("nothing is taken for an account")
	}
}
