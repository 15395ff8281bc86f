package lnd

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/macaroon.v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

// Macaroons that lnd v0.21.1 writes by itself (simnet; those nodes are gone).
const (
	adminMacaroon = "0201036c6e6402f801030a10d12d555bedfe9854c98af2b1a8ccaf0d1201301a160a0761646472657373120472656164120577726974651a130a04" +
		"696e666f120472656164120577726974651a170a08696e766f69636573120472656164120577726974651a210a086d616361726f6f6e120867656e65" +
		"72617465120472656164120577726974651a160a076d657373616765120472656164120577726974651a170a086f6666636861696e12047265616412" +
		"0577726974651a160a076f6e636861696e120472656164120577726974651a140a057065657273120472656164120577726974651a180a067369676e" +
		"6572120867656e657261746512047265616400000620a9b81d862c14155a70e4c5edfd9bb8dfd6c15844017487c8d91c3d7fc36b6a11"
	invoiceMacaroon = "0201036c6e640258030a10cf2d555bedfe9854c98af2b1a8ccaf0d1201301a160a0761646472657373120472656164120577726974651a170a0869" +
		"6e766f69636573120472656164120577726974651a0f0a076f6e636861696e12047265616400000620b86e1705f90c74840e22296c36af8eec684ee1" +
		"a77521382c6057dca99aefe2df"
	readonlyMacaroon = "0201036c6e6402ac01030a10d02d555bedfe9854c98af2b1a8ccaf0d1201301a0f0a07616464726573731204726561641a0c0a04696e666f120472" +
		"6561641a100a08696e766f696365731204726561641a100a086d616361726f6f6e1204726561641a0f0a076d6573736167651204726561641a100a08" +
		"6f6666636861696e1204726561641a0f0a076f6e636861696e1204726561641a0d0a0570656572731204726561641a0e0a067369676e657212047265" +
		"6164000006209b420af89e96b1e23de1b4906cd0b7253d4ff48bc9baaa0c98fb088de3f83618"
	routerMacaroon = "0201036c6e64022f030a10d32d555bedfe9854c98af2b1a8ccaf0d1201301a170a086f6666636861696e1204726561641205777269746500000620" +
		"41f1c78b4f146e745dcbaed3477460925b18742d91bbf3ae60e65a9f12ca0e13"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestInspectRealMacaroons judges what lnd itself bakes.
func TestInspectRealMacaroons(t *testing.T) {
	tests := []struct {
		name, hex string
		verdict   Verdict
		worst     string
		missing   int
		root      string
	}{
		{"till", tillMacaroon, Fine, "", 0, "1007"},
		{"invoice", invoiceMacaroon, TooWide, "address:read", 1, "0"}, // no info:read: GetInfo is missing
		{"admin", adminMacaroon, CanSpend, "info:write", 0, "0"},
		{"readonly", readonlyMacaroon, CanSpend, "macaroon:read", 2, "0"},
		{"router", routerMacaroon, CanSpend, "offchain:write", 5, "0"},
	}
	for _, tt := range tests {
		r, err := Inspect(unhex(t, tt.hex))
		if err != nil || r.Verdict != tt.verdict || len(r.Missing) != tt.missing || r.RootKey != tt.root {
			t.Errorf("%s: %v, missing %v, root %q, %v", tt.name, r.Verdict, r.Missing, r.RootKey, err)
		}
		if tt.worst != "" && r.Worst() != tt.worst {
			t.Errorf("%s: worst right %q, want %q", tt.name, r.Worst(), tt.worst)
		}
	}
}

// TestEveryRight judges each right by itself, and beside the till's five: one bad
// right is enough.
func TestEveryRight(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{})
	want := map[Verdict][]string{
		Fine:    append([]string{"info:read", "invoices:read"}, lndtest.TillRights...),
		TooWide: {"invoices:write", "address:read", "address:write", "onchain:read", "offchain:read"},
		CanSpend: {
			"offchain:write", "onchain:write", "macaroon:generate", "macaroon:read", "macaroon:write", "signer:generate", "signer:read",
			"peers:write", "peers:read", "info:write", "message:read", "message:write", "invoices:pay", "swap:execute", "lit:read",
			"uri:/lnrpc.Lightning/SendPaymentSync", "uri:/routerrpc.Router/SendPaymentV2", "uri:/invoicesrpc.Invoices/SettleInvoice",
			"uri:/invoicesrpc.Invoices/AddHoldInvoice", "uri:/lnrpc.Lightning/BakeMacaroon", "uri:/lnrpc.Lightning/AddInvoic",
			"uri:/lnrpc.Lightning/AddInvoice/", "uri:/LNRPC.Lightning/AddInvoice", "uri:", "uri:*", "URI:/lnrpc.Lightning/AddInvoice",
		},
	}
	for verdict, rights := range want {
		for _, right := range rights {
			if right == "uri:" {
				continue // lnd bakes no empty action; TestInspectRefuses has it
			}
			for _, all := range [][]string{{right}, append(slices.Clone(lndtest.TillRights), right)} {
				r, err := Inspect(node.Bake("1007", all...))
				if err != nil || r.Verdict != verdict {
					t.Errorf("%v: %v, %v, want %v", all, r.Verdict, err, verdict)
				}
			}
		}
	}
}

