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
// Secrets. The macaroon and the preimages appear in no log line, error or answer.
//
// Limits. Every body, line, wait, stream and memory has its named bound.
package lnd
