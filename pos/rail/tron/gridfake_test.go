package tron

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// gridFake is TronGrid: its own API (/v1) and a node's HTTP API, by their documentation
// (developers.tron.network; tronprotocol, documentation-en, docs/api/http; 2026). It
// refuses what they refuse, and fails the test, unless lenient is set. Its lists can lag
// behind the network, as an index does.
type gridFake struct {
	t       testing.TB
	n       network
	lenient bool
	lag     uint64 // blocks that the lists do not have yet
	perSec  int    // requests in a second before the penalty; 0: 15
	page    int    // entries of a page, however many are asked for; 0: no less
	foreign bool   // the address's money moves with another key

	mu      sync.Mutex
	second  int64
	made    int
	penalty time.Time // nothing is answered until then
}

func (s *gridFake) complain(format string, args ...any) {
	if !s.lenient {
		s.t.Errorf(format, args...)
	}
}

// limited counts a request, and reports that it is one too many.
func (s *gridFake) limited() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Before(s.penalty) {
		s.complain("a request during the penalty")
		s.penalty = now.Add(30 * time.Second)
		return true
	}
	if now.Unix() != s.second {
		s.second, s.made = now.Unix(), 0
	}
	s.made++
	limit := s.perSec
	if limit == 0 {
		limit = 15
	}
	if s.made > limit {
		s.penalty = now.Add(30 * time.Second)
		return true
	}
	return false
}

func (s *gridFake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if s.limited() {
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, `{"Success":false,"Error":"The key exceeds the frequency limit(15), and the query server is suspended for 30s","StatusCode":403}`)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	status, out := s.answer(r.Method, r.URL, body)
	if status != http.StatusOK {
		s.complain("%s %s %s: %v", r.Method, r.URL, body, out)
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out) // the other end may be gone
}

type object = map[string]any

func refuse(format string, args ...any) (int, any) {
	return http.StatusBadRequest, object{"success": false, "error": fmt.Sprintf(format, args...), "statusCode": 400}
}

func (s *gridFake) answer(method string, u *url.URL, body []byte) (int, any) {
	if rest, ok := strings.CutPrefix(u.Path, "/v1/accounts/"); ok && method == http.MethodGet {
		at, list, isList := strings.Cut(rest, "/")
		a, err := ParseAddress(at) // letter by letter
		switch {
		case err != nil:
			return refuse("A valid account address is required.")
		case isList && list == "transactions/trc20":
			return s.list(a, u.Query())
		case !isList:
			return s.account(a, u.Query())
		}
	}
	if method != http.MethodPost || u.RawQuery != "" {
		return http.StatusMethodNotAllowed, object{}
	}
	in := object{}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&in); err != nil {
		return refuse("%v", err)
	}
	switch u.Path {
	case "/wallet/getblock", "/walletsolidity/getblock":
		return s.block(in, strings.HasPrefix(u.Path, "/walletsolidity"))
	case "/wallet/getcontract":
		return s.contract(in)
	case "/wallet/triggerconstantcontract":
		return s.trigger(in)
	case "/wallet/gettransactioninfobyid", "/walletsolidity/gettransactioninfobyid":
		return s.info(in, strings.HasPrefix(u.Path, "/walletsolidity"))
	}
	return http.StatusNotFound, object{}
}

// only refuses fields that the documentation does not have.
func only(in object, fields ...string) bool {
	for key := range in {
		if !slices.Contains(fields, key) {
			return false
		}
	}
	return true
}