// TestInspectRefuses feeds it what lnd does not bake. None of it may pass.
func TestInspectRefuses(t *testing.T) {
	bake := func(id []byte, v macaroon.Version, change func(*macaroon.Macaroon)) []byte {
		m, err := macaroon.New([]byte("key"), id, "lnd", v)
		if err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(m)
		}
		b, err := m.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := lndtest.Identifier("1007", lndtest.TillRights...)
	tests := map[string][]byte{
		"nothing":            nil,
		"noise":              []byte("hello"),
		"too long":           make([]byte, maxMacaroon+1),
		"left over":          append(bake(good, macaroon.V2, nil), 0),
		"version 1":          bake([]byte("\x03\x1a\x0c\x0a\x04info\x12\x04read"), macaroon.V1, nil),
		"other identifier":   bake(append([]byte{2}, good[1:]...), macaroon.V2, nil),
		"super macaroon":     bake([]byte("supermacaroon:123"), macaroon.V2, nil),
		"cut identifier":     bake(good[:len(good)-3], macaroon.V2, nil),
		"unknown field":      bake(append(slices.Clone(good), 4<<3|2, 1, 'x'), macaroon.V2, nil),
		"varint field":       bake(append(slices.Clone(good), 4<<3|0, 1), macaroon.V2, nil),
		"field zero":         bake(append(slices.Clone(good), 2, 1, 'x'), macaroon.V2, nil),
		"two root keys":      bake(append(slices.Clone(good), 2<<3|2, 1, '0'), macaroon.V2, nil),
		"right, no action":   bake(append(slices.Clone(good), 3<<3|2, 6, 1<<3|2, 4, 'i', 'n', 'f', 'o'), macaroon.V2, nil),
		"empty action":       bake(append(slices.Clone(good), 3<<3|2, 7, 1<<3|2, 3, 'u', 'r', 'i', 2<<3|2, 0), macaroon.V2, nil),
		"action, no right":   bake(append(slices.Clone(good), 3<<3|2, 3, 2<<3|2, 1, 'x'), macaroon.V2, nil),
		"two entities":       bake(append(slices.Clone(good), 3<<3|2, 9, 1<<3|2, 1, 'a', 1<<3|2, 1, 'b', 2<<3|2, 1, 'c'), macaroon.V2, nil),
		"endless length":     bake([]byte{3, 3<<3 | 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, macaroon.V2, nil),
		"third-party caveat": bake(good, macaroon.V2, func(m *macaroon.Macaroon) { _ = m.AddThirdPartyCaveat([]byte("k"), []byte("c"), "loc") }),
	}
	for name, b := range tests {
		if r, err := Inspect(b); err == nil || pos.KindOf(err) != pos.Invalid {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	if r, err := Inspect(bake([]byte{3}, macaroon.V2, nil)); err != nil || r.Verdict != CanSpend {
		t.Errorf("no rights at all: %v, %v, want the careful verdict", r.Verdict, err)
	}
	if r, err := Inspect(bake(good, macaroon.V2, nil)); err != nil || r.Verdict != Fine {
		t.Errorf("the good one that the others were made of: %v, %v", r.Verdict, err)
	}
}

func TestCaveats(t *testing.T) {
	node := lndtest.New(t, lndtest.Options{})
	at := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	r, err := Inspect(node.BakeWith("1007", []string{
		"ipaddr 10.0.0.7", "time-before " + at.Add(time.Hour).Format(time.RFC3339), "time-before " + at.Format(time.RFC3339), "lnd-custom account x",
	}, lndtest.TillRights...))
	if err != nil || !r.Ends.Equal(at) || len(r.Caveats) != 4 || r.Verdict != Fine {
		t.Errorf("got %+v, %v", r, err)
	}
}

// FuzzInspect: no bytes make it panic; what it calls fine has the five calls'
// paths or read rights only, each of which stands in the bytes.
func FuzzInspect(f *testing.F) {
	for _, s := range []string{tillMacaroon, adminMacaroon, invoiceMacaroon, readonlyMacaroon, routerMacaroon} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Inspect(b)
		if err != nil {
			if pos.KindOf(err) != pos.Invalid {
				t.Fatalf("refused with %v", pos.KindOf(err))
			}
			return
		}
		for _, x := range r.All {
			if !strings.Contains(string(b), x.Action) {
				t.Fatalf("right %s is not in the macaroon", x)
			}
			if r.Verdict == Fine && judgeRight(x.Entity, x.Action) != Fine {
				t.Fatalf("fine, with %s", x)
			}
		}
		if r.Verdict != CanSpend && len(r.All) == 0 {
			t.Fatal("no rights, and not refused")
		}
	})
}

// FuzzIdentifier goes past the macaroon's own framing.
func FuzzIdentifier(f *testing.F) {
	f.Add(lndtest.Identifier("1007", lndtest.TillRights...)[1:])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := readIdentifier(b)
		if err == nil && len(r.All) > maxRights {
			t.Fatalf("%d rights", len(r.All))
		}
	})
}
