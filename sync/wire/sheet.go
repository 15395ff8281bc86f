package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/tillwright/tillwright/pos"
)

// A recovery sheet is an AddressSeed on paper. The seed stands in four rows of 16
// letters, in Crockford's base 32 and in groups of four: 8 bytes of it, and 2 bytes that
// check them. The check of a row is the beginning of the SHA-256 of
//
//	"tillwright recovery sheet 1" ‖ scheme (1 byte) ‖ treasury (20 bytes) ‖ the seed up to the end of this row
//
// so a slip spoils the check of its own row and, but for one in 65,536, of all rows
// behind it; the first bad row is where to look. A slip in the treasury spoils all four.
const (
	sheetRows  = 4
	rowBytes   = SeedBytes / sheetRows
	checkBytes = 2
	rowLetters = (rowBytes + checkBytes) * 8 / 5
	rowGroup   = 4
)

// maxSheet bounds what is read as a sheet: a page that somebody typed.
const maxSheet = 8 << 10

// SheetRows returns the rows of the sheet: "7KQF-2M8X-0123-ABCD" four times. a must
// pass Check.
func (a AddressSeed) SheetRows() []string {
	rows := make([]string, sheetRows)
	for i := range rows {
		check := a.check(i)
		rows[i] = letters(append(a.Seed[i*rowBytes:(i+1)*rowBytes:(i+1)*rowBytes], check[:]...))
	}
	return rows
}

// check returns what the row says at its end.
func (a AddressSeed) check(row int) [checkBytes]byte {
	treasury, _ := hex.DecodeString(strings.TrimPrefix(a.Treasury, "0x")) // Check looked
	h := sha256.New()
	h.Write([]byte("tillwright recovery sheet 1"))
	h.Write([]byte{byte(a.Scheme)})
	h.Write(treasury)
	h.Write(a.Seed[:(row+1)*rowBytes])
	return [checkBytes]byte(h.Sum(nil))
}

// letters writes the 80 bits of a row.
func letters(b []byte) string {
	hi, lo := binary.BigEndian.Uint64(b[:8]), uint64(binary.BigEndian.Uint16(b[8:]))
	var out [rowLetters]byte
	for i := rowLetters - 1; i >= 0; i-- {
		out[i] = codeLetters[lo&31]
		lo = lo>>5 | hi&31<<11 // the low 16 bits of 80 are in lo
		hi >>= 5
	}
	var groups []string
	for at := 0; at < rowLetters; at += rowGroup {
		groups = append(groups, string(out[at:at+rowGroup]))
	}
	return strings.Join(groups, "-")
}

// unletters reads what letters wrote; s holds the letters alone.
func unletters(s string) (b [rowBytes + checkBytes]byte, ok bool) {
	var hi, lo uint64
	for _, c := range s {
		v := strings.IndexRune(codeLetters, c)
		if v < 0 {
			return b, false
		}
		hi, lo = hi<<5|lo>>11, (lo<<5|uint64(v))&0xffff
	}
	binary.BigEndian.PutUint64(b[:8], hi)
	binary.BigEndian.PutUint16(b[8:], uint16(lo))
	return b, len(s) == rowLetters
}

// What stands on a sheet before what matters.
var (
	sheetTreasury = regexp.MustCompile(`(?i)\b0x[0-9a-f]{40}\b`)
	sheetScheme   = regexp.MustCompile(`(?i)\btillwright/evm/([0-9]{1,3})\b`)
	sheetRow      = regexp.MustCompile(`(?i)^(?:seed(?: R)?\b)?\s*(?:[1-4][.):]?\s+)?((?:[0-9A-Z]{4}[-\s]*){4})$`)
	sheetHex      = regexp.MustCompile(`(?i)^(?:seed(?: R)?\b)?\s*([0-9a-f]{64})$`)
)

// ParseSheet reads a recovery sheet as a person typed or copied it: the line with the
// treasury, the one with the scheme if there is one, and the four rows; other lines, and
// case, spaces and dashes, do not matter. Sheets of before the rows, with 64 hex digits,
// are read too; they have no check of their own. It fails with Invalid and a sentence
// that says which row to look at, and holds nothing of it.
func ParseSheet(text string) (AddressSeed, error) {
	const op = "read recovery sheet"
	a := AddressSeed{Scheme: 1}
	if len(text) > maxSheet {
		return a, pos.Say(op, pos.Invalid, nil, "bo_se_bad_long")
	}
	var rows []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if m := sheetTreasury.FindString(line); m != "" && a.Treasury == "" {
			a.Treasury = "0x" + m[2:] // the first: the factory's comes later
		} else if m := sheetScheme.FindStringSubmatch(line); m != nil {
			if _, err := fmt.Sscan(m[1], &a.Scheme); err != nil {
				return AddressSeed{}, pos.Say(op, pos.Invalid, nil, "bo_se_bad_scheme")
			}
		} else if m := sheetHex.FindStringSubmatch(line); m != nil {
			_, _ = hex.Decode(a.Seed[:], []byte(m[1])) // 64 digits
		} else if m := sheetRow.FindStringSubmatch(line); m != nil {
			rows = append(rows, m[1])
		}
	}
	if a.Treasury == "" {
		return AddressSeed{}, pos.Say(op, pos.Invalid, nil, "bo_se_bad_treasury")
	}
	if a.Seed.IsZero() {
		if err := a.readRows(rows); err != nil {
			return AddressSeed{}, err
		}
	}
	if err := a.Check(); err != nil {
		return AddressSeed{}, err
	}
	return a, nil
}

// readRows fills in the seed.
func (a *AddressSeed) readRows(rows []string) error {
	const op = "read recovery sheet"
	if len(rows) != sheetRows {
		return pos.Say(op, pos.Invalid, nil, "bo_se_bad_rows", "all", strconv.Itoa(sheetRows), "n", strconv.Itoa(len(rows)))
	}
	bad := 0 // the first one, from 1
	all := true
	for i, row := range rows {
		row = strings.Join(strings.FieldsFunc(strings.ToUpper(row), func(r rune) bool { return r == '-' || r == ' ' || r == '\t' }), "")
		b, ok := unletters(strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(row))
		copy(a.Seed[i*rowBytes:], b[:rowBytes])
		if check := a.check(i); ok && check == [checkBytes]byte(b[rowBytes:]) {
			all = false
		} else if bad == 0 {
			bad = i + 1
		}
	}
	switch {
	case bad == 0:
		return nil
	case all && bad == 1:
		return pos.Say(op, pos.Invalid, nil, "bo_se_bad_first")
	}
	return pos.Say(op, pos.Invalid, nil, "bo_se_bad_row", "n", strconv.Itoa(bad))
}
