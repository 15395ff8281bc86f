package input

import (
	"maps"
	"slices"
	"strings"
)

// Codes of the kernel (include/uapi/linux/input-event-codes.h).
const (
	evSyn, evKey          = 0, 1
	synReport, synDropped = 0, 3
	down                  = 1 // 0 is up, 2 a repeat
	keyTab, keyEnter      = 15, 28
	keyBracket            = 27
	keySpace, keyKPEnter  = 57, 96
	keyLeftCtrl           = 29
	keyRightCtrl          = 97
	keyLeftShift          = 42
	keyRightShift         = 54
	keyLeftAlt            = 56
	keyAltGr              = 100
	keyCapsLock           = 58
	keyNumLock            = 69
	keyScrollLock         = 70
	keyMax                = 0x300 // above all codes
)

// rows are the keys of a board from the top left, as codes: that of the grave accent
// and the digits, of Q, of A, and of the key beside Z.
var rows = [4][]uint16{
	{41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13},
	{16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27},
	{30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 43},
	{86, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53},
}

// levels of a key: alone, with Shift, with AltGr.
const (
	plain = iota
	shifted
	altGr
)

// printed is a country's keyboard as its keys are printed, and the dead ones of each
// level. What is not ASCII is in no code on goods; a blank is a key without a letter.
type printed struct {
	level [3][4]string
	dead  [3]string
}

// boards are the keyboards that a scanner can be set to, as Windows has them, for that
// is what scanners imitate.
var boards = map[string]printed{
	"us": {level: [3][4]string{
		{"`1234567890-=", "qwertyuiop[]", "asdfghjkl;'\\", " zxcvbnm,./"},
		{"~!@#$%^&*()_+", "QWERTYUIOP{}", "ASDFGHJKL:\"|", " ZXCVBNM<>?"},
	}},
	"uk": {level: [3][4]string{
		{"`1234567890-=", "qwertyuiop[]", "asdfghjkl;'#", "\\zxcvbnm,./"},
		{"¬!\"£$%^&*()_+", "QWERTYUIOP{}", "ASDFGHJKL:@~", "|ZXCVBNM<>?"},
	}},
	"de": {level: [3][4]string{
		{"^1234567890ß´", "qwertzuiopü+", "asdfghjklöä#", "<yxcvbnm,.-"},
		{"°!\"§$%&/()=?`", "QWERTZUIOPÜ*", "ASDFGHJKLÖÄ'", ">YXCVBNM;:_"},
		{"       {[]}\\ ", "@          ~", "            ", "|          "},
	}, dead: [3]string{plain: "^", shifted: "`"}},
	"fr": {level: [3][4]string{
		{"²&é\"'(-è_çà)=", "azertyuiop^$", "qsdfghjklmù*", "<wxcvbn,;:!"},
		{" 1234567890°+", "AZERTYUIOP¨£", "QSDFGHJKLM%µ", ">WXCVBN?./§"},
		{"  ~#{[|`\\^@]}", "            ", "            ", "           "},
	}, dead: [3]string{plain: "^", altGr: "~`"}},
	"es": {level: [3][4]string{
		{"º1234567890'¡", "qwertyuiop`+", "asdfghjklñ´ç", "<zxcvbnm,.-"},
		{"ª!\"·$%&/()=?¿", "QWERTYUIOP^*", "ASDFGHJKLÑ¨Ç", ">ZXCVBNM;:_"},
		{"\\|@#~¬       ", "          []", "          {}", "           "},
	}, dead: [3]string{plain: "`", shifted: "^", altGr: "~"}},
	"pt": {level: [3][4]string{
		{"\\1234567890'«", "qwertyuiop+´", "asdfghjklçº~", "<zxcvbnm,.-"},
		{"|!\"#$%&/()=?»", "QWERTYUIOP*`", "ASDFGHJKLÇª^", ">ZXCVBNM;:_"},
		{"  @£§  {[]}  ", "            ", "            ", "           "},
	}, dead: [3]string{plain: "~", shifted: "`^"}},
	"cz": {level: [3][4]string{
		{";+ěščřžýáíé=´", "qwertzuiopú)", "asdfghjklů§¨", "\\yxcvbnm,.-"},
		{"°1234567890%ˇ", "QWERTZUIOP/(", "ASDFGHJKL\"!'", "|YXCVBNM?:_"},
		{" ~ ^   `     ", "\\|          ", "   []    $  ", "  #&@{} <>*"},
	}, dead: [3]string{altGr: "^"}},
}

// pads are the keys of a number pad: the same on every board.
var pads = map[uint16]byte{
	71: '7', 72: '8', 73: '9', 75: '4', 76: '5', 77: '6', 79: '1', 80: '2', 81: '3', 82: '0',
	83: '.', 78: '+', 74: '-', 55: '*', 98: '/',
}

// letter is what a key types at one level; 0: nothing that a code holds.
type letter struct {
	char byte
	dead bool // an accent: the space that follows it makes it stand alone
}

// layout is a board by code.
type layout [3]map[uint16]letter

// layouts are boards ready for use.
var layouts = func() map[string]*layout {
	out := map[string]*layout{}
	for name, b := range boards {
		l := &layout{}
		for level := range l {
			l[level] = map[uint16]letter{}
			for row, text := range b.level[level] {
				for i, r := range []rune(text) {
					if r > ' ' && r <= '~' {
						l[level][rows[row][i]] = letter{byte(r), strings.ContainsRune(b.dead[level], r)}
					}
				}
			}
		}
		out[name] = l
	}
	return out
}()

// Layouts returns the names of the layouts that scanners can be set to.
func Layouts() []string { return slices.Sorted(maps.Keys(boards)) }

// of returns what a key types.
func (l *layout) of(code uint16, level int, caps bool) letter {
	if code == keySpace {
		return letter{char: ' '}
	}
	if c, ok := pads[code]; ok {
		return letter{char: c}
	}
	if base := l[plain][code].char; caps && level != altGr && base >= 'a' && base <= 'z' {
		level = shifted - level // a shift-lock of letters
	}
	return l[level][code]
}

// KeyNames returns the names of all keys in the kernel's words, as in Press; none where
// there are no keys.
func KeyNames() (names []string) {
	for code := range uint16(keyMax) {
		if name := keyName(code); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// KnowsKey reports that a key has this name in the kernel's words, as in Press.
func KnowsKey(name string) bool {
	for code := range uint16(keyMax) {
		if name != "" && keyName(code) == name {
			return true
		}
	}
	return false
}
