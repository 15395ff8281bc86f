// Package pos is the domain of a shop's till: money, rates, tax, sales,
// payments and their life cycles, records, receipts, and what the screens show.
//
// Promise. It imports the standard library alone, does no I/O, reads no clock
// and starts no goroutine: the same records give the same figures on the till,
// in the backoffice and in an auditor's hands. Money is counted in integers; no
// floating point number comes near it. Arithmetic that would overflow fails, it
// never wraps. What a record says it says in values, never by reference to
// something that may be renamed later.
package pos
