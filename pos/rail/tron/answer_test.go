package tron

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tillwright/tillwright/pos/rail/rpc"
)

// Answers as the documentation has them (tronprotocol, documentation-en, 2026; captured
// there from Nile).
const (
	docBlock = `{"number":"0x3fe1c00","hash":"0x0000000003fe1c00462b498ddae67717e96c785078adb5ccb7279148916e6f97","parentHash":"0x0000000003fe1bff062fa008dcd68f6ab2a96a25bc175df22a04baa0cd391573","miner":"0xa234e405a2c6fd67cdd4d0ea2f6188f65534c8b1","timestamp":"0x69f18a5c","size":"0x73d"}`
	docLogs  = `[{"address":"0x9ff8fc48fb114ccd5bbdc24a86f0c73082f08825","blockHash":"0x0000000003fe1ca05cf728c92ee79f5f2758c3e4e4ea88501826726880e8b81c","blockNumber":"0x3fe1ca0","blockTimestamp":"0x697999ef","transactionHash":"0x01b4cde4197b9d1a1ff09ef5d2b1d939d3ec2401b3f002ebd0802c0f30a6e4ca","transactionIndex":"0x0","logIndex":"0x0","removed":false,"topics":["0xc66625d03b4a832d8245f0df593e32e0fbbbad96d4aa45440aa1535b80983083","0x000000000000000000000000dd791d6b49e190062d650e6a23c575510d35f2f9","0x0000000000000000000000000000000000000000000000000000000000000007"],"data":"0x00000000"}]`
	docHead  = `{"blockID":"0000000003fe262d52bfa4b2814f816fd2e57af5b98a33d60d8630a03a908e0e","block_header":{"raw_data":{"number":66987565,"txTrieRoot":"faf8","witness_address":"41b2f713d57dbcec679d93a8849fa0cd0e4db594ba","parentHash":"0000000003fe262c85cd6b02033f4c3e5c1efa35de256a17bd906dc61fb1aeed","version":34,"timestamp":1777445121000},"witness_signature":"5b3c"}}`
	docInfo  = `{"id":"01b4cde4197b9d1a1ff09ef5d2b1d939d3ec2401b3f002ebd0802c0f30a6e4ca","fee":5254500,"blockNumber":66985120,"blockTimeStamp":1777437762000,"contractResult":[""],"contract_address":"419ff8fc48fb114ccd5bbdc24a86f0c73082f08825","receipt":{"energy_fee":4458500,"energy_usage_total":44585,"net_fee":796000,"result":"SUCCESS"},"log":[{"address":"9ff8fc48fb114ccd5bbdc24a86f0c73082f08825","topics":["c66625d03b4a832d8245f0df593e32e0fbbbad96d4aa45440aa1535b80983083"],"data":"0000"}]}`
	docCall  = `{"result":{"result":true},"energy_used":935,"constant_result":["0000000000000000000000000000000000000000000000000000000040cfcc00"],"transaction":{"ret":[{}]}}`
	docList  = `{"data":[{"transaction_id":"3941029cbb1eaa874af11696225965d991701b7f247314ab1036ae2049e34227","token_info":{"symbol":"USDT","address":"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t","decimals":6,"name":"Tether USD"},"block_timestamp":1690000000000,"from":"TWxnxrH8WRnGbtSxu4VuBmGMMbfizmmb9x","to":"TVJdbqBeo81JpHtmugU8KiDB48u5XUdarD","type":"Transfer","value":"752000000"}],"success":true,"meta":{"at":1690000001000,"fingerprint":"abc","links":{"next":"https://api.trongrid.io/v1/x"},"page_size":1}}`
	docRec   = `{"blockHash":"0x0000000003fe1ca05cf728c92ee79f5f2758c3e4e4ea88501826726880e8b81c","blockNumber":"0x3fe1ca0","transactionHash":"0x01b4cde4197b9d1a1ff09ef5d2b1d939d3ec2401b3f002ebd0802c0f30a6e4ca","status":"0x1","contractAddress":null,"logs":[]}`
)

var docTx = [32]byte(unhex("01b4cde4197b9d1a1ff09ef5d2b1d939d3ec2401b3f002ebd0802c0f30a6e4ca"))

