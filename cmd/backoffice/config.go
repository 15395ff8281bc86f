package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a small server image may have none

	"github.com/pelletier/go-toml/v2"

	"github.com/tillwright/tillwright/cmd/internal/slip"
	"github.com/tillwright/tillwright/pos"
)

// config is the one file the backoffice is told by. Every key may be left out but
// data and shop.
type config struct {
	Listen    string   `toml:"listen"`          // address of the HTTP server; TLS is a proxy's work
	Data      string   `toml:"data"`            // directory of database and key; made if missing
	Shop      string   `toml:"shop"`            // name of the shop
	Zone      string   `toml:"zone"`            // whose midnights part the days: "Europe/Vienna"
	Language  string   `toml:"language"`        // of the dashboard: en, es, de, fr, pt
	PublicURL string   `toml:"public_url"`      // how browsers and tills reach the server
	Proxies   []string `toml:"trusted_proxies"` // whose X-Forwarded-For is believed

	Lightning lightningConfig `toml:"lightning"` // the merchant's node, for payments of tills that are offline
	Rates     ratesConfig     `toml:"rates"`
	Offline   offlineConfig   `toml:"offline"`

	Stablecoins stablecoinsConfig `toml:"stablecoins"`

	zone    *time.Location
	public  *url.URL
	proxies []netip.Addr
}

// Bounds of the file.
const (
	maxConfig = 64 << 10
	maxShop   = 80
)

// load reads and checks the file. It fails with all faults at once, each with its
// line and its remedy.
func load(path string) (*config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	c := &config{Listen: "127.0.0.1:8081", Zone: "UTC", Language: "en", Rates: defaultRates, Offline: defaultOffline}
	faults := faults{path: path, text: text}
	if len(text) > maxConfig {
		faults.add(0, "the file is larger than 64 KB; is it the right one?")
		return nil, faults.err()
	}
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	faults.decode(d.Decode(c))
	if !faults.broken {
		c.validate(&faults)
	}
	return c, faults.err()
}

// validate checks each value and fills in what others tell.
func (c *config) validate(f *faults) {
	var err error
	if _, _, err = net.SplitHostPort(c.Listen); err != nil {
		f.key("listen", `must be an address and a port, such as "127.0.0.1:8081"`)
	}
	if c.Data == "" || !filepath.IsAbs(c.Data) {
		f.key("data", `must be the full path of a directory, such as "/var/lib/backoffice"`)
	}
	if c.Shop == "" || len(c.Shop) > maxShop {
		f.key("shop", `must be the shop's name, of at most 80 letters`)
	}
	if c.zone, err = time.LoadLocation(c.Zone); err != nil || c.Zone == "" || c.Zone == "Local" {
		f.key("zone", `must be a time zone such as "Europe/Vienna" or "America/New_York"`)
	}
	if !slices.Contains(pos.Languages, c.Language) {
		f.key("language", "must be one of "+strings.Join(pos.Languages, ", "))
	}
	c.validateURL(f)
	for _, p := range c.Proxies {
		a, err := netip.ParseAddr(p)
		if err != nil {
			f.key("trusted_proxies", fmt.Sprintf("%q must be an address such as \"127.0.0.1\"", p))
		}
		c.proxies = append(c.proxies, a)
	}
	c.validateOffline(f)
	c.validateStablecoins(f)
}

// validateURL checks the public URL; without one it is the listener's.
func (c *config) validateURL(f *faults) {
	if c.PublicURL == "" {
		c.PublicURL, c.public = "http://"+c.Listen, &url.URL{Scheme: "http", Host: c.Listen}
		return
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.Path != "" || u.RawQuery != "" || u.User != nil {
		f.key("public_url", `must be how browsers reach the server, without a path: "https://shop.example"`)
	}
	c.public = u
}

// listening corrects the public URL when port 0 became a real one.
func (c *config) listening(at net.Addr) {
	if c.public.Scheme == "http" && c.public.Host == c.Listen {
		c.public = &url.URL{Scheme: "http", Host: at.String()}
		c.PublicURL = c.public.String()
	}
}

// database and keyFile are the files of the data directory.
func (c *config) database() string { return filepath.Join(c.Data, "backoffice.db") }
func (c *config) keyFile() string  { return filepath.Join(c.Data, "backoffice.key") }
func (c *config) secret() string   { return filepath.Join(c.Data, "offline.secret") }

// faults gathers what is wrong with a file.
type faults struct {
	path   string
	text   []byte
	list   []string
	broken bool // it is no TOML, or a value has the wrong type: checking values is no use
}

func (f *faults) add(line int, what string) {
	where := f.path
	if line > 0 {
		where = fmt.Sprintf("%s:%d", f.path, line)
	}
	f.list = append(f.list, where+": "+what)
}

// key adds a fault at the line of a key ("shop", "rates.fixed"), or of the file if it
// is missing.
func (f *faults) key(name, remedy string) {
	table := ""
	for i, line := range strings.Split(string(f.text), "\n") {
		if head, ok := strings.CutPrefix(strings.TrimSpace(line), "["); ok {
			head, _, _ = strings.Cut(strings.TrimPrefix(head, "["), "]") // [[…]] begins one of several
			if head = strings.TrimSpace(head); head == name {
				f.add(i+1, name+" "+remedy)
				return
			}
			table = head + "."
			continue
		}
		if before, _, ok := strings.Cut(line, "="); ok && table+strings.TrimSpace(before) == name {
			f.add(i+1, name+" "+remedy)
			return
		}
	}
	f.add(0, name+" is missing; it "+remedy)
}

// decode adds what the TOML reader found.
func (f *faults) decode(err error) {
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		for _, e := range strict.Errors {
			row, _ := e.Position()
			f.add(row, strings.Join(e.Key(), ".")+" is no setting"+meant(e.Key()))
		}
		return
	}
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, _ := e.Position()
		f.add(row, inWords(e))
	} else if err != nil {
		f.add(0, err.Error())
	}
	f.broken = err != nil
}

// inWords says what is wrong with a line that is no TOML, or has a value of another type.
func inWords(e *toml.DecodeError) string {
	said := strings.TrimPrefix(e.Error(), "toml: ")
	switch {
	case strings.Contains(said, "at start of value"): // shop = Corner
		return said + "; put text in quotes"
	case strings.Contains(said, "into struct field") && strings.HasSuffix(said, "of type string"): // shop = 7
		return strings.Join(e.Key(), ".") + " must be a text in quotes"
	}
	return said
}

// meant says what to write instead of a key that is no setting.
func meant(key []string) string {
	names, at := settings(reflect.TypeFor[config](), key[:len(key)-1]), key[len(key)-1]
	if slices.Contains(names, at+"_file") {
		return fmt.Sprintf("; a secret belongs in a file: write %s_file = \"…\" with that file's name", at)
	}
	if best := slip.Closest(at, names); best != "" {
		return "; did you mean " + best + "?"
	}
	return "; remove it or correct its spelling"
}

// settings are the names of the keys in a part of the file.
func settings(t reflect.Type, part []string) (names []string) {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("toml"), ",")
		switch {
		case name == "":
		case len(part) == 0:
			names = append(names, name)
		case name == part[0]:
			return settings(t.Field(i).Type, part[1:])
		}
	}
	return names
}

func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	return errors.New("the configuration has faults:\n  " + strings.Join(f.list, "\n  "))
}
