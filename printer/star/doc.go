// Package star speaks the three languages of Star's receipt printers behind the same
// document as package escpos: StarPRNT (mC-Print, mPOP, TSP100IV), Star Line Mode
// (TSP650, TSP700, TSP800) and the raster mode of the TSP100 family, which has no
// letters at all.
//
// Promise. Every byte sent is a command of the manuals or a printable letter of the
// code page then selected; text can smuggle nothing else in. Each paper begins from a
// known state and ends with an empty line buffer. ESC d, which feeds in ESC/POS, cuts
// here and is sent for nothing else. An image goes out in strips of at most
// stripBytes, and the printer is asked how it is (ESC ACK SOH, answered in real time)
// before each. A printer that does not answer is unknown: it prints, and is never
// called well.
//
// Limits. Star's acknowledgement of what is printed (ETB) is not used: the last word is
// the status after the last byte, so that an end of paper among the last few lines may
// be taken for a whole receipt, as with ESC/POS printers that do not answer GS r. A
// printer that is off line opens no drawer: what it is sent it would do when it comes
// back, and a drawer must not open by itself. Impact printers (SP700) are not spoken to.
//
// Sources: StarPRNT Command Specifications rev. 2.40; Star Line Mode Command
// Specifications; STAR Graphic Mode Command Specifications rev. 2.32. The order of the
// raster commands is that which was seen to work on a TSP143IIIU. The bits of the
// status for heat and for paper near its end are from the specification alone.
package star