func obj(t testing.TB, s string) map[string]json.RawMessage {
	t.Helper()
	f, err := rpc.Fields([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// all knows every token.
func all(Address) bool { return true }

// TestDocumented reads the answers of the documentation.
func TestDocumented(t *testing.T) {
	if b, err := readBlock([]byte(docBlock)); err != nil || b.number != 0x3fe1c00 || b.time != 0x69f18a5c {
		t.Errorf("%+v, %v", b, err)
	}
	if l, err := readLogs([]byte(docLogs)); err != nil || len(l) != 1 || l[0].number != 0x3fe1ca0 || l[0].time != 0x697999ef {
		t.Errorf("%+v, %v", l, err)
	}
	if b, err := readGridBlock(obj(t, docHead)); err != nil || b.number != 66987565 || b.time != 1777445121 {
		t.Errorf("%+v, %v", b, err)
	}
	if i, err := readInfo(obj(t, docInfo), docTx, all); err != nil || !i.good || i.number != 66985120 || i.time != 1777437762 || len(i.logs) != 1 {
		t.Errorf("%+v, %v", i, err)
	}
	if b, err := readResult(obj(t, docCall)); err != nil || b[28] != 0x40 {
		t.Errorf("%x, %v", b, err)
	}
	rows, next, err := readRows(obj(t, docList))
	if err != nil || next != "abc" || len(rows) != 1 || rows[0].units.Int64() != 752_000_000 || rows[0].to != merchant || rows[0].time != 1_690_000_000 {
		t.Errorf("%+v, %v", rows, err)
	}
	if n, _, good := readReceipt([]byte(docRec), docTx); n != 0x3fe1ca0 || !good {
		t.Errorf("%d, %v", n, good)
	}
	first := obj(t, `{"blockID":"00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc","block_header":{"raw_data":{"witness_address":"41"}}}`)
	if b, err := readGridBlock(first); err != nil || chainOf(b) != 728126428 {
		t.Errorf("%+v, %v", b, err)
	}
}

// TestSpoilt takes each field away, and each is missed.
func TestSpoilt(t *testing.T) {
	for name, c := range map[string]struct {
		doc   string
		needs []string
		read  func(f map[string]json.RawMessage) bool
	}{
		"block": {docBlock, []string{"number", "hash", "timestamp"}, func(f map[string]json.RawMessage) bool {
			b, _ := json.Marshal(f)
			_, err := readBlock(b)
			return err == nil
		}},
		"receipt": {docRec, []string{"blockHash", "blockNumber", "transactionHash", "status"}, func(f map[string]json.RawMessage) bool {
			b, _ := json.Marshal(f)
			_, _, ok := readReceipt(b, docTx)
			return ok
		}},
		"head": {docHead, []string{"blockID", "block_header"}, func(f map[string]json.RawMessage) bool { _, err := readGridBlock(f); return err == nil }},
		"outcome": {docInfo, []string{"id", "blockNumber", "blockTimeStamp", "receipt"}, func(f map[string]json.RawMessage) bool {
			i, err := readInfo(f, docTx, all)
			return err == nil && i.good
		}},
		"result":    {docCall, []string{"result", "constant_result"}, func(f map[string]json.RawMessage) bool { _, err := readResult(f); return err == nil }},
		"transfers": {docList, []string{"data", "success", "meta"}, func(f map[string]json.RawMessage) bool { _, _, err := readRows(f); return err == nil }},
	} {
		if !c.read(obj(t, c.doc)) {
			t.Errorf("%s: not read at all", name)
		}
		for _, key := range c.needs {
			for _, v := range []string{"", "null", `"x"`, "-1", "[]"} {
				f := obj(t, c.doc)
				if delete(f, key); v != "" {
					f[key] = json.RawMessage(v)
				}
				if key == "data" && v == "[]" {
					continue // a list of nothing is one
				}
				if c.read(f) {
					t.Errorf("%s: %s as %q was not missed", name, key, v)
				}
			}
		}
	}
	for _, s := range []string{
		strings.Replace(docList, `"value":"752000000"`, `"value":"7.5"`, 1), strings.Replace(docList, `"value":"752000000"`, `"value":752`, 1),
		strings.Replace(docList, "TVJdbqBeo81JpHtmugU8KiDB48u5XUdarD", "tvjdbqbeo81jphtmugu8kidb48u5xudard", 1), strings.Replace(docList, `"fingerprint":"abc"`, `"fingerprint":""`, 1),
	} {
		if _, _, err := readRows(obj(t, s)); err == nil {
			t.Errorf("%s was read", s)
		}
	}
	failed := strings.Replace(docInfo, `"fee"`, `"result":"FAILED","fee"`, 1)
	if i, err := readInfo(obj(t, failed), docTx, all); err != nil || i.good {
		t.Errorf("a failed transaction is good: %v", err)
	}
	if _, err := readInfo(obj(t, docInfo), [32]byte{}, all); err == nil {
		t.Error("another transaction was read")
	}
	revert := `{"result":{"result":true,"message":"REVERT opcode executed"},"constant_result":[""]}`
	if _, err := readResult(obj(t, revert)); rpc.FaultOf(err) != rpc.Refused {
		t.Errorf("%v", err)
	}
	if _, err := readGridBlock(obj(t, strings.Replace(docHead, "66987565", "66987566", 1))); err == nil {
		t.Error("a height that its hash does not have")
	}
}

// FuzzNode: whatever a node answers is read or refused.
func FuzzNode(f *testing.F) {
	for _, s := range []string{docBlock, docLogs, docRec, "null", "[]", `[{"removed":true}]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if x, err := readBlock(b); err == nil && x.number >= 1<<63 {
			t.Fatal("a height that cannot be")
		}
		logs, err := readLogs(b)
		for _, l := range logs {
			from, to, units, ok := readTransfer(l.topics, l.data)
			if err != nil || ok && (units.Sign() < 0 || units.BitLen() > 256 || len(from)+len(to) != 40) {
				t.Fatalf("%+v", l)
			}
		}
		readReceipt(b, docTx)
	})
}

// FuzzGrid: whatever TronGrid answers is read or refused.
func FuzzGrid(f *testing.F) {
	for _, s := range []string{docHead, docInfo, docCall, docList, `{}`, `{"success":true,"data":[{"balance":5,"owner_permission":{"keys":[{"address":"41"}]}}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := rpc.Fields(b)
		if err != nil {
			return
		}
		rows, _, err := readRows(o)
		for _, r := range rows {
			if err != nil || r.units == nil || r.units.Sign() < 0 || r.units.BitLen() > 256 {
				t.Fatalf("%+v", r)
			}
		}
		if i, err := readInfo(o, docTx, all); err == nil && i.number == 0 {
			t.Fatal("a transaction in no block")
		}
		_, _ = readGridBlock(o)
		_, _ = readResult(o)
		_, _ = readCoin(o)
		_, _, _ = readOwner(o, merchant)
	})
}

func FuzzString(f *testing.F) {
	f.Add(make([]byte, 96))
	f.Add(append(append(num(32), num(4)...), []byte("USDT")...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, ok := readString(b); ok && (s == "" || len(s) > maxSymbol) {
			t.Fatalf("%q", s)
		}
		readSmall(b)
	})
}

// TestStrict holds the fakes to what the documentation refuses.
func TestStrict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, m := usual(t, small)
		node, grid := &nodeFake{t: t, n: m, lenient: true}, &gridFake{t: t, n: m, lenient: true}
		usdt, w := "0xa614f803b6fd780986a42c78ec9c7f77e6ded13c", merchant.word()
		filter := func(change string, v any) []any {
			f := map[string]any{"address": []any{usdt}, "fromBlock": "latest", "toBlock": "latest", "topics": []any{nil, nil, hexOf(w)}}
			f[change] = v
			return []any{f}
		}
		for name, c := range map[string]struct {
			method string
			params []any
		}{
			"a filter with 41":          {"eth_getLogs", filter("address", []any{"0x41" + usdt[2:]})},
			"a filter in base58":        {"eth_getLogs", filter("address", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t")},
			"pending":                   {"eth_getBlockByNumber", []any{"pending", false}},
			"safe":                      {"eth_getBlockByNumber", []any{"safe", false}},
			"pending events":            {"eth_getLogs", filter("fromBlock", "pending")},
			"a range of 5,001":          {"eth_getLogs", filter("fromBlock", quantity(m.tip().number-5001))},
			"a hash and a range":        {"eth_getLogs", filter("blockHash", hexOf(m.tip().hash))},
			"an unknown field":          {"eth_getLogs", filter("limit", 5)},
			"a balance at a height":     {"eth_call", []any{map[string]any{"to": usdt, "data": "0x" + selectorSymbol}, quantity(m.tip().number)}},
			"a balance at finalized":    {"eth_call", []any{map[string]any{"to": usdt, "data": "0x" + selectorSymbol}, "finalized"}},
			"code at a height":          {"eth_getCode", []any{usdt, "0x5"}},
			"an unknown method":         {"eth_getTransactionCount", []any{usdt, "latest"}},
			"a block without its flag":  {"eth_getBlockByNumber", []any{"latest"}},
			"a balance in base58 upper": {"eth_getBalance", []any{strings.ToUpper(merchant.String()), "latest"}},
		} {
			if out, fault := node.call(c.method, c.params); fault == nil {
				t.Errorf("node: %s gave %v", name, out)
			}
		}
		if _, fault := node.call("eth_getLogs", filter("address", []any{usdt})); fault != nil {
			t.Errorf("%+v", fault)
		}
		list := "/v1/accounts/" + merchant.String() + "/transactions/trc20"
		for name, c := range map[string]struct{ method, path, query, body string }{
			"too long":          {"GET", list, "limit=201", ""},
			"unknown parameter": {"GET", list, "only_confirmed=true&page=2", ""},
			"small letters":     {"GET", strings.ToLower(list), "", ""},
			"a small contract":  {"GET", list, "contract_address=tr7nhqjekqxgtci8q8zy4pl8otszgjlj6t", ""},
			"a foreign page":    {"GET", list, "fingerprint=abc-5", ""},
			"unknown order":     {"GET", list, "order_by=value,asc", ""},
			"a block by tag":    {"POST", "/wallet/getblock", "", `{"id_or_num":"latest","detail":false}`},
			"a whole block":     {"POST", "/wallet/getblock", "", `{"detail":true}`},
			"unknown field":     {"POST", "/wallet/getcontract", "", `{"value":"` + merchant.String() + `","visible":true,"x":1}`},
			"unknown path":      {"POST", "/wallet/getaccount", "", `{}`},
		} {
			if status, out := grid.answer(c.method, &url.URL{Path: c.path, RawQuery: c.query}, []byte(c.body)); status == 200 {
				t.Errorf("grid: %s gave %v", name, out)
			}
		}
		for range 15 {
			if grid.limited() {
				t.Fatal("too early")
			}
		}
		if !grid.limited() || !grid.limited() {
			t.Error("no penalty")
		}
	})
}
