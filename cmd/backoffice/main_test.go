package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
	"github.com/tillwright/tillwright/sync/outbox"
	"github.com/tillwright/tillwright/sync/wire"
)

const password = "correct horse battery"

// buffer is a bytes.Buffer that a running server may write to.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// shop is a backoffice that runs in this process.
type shop struct {
	t      testing.TB
	config string
	url    string
	log    *buffer
	set    string // what was printed below the address: the set-up link, if any
	stop   func() error
}

// configure writes a configuration and the password's file.
func configure(t testing.TB, more string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "backoffice.toml")
	text := fmt.Sprintf("listen = \"127.0.0.1:0\"\ndata = %q\nshop = \"Café Süd\"\nzone = \"Europe/Vienna\"\n%s", filepath.Join(dir, "data"), more)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// open starts the server and waits until it listens.
func openShop(t testing.TB, config string) *shop {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	s := &shop{t: t, config: config, log: &buffer{}}
	done := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"run", "--config", config}, in, s.log)
		in.CloseWithError(io.EOF)
		done <- err
	}()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			s.url = at
			break
		}
	}
	if s.url == "" {
		t.Fatalf("the backoffice did not start: %v\n%s", <-done, s.log)
	}
	rest := &buffer{}
	go io.Copy(rest, out)
	s.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-done:
			s.set = rest.String()
			return err
		case <-time.After(stopWithin + pageWithin):
			return fmt.Errorf("it does not stop\n%s", s.log)
		}
	})
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("the backoffice ended with %v", err)
		}
	})
	return s
}

// command runs one command beside the server and returns what it printed.
func command(t testing.TB, args ...string) string {
	t.Helper()
	var out, log bytes.Buffer
	if err := run(t.Context(), args, &out, &log); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, &log)
	}
	return strings.TrimSpace(out.String())
}

// enrol enrols a till by a fresh code and returns its client.
func (s *shop) enrol(till *tilltest.Till, name string) *wire.Client {
	s.t.Helper()
	code := command(s.t, "code", "--config", s.config, "--name", name)
	e, err := wire.Enrol(s.t.Context(), s.url, code, till.Key, till.Genesis, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return wire.NewClient(e.URL, till.Genesis.Till, till.Key, e.Key, nil)
}

// deliver runs a till's outbox until everything is safe.
func deliver(t testing.TB, till *tilltest.Till, far outbox.Backoffice) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	all := uint64(len(till.Records()))
	watched := &watcher{Till: till, want: all, reached: make(chan struct{})}
	box := outbox.New(outbox.Options{Source: watched, Backoffice: far})
	done := make(chan error, 1)
	go func() { done <- box.Run(ctx) }()
	select {
	case <-watched.reached:
	case <-t.Context().Done():
		t.Fatal("the records did not arrive")
	}
	cancel()
	<-done
}

// watcher tells when a till's records are safe up to a number.
type watcher struct {
	*tilltest.Till
	want    uint64
	once    sync.Once
	reached chan struct{}
}

func (w *watcher) Ack(cp pos.Checkpoint) error {
	err := w.Till.Ack(cp)
	if cp.N >= w.want {
		w.once.Do(func() { close(w.reached) })
	}
	return err
}

// browser is an owner's browser without its pictures.
type browser struct {
	*http.Client
	t   testing.TB
	url string
}

func (s *shop) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{&http.Client{Jar: jar}, s.t, s.url}
}

// get fetches a page and wants this status.
func (b *browser) get(path string, want int) string {
	b.t.Helper()
	res, err := b.Get(b.url + path)
	return b.read(res, err, want)
}

func (b *browser) post(path string, form url.Values, want int) string {
	b.t.Helper()
	res, err := b.PostForm(b.url+path, form)
	return b.read(res, err, want)
}

func (b *browser) read(res *http.Response, err error, want int) string {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != want {
		b.t.Fatalf("%s %s: %s, want %d: %v\n%.600s", res.Request.Method, res.Request.URL, res.Status, want, err, body)
	}
	return string(body)
}

