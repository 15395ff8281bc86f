package desk

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// maxStaffName bounds a person's name on buttons and receipts.
const maxStaffName = 24

// Names returns who may sign in; nobody: the till has no PIN yet.
func (d *Desk) Names() []pos.Actor { return d.o.PINs.Names() }

// Found makes the first person the till's owner. It fails with Conflict when
// somebody may sign in already, or could before the file of PINs was lost: then
// the PINs are set anew at the board itself, not over the network.
func (d *Desk) Found(_ context.Context, name, pin string) (pos.Actor, error) {
	d.founding.Lock() // two may try at once
	defer d.founding.Unlock()
	if len(d.o.PINs.Names()) > 0 {
		return pos.Actor{}, pos.E("set up", pos.Conflict, "this till is set up already; sign in with your PIN")
	}
	if d.o.Ledger.Books().Staffed {
		return pos.Actor{}, pos.E("set up", pos.Conflict,
			"this till had PINs, but their file is gone. At the board, run: till staff add NAME")
	}
	return d.addStaff(pos.Till, name, pos.Owner, pin)
}

// Add lets one more person use the till. Only a manager may, and nobody may make
// somebody more powerful than himself.
func (d *Desk) Add(ctx context.Context, by pos.Actor, name string, role pos.Role, pin string) (pos.Actor, error) {
	if !by.Role.Includes(pos.Manager) || !by.Role.Includes(role) {
		return pos.Actor{}, pos.E("add person", pos.Forbidden, "ask a manager to add this person")
	}
	return d.AddStaff(ctx, by, name, role, pin)
}

// AddStaff is Add without the question who asks: for the board's own console.
func (d *Desk) AddStaff(_ context.Context, by pos.Actor, name string, role pos.Role, pin string) (pos.Actor, error) {
	d.founding.Lock()
	defer d.founding.Unlock()
	return d.addStaff(by, name, role, pin)
}

// addStaff adds a person; d.founding is held.
func (d *Desk) addStaff(by pos.Actor, name string, role pos.Role, pin string) (pos.Actor, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > maxStaffName || !pos.IsPlain(name) || !role.Includes(pos.Cashier) {
		return pos.Actor{}, pos.E("add person", pos.Invalid, "a person needs a name of 1 to %d plain letters and a role", maxStaffName)
	}
	for _, known := range d.o.PINs.Names() {
		if strings.EqualFold(known.Name, name) {
			return pos.Actor{}, pos.E("add person", pos.Conflict, "there is a %s already; choose another name", known.Name)
		}
	}
	id := make([]byte, 4)
	rand.Read(id) // never fails (crypto/rand)
	a := pos.Actor{ID: hex.EncodeToString(id), Name: name, Role: role}
	if err := d.o.PINs.Put(a, pin); err != nil {
		return pos.Actor{}, err
	}
	return a, d.note(pos.KindStaffChanged, pos.StaffChanged{Who: a, What: "added", By: by})
}

// SignIn returns whose PIN it is. Wrong tries are records, as is a success; those
// for nobody are not, for strangers must not fill the journal.
func (d *Desk) SignIn(_ context.Context, id, pin string) (pos.Actor, error) {
	a, err := d.o.PINs.Check(id, pin)
	switch k := pos.KindOf(err); {
	case err == nil:
		return a, d.note(pos.KindSignedIn, pos.ByActor{By: a})
	case k == pos.Forbidden && d.o.PINs.Wrong(id) > 0:
		if nerr := d.note(pos.KindPINFailed, pos.PINFailed{Count: d.o.PINs.Wrong(id)}); nerr != nil {
			return pos.Actor{}, nerr
		}
	}
	return pos.Actor{}, err
}

// SignOut records that by left.
func (d *Desk) SignOut(_ context.Context, by pos.Actor) error {
	return d.note(pos.KindSignedOut, pos.ByActor{By: by})
}

// note records something that nobody asked for by a command.
func (d *Desk) note(kind pos.RecordKind, body any) error {
	_, err := d.turn(pos.Command{By: pos.Till}, func(t *turn) error {
		t.record(kind, body)
		return nil
	})
	return err
}
