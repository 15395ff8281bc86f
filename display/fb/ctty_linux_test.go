package fb

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// TestNotOurTerminal opens a terminal as a service does that leads a session of its
// own and has no terminal yet. Goal: it has none afterwards, or Ctrl+C at the counter's
// keyboard ends the till.
func TestNotOurTerminal(t *testing.T) {
	if path := os.Getenv("TERMINAL"); path != "" {
		f, err := openConsole(kernel{}, path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if own, err := os.Open("/dev/tty"); err == nil {
			_ = own.Close()
			t.Error("the terminal became the program's own")
		}
		return
	}
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer slave.Close()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNotOurTerminal$")
	child.Env = append(os.Environ(), "TERMINAL="+slave.Name())
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
