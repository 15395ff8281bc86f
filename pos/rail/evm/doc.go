// Package evm takes stablecoins on Ethereum and the chains that are like it.
//
// Promise. The till has no key. A customer pays to an address of his own, whose money
// can only go to the merchant's treasury: the address is computed from the treasury,
// from a secret that cannot spend, and from the attempt's number, and is on the till's
// disk before anybody sees it. No address is ever given twice. What a balance says at
// a block that is named by its hash, as deep as the policy wants and by as many
// operators as it wants, is paid; nothing else is. An endpoint that is silent, odd,
// old, on another chain, or of another mind than the second, gives an error, never
// "paid" and never "unpaid"; and each chain is watched by itself, so that one that
// hangs greys its own tokens only.
//
// Found and named. Money that comes short, over, late or twice, in another token, on
// another chain, or in the chain's own coin, is on the same address everywhere, and is
// told to the cashier or the owner. Nothing is ever sent back by itself. What comes after a
// payment's last word, and what comes to a shared address and is no request's, is told of
// by Found, when it is final: each thing under a name of its own that a restart does not
// change, and no money both there and in a payment.
//
// How. A Watcher makes rounds of each chain: one request reads the newest balances of
// all open payments (contracts/src/Peek.sol, code that is run and never deployed).
// That is a hint; what it shows is then proved. A Rail is one token on one chain and
// has the methods of the desk. Requests to one operator are spread to two a second
// over all chains.
//
// Clocks. The chain's own time decides what an end was; the till's may stand at 1970.
// An endpoint is stale when its blocks stop by the till's monotonic clock, and, while
// Options.ClockTrusted vouches for the wall clock, when its newest block is old.
//
// Damage. The seed and the counter of addresses are in one file, the book: lost
// together, they begin anew together, and old payments are still found by the
// references in the till's records. A damaged book stops stablecoins until the owner
// decides. A copied card that is enrolled by itself begins a new seed (Watcher.Bind);
// before that it is noticed when its next address has been used. A payment
// that a reorg takes back after the sale was complete is an alarm to the owner; the
// sale is not changed. Alarms and notices do not outlive a restart.
//
// Limits. With one endpoint, small sums are as true as that endpoint: the policy says
// how small. Tokens that change balances by themselves are not for this package. With
// Options.Shared, a transfer that an endpoint leaves out of its events for longer than
// scanOverlap blocks is not found, nor what is in a block of more events than are read, nor
// what came more than scanBack blocks ago while the till was off: the last two are alarms. An address is watched for a day after its request's
// end, and of the newest 256 only; a shared one while there are requests. No outside audit of the contracts has been made.
package evm
