// Package tron takes stablecoins on Tron: Tether's USDT above all.
//
// Promise. The till has no key. All customers pay to one address, the merchant's own,
// and the amount tells the sales apart: each open request asks for a few
// ten-thousandths of a token more than the price, an amount that no other request has
// and that is on the till's disk before anybody sees it. What the token's own Transfer
// event says, in a block that is named by its hash and is on the chain, as deep as the
// policy wants, by as many operators as it wants, and with a balance that grew by as
// much, is paid; nothing else is. An endpoint that is silent, odd, old, of another
// network, or of another mind than the second, gives an error, never "paid" and never
// "unpaid".
//
// Found and named. Money that comes late or twice is booked with its request, until that
// has its last word. What comes after that, and money of another amount or of another known
// token, cannot be told to a sale: it is solidified before it is told (Found), and has one
// name for good, whatever the till forgets; no money is ever a request's and that. TRX itself
// is a notice to the owner. Nothing is ever sent back by itself.
//
// How. A Watcher makes a round every three seconds while a customer pays, for that is
// how often Tron makes a block, and one every half minute else. Endpoints are of two
// kinds: a node's JSON-RPC, and TronGrid's own API. Both tell of the same transfers by
// the same name, so that one can confirm the other.
//
// Balances. Tron cannot say what a balance was at a height. It is read between two
// looks at the newest block: when both are the same block, it is of that block. Each
// request keeps one such reading, and later balances must have grown by what the
// events say. It is the word of the endpoint in use alone, also where the policy wants two
// operators: there the second one finds the transfer itself, with its amount, in the same
// block of the chain, so that a false balance can hold a payment up and never make one.
//
// Clocks. The chain's own time decides what an end was; the till's may stand at 1970.
//
// Damage. Lost with the book of amounts are the reservations; payments under way are
// found by the references in the till's records. A payment that the network takes back
// after the sale was complete is an alarm to the owner; the sale is not changed.
// Alarms and notices do not outlive a restart. Without the note of what payments were closed
// with, nothing is told of money of before that no request asked for.
//
// Limits. Whoever pays another amount than asked for, an exchange that takes its fee
// from it for instance, pays no sale: a manager decides. Nobody's money is found while a
// request is watched, until a day beyond its end, and not else; of dust one operator's list
// is believed. With one
// endpoint, small sums are as true as that endpoint. Several tills on one address need
// a number each (Options.Lane); of money that belongs to no sale that one of them tells in
// whose lane its amount is. The till cannot tell an exchange's deposit address
// from the owner's wallet with certainty; Advice says so.
package tron
