// Package code128 turns text into the bars of a Code 128 (ISO/IEC 15417), for
// printers that draw none themselves, and for the printer made of code.
//
// Promise. The same text gives the same bars. Limits. ASCII from space to ~, in code
// set B alone: set C would put pairs of digits into single bytes, and 1604 on the
// wire is a question that printers answer.
package code128

const (
	startB = 104
	stop   = "2331112"
)

// patterns are the widths of the three bars and three spaces of each symbol, in
// modules (ISO/IEC 15417, table 1).
var patterns = [...]string{
	"212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212", "221213", "221312", "231212",
	"112232", "122132", "122231", "113222", "123122", "123221", "223211", "221132", "221231", "213212", "223112", "312131",
	"311222", "321122", "321221", "312212", "322112", "322211", "212123", "212321", "232121", "111323", "131123", "131321",
	"112313", "132113", "132311", "211313", "231113", "231311", "112133", "112331", "132131", "113123", "113321", "133121",
	"313121", "211331", "231131", "213113", "213311", "213131", "311123", "311321", "331121", "312113", "312311", "332111",
	"314111", "221411", "431111", "111224", "111422", "121124", "121421", "141122", "141221", "112214", "112412", "122114",
	"122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111", "111242", "121142", "121241", "114212",
	"124112", "124211", "411212", "421112", "421211", "212141", "214121", "412121", "111143", "111341", "131141", "114113",
	"114311", "411113", "411311", "113141", "114131", "311141", "411131", "211412", "211214", "211232",
}

// Modules returns for each module, from left to right and without quiet zones,
// whether it is dark; ok is false for empty text and for letters outside ASCII.
func Modules(text string) (dark []bool, ok bool) {
	symbols := symbols(text)
	if symbols == nil {
		return nil, false
	}
	sum := symbols[0]
	for i, s := range symbols[1:] {
		sum += (i + 1) * s
	}
	for _, s := range append(symbols, sum%103) {
		dark = bars(dark, patterns[s])
	}
	return bars(dark, stop), true
}

// symbols are the start symbol and the data; none for text that cannot be one.
func symbols(text string) []int {
	if text == "" {
		return nil
	}
	out := []int{startB}
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return nil
		}
		out = append(out, int(text[i]-' '))
	}
	return out
}

// bars appends the modules of one pattern, which begins with a bar.
func bars(dark []bool, pattern string) []bool {
	for i, w := range pattern {
		for range w - '0' {
			dark = append(dark, i%2 == 0)
		}
	}
	return dark
}
