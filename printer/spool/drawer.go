package spool

import (
	"io"

	"github.com/tillwright/tillwright/pos"
)

// hasDrawer reports that a job opens the drawer.
func hasDrawer(j pos.PrintJob) bool { return j.Drawer || j.Kind == pos.PrintDrawer }

// disarm shuts the drawers of all jobs that wait when the spool starts: they are
// from before a power cut, whatever an untrusted clock says.
func (s *Spool) disarm() {
	j, ok, err := s.o.Queue.Next()
	if err != nil {
		s.log.Error("print queue cannot be read", "err", err)
	}
	if !ok || err != nil {
		j = pos.PrintJob{}
	}
	for _, j := range s.drawers(j) {
		s.sight(j).shut = true
	}
	s.broken = j.Begun
}

// drawers returns the jobs whose drawer must open now. head is the oldest job; the
// zero job if there is none.
func (s *Spool) drawers(head pos.PrintJob) []pos.PrintJob {
	jobs := []pos.PrintJob{head}
	if q, ok := s.o.Queue.(Drawers); ok {
		all, err := q.Drawers()
		if err != nil {
			s.log.Error("drawers cannot be read", "err", err)
		} else {
			jobs = all
		}
	}
	var out []pos.PrintJob
	for _, j := range jobs {
		if !hasDrawer(j) {
			continue
		}
		k := s.sight(j)
		j.Kind = pos.PrintDrawer // its limit counts, not the paper's
		if !k.shut && !k.kicked && s.left(j) > 0 {
			out = append(out, j)
		}
	}
	return out
}

// urgent reports that there is a drawer that nobody has tried to open yet.
func (s *Spool) urgent(head pos.PrintJob) bool {
	for _, j := range s.drawers(head) {
		if !s.sight(j).tried {
			return true
		}
	}
	return false
}

// kick opens the drawer if a job wants it open. Several jobs need one pulse.
func (s *Spool) kick(p io.ReadWriter, head pos.PrintJob) error {
	jobs := s.drawers(head)
	if len(jobs) == 0 {
		return nil
	}
	err := s.o.Encoder.Kick(p, s.answers)
	for _, j := range jobs {
		k := s.sight(j)
		k.kicked = err == nil
	}
	return err
}
