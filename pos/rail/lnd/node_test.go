package lnd

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightningnetwork/lnd/zpay32"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

var (
	about    = sha256.Sum256([]byte(`[["text/plain","Cafe - 2.50 EUR - #0001"]]`))
	nodePre  = [32]byte{1, 2, 3}
	nodeHash = sha256.Sum256(nodePre[:])
)

func newNode(t *testing.T, fake *lndtest.Node) *Node {
	t.Helper()
	text := fake.Connection()
	n, err := NewNode(Options{Source: func() (string, string) { return text, "" }, Network: "simnet", Dial: fake.Dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.r.node.Load().close() })
	return n
}

// TestNode makes one invoice twice, pays it, and makes another that is cancelled.
// Goal: one invoice a preimage, with the description's hash and without a text, and
// the node's own word about its end.
func TestNode(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake := lndtest.New(t, lndtest.Options{})
		n := newNode(t, fake)
		if _, err := n.Look(t.Context(), nodeHash); pos.KindOf(err) != pos.NotFound {
			t.Errorf("before it was made: %v", err)
		}
		text, ends, err := n.Invoice(t.Context(), nodePre, 4_300_000, about, 5*time.Minute)
		if err != nil || text != strings.ToLower(text) || time.Until(ends).Round(time.Second) != 5*time.Minute {
			t.Fatalf("got %q until %v, %v", text, ends, err)
		}
		in, err := zpay32.Decode(text, nets["simnet"])
		if err != nil || in.Description != nil || in.DescriptionHash == nil || *in.DescriptionHash != about || *in.PaymentHash != nodeHash {
			t.Errorf("got %+v, %v", in, err)
		}
		if again, _, err := n.Invoice(t.Context(), nodePre, 4_300_000, about, 5*time.Minute); err != nil || again != text || fake.Invoices() != 1 {
			t.Errorf("again: %q, %v, %d invoices", again, err, fake.Invoices())
		}
		if f, err := n.Look(t.Context(), nodeHash); err != nil || f.Event != "" || f.Final {
			t.Errorf("open: %+v, %v", f, err)
		}
		if err := fake.PayPart(text, 1_000_000); err != nil {
			t.Fatal(err)
		}
		if f, err := n.Look(t.Context(), nodeHash); err != nil || f.Event != pos.See {
			t.Errorf("a part: %+v, %v", f, err)
		}
		if err := fake.Pay(text, 3_300_000); err == nil { // less than the whole, as one payment
			t.Error("an underpayment was taken")
		}
		if err := fake.Pay(text, 4_300_000); err != nil {
			t.Fatal(err)
		}
		for what, ask := range map[string]func() (pos.Finding, error){
			"look":   func() (pos.Finding, error) { return n.Look(t.Context(), nodeHash) },
			"cancel": func() (pos.Finding, error) { return n.Cancel(t.Context(), nodeHash) },
		} {
			if f, err := ask(); err != nil || f.Event != pos.Settle || !f.Final || f.Received.Cmp(pos.Bitcoin.UnitsOf(4_300_000)) < 0 || f.At.IsZero() {
				t.Errorf("paid, %s: %+v, %v", what, f, err)
			}
		}
		if _, _, err := n.Invoice(t.Context(), nodePre, 4_300_000, about, 5*time.Minute); pos.KindOf(err) != pos.Conflict {
			t.Errorf("asked for after it was paid: %v", err)
		}
	})
}

