// Package keypad sells with a numeric keypad and a small panel alone: the cheapest
// till there is. It stands between the keys and the desk, and says what the panel
// tells the cashier.
//
// Promise. Press never blocks whoever reads the keys: keys wait in a queue with an
// end, each is taken once and in order, and when the queue is full all that follow
// are left out until it is empty, never one from the middle. No amount is sold that
// the prompt did not show before the key was pressed: a key that was pressed while an
// older prompt stood there types, but does not pay. What cannot be done is told in
// one sentence, and nothing that was typed is lost by it. From every state a handful
// of presses of Cancel lead to the next customer; none of them turns doubt about a
// payment into anything else. What was rung up is the desk's from the moment that it
// is shown, so a power cut loses the digits of one number at most.
//
// Limits. What needs a manager asks for one, by name and PIN. Signing in is by number and PIN; who leaves the keypad alone for IdleLock is
// signed out. Catalogue items, refunds, and paying in parts are done on a phone.
package keypad

import (
	"context"
	"crypto/rand"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Desk is the till behind the keys.
type Desk interface {
	// Do carries a command out and returns when its records are on flash. It may block
	// until ctx ends. It fails with any Kind.
	Do(ctx context.Context, c pos.Command) (pos.Answer, error)

	// View returns the newest view, without blocking. Nobody changes it later.
	View() pos.View

	// Sale returns an open or completed sale, not before the effects of the last Do
	// are in View; NotFound: there is none such, and they are.
	Sale(id pos.SaleID) (pos.SaleView, error)
}

// Staff knows who may use the till.
type Staff interface {
	// Names returns who may sign in; nobody: the till is not set up yet.
	Names() []pos.Actor

	// SignIn returns whose PIN it is. It may take a second. Forbidden: it is wrong;
	// Exhausted: locked after too many wrong ones.
	SignIn(ctx context.Context, id, pin string) (pos.Actor, error)

	// SignOut records that by left.
	SignOut(ctx context.Context, by pos.Actor) error
}

// Options wire a Keypad.
type Options struct {
	Desk     Desk
	Staff    Staff
	Currency pos.Currency
	Language string
	Layout   Layout

	// SetUp tells how the till is set up from a phone: its address, and the code that
	// is asked for there. It must not block. Nil: only that it has to be.
	SetUp func() (address, code string)

	Changed func(pos.Prompt) // told of each new prompt, one after the other; must not block
	Log     *slog.Logger     // nil: none
}

const (
	// maxKeys is how many keys wait while a command runs: a number, a step, and the
	// next number. Who types further than that types blind.
	maxKeys = 32

	// IdleLock is how long a keypad may be left alone before nobody is signed in: as
	// long as a screen.
	IdleLock = 5 * time.Minute

	// within bounds a command. The desk bounds a cancellation at 8 s.
	within = 15 * time.Second
)

// stroke is a pressed key.
type stroke struct {
	does  Function
	shown uint64 // number of the prompt that stood there
}

// Keypad turns keys into commands. Make one with New; Press and Publish may be
// called from anywhere, before Run too.
type Keypad struct {
	o    Options
	keys chan stroke
	news chan struct{}

	mu     sync.Mutex
	view   pos.View
	shown  uint64 // number of the newest prompt
	full   bool   // keys are left out until the queue is empty
	missed bool   // some were, and the cashier does not know yet
	prompt pos.Prompt
	actor  pos.Actor // who is signed in

	// Run's alone.
	m         machine
	deal      deal
	dealSince uint64
	began     bool
}

// New returns a keypad. Nothing happens before Run.
func New(o Options) *Keypad {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Changed == nil {
		o.Changed = func(pos.Prompt) {}
	}
	k := &Keypad{o: o, keys: make(chan stroke, maxKeys), news: make(chan struct{}, 1)}
	k.m = machine{o: o, show: k.show}
	return k
}

// Press takes a key by the name that the kernel gives it: "kp7", "kpplus", with KEY_
// before it or not. It never blocks. A key that does nothing is let pass.
func (k *Keypad) Press(key string) {
	if len(key) > maxName {
		return
	}
	f := k.o.Layout.Does(key)
	if f == None {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.full = k.full && len(k.keys) > 0; k.full {
		k.missed = true
		return
	}
	select {
	case k.keys <- stroke{f, k.shown}:
	default:
		k.full, k.missed = true, true
	}
}

// Publish makes v the newest view. It never blocks. The caller must not change what v
// refers to.
func (k *Keypad) Publish(v pos.View) {
	k.mu.Lock()
	if v.Version >= k.view.Version {
		k.view = v
	}
	k.mu.Unlock()
	select {
	case k.news <- struct{}{}:
	default:
	}
}

// Prompt returns what stands on the panel. It does not block.
func (k *Keypad) Prompt() pos.Prompt {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.prompt
}

// AtCounter returns who is signed in at the keypad, ok false when nobody is: what a
// scanner beside it adds is his doing. It does not block.
func (k *Keypad) AtCounter() (who pos.Actor, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.actor, k.actor != pos.Actor{}
}

// Run takes keys until ctx ends. A Keypad runs once.
func (k *Keypad) Run(ctx context.Context) error {
	idle := time.NewTimer(IdleLock)
	defer idle.Stop()
	k.look()
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-k.keys:
			idle.Reset(IdleLock)
			k.take(ctx, s)
		case <-k.news:
		case <-idle.C:
			k.m.leave(ctx)
		}
		k.look()
	}
}

// take lets one key work.
func (k *Keypad) take(ctx context.Context, s stroke) {
	ctx, stop := context.WithTimeout(ctx, within)
	defer stop()
	k.m.fresh = s.shown >= k.dealSince
	k.m.press(ctx, s.does)
}

// look takes in the newest view and shows what follows from it.
func (k *Keypad) look() {
	k.mu.Lock()
	v := k.view
	missed := k.missed && len(k.keys) == 0
	if missed {
		k.missed, k.full = false, false
	}
	k.mu.Unlock()
	k.m.look(v)
	if missed {
		k.m.trouble = k.m.word("kp.too_fast")
	}
	k.show()
}

// show hands a prompt that is new to whoever draws it.
func (k *Keypad) show() {
	p := k.m.prompt()
	k.mu.Lock()
	k.actor = k.m.actor
	same := k.began && reflect.DeepEqual(p, k.prompt)
	k.mu.Unlock()
	if same {
		return
	}
	k.began = true
	k.o.Changed(p)
	k.mu.Lock()
	k.prompt = p
	k.shown++
	n := k.shown
	k.mu.Unlock()
	if d := k.m.deal(); d != k.deal {
		k.deal, k.dealSince = d, n
	}
}

// key returns a fresh Idempotency-Key.
func key() string { return rand.Text() }
