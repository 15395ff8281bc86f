package talk

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/printer"
)

// line is a port that keeps what it is sent, and fails from its n-th write on.
type line struct {
	sent strings.Builder
	n    int
	err  error
}

func (l *line) Write(b []byte) (int, error) {
	if l.n--; l.n < 0 && l.err != nil {
		return len(b) / 2, l.err
	}
	return l.sent.Write(b)
}

func (l *line) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

// TestWrite: why a printer takes no more bytes is in its status.
func TestWrite(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want printer.Status
	}{
		{"fine", nil, printer.Status{}},
		{"no progress", os.ErrDeadlineExceeded, printer.Status{Stalled: true}},
		{"no paper, by the cable's own wires", errors.Join(os.ErrDeadlineExceeded, syscall.ENOSPC), printer.Status{PaperOut: true}},
		{"unplugged", syscall.ENODEV, printer.Status{}},
	}
	for _, tt := range tests {
		var s printer.Status
		err := Write(&line{err: tt.err}, "text", &s)
		if s != tt.want || !errors.Is(err, tt.err) || err != nil && pos.KindOf(err) != pos.Unavailable {
			t.Errorf("%s: %+v, %v", tt.name, s, err)
		}
	}
	var s printer.Status
	if err := Write(short{}, "text", &s); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("half a write without an error: %v", err)
	}
}

type short struct{}

func (short) Write(b []byte) (int, error) { return len(b) / 2, nil }

// TestPrint: who is asked when, and what goes out.
func TestPrint(t *testing.T) {
	pieces := []Piece{{Data: []byte("text")}, {Data: []byte("image"), Image: true}, {Data: []byte("end")}}
	well, bad := printer.Status{Known: true}, printer.Status{Known: true, Cover: true}
	tests := []struct {
		name   string
		silent bool
		says   []printer.Status // one an ask; the last goes on
		sent   string
		begun  bool
		ended  bool // finish was asked
		fails  bool
	}{
		{"well", false, []printer.Status{well}, "textimageend", true, true, false},
		{"bad at once", false, []printer.Status{bad}, "", false, false, true},
		{"bad before the image", false, []printer.Status{well, bad}, "text", true, false, true},
		{"unknown prints", false, []printer.Status{{}}, "textimageend", true, false, false},
		{"silent is asked in the end", true, []printer.Status{bad}, "textimageend", true, false, true},
	}
	for _, tt := range tests {
		l, asks, begun, ended := &line{}, 0, false, false
		ask := func() (printer.Status, error) {
			s := tt.says[min(asks, len(tt.says)-1)]
			asks++
			return s, nil
		}
		run := printer.Run{Silent: tt.silent, Begin: func() error { begun = true; return nil }}
		_, err := Print(l, pieces, run, ask, func(s printer.Status) (printer.Status, error) { ended = true; return s, nil })
		if l.sent.String() != tt.sent || begun != tt.begun || ended != tt.ended || (err != nil) != tt.fails {
			t.Errorf("%s: sent %q, begun %v, ended %v, %v", tt.name, l.sent.String(), begun, ended, err)
		}
	}
}

func TestClosed(t *testing.T) {
	for err, want := range map[error]bool{os.ErrClosed: true, net.ErrClosed: true, io.EOF: false, os.ErrDeadlineExceeded: false} {
		if Closed(err) != want {
			t.Errorf("%v: %v", err, !want)
		}
	}
	if _, err := ReadByte(strings.NewReader("")); err == nil {
		t.Error("a byte out of nothing")
	}
}
