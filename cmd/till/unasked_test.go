package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/cmd/internal/outage"
	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/rail/tron"
	reports "github.com/tillwright/tillwright/sync/backoffice/report"
)

// tronNode is a node of Tron's network as far as a till asks one by JSON-RPC: a block
// every three seconds, and nineteen of them until nobody can take one back.
type tronNode struct {
	t    testing.TB
	born time.Time
	own  string // the shop's address, as topics have it

	mu   sync.Mutex
	came []tronPaid
}

type tronPaid struct {
	height uint64
	tx     [32]byte
	units  *big.Int
}

const (
	tronHeight   = 80_000_000
	tronTransfer = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
)

// tether is USDT's contract on Tron's test network.
var tether = func() string {
	t, _ := tron.Known().Find(3448148188, "USDT")
	return "0x" + t.Contract.Hex()[2:]
}()

func newTronNode(t testing.TB, own string) *tronNode {
	a, err := tron.ParseAddress(own)
	if err != nil {
		t.Fatal(err)
	}
	return &tronNode{t: t, born: time.Now(), own: "0x" + strings.Repeat("0", 24) + a.Hex()[2:]}
}

// host serves n in memory.
func (n *tronNode) host(name string) (dial outage.Dialer, stop func()) {
	h := outage.NewHost(name)
	s := &http.Server{Handler: n, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(h) }()
	return func(ctx context.Context, netw, address string) (net.Conn, error) { return h.Dial(ctx, netw, address) }, func() { s.Close(); <-done }
}

// pay sends units of USDT to the shop.
func (n *tronNode) pay(units int64) (tx string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := tronPaid{height: n.tip() + 1, tx: sha256.Sum256(fmt.Append(nil, "tx", len(n.came))), units: big.NewInt(units)}
	n.came = append(n.came, p)
	return hex.EncodeToString(p.tx[:])
}

func (n *tronNode) tip() uint64 { return tronHeight + uint64(time.Since(n.born)/(3*time.Second)) }

func (n *tronNode) hash(height uint64) string {
	h := sha256.Sum256(binary.BigEndian.AppendUint64(nil, height))
	return "0x" + hex.EncodeToString(h[:])
}

func (n *tronNode) time(height uint64) uint64 {
	return uint64(n.born.Unix()) + 3*(height-tronHeight)
}

func (n *tronNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in []struct {
		ID     json.RawMessage   `json:"id"`
		Method string            `json:"method"`
		Params []json.RawMessage `json:"params"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		n.t.Error(err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	out := []object{}
	for _, c := range in {
		out = append(out, object{"jsonrpc": "2.0", "id": c.ID, "result": n.answer(c.Method, c.Params)})
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(out)
}

func (n *tronNode) answer(method string, params []json.RawMessage) any {
	switch method {
	case "eth_chainId":
		return "0xcd8690dc"
	case "eth_getCode":
		return "0x"
	case "eth_getBalance":
		return "0x0"
	case "eth_getBlockByNumber":
		return n.block(params[0])
	case "eth_call":
		return n.call(params[0])
	case "eth_getLogs":
		return n.logs(params[0])
	case "eth_getTransactionReceipt":
		for _, p := range n.came {
			if string(params[0]) == fmt.Sprintf("%q", "0x"+hex.EncodeToString(p.tx[:])) && p.height <= n.tip() {
				return object{"transactionHash": params[0], "blockHash": n.hash(p.height), "blockNumber": quantity(p.height), "status": "0x1"}
			}
		}
		return nil
	}
	n.t.Errorf("the till calls %s", method)
	return nil
}

func quantity(n uint64) string { return fmt.Sprintf("0x%x", n) }

// height reads a height, or the name of one.
func (n *tronNode) height(raw json.RawMessage) (h uint64) {
	switch s := strings.Trim(string(raw), `"`); s {
	case "latest":
		return n.tip()
	case "finalized":
		return n.tip() - 19
	default:
		if _, err := fmt.Sscanf(s, "0x%x", &h); err != nil {
			n.t.Errorf("height %s", raw)
		}
	}
	return h
}

func (n *tronNode) block(raw json.RawMessage) any {
	h := n.height(raw)
	if h > n.tip() {
		return nil
	}
	return object{"number": quantity(h), "hash": n.hash(h), "timestamp": quantity(n.time(h))}
}

func (n *tronNode) call(raw json.RawMessage) any {
	word := func(x *big.Int) string { return fmt.Sprintf("%064x", x) }
	switch s := string(raw); {
	case strings.Contains(s, "0x313ce567"): // decimals
		return "0x" + word(big.NewInt(6))
	case strings.Contains(s, "0x95d89b41"): // symbol
		return "0x" + word(big.NewInt(32)) + word(big.NewInt(4)) + hex.EncodeToString([]byte("USDT")) + strings.Repeat("0", 56)
	}
	sum := new(big.Int)
	for _, p := range n.came {
		if p.height <= n.tip() {
			sum.Add(sum, p.units)
		}
	}
	return "0x" + word(sum)
}

