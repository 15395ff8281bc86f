package lnd

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"

	"gopkg.in/macaroon.v2"

	"github.com/tillwright/tillwright/pos"
)

// Connection says how to reach a node. It prints without its macaroon.
type Connection struct {
	URL      string // "https://host:8080", a proxy's path kept, no trailing slash
	Macaroon Secret // in binary; the Connection owns it
	Pins     []Pin  // the certificates to believe; none means a public authority's
}

// Pin is the SHA-256 of a certificate (DER), or of its public key (SPKI).
type Pin [sha256.Size]byte

// String returns 64 hex digits.
func (p Pin) String() string { return hex.EncodeToString(p[:]) }

// Bounds of what somebody pastes or scans. The longest honest string holds a
// certificate with many names and a macaroon with every right: under 8 KiB.
const (
	maxConnection = 16 << 10
	maxMacaroon   = 4 << 10
	maxPins       = 4 // current and next, twice over
)

// grpcPort is the port in most lndconnect strings, and the wrong one.
const grpcPort = "10009"

const readConnection = "read connection"

func refuse(format string, args ...any) (Connection, error) {
	return Connection{}, pos.E(readConnection, pos.Invalid, format, args...)
}

// ParseConnection reads what merchants have: "lndconnect://host:8080?cert=…&macaroon=…"
// or "type=lnd-rest;server=https://host:8080/;macaroon=…;certthumbprint=…". Several
// thumbprints, of a certificate or of its public key, may follow each other with
// commas: the present one and the next.
//
// It fails with Invalid; the message is for the shop's owner, says what to do, and
// holds no secret. It does not judge the macaroon's rights: Inspect does.
func ParseConnection(text string) (Connection, error) {
	text = strings.TrimSpace(text)
	lower := strings.ReplaceAll(strings.ToLower(text), " ", "")
	switch {
	case text == "":
		return refuse("there is no connection string; copy it from the Lightning node")
	case len(text) > maxConnection:
		return refuse("this is too long to be a connection string; copy it again from the Lightning node")
	case strings.HasPrefix(lower, "lndconnect:"):
		return parseLndconnect(text)
	case strings.HasPrefix(lower, "type=") || strings.Contains(lower, ";server=") || strings.HasPrefix(lower, "server="):
		return parseParts(text)
	case strings.HasPrefix(lower, "lnd://"), strings.HasPrefix(lower, "clightning"), strings.HasPrefix(lower, "http"):
		return refuse("an address alone is not enough; the connection string starts with lndconnect:// or type=lnd-rest;")
	}
	return refuse("this is no connection string; it starts with lndconnect:// or type=lnd-rest;")
}

// parseParts reads the form with semicolons. A part that it does not know is
// refused: it may be one that makes the connection weaker.
func parseParts(text string) (Connection, error) {
	var c Connection
	var kind, server, mac string
	for part := range strings.SplitSeq(text, ";") {
		key, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		key, value = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)
		if key == "" && !ok {
			continue // after the last semicolon
		}
		var err error
		switch key {
		case "type":
			err = once(&kind, value, "type")
		case "server":
			err = once(&server, value, "server")
		case "macaroon":
			err = once(&mac, value, "macaroon")
		case "certthumbprint", "spkithumbprint":
			err = c.addPins(value)
		case "allowinsecure":
			if !strings.EqualFold(value, "false") {
				return refuse("allowinsecure would let anybody in the network pretend to be your node; " +
					"remove it and add certthumbprint= instead (openssl x509 -noout -fingerprint -sha256 -in tls.cert)")
			}
		case "macaroonfilepath", "macaroondirectorypath", "certfilepath":
			return refuse("%s names a file on another computer; the till needs its content (macaroon: xxd -p -c 1000 FILE; "+
				"certificate: its SHA-256 thumbprint)", key)
		default:
			return refuse("the till does not know the part %q of this connection string; remove it", clip(key))
		}
		if err != nil {
			return Connection{}, err
		}
	}
	if !strings.EqualFold(kind, "lnd-rest") {
		return refuse("the till speaks to lnd over REST; the connection string must say type=lnd-rest, not type=%s", clip(kind))
	}
	var err error
	if c.URL, err = parseServer(server); err != nil {
		return Connection{}, err
	}
	if c.Macaroon, err = hex.DecodeString(mac); err != nil {
		return refuse("the macaroon must be hex digits (xxd -p -c 1000 till.macaroon)")
	}
	return c, checkMacaroon(c.Macaroon)
}

