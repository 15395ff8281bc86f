package access_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/access"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
	"github.com/tillwright/tillwright/sync/wire"
)

var (
	t0  = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{'b'}, ed25519.SeedSize))
)

const password = "correct horse battery"

func open(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "office.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(db.Check(context.Background()), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return db
}

func owner(t *testing.T) *access.Owner {
	t.Helper()
	db := open(t)
	o := access.NewOwner(db, db)
	if err := o.SetPassword(t.Context(), password, t0); err != nil {
		t.Fatal(err)
	}
	return o
}

// want checks an error's kind; 99 is none.
const none pos.Kind = 99

func want(t *testing.T, what string, err error, kind pos.Kind) {
	t.Helper()
	got := none
	if err != nil {
		got = pos.KindOf(err)
	}
	if got != kind {
		t.Errorf("%s: %v (%v), want %v", what, err, got, kind)
	}
}

func TestSignIn(t *testing.T) {
	o := owner(t)
	token, err := o.SignIn(t.Context(), "1.2.3.4", password, t0)
	want(t, "the password", err, none)
	for _, wrong := range []string{"", "correct horse batter", password + " ", strings.Repeat("x", 10_000)} {
		_, err := o.SignIn(t.Context(), "5.6.7.8", wrong, t0)
		want(t, fmt.Sprintf("%.20q", wrong), err, pos.Forbidden)
	}
	want(t, "the session", o.Session(t.Context(), token, t0.Add(time.Hour)), none)
	want(t, "no session", o.Session(t.Context(), "", t0), pos.NotFound)
	want(t, "another token", o.Session(t.Context(), token[1:], t0), pos.NotFound)
	want(t, "as a key", o.Key(t.Context(), token, t0), pos.NotFound)
	want(t, "signing out", o.SignOut(t.Context(), token), none)
	want(t, "after signing out", o.Session(t.Context(), token, t0), pos.NotFound)
}

// TestNoPassword signs in where none is set. Goal: nobody gets in with an empty one.
func TestNoPassword(t *testing.T) {
	db := open(t)
	o := access.NewOwner(db, db)
	for _, p := range []string{"", password} {
		_, err := o.SignIn(t.Context(), "a", p, t0)
		want(t, "sign in", err, pos.Forbidden)
	}
	if has, err := o.HasPassword(t.Context()); has || err != nil {
		t.Errorf("has a password: %v, %v", has, err)
	}
}

// TestSessionEnds lets a session idle, and use it every day for a month.
func TestSessionEnds(t *testing.T) {
	o := owner(t)
	token, err := o.SignIn(t.Context(), "a", password, t0)
	want(t, "sign in", err, none)
	want(t, "idle", o.Session(t.Context(), token, t0.Add(access.SessionIdle+time.Second)), pos.NotFound)
	at := t0
	for at.Before(t0.Add(access.SessionLife - access.SessionIdle)) {
		at = at.Add(access.SessionIdle - time.Minute)
		want(t, "in use", o.Session(t.Context(), token, at), none)
	}
	want(t, "after a month", o.Session(t.Context(), token, t0.Add(access.SessionLife)), pos.NotFound)
}

// TestNewPasswordEndsAll sets another password. Goal: whoever was in is out.
func TestNewPasswordEndsAll(t *testing.T) {
	o := owner(t)
	token, _ := o.SignIn(t.Context(), "a", password, t0)
	link, err := o.NewLink(t.Context(), t0)
	want(t, "link", err, none)
	apiKey, err := o.NewKey(t.Context(), "books", t0)
	want(t, "key", err, none)
	want(t, "set", o.SetPassword(t.Context(), "another long one", t0), none)
	want(t, "session", o.Session(t.Context(), token, t0), pos.NotFound)
	want(t, "link", o.Link(t.Context(), link, t0), pos.NotFound)
	want(t, "key", o.Key(t.Context(), apiKey, t0.Add(time.Hour)), none)
	_, err = o.SignIn(t.Context(), "a", password, t0)
	want(t, "old password", err, pos.Forbidden)
}

// TestLockout guesses. Goal: after five tries from one address even the password
// waits, another address does not, and a quarter of an hour later it works.
func TestLockout(t *testing.T) {
	o := owner(t)
	for range 5 {
		_, err := o.SignIn(t.Context(), "guesser", "wrong wrong", t0)
		want(t, "guess", err, pos.Forbidden)
	}
	_, err := o.SignIn(t.Context(), "guesser", password, t0.Add(time.Minute))
	want(t, "locked out", err, pos.Exhausted)
	_, err = o.SignIn(t.Context(), "owner", password, t0.Add(time.Minute))
	want(t, "from elsewhere", err, none)
	_, err = o.SignIn(t.Context(), "guesser", password, t0.Add(access.Locked+time.Second))
	want(t, "later", err, none)
}

func TestPasswordRule(t *testing.T) {
	o := owner(t)
	for p, kind := range map[string]pos.Kind{
		"": pos.Invalid, "123456789": pos.Invalid, "1234567890": none, "üüüüüüüüü": pos.Invalid, "üüüüüüüüüü": none, strings.Repeat("x", 257): pos.Invalid,
	} {
		want(t, fmt.Sprintf("%.12q", p), o.SetPassword(t.Context(), p, t0), kind)
	}
}

