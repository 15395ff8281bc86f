package wire

import (
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// codeLetters is Crockford's base 32: no I, L, O or U, so a code survives
// handwriting and the telephone.
const codeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// CodeBytes is the number of random bytes in an enrolment code: 40 bits, which at
// the backoffice's limit on wrong tries takes millions of years to guess, and the
// code lives for minutes.
const CodeBytes = 5

// codeLen is the number of letters in a code, its dash left out.
const codeLen = CodeBytes * 8 / 5

// FormatCode writes random bytes as an enrolment code, in two groups:
// "7KQF-2M8X".
func FormatCode(b [CodeBytes]byte) string {
	var bits uint64
	for _, x := range b {
		bits = bits<<8 | uint64(x)
	}
	out := make([]byte, codeLen)
	for i := codeLen - 1; i >= 0; i-- {
		out[i] = codeLetters[bits&31]
		bits >>= 5
	}
	return string(out[:codeLen/2]) + "-" + string(out[codeLen/2:])
}

// ParseCode reads a code as a person typed it and returns it as FormatCode wrote
// it: case, spaces and dashes do not matter, O is read as 0, I and L as 1. It
// fails with Invalid.
func ParseCode(s string) (string, error) {
	bad := pos.E("read code", pos.Invalid, "an enrolment code has 8 letters and digits, such as 7KQF-2M8X")
	if len(s) > maxTyped {
		return "", bad
	}
	s = strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(s))
	if len(s) != codeLen || strings.Trim(s, codeLetters) != "" {
		return "", bad
	}
	return s[:codeLen/2] + "-" + s[codeLen/2:], nil
}

// maxTyped bounds what is read as a code: eight letters and generous spacing.
const maxTyped = 40
