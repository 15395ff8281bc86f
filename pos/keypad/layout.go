package keypad

import (
	"slices"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// Function is what a key does.
type Function string

// Functions. The digits are "0" to "9", "00" and "000".
const (
	Point     Function = "point"
	Times     Function = "times"     // pieces; another way to pay; another code
	Add       Function = "add"       // into the basket; Lightning; the next customer
	Back      Function = "back"      // takes the last digit back, or the last step
	Clear     Function = "clear"     // takes the whole entry back
	Enter     Function = "enter"     // to pay; exact cash; go on
	Cancel    Function = "cancel"    // withdraws a payment, gives a sale up
	Menu      Function = "menu"      // reprint, drawer, open sales, sign out
	Cash      Function = "cash"      // pay in cash
	Lightning Function = "lightning" // pay over Lightning
	Reprint   Function = "reprint"   // a copy of the last receipt
	Drawer    Function = "drawer"    // open the drawer
	Next      Function = "next"      // the next customer
	SignOut   Function = "sign-out"  // nobody is at the till
	None      Function = "none"      // the key is dead
)

// digits are the functions that type.
var digits = []Function{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "00", "000"}

// others are the functions that do not.
var others = []Function{Point, Times, Add, Back, Clear, Enter, Cancel, Menu, Cash, Lightning, Reprint, Drawer, Next, SignOut, None}

// Functions returns all functions, for whoever checks a configuration.
func Functions() []Function { return append(slices.Clone(digits), others...) }

// wanted are those without which the till cannot be used.
var wanted = []Function{Enter, Back, Cancel, Add, Times, Menu}

// Key is one place of a layout.
type Key struct {
	Name  string // of the kernel, without KEY_, in small letters: "kpplus"
	Does  Function
	Label string // as it is printed on the key
}

// builtIn is the layout of a numeric keypad, in the order in which keys are named to
// the cashier. NumLock is dead: some keypads wrap every digit in two of them.
var builtIn = []Key{
	{"kpenter", Enter, "Enter"}, {"kpplus", Add, "+"}, {"kpasterisk", Times, "*"}, {"kpminus", Cancel, "−"}, {"kpslash", Menu, "/"},
	{"backspace", Back, "←"}, {"kpdot", Point, "."}, {"kpcomma", Point, ","}, {"kpequal", Enter, "="}, {"numlock", None, "Num"},
	{"kp0", "0", "0"}, {"kp1", "1", "1"}, {"kp2", "2", "2"}, {"kp3", "3", "3"}, {"kp4", "4", "4"},
	{"kp5", "5", "5"}, {"kp6", "6", "6"}, {"kp7", "7", "7"}, {"kp8", "8", "8"}, {"kp9", "9", "9"},
	{"0", "0", "0"}, {"1", "1", "1"}, {"2", "2", "2"}, {"3", "3", "3"}, {"4", "4", "4"},
	{"5", "5", "5"}, {"6", "6", "6"}, {"7", "7", "7"}, {"8", "8", "8"}, {"9", "9", "9"},
	{"enter", Enter, "Enter"}, {"esc", Cancel, "Esc"}, {"delete", Clear, "Del"}, {"tab", Menu, "Tab"}, {"dot", Point, "."}, {"comma", Point, ","},
}

// maxName bounds the name of a key; the kernel's longest has 24 letters.
const maxName = 32

// Layout says what each key does. The zero value is the built-in one.
type Layout struct{ own []Key }

// NewLayout puts own keys before the built-in ones: the name of a key, and one of
// Functions. It fails with Invalid for a name that no key has, a function that there
// is not, and when no key is left for what a sale needs.
func NewLayout(own map[string]string) (Layout, error) {
	var l Layout
	names := make([]string, 0, len(own))
	for name := range own {
		names = append(names, name)
	}
	slices.Sort(names) // so that the same configuration names the same keys
	for _, name := range names {
		f := Function(own[name])
		switch {
		case name == "" || len(name) > maxName || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "":
			return Layout{}, pos.E("read keys", pos.Invalid, "%q is no key; write it as till doctor --find shows it, such as \"kpslash\"", clip(name))
		case !slices.Contains(Functions(), f):
			return Layout{}, pos.E("read keys", pos.Invalid, "%q is nothing that a key can do", clip(own[name]))
		}
		l.own = append(l.own, Key{name, f, l.print(name)})
	}
	for _, f := range wanted {
		if l.Label(f) == "" {
			return Layout{}, pos.E("read keys", pos.Invalid, "no key is left for %q", string(f))
		}
	}
	return l, nil
}

// clip shortens outside text before it is shown in a message.
func clip(s string) string {
	if len(s) > maxName {
		return s[:maxName] + "…"
	}
	return s
}

// print returns what stands on a key of this name.
func (l Layout) print(name string) string {
	for _, k := range builtIn {
		if k.Name == name {
			return k.Label
		}
	}
	return strings.ToUpper(name)
}

// Does returns what the key of this name does, None for a stranger. A name may come
// as the kernel writes it: KEY_KPPLUS.
func (l Layout) Does(name string) Function {
	name = strings.TrimPrefix(strings.ToLower(name), "key_")
	for _, list := range [][]Key{l.own, builtIn} {
		for _, k := range list {
			if k.Name == name {
				return k.Does
			}
		}
	}
	return None
}

// Label returns what stands on the first key that does f, empty when none does.
func (l Layout) Label(f Function) string {
	for _, list := range [][]Key{l.own, builtIn} {
		for _, k := range list {
			if k.Does == f && l.Does(k.Name) == f {
				return k.Label
			}
		}
	}
	return ""
}

// Key returns the name of the first key that does f, empty when none does.
func (l Layout) Key(f Function) string {
	for _, list := range [][]Key{l.own, builtIn} {
		for _, k := range list {
			if k.Does == f && l.Does(k.Name) == f {
				return k.Name
			}
		}
	}
	return ""
}

// digit returns what f types, empty when it does not type.
func (f Function) digit() string {
	if slices.Contains(digits, f) {
		return string(f)
	}
	return ""
}
