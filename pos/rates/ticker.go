package rates

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// bodyLimit bounds an answer. The longest of the three, Kraken's, has 500 bytes.
const bodyLimit = 16 << 10

// ticker is a source that answers one GET with one JSON object.
type ticker struct {
	name   string
	client *http.Client
	url    func(coin, currency string) string
	read   func(status int, body []byte, coin, currency string) (string, error)

	ruled   pair // quoted by the source's own rule: not a price
	unknown *memory
}

// newTicker copies client, for it follows no redirects: a public API has none,
// a captive portal has. Nil stands for a plain client.
func newTicker(t ticker, client *http.Client) *ticker {
	if client == nil {
		client = newClient()
	}
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.client, t.unknown = &own, &memory{}
	return &t
}

func (t *ticker) Name() string { return t.name }

func (t *ticker) Price(ctx context.Context, c pos.Currency, coin string) (string, error) {
	p := pair{coin, c.Code}
	if !isCode(coin) || !isCode(c.Code) || p == t.ruled || t.unknown.knows(p) {
		return "", t.notQuoted(coin, c.Code)
	}
	status, body, err := t.get(ctx, t.url(coin, c.Code))
	if err != nil {
		return "", pos.Wrap("ask "+t.name, pos.Unavailable, err, "%s does not answer", t.name)
	}
	price, err := t.read(status, body, coin, c.Code)
	t.unknown.note(p, err)
	if err := t.judged(p, price, err); err != nil {
		return "", err
	}
	return price, nil
}

// judged puts what came of asking for p into a kind; nil when it is a price.
func (t *ticker) judged(p pair, price string, err error) error {
	switch {
	case errors.Is(err, errNotQuoted):
		return t.notQuoted(p.coin, p.currency)
	case errors.Is(err, errBusy), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return pos.Wrap("ask "+t.name, pos.Unavailable, err, "%s does not answer", t.name)
	case err != nil:
		return pos.Wrap("ask "+t.name, pos.Corrupt, err, "%s's answer makes no sense", t.name)
	}
	if _, ok := parsePrice(price); !ok {
		return pos.Wrap("ask "+t.name, pos.Corrupt, fmt.Errorf("price %.40q", price), "%s's answer makes no sense", t.name)
	}
	return nil
}

// What a reader may find besides a price and nonsense.
var (
	errNotQuoted = errors.New("the pair is not quoted")
	errBusy      = errors.New("the source is busy or closed")
)

func (t *ticker) notQuoted(coin, currency string) error {
	return pos.E("ask "+t.name, pos.Invalid, "%s does not quote %.10s in %.10s", t.name, coin, currency)
}

func (t *ticker) get(ctx context.Context, url string) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "tillwright")
	res, err := t.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close() // nothing was written, so there is nothing to lose
	body, err = io.ReadAll(io.LimitReader(res.Body, bodyLimit+1))
	if err == nil && len(body) > bodyLimit {
		err = fmt.Errorf("the answer is longer than %d bytes", bodyLimit)
	}
	return res.StatusCode, body, err
}

// isCode reports that s can stand in an address: 2 to 10 capital letters and
// digits.
func isCode(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(s) >= 2 && len(s) <= 10
}

// Kraken quotes the last trade. GET /0/public/Ticker?pair=XBTEUR,USDCEUR
// (docs.kraken.com, "Get Ticker Information"): several pairs at once. Errors come with
// status 200, in a list; one pair that is not quoted is an error of the whole request.
func Kraken(client *http.Client) Source { return kraken(client, "https://api.kraken.com") }

func kraken(client *http.Client, base string) Source {
	return &gathered{ticker: newTicker(ticker{name: "Kraken"}, client), urls: krakenURLs(base), reads: readKrakenAll}
}

// krakenCoin spells BTC as Kraken does, after ISO 4217's rule for what belongs to
// no country.
func krakenCoin(coin string) string {
	if coin == "BTC" {
		return "XBT"
	}
	return coin
}

// raw is a piece of JSON that was not looked into yet.
type raw = json.RawMessage

func readKraken(status int, body []byte, coin, currency string) (string, error) {
	p := pair{coin, currency}
	prices, err := readKrakenAll(status, body, []pair{p})
	return prices[p], err
}

func krakenFaults(list raw) (faults []string, err error) {
	if err := json.Unmarshal(list, &faults); err != nil {
		return nil, fmt.Errorf("read error list: %w", err)
	}
	return faults, nil
}

