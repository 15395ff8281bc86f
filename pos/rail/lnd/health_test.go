package lnd

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/lnd/lndtest"
)

// run starts r's health loop until the test ends.
func run(t testing.TB, r *Rail) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = r.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
}

// TestReasons puts the node into each trouble, and out of it. The cashier reads
// why, in words, and the till recovers by itself.
func TestReasons(t *testing.T) {
	info := func(field string, value any) (func(*lndtest.Node), func(*lndtest.Node)) {
		return func(n *lndtest.Node) { n.SetInfo(field, value) }, nil
	}
	state := func(s string) func(*lndtest.Node) { return func(n *lndtest.Node) { n.SetState(s) } }
	always := func(call string, f lndtest.Fault) func(*lndtest.Node) {
		return func(n *lndtest.Node) { n.Always(call, f) }
	}
	active := state("SERVER_ACTIVE")
	clear := func(n *lndtest.Node) { n.Clear() }
	noChannels, _ := info("num_active_channels", 0)
	twoChannels, _ := info("num_active_channels", 2)
	notSynced, _ := info("synced_to_chain", false)
	synced, _ := info("synced_to_chain", true)
	oldHeader, _ := info("best_header_timestamp", "946684800") // the bubble's first second
	noIdentity, _ := info("identity_pubkey", "")
	twoChains, _ := info("chains", []any{})
	tests := []struct {
		name     string
		network  string // of the node; the till is set to mainnet unless it says simnet
		spoil    func(*lndtest.Node)
		mend     func(*lndtest.Node)
		word     string
		permanet bool // mended by hand only
	}{
		{"locked", "mainnet", state("LOCKED"), active, "ln_locked", false},
		{"no wallet", "mainnet", state("NON_EXISTING"), active, "ln_no_wallet", false},
		{"unlocked", "mainnet", state("UNLOCKED"), active, "ln_starting", false},
		{"RPC active", "mainnet", state("RPC_ACTIVE"), active, "ln_starting", false},
		{"waiting", "mainnet", state("WAITING_TO_START"), active, "ln_starting", false},
		{"unheard-of state", "mainnet", state("DREAMING"), active, "ln_odd", false},
		{"not synced", "mainnet", notSynced, synced, "ln_not_synced", false},
		{"header three hours old", "mainnet", oldHeader, nil, "ln_not_synced", true},
		{"not synced, on a toy chain", "simnet", notSynced, synced, "", false},
		{"no channels", "mainnet", noChannels, twoChannels, "ln_no_channels", false},
		{"no identity", "mainnet", noIdentity, nil, "ln_odd", true},
		{"no chain", "mainnet", twoChains, nil, "ln_odd", true},
		{"another chain", "testnet", nil, nil, "ln_network", true},
		{"line cut", "mainnet", (*lndtest.Node).Cut, (*lndtest.Node).Start, "ln_unreachable", false},
		{"line half-open", "mainnet", (*lndtest.Node).Freeze, (*lndtest.Node).Thaw, "ln_unreachable", false},
		{"node stopped", "mainnet", (*lndtest.Node).Stop, (*lndtest.Node).Start, "ln_unreachable", false},
		{"proxy without lnd", "mainnet", always("GetState", lndtest.HTML), clear, "ln_odd", false},
		{"hotel", "mainnet", always("GetState", lndtest.Portal), clear, "ln_odd", false},
		{"huge", "mainnet", always("GetInfo", lndtest.Huge), clear, "ln_odd", false},
		{"certificate replaced", "mainnet", func(n *lndtest.Node) { n.RenewCertificate(10_080 * time.Hour) }, nil, "ln_pin", true},
		{"revoked", "mainnet", func(n *lndtest.Node) { n.Revoke("1007") }, nil, "ln_revoked", true},
		{"denied", "mainnet", always("GetInfo", lndtest.Refuse(500, 2, "permission denied")), clear, "ln_denied", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				time.Sleep(3 * time.Hour) // so that 1 January 2000 is old
				node := lndtest.New(t, lndtest.Options{Network: tt.network})
				set := "mainnet"
				if tt.network == "simnet" {
					set = ""
				}
				r := railBefore(t, node, func(o *Options) { o.Network = set })
				if r.Health().Ready {
					t.Fatal("ready before anybody was asked")
				}
				run(t, r)
				synctest.Wait()
				if tt.network != "testnet" && !r.Health().Ready {
					t.Fatalf("healthy, and %+v", r.Health())
				}
				if tt.spoil != nil {
					tt.spoil(node)
				}
				time.Sleep(healthEvery + 2*callLimit)
				synctest.Wait()
				want := pos.Word("en", tt.word, "is", "testnet", "want", "mainnet")
				if h := r.Health(); h.Ready != (tt.word == "") || tt.word != "" && h.Reason != want || h.Asset != pos.Bitcoin {
					t.Fatalf("%+v, want %q", h, want)
				}
				if tt.mend == nil {
					time.Sleep(time.Hour)
					if r.Health().Ready != (tt.word == "") {
						t.Fatal("recovered by itself")
					}
					return
				}
				tt.mend(node)
				time.Sleep(permanentRetry + retryLast*6/5 + callLimit)
				synctest.Wait()
				if h := r.Health(); !h.Ready || h.Reason != "" {
					t.Fatalf("mended, and %+v", h)
				}
			})
		})
	}
}

