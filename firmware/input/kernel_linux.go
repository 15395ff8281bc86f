package input

import (
	"errors"
	"os"
	"strings"
	"time"

	"github.com/holoplot/go-evdev"
)

// Kernel returns this computer's event devices.
func Kernel() System { return kernel{} }

type kernel struct{}

func (kernel) List() ([]Found, error) { return Find(os.DirFS("/sys")) }

func (kernel) Open(path string) (Events, error) {
	d, err := evdev.OpenWithFlags(path, os.O_RDONLY) // no lights are set: reading is all that is asked for
	if err != nil {
		return nil, err
	}
	return &device{InputDevice: d}, nil
}

// device is an event device of go-evdev.
type device struct {
	*evdev.InputDevice
	polled bool // ReadOne was made to end at Close
}

func (d *device) ID() (ID, error) {
	id, err := d.InputID()
	return ID{id.Vendor, id.Product}, err
}

func (d *device) Name() (string, error) {
	name, err := d.InputDevice.Name()
	return plainText(name), err
}

// ReadOne waits without a thread of the system. NonBlock comes after every ioctl: each
// sets the device back.
func (d *device) ReadOne() (Event, error) {
	if !d.polled {
		if err := d.NonBlock(); err != nil {
			return Event{}, err
		}
		d.polled = true
	}
	e, err := d.InputDevice.ReadOne()
	if err != nil {
		return Event{}, err
	}
	return Event{At: time.Unix(e.Time.Unix()), Type: uint16(e.Type), Code: uint16(e.Code), Value: e.Value}, nil
}

// Close may be called while ReadOne waits. A device that was unplugged is closed, too.
func (d *device) Close() error {
	if err := d.InputDevice.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// keyName returns the kernel's name of a key, "" for one without and for buttons of
// mice and joysticks.
func keyName(code uint16) string {
	name, ok := strings.CutPrefix(evdev.KEYToString[evdev.EvCode(code)], "KEY_")
	if !ok {
		return ""
	}
	return strings.ToLower(name)
}
