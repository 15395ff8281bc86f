package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/tillwright/tillwright/pos"
)

// Length of a password: NIST SP 800-63B asks for 15 characters where it is the
// only factor and for 8 at least; ten, and a lock after five wrong tries, is what
// an owner puts up with. The upper bound is for the hash's sake.
const (
	minPassword = 10
	maxPassword = 256
)

// Cost of argon2id: above the 46 MiB and one pass that OWASP's password storage
// cheat sheet (2026) asks for first; about a tenth of a second on the small servers
// this runs on.
const (
	argonPasses  = 1
	argonKiB     = 64 << 10
	argonThreads = 1
	argonLen     = 32
	saltLen      = 16
)

// hashing bounds the hashes computed at once, hence memory: 2 × 64 MiB.
var hashing = make(chan struct{}, 2)

// hashPassword returns password in the usual encoded form.
func hashPassword(ctx context.Context, password string) (string, error) {
	if n := utf8.RuneCountInString(password); n < minPassword || len(password) > maxPassword {
		return "", pos.E("set password", pos.Invalid, "a password has at least %d letters and at most %d", minPassword, maxPassword)
	}
	salt := make([]byte, saltLen)
	rand.Read(salt)
	sum, err := argon(ctx, password, salt)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonKiB, argonPasses, argonThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum)), err
}

// checkPassword compares. Where no password is set it takes as long and says no.
func checkPassword(ctx context.Context, encoded, password string) (bool, error) {
	if len(password) > maxPassword {
		return false, nil
	}
	parts := strings.Split(encoded, "$")
	set := len(parts) == 6 && parts[1] == "argon2id" &&
		parts[3] == fmt.Sprintf("m=%d,t=%d,p=%d", argonKiB, argonPasses, argonThreads)
	var salt, want []byte
	if set {
		var err1, err2 error
		salt, err1 = base64.RawStdEncoding.DecodeString(parts[4])
		want, err2 = base64.RawStdEncoding.DecodeString(parts[5])
		set = err1 == nil && err2 == nil && len(want) == argonLen
	}
	got, err := argon(ctx, password, salt)
	return set && subtle.ConstantTimeCompare(got, want) == 1, err
}

func argon(ctx context.Context, password string, salt []byte) ([]byte, error) {
	select {
	case hashing <- struct{}{}:
		defer func() { <-hashing }()
		return argon2.IDKey([]byte(password), salt, argonPasses, argonKiB, argonThreads, argonLen), nil
	case <-ctx.Done():
		return nil, pos.Wrap("check password", pos.Unavailable, ctx.Err(), "the backoffice is busy; try again")
	}
}
