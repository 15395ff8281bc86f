package wire

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// AddressSeedsPath is where a till says what its stablecoin addresses are made of.
func AddressSeedsPath(till string) string { return "/v1/tills/" + till + "/address-seeds" }

// SeedBytes is the length of a Seed.
const SeedBytes = 32

// Seed is the random number that a till's stablecoin addresses are computed from. It
// cannot spend: who has it can see which addresses belong together. Printing or logging
// it gives "[redacted]", whatever the verb.
type Seed [SeedBytes]byte

const redacted = "[redacted]"

// String returns "[redacted]".
func (Seed) String() string { return redacted }

// GoString returns "[redacted]".
func (Seed) GoString() string { return redacted }

// Format writes "[redacted]" for every verb.
func (Seed) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[redacted]".
func (Seed) LogValue() slog.Value { return slog.StringValue(redacted) }

// IsZero reports that there is no seed.
func (s Seed) IsZero() bool { return s == Seed{} }

// MarshalText writes 64 hex digits. It is for the wire alone.
func (s Seed) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

// UnmarshalText reads what MarshalText wrote; anything else is Invalid, names nothing
// of it, and changes nothing.
func (s *Seed) UnmarshalText(b []byte) error {
	var in Seed
	if n, err := hex.Decode(in[:], b[:min(len(b), 2*SeedBytes)]); err != nil || n != SeedBytes || len(b) != 2*SeedBytes || !bytes.Equal(b, hex.AppendEncode(nil, in[:])) || in.IsZero() {
		return pos.E("read seed", pos.Invalid, "a seed has %d small hex digits and is not zero", 2*SeedBytes)
	}
	*s = in
	return nil
}

// AddressSeed is all that finds a till's stablecoin addresses again: address n is
// computed from it and nothing else.
type AddressSeed struct {
	Scheme   int    `json:"scheme" minimum:"1" maximum:"255" doc:"Version of the arithmetic from a seed to an address"`
	Treasury string `json:"treasury" pattern:"^0x[0-9a-fA-F]{40}$" doc:"The only place where the addresses' money can go"`
	Seed     Seed   `json:"seed" doc:"64 hex digits. It cannot spend, and is to be kept secret: it links the shop's payments"`
}

// maxScheme bounds what is taken for a version: it is one byte on a recovery sheet.
const maxScheme = 255

// Check fails with Invalid for what no till sends. Its words hold no seed.
func (a AddressSeed) Check() error {
	const op = "check seed"
	digits, ok := strings.CutPrefix(a.Treasury, "0x")
	treasury, err := hex.DecodeString(digits)
	switch {
	case a.Scheme < 1 || a.Scheme > maxScheme:
		return pos.Say(op, pos.Invalid, nil, "bo_se_bad_scheme")
	case !ok || err != nil || len(treasury) != 20 || bytes.Equal(treasury, make([]byte, 20)):
		return pos.Say(op, pos.Invalid, nil, "bo_se_bad_treasury")
	case a.Seed.IsZero():
		return pos.Say(op, pos.Invalid, nil, "bo_se_bad_zero")
	}
	return nil
}

// SeedKept is the backoffice's answer to an AddressSeed.
type SeedKept struct {
	Kept time.Time `json:"kept" doc:"Since when it is kept for good; the same each time"`
}

// KeepSeed tells the backoffice what this till's addresses are made of, so that their
// money is found although the till is lost. The same one may be sent again and again.
// It returns when the backoffice has signed that the seed is on its disk, and blocks for
// at most 90 seconds.
//
// It fails as Push does, Exhausted and Invalid included. Where AllowPlain lets records
// travel unencrypted it goes the same way: who listens there reads every address in them.
func (c *Client) KeepSeed(ctx context.Context, a AddressSeed) error {
	if err := a.Check(); err != nil {
		return err
	}
	var out SeedKept
	if err := c.ask(ctx, AddressSeedsPath(c.till), a, &out); err != nil {
		return err
	}
	if out.Kept.IsZero() {
		return pos.E("check answer", pos.Corrupt, "the backoffice does not say that it keeps the seed")
	}
	return nil
}
