package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// The owner's wallet, as far as the demo shop needs one: it signs and sends the
// transactions that the back office prepares. Any account may send them.

// prepared is a transaction as eth_sendTransaction takes it.
type prepared struct {
	chain uint64
	to    evmAddress
	data  []byte
	gas   uint64 // its limit; 0: the file names none
}

// preparedMax bounds a file: 200 payments have 27 KB.
const preparedMax = 256 << 10

// readPrepared reads the file of a transfer. The errors are sentences for people.
func readPrepared(text string) (p prepared, err error) {
	if strings.Contains(text, "txBuilderVersion") {
		return p, errors.New("this is the file for Safe; take the one for other wallets")
	}
	var in struct{ ChainID, To, Value, Gas, Data string }
	if len(text) > preparedMax || json.Unmarshal([]byte(text), &in) != nil || in.ChainID == "" {
		return p, errors.New("this file holds no transaction")
	}
	chain, err1 := strconv.ParseUint(strings.TrimPrefix(in.ChainID, "0x"), 16, 64)
	to, err2 := readAddress(in.To)
	data, err3 := hex.DecodeString(strings.TrimPrefix(in.Data, "0x"))
	gas, err4 := uint64(0), error(nil)
	if in.Gas != "" {
		gas, err4 = strconv.ParseUint(strings.TrimPrefix(in.Gas, "0x"), 16, 64)
	}
	if errors.Join(err1, err2, err3, err4) != nil || in.Value != "0x0" || len(data) == 0 {
		return p, errors.New("this file holds no transaction that this wallet signs: a call with amount 0")
	}
	return prepared{chain, to, data, gas}, nil
}

// sign sends a prepared transaction and waits for its block.
func (a *coinsAPI) sign(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Text string `json:"text"`
	}
	if !read(w, r, &in) {
		return
	}
	p, err := readPrepared(in.Text)
	if err != nil {
		problem(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	for _, c := range a.chains.ready() {
		if c.ID == p.chain {
			ctx := context.WithoutCancel(r.Context())
			hash, err := c.rpc.sign(ctx, customerAccount, p)
			if err == nil {
				err = c.worked(ctx, hash)
			}
			reply(w, map[string]string{"network": c.Name, "hash": hash}, err)
			return
		}
	}
	problem(w, http.StatusNotFound, "this transaction is for a network that is not one of the shop's")
}
