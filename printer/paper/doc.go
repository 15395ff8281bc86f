// Package paper is a receipt printer made of code: it takes ESC/POS, StarPRNT, Star
// Line or Star raster bytes as a machine does and keeps what is on the paper, as a
// picture and as text. It serves tests, and whoever wants to try the till without a
// printer.
//
// Promise. It is written from the manuals (Epson's ESC/POS command reference, Star's
// command specifications), not from what our encoders send: every command has the
// length that the manual gives, a command in the middle of an image is image data, text
// prints when its line ends and not before. It answers DLE EOT, GS r, GS a and ESC ACK
// SOH, opens a drawer, runs out of paper, jams, overheats, stops while its cover is
// open, keeps what it was sent meanwhile, and goes on where it stopped. Bytes that the
// manual does not allow are reported, and passed over as real printers do.
//
// Limits. Font A and B of one face, no page mode, Code 128 alone of the bar codes, no
// downloaded images. A code that the printer draws itself may be smaller here than on
// a machine, which knows only the byte mode; its width is checked as the machine's.
// The last maxRows rows (50 cm) and maxText bytes are shown.
package paper
