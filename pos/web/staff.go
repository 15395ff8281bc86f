package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
)

// pinMax bounds a PIN before it is handed to anybody who would hash it.
const pinMax = 32

type signInIn struct {
	Actor  string `json:"actor"`
	PIN    string `json:"pin"`
	Bearer bool   `json:"bearer,omitempty"`
}

// opened is the answer to a sign-in. Token is there only when it was asked for;
// a browser gets a cookie that no script can read.
type opened struct {
	Actor pos.Actor `json:"actor"`
	Idle  int       `json:"idle_lock_seconds"`
	Token string    `json:"token,omitempty"`
}

// signIn handles POST /v1/sessions. It needs no Idempotency-Key: a repeated one
// makes another session, and their number is bounded.
func (a *App) signIn(c *fiber.Ctx) error {
	var in signInIn
	if err := decode(c, &in); err != nil {
		return err
	}
	if in.Actor == "" || len(in.Actor) > pos.MaxName || in.PIN == "" || len(in.PIN) > pinMax {
		return pos.E("sign in", pos.Invalid, "name and PIN, please")
	}
	if !a.known(in.Actor) {
		return pos.E("sign in", pos.Forbidden, "this PIN is not right")
	}
	ctx, cancel := a.within(deskWithin)
	defer cancel()
	who, err := a.o.Staff.SignIn(ctx, in.Actor, in.PIN)
	if err != nil {
		return err
	}
	a.sessions.end(tokenOf(c)) // the same screen, another person
	token := a.sessions.start(who)
	out := opened{Actor: who, Idle: int(idleLock.Seconds())}
	if in.Bearer {
		out.Token = token
	} else {
		c.Cookie(&fiber.Cookie{Name: cookieName, Value: token, Path: "/", HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode, SessionOnly: true})
	}
	return c.Status(fiber.StatusCreated).JSON(out)
}

// known reports that somebody of this name may sign in. Names are no secret, the
// sign-in screen shows them; a stranger who makes them up is to cost no hash and no
// record.
func (a *App) known(id string) bool {
	return slices.ContainsFunc(a.o.Staff.Names(), func(who pos.Actor) bool { return who.ID == id })
}

