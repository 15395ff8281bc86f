package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// memory is what the nodes' set-up has to know again at its next start; all else
// is asked of the nodes themselves. Kept in nodes.json.
type memory struct {
	Chain    int       `json:"chain"` // port of btcd's RPC
	Shop     nodePorts `json:"shop"`
	Customer nodePorts `json:"customer"`
	Mining   string    `json:"mining,omitempty"` // the customer's address that new blocks pay
}

// recall reads nodes.json; the zero memory when there is none, or when it is torn
// beyond reading: its ports can be chosen anew and a second mining address is as
// good as the first.
func recall(path string) (memory, error) {
	var m memory
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("read %s: %w", path, err)
	}
	if json.Unmarshal(b, &m) != nil {
		return memory{}, nil
	}
	return m, nil
}

func (m memory) keep(path string) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return writeFile(path, append(b, '\n'))
}

// choosePorts keeps every port that is still free, so that connection strings
// outlive a restart, and replaces the others.
func (m *memory) choosePorts() error {
	var held []net.Listener // held open together, or one port would be found twice
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	for _, p := range []*int{&m.Chain, &m.Shop.Peer, &m.Shop.RPC, &m.Shop.REST, &m.Customer.RPC, &m.Customer.REST} {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *p))
		if err != nil {
			l, err = net.Listen("tcp", "127.0.0.1:0")
		}
		if err != nil {
			return fmt.Errorf("find a free port: %w", err)
		}
		held = append(held, l)
		*p = l.Addr().(*net.TCPAddr).Port
	}
	return nil
}

const confHead = "; Written by devnet at every start. Changes are lost.\n"

// chainConf is btcd's file. It has no peers and looks for none. Mining needs an
// address, which only the customer's node can give: empty at the very first start.
func chainConf(dir string, port int, pass, mining string) string {
	s := confHead + fmt.Sprintf(`[Application Options]
simnet=1
nolisten=1
datadir=%[1]s/data
logdir=%[1]s/logs
rpccert=%[1]s/rpc.cert
rpckey=%[1]s/rpc.key
rpclisten=127.0.0.1:%[2]d
rpcuser=%[3]s
rpcpass=%[4]s
txindex=1
`, filepath.ToSlash(dir), port, chainUser, pass)
	if mining != "" {
		s += "miningaddr=" + mining + "\n"
	}
	return s
}

// nodeConf is lnd's file. The wallet opens without a password: it holds play
// money and has to come back by itself after a restart.
func nodeConf(dir, alias string, p nodePorts, chainDir string, chainPort int, pass string) string {
	listen := "nolisten=true"
	if p.Peer != 0 {
		listen = fmt.Sprintf("listen=127.0.0.1:%d", p.Peer)
	}
	return confHead + fmt.Sprintf(`[Application Options]
lnddir=%[1]s
alias=%[2]s
noseedbackup=true
nobootstrap=true
tlsdisableautofill=true
tlsautorefresh=true
%[3]s
rpclisten=127.0.0.1:%[4]d
restlisten=127.0.0.1:%[5]d
minbackoff=1s
maxbackoff=2s
trickledelay=1000

[Bitcoin]
bitcoin.simnet=true
bitcoin.node=btcd

[Btcd]
btcd.rpchost=127.0.0.1:%[6]d
btcd.rpccert=%[7]s/rpc.cert
btcd.rpcuser=%[8]s
btcd.rpcpass=%[9]s
`, filepath.ToSlash(dir), alias, listen, p.RPC, p.REST, chainPort, filepath.ToSlash(chainDir), chainUser, pass)
}

// chainUser is btcd's RPC user. The password is random, made once per directory.
const chainUser = "devnet"
