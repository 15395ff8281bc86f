package solana

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tillwright/tillwright/pos/rail/coin/cointest"
)

func TestMain(m *testing.M) { cointest.Main(m, "4") } // a node takes 100 MB

// tools returns the folder of the virtual machine.
func tools(t testing.TB) string {
	t.Helper()
	lock, err := os.ReadFile("svm/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	return cointest.Tools(t, lock, "solana", "go run ./pos/rail/evm/contracts/install -home pos/rail/solana/svm -as solana")
}

// svm is a real virtual machine of Solana's, with a wallet that has plenty.
type svm struct {
	t   testing.TB
	url string
}

// startSVM runs one until the test ends. A block is final after finalSlots slots of
// 400 ms.
func startSVM(t testing.TB, finalSlots int) *svm {
	t.Helper()
	cmd := exec.Command("node", "svm/node.mjs", tools(t), strconv.Itoa(finalSlots))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() }) // it ends with its input
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "Listening on ")
	if err != nil || !ok {
		_ = in.Close()
		_ = cmd.Wait() // so that said is whole
		t.Fatalf("no node: %v %s", err, said.String())
	}
	return &svm{t, url}
}

// post sends one body and returns the answer, whatever it is.
func (s *svm) post(path string, body any) []byte {
	s.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	c := http.Client{Timeout: 20 * time.Second}
	resp, err := c.Post(s.url+path, "application/json", bytes.NewReader(b))
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %v %s", b, err, out)
	}
	return out
}

// answer is an answerer: what the node says to one call.
func (s *svm) answer(method string, params []json.RawMessage) (json.RawMessage, *rpcFault) {
	var out struct {
		Result json.RawMessage
		Error  *rpcFault
	}
	if err := json.Unmarshal(s.post("/", map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params}), &out); err != nil {
		s.t.Error(err)
	}
	return out.Result, out.Error
}

// do asks the wallet for something.
func (s *svm) do(what string, with map[string]any) map[string]any {
	s.t.Helper()
	if with == nil {
		with = map[string]any{}
	}
	with["do"] = what
	out := map[string]any{}
	if err := json.Unmarshal(s.post("/do", with), &out); err != nil {
		s.t.Fatal(err)
	}
	return out
}

// mint makes a token, and the owner's account of it when there is an owner.
func (s *svm) mint(program Program, decimals int, owner Key) Key {
	s.t.Helper()
	k := MustKey(s.do("mint", map[string]any{"program": string(program), "decimals": decimals})["mint"].(string))
	if !owner.IsZero() {
		s.open(owner, k)
	}
	return k
}

func (s *svm) open(owner, mint Key) Key {
	s.t.Helper()
	return MustKey(s.do("open", map[string]any{"owner": owner.String(), "mint": mint.String()})["account"].(string))
}

// sent is one transfer of the wallet's.
type sent struct {
	owner, mint Key
	units       int64
	references  []Key
}

// pay sends transfers in one transaction. Options: memo, guards, legacy, open.
func (s *svm) pay(options map[string]any, transfers ...sent) string {
	s.t.Helper()
	var list []any
	for _, x := range transfers {
		refs := []string{}
		for _, r := range x.references {
			refs = append(refs, r.String())
		}
		list = append(list, map[string]any{"owner": x.owner.String(), "mint": x.mint.String(), "units": strconv.FormatInt(x.units, 10), "references": refs})
	}
	with := map[string]any{"transfers": list}
	for k, v := range options {
		with[k] = v
	}
	return s.do("pay", with)["signature"].(string)
}
