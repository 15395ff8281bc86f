// Package raster draws what a printer has no letters or commands for: text of any
// script, QR codes, bar codes and logos, as dots.
//
// Promise. Nothing is wider than it was asked to be. The same input gives the same
// dots. A code is drawn at a whole number of dots a module, or not at all. A line
// keeps its columns: what stands in cell n of the text stands at dot 12·n, whatever
// the script. Damaged or hostile font and image files are errors, never a crash.
//
// Text. Latin, Greek and Cyrillic are Go Mono, which is built in. Other scripts
// come from font files that the merchant names, read as they are needed and not kept
// in memory; package shape says what they become, and which scripts this till knows.
//
// Sources: ISO/IEC 18004 (QR), ISO/IEC 15417 (Code 128).
package raster
