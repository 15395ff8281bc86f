package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgress(t *testing.T) {
	p := NewProgress()
	s, changed := p.Now()
	if s.Ready || s.Step != "getting ready" {
		t.Errorf("it begins at %+v", s)
	}
	p.Step("building lnd 2/4")
	<-changed
	first, changed := p.Now()
	p.Detail("1 of 9 packages")
	<-changed
	s, changed = p.Now()
	if s.Since != first.Since || s.String() != "building lnd 2/4, 1 of 9 packages" {
		t.Errorf("a detail made it %+v", s)
	}
	p.Detail("1 of 9 packages")
	select {
	case <-changed:
		t.Error("the same again counts as a change")
	default:
	}
	p.Trouble("no space left")
	if s, _ = p.Now(); s.String() != "building lnd 2/4, 1 of 9 packages: no space left" {
		t.Errorf("trouble made it %q", s)
	}
	p.Step("building lnd 2/4") // once more
	if s, _ = p.Now(); s.Trouble != "" || s.Detail != "" {
		t.Errorf("a step keeps old trouble: %+v", s)
	}
	p.Ready()
	if s, _ = p.Now(); !s.Ready {
		t.Error("not ready")
	}
}

func TestConnectionLine(t *testing.T) {
	const conn = "type=lnd-rest;server=https://127.0.0.1:1/;macaroon=00;certthumbprint=00"
	for _, c := range []struct {
		name string
		s    Status
		want string
	}{
		{"step", Status{Step: "building btcd 1/4"}, "# starting: building btcd 1/4"},
		{"detail", Status{Step: "building lnd 2/4", Detail: "3 of 9 packages"}, "# starting: building lnd 2/4, 3 of 9 packages"},
		{"what starts", Status{Step: "starting the nodes 3/4"}, "# starting: the nodes 3/4"},
		{"what starts, and what of it", Status{Step: "starting the nodes 3/4", Detail: "Bitcoin chain"}, "# starting: the nodes 3/4, Bitcoin chain"},
		{"trouble of many lines", Status{Step: "x", Trouble: "no space\n    more"}, "# not available: no space"},
		{"ready", Status{Step: "ready", Ready: true}, conn},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := connectionLine(c.s, conn); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Goal: a build that reports twenty times a second costs a write each two
// seconds; that the nodes are ready is written at once. In a bubble, so in no time.
func TestConnectionWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conn")
	synctest.Test(t, func(t *testing.T) {
		p, n := NewProgress(), &Nodes{tillConn: "type=lnd-rest"}
		w := connectionWriter{files: map[string]func() string{path: n.TillConnection}, progress: p, report: func(s string) { t.Error(s) }}
		go w.run(t.Context())
		writes, last := 0, ""
		seen := func() {
			synctest.Wait()
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if string(b) != last {
				writes, last = writes+1, string(b)
			}
		}
		p.Step("building lnd 2/4")
		for i := range 200 { // ten seconds
			p.Detail(strings.Repeat("x", i))
			time.Sleep(50 * time.Millisecond)
			seen()
		}
		if writes < 5 || writes > 7 {
			t.Errorf("%d writes in ten seconds", writes)
		}
		p.Ready()
		if seen(); last != "type=lnd-rest\n" {
			t.Errorf("ready, and the file says %q", last)
		}
	})
}

// Goal: in a log file each step is a line, and a long one shows that it lives.
func TestConsole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p, c := NewProgress(), newConsole(&out)
		stop := c.follow(p)
		synctest.Wait()
		p.Step("building lnd 2/4")
		time.Sleep(time.Second / 2) // between the console's own beats, which would else see half of a pair
		for range 60 {
			p.Detail("of many")
			p.Detail("packages")
			time.Sleep(time.Second)
		}
		p.Trouble("no space left")
		time.Sleep(time.Hour)
		p.Ready()
		synctest.Wait()
		stop()
		stop()
		if n := strings.Count(out.String(), "no space left"); n != 1 {
			t.Errorf("trouble was said %d times", n)
		}
		got := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(got) < 5 || len(got) > 8 || !strings.Contains(out.String(), "building lnd 2/4, packages (45s)") {
			t.Errorf("it printed\n%s", out.String())
		}
	})
}

// Goal: on a terminal a message that stays never mixes with the line of progress.
func TestConsoleLive(t *testing.T) {
	var out bytes.Buffer
	c := newConsole(&out)
	c.live = true
	c.show("  building")
	c.Line("till ended by itself")
	c.show("  building more")
	c.show("  done")
	const wipe = "\r\x1b[K"
	if want := "  building" + wipe + "till ended by itself\n  building more" + wipe + "  done"; out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
}