func (a *App) signOut(c *fiber.Ctx) error {
	ctx, cancel := a.within(deskWithin)
	defer cancel()
	a.sessions.end(tokenOf(c)) // first: a till that cannot record it must still lock
	c.Cookie(&fiber.Cookie{Name: cookieName, Path: "/", HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode, Expires: time.Unix(1, 0)})
	if err := a.o.Staff.SignOut(ctx, actorOf(c)); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// member is somebody on the sign-in screen. The role is told only to who is
// signed in: a stranger need not know whose PIN is worth most.
type member struct {
	ID   string   `json:"id"`
	Name string   `json:"name"`
	Role pos.Role `json:"role,omitempty"`
}

type staffPage struct {
	Staff []member `json:"staff"`
	Code  bool     `json:"code_needed,omitempty"` // to set the till up from where this was asked
}

func (a *App) listStaff(c *fiber.Ctx) error {
	_, signed := a.sessions.peek(tokenOf(c))
	out := staffPage{Staff: []member{}}
	for _, who := range a.o.Staff.Names() {
		m := member{ID: who.ID, Name: who.Name}
		if signed {
			m.Role = who.Role
		}
		out.Staff = append(out.Staff, m)
	}
	out.Code = len(out.Staff) == 0 && !atTill(c)
	return c.JSON(out)
}

type addStaffIn struct {
	Name string   `json:"name"`
	Role pos.Role `json:"role"`
	PIN  string   `json:"pin"`
}

func (a *App) addStaff(c *fiber.Ctx) error {
	var in addStaffIn
	if err := decode(c, &in); err != nil {
		return err
	}
	switch {
	case in.Role != pos.Cashier && in.Role != pos.Manager && in.Role != pos.Owner:
		return pos.E("add staff", pos.Invalid, "the role is cashier, manager or owner")
	case !actorOf(c).Role.Includes(in.Role):
		return pos.E("add staff", pos.Forbidden, "nobody can give more than their own role")
	}
	if err := namePIN(in.Name, in.PIN); err != nil {
		return err
	}
	return a.once(c, func() (int, any, error) {
		ctx, cancel := a.within(deskWithin)
		defer cancel()
		who, err := a.o.Staff.Add(ctx, actorOf(c), in.Name, in.Role, in.PIN)
		return fiber.StatusCreated, who, err
	})
}

type setUpIn struct {
	Name string `json:"name"`
	PIN  string `json:"pin"`
	Code string `json:"code,omitempty"` // from the till's log; not needed at the till itself
}

// codeLen is the letters of a set-up code, of 5 bits each: strict lets nobody try
// 2^40 of them.
const codeLen = 8

func newCode() string {
	text := rand.Text() // base 32: no 0, 1, 8 or 9 to mistake
	return text[:codeLen/2] + "-" + text[codeLen/2:codeLen]
}

// mayFound fails with Forbidden when c comes from another machine and does not
// bring the code: else the first on the network would own the till.
func (a *App) mayFound(c *fiber.Ctx, typed string) error {
	if atTill(c) || len(a.o.Staff.Names()) > 0 { // then Found refuses
		return nil
	}
	typed = strings.NewReplacer("-", "", " ", "").Replace(strings.ToUpper(typed))
	want := strings.ReplaceAll(a.code, "-", "")
	if want == "" || subtle.ConstantTimeCompare([]byte(typed), []byte(want)) != 1 {
		return pos.E("set up", pos.Forbidden, "type the set-up code; the till wrote it into its log when it started")
	}
	return nil
}

// setUp makes the owner at first use. It starts no session: sign in next.
func (a *App) setUp(c *fiber.Ctx) error {
	var in setUpIn
	if err := decode(c, &in); err != nil {
		return err
	}
	if err := namePIN(in.Name, in.PIN); err != nil {
		return err
	}
	if err := a.mayFound(c, in.Code); err != nil {
		return err
	}
	return a.once(c, func() (int, any, error) {
		ctx, cancel := a.within(deskWithin)
		defer cancel()
		who, err := a.o.Staff.Found(ctx, in.Name, in.PIN)
		return fiber.StatusCreated, who, err
	})
}

// namePIN checks bounds; the staff decides what will do.
func namePIN(name, pin string) error {
	if name == "" || len(name) > pos.MaxName || pin == "" || len(pin) > pinMax {
		return pos.E("check name", pos.Invalid, "a name and a PIN are needed")
	}
	return nil
}

type enrolIn struct {
	URL  string `json:"url"`
	Code string `json:"code"`
}

type enrolled struct {
	URL string `json:"url"`
}

func (a *App) enrol(c *fiber.Ctx) error {
	var in enrolIn
	if err := decode(c, &in); err != nil {
		return err
	}
	u, err := url.Parse(in.URL)
	switch {
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || len(in.URL) > 300:
		return pos.E("enrol", pos.Invalid, "the head office's address begins with https://")
	case in.Code == "" || len(in.Code) > 100:
		return pos.E("enrol", pos.Invalid, "the head office's code is needed")
	case a.o.Enroller == nil:
		return pos.E("enrol", pos.Unavailable, "this till was set up to work without a head office")
	}
	return a.once(c, func() (int, any, error) {
		ctx, cancel := a.within(enrolWithin)
		defer cancel()
		return fiber.StatusCreated, enrolled{in.URL}, a.o.Enroller.Enrol(ctx, actorOf(c), in.URL, in.Code)
	})
}

// replays keeps the answers to keys that the desk does not see, so that a POST
// repeated over a bad line happens once. One at a time: they are rare.
type replays struct {
	mu     sync.Mutex
	secret []byte // bodies hold PINs: what is kept of them must tell nothing
	by     map[string]replay
}

type replay struct {
	body   [sha256.Size]byte
	status int
	answer any
	at     time.Time
}

func newReplays() *replays {
	secret := make([]byte, sha256.Size)
	rand.Read(secret) // never fails: crypto/rand, Go 1.24
	return &replays{secret: secret, by: map[string]replay{}}
}

// once does f unless this client has had its answer for this key. Only success is
// kept: what failed changed nothing and may be tried again. The same key with
// another body fails with Conflict.
func (a *App) once(c *fiber.Ctx, f func() (int, any, error)) error {
	key, err := idempotencyKey(c)
	if err != nil {
		return err
	}
	r := a.replays
	mac := hmac.New(sha256.New, r.secret)
	mac.Write(c.Request().Body())
	body := [sha256.Size]byte(mac.Sum(nil))
	name := c.Path() + " " + actorOf(c).ID + " " + key
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.by[name]; ok && time.Since(known.at) < replayFor {
		if known.body != body {
			return pos.E("read request", pos.Conflict, "this Idempotency-Key was used for something else")
		}
		return c.Status(known.status).JSON(known.answer)
	}
	code, answer, err := f()
	if err != nil {
		return err
	}
	r.keep(name, replay{body, code, answer, time.Now()})
	return c.Status(code).JSON(answer)
}

// keep makes room for one more by dropping the oldest.
func (r *replays) keep(name string, n replay) {
	if len(r.by) >= maxReplays {
		var oldest string
		for k, v := range r.by {
			if oldest == "" || v.at.Before(r.by[oldest].at) {
				oldest = k
			}
		}
		delete(r.by, oldest)
	}
	r.by[name] = n
}