// TestHealthIsQuick: a call without an answer makes the loop look at once, so the
// button is grey within seconds.
func TestHealthIsQuick(t *testing.T) {
	bubble(t, func(t *testing.T) {
		node := lndtest.New(t, lndtest.Options{})
		r := railBefore(t, node)
		run(t, r)
		synctest.Wait()
		p := requested(t, r, 1)
		node.Cut()
		_, _ = r.Check(t.Context(), p)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if r.Health().Ready {
			t.Error("two seconds after a call found nobody, the button is not grey")
		}
	})
}

// TestPatience: a node that is away is asked often at first, then every half
// minute; a macaroon that is refused, hardly ever.
func TestPatience(t *testing.T) {
	bubble(t, func(t *testing.T) {
		node := lndtest.New(t, lndtest.Options{})
		node.SetState("LOCKED")
		r := railBefore(t, node)
		run(t, r)
		time.Sleep(time.Hour)
		if n := node.Calls("GetState"); n < 100 || n > 180 {
			t.Errorf("%d calls in an hour of being locked", n)
		}
		node.SetState("SERVER_ACTIVE")
		node.Revoke("1007")
		time.Sleep(time.Minute)
		before := node.Calls("GetInfo")
		time.Sleep(time.Hour)
		if n := node.Calls("GetInfo") - before; n > 13 {
			t.Errorf("%d calls in an hour with a revoked macaroon", n)
		}
	})
}

// TestNotices: what works, and still needs the owner.
func TestNotices(t *testing.T) {
	day := 24 * time.Hour
	tests := []struct {
		name   string
		life   time.Duration // of the certificate, from now
		rights []string
		caveat string
		skew   time.Duration
		want   []string // pieces of notices
	}{
		{"all well", 400 * day, lndtest.TillRights, "", 0, nil},
		{"31 days", 31 * day, lndtest.TillRights, "", 0, nil},
		{"29 days", 29 * day, lndtest.TillRights, "", 0, []string{"certificate ends in 30 days"}},
		{"6 days", 6 * day, lndtest.TillRights, "", 0, []string{"certificate ends in 7 days"}},
		{"an hour", time.Hour, lndtest.TillRights, "", 0, []string{"certificate ends in 1 days"}},
		{"ended", -time.Hour, lndtest.TillRights, "", 0, []string{"certificate ends in 0 days"}},
		{"clock", 400 * day, lndtest.TillRights, "", 90 * time.Second, []string{"differ by 9"}},
		{"clock, behind", 400 * day, lndtest.TillRights, "", -90 * time.Second, []string{"differ by 9"}},
		{"clock, nearly right", 400 * day, lndtest.TillRights, "", 20 * time.Second, nil},
		{"wide", 400 * day, append(slices.Clone(lndtest.TillRights), "offchain:read"), "", 0, []string{"more than it needs"}},
		{"key ends", 400 * day, lndtest.TillRights, "time-before 2000-01-04T00:00:00Z", 0, []string{"key ends in 7 days"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				node := lndtest.New(t, lndtest.Options{})
				node.Advance(tt.skew)
				node.RenewCertificate(tt.life + day)
				var caveats []string
				if tt.caveat != "" {
					caveats = []string{tt.caveat}
				}
				text := node.ConnectionWith(node.BakeWith("1007", caveats, tt.rights...))
				r := railBefore(t, node, func(o *Options) { o.Source = func() (string, string) { return text, "" } })
				run(t, r)
				synctest.Wait()
				h := r.Health()
				if !h.Ready || len(h.Notices) != len(tt.want) {
					t.Fatalf("%+v", h)
				}
				for i, w := range tt.want {
					if !strings.Contains(h.Notices[i], w) {
						t.Errorf("%q, want %q in it", h.Notices[i], w)
					}
				}
			})
		})
	}
}

// TestEveryReasonHasWords: no fault shows the cashier a key instead of a sentence.
func TestEveryReasonHasWords(t *testing.T) {
	for f := faultOdd; f <= faultNotAllowed; f++ {
		for _, lang := range pos.Languages {
			if s := pos.Word(lang, reasons[f]); s == "" || s == reasons[f] {
				t.Errorf("fault %d has no words in %s", f, lang)
			}
		}
	}
	r := &Rail{o: Options{Language: "de"}}
	if got := r.reason(faultLocked); !strings.Contains(got, "gesperrt") {
		t.Errorf("got %q", got)
	}
}