// TestLink sets the password by a link. Goal: once, in time, and a password that is
// refused leaves the link alone.
func TestLink(t *testing.T) {
	db := open(t)
	o := access.NewOwner(db, db)
	link, err := o.NewLink(t.Context(), t0)
	want(t, "link", err, none)
	want(t, "open", o.Link(t.Context(), link, t0), none)
	want(t, "too short", o.UseLink(t.Context(), link, "short", t0), pos.Invalid)
	want(t, "too late", o.UseLink(t.Context(), link, password, t0.Add(access.LinkLife)), pos.NotFound)
	want(t, "use", o.UseLink(t.Context(), link, password, t0), none)
	want(t, "again", o.UseLink(t.Context(), link, password+"!", t0), pos.NotFound)
	_, err = o.SignIn(t.Context(), "a", password, t0)
	want(t, "sign in", err, none)
}

func till(seed uint64) *tilltest.Till { return tilltest.New(seed, "01", "EUR", t0) }

// TestCodes tries every way a code must not work.
func TestCodes(t *testing.T) {
	db := open(t)
	c := access.NewCodes(db, key)
	code, ends, err := c.Make(t.Context(), "Counter", "", t0)
	want(t, "make", err, none)
	if !ends.Equal(t0.Add(access.CodeLife)) {
		t.Errorf("ends %v", ends)
	}
	enrol := func(who string, typed string, g pos.Genesis, at time.Time) error {
		return c.Enrol(t.Context(), who, wire.Enrolment{Code: typed, Genesis: g}, at)
	}
	one, two := till(1), till(2)
	want(t, "too late", enrol("a", code, one.Genesis, ends), pos.Forbidden)
	want(t, "wrong", enrol("a", "0000-0000", one.Genesis, t0), pos.Forbidden)
	want(t, "mistyped", enrol("a", "0000", one.Genesis, t0), pos.Forbidden)
	want(t, "right, sloppy", enrol("a", strings.ToLower(strings.ReplaceAll(code, "-", " ")), one.Genesis, t0), none)
	want(t, "the same till again", enrol("a", code, one.Genesis, t0.Add(time.Minute)), none)
	want(t, "another till", enrol("a", code, two.Genesis, t0), pos.Forbidden)
	got, err := db.Till(t.Context(), one.Genesis.Till)
	if err != nil || got.Name != "Counter" || !got.Key.Equal(ed25519.PublicKey(one.Genesis.Key)) {
		t.Errorf("till %+v, %v", got, err)
	}
	for range 5 {
		enrol("guesser", "0000-0000", two.Genesis, t0)
	}
	code, _, _ = c.Make(t.Context(), "", "", t0)
	want(t, "locked out", enrol("guesser", code, two.Genesis, t0), pos.Exhausted)
	want(t, "from elsewhere", enrol("b", code, two.Genesis, t0), none)
}

// TestGuessersTogether guesses from a hundred addresses. Goal: together they are
// stopped too.
func TestGuessersTogether(t *testing.T) {
	c := access.NewCodes(open(t), key)
	for i := range 100 {
		want(t, "guess", c.Enrol(t.Context(), fmt.Sprint(i), wire.Enrolment{Code: "0000-0000", Genesis: till(1).Genesis}, t0), pos.Forbidden)
	}
	want(t, "one more", c.Enrol(t.Context(), "new", wire.Enrolment{Code: "0000-0000", Genesis: till(1).Genesis}, t0), pos.Exhausted)
}

// TestGenesisShape enrols what no till is.
func TestGenesisShape(t *testing.T) {
	c := access.NewCodes(open(t), key)
	code, _, err := c.Make(t.Context(), "", "", t0)
	want(t, "make", err, none)
	for name, change := range map[string]func(*pos.Genesis){
		"no name": func(g *pos.Genesis) { g.Till = "" }, "long name": func(g *pos.Genesis) { g.Till += "00" }, "no hex": func(g *pos.Genesis) { g.Till = "../../etc/passwd" },
		"short key": func(g *pos.Genesis) { g.Key = g.Key[1:] }, "no currency": func(g *pos.Genesis) { g.Currency = "XXX" }, "long series": func(g *pos.Genesis) { g.Series = "123456789" },
	} {
		g := till(1).Genesis
		change(&g)
		want(t, name, c.Enrol(t.Context(), "a", wire.Enrolment{Code: code, Genesis: g}, t0), pos.Invalid)
	}
}

// TestAsk repeats requests for a code.
func TestAsk(t *testing.T) {
	db := open(t)
	c := access.NewCodes(db, key)
	one, ends, err := c.Make(t.Context(), "Counter", "key", t0)
	want(t, "make", err, none)
	again, ends2, err := access.NewCodes(db, key).Make(t.Context(), "Counter", "key", t0.Add(time.Minute)) // after a restart
	want(t, "again", err, none)
	if again != one || !ends2.Equal(ends) {
		t.Errorf("%s until %v, then %s until %v", one, ends, again, ends2)
	}
	_, _, err = c.Make(t.Context(), "Terrace", "key", t0)
	want(t, "another content", err, pos.Conflict)
	_, _, err = c.Make(t.Context(), "Counter", "key", ends)
	want(t, "after its end", err, pos.Conflict)
	_, _, err = c.Make(t.Context(), strings.Repeat("x", 61), "", t0)
	want(t, "long name", err, pos.Invalid)
	other, _, _ := access.NewCodes(db, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{'c'}, ed25519.SeedSize))).Make(t.Context(), "Counter", "key2", t0)
	mine, _, _ := c.Make(t.Context(), "Counter", "key3", t0)
	if other == mine || mine == one {
		t.Error("codes repeat")
	}
	for range 30 {
		_, _, err = c.Make(t.Context(), "", "", t0)
	}
	want(t, "too many open", err, pos.Exhausted)
	_, _, err = c.Make(t.Context(), "", "", t0.Add(access.CodeLife))
	want(t, "when they have ended", err, none)
}