func (s *gridFake) block(in object, solid bool) (int, any) {
	if !only(in, "id_or_num", "detail", "visible") || in["detail"] != false {
		return refuse("fields %v", in)
	}
	b, top := s.n.tip(), s.n.tip()
	if solid {
		b, top = s.n.final(), s.n.final()
	}
	if v, named := in["id_or_num"]; named {
		text, _ := v.(string)
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return refuse("id must be legal block hash.")
		}
		var ok bool
		if b, ok = s.n.height(n); !ok || n > top.number {
			return http.StatusOK, object{}
		}
	}
	raw := object{"witness_address": "41b2f713d57dbcec679d93a8849fa0cd0e4db594ba", "version": 34}
	if b.number != 0 { // protobuf leaves out what is zero
		raw["number"] = b.number
	}
	if b.time != 0 {
		raw["timestamp"] = b.time * 1000
	}
	return http.StatusOK, object{"blockID": hex.EncodeToString(b.hash[:]), "block_header": object{"raw_data": raw, "witness_signature": "00"}}
}

func visible(in object, key string) (Address, bool) {
	text, _ := in[key].(string)
	a, err := ParseAddress(text)
	return a, err == nil && in["visible"] == true
}

func (s *gridFake) contract(in object) (int, any) {
	a, ok := visible(in, "value")
	if !ok || !only(in, "value", "visible") {
		return refuse("fields %v", in)
	}
	if len(s.n.code(a)) == 0 {
		return http.StatusOK, object{}
	}
	return http.StatusOK, object{"bytecode": hex.EncodeToString(s.n.code(a)), "contract_address": a.String()}
}

func (s *gridFake) trigger(in object) (int, any) {
	contract, ok := visible(in, "contract_address")
	_, ok2 := visible(in, "owner_address")
	selector := map[string]string{"decimals()": selectorDecimals, "symbol()": selectorSymbol, "balanceOf(address)": selectorBalance}[fmt.Sprint(in["function_selector"])]
	parameter, _ := in["parameter"].(string)
	data, err := hex.DecodeString(selector + parameter)
	if !ok || !ok2 || selector == "" || err != nil || !only(in, "contract_address", "owner_address", "function_selector", "parameter", "visible") {
		return refuse("fields %v", in)
	}
	out, ok := s.n.run(contract, data)
	if !ok && len(s.n.code(contract)) == 0 {
		return http.StatusOK, object{"result": object{"code": "CONTRACT_VALIDATE_ERROR", "message": "Smart contract is not exist."}}
	}
	if !ok {
		return http.StatusOK, object{"result": object{"result": true, "message": "REVERT opcode executed"}, "constant_result": []string{""}}
	}
	return http.StatusOK, object{"result": object{"result": true}, "energy_used": 935, "constant_result": []string{hex.EncodeToString(out)}, "transaction": object{}}
}

func (s *gridFake) info(in object, solid bool) (int, any) {
	text, _ := in["value"].(string)
	h, err := hex.DecodeString(text)
	if err != nil || len(h) != 32 || !only(in, "value") {
		return refuse("fields %v", in)
	}
	b, good, ok := s.n.outcome([32]byte(h))
	if !ok || solid && b.number > s.n.final().number {
		return http.StatusOK, object{}
	}
	out := object{
		"id": text, "fee": 345000, "blockNumber": b.number, "blockTimeStamp": b.time * 1000, "contractResult": []string{""},
		"receipt": object{"energy_usage_total": 29650, "result": "SUCCESS"},
	}
	if !good {
		out["result"], out["receipt"] = "FAILED", object{"result": "REVERT"}
		return http.StatusOK, out
	}
	var logs []any
	for _, e := range s.n.events(b.number, b.number) {
		if e.tx == [32]byte(h) {
			var topics []string
			for _, t := range e.topics {
				topics = append(topics, hex.EncodeToString(t[:]))
			}
			logs = append(logs, object{"address": hex.EncodeToString(e.contract[:]), "topics": topics, "data": hex.EncodeToString(e.data)})
		}
	}
	out["log"] = logs
	return http.StatusOK, out
}

