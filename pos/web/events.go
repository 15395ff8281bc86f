package web

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
)

// stream is one screen's connection, with copies of all it needs: the request is
// recycled while the stream goes on.
type stream struct {
	app     *App
	conn    net.Conn
	token   string // who; empty is nobody
	picture Picture
	w       *bufio.Writer

	sent   *frame
	signed bool // sent with the counter's part
	shown  string
	begun  bool
}

// events handles GET /v1/events, a stream of server-sent events that ends when
// the screen or the hub goes away.
//
// A message is the newest view. "picture" names the newest picture, when the
// screen asked to follow one. "beat" comes every heartbeat with the till's time:
// a screen that hears none knows that the line is dead, which the browser alone
// would notice after minutes.
func (a *App) events(c *fiber.Ctx) error {
	s := &stream{app: a, conn: c.Context().Conn()}
	if c.Query("part") != "customer" {
		s.token = tokenOf(c)
	}
	switch follow := c.Query("picture"); follow {
	case "":
	case "display":
		s.picture = a.o.Display
	case "paper":
		if _, ok := a.sessions.peek(s.token); !ok {
			return errStranger
		}
		s.picture = a.o.Paper
	default:
		return pos.E("follow events", pos.Invalid, "there is no picture %q", clip(follow))
	}
	addr := addrOf(c)
	_, signed := a.sessions.peek(s.token)
	known := signed || atTill(c)
	if !a.streams.open(addr, known) {
		return errBusy
	}
	c.Context().SetConnectionClose() // its write deadline must not meet another request
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		// c is back in fiber's pool by now. Touching it here would crash the till:
		// this is another goroutine, and no recover middleware covers it.
		defer a.streams.close(addr, known)
		s.w = w
		s.run()
	})
	return nil
}

func (s *stream) run() {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for due := true; ; {
		newest, changed, open := s.app.hub.current()
		if !open {
			return
		}
		var drawn <-chan struct{}
		if s.picture != nil {
			drawn = s.picture.Changed() // before PNG, or a change between the two is lost
		}
		if !s.write(newest, due) {
			return // the screen is gone
		}
		due = false
		select {
		case <-changed:
		case <-drawn:
		case <-beat.C:
			due = true
		}
	}
}

// write sends what the screen does not have yet, and a beat when one is due. It
// returns false when the screen does not take it.
func (s *stream) write(newest *frame, beat bool) bool {
	// The connection outlives the handler; a deadline on it is safe from here. A
	// screen that fell asleep with a full window would hold this goroutine else.
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeWithin)) // fails on a closed connection, and so does Flush
	if beat {
		fmt.Fprintf(s.w, "event: beat\ndata: {\"now\":%q}\n\n", time.Now().UTC().Format(time.RFC3339Nano))
	}
	who, signed := s.app.sessions.peek(s.token)
	if newest != s.sent || signed != s.signed {
		s.sent, s.signed = newest, signed
		var data []byte
		if signed {
			data = newest.bytes(&who)
		} else {
			data = newest.bytes(nil)
		}
		fmt.Fprintf(s.w, "data: %s\n\n", data)
	}
	if s.picture != nil {
		if name := s.pictureName(); name != s.shown {
			s.shown = name
			fmt.Fprintf(s.w, "event: picture\ndata: {\"name\":%q}\n\n", name)
		}
	}
	return s.w.Flush() == nil
}

func (s *stream) pictureName() string {
	png, _ := s.picture.PNG()
	return nameOf(png)
}

// nameOf names bytes by their content: a picture may change, by its countdown,
// while the view that it shows stays.
func nameOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:12])
}
