package printer

// CodePage is one of the sets of letters that printers have built in: ASCII, and
// 128 more. A letter's number within the printer's list of pages is the
// encoder's business.
type CodePage struct {
	Name    string
	letters [128]rune // of bytes 0x80 to 0xFF; 0xFFFD where there is none
	bytes   map[rune]byte
}

// The pages that receipt printers for Europe and the Americas share; codepages.go
// has the rest. CP858 is CP850 with the euro sign in place of a dotless i.
var (
	CP437 = newCodePage("CP437",
		"ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ"+
			"áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"+
			"└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"+
			"αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0")
	CP850 = newCodePage("CP850",
		"ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ"+
			"áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐"+
			"└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀"+
			"ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0")
	CP858 = newCodePage("CP858",
		"ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ"+
			"áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐"+
			"└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈ€ÍÎÏ┘┌█▄¦Ì▀"+
			"ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0")
	CP1252 = newCodePage("CP1252",
		"€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ"+
			"\u00a0¡¢£¤¥¦§¨©ª«¬\u00ad®¯°±²³´µ¶·¸¹º»¼½¾¿"+
			"ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß"+
			"àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ")
)

func newCodePage(name, letters string) *CodePage {
	p := &CodePage{Name: name, bytes: make(map[rune]byte, 128)}
	i := 0
	for _, r := range letters {
		p.letters[i] = r
		if r != '\ufffd' {
			p.bytes[r] = byte(0x80 + i)
		}
		i++
	}
	return p
}

// Byte returns the byte that prints r, never one of the control range.
func (p *CodePage) Byte(r rune) (byte, bool) {
	if r >= 0x20 && r < 0x7F {
		return byte(r), true
	}
	b, ok := p.bytes[r]
	return b, ok
}

// Rune returns the letter that b prints; false for control bytes and for bytes
// that the page has no letter for.
func (p *CodePage) Rune(b byte) (rune, bool) {
	switch {
	case b >= 0x20 && b < 0x7F:
		return rune(b), true
	case b < 0x80 || p.letters[b-0x80] == '\ufffd':
		return 0, false
	}
	return p.letters[b-0x80], true
}
