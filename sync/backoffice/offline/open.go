package offline

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/backoffice/store"
)

// What a customer's phone may be told. Whatever is wrong with a token, it is the
// first of these.
var (
	errRefused = offpay.ErrToken
	errPaid    = pos.E("answer", pos.Conflict, "Already paid.")
	errPrice   = pos.E("answer", pos.Conflict, "The price has changed. Scan the code again.")
	errBusy    = pos.E("answer", pos.Unavailable, "The shop cannot take Lightning right now. Try again in a moment or pay in cash.")
)

// key makes a device's key of the secret and the epoch's salt.
func (o *Office) key(device offpay.Device, epoch uint8, salt []byte) offpay.Key {
	mac := hmac.New(sha256.New, o.o.Secret)
	mac.Write([]byte("OFFPAY1 device key"))
	mac.Write(device[:])
	mac.Write([]byte{epoch})
	mac.Write(salt)
	return offpay.Key(mac.Sum(nil))
}

// preimage derives what opens an attempt's invoice. Token, attempt and secret are
// all it needs, so an invoice can be found again whose making was lost.
func (o *Office) preimage(t offpay.Token, attempt int) (pre, hash [32]byte) {
	mac := hmac.New(sha256.New, o.o.Secret)
	mac.Write([]byte("OFFPAY1 preimage"))
	mac.Write(t[:])
	mac.Write(binary.BigEndian.AppendUint32(nil, uint32(attempt)))
	pre = [32]byte(mac.Sum(nil))
	return pre, sha256.Sum256(pre[:])
}

// sale is a good token, and what is kept of it.
type sale struct {
	store.OfflineSale
	keys   *offpay.Keys
	amount pos.Amount
	may    bool // a new quote and a new invoice may be made
}

func (s *sale) url(host string) string { return offpay.URL(host, s.Token) }

// code returns the six digits. Only a sale that is paid on disk has any.
func (s *sale) code() (string, bool) {
	if s.State != store.OfflinePaid {
		return "", false
	}
	return s.keys.Code(s.Token), true
}

// open judges a phone's request in the order of the specification: form and version,
// device and till, epoch, tag, amount, currency, identity, age. A token's tag is
// computed whoever it names, with a key of nobody's when it names nobody. It fails
// with errRefused, and with Unavailable when the store does not answer.
func (o *Office) open(ctx context.Context, text string, now time.Time) (*sale, error) {
	t, err := offpay.ParseToken(text)
	if err != nil {
		return nil, errRefused
	}
	key, req, keys, err := o.unseal(ctx, t)
	if err != nil {
		return nil, err
	}
	s, seen, err := o.known(ctx, t, req, key, keys, now)
	if err != nil {
		return nil, err
	}
	begun := seen && (s.State == store.OfflinePaid || s.Attempt > 0 && s.State == store.OfflineOpen)
	s.may = usable(key, now) && o.within(req, key) && young(req, key, s.OfflineSale, seen, now) &&
		(!seen || s.State == store.OfflineOpen && s.Void.IsZero() && s.Accepted.IsZero())
	switch {
	case !s.may && !begun:
		return nil, errRefused
	case seen:
		return s, nil
	}
	return s, o.see(ctx, s, now)
}

// unseal computes the tag of a token, known or not. It fails with errRefused.
func (o *Office) unseal(ctx context.Context, t offpay.Token) (store.OfflineKey, offpay.Request, *offpay.Keys, error) {
	key, err := o.o.Store.OfflineKey(ctx, t.Device(), t.Epoch())
	known := err == nil
	if !known && pos.KindOf(err) != pos.NotFound {
		return key, offpay.Request{}, nil, err
	}
	salt := key.Salt
	if !known {
		salt = make([]byte, saltBytes) // the dummy key: the same work
	}
	keys := offpay.Derive(o.key(t.Device(), t.Epoch(), salt), t.Device(), t.Epoch())
	o.opened.Add(1)
	req, err := keys.Open(t)
	if err != nil || !known {
		return key, offpay.Request{}, nil, errRefused
	}
	return key, req, keys, nil
}

