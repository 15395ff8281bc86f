// Package printer turns what a shop owes its customers on paper into a document:
// rows in columns, for any device.
//
// Promise. Layout is a pure function of the receipt and the width: the same
// receipt gives the same rows, on every till and years later. No amount is ever
// cut short: what does not fit beside its label moves to a line of its own. Text
// from outside (names of items, shops and people) becomes visible characters,
// of one cell or two each: no control byte, line break or direction mark in it
// survives, so nobody can open a drawer by naming a cake.
//
// Limits. The page runs from left to right; a name in Arabic or Hebrew stands in
// its column as it should, and the column stays where it is. What a letter looks
// like, or whether a printer has it at all, is the business of the encoders below
// (escpos, star). Nothing here does I/O or reads a clock.
package printer
