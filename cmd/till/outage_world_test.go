package main

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/cmd/internal/outage"
	"github.com/tillwright/tillwright/firmware/clock"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
	"github.com/tillwright/tillwright/sync/backoffice/access"
	"github.com/tillwright/tillwright/sync/backoffice/api"
	"github.com/tillwright/tillwright/sync/backoffice/ingest"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/web"
)

// world is a whole shop in memory: the till as run.go wires it, a node, three
// exchanges, the backoffice with its database, and the lines between them. All of
// it is the real code but the node and the exchanges, and nothing in it knows that
// its clock is not the world's.
type world struct {
	setting
	t      testing.TB
	dir    string
	node   *lndtest.Node
	office *store.DB

	lan, internet, nodeLine, officeLine *outage.Link
	roots                               *outage.Authority
	officeTLS                           *tls.Config

	shift   atomic.Int64 // how far the till's wall clock is ahead, in nanoseconds
	mu      sync.Mutex   // a test may restart the till
	till    *till
	screens *outage.Host // its listener

	stop func() // of the till
	end  []func()
}

// exchanges are the price sources that the till knows, with what they answer.
var exchanges = map[string]string{
	"api.kraken.com":   `{"error":[],"result":{"XXBTZEUR":{"c":["50000.0","0.1"]}}}`,
	"api.coinbase.com": `{"data":{"amount":"50000.00","base":"BTC","currency":"EUR"}}`,
	"www.bitstamp.net": `{"last":"50000","pair":"BTC/EUR"}`,
}

// warm starts what fiber starts once for the whole process: a goroutine that
// writes the date, and would never end in a bubble.
var warm = sync.OnceFunc(func() {
	app, h := fiber.New(fiber.Config{DisableStartupMessage: true}), outage.NewHost("warm")
	go app.Listener(h)
	c, err := h.Dial(context.Background(), "", "")
	if err != nil {
		panic(err)
	}
	fmt.Fprint(c, "GET / HTTP/1.0\r\n\r\n")
	io.ReadAll(c)
	app.Shutdown()
})

// setting is what differs between worlds.
type setting struct {
	plain  bool          // the backoffice is called over plain HTTP
	behind time.Duration // how far the till's clock is behind everybody's certificates
	wall   bool          // the till's wall clock is set by the test; see set
	extra  string        // more of the till's configuration
	board  board         // what its panels hang on

	more  map[string]outage.Dialer // other hosts that the till may call
	files map[string]string        // other files beside its configuration
	idle  []string                 // actors that do not work when it starts
}

// newWorld builds the shop and starts it. It must be called in the bubble.
func newWorld(t testing.TB, o setting) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), setting: o}
	var err error
	if w.roots, err = outage.NewAuthority(); err != nil {
		t.Fatal(err)
	}
	w.node = lndtest.New(t, lndtest.Options{})
	w.internet = outage.NewLink("internet", w.exchange())
	w.nodeLine = outage.NewLink("node", w.node.Dial)
	w.officeLine = outage.NewLink("backoffice", w.openOffice())
	w.lan = outage.NewLink("LAN", func(ctx context.Context, netw, address string) (net.Conn, error) {
		w.mu.Lock()
		h := w.screens
		w.mu.Unlock()
		return h.Dial(ctx, netw, address)
	})
	text := strings.NewReplacer("fixed = \"50000\"", "max_age = \"5m\"", "url = \"http://127.0.0.1:1\"", "allow_plain_http = true").Replace(demo) + o.extra
	for name, content := range map[string]string{"till.toml": text, "catalogue.toml": demoCatalogue, "lnd.conn": w.node.Connection() + "\n"} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range o.files {
		writeIn(t, w.dir, name, content)
	}
	w.start()
	return w
}

// set puts the till's wall clock ahead of the world's, or behind it.
func (w *world) set(ahead time.Duration) { w.shift.Store(int64(ahead)) }

func (w *world) links() []*outage.Link {
	return []*outage.Link{w.lan, w.internet, w.nodeLine, w.officeLine}
}

// tls returns a server's configuration. Its certificate begins behind after now, or
// a day ago.
func (w *world) tls(names ...string) *tls.Config {
	begins := time.Now().Add(-24 * time.Hour)
	if w.behind > 0 {
		begins = time.Now().Add(w.behind)
	}
	return &tls.Config{Certificates: w.certificates(begins, names...)}
}

func (w *world) certificates(begins time.Time, names ...string) []tls.Certificate {
	cert, err := w.roots.CertificateFrom(begins, names...)
	if err != nil {
		w.t.Fatal(err)
	}
	return []tls.Certificate{cert}
}

// url is where the till finds the backoffice.
func (w *world) url() string {
	if w.plain {
		return "http://office.example"
	}
	return "https://office.example"
}

