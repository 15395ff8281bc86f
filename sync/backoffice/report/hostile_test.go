package report_test

import (
	"bytes"
	"encoding/csv"
	"regexp"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/sync/backoffice/report"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
)

// begins finds a cell that a spreadsheet would compute, however it parts cells.
var begins = regexp.MustCompile(`(^|[;,|\t\r\n])[\s\p{Z}"]*[=+\-@＝＋－＠]`)

// FuzzFormulas names a till after whatever comes. Goal: no cell of it begins like a
// formula, whichever sign the reader's spreadsheet parts cells at, and the file
// stays one of as many rows and columns.
func FuzzFormulas(f *testing.F) {
	for _, name := range []string{
		"=1+1", "x;=1+1;y", "x,=cmd|' /C calc'!A0", "x\t=1", "\t=1", "\r\n=1", " =1", "\u00a0=1", "\"=1", "x;\"=1", "＝1", "x|@SUM(A1)", "--1", "'=1", "Coffee", "=;=,=\t=",
	} {
		f.Add(name)
	}
	till := tilltest.New(1, "01", "EUR", sunday)
	till.Sell()
	s := &shelf{tills: []*tilltest.Till{till}}
	day, err := report.New(s, vienna).Days(f.Context(), sunday)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		day[0].Sales[0].Till.Name = name
		for _, comma := range []rune{',', ';'} {
			var out bytes.Buffer
			if err := report.NewTable(&out, comma).Sales(day...); err != nil {
				t.Fatal(err)
			}
			r := csv.NewReader(strings.NewReader(out.String()))
			r.Comma = comma
			rows, err := r.ReadAll()
			if err != nil || len(rows) != 2 || len(rows[0]) != len(rows[1]) {
				t.Fatalf("%d rows, %v", len(rows), err)
			}
			if cell := rows[1][6]; begins.MatchString(cell) {
				t.Errorf("the name %q is the cell %q", name, cell)
			}
		}
	})
}
