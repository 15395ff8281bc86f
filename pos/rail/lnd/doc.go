// Package lnd takes Lightning payments through the merchant's own lnd, over its
// REST interface.
//
// Promise. The payment hash is the truth: it is derived from the till's secret,
// the sale and the attempt, so every payment can be asked about from its record
// alone, and asking twice makes one invoice. Nothing but the node's own word about
// that hash moves a payment: SETTLED is paid, CANCELED is not, and an answer that
// is lost, garbled or unheard of is an error, never "unpaid". An invoice is decoded
// and compared with what was asked for before anybody sees it.
//
// Rights. Five calls are made, none of which moves money out. A macaroon that
// could is refused: New fails, and one that turns up later is never used.
//
// Clocks. The node's clock, told by its answers, decides what an end was; the till's
// may stand at 1970. Asked.Expires is by the till's clock, for its countdown. A
// pinned certificate's end counts only while Options.ClockTrusted vouches for the
// till's time; the owner is told 30, 7 and 1 days ahead.
//
// Damage. A hash that the node does not know, though the customer has seen its code,
// stays in doubt: lnd deletes cancelled invoices when told to, and so does a node
// that was put back from a copy. Health then tells the owner.
//
// Secrets. The macaroon and the preimages appear in no log line, error or answer.
//
// Limits. Every body, line, wait, stream and memory has its named bound.
package lnd