func (s *gridFake) account(a Address, q url.Values) (int, any) {
	for key := range q {
		if key != "only_confirmed" && key != "only_unconfirmed" {
			return refuse("unknown parameter %s", key)
		}
	}
	owner := a.Hex()
	if s.foreign {
		owner = customer.Hex()
	}
	one := object{
		"address": a.Hex(), "balance": s.n.coins(a).Uint64(), "create_time": 1, "trc20": []any{},
		"owner_permission": object{"keys": []object{{"address": owner, "weight": 1}}, "threshold": 1, "permission_name": "owner"},
	}
	return http.StatusOK, object{"success": true, "meta": object{"at": 1, "page_size": 1}, "data": []any{one}}
}

// list is the list of transfers, in pages. A page's name is only good with the same
// parameters as the one before.
func (s *gridFake) list(a Address, q url.Values) (int, any) {
	known := []string{"only_confirmed", "only_unconfirmed", "limit", "fingerprint", "order_by", "min_timestamp", "max_timestamp", "contract_address", "only_to", "only_from"}
	for key, v := range q {
		if !slices.Contains(known, key) || len(v) != 1 {
			return refuse("unknown parameter %s", key)
		}
	}
	limit := 20
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 200 {
			return refuse("limit must be between 1 and 200")
		}
		limit = n
	}
	if s.page > 0 {
		limit = min(limit, s.page)
	}
	rows, err := s.rows(a, q)
	if err != nil {
		return refuse("%v", err)
	}
	same := url.Values{}
	for k, v := range q {
		if k != "fingerprint" {
			same[k] = v
		}
	}
	name, at := fmt.Sprintf("%x", same.Encode()), 0
	if f := q.Get("fingerprint"); f != "" {
		of, n, _ := strings.Cut(f, "-")
		if at, err = strconv.Atoi(n); err != nil || of != name[:min(len(name), 80)] {
			return refuse("the fingerprint is of another question")
		}
	}
	meta := object{"at": time.Now().UnixMilli()}
	end := min(at+limit, len(rows))
	if end < len(rows) {
		next := fmt.Sprintf("%s-%d", name[:min(len(name), 80)], end)
		meta["fingerprint"], meta["links"] = next, object{"next": "https://api.trongrid.io/?fingerprint=" + next}
	}
	page := rows[min(at, end):end]
	meta["page_size"] = len(page)
	return http.StatusOK, object{"success": true, "meta": meta, "data": append([]any{}, page...)}
}

// rows are all entries that a question is about.
func (s *gridFake) rows(a Address, q url.Values) (rows []any, err error) {
	var contract Address
	if text := q.Get("contract_address"); text != "" {
		if contract, err = ParseAddress(text); err != nil {
			return nil, err
		}
	}
	top := s.n.tip().number - s.lag
	if q.Get("only_confirmed") == "true" {
		top = s.n.final().number
	}
	since, _ := strconv.ParseUint(q.Get("min_timestamp"), 10, 64)
	first := uint64(0)
	if tip := s.n.tip(); since > 0 { // the fake need not read years
		first = tip.number - min(tip.number, (tip.time-min(tip.time, since/1000))/blockSeconds+1)
	}
	for _, e := range s.n.events(first, top) {
		from, to, units, ok := readTransfer(e.topics, e.data)
		mine := (from == a && q.Get("only_to") != "true") || (to == a && q.Get("only_from") != "true")
		if !ok || !mine || contract != (Address{}) && e.contract != contract || e.block.time*1000 < since {
			continue
		}
		decimals, _ := s.n.run(e.contract, unhex(selectorDecimals))
		rows = append(rows, object{
			"transaction_id": hex.EncodeToString(e.tx[:]), "block_timestamp": e.block.time * 1000, "from": from.String(), "to": to.String(),
			"type": "Transfer", "value": units.String(),
			"token_info": object{"symbol": "USDT", "address": e.contract.String(), "decimals": new(big.Int).SetBytes(decimals).Int64(), "name": "Tether USD"},
		})
	}
	switch q.Get("order_by") {
	case "block_timestamp,asc":
	case "", "block_timestamp,desc":
		slices.Reverse(rows)
	default:
		return nil, fmt.Errorf("order_by %q", q.Get("order_by"))
	}
	return rows, nil
}
