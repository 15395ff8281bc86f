// Package input reads keypads, keyboards and barcode scanners from the kernel's event
// devices (/dev/input/event*, Linux's evdev).
//
// Promise. A device is told apart by its maker's numbers or its name, so a keypad is
// never taken for a scanner, under whatever event number it comes up. It is grabbed
// (EVIOCGRAB) before a key of it counts: what a scanner types reaches no console and
// no sign-in screen. What a scanner reads is decoded from key codes by the layout that
// the *scanner* is set to; a scan comes whole or not at all: one that was torn, too
// long, or holds a key of no code is lost, and Lost says so. A device that dies, lies
// or floods disturbs no other, is looked for until it is back, and its half-read keys
// are forgotten.
//
// Limits. A scanner is a keyboard: it can type whatever its codes hold, which is why
// nothing here is a command to anybody. Codes are of printable ASCII, and GS between
// the parts of a GS1 code. Caps lock turns letters only. Keys that are held are one
// press. Who may open /dev/input can read every PIN typed on a keyboard that is not
// grabbed: give only the till's user the group input.
//
// Damage. A device that another program has grabbed cannot be used; its link says so.
package input

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// Press is a key that went down.
type Press struct {
	Device string // name of the device in Options
	Key    string // in the kernel's words, without KEY_: "kp7", "kpenter", "a", "f1", "backspace"
	At     time.Time
}

// Scan is what a scanner read, whole.
type Scan struct {
	Device string
	Text   string // 1 to MaxScan bytes of printable ASCII or GS (0x1d), without the key that ends it
	At     time.Time
}

// Why says what was wrong with a scan that is lost.
type Why string

// Reasons.
const (
	TooLong    Why = "too long"   // above MaxScan
	OddKeys    Why = "odd keys"   // no code holds such a key: another layout, or a keyboard
	Unfinished Why = "unfinished" // it stopped in the middle, and its end never came
	Torn       Why = "torn"       // the kernel dropped keys, or the device went away
)

// Lost is a scan that did not come whole. Somebody must scan it again.
type Lost struct {
	Device string
	Why    Why
	At     time.Time
}

// Kind says what a device is.
type Kind string

// Kinds; each has its own link.
const (
	Keypad   Kind = "keypad"
	Keyboard Kind = "keyboard"
	Scanner  Kind = "scanner"
)

// ID is what a device says of itself: USB's vendor and product numbers.
type ID struct{ Vendor, Product uint16 }

// String writes "0c2e:0b61".
func (id ID) String() string { return fmt.Sprintf("%04x:%04x", id.Vendor, id.Product) }

// ParseID reads what String writes. It fails with Invalid.
func ParseID(s string) (ID, error) {
	var id ID
	var rest string
	if n, _ := fmt.Sscanf(s+" .", "%04x:%04x %s", &id.Vendor, &id.Product, &rest); n != 3 || len(s) != 9 || rest != "." {
		return ID{}, pos.E("read device", pos.Invalid, "a device is two numbers of four digits such as \"0c2e:0b61\", not %q", s)
	}
	return id, nil
}

// Device is one that the till shall use. Every event device that fits is one of it: a
// scanner with two of them is grabbed whole, and of two alike both work.
type Device struct {
	Name  string // for people: "Scanner"
	Kind  Kind
	ID    ID     // zero: by Match
	Match string // the kernel's name of it, in any case; empty: by ID
	Share bool   // do not grab: other programs get its keys, too. Not for scanners

	// Of scanners.
	Layout string        // one of Layouts; empty is "us"
	End    End           // empty is EndEnter
	Gap    time.Duration // that ends a scan, or gives an unfinished one up; 0: GapNone or GapStale
}

// End is what a scanner types behind a code.
type End string

// Ends.
const (
	EndEnter End = "enter"
	EndTab   End = "tab"
	EndNone  End = "none" // nothing: a gap ends it
)

// Pauses, by what scanners do: 10 to 30 ms between keys, up to 100 ms over Bluetooth.
const (
	GapNone  = 200 * time.Millisecond // without an end key
	GapStale = 500 * time.Millisecond // with one: what is this old and not ended is given up
)

// MaxScan bounds a scan in bytes. GS1's codes for goods have at most 90; a link
// printed beside them is seldom over 200.
const MaxScan = 256

