package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/evm"
	"github.com/tillwright/tillwright/sync/wire"
)

// seedOffice is a backoffice at the other end of a line, as http.RoundTripper.
type seedOffice struct {
	key ed25519.PrivateKey

	mu   sync.Mutex
	fail string // "line", "404", "409", "stranger"
	got  []wire.AddressSeed
	when []time.Time
}

func (f *seedOffice) set(fail string) { f.mu.Lock(); f.fail = fail; f.mu.Unlock() }

func (f *seedOffice) told() []time.Time { f.mu.Lock(); defer f.mu.Unlock(); return f.when }

// RoundTrip implements http.RoundTripper.
func (f *seedOffice) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.when = append(f.when, time.Now())
	body, err := io.ReadAll(r.Body)
	if err != nil || f.fail == "line" {
		return nil, errors.New("no route to host")
	}
	answer := func(status int, media string, b []byte, signature string) *http.Response {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {media}, wire.HeaderSignature: {signature}}, Body: io.NopCloser(bytes.NewReader(b)), Request: r}
	}
	if status, err := strconv.Atoi(f.fail); err == nil {
		b, _ := json.Marshal(wire.Problem{Type: "about:blank", Title: "no", Status: status, Detail: "no"})
		return answer(status, wire.ProblemType, b, ""), nil
	}
	key := f.key
	if f.fail == "stranger" {
		key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{'x'}, 32))
	}
	var a wire.AddressSeed
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, err
	}
	f.got = append(f.got, a)
	counter, _ := strconv.ParseInt(r.Header.Get(wire.HeaderCounter), 10, 64)
	b, _ := json.Marshal(wire.SeedKept{Kept: time.Now()})
	return answer(200, "application/json", b, wire.Answer{Path: r.URL.Path, Counter: counter, Body: b}.Sign(key)), nil
}

// TestSeedTeller lives through what happens to a line. Goal: the seed is told until it is
// acknowledged, and again when the backoffice may have forgotten; and nowhere else.
func TestSeedTeller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &seedOffice{key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{'b'}, 32))}
		var books pos.Books
		var mu sync.Mutex
		o := &office{
			books: func() pos.Books { mu.Lock(); defer mu.Unlock(); return books }, key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{'t'}, 32)),
			genesis: pos.Genesis{Till: "0011223344556677"}, calls: f, vouch: func(time.Time) {},
		}
		var log bytes.Buffer
		a := wire.AddressSeed{Scheme: 1, Treasury: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", Seed: wire.Seed{1, 2, 3}}
		s := &seedTeller{seed: func() wire.AddressSeed { return a }, far: func() *office { return o }, log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), wake: make(chan struct{}, 1)}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.run(ctx) }()
		tries := func(want int, what string) {
			t.Helper()
			synctest.Wait()
			if got := len(f.told()); got != want {
				t.Fatalf("%s: %d tries, want %d", what, got, want)
			}
		}
		time.Sleep(3 * time.Hour)
		tries(0, "not enrolled")
		mu.Lock()
		books.Enrolled = &pos.Enrolled{URL: "https://shop.example", Key: f.key.Public().(ed25519.PublicKey)}
		mu.Unlock()
		f.set("line")
		o.again() // as Enrol does
		time.Sleep(10 * time.Second)
		tries(4, "no line: 0, 1, 3 and 7 seconds")
		time.Sleep(time.Hour)
		if n := len(f.told()); n < 15 || n > 25 {
			t.Fatalf("an hour without a line: %d tries", n)
		}
		f.set("stranger")
		time.Sleep(6 * time.Minute)
		n := len(f.told())
		f.set("")
		time.Sleep(6 * time.Minute)
		tries(n+1, "a stranger's word counts for nothing")
		time.Sleep(23 * time.Hour)
		tries(n+1, "acknowledged")
		time.Sleep(2 * time.Hour)
		tries(n+2, "a day later")
		o.again() // the backoffice came back from a backup
		tries(n+3, "forgotten")
		if f.got[len(f.got)-1] != a {
			t.Error("it is told another seed")
		}
		old := a
		a.Seed[0]++ // an enrolment makes a new one
		o.again()
		tries(n+4, "a new seed")
		if f.got[len(f.got)-1] != a {
			t.Error("it is told the old seed")
		}
		n++
		f.set("404")
		o.again()
		time.Sleep(59 * time.Minute)
		tries(n+4, "an older backoffice")
		f.set("409")
		time.Sleep(time.Hour)
		tries(n+5, "another till's")
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if len(f.got) < 3 || f.got[0] != old {
			t.Errorf("it was told %d times", len(f.got))
		}
		if strings.Contains(log.String(), "010203") || !strings.Contains(log.String(), "recovery sheet") {
			t.Errorf("the log says %s", log.String())
		}
	})
}

