package offpay

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// CodeDigits is the length of a code.
const CodeDigits = 6

// codes is how many there are.
const codes = 1_000_000

// Code returns the six digits that say that t's invoice is paid. Whoever shows
// them gives the goods away: the backoffice does when the payment is durable, and
// the till never does.
func (k *Keys) Code(t Token) string {
	mac := hmac.New(sha256.New, k.s.code)
	mac.Write([]byte("OFFPAY1 paid"))
	mac.Write(t[:])
	return fmt.Sprintf("%0*d", CodeDigits, binary.BigEndian.Uint64(mac.Sum(nil))%codes)
}

// maxTyped bounds what is read as a code: six digits and generous spacing.
const maxTyped = 40

// Match reports that typed is the code of t. It drops spaces and hyphens, wants
// exactly six ASCII digits, and compares them in constant time.
func (k *Keys) Match(t Token, typed string) bool {
	if len(typed) > maxTyped {
		return false
	}
	digits := strings.NewReplacer(" ", "", "-", "").Replace(typed)
	return isCode(digits) && subtle.ConstantTimeCompare([]byte(digits), []byte(k.Code(t))) == 1
}

func isCode(s string) bool { return len(s) == CodeDigits && strings.Trim(s, "0123456789") == "" }

// ShowCode writes a code for people, in two groups: "009 812". What is no code
// comes back as it is.
func ShowCode(code string) string {
	if !isCode(code) {
		return code
	}
	return code[:CodeDigits/2] + " " + code[CodeDigits/2:]
}

const scanPrefix = "OP1:"

// ScanCode writes what a till's scanner reads from the paid page:
// "OP1:417:009812". It stays in a QR's alphanumeric mode.
func ScanCode(counter uint32, code string) string {
	return scanPrefix + strconv.FormatUint(uint64(counter), 10) + ":" + code
}

// ParseScan reads what ScanCode wrote. A scanner that types may add spaces or an
// end of line around it; anything else is not ok.
func ParseScan(s string) (counter uint32, code string, ok bool) {
	if len(s) > maxTyped {
		return 0, "", false
	}
	rest, ours := strings.CutPrefix(strings.Trim(s, " \t\r\n"), scanPrefix)
	digits, code, both := strings.Cut(rest, ":")
	n, err := strconv.ParseUint(digits, 10, 32)
	if !ours || !both || err != nil || n == 0 || strconv.FormatUint(n, 10) != digits || !isCode(code) {
		return 0, "", false
	}
	return uint32(n), code, true
}

// Reference names a token for people, the same on the till's screen, in the
// wallet and on the page: "#0417". It is not the receipt's number.
func Reference(counter uint32) string { return fmt.Sprintf("#%04d", counter) }
