package pos

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// TestDigest compares every command with every other: the same content has the
// same digest whoever asks and under whatever key, any other content another one.
func TestDigest(t *testing.T) {
	actions := []Action{
		OpenSale{}, OpenSale{"a"}, OpenSale{NoSale}, NextCustomer{}, NextCustomer{"a"},
		SwitchTo{}, SwitchTo{"a"}, SwitchTo{"b"}, ClearSale{}, ClearSale{"a"}, Reprint{}, Reprint{Sale: "a"}, Reprint{Ticket: true}, Reprint{Ticket: true, Printer: "a"},
		AddItem{}, AddItem{"a", "", 0, 0}, AddItem{"", "a", 0, 0}, AddItem{"", "", 1, 0}, AddItem{"", "1", 0, 0}, AddItem{"", "a", 1000, 0}, AddItem{"a", "a", 1000, 0},
		AddAmount{}, AddAmount{"", "tea", 440, 0, ""}, AddAmount{"", "tea", 440, 1000, ""}, AddAmount{"", "tea", 440, 0, "A"}, AddAmount{"", "", 440, 0, "A"}, AddAmount{"tea", "", 440, 0, ""},
		AddAmount{"", `tea","Minor":1,"x":"`, 440, 0, ""}, AddAmount{"", "Tea", 440, 0, ""}, AddAmount{"", "tea ", 440, 0, ""},
		SetQty{}, SetQty{"", 1, 0}, SetQty{"", 0, 1}, SetQty{"", 1, 1}, SetQty{"", 11, 1}, SetQty{"", 1, 11},
		Pay{}, Pay{"", Cash, 0, 0}, Pay{"", Cash, 500, 0}, Pay{"", Cash, 0, 500}, Pay{"", "lightning", 0, 0}, Pay{"", "", 500, 0},
		CancelPayment{}, CancelPayment{"a", "", false}, CancelPayment{"", "a", false}, CancelPayment{"", "a", true}, CancelPayment{"", "", true},
		OpenDrawer{}, OpenDrawer{"change"}, Dismiss{}, Dismiss{1}, Dismiss{11},
	}
	seen := map[string]Action{}
	for _, a := range actions {
		d := Command{Key: "k1", By: Till, Do: a}.Digest()
		if other, ok := seen[d]; ok {
			t.Errorf("%#v and %#v have the same digest", a, other)
		}
		seen[d] = a
		if again := (Command{Key: "k2", By: Actor{ID: "u9", Role: Owner}, Do: a}).Digest(); again != d {
			t.Errorf("%#v: digest depends on key or actor", a)
		}
		if len(d) != 24 || strings.Trim(d, "0123456789abcdef") != "" {
			t.Errorf("%#v: digest %q", a, d)
		}
	}
}

// TestDigestIsKept pins one: digests are in the journal, and a till that computes
// another one after an update would do a repeated command twice.
func TestDigestIsKept(t *testing.T) {
	got := Command{Do: Pay{Sale: "s1", Tender: Cash, Given: 500}}.Digest()
	if want := "6a7b6e58bdd7258055f4ad74"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	sum := sha256.Sum256([]byte(`pos.Reprint {"Sale":"s1"}`)) // as it was when there were no tickets
	if got, want := (Command{Do: Reprint{Sale: "s1"}}).Digest(), hex.EncodeToString(sum[:12]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	sum = sha256.Sum256([]byte(`pos.OpenSale {}`)) // as it was when it named no sale
	if got, want := (Command{Do: OpenSale{}}).Digest(), hex.EncodeToString(sum[:12]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestKind(t *testing.T) {
	kinds := []Kind{Internal, Invalid, NotFound, Conflict, Unavailable, Corrupt, Forbidden, Exhausted}
	seen := map[string]bool{}
	for _, k := range kinds {
		if seen[k.String()] || ParseKind(k.String()) != k {
			t.Errorf("%d travels as %s and arrives as %d", k, k, ParseKind(k.String()))
		}
		seen[k.String()] = true
	}
	if len(kinds) != len(kindNames) {
		t.Errorf("%d kinds, %d names", len(kinds), len(kindNames))
	}
	if got := Kind(200).String(); got != "internal" {
		t.Errorf("an unknown kind is %s", got)
	}
	for _, name := range []string{"", "Invalid", "invalid ", "teapot"} {
		if ParseKind(name) != Internal {
			t.Errorf("%q is %v", name, ParseKind(name))
		}
	}
	var zero Kind
	if zero != Internal {
		t.Error("the zero kind is not the careful one")
	}
}

func TestError(t *testing.T) {
	cause := fmt.Errorf("write /perm/journal: %w", io.ErrShortWrite)
	wrapped := Wrap("append record", Unavailable, cause, "the till's storage is full at %d %%", 100)
	texts := map[string]error{
		"open sale: there is no sale 7":                                        E("open sale", NotFound, "there is no sale %d", 7),
		"append record: the till's storage is full at 100 %: " + cause.Error(): wrapped,
		"append record: " + cause.Error():                                      &Error{Op: "append record", Err: cause},
	}
	for want, err := range texts {
		if err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
	if !errors.Is(wrapped, io.ErrShortWrite) || strings.Contains(wrapped.Msg, "/perm") {
		t.Errorf("cause lost, or shown to the cashier: %q", wrapped.Msg)
	}
	kinds := []struct {
		err  error
		want Kind
	}{
		{nil, Internal}, {io.EOF, Internal}, {wrapped, Unavailable}, {fmt.Errorf("pay: %w", wrapped), Unavailable},
		{errors.Join(io.EOF, E("a", Conflict, "b"), wrapped), Conflict},
		{Wrap("a", Forbidden, wrapped, "b"), Forbidden}, // the outer word counts
		{Wrap("a", Internal, wrapped, "b"), Internal},
	}
	for _, tt := range kinds {
		if got := KindOf(tt.err); got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.err, got, tt.want)
		}
	}
}

// TestNewBody panics for what is no body of ours, and for nothing else.
func TestNewBody(t *testing.T) {
	for _, v := range []any{Genesis{}, Boot{}, Enrolled{}, Checkpoint{}, Fork{}, StaffChanged{}, ByActor{}, PINFailed{}, LineRemoved{}, BasketCleared{}, SaleCharged{}, PaymentMoved{}, SaleCompleted{}, SaleCancelled{}, DrawerOpened{}, Reprinted{}, PrintFailed{}, Stopped{}} {
		if b := NewBody(v); !json.Valid(b) {
			t.Errorf("%T: %s", v, b)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a channel became a body")
		}
	}()
	NewBody(make(chan int))
}