// TestSeedOfGap: a backoffice that came back from a backup is told again.
func TestSeedOfGap(t *testing.T) {
	f := &seedOffice{key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{'b'}, 32))}
	told := 0
	o := &office{
		books: func() pos.Books {
			return pos.Books{Enrolled: &pos.Enrolled{URL: "https://shop.example", Key: f.key.Public().(ed25519.PublicKey)}}
		},
		key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{'t'}, 32)), genesis: pos.Genesis{Till: "0011223344556677"}, vouch: func(time.Time) {},
	}
	o.onNews(func() { told++ })
	o.calls = roundTrip(func(r *http.Request) (*http.Response, error) {
		cp := wire.SignCheckpoint(pos.Checkpoint{Till: "0011223344556677", N: 4, At: time.Now()}, f.key)
		b, err := json.Marshal(wire.Problem{Type: wire.ProblemGap, Title: "gap", Status: 409, Detail: "gap", Expected: 5, Checkpoint: &cp})
		return &http.Response{StatusCode: 409, Header: http.Header{"Content-Type": {wire.ProblemType}}, Body: io.NopCloser(bytes.NewReader(b)), Request: r}, err
	})
	if _, err := o.Push(t.Context(), nil); err == nil || told != 1 {
		t.Errorf("%v, told %d times", err, told)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRecovery asks for a payment at a real chain. Goal: what the paper says, typed in
// again, and what the backoffice is told, both name the address that the customer saw;
// and a till with one address for all has nothing to tell.
func TestRecovery(t *testing.T) {
	if testing.Short() {
		t.Skip("needs anvil; leave -short out")
	}
	dir, m := t.TempDir(), newMarket(t)
	file := writeCoinsShop(t, dir, m)
	x, c, stop := runShop(t, file)
	c.found()
	d := &tokenDay{c, m, x}
	c.wait("tokens", tendersReady)
	sale, _ := d.open("usdc-lab1", "BRD")
	to := d.address(sale)
	sheet := good(t, "recovery", "--config", file)
	a, err := wire.ParseSheet(sheet)
	if err != nil {
		t.Fatalf("%v in\n%s", err, sheet)
	}
	treasury := evm.MustAddress(a.Treasury)
	if got := evm.AddressOf(treasury, evm.Seed(a.Seed).Salt(1)); got.String() != to {
		t.Errorf("the sheet leads to %s, the customer pays to %s", got, to)
	}
	var told []wire.AddressSeed
	cfg, err := loadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	for _, one := range []bool{false, true} {
		sc := *cfg.stablecoins
		sc.oneAddress, sc.tolerance = one, evm.Options{}.Tolerance
		fl, err := buildEVM(sc, sc.of(evmFamily), site{store: func(name string) evm.Store { return readOnly{bookStore(dir + "/data/" + name + ".book")} }, shop: cfg.shop, log: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		if fl.seed != nil {
			told = append(told, fl.seed())
		}
	}
	if len(told) != 1 || told[0] != a {
		t.Errorf("the backoffice is told %v, and the paper says %v", told, a)
	}
}