// TestShop walks the whole way of a day: codes, two tills, a sale's record on the
// till to its line in the owner's file. Goal: everything agrees with the till.
func TestShop(t *testing.T) {
	config := configure(t, "")
	command(t, "owner", "set", "--config", config, "--password-file", filepath.Join(filepath.Dir(config), "password"))
	s := openShop(t, config)

	zone, _ := time.LoadLocation("Europe/Vienna")
	midnight := time.Date(2026, 11, 22, 0, 0, 0, 0, zone)
	one, two := tilltest.New(1, "01", "EUR", midnight), tilltest.New(2, "02", "EUR", midnight)
	want := pos.Amount{Currency: one.Currency}
	for i, till := range []*tilltest.Till{one, two} {
		till.Day(midnight, 40)
		deliver(t, till, s.enrol(till, []string{"Counter", "Terrace"}[i]))
		for _, r := range till.Records() {
			var b pos.SaleCompleted
			if r.Kind == pos.KindSaleCompleted && r.Decode(&b) == nil {
				want, _ = want.Add(b.Totals.Total)
			}
		}
	}

	b := s.browser()
	if page := b.get("/days/2026-11-22", http.StatusOK); !strings.Contains(page, "type=\"password\"") {
		t.Error("a stranger is not asked for the password")
	}
	b.post("/sign-in", url.Values{"password": {"wrong password"}}, http.StatusForbidden)
	b.post("/sign-in", url.Values{"password": {password}}, http.StatusOK)
	page := b.get("/days/2026-11-22", http.StatusOK)
	for _, text := range []string{"Café Süd", "Counter", "Terrace", "80", want.Number(), "Safe here up to #" + fmt.Sprint(len(one.Records()))} {
		if !strings.Contains(page, text) {
			t.Errorf("the day's page lacks %q", text)
		}
	}
	if got := column(t, b.get("/days/2026-11-22/sales.csv", http.StatusOK), "total", one.Currency); got != want {
		t.Errorf("sales.csv adds up to %v, want %v", got, want)
	}
	if got := column(t, b.get("/days/2026-11-22/payments.csv", http.StatusOK), "amount", one.Currency); got != want {
		t.Errorf("payments.csv adds up to %v, want %v", got, want)
	}
	last := one.Records()[len(one.Records())-1]
	if page := b.get(fmt.Sprintf("/tills/%s/records/%d", one.Genesis.Till, last.N), http.StatusOK); !strings.Contains(page, last.Hash.String()) {
		t.Error("the record's page lacks its hash")
	}

	key := command(t, "key", "--config", s.config, "--name", "test")
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/v1/reports/2026-11-22", nil)
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(req)
	var report struct{ Items []pos.Report }
	if err := json.Unmarshal([]byte(b.read(res, err, http.StatusOK)), &report); err != nil || len(report.Items) != 1 || report.Items[0].Total != want {
		t.Errorf("the API's report: %+v, %v; want %v", report, err, want)
	}

	out := filepath.Join(t.TempDir(), "export")
	command(t, "export", "--config", s.config, "--from", "2026-11-21", "--to", "2026-11-23", "--out", out)
	for _, till := range []*tilltest.Till{one, two} {
		kept, err := os.ReadFile(filepath.Join(out, "journal-"+till.Genesis.Till+".jsonl"))
		if err != nil || !bytes.Equal(kept, journal(till)) {
			t.Errorf("the exported journal is not the till's: %v", err)
		}
	}
	sales, err := os.ReadFile(filepath.Join(out, "sales.csv"))
	if got := column(t, string(sales), "total", one.Currency); err != nil || got != want {
		t.Errorf("the export adds up to %v, want %v; %v", got, want, err)
	}
	if err := s.stop(); err != nil || s.set != "" {
		t.Errorf("stopped with %v, printed %q", err, s.set)
	}
}

func journal(till *tilltest.Till) []byte {
	var out []byte
	for _, r := range till.Records() {
		out = append(out, r.Line...)
	}
	return out
}

// column adds up a column of a CSV file.
func column(t *testing.T, text, name string, c pos.Currency) pos.Amount {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("no table: %v", err)
	}
	sum := c.Zero()
	for i, head := range rows[0] {
		for _, row := range rows[1:] {
			if head != name {
				continue
			}
			a, err := pos.ParseAmount(row[i], c)
			if err != nil {
				t.Fatal(err)
			}
			if sum, err = sum.Add(a); err != nil {
				t.Fatal(err)
			}
		}
	}
	return sum
}

// TestSetUpLink starts without a password. Goal: the console prints a link that
// sets it once.
func TestSetUpLink(t *testing.T) {
	s := openShop(t, configure(t, ""))
	printed := command(t, "owner", "link", "--config", s.config)
	_, link, ok := strings.Cut(printed, "/set-up/")
	if !ok {
		t.Fatalf("printed %q", printed)
	}
	b := s.browser()
	b.get("/set-up/"+link, http.StatusOK)
	b.get("/set-up/wrong", http.StatusNotFound)
	b.post("/set-up/"+link, url.Values{"password": {password}, "again": {"another password"}}, http.StatusBadRequest)
	b.post("/set-up/"+link, url.Values{"password": {"short"}, "again": {"short"}}, http.StatusBadRequest)
	b.post("/set-up/"+link, url.Values{"password": {password}, "again": {password}}, http.StatusOK)
	b.post("/set-up/"+link, url.Values{"password": {password}, "again": {password}}, http.StatusNotFound)
	if page := b.post("/sign-in", url.Values{"password": {password}}, http.StatusOK); !strings.Contains(page, "No till yet") {
		t.Errorf("after signing in: %.300s", page)
	}
	if err := s.stop(); err != nil || !strings.Contains(s.set, s.url+"/set-up/") {
		t.Errorf("stopped with %v, printed %q", err, s.set)
	}
}

