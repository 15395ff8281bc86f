package main

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func (m *memory) all() []int {
	return []int{m.Chain, m.Shop.Peer, m.Shop.RPC, m.Shop.REST, m.Customer.RPC, m.Customer.REST}
}

// Goal: ports stay from start to start, so that connection strings do; only one
// that somebody else took is replaced; no two are the same.
func TestChoosePorts(t *testing.T) {
	var m memory
	if err := m.choosePorts(); err != nil {
		t.Fatal(err)
	}
	first := m.all()
	if sorted := slices.Sorted(slices.Values(first)); len(slices.Compact(sorted)) != 6 || sorted[0] == 0 {
		t.Fatalf("chose %v", first)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(m.Shop.REST))
	if err != nil {
		t.Skip("another process took the port in between")
	}
	defer taken.Close()
	if err := m.choosePorts(); err != nil {
		t.Fatal(err)
	}
	kept := 0
	for i, p := range m.all() {
		if p == first[i] {
			kept++
		}
	}
	if m.Shop.REST == first[3] || kept < 4 { // another process may have taken one more
		t.Errorf("chose %v after %v with the fourth taken", m.all(), first)
	}
}

func TestMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodes.json")
	if m, err := recall(path); err != nil || m != (memory{}) {
		t.Errorf("without a file: %+v, %v", m, err)
	}
	m := memory{Chain: 1, Shop: nodePorts{Peer: 2, RPC: 3, REST: 4}, Customer: nodePorts{RPC: 5, REST: 6}, Mining: "sb1q"}
	if err := m.keep(path); err != nil {
		t.Fatal(err)
	}
	if got, err := recall(path); err != nil || got != m {
		t.Errorf("got %+v, %v, want %+v", got, err, m)
	}
	if err := os.WriteFile(path, []byte(`{"chain":1,"sh`), 0o600); err != nil {
		t.Fatal(err)
	}
	if m, err := recall(path); err != nil || m != (memory{}) {
		t.Errorf("torn: %+v, %v", m, err)
	}
}

// TestConfLoopback holds that nothing listens where others can reach it, and that
// the customer's node does not listen for peers at all.
func TestConfLoopback(t *testing.T) {
	all := chainConf("/d/chain", 1, "pass", "sb1q") +
		nodeConf("/d/shop", "shop", nodePorts{Peer: 2, RPC: 3, REST: 4}, "/d/chain", 1, "pass") +
		nodeConf("/d/customer", "customer", nodePorts{RPC: 5, REST: 6}, "/d/chain", 1, "pass")
	for line := range strings.Lines(all) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && strings.HasSuffix(key, "listen") && key != "nolisten" && !strings.HasPrefix(value, "127.0.0.1:") {
			t.Errorf("%s", line)
		}
	}
	if strings.Count(all, "nolisten") != 2 || strings.Contains(chainConf("/d", 1, "p", ""), "miningaddr") {
		t.Errorf("it says\n%s", all)
	}
}
