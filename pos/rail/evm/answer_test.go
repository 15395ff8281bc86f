package evm

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestReadPeek: an answer that Peek cannot have given is none.
func TestReadPeek(t *testing.T) {
	head := fmt.Sprintf("%064x%064x%064x", 8453, 7, 1_000_000_000)
	tag := func(kind, token, owner, value int) string {
		return fmt.Sprintf("%032x%016x%08x%08x%064x", 0, kind, token, owner, value)
	}
	good := tag(1, 0, 1, 500) + tag(2, 1, 0, 0) + tag(3, 0, 1, 65)
	v, err := readPeek(json.RawMessage(`"0x`+head+good+`"`), 2, 2)
	if err != nil || v.chain != 8453 || v.time != 1e9 || len(v.found) != 3 || v.balance(1, 0).Int64() != 500 || v.balance(0, 1) != nil || v.balance(0, 0).Sign() != 0 {
		t.Fatalf("%+v, %v", v, err)
	}
	for name, body := range map[string]string{
		"an owner too many":   head + tag(1, 0, 2, 5),
		"a token too many":    head + tag(1, 2, 0, 5),
		"a balance of zero":   head + tag(1, 0, 0, 0),
		"dumb, with balance":  head + tag(2, 0, 0, 5),
		"no code":             head + tag(3, 0, 0, 0),
		"code of a token":     head + tag(3, 1, 0, 5),
		"an unknown kind":     head + tag(4, 0, 0, 5),
		"one twice":           head + tag(1, 0, 0, 5) + tag(1, 0, 0, 6),
		"half a finding":      head + tag(1, 0, 0, 5)[:64],
		"no head":             head[:128],
		"nothing":             "",
		"a chain of 64 bits":  strings.Repeat("f", 64) + head[64:],
		"a tag of 32 bytes":   head + "1" + tag(1, 0, 0, 5)[1:],
		"more than can be":    head + strings.Repeat(tag(1, 0, 0, 5), 3000),
		"an odd digit":        head + good + "0",
		"something not a hex": head[:63] + "x",
	} {
		if v, err := readPeek(json.RawMessage(`"0x`+body+`"`), 2, 2); err == nil {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestReadLogs: what is not an event, whole, is none.
func TestReadLogs(t *testing.T) {
	h := `"0x` + strings.Repeat("11", 32) + `"`
	good := `{"address":"0x` + strings.Repeat("22", 20) + `","topics":[` + h + `],"data":"0x","blockNumber":"0x5","blockHash":` + h + `,"transactionHash":` + h + `,"logIndex":"0x0","removed":false}`
	if logs, err := readLogs(json.RawMessage("[" + good + "," + strings.Replace(good, "false", "true", 1) + "]")); err != nil || len(logs) != 1 || logs[0].number != 5 {
		t.Fatalf("%+v, %v", logs, err)
	}
	for _, key := range []string{"address", "topics", "data", "blockNumber", "blockHash", "transactionHash", "logIndex"} {
		if logs, err := readLogs(json.RawMessage("[" + strings.Replace(good, key, "x", 1) + "]")); err == nil {
			t.Errorf("without %s: %+v", key, logs)
		}
	}
	for _, bad := range []string{"null", "{}", "[1]", `["x"]`} {
		if logs, err := readLogs(json.RawMessage(bad)); err == nil {
			t.Errorf("%.40s: %+v", bad, logs)
		}
	}
}

func FuzzReadPeek(f *testing.F) {
	f.Add(`"0x` + fmt.Sprintf("%064x%064x%064x", 8453, 7, 1_000_000_000) + `"`)
	f.Fuzz(func(t *testing.T, s string) {
		v, err := readPeek(json.RawMessage(s), 2, 2)
		if err == nil && len(v.found) > 2*2*2+2 {
			t.Errorf("%d findings", len(v.found))
		}
	})
}

func FuzzAnswers(f *testing.F) {
	f.Add(`{"number":"0x5","hash":"0x00","timestamp":"0x1"}`)
	f.Add(`[{"address":"0x22","topics":[],"data":"0x"}]`)
	f.Fuzz(func(t *testing.T, s string) {
		_, _ = readBlock(json.RawMessage(s)) // must end, and not panic
		if logs, err := readLogs(json.RawMessage(s)); err == nil && 100*len(logs) > len(s) {
			t.Errorf("%d events of %d bytes", len(logs), len(s))
		}
	})
}
