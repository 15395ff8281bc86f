package escpos

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/printer"
	"github.com/tillwright/tillwright/printer/paper"
	"github.com/tillwright/tillwright/printer/printertest"
)

// script is a printer that gives fixed answers: the n-th write that asks gets the
// n-th of them.
type script struct {
	answers []string
	asked   []string
	pending string
	read    error // when nothing is pending
	write   error
}

func (s *script) Write(b []byte) (int, error) {
	if s.write != nil {
		return 0, s.write
	}
	if strings.HasPrefix(string(b), dleStatus) || string(b) == gsStatus {
		s.asked = append(s.asked, string(b))
		if len(s.answers) > 0 {
			s.pending += s.answers[0]
			s.answers = s.answers[1:]
		}
	}
	return len(b), nil
}

func (s *script) Read(b []byte) (int, error) {
	if s.pending == "" {
		if s.read != nil {
			return 0, s.read
		}
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b, s.pending)
	s.pending = s.pending[n:]
	return n, nil
}

// TestStatus: bits as in the manual (DLE EOT).
func TestStatus(t *testing.T) {
	well := printer.Status{Known: true, Drawer: printer.Low}
	with := func(f func(*printer.Status)) printer.Status { s := well; f(&s); return s }
	tests := []struct {
		name    string
		answers []string
		want    printer.Status
	}{
		{"well", []string{"\x12", "\x12", "\x12"}, well},
		{"drawer open is no trouble", []string{"\x16", "\x12", "\x12"}, with(func(s *printer.Status) { s.Drawer = printer.High })},
		{"cover", []string{"\x1a", "\x16", "\x12"}, with(func(s *printer.Status) { s.Offline, s.Cover = true, true })},
		{"paper end", []string{"\x1a", "\x32", "\x7e"}, with(func(s *printer.Status) { s.Offline, s.PaperOut, s.PaperLow = true, true, true })},
		{"paper end seen by the roll sensor alone", []string{"\x12", "\x12", "\x72"}, with(func(s *printer.Status) { s.PaperOut = true })},
		{"near end", []string{"\x12", "\x12", "\x1e"}, with(func(s *printer.Status) { s.PaperLow = true })},
		{"knife", []string{"\x1a", "\x52", "\x1a", "\x12"}, with(func(s *printer.Status) { s.Offline, s.Cutter = true, true })},
		{"hot head, recovers", []string{"\x1a", "\x52", "\x52", "\x12"}, with(func(s *printer.Status) { s.Offline, s.Hot = true, true })},
		{"silent", nil, printer.Status{}},
		{"falls silent", []string{"\x1a", "\x16"}, with(func(s *printer.Status) { s.Offline, s.Cover = true, true })},
		{"falls silent, and nothing is wrong so far", []string{"\x12", "\x12"}, printer.Status{}},
		{"automatic frames between", []string{"\x10\x00\x00\x0f\x12", "\x14\x00\x00\x0f\x18\x20\x00\x0c\x12", "\x12"}, well},
		{"junk before", []string{"\xff\x9a\x12", "\x12", "\x12"}, well},
		{"only junk", []string{strings.Repeat("\xff", 100)}, printer.Status{}},
		{"half a frame", []string{"\x10\x00"}, printer.Status{}},
	}
	for _, tt := range tests {
		if n := len(tt.answers); n > 2 { // the first question is put once more in the end
			tt.answers = append(tt.answers, tt.answers[0][len(tt.answers[0])-1:])
		}
		got, err := Default80.Status(&script{answers: tt.answers})
		if got != tt.want || err != nil {
			t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
}

func TestStatusOfBrokenPorts(t *testing.T) {
	if _, err := Default80.Status(&script{read: os.ErrClosed}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if s, err := Default80.Status(&script{read: errors.New("one-way")}); err != nil || s.Known {
		t.Errorf("one-way: %+v, %v", s, err)
	}
	if s, err := Default80.Status(&script{write: os.ErrDeadlineExceeded}); err == nil || !s.Stalled {
		t.Errorf("takes nothing: %+v, %v", s, err)
	}
	sc := &script{write: errors.New("gone")}
	if s, err := Safe.Status(sc); err != nil || s.Known || len(sc.asked) != 0 {
		t.Errorf("a printer that is not asked: %+v, %v", s, err)
	}
}

// TestFinishWaits: the last word is asked for after the printer said that all is
// printed, and a printer that says it never is not waited for for ever.
func TestFinishWaits(t *testing.T) {
	d := printer.Document{Columns: 48, Rows: []printer.Row{printer.Line{Text: "x"}}}
	fine := []string{"\x12", "\x12", "\x12", "\x12"}
	join := func(parts ...[]string) []string { return slices.Concat(parts...) }
	tests := []struct {
		name    string
		answers []string
		asks    int
		trouble string
	}{
		{"at once", join(fine, []string{"\x00"}, fine), 9, ""},
		{"after two looks", join(fine, []string{""}, fine, []string{"\x12", "\x12", "\x00\x12", "\x12"}, fine), 17, ""},
		{"an automatic frame is no acknowledgement", join(fine, []string{"\x10\x00\x00\x0f"}, fine, []string{"\x00\x12", "\x12", "\x12", "\x12"}, fine), 17, ""},
		{"ends while printing", join(fine, []string{""}, []string{"\x1a", "\x32", "\x72", "\x1a"}), 9, "printer_paper"},
		{"cover opened after the last byte", join(fine, []string{"\x00"}, []string{"\x1a", "\x16", "\x12", "\x1a"}), 9, "printer_cover"},
	}
	for _, tt := range tests {
		sc := &script{answers: tt.answers}
		st, err := Default80.Print(sc, d, printer.Run{})
		if st.Trouble() != tt.trouble || (err != nil) != (tt.trouble != "") || len(sc.asked) != tt.asks {
			t.Errorf("%s: %+v, %v after %d questions", tt.name, st, err, len(sc.asked))
		}
	}
	never := &script{answers: fine}
	if _, err := Default80.Print(never, d, printer.Run{}); err != nil || len(never.asked) > 5+tailAsks+1 {
		t.Errorf("a printer that fell silent: %v after %d questions", err, len(never.asked))
	}
}

// TestSilent: a printer that is known not to answer is not waited for, and asked
// again when its paper is out: it may have been switched off and on.
func TestSilent(t *testing.T) {
	d := printer.Document{Columns: 48, Rows: []printer.Row{printer.Code{Text: "TW1"}}}
	for name, tt := range map[string]struct {
		answers []string
		asks    int
		trouble string
	}{
		"still": {nil, 1, ""}, "not any more": {[]string{"\x12", "\x12", "\x12", "\x12"}, 4, ""}, "no paper": {[]string{"\x1a", "\x32", "\x72", "\x1a"}, 4, "printer_paper"},
	} {
		sc := &script{answers: tt.answers}
		st, err := Default80.Print(sc, d, printer.Run{Silent: true, Begin: func() error {
			if len(sc.asked) != 0 {
				t.Errorf("%s: asked first", name)
			}
			return nil
		}})
		if len(sc.asked) != tt.asks || st.Trouble() != tt.trouble || (err != nil) != (tt.trouble != "") {
			t.Errorf("%s: %+v, %v after %d questions", name, st, err, len(sc.asked))
		}
	}
}

// TestStrictPrinterIsStrict: a test double that forgives would hide our faults.
func TestStrictPrinterIsStrict(t *testing.T) {
	p := printertest.New(t, 384)
	faults := 0
	p.OnFault(func(string) { faults++ })
	for _, b := range []string{"\x01", "\x1b\x01", "\x1bt\x63", "x\x1ba\x01\n", "\x1dv0\x00\x02\x00\x01\x00\x10\x14", "\x1dv0\x00\x31\x00\x01\x00" + strings.Repeat("x", 49)} {
		before := faults
		if _, err := p.Write([]byte(b)); err != nil || faults == before {
			t.Errorf("% x is let through: %v", b, err)
		}
	}
}

// recorder notes what a printer is sent.
type recorder struct {
	*paper.Printer
	sent strings.Builder
}

func (r *recorder) Write(b []byte) (int, error) {
	r.sent.Write(b)
	return r.Printer.Write(b)
}

// TestPulses: the drawer's own pin, for 50 ms in its turn and for 100 ms in real time (t
// counts hundreds there): a printer that is off line is sent the second, and no other.
func TestPulses(t *testing.T) {
	for _, tt := range []struct {
		name    string
		drawer  byte
		offline bool
		want    string
	}{
		{"pin 2", 0, false, "\x1bp\x00\x19\xfa"},
		{"pin 5", 1, false, "\x1bp\x01\x19\xfa"},
		{"pin 2, off line", 0, true, "\x10\x14\x01\x00\x01"},
		{"pin 5, off line", 1, true, "\x10\x14\x01\x01\x01"},
	} {
		p, r := Default80, &recorder{Printer: printertest.New(t, 576)}
		p.Drawer = tt.drawer
		r.SetCover(tt.offline)
		if err := p.Kick(r, true); err != nil || r.Drawer() != 1 {
			t.Errorf("%s: drawer %d, %v", tt.name, r.Drawer(), err)
		}
		if got := strings.ReplaceAll(r.sent.String(), "\x10\x04\x01", ""); got != tt.want {
			t.Errorf("%s: sent % x, want % x", tt.name, got, tt.want)
		}
	}
}