// secure serves handler over TLS on a host in memory, and HTTP/2 as the exchanges do.
func (w *world) secure(handler http.Handler, names ...string) *outage.Host {
	h := outage.NewHost(names[0])
	s := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0), TLSConfig: w.tls(names...)}
	done := make(chan struct{})
	go func() { defer close(done); s.ServeTLS(h, "", "") }()
	w.end = append(w.end, func() { s.Close(); <-done })
	return h
}

func (w *world) exchange() outage.Dialer {
	var names []string
	for name := range exchanges {
		names = append(names, name)
	}
	h := w.secure(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		io.WriteString(rw, exchanges[r.Host])
	}), names...)
	return h.Dial
}

// openOffice starts the backoffice as cmd/backoffice wires it, behind TLS.
func (w *world) openOffice() outage.Dialer {
	key := ed25519.NewKeyFromSeed([]byte("a backoffice's key of 32 bytes!!"))
	var err error
	if w.office, err = store.Open(w.t.Context(), filepath.Join(w.t.TempDir(), "office.db")); err != nil {
		w.t.Fatal(err)
	}
	app := web.New(web.Options{Log: quiet(), HTTPS: true})
	api.Mount(app, api.Options{
		Store: w.office, Ingest: &ingest.Ingest{Store: w.office, Key: key}, Codes: access.NewCodes(w.office, key), Keys: access.NewOwner(w.office, w.office),
		Key: key.Public().(ed25519.PublicKey), Shop: "Café Süd", Version: "test", Log: quiet(),
	})
	h, done := outage.NewHost("office.example"), make(chan struct{})
	var ln net.Listener = h
	if !w.plain {
		w.officeTLS = w.tls("office.example")
		ln = tls.NewListener(h, &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return w.officeTLS.Clone(), nil }})
	}
	go func() { defer close(done); app.Listener(ln) }()
	w.end = append(w.end, func() {
		h.Close()
		app.ShutdownWithTimeout(time.Minute)
		<-done
		if err := w.office.Close(); err != nil {
			w.t.Error(err)
		}
	})
	return h.Dial
}

// dial takes each call to the line that leads there.
func (w *world) dial(ctx context.Context, netw, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	switch {
	case host == "node.test":
		return w.nodeLine.Dial(ctx, netw, address)
	case host == "office.example":
		return w.officeLine.Dial(ctx, netw, address)
	case exchanges[host] != "":
		return w.internet.Dial(ctx, netw, address)
	case w.more[host] != nil:
		return w.more[host](ctx, netw, address)
	}
	return nil, fmt.Errorf("the till called %s", address)
}

// start starts the till, as sell does.
func (w *world) start() {
	w.t.Helper()
	cfg, err := loadConfig(filepath.Join(w.dir, "till.toml"))
	if err != nil {
		w.t.Fatal(err)
	}
	x := &till{c: cfg, log: slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelError})), judge: clock.NewJudge()}
	x.net, x.board = outside{dial: w.dial, roots: w.roots.Pool()}, w.board
	if w.setting.wall {
		x.net.wall = func() time.Time { return time.Now().Round(0).Add(time.Duration(w.shift.Load())) }
		x.judge = clock.NewJudgeOf(x.net.wall)
	}
	if err := x.openBooks(); err != nil {
		w.t.Fatal(err)
	}
	if err := x.build(); err != nil {
		w.t.Fatal(err)
	}
	if err := x.desk.Start(); err != nil {
		w.t.Fatal(err)
	}
	h := outage.NewHost("till")
	w.mu.Lock()
	w.till, w.screens = x, h
	w.mu.Unlock()
	x.actors.add("screens", func(context.Context) error { return x.app.Serve(h) }, func() {
		x.app.Shutdown(stopWithin)
		h.Close()
	})
	x.actors.actors = slices.DeleteFunc(x.actors.actors, func(a actor) bool { return slices.Contains(w.idle, a.name) })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.actors.run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("the till stopped with %v", err)
		}
		if err := x.shut(); err != nil {
			w.t.Error(err)
		}
	})
}

// enrol binds the till to the backoffice.
func (w *world) enrol() {
	w.t.Helper()
	key := ed25519.NewKeyFromSeed([]byte("a backoffice's key of 32 bytes!!"))
	code, _, err := access.NewCodes(w.office, key).Make(w.t.Context(), "Counter", "", time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.till.office.Enrol(w.t.Context(), owner, w.url(), code); err != nil {
		w.t.Fatal(err)
	}
}

var owner = pos.Actor{ID: "o", Name: "Olga", Role: pos.Owner}

// closeInBubble ends everything at the end of a bubble: fasthttp's pools look every
// ten seconds whether they are to end.
func (w *world) closeInBubble() {
	w.close()
	time.Sleep(time.Minute)
}

// close ends everything.
func (w *world) close() {
	w.stop()
	for _, l := range w.links() {
		l.Close()
	}
	for _, f := range w.end {
		f()
	}
	w.node.Stop()
}