// TestNodeEnds lets one invoice expire and cancels another. Goal: neither can be
// made again, not even at a node that deletes what has ended.
func TestNodeEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake := lndtest.New(t, lndtest.Options{})
		n := newNode(t, fake)
		text, _, err := n.Invoice(t.Context(), nodePre, 1000, about, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(61 * time.Second)
		if f, err := n.Look(t.Context(), nodeHash); err != nil || f.Event != pos.Expire || !f.Final {
			t.Errorf("expired: %+v, %v", f, err)
		}
		if _, _, err := n.Invoice(t.Context(), nodePre, 1000, about, time.Minute); pos.KindOf(err) != pos.Conflict {
			t.Errorf("an expired one again: %v", err)
		}
		fake.DeleteCanceled()
		other := [32]byte{9}
		h := sha256.Sum256(other[:])
		if text, _, err = n.Invoice(t.Context(), other, 1000, about, time.Minute); err != nil {
			t.Fatal(err)
		}
		if f, err := n.Cancel(t.Context(), h); err != nil || f.Event != pos.Cancel || !f.Final {
			t.Errorf("cancelled: %+v, %v", f, err)
		}
		if fake.Pay(text, 1000) == nil {
			t.Error("a cancelled invoice was paid")
		}
		if _, _, err := n.Invoice(t.Context(), other, 1000, about, time.Minute); pos.KindOf(err) != pos.Conflict || fake.Calls("AddInvoice") != 3 {
			t.Errorf("a cancelled one again: %v, %d calls", err, fake.Calls("AddInvoice"))
		}
		if _, err := n.Cancel(t.Context(), h); pos.KindOf(err) != pos.NotFound {
			t.Errorf("cancel what was deleted: %v", err)
		}
	})
}

// TestNodeDoubt loses answers and lies. Goal: never a verdict, and no wrong invoice
// that anybody could pay.
func TestNodeDoubt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake := lndtest.New(t, lndtest.Options{})
		n := newNode(t, fake)
		fake.Next("AddInvoice", lndtest.LoseAnswer)
		if _, _, err := n.Invoice(t.Context(), nodePre, 1000, about, time.Minute); err != nil && pos.KindOf(err) != pos.Unavailable {
			t.Errorf("lost answer: %v", err)
		}
		if _, _, err := n.Invoice(t.Context(), nodePre, 1000, about, time.Minute); err != nil || fake.Invoices() != 1 {
			t.Errorf("asked again: %v, %d invoices", err, fake.Invoices())
		}
		for name, fault := range map[string]lndtest.Fault{"cut": lndtest.LoseRequest, "a proxy": lndtest.HTML, "a portal": lndtest.Portal,
			"nonsense": lndtest.Say(http.StatusOK, "application/json", `{"state":"SETTLED"}`), "denied": lndtest.Refuse(500, 2, "permission denied")} {
			fake.Always("LookupInvoice", fault)
			fake.Always("CancelInvoice", fault)
			if f, err := n.Look(t.Context(), nodeHash); pos.KindOf(err) != pos.Unavailable || f.Event != "" {
				t.Errorf("%s: look %+v, %v", name, f, err)
			}
			if f, err := n.Cancel(t.Context(), nodeHash); pos.KindOf(err) != pos.Unavailable || f.Event != "" {
				t.Errorf("%s: cancel %+v, %v", name, f, err)
			}
		}
		fake.Always("LookupInvoice", nil)
		fake.Always("CancelInvoice", nil)
		other := sha256.Sum256([]byte("another text"))
		if text, _, err := n.Invoice(t.Context(), nodePre, 1000, other, time.Minute); pos.KindOf(err) != pos.Conflict || text != "" {
			t.Errorf("another description under the same hash: %q, %v", text, err)
		}
		if f, err := n.Look(t.Context(), nodeHash); err != nil || !f.Final {
			t.Errorf("a wrong invoice stays payable: %+v, %v", f, err)
		}
	})
}

// TestNodeBounds refuses what Lightning cannot have, and keys that can spend.
func TestNodeBounds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake := lndtest.New(t, lndtest.Options{})
		n := newNode(t, fake)
		for name, bad := range map[string]struct {
			msat   int64
			expiry time.Duration
		}{"nothing": {0, time.Minute}, "negative": {-1000, time.Minute}, "half a satoshi": {1500, time.Minute}, "all the bitcoin and more": {maxMsat + 1000, time.Minute},
			"short": {1000, 59 * time.Second}, "long": {1000, time.Hour}, "a fraction of a second": {1000, time.Minute + time.Millisecond}} {
			if _, _, err := n.Invoice(t.Context(), nodePre, bad.msat, about, bad.expiry); pos.KindOf(err) != pos.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		if fake.Calls("AddInvoice") != 0 {
			t.Error("the node was asked")
		}
		text := fake.ConnectionWith(fake.Bake("0", append([]string{"offchain:write"}, lndtest.TillRights...)...))
		if _, err := NewNode(Options{Source: func() (string, string) { return text, "" }}); pos.KindOf(err) != pos.Forbidden {
			t.Errorf("a key that can spend: %v", err)
		}
	})
}
