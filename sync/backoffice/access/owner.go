package access

import (
	"context"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// How long things last.
const (
	SessionIdle = 12 * time.Hour      // a working day; a browser left open overnight is signed out
	SessionLife = 30 * 24 * time.Hour // then the password is asked for again
	LinkLife    = 24 * time.Hour
	seenEvery   = time.Minute // how often a session's use is written down
	keyLife     = 5 * 365 * 24 * time.Hour
)

// PasswordStore keeps the owner's password hash.
type PasswordStore interface {
	Attempts
	Password(ctx context.Context) (string, error)
	// SetPassword ends all sessions and links.
	SetPassword(ctx context.Context, encoded string, at time.Time) error
}

// TicketStore keeps tickets by the hash of their token.
type TicketStore interface {
	AddTicket(ctx context.Context, t store.Ticket) error
	// Ticket fails with NotFound.
	Ticket(ctx context.Context, kind string, hash []byte) (store.Ticket, error)
	SeeTicket(ctx context.Context, hash []byte, at time.Time) error
	DropTicket(ctx context.Context, kind string, hash []byte) (was bool, err error)
}

// Owner knows the owner.
type Owner struct {
	passwords PasswordStore
	tickets   TicketStore
	turns     turns
}

// NewOwner returns the owner's doors.
func NewOwner(p PasswordStore, t TicketStore) *Owner { return &Owner{p, t, newTurns()} }

// errSignIn does not say what was wrong.
var errSignIn = pos.E("sign in", pos.Forbidden, "that is not the password")

// HasPassword reports that the owner set one.
func (o *Owner) HasPassword(ctx context.Context) (bool, error) {
	p, err := o.passwords.Password(ctx)
	return p != "", err
}

// SetPassword sets the owner's password and signs everybody out. It fails with
// Invalid for one that is too short or too long.
func (o *Owner) SetPassword(ctx context.Context, password string, at time.Time) error {
	encoded, err := hashPassword(ctx, password)
	if err != nil {
		return err
	}
	return o.passwords.SetPassword(ctx, encoded, at)
}

// SignIn checks the password and returns the token of a new session. who is the
// address it came from. It fails with Forbidden, and with Exhausted after too many
// wrong tries. It takes a tenth of a second on purpose.
func (o *Owner) SignIn(ctx context.Context, who, password string, at time.Time) (token string, err error) {
	if err := o.turns.take(ctx); err != nil {
		return "", err
	}
	defer o.turns.done()
	if err := allowed(ctx, o.passwords, "sign-in", who, at); err != nil {
		return "", err
	}
	encoded, err := o.passwords.Password(ctx)
	if err != nil {
		return "", err
	}
	ok, err := checkPassword(ctx, encoded, password)
	if err != nil {
		return "", err
	}
	if !ok {
		if err := wrong(ctx, o.passwords, "sign-in", who, at); err != nil {
			return "", err
		}
		return "", errSignIn
	}
	return o.issue(ctx, store.TicketSession, "", at, SessionLife)
}

func (o *Owner) issue(ctx context.Context, kind, name string, at time.Time, life time.Duration) (string, error) {
	token, hash := newToken()
	return token, o.tickets.AddTicket(ctx, store.Ticket{Hash: hash, Kind: kind, Name: name, Made: at, Ends: at.Add(life)})
}

// Session checks a session's token. It fails with NotFound when the owner must
// sign in.
func (o *Owner) Session(ctx context.Context, token string, at time.Time) error {
	t, err := o.tickets.Ticket(ctx, store.TicketSession, hashOf(token))
	if err != nil {
		return err
	}
	if !at.Before(t.Ends) || at.Sub(t.Seen) > SessionIdle {
		return pos.E("sign in", pos.NotFound, "please sign in again")
	}
	if at.Sub(t.Seen) > seenEvery {
		return o.tickets.SeeTicket(ctx, t.Hash, at)
	}
	return nil
}

// SignOut ends a session.
func (o *Owner) SignOut(ctx context.Context, token string) error {
	_, err := o.tickets.DropTicket(ctx, store.TicketSession, hashOf(token))
	return err
}

// NewLink returns the token of a link that sets the password once.
func (o *Owner) NewLink(ctx context.Context, at time.Time) (token string, err error) {
	return o.issue(ctx, store.TicketLink, "", at, LinkLife)
}

// Link checks a link's token without using it up. It fails with NotFound.
func (o *Owner) Link(ctx context.Context, token string, at time.Time) error {
	t, err := o.tickets.Ticket(ctx, store.TicketLink, hashOf(token))
	if err == nil && !at.Before(t.Ends) {
		err = pos.E("set up", pos.NotFound, "this link is too old")
	}
	return err
}

// UseLink sets the password by a link, which works once. It fails with NotFound
// for a link that is used or too old, with Invalid for the password; then the link
// still works.
func (o *Owner) UseLink(ctx context.Context, token, password string, at time.Time) error {
	if err := o.Link(ctx, token, at); err != nil {
		return err
	}
	encoded, err := hashPassword(ctx, password)
	if err != nil {
		return err
	}
	was, err := o.tickets.DropTicket(ctx, store.TicketLink, hashOf(token))
	if err != nil {
		return err
	}
	if !was {
		return pos.E("set up", pos.NotFound, "this link was used already")
	}
	return o.passwords.SetPassword(ctx, encoded, at)
}

// NewKey returns a new key of the API.
func (o *Owner) NewKey(ctx context.Context, name string, at time.Time) (token string, err error) {
	return o.issue(ctx, store.TicketKey, name, at, keyLife)
}

// Key checks a key of the API. It fails with NotFound.
func (o *Owner) Key(ctx context.Context, token string, at time.Time) error {
	t, err := o.tickets.Ticket(ctx, store.TicketKey, hashOf(token))
	if err == nil && !at.Before(t.Ends) {
		err = pos.E("check key", pos.NotFound, "this key is too old")
	}
	return err
}
