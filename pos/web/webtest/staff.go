package webtest

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"slices"
	"sync"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// MaxWrong is how many wrong PINs in a row lock somebody out.
const MaxWrong = 3

// Staff knows PINs in the clear: it is a toy.
type Staff struct {
	mu    sync.Mutex
	who   []pos.Actor
	pins  map[string]string
	wrong map[string]int
	gone  []pos.Actor
}

// NewStaff makes a staff of nobody.
func NewStaff() *Staff { return &Staff{pins: map[string]string{}, wrong: map[string]int{}} }

// Put adds somebody.
func (s *Staff) Put(name string, role pos.Role, pin string) pos.Actor {
	s.mu.Lock()
	defer s.mu.Unlock()
	who := pos.Actor{ID: fmt.Sprintf("p%d", len(s.who)+1), Name: name, Role: role}
	s.who = append(s.who, who)
	s.pins[who.ID] = pin
	return who
}

// Names returns who may sign in.
func (s *Staff) Names() []pos.Actor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.who)
}

// Found makes the owner.
func (s *Staff) Found(_ context.Context, name, pin string) (pos.Actor, error) {
	if len(s.Names()) > 0 {
		return pos.Actor{}, pos.E("set up", pos.Conflict, "this till has an owner already")
	}
	if len(pin) < 4 {
		return pos.Actor{}, pos.E("set up", pos.Invalid, "a PIN has 4 to 8 digits")
	}
	return s.Put(name, pos.Owner, pin), nil
}

type locked struct{ error }

func (locked) RetryAfter() time.Duration { return time.Minute }

// SignIn checks a PIN.
func (s *Staff) SignIn(_ context.Context, id, pin string) (pos.Actor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wrong[id] >= MaxWrong {
		return pos.Actor{}, pos.Wrap("sign in", pos.Exhausted, locked{fmt.Errorf("%d wrong", s.wrong[id])}, "locked after %d wrong PINs; wait 60 seconds", MaxWrong)
	}
	want, ok := s.pins[id]
	if !ok || want != pin {
		s.wrong[id]++
		return pos.Actor{}, pos.E("sign in", pos.Forbidden, "that PIN is wrong")
	}
	s.wrong[id] = 0
	return s.who[slices.IndexFunc(s.who, func(a pos.Actor) bool { return a.ID == id })], nil
}

// SignOut remembers that by is gone.
func (s *Staff) SignOut(_ context.Context, by pos.Actor) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = append(s.gone, by)
	return nil
}

// Gone returns who signed out.
func (s *Staff) Gone() []pos.Actor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.gone)
}

// Add lets somebody else use the till.
func (s *Staff) Add(_ context.Context, by pos.Actor, name string, role pos.Role, pin string) (pos.Actor, error) {
	switch {
	case !by.Role.Includes(pos.Manager):
		return pos.Actor{}, pos.E("add staff", pos.Forbidden, "a manager must do this")
	case slices.ContainsFunc(s.Names(), func(a pos.Actor) bool { return a.Name == name }):
		return pos.Actor{}, pos.E("add staff", pos.Conflict, "%s is there already", name)
	case len(pin) < 4:
		return pos.Actor{}, pos.E("add staff", pos.Invalid, "a PIN has 4 to 8 digits")
	}
	return s.Put(name, role, pin), nil
}

// Enroller takes one code.
type Enroller struct{ Code string }

// Enrol accepts Code and refuses every other one.
func (e Enroller) Enrol(_ context.Context, _ pos.Actor, _, code string) error {
	if code != e.Code {
		return pos.E("enrol", pos.Forbidden, "the head office does not know this code")
	}
	return nil
}

// Picture is a sheet of one colour for each phase.
type Picture struct {
	mu      sync.Mutex
	png     []byte
	version uint64
	changed chan struct{}
}

// NewPicture makes a white sheet.
func NewPicture() *Picture {
	p := &Picture{changed: make(chan struct{})}
	p.draw(color.White)
	return p
}

var colours = map[pos.Phase]color.Color{
	pos.PhaseBasket: color.RGBA{0xF4, 0xF0, 0xE6, 0xFF}, pos.PhaseDue: color.RGBA{0x20, 0x30, 0x60, 0xFF},
	pos.PhasePaid: color.RGBA{0x0A, 0x7A, 0x3C, 0xFF}, pos.PhaseChange: color.RGBA{0x0A, 0x7A, 0x3C, 0xFF},
	pos.PhaseRefused: color.RGBA{0x90, 0x20, 0x20, 0xFF},
}

// Publish draws v.
func (p *Picture) Publish(v pos.View) {
	c, ok := colours[v.Customer.Phase]
	if !ok {
		c = color.White
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.version = v.Version
	p.draw(c)
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Picture) draw(c color.Color) {
	img := image.NewRGBA(image.Rect(0, 0, 800, 480))
	draw.Draw(img, img.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(40, 40, 760, 440), image.NewUniform(color.RGBA{0xFF, 0xFF, 0xFF, 0x40}), image.Point{}, draw.Over)
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	p.png = b.Bytes()
}

// PNG returns the newest picture.
func (p *Picture) PNG() ([]byte, uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.png, p.version
}

// Changed returns a channel that is closed when there is a newer picture.
func (p *Picture) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}
