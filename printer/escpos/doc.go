// Package escpos speaks ESC/POS, the language of most receipt printers.
//
// Promise. Every byte sent is a command of the manual or a printable letter of
// the code page then selected; text can smuggle nothing else in. Each paper
// starts with ESC @ and FS ., so that what an earlier program left behind does
// not show, and ends with an empty line buffer. The pairs 10 04, 10 05 and 10 14,
// which some printers obey even inside images, never occur in a paper. An image
// goes out in strips of at most stripBytes, and the printer is asked how it is
// before each. No model is sent a command that its profile does not name. A printer
// that does not answer is unknown: it prints, and is never called well.
//
// Text is native in the first code page of the profile that has every letter of
// the line. A line that no page has is drawn (package raster) and printed as an
// image; a letter that no font has is printed as "?", and its amount stays where it
// was. Codes and bars that would not be read are printed as text.
//
// Limits. Status needs a two-way port. What is in the printer's own buffer when
// the paper ends is known only if the profile says that it answers GS r, which
// waits its turn; else the last word is the status after the last byte. GS ( H, which
// Epson's newest also answer, is not used. What the models can do was read, not tried.
//
// Sources: Epson's ESC/POS command reference: ESC @, FS ., ESC R, ESC t, ESC E, ESC !,
// GS !, ESC a, ESC 3, ESC 2, GS v 0, ESC *, GS ( L, GS ( k, GS k, GS V, ESC p, ESC ( A,
// DLE EOT, DLE DC4, GS r, GS a. ESC B is of Chinese boards (Zjiang, Xprinter). Models:
// see Models.
package escpos
