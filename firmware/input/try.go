package input

import (
	"errors"

	"github.com/tillwright/tillwright/pos"
)

// Try looks for d as Run does, opens it, takes it away from others for a moment, and
// gives it back. nil is this computer's System. It returns what was found, and fails
// with Conflict when another program has it (a till that runs does), and with
// Unavailable when it is not there or not allowed.
func (d Device) Try(sys System) (Found, error) {
	if sys == nil {
		sys = Kernel()
	}
	list, err := sys.List()
	if err != nil {
		return Found{}, pos.Say("try device", pos.Unavailable, err, string(missing), "name", d.Name)
	}
	for _, f := range list[:min(len(list), maxFound)] {
		if !d.fits(f) {
			continue
		}
		ev, err := sys.Open(f.Path)
		if err == nil {
			err = errors.Join(d.take(ev), ev.Close())
		}
		if err == nil {
			return f, nil
		}
		kind, why := pos.Unavailable, troubleOf(err)
		if why == taken {
			kind = pos.Conflict
		}
		return f, pos.Say("try device", kind, err, string(why), "name", d.Name)
	}
	return Found{}, pos.Say("try device", pos.Unavailable, nil, string(missing), "name", d.Name)
}
