// Package escpos speaks ESC/POS, the language of most receipt printers.
//
// Promise. Every byte sent is a command of the manual or a printable letter of
// the code page then selected; text can smuggle nothing else in. Each paper
// starts with ESC @ and FS ., so that what an earlier program left behind does
// not show, and ends with an empty line buffer. The pairs 10 04, 10 05 and 10 14,
// which some printers obey even inside images, never occur in a paper. An image
// goes out in strips of at most stripBytes, and the printer is asked how it is
// before each. A printer that does not answer is unknown: it prints, and is never
// called well.
//
// Text is native in the first code page of the profile that has every letter of
// the line. A line that no page has is drawn with Go Mono and printed as an
// image. A letter that Go Mono lacks (Chinese, Arabic, emoji) is printed as "?".
//
// Limits. Status needs a two-way port. What is in the printer's own buffer when
// the paper ends is known only if the profile says that it answers GS r, which
// waits its turn; else the last word is the status after the last byte.
//
// Sources: Epson's ESC/POS command reference, sections named at the constants.
package escpos
