package web

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
)

// TestPackedBody posts a body that grows a thousandfold when it is unpacked. Goal:
// nobody unpacks it. fiber's Body does, without a limit, and so does what reads
// bodies for the API: 1.5 MB would take gigabytes, from a stranger.
func TestPackedBody(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := io.CopyN(z, zeros{}, 64<<20); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	unpacked := 0
	url := start(t, slog.New(slog.DiscardHandler), func(app *fiber.App) {
		app.Post("/", func(c *fiber.Ctx) error {
			unpacked = max(unpacked, len(c.Body()))
			return nil
		})
	})
	for _, encoding := range []string{"gzip", "deflate", "br", "zstd", "identity", "gzip, gzip", "unheard-of"} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", url, bytes.NewReader(packed.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Encoding", encoding)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusUnsupportedMediaType {
			t.Errorf("%s: %s", encoding, res.Status)
		}
	}
	if unpacked > 0 {
		t.Errorf("a handler was given %d bytes", unpacked)
	}
}

// TestNoTokenInLog makes the page of a set-up link fail. Goal: the log names the
// page and not the token, which still opens the owner's door.
func TestNoTokenInLog(t *testing.T) {
	var log bytes.Buffer
	url := start(t, slog.New(slog.NewTextHandler(&log, nil)), func(app *fiber.App) {
		app.Get("/set-up/:token", func(*fiber.Ctx) error { return errors.New("the database does not answer") })
		app.Get("/panic/:token", func(*fiber.Ctx) error { panic("a bug") })
	})
	for _, path := range []string{"/set-up/opensesame", "/panic/opensesame"} {
		res, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	if got := log.String(); strings.Contains(got, "opensesame") || !strings.Contains(got, "/set-up/:token") {
		t.Errorf("the log says\n%s", got)
	}
}

// TestNeighbours calls from many addresses of one line. Goal: an IPv6 line, which
// has 2^64 addresses at least, gets one share and not one for each.
func TestNeighbours(t *testing.T) {
	o := Options{}
	for _, row := range []struct{ name, a, b string }{
		{"one line", "2001:db8:1:2::1", "2001:db8:1:2:ffff::9"},
		{"with a zone", "fe80::1%eth0", "fe80::2%eth0"},
	} {
		if a, b := o.client(row.a, ""), o.client(row.b, ""); a != b {
			t.Errorf("%s: %s and %s count apart", row.name, a, b)
		}
	}
	for _, row := range [][2]string{{"2001:db8:1:2::1", "2001:db8:1:3::1"}, {"192.0.2.1", "192.0.2.2"}} {
		if a, b := o.client(row[0], ""), o.client(row[1], ""); a == b {
			t.Errorf("%v share %s", row, a)
		}
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// start serves routes on a port of its own.
func start(t *testing.T, log *slog.Logger, routes func(*fiber.App)) string {
	t.Helper()
	app := New(Options{Log: log})
	routes(app)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- app.Listener(ln) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := errors.Join(app.Shutdown(), <-done); err != nil {
			t.Error(err)
		}
	})
	return "http://" + ln.Addr().String()
}
