package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	callTimeout = 10 * time.Second // a call to a node on this computer; they take milliseconds
	answerLimit = 4 << 20          // bytes of an answer: a list of a day's invoices is far smaller
)

// remote is a server that shows a certificate known from a file.
type remote struct {
	base   string
	http   *http.Client
	header http.Header
}

// newRemote trusts the one certificate in certFile. Connections are not kept: a
// node that restarts would leave dead ones behind, and here they cost nothing.
func newRemote(base, certFile string) (*remote, error) {
	cert, err := os.ReadFile(certFile)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(cert) {
		return nil, fmt.Errorf("read certificate: %s holds none", certFile)
	}
	return &remote{base: base, header: http.Header{}, http: &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true,
	}}}, nil
}

// call sends in as JSON (nil: no body) and decodes the answer into out (nil:
// dropped). An answer other than 200 is a *refusal.
func (r *remote) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	resp, err := r.open(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return refused(resp.StatusCode, body)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// open sends a request and returns its answer, whatever it is.
func (r *remote) open(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	req.Header = r.header.Clone()
	return r.http.Do(req)
}

// refusal is a node's clear no. An error that is none is silence: what was asked
// for may have happened.
type refusal struct {
	Status  int    `json:"-"`
	Message string `json:"message"`
}

// Error returns the node's words.
func (r *refusal) Error() string { return fmt.Sprintf("%s (HTTP %d)", r.Message, r.Status) }

// refused reads the two forms of lnd's errors: plain, and inside a stream.
func refused(status int, body []byte) error {
	var e struct {
		refusal
		Error *refusal `json:"error"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return &refusal{status, fmt.Sprintf("%.200q", body)}
	}
	if e.Error != nil {
		e.refusal = *e.Error
	}
	e.refusal.Status = status
	return &e.refusal
}

// chainClient speaks btcd's JSON-RPC.
type chainClient struct{ *remote }

func newChainClient(port int, certFile, user, pass string) (chainClient, error) {
	r, err := newRemote(fmt.Sprintf("https://127.0.0.1:%d", port), certFile)
	if err != nil {
		return chainClient{}, err
	}
	req := http.Request{Header: r.header}
	req.SetBasicAuth(user, pass)
	return chainClient{r}, nil
}

// rpc calls a method of btcd.
func (c chainClient) rpc(ctx context.Context, method string, out any, params ...any) error {
	if params == nil {
		params = []any{}
	}
	in := map[string]any{"jsonrpc": "1.0", "id": 1, "method": method, "params": params}
	var answer struct {
		Result json.RawMessage
		Error  *refusal
	}
	if err := c.call(ctx, http.MethodPost, "/", in, &answer); err != nil {
		return fmt.Errorf("btcd %s: %w", method, err)
	}
	if answer.Error != nil {
		return fmt.Errorf("btcd %s: %w", method, answer.Error)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Result, out); err != nil {
		return fmt.Errorf("btcd %s: %w", method, err)
	}
	return nil
}

// tip returns the height of the chain and the time of its last block.
func (c chainClient) tip(ctx context.Context) (height int, at time.Time, err error) {
	var best struct {
		Hash   string
		Height int
	}
	var head struct{ Time int64 }
	if err := c.rpc(ctx, "getbestblock", &best); err != nil {
		return 0, time.Time{}, err
	}
	err = c.rpc(ctx, "getblockheader", &head, best.Hash, true)
	return best.Height, time.Unix(head.Time, 0), err
}

// generate mines n blocks at once.
func (c chainClient) generate(ctx context.Context, n int) error {
	if n < 1 {
		return nil
	}
	return c.rpc(ctx, "generate", nil, n)
}

// thumbprint returns the SHA-256 of a certificate file's first certificate, as
// connection strings carry it.
func thumbprint(certFile string) (string, error) {
	b, err := os.ReadFile(certFile)
	if err != nil {
		return "", fmt.Errorf("read certificate: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return "", errors.New("read certificate: " + certFile + " holds none")
	}
	sum := sha256.Sum256(block.Bytes)
	return hex.EncodeToString(sum[:]), nil
}