// krakenLast returns the price of a pair's last trade.
func krakenLast(pair raw) (string, error) {
	fields, err := object(pair)
	if err != nil {
		return "", err
	}
	var last []string // price, volume
	if err := json.Unmarshal(fields["c"], &last); err != nil || len(last) != 2 {
		return "", fmt.Errorf("last trade %.40q", fields["c"])
	}
	return last[0], nil
}

// krakenPair reports that name is the pair that was asked for. Old pairs carry a
// class letter before each side: XXBTZEUR, USDTZUSD.
func krakenPair(name, coin, currency string) bool {
	return name == coin+currency || name == "X"+coin+"Z"+currency || name == coin+"Z"+currency
}

// Coinbase quotes its spot price. GET /v2/prices/BTC-EUR/spot
// (docs.cdp.coinbase.com, "Data API: Prices"). An answer for another pair than the
// one asked for has been seen (coinbase-python#63), so both names are compared. It
// changes USDC into dollars one to one and has one book for both, so its USDC-USD is a
// rule and no market: it is not asked for it.
func Coinbase(client *http.Client) Source { return coinbase(client, "https://api.coinbase.com") }

func coinbase(client *http.Client, base string) Source {
	return newTicker(ticker{
		name: "Coinbase",
		url: func(coin, currency string) string {
			return base + "/v2/prices/" + coin + "-" + currency + "/spot"
		},
		read:  readCoinbase,
		ruled: pair{"USDC", "USD"},
	}, client)
}

func readCoinbase(status int, body []byte, coin, currency string) (string, error) {
	if status == http.StatusNotFound || status == http.StatusBadRequest {
		return "", errNotQuoted
	}
	if status != http.StatusOK {
		return "", fmt.Errorf("%w: status %d", errBusy, status)
	}
	answer, err := object(body)
	if err != nil {
		return "", err
	}
	data, err := object(answer["data"])
	if err != nil {
		return "", err
	}
	amount, err := text(data, "amount")
	if err != nil {
		return "", err
	}
	gotCoin, err1 := text(data, "base")
	gotCurrency, err2 := text(data, "currency")
	if err := errors.Join(err1, err2); err != nil || gotCoin != coin || gotCurrency != currency {
		return "", fmt.Errorf("asked for %s-%s, got %.10q-%.10q", coin, currency, gotCoin, gotCurrency)
	}
	return amount, nil
}

// Bitstamp quotes the last trade. GET /api/v2/ticker/btceur/ (bitstamp.net/api,
// "Ticker"). The answer names its pair in some versions; then it is compared.
func Bitstamp(client *http.Client) Source { return bitstamp(client, "https://www.bitstamp.net") }

func bitstamp(client *http.Client, base string) Source {
	return newTicker(ticker{
		name: "Bitstamp",
		url: func(coin, currency string) string {
			return base + "/api/v2/ticker/" + strings.ToLower(coin+currency) + "/"
		},
		read: readBitstamp,
	}, client)
}

func readBitstamp(status int, body []byte, coin, currency string) (string, error) {
	if status == http.StatusNotFound {
		return "", errNotQuoted
	}
	if status != http.StatusOK {
		return "", fmt.Errorf("%w: status %d", errBusy, status)
	}
	answer, err := object(body)
	if err != nil {
		return "", err
	}
	if _, named := answer["pair"]; named {
		if pair, err := text(answer, "pair"); err != nil || pair != coin+"/"+currency {
			return "", fmt.Errorf("asked for %s/%s, got %.20q", coin, currency, pair)
		}
	}
	return text(answer, "last")
}

// object reads one JSON object and nothing after it. Keys are kept as they are
// spelled, and one that comes twice is refused: encoding/json would take the last
// and ignore case, so that a second price could hide behind the first.
func object(b []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("no object at %.40q", b)
	}
	out := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, ok := t.(string)
		var v json.RawMessage
		if _, twice := out[key]; !ok || twice {
			return nil, fmt.Errorf("key %.20q twice", key)
		}
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		out[key] = v
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more after the object")
	}
	return out, nil
}

// text returns the string under key.
func text(fields map[string]json.RawMessage, key string) (string, error) {
	var s *string
	if err := json.Unmarshal(fields[key], &s); err != nil || s == nil {
		return "", fmt.Errorf("%s is no text: %.40q", key, fields[key])
	}
	return *s, nil
}