// Found is an event device that the kernel has.
type Found struct {
	Path    string // "/dev/input/event3"
	Name    string // as the device says; outside text, bounded and printable
	ID      ID
	Digits  bool // it types digits: a keyboard, a keypad, a scanner
	Letters bool // it types letters
}

// System is the kernel's side. Its methods may block for a short time, never for a key.
type System interface {
	// List returns the event devices that are there now.
	List() ([]Found, error)
	// Open opens one. It fails when it is gone or not allowed.
	Open(path string) (Events, error)
}

// Events is an opened event device. Close may be called while ReadOne waits, and ends
// it; the other methods come from one goroutine.
type Events interface {
	Name() (string, error)
	ID() (ID, error)
	// Grab takes the device away from everybody else, until Close.
	Grab() error
	// ReadOne waits for an event. An error is the device's end.
	ReadOne() (Event, error)
	Close() error
}

// Event is the kernel's struct input_event.
type Event struct {
	At    time.Time // by the kernel's wall clock, to the microsecond
	Type  uint16    // EV_SYN, EV_KEY
	Code  uint16
	Value int32
}

// Options are what an Input needs. Callbacks come from a device's own goroutine, one
// at a time for each device, and should not block: keys wait meanwhile, and the kernel
// keeps about 60 of them.
type Options struct {
	Devices  []Device
	System   System // nil: this computer's
	Press    func(Press)
	Scan     func(Scan)
	Lost     func(Lost)
	Link     func(pos.Link) // one for each Kind among Devices
	Language string
	Log      *slog.Logger
}

// Input uses the devices of its Options.
type Input struct {
	o     Options
	log   *slog.Logger
	ended chan *reader
	bound map[string]*reader // by path
	after map[string]backoff // by path: when it may be tried again
	state map[int]trouble    // by device: why it is not there
	links map[Kind]pos.Link  // as told
}

// New checks o. It fails with Invalid for a device that cannot be told apart or a
// layout that is not known.
func New(o Options) (*Input, error) {
	if o.System == nil {
		o.System = Kernel()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Press, o.Scan, o.Lost, o.Link = orNothing(o.Press), orNothing(o.Scan), orNothing(o.Lost), orNothing(o.Link)
	for i, d := range o.Devices {
		if d.ID == (ID{}) && d.Match == "" {
			return nil, pos.E("read device", pos.Invalid, "%s needs the numbers or the name of its device", d.Name)
		}
		for _, other := range o.Devices[:i] {
			if d.ID == other.ID && strings.EqualFold(d.Match, other.Match) {
				return nil, pos.E("read device", pos.Invalid, "%s and %s are the same device", d.Name, other.Name)
			}
		}
		if d.Kind == Scanner {
			if _, ok := layouts[d.layout()]; !ok {
				return nil, pos.E("read device", pos.Invalid, "there is no layout %q; the till knows %s", d.Layout, strings.Join(Layouts(), ", "))
			}
		}
	}
	return &Input{
		o: o, log: o.Log, ended: make(chan *reader), bound: map[string]*reader{}, after: map[string]backoff{},
		state: map[int]trouble{}, links: map[Kind]pos.Link{},
	}, nil
}

func orNothing[T any](f func(T)) func(T) {
	if f == nil {
		return func(T) {}
	}
	return f
}

func (d Device) layout() string {
	if d.Layout == "" {
		return "us"
	}
	return d.Layout
}

// fits reports that f is this device, and types: a scanner's buttons and lights may be
// event devices of their own.
func (d Device) fits(f Found) bool { return f.Digits && d.is(f.ID, f.Name) }

func (d Device) is(id ID, name string) bool {
	return (d.ID == ID{} || d.ID == id) && (d.Match == "" || strings.EqualFold(strings.TrimSpace(d.Match), strings.TrimSpace(name)))
}

// Run uses the devices until ctx ends, and then returns nil. It returns when all of
// its goroutines have.
func (in *Input) Run(ctx context.Context) error {
	defer in.drain()
	tick := time.NewTimer(0)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case r := <-in.ended:
			in.end(r)
			tick.Reset(retryAtOnce)
		case <-tick.C:
			in.look(ctx)
			tick.Reset(lookEvery)
		}
		in.tell()
	}
}
