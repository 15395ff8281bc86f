package input

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// How devices are looked for.
const (
	lookEvery   = time.Second            // a person who plugs a cable in waits longer for the scanner's own beep
	retryAtOnce = 250 * time.Millisecond // after an unplug: a loose contact is back by then
	backoffCap  = 8 * time.Second        // of a device that dies as soon as it is opened
	stable      = 10 * time.Second       // what lived this long is no such device
	maxFound    = 64                     // event devices that are looked at: the kernel's own first range is 32
)

// trouble is why a device is not there; empty: it is.
type trouble string

// Troubles, as keys of words.
const (
	missing trouble = "hands_missing"
	taken   trouble = "hands_taken"
	denied  trouble = "hands_denied"
)

// backoff holds a path off after it failed.
type backoff struct {
	wait  time.Duration
	until time.Time
}

// look opens every device that is there and not in use.
func (in *Input) look(ctx context.Context) {
	found, err := in.o.System.List()
	if err != nil {
		in.log.Debug("input devices not listed", "err", err)
	}
	now, there, plugged := time.Now(), map[string]bool{}, map[int]bool{}
	for _, f := range found[:min(len(found), maxFound)] {
		i := in.deviceOf(f)
		there[f.Path], plugged[i] = true, true
		if i < 0 || in.bound[f.Path] != nil || now.Before(in.after[f.Path].until) {
			continue
		}
		in.open(ctx, i, f)
	}
	for path := range in.after {
		if !there[path] {
			delete(in.after, path) // another device may get the number
		}
	}
	for i := range in.o.Devices {
		if !in.has(i) && (in.state[i] == "" || !plugged[i]) {
			in.state[i] = missing
		}
	}
}

// deviceOf returns which device f is, -1 for none of ours.
func (in *Input) deviceOf(f Found) int {
	for i, d := range in.o.Devices {
		if d.fits(f) {
			return i
		}
	}
	return -1
}

func (in *Input) has(i int) bool {
	for _, r := range in.bound {
		if r.index == i {
			return true
		}
	}
	return false
}

// open opens, checks and grabs f, and starts to read it.
func (in *Input) open(ctx context.Context, i int, f Found) {
	d := in.o.Devices[i]
	ev, err := in.o.System.Open(f.Path)
	if err == nil {
		if err = d.take(ev); err != nil {
			err = errors.Join(err, ev.Close())
		}
	}
	if err != nil {
		in.fail(f.Path)
		if !in.has(i) {
			in.state[i] = troubleOf(err)
		}
		in.log.Debug("input device not opened", "device", d.Name, "path", f.Path, "err", err)
		return
	}
	r := newReader(i, f.Path, d, in.o, ev)
	in.bound[f.Path] = r
	in.state[i] = ""
	in.log.Info("input device found", "device", d.Name, "path", f.Path, "name", f.Name, "id", f.ID.String())
	go func() {
		r.run(ctx)
		in.ended <- r
	}()
}

// errStranger: the number that was listed has become another device's since.
var errStranger = errors.New("another device has this number now")

// take checks that ev is the device, and takes it away from all others.
func (d Device) take(ev Events) error {
	id, err := ev.ID()
	if err != nil {
		return err
	}
	name, err := ev.Name()
	if err != nil {
		return err
	}
	if !d.is(id, name) {
		return errStranger
	}
	if d.Share && d.Kind != Scanner {
		return nil
	}
	return ev.Grab()
}

// troubleOf says what an error of opening means. go-evdev hands errors of ioctl on as
// text alone.
func troubleOf(err error) trouble {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return denied
	case errors.Is(err, syscall.EBUSY), strings.Contains(err.Error(), syscall.EBUSY.Error()):
		return taken
	}
	return missing
}

// fail holds path off for twice as long as the last time.
func (in *Input) fail(path string) {
	b := in.after[path]
	b.wait = min(max(b.wait*2, retryAtOnce), backoffCap)
	b.until = time.Now().Add(b.wait)
	in.after[path] = b
}

// end takes note that a device is gone.
func (in *Input) end(r *reader) {
	delete(in.bound, r.path)
	if r.lived() < stable {
		in.fail(r.path)
	} else {
		delete(in.after, r.path)
	}
	if !in.has(r.index) {
		in.state[r.index] = missing
	}
	in.log.Info("input device gone", "device", r.device.Name, "path", r.path, "err", r.err)
}

// drain waits for every reader: they end with Run's context.
func (in *Input) drain() {
	for len(in.bound) > 0 {
		r := <-in.ended
		delete(in.bound, r.path)
	}
}

// tell tells what changed of the links.
func (in *Input) tell() {
	now := map[Kind]pos.Link{}
	for i, d := range in.o.Devices {
		l, ok := now[d.Kind]
		if !ok {
			l = pos.Link{Name: string(d.Kind), State: "online"}
		}
		if t := in.state[i]; t != "" {
			l.State = "offline"
			l.Detail = strings.TrimSpace(l.Detail + " " + pos.Word(in.o.Language, string(t), "name", d.Name))
		}
		now[d.Kind] = l
	}
	for kind, l := range now {
		if in.links[kind] != l {
			in.links[kind] = l
			in.o.Link(l)
		}
	}
}