// TestConfigFaults reads configurations with faults. Goal: all are named at once,
// each with its line and its remedy.
func TestConfigFaults(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
	}{
		"empty": {"", []string{"data is missing", "shop is missing"}},
		"all wrong": {"listen = \"nowhere\"\ndata = \"relative\"\nshop = \"\"\nzone = \"Mars/Base\"\nlanguage = \"tlh\"\npublic_url = \"shop.example/path\"\ntrusted_proxies = [\"me\"]\n",
			[]string{":1: listen", ":2: data", ":3: shop", ":4: zone", ":5: language", ":6: public_url", `:7: trusted_proxies "me"`}},
		"unknown key": {"data = \"/x\"\nshop = \"x\"\nlisten_on = \":1\"\n", []string{":3: listen_on is no setting; remove it or correct its spelling"}},
		"a slip":      {"data = \"/x\"\nshop = \"x\"\nlangauge = \"de\"\n", []string{":3: langauge is no setting; did you mean language?"}},
		"two slips deep": {"data = \"/x\"\nshop = \"x\"\n[stablecoins]\n[[stablecoins.network]]\nchian = \"base\"\n[[stablecoins.network.endpoint]]\noperater = \"A\"\n",
			[]string{":5: stablecoins.network.chian is no setting; did you mean chain?", ":7: stablecoins.network.endpoint.operater is no setting; did you mean operator?", ":4: stablecoins.network : an endpoint needs url_file"}},
		"a slip in a part": {"data = \"/x\"\nshop = \"x\"\n[offline]\nper_sal = \"1\"\n", []string{":4: offline.per_sal is no setting; did you mean per_sale?"}},
		"no TOML":          {"data = \"/x\"\nshop = x\n", []string{":2: ", "put text in quotes"}},
		"wrong type":       {"data = \"/x\"\nshop = 7\n", []string{":2: shop must be a text in quotes"}},
		"deep wrong type":  {"data = \"/x\"\nshop = \"x\"\n[rates]\nfixed = 30000\n", []string{":4: rates.fixed must be a text in quotes"}},
		"huge":             {strings.Repeat("# padding\n", 7000), []string{"larger than 64 KB"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "c.toml")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			err := run(t.Context(), []string{"run", "--config", path}, io.Discard, io.Discard)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not named in:\n%v", want, err)
				}
			}
			if got := strings.Count(err.Error(), path); got != len(tt.want) && name != "no TOML" {
				t.Errorf("%d faults named, want %d:\n%v", got, len(tt.want), err)
			}
		})
	}
}

func TestConfigDefaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.toml")
	if err := os.WriteFile(path, []byte("data = \"/var/lib/x\"\nshop = \"x\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := load(path)
	if err != nil || c.Listen != "127.0.0.1:8081" || c.PublicURL != "http://127.0.0.1:8081" || c.Language != "en" || c.zone.String() != "UTC" {
		t.Errorf("got %+v, %v", c, err)
	}
}

// TestCommandLine gives wrong command lines.
func TestCommandLine(t *testing.T) {
	config := configure(t, "")
	short := filepath.Join(t.TempDir(), "p")
	if err := os.WriteFile(short, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{}, {"dance"}, {"run"}, {"run", "--config", "/nowhere"}, {"owner", "set", "--config", config},
		{"owner", "set", "--config", config, "--password-file", short},
		{"export", "--config", config, "--from", "2026-11-22", "--to", "2026-11-21", "--out", t.TempDir()},
		{"export", "--config", config, "--from", "22.11.2026", "--to", "2026-11-23", "--out", t.TempDir()},
	} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%v: accepted", args)
		}
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"--help"}, &out, io.Discard); err != nil || !strings.Contains(out.String(), "export") {
		t.Errorf("--help: %v, %q", err, &out)
	}
}

// TestKeyIsKept starts twice. Goal: the key that tills know is the same, and only
// its owner can read it.
func TestKeyIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backoffice.key")
	one, err := loadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	two, err := loadKey(path)
	if err != nil || !one.Equal(two) {
		t.Errorf("the key changed: %v", err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if err := makeKey(path); err != nil {
		t.Fatal(err)
	}
	if three, err := loadKey(path); err != nil || !one.Equal(three) {
		t.Errorf("a second maker replaced the key: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("%d files left", len(left))
	}
	if err := os.WriteFile(path, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadKey(path); err == nil {
		t.Error("garbage is a key")
	}
}
