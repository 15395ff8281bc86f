// Package machine stands in for the package of that name which only TinyGo has: what
// tinygo.org/x/drivers asks of a microcontroller's pins, and no more. The Go command is
// told to find it among the standard library's (see TestTinygoOnAPC).
package machine

// Line is a wire that a pin is connected to.
type Line interface {
	Set(high bool)
	Get() bool
}

// Lines are the wires by the number of their pin. Set them before a driver is made.
var Lines []Line

// Pin is the number of a line.
type Pin uint8

// NoPin is not connected.
const NoPin = Pin(0xff)

// PinMode is what a pin is used as; a wire knows that by itself.
type PinMode uint8

// Modes.
const (
	PinOutput PinMode = iota
	PinInput
)

// PinConfig says how a pin is used.
type PinConfig struct{ Mode PinMode }

// Configure does nothing.
func (p Pin) Configure(PinConfig) {}

// Set, High and Low move a line.
func (p Pin) Set(high bool) {
	if p != NoPin {
		Lines[p].Set(high)
	}
}

func (p Pin) High() { p.Set(true) }
func (p Pin) Low()  { p.Set(false) }

// Get reads a line.
func (p Pin) Get() bool { return Lines[p].Get() }