// known finds what is kept of a token. Another token under its counter is an alarm.
func (o *Office) known(ctx context.Context, t offpay.Token, req offpay.Request, key store.OfflineKey, keys *offpay.Keys, now time.Time) (s *sale, seen bool, err error) {
	s = &sale{OfflineSale: saleOf(t, req, key), keys: keys}
	currency, err := pos.CurrencyOf(key.Currency)
	if err != nil {
		return nil, false, err
	}
	s.amount = currency.Of(s.Minor)
	kept, err := o.o.Store.OfflineSale(ctx, s.OfflineID)
	switch {
	case err == nil && kept.Token != t:
		return nil, false, o.conflict(ctx, key.Till, s.Counter, now)
	case err == nil:
		s.OfflineSale = kept
		return s, true, nil
	case pos.KindOf(err) != pos.NotFound:
		return nil, false, err
	}
	return s, false, nil
}

// saleOf is a token that is seen for the first time.
func saleOf(t offpay.Token, req offpay.Request, key store.OfflineKey) store.OfflineSale {
	s := store.OfflineSale{
		OfflineID: store.OfflineID{Device: t.Device(), Epoch: t.Epoch(), Counter: req.Counter}, Till: key.Till, Token: t,
		Minor: int64(req.Amount), Currency: key.Currency, TTL: time.Duration(req.TTL) * time.Minute, State: store.OfflineOpen,
	}
	if req.Issued != 0 {
		s.Issued = time.Unix(int64(req.Issued), 0).UTC()
	}
	return s
}

// see keeps a token that nobody brought before.
func (o *Office) see(ctx context.Context, s *sale, now time.Time) error {
	kept, err := o.o.Store.OfflineSee(ctx, s.OfflineSale, now)
	if err != nil {
		return err
	}
	if kept.Token != s.Token { // two with one counter, at the same moment
		return o.conflict(ctx, s.Till, s.Counter, now)
	}
	s.OfflineSale = kept
	return nil
}

// conflict raises the alarm of a cloned or restored card and switches the till off.
// It returns errRefused, for the phone.
func (o *Office) conflict(ctx context.Context, till string, counter uint32, now time.Time) error {
	o.o.Log.Error("two offline tokens bear one counter", "till", till, "counter", counter)
	a := store.Alarm{Till: till, Kind: store.AlarmConflict, N: uint64(counter), Why: store.Say("op_conflict", "ref", offpay.Reference(counter))}
	if err := o.o.Store.OfflineOff(ctx, till, o.word("op_off_alarm"), a, now); err != nil {
		return err
	}
	return errRefused
}

// usable reports that a key may begin something new: its till is on, and its epoch
// is the newest that the till holds, or a later one that the till is just taking
// over, or the one before, for 72 hours.
func usable(k store.OfflineKey, now time.Time) bool {
	switch {
	case !k.Revoked.IsZero() || !k.Off.IsZero():
		return false
	case k.NextHeld.IsZero() || k.Epoch >= k.Next:
		return true
	}
	return k.Epoch == k.Next-1 && now.Before(k.NextHeld.Add(oldKeyFor))
}

// within reports that the amount is within the cap and in the till's currency.
func (o *Office) within(r offpay.Request, k store.OfflineKey) bool {
	n, err := offpay.Numeric(k.Currency)
	return err == nil && n == r.Currency && k.Currency == o.o.Currency && r.Amount <= uint64(o.o.Limits.PerSale)
}

// young reports that a token's time is not over. Where the till had no clock to
// trust, its counter stands for the time.
func young(r offpay.Request, k store.OfflineKey, s store.OfflineSale, seen bool, now time.Time) bool {
	ttl := time.Duration(r.TTL) * time.Minute
	if r.Issued != 0 {
		at := time.Unix(int64(r.Issued), 0)
		return !now.Before(at.Add(-slack)) && !now.After(at.Add(ttl+slack))
	}
	apart := int64(r.Counter) - int64(k.Highest)
	return max(apart, -apart) <= counterSlack && (!seen || !now.After(s.First.Add(ttl)))
}