// once keeps value, and refuses a second one: which would count?
func once(to *string, value, name string) error {
	if *to != "" {
		return pos.E(readConnection, pos.Invalid, "the connection string says %s twice; copy it again from the Lightning node", name)
	}
	*to = value
	return nil
}

// addPins reads thumbprints as openssl prints them, colons or not.
func (c *Connection) addPins(value string) error {
	for text := range strings.SplitSeq(value, ",") {
		digits := strings.NewReplacer(":", "", " ", "").Replace(text)
		if len(digits) == 40 {
			return pos.E(readConnection, pos.Invalid, "this thumbprint is a SHA-1; "+
				"the till needs the SHA-256 (openssl x509 -noout -fingerprint -sha256 -in tls.cert)")
		}
		b, err := hex.DecodeString(digits)
		if err != nil || len(b) != len(Pin{}) {
			return pos.E(readConnection, pos.Invalid, "a certificate's thumbprint has 64 hex digits; this one is damaged")
		}
		if len(c.Pins) == maxPins {
			return pos.E(readConnection, pos.Invalid, "more than %d thumbprints; keep the present and the next one", maxPins)
		}
		c.Pins = append(c.Pins, Pin(b))
	}
	return nil
}

// parseServer checks an address and returns it without a trailing slash. A path is
// kept: some shops reach lnd behind a proxy.
func parseServer(server string) (string, error) {
	bad := func(format string, args ...any) (string, error) {
		return "", pos.E(readConnection, pos.Invalid, format, args...)
	}
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" {
		return bad("the node's address is missing or unreadable; it looks like https://192.168.1.20:8080/")
	}
	switch {
	case u.Scheme == "http":
		return bad("http is not encrypted: whoever listens could steal the node's key; use https")
	case u.Scheme != "https":
		return bad("the node's address must start with https://")
	case u.Port() == grpcPort:
		return bad("%s is the gRPC port; the till uses REST, whose port is usually 8080", grpcPort)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return bad("the node's address may hold a host, a port and a path, nothing else")
	case strings.HasSuffix(strings.ToLower(u.Hostname()), ".onion"):
		return bad("an .onion address needs Tor, which the till does not speak and which is slow at a counter; " +
			"use the local address, a VPN, or a proxy with a certificate")
	}
	return strings.TrimRight(u.Scheme+"://"+u.Host+u.EscapedPath(), "/"), nil
}

// parseLndconnect reads the URI of the same name, and its legacy form with the host
// in the query.
func parseLndconnect(text string) (Connection, error) {
	u, err := url.Parse(text)
	if err != nil {
		return refuse("the lndconnect string is damaged; scan or copy it again")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil || len(q["cert"]) > 1 || len(q["macaroon"]) > 1 || len(q["host"]) > 1 {
		return refuse("the lndconnect string is damaged; scan or copy it again")
	}
	host := u.Host
	if host == "" {
		host = q.Get("host")
	}
	server, err := parseServer("https://" + host)
	if err != nil {
		return Connection{}, err
	}
	if parsed, err := url.Parse(server); err != nil || parsed.Port() == "" || parsed.Path != "" {
		return refuse("the lndconnect string names no port; REST is usually 8080")
	}
	c := Connection{URL: server}
	if c.Macaroon, err = base64Text(q.Get("macaroon")); err != nil {
		return refuse("the macaroon in the lndconnect string is damaged; scan or copy it again")
	}
	if text := q.Get("cert"); text != "" {
		der, err := base64Text(text)
		if err == nil {
			_, err = x509.ParseCertificate(der)
		}
		if err != nil {
			return refuse("the certificate in the lndconnect string is damaged; scan or copy it again")
		}
		c.Pins = []Pin{sha256.Sum256(der)}
	}
	return c, checkMacaroon(c.Macaroon)
}

// base64Text reads base64url, and forgives padding and the other alphabet: strings
// of both kinds are about. A plus arrives as a space.
func base64Text(s string) ([]byte, error) {
	s = strings.NewReplacer("+", "-", " ", "-", "/", "_", "=", "").Replace(s)
	return base64.RawURLEncoding.DecodeString(s)
}

// checkMacaroon says whether b can be a macaroon at all.
func checkMacaroon(b []byte) error {
	switch {
	case len(b) == 0:
		return pos.E(readConnection, pos.Invalid, "the connection string holds no macaroon; bake one for this till")
	case len(b) > maxMacaroon || new(macaroon.Macaroon).UnmarshalBinary(b) != nil:
		return pos.E(readConnection, pos.Invalid, "the macaroon is damaged; copy it again")
	}
	return nil
}

// clip shortens outside text before it is shown in a message.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
