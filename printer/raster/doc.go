// Package raster draws what a printer has no letters or commands for: text of any
// script, QR codes, bar codes and logos, as dots.
//
// Promise. Nothing is wider than it was asked to be. The same input gives the same
// dots. A code is drawn at a whole number of dots a module, or not at all. A line
// keeps its columns: what stands in cell n of the text stands at dot 12·n, whatever
// the script. Damaged or hostile font and image files are errors, never a crash.
//
// Text. Latin, Greek and Cyrillic are Go Mono, which is built in. Other scripts
// come from font files that the merchant names (Open), read as they are needed and
// not kept in memory. The built-in Shaper joins Arabic letters by their presentation
// forms, sets lines from right to left where they are, and stacks the marks of Thai,
// Arabic and Hebrew. It knows none of a font's own rules (GSUB, GPOS): Devanagari,
// Khmer and the like come out in letters, not in syllables. A Shaper that knows them
// can be put in its place.
//
// Sources: ISO/IEC 18004 (QR), ISO/IEC 15417 (Code 128), Unicode 17: chapter 9.2
// (Arabic joining), annex 9 (bidirectional text, reduced to one level of nesting).
package raster
