package input

import (
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// TestTry asks for a scanner that is there, taken, and not there.
func TestTry(t *testing.T) {
	k := newKernel(t)
	d := Device{Name: "Gun", Kind: Scanner, ID: ID{0x0c2e, 0x0b61}}
	if _, err := d.Try(k); pos.KindOf(err) != pos.Unavailable {
		t.Errorf("not plugged in: %v", err)
	}
	k.plug("/dev/input/event3", "Gun", d.ID)
	for range 2 { // the first one gives it back
		if f, err := d.Try(k); err != nil || f.Path != "/dev/input/event3" {
			t.Errorf("there: %+v, %v", f, err)
		}
	}
	if _, err := d.Try(others{k}); pos.KindOf(err) != pos.Conflict {
		t.Errorf("taken: %v", err)
	}
}

// others are a computer whose devices are grabbed by another program.
type others struct{ *fakeKernel }

func (o others) Open(path string) (Events, error) {
	ev, err := o.fakeKernel.Open(path)
	return grabbed{ev}, err
}

type grabbed struct{ Events }

func (grabbed) Grab() error { return busy{} }
