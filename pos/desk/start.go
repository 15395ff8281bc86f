package desk

import (
	"bytes"

	"github.com/tillwright/tillwright/pos"
)

// Start opens the journal's story or goes on with it: genesis in an empty one,
// then a boot record. It must return before any command is given. Nothing can be
// half done: the records of one command are on flash together or not at all. It fails with Conflict when the journal
// belongs to another till, currency or series than the configuration says.
func (d *Desk) Start() error {
	if err := d.begin(); err != nil {
		return err
	}
	if err := d.dropOrphans(); err != nil {
		return err
	}
	d.allowAgain()
	d.mu.Lock() // not before the effects of begin
	defer d.mu.Unlock()
	at, _ := d.o.Now()
	for _, text := range d.o.Troubles {
		d.addNotice(at, pos.Notice{Kind: pos.NoticeTrouble, Text: text})
	}
	d.publish(at)
	return d.broken
}

func (d *Desk) begin() error {
	_, err := d.turn(pos.Command{By: pos.Till}, func(t *turn) error {
		g, known := d.o.Genesis, t.books.Genesis
		switch {
		case t.books.Last == 0, len(known.Key) == 0: // a new journal; or one whose first record was lost
			t.record(pos.KindGenesis, g)
		case !bytes.Equal(g.Key, known.Key):
			return pos.E("start", pos.Conflict, "this journal was written with another till's key; put the right key file back")
		case g.Currency != known.Currency:
			return pos.E("start", pos.Conflict, "this till's books are in %s; for %s use a new data folder", known.Currency, g.Currency)
		case g.Series != known.Series:
			return pos.E("start", pos.Conflict, "this till's receipts are numbered %q; a new series %q needs a new data folder", known.Series, g.Series)
		}
		t.record(pos.KindBoot, pos.Boot{Software: d.o.Software, Torn: d.o.Journal.Torn(), PowerLost: t.books.Last > 0 && !t.books.Stopped})
		if t.books.Untold { // the ledger found it out; from here on the journal says so itself
			t.record(pos.KindRecordsLost, *t.books.Lost)
		}
		d.notePolicies(t)
		d.notePlaces(t)
		return nil
	})
	return err
}

var errStopped = pos.E("read command", pos.Unavailable, "the till is shutting down")

// Stop records that the till was shut down in order, and waits for effects under
// way. No command is taken afterwards, so that record is the last.
func (d *Desk) Stop() error {
	_, err := d.turn(pos.Command{By: pos.Till}, func(t *turn) error {
		t.record(pos.KindStopped, pos.Stopped{})
		t.stops = true
		return nil
	})
	d.mu.Lock() // not before its effects
	defer d.mu.Unlock()
	if err == nil && d.broken != errStopped {
		err = d.broken
	}
	d.broken = errStopped
	return err
}
