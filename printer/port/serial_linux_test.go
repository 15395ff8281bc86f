package port

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tillwright/tillwright/printer/printertest"
)

// terminal returns the printer's end of a serial line, and the name of ours.
func terminal(t *testing.T) (*os.File, string) {
	t.Helper()
	m, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	var n int
	err = control(m, func(fd int) error {
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		n, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, fmt.Sprintf("/dev/pts/%d", n)
}

// everyByte is what an image may hold, the flow-control characters, line ends and
// the terminal's interrupt among it.
func everyByte() []byte {
	b := make([]byte, 3000)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// TestSerial: every byte goes through as it is, both ways.
func TestSerial(t *testing.T) {
	for _, flow := range []string{"rtscts", "none"} {
		m, name := terminal(t)
		p, err := Open(t.Context(), "serial://"+name+"?baud=115200&flow="+flow)
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan string, 1)
		go func() {
			b := make([]byte, 3000)
			_, _ = io.ReadFull(m, b)
			_, _ = m.Write([]byte("\x12\x0d\x03\x13"))
			got <- string(b)
		}()
		if n, err := p.Write(everyByte()); n != 3000 || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
		if <-got != string(everyByte()) {
			t.Errorf("%s: other bytes arrived", flow)
		}
		b := make([]byte, 4)
		if n, err := io.ReadFull(p, b); string(b) != "\x12\x0d\x03\x13" {
			t.Errorf("%s: answers % x, %v", flow, b[:n], err)
		}
		if err := p.Close(); err != nil {
			t.Errorf("%s: %v", flow, err)
		}
	}
}

func TestPaperOverSerial(t *testing.T) {
	m, name := terminal(t)
	p := printertest.New(t, 576)
	go printertest.Attach(m, p)
	onPaper(t, "serial://"+name+"?baud=115200", p)
}

// TestSerialSettings: speed, eight bits as they are, and how the printer says that it is
// full, each as written and neither of the others.
func TestSerialSettings(t *testing.T) {
	for query, want := range map[string]struct {
		baud, wire uint32
		bytes      uint32
	}{
		"":                         {unix.B9600, unix.CRTSCTS, 0},
		"?baud=115200&flow=rtscts": {unix.B115200, unix.CRTSCTS, 0},
		"?baud=38400&flow=xonxoff": {unix.B38400, 0, unix.IXON},
		"?baud=19200&flow=none":    {unix.B19200, 0, 0},
	} {
		m, name := terminal(t)
		p, err := Open(t.Context(), "serial://"+name+query)
		if err != nil {
			t.Fatal(err)
		}
		err = control(m, func(fd int) error {
			s, err := unix.IoctlGetTermios(fd, unix.TCGETS)
			if err == nil && (s.Cflag&unix.CBAUD != want.baud || s.Cflag&unix.CSIZE != unix.CS8 || s.Cflag&(unix.PARENB|unix.CSTOPB) != 0 ||
				s.Cflag&unix.CRTSCTS != want.wire || s.Iflag&(unix.IXON|unix.IXOFF) != want.bytes || s.Lflag != 0 || s.Oflag != 0) {
				t.Errorf("%q: %+v", query, s)
			}
			if err == nil && (s.Cflag&(unix.CREAD|unix.CLOCAL) != unix.CREAD|unix.CLOCAL || s.Cc[unix.VSTART] != 0x11 || s.Cc[unix.VSTOP] != 0x13 || s.Cc[unix.VMIN] != 1) {
				t.Errorf("%q: a line that minds a modem's wires, or other bytes for go on and wait: %+v", query, s)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		_ = p.Close()
	}
}

func TestSerialOnAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tty")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), "serial://"+path); err == nil {
		t.Error("a plain file is no serial line")
	}
}

// TestUSB plays usblp with a FIFO, which blocks when nobody takes its bytes as the
// real file does without paper: writes go out whole, and the file is drained by
// waiting until it takes bytes again.
func TestUSB(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lp0")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	paper, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer paper.Close()
	p, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan int, 1)
	go func() {
		n, _ := io.ReadFull(paper, make([]byte, 200_000)) // more than the kernel keeps
		got <- n
	}()
	if n, err := p.Write(make([]byte, 200_000)); n != 200_000 || err != nil {
		t.Errorf("wrote %d, %v", n, err)
	}
	if n := <-got; n != 200_000 {
		t.Errorf("%d bytes arrived", n)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// TestTerminalByPath: a serial line that is named by its path alone lets every byte
// through too, both ways: line ends of images become no two bytes, and answers no input.
func TestTerminalByPath(t *testing.T) {
	m, name := terminal(t)
	p, err := Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	go func() {
		b := make([]byte, 3000)
		_, _ = io.ReadFull(m, b)
		_, _ = m.Write([]byte("\x12\x0d\x03\x13"))
		got <- string(b)
	}()
	if n, err := p.Write(everyByte()); n != 3000 || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	if <-got != string(everyByte()) {
		t.Error("other bytes arrived")
	}
	b := make([]byte, 4)
	if n, err := io.ReadFull(p, b); string(b) != "\x12\x0d\x03\x13" {
		t.Errorf("answers % x, %v", b[:n], err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// TestNothingIsNoEnd: a device file that gives no bytes has nothing to say yet, as usblp
// does of an empty packet; that is silence, not the end of the printer.
func TestNothingIsNoEnd(t *testing.T) {
	p, err := Open(t.Context(), "/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := p.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d, %v", n, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// TestHangUpWhileDraining: a printer that is unplugged while the last bytes wait ends its
// transfer, and usblp says so (POLLOUT) together with the reason (POLLHUP). Its paper is
// not out.
func TestHangUpWhileDraining(t *testing.T) {
	for _, how := range []string{"hang-up", "error"} {
		fds := make([]int, 2)
		err := unix.Pipe2(fds, unix.O_NONBLOCK|unix.O_CLOEXEC)
		if how == "hang-up" {
			var pair [2]int
			pair, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
			fds = []int{pair[1], pair[0]}
		}
		if err != nil {
			t.Fatal(err)
		}
		ours := os.NewFile(uintptr(fds[1]), how)
		if err := drainPoll(ours); err != nil {
			t.Errorf("%s: while all is well: %v", how, err)
		}
		for n := 1; n > 0; {
			n, _ = unix.Write(fds[1], make([]byte, 4096)) // until nothing more goes in
		}
		if err := unix.Close(fds[0]); err != nil {
			t.Fatal(err)
		}
		if err := drainPoll(ours); !errors.Is(err, unix.ENODEV) {
			t.Errorf("%s: %v", how, err)
		}
		_ = ours.Close()
	}
}