func (n *tronNode) logs(raw json.RawMessage) any {
	var f struct {
		FromBlock, ToBlock json.RawMessage
		BlockHash          string
		Topics             []*string
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		n.t.Error(err)
	}
	out := []object{}
	if len(f.Topics) < 3 || *f.Topics[2] != n.own { // what went away: nothing
		return out
	}
	for i, p := range n.came {
		in := f.BlockHash == n.hash(p.height)
		if f.BlockHash == "" {
			in = p.height >= n.height(f.FromBlock) && p.height <= n.height(f.ToBlock)
		}
		if in && p.height <= n.tip() {
			out = append(out, object{
				"logIndex": quantity(uint64(i)), "transactionHash": "0x" + hex.EncodeToString(p.tx[:]), "blockHash": n.hash(p.height), "blockNumber": quantity(p.height),
				"blockTimestamp": quantity(n.time(p.height)), "address": tether, "data": fmt.Sprintf("0x%064x", p.units),
				"topics": []string{tronTransfer, "0x" + strings.Repeat("0", 62) + "77", n.own},
			})
		}
	}
	return out
}

const tronWallet = "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"

const tronShop = `
[rates.fixed_tokens]
USDT = "0.80"
[stablecoins]
usdt_in_eu = true
[[stablecoins.accept]]
chain = "nile"
tokens = ["USDT"]
address = "` + tronWallet + `"
policy = [{ level = "1 block", operators = 1 }]
[[stablecoins.accept.endpoint]]
operator = "A"
url_file = "tron.url"
`

// TestUnaskedDay: somebody sends the shop money that nobody asked for. It is told to the till
// and the till is killed before that is in the books; it is booked by the next start all the
// same, and once, however often the till starts again; a manager decides; the backoffice has
// it in its day. So is what comes for a payment after its last word, and no sale's money is
// ever among it.
func TestUnaskedDay(t *testing.T) {
	warm()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)))
		node := newTronNode(t, tronWallet)
		dial, stop := node.host("127.0.0.9")
		w := newWorld(t, setting{extra: tronShop, files: map[string]string{"tron.url": "http://127.0.0.9/jsonrpc"}, more: map[string]outage.Dialer{"127.0.0.9": dial}})
		defer func() { w.closeInBubble(); stop() }()
		w.enrol()
		time.Sleep(2 * time.Minute)
		d := &unaskedDay{w, node}

		sale := d.do(pos.AddItem{SKU: "BRD"}).Sale
		first := d.do(pos.Pay{Sale: sale, Tender: "usdt-nile"}).Payment
		time.Sleep(10 * time.Second)
		node.pay(8_000_000)
		time.Sleep(30 * time.Second)
		if v := w.till.desk.View(); v.Customer.Phase != pos.PhasePaid {
			t.Fatalf("the customer sees %+v", v.Customer)
		}
		d.again("desk") // it books nothing
		tx := node.pay(12_500_000)
		time.Sleep(5 * time.Minute)
		came, _ := w.till.unasked[0].Unasked()
		if len(came) != 1 || came[0].Tx != tx {
			t.Fatalf("told of %+v", came)
		}
		if n := d.booked(); n != 0 {
			t.Fatalf("%d are booked", n)
		}
		for range 3 {
			d.again()
			list := w.till.desk.View().Counter.Refunds
			if len(list) != 1 || list[0].Kind != pos.OwedUnasked || list[0].Came != "12.5000 USDT" || list[0].On != "USDT on Tron Nile (test)" || d.booked() != 1 {
				t.Fatalf("%d are booked, and owed is %+v", d.booked(), list)
			}
		}
		if rail := w.till.unasked[0].(interface{ Told(key string) bool }); !rail.Told(came[0].Key) || rail.Told("another") {
			t.Error("the network's rail does not know what is booked as nobody's")
		}
		row := w.till.desk.View().Counter.Refunds[0]
		d.do(pos.Decide{Payment: row.Payment, As: pos.GivenBack, Note: "kept: nobody came for it", Came: row.Exact})
		time.Sleep(40 * time.Minute) // the sale's payment has its last word
		d.again()
		node.pay(8_000_000) // and the customer pays once more
		time.Sleep(5 * time.Minute)
		for range 2 {
			list := w.till.desk.View().Counter.Refunds
			if len(list) != 1 || list[0].Kind != pos.OwedAfter || list[0].Came != "8.0000 USDT" || d.booked() != 2 {
				t.Fatalf("%d are booked, and owed is %+v of %s", d.booked(), list, first)
			}
			d.again()
		}
		zone, _ := time.LoadLocation("Europe/Vienna")
		all := reports.New(w.office, zone)
		days, err := all.Days(t.Context(), all.Date(time.Now()))
		if err != nil || len(days) != 1 {
			t.Fatalf("%+v, %v", days, err)
		}
		r := days[0].Total
		if r.Unasked.Count != 2 || r.UnaskedDecided != 1 || r.Sales != 1 || r.Unbalanced != 0 || r.Over.Count != 0 {
			t.Errorf("the backoffice reports %+v", r)
		}
	})
}

// unaskedDay is a till, and a network that pays it.
type unaskedDay struct {
	*world
	node *tronNode
}

func (d *unaskedDay) do(a pos.Action) pos.Answer {
	d.t.Helper()
	ans, err := d.till.desk.Do(d.t.Context(), pos.Command{Key: key(), By: owner, Do: a})
	if err != nil {
		d.t.Fatalf("%T: %v", a, err)
	}
	return ans
}

// again starts the till anew, with some of its actors idle, and gives it time.
func (d *unaskedDay) again(idle ...string) {
	d.stop()
	d.idle = idle
	d.start()
	time.Sleep(5 * time.Minute)
}

// booked counts what is in the journal.
func (d *unaskedDay) booked() (n int) {
	for r, err := range d.till.journal.Since(0) {
		if err != nil {
			d.t.Fatal(err)
		}
		if r.Kind == pos.KindUnasked {
			n++
		}
	}
	return n
}
